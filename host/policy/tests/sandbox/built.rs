//! Guests that a compiler built: what `tests/guests` holds, and the shipped policies.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_fence::{Nonsense, PolicyFailure};
use ringfence_policy::{Chain, LoadError, Policy, inspect};

use crate::house::{Case, SANDBOX, entry, load, runtime};

/// Far more than any limit of time here, and far less than for ever.
const SOON: Duration = Duration::from_secs(30);

/// What must not come out of a policy that fails.
const CANARY: &str = "canary-5f2c-\u{e9}-jane";

fn built(folder: &str, name: &str) -> Vec<u8> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let file = PathBuf::from(root).join(folder).join("dist").join(format!("{name}.wasm"));
    fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn guest(name: &str) -> Vec<u8> {
    built("tests/guests", name)
}

fn hostile(behave: &str) -> Result<Policy, LoadError> {
    let mut entry = entry();
    entry.config = format!(r#"{{"behave": "{behave}"}}"#);
    // So little that filling it never takes until the deadline.
    entry.limits.memory_bytes = 8 << 20;
    SANDBOX.load(&entry, &guest("hostile"))
}

#[test]
fn hostile_behaviours_are_typed_failures_and_show_no_prompt() {
    use PolicyFailure::{Deadline, Error, Memory, Nonsense as Odd, Trap};
    let cases = [
        ("loop", Some(Deadline)),
        ("busy-ms:60000", Some(Deadline)),
        ("memory-bomb", Some(Memory)),
        ("trap", Some(Trap)),
        ("panic-with-prompt", Some(Trap)),
        ("stack-overflow", Some(Trap)),
        ("error", Some(Error)),
        ("bad-span", Some(Odd(Nonsense::Span))),
        ("empty-span", Some(Odd(Nonsense::Span))),
        ("inverted-span", Some(Odd(Nonsense::Span))),
        ("mid-char-span", Some(Odd(Nonsense::Span))),
        ("overlap", Some(Odd(Nonsense::Overlap))),
        ("unknown-segment", Some(Odd(Nonsense::Segment))),
        ("unknown-target", Some(Odd(Nonsense::Target))),
        ("unknown-preference", Some(Odd(Nonsense::Target))),
        ("bad-entity", Some(Odd(Nonsense::Entity))),
        ("undeclared-code", Some(Odd(Nonsense::Code))),
        ("undeclared-label", Some(Odd(Nonsense::Label))),
        ("huge-edits", None),
        ("huge-code", None),
        ("huge-labels", None),
        ("huge-error", None),
    ];
    let case = Case::of(&["hello", CANARY]);
    let neighbour = Arc::new(hostile("honest").unwrap());
    for (behave, expected) in cases {
        let policy = Arc::new(hostile(behave).unwrap_or_else(|error| panic!("{behave}: {error}")));
        let started = Instant::now();
        let chain = Chain::new(vec![policy, neighbour.clone()]);
        let verdicts = runtime().block_on(chain.judge(&case.facts()));
        assert!(started.elapsed() < SOON, "{behave}: {:?}", started.elapsed());
        let failure = *verdicts[0].outcome.as_ref().expect_err(behave);
        match expected {
            Some(expected) => assert_eq!(failure, expected, "{behave}"),
            // Told from its parts: the answer, or the memory that it is made in.
            None => assert!(
                matches!(failure, Odd(Nonsense::TooMuch | Nonsense::Contract) | Memory),
                "{behave}: {failure:?}"
            ),
        }
        assert!(!format!("{verdicts:?}").contains("canary"), "{behave}");
        assert!(verdicts[1].outcome.is_ok(), "{behave}");
    }
}

#[test]
fn failures_at_load_are_typed() {
    for (behave, failure) in [
        ("configure-loop", PolicyFailure::Deadline),
        ("configure-trap", PolicyFailure::Trap),
        ("configure-panic", PolicyFailure::Trap),
        ("configure-memory-bomb", PolicyFailure::Memory),
    ] {
        let refused = hostile(behave).expect_err(behave);
        assert_eq!(refused, LoadError::Configure(failure), "{behave}");
    }
    let refused = hostile("configure-error").expect_err("it loads");
    assert_eq!(refused, LoadError::Refused("refuses to be configured".to_owned()));
}

#[test]
fn a_compiled_guest_keeps_nothing_either() {
    let policy = Arc::new(hostile("keep-state").unwrap());
    let case = Case::of(&["hello"]);
    for _ in 0..50 {
        assert_eq!(case.judged(&policy).outcome.unwrap().labels(), ["calls-1"]);
    }
    // Many at once: the pool hands out what others just gave back.
    let chain = Chain::new(vec![policy; 8]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (chain, case) = (Arc::new(chain), Arc::new(case));
    runtime.block_on(async {
        let tasks: Vec<_> = (0..32)
            .map(|_| {
                let (chain, case) = (chain.clone(), case.clone());
                tokio::spawn(async move { chain.judge(&case.facts()).await })
            })
            .collect();
        for task in tasks {
            for verdict in task.await.unwrap() {
                assert_eq!(verdict.outcome.unwrap().labels(), ["calls-1"]);
            }
        }
    });
}

#[test]
fn other_guests_are_refused_for_what_they_are() {
    assert!(matches!(load(&guest("wrong-version")), Err(LoadError::Version { .. })));
    assert!(matches!(load(&guest("ungranted")), Err(LoadError::Imports { .. })));
    assert!(matches!(
        load(&guest("chatty")),
        Err(LoadError::Imports { ungranted, .. }) if ungranted == ["log"]
    ));
}

#[test]
fn a_flood_of_lines_ends_with_the_calls() {
    let mut entry = entry();
    entry.grants.log = true;
    let policy = Arc::new(SANDBOX.load(&entry, &guest("chatty")).unwrap());
    let failure = Case::of(&["hello"]).failure(&policy);
    assert!(matches!(failure, PolicyFailure::Calls | PolicyFailure::Deadline), "{failure:?}");
}

#[test]
fn the_shipped_policies_load_as_snapshots() {
    for name in ["redact-pii", "keep-sensitive-local", "spill-to-cloud"] {
        let bytes = built("policies", name);
        let inspection = inspect(&bytes).unwrap();
        assert!(inspection.served, "{name}");
        let mut entry = entry();
        entry.grants.caller = true;
        let policy = SANDBOX.load(&entry, &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(policy.snapshot, "{name}");
        assert_eq!(policy.version, inspection.version);
        assert!(Case::of(&["hello"]).judged(&Arc::new(policy)).outcome.is_ok(), "{name}");
    }
}
