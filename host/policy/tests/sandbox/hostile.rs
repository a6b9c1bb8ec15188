//! Hostile guests against the sandbox: each is stopped within bounds, with a typed
//! failure, and its neighbours go on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_fence::{Nonsense, PolicyFailure};
use ringfence_policy::{Chain, Entities, Limits, LoadError, Policy, Sandbox, SandboxConfig};

use crate::guest::{Guest, RESULT};
use crate::house::{Case, SANDBOX, entry, load, runtime};

/// Far more than any limit of time here, and far less than for ever.
pub const SOON: Duration = Duration::from_secs(30);

/// Never ends.
pub const SPIN: &str = "(loop $again (br $again)) unreachable";

fn loaded(guest: Guest) -> Arc<Policy> {
    Arc::new(load(&guest.build()).expect("the guest loads"))
}

/// How a policy fails over one small request, and that it does so soon. The bound is
/// wide because tests share the machine.
fn fails(guest: Guest) -> PolicyFailure {
    let policy = loaded(guest);
    let started = Instant::now();
    let failure = Case::of(&["hello"]).failure(&policy);
    let spent = started.elapsed();
    assert!(spent < SOON, "{spent:?}");
    failure
}

#[test]
fn a_well_behaved_policy_judges_from_a_snapshot() {
    let policy = loaded(Guest::default());
    assert!(policy.snapshot);
    assert_eq!(policy.declaration.codes, ["no", "ok"]);
    assert_eq!(policy.declaration.labels, ["seen"]);
    let verdict = Case::of(&["hello"]).judged(&policy);
    assert!(verdict.outcome.unwrap().edits().is_empty());
}

#[test]
fn endless_loops_end_at_the_deadline() {
    let post = format!(
        r#"(func (export "cabi_post_ringfence:policy/judge@0.1.0#judge") (param i32) {SPIN})"#
    );
    let realloc = "(if (i32.eq (local.get $size) (i32.const 5)) (then (loop $again (br $again))))";
    let cases = [
        ("judge", Guest::judging(SPIN)),
        ("post-return", Guest::default().with(&post)),
        ("cabi_realloc", Guest { realloc, ..Guest::default() }),
        (
            "fills",
            Guest::judging(
                "(loop $again (memory.fill (i32.const 0) (i32.const 0) (i32.const 131072)) (br $again)) unreachable",
            ),
        ),
    ];
    for (place, guest) in cases {
        assert_eq!(fails(guest), PolicyFailure::Deadline, "{place}");
    }
}

#[test]
fn endless_loops_at_load_refuse_the_load() {
    let start = format!("(func $spin {SPIN}) (start $spin)");
    for guest in [Guest::configuring(SPIN), Guest::default().with(&start)] {
        let refused = load(&guest.build()).expect_err("it loads");
        assert_eq!(refused, LoadError::Configure(PolicyFailure::Deadline));
    }
}

#[test]
fn a_deadline_of_its_own_counts() {
    let mut entry = entry();
    for deadline in [1, 2_000] {
        entry.limits.deadline = Duration::from_millis(deadline);
        entry.limits.patience = Duration::from_secs(60);
        let policy = Arc::new(SANDBOX.load(&entry, &Guest::judging(SPIN).build()).unwrap());
        let started = Instant::now();
        assert_eq!(Case::of(&["hello"]).failure(&policy), PolicyFailure::Deadline);
        let spent = started.elapsed();
        assert!(spent >= entry.limits.deadline, "{spent:?}");
        // Had the smaller one not counted, the patience would have been waited for.
        assert!(spent < entry.limits.patience, "{spent:?}");
    }
}

#[test]
fn a_sleeping_policy_ends_when_patience_does() {
    let guest = Guest {
        world: "sleeping",
        ..Guest::judging("(call $block (call $subscribe (i64.const 60000000000))) (i32.const 400)")
    };
    let guest = guest.with(
        r#"(import "wasi:clocks/monotonic-clock@0.2.6" "subscribe-duration" (func $subscribe (param i64) (result i32)))
           (import "wasi:io/poll@0.2.6" "[method]pollable.block" (func $block (param i32)))"#,
    );
    let mut entry = entry();
    entry.limits.patience = Duration::from_millis(100);
    let policy = Arc::new(SANDBOX.load(&entry, &guest.build()).unwrap());
    let started = Instant::now();
    assert_eq!(Case::of(&["hello"]).failure(&policy), PolicyFailure::Deadline);
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
}

#[test]
fn a_spinning_policy_does_not_hold_up_its_neighbours() {
    let mut entry = entry();
    entry.limits.deadline = Duration::from_secs(2);
    entry.limits.patience = Duration::from_secs(60);
    let spinning = SANDBOX.load(&entry, &Guest::judging(SPIN).build()).unwrap();
    let spinning = Chain::new(vec![Arc::new(spinning)]);
    let good = Chain::new(vec![loaded(Guest::default())]);
    let case = Case::of(&["hello"]);
    let facts = case.facts();
    // One worker serves both.
    runtime().block_on(async {
        let neighbour = async {
            for _ in 0..20 {
                tokio::task::yield_now().await;
                assert!(good.judge(&facts).await[0].outcome.is_ok());
            }
            Instant::now()
        };
        let spinner = async {
            let verdicts = spinning.judge(&facts).await;
            assert_eq!(verdicts[0].outcome.as_ref().unwrap_err(), &PolicyFailure::Deadline);
            Instant::now()
        };
        let (spun, served) = tokio::join!(spinner, neighbour);
        assert!(served < spun, "twenty requests waited for one that spins");
    });
}

#[test]
fn policies_that_compute_for_long_take_turns() {
    const SPINNERS: u32 = 8;
    let mut entry = entry();
    entry.limits.deadline = Duration::from_millis(60);
    entry.limits.patience = Duration::from_secs(60);
    let spinning = Arc::new(SANDBOX.load(&entry, &Guest::judging(SPIN).build()).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let case = Arc::new(Case::of(&["hello"]));
    let begun = Instant::now();
    let spinners: Vec<_> = (0..SPINNERS)
        .map(|_| {
            let (chain, case) = (Chain::new(vec![spinning.clone()]), case.clone());
            runtime.spawn(async move { chain.judge(&case.facts()).await.remove(0).outcome })
        })
        .collect();
    for spinner in spinners {
        assert_eq!(runtime.block_on(spinner).unwrap().err(), Some(PolicyFailure::Deadline));
    }
    // Each computes for 55 ms in its turn, and half of the cores have turns.
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u32;
    let turns = SPINNERS.div_ceil((cores / 2).max(1));
    assert!(begun.elapsed() >= Duration::from_millis(45) * turns, "{:?}", begun.elapsed());
}

#[test]
fn a_full_pool_makes_others_wait_and_then_fail() {
    let config = SandboxConfig { instances: 1, ..SandboxConfig::default() };
    let sandbox = Sandbox::new(config).unwrap();
    let mut entry = entry();
    entry.limits.deadline = Duration::from_millis(500);
    entry.limits.patience = Duration::from_secs(60);
    let spinning = sandbox.load(&entry, &Guest::judging(SPIN).build()).unwrap();
    let patient = sandbox.load(&entry, &Guest::default().build()).unwrap();
    entry.limits.deadline = Duration::from_millis(1);
    entry.limits.patience = Duration::from_millis(1);
    let hasty = sandbox.load(&entry, &Guest::default().build()).unwrap();
    let chains = [spinning, patient, hasty].map(|policy| Chain::new(vec![Arc::new(policy)]));
    let case = Case::of(&["hello"]);
    let facts = case.facts();
    let (spun, waited, failed) = runtime().block_on(async {
        tokio::join!(chains[0].judge(&facts), chains[1].judge(&facts), chains[2].judge(&facts))
    });
    assert_eq!(spun[0].outcome.as_ref().unwrap_err(), &PolicyFailure::Deadline);
    assert!(waited[0].outcome.is_ok());
    assert_eq!(failed[0].outcome.as_ref().unwrap_err(), &PolicyFailure::Busy);
}

#[test]
fn memory_is_bounded() {
    let bomb = "(loop $again (drop (memory.grow (i32.const 16))) (br $again)) unreachable";
    assert_eq!(fails(Guest::judging(bomb)), PolicyFailure::Memory);
    let table = "(loop $again (drop (table.grow (ref.null func) (i32.const 4096))) (br $again)) unreachable";
    let guest = Guest::judging(table).with("(table 1 funcref)");
    assert_eq!(fails(guest), PolicyFailure::Memory);
}

#[test]
fn memory_bombs_leave_nothing_behind() {
    // Each touches all the memory that it may have.
    let pages = Limits::MEMORY_BYTES / 65_536 - 2;
    let bomb = format!(
        "(drop (memory.grow (i32.const {pages})))
         (memory.fill (i32.const 131072) (i32.const 1) (i32.const {})) unreachable",
        pages * 65_536
    );
    let policy = loaded(Guest::judging(&bomb));
    let case = Case::of(&["hello"]);
    let before = resident_bytes();
    for _ in 0..40 {
        let failure = case.failure(&policy);
        assert!(matches!(failure, PolicyFailure::Trap | PolicyFailure::Deadline), "{failure:?}");
    }
    // Forty of them touched 2.5 GiB. Other tests of this process run beside it.
    let after = resident_bytes();
    assert!(after < before + (1 << 30), "{before} {after}");
}

/// Resident memory of this process.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = status.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[test]
fn too_much_to_start_with_is_refused_at_load() {
    let pages = (Limits::MEMORY_BYTES >> 16) as u32 + 1;
    let elements = Limits::TABLE_ELEMENTS + 1;
    let cases = [
        Guest { pages, ..Guest::default() },
        Guest { pages: 65_536, ..Guest::default() },
        Guest::default().with(&format!("(table {elements} funcref)")),
        Guest::default().with(&"(table 1 funcref)".repeat(90)),
    ];
    for (index, guest) in cases.into_iter().enumerate() {
        let refused = load(&guest.build()).expect_err("it loads");
        assert!(
            matches!(
                refused,
                LoadError::Limits(_)
                    | LoadError::Compile(_)
                    | LoadError::Configure(PolicyFailure::Memory)
            ),
            "{index}: {refused}"
        );
    }
    let pages = (Limits::MEMORY_BYTES >> 16) as u32;
    loaded(Guest { pages, ..Guest::default() });
}

#[test]
fn traps_are_traps() {
    for judge in [
        "unreachable",
        "(i32.div_u (i32.const 1) (i32.const 0))",
        "(call $deep (local.get $request))",
        "(drop (i32.load (i32.const -4))) (i32.const 400)",
    ] {
        let guest = Guest::judging(judge)
            .with("(func $deep (param i32) (result i32) (call $deep (local.get 0)) (i32.add (i32.const 1)))");
        assert_eq!(fails(guest), PolicyFailure::Trap, "{judge}");
    }
    let realloc = "(if (i32.eq (local.get $size) (i32.const 5)) (then (return (call $realloc (local.get $old) (local.get $was) (local.get $align) (local.get $size)))))";
    assert_eq!(fails(Guest { realloc, ..Guest::default() }), PolicyFailure::Trap);
}

#[test]
fn an_error_is_a_failure_without_its_text() {
    let judge = "(i32.store8 (i32.const 400) (i32.const 1)) (i32.store (i32.const 404) (i32.const 517)) (i32.store (i32.const 408) (i32.const 16)) (i32.const 400)";
    let policy = loaded(Guest::judging(judge));
    let verdict = Case::of(&["hello"]).judged(&policy);
    assert_eq!(verdict.outcome.as_ref().unwrap_err(), &PolicyFailure::Error);
    assert!(!format!("{verdict:?}").contains("secret"));
}

/// Stores words at offsets of the judgement's result and returns it.
fn stores(words: &[(u32, i64)]) -> String {
    let mut body = String::new();
    for (at, value) in words {
        body.push_str(&format!("(i32.store (i32.const {at}) (i32.const {value})) "));
    }
    body + &format!("(i32.const {RESULT})")
}

/// The words of one edit at 600 and of the list that holds `count` like it.
fn edit(segment: i64, start: i64, end: i64) -> Vec<(u32, i64)> {
    vec![(424, 600), (428, 1), (600, segment), (604, start), (608, end), (612, 512), (616, 5)]
}

#[test]
fn spans_that_do_not_fit_fail_the_policy() {
    let with = |more: &[(u32, i64)]| {
        let mut words = edit(0, 0, 1);
        words.extend_from_slice(more);
        words
    };
    let overlap = [(428, 2), (644, 0), (648, 0), (652, 3), (656, 512), (660, 5)];
    let cases = [
        ("past the end", edit(0, 0, 100), Nonsense::Span),
        ("inverted", edit(0, 3, 2), Nonsense::Span),
        ("empty", edit(0, 2, 2), Nonsense::Span),
        ("inside a character", edit(0, 0, 2), Nonsense::Span),
        ("unknown segment", edit(9, 0, 1), Nonsense::Segment),
        ("overlap", with(&overlap), Nonsense::Overlap),
        ("entity", with(&[(612, 500), (616, 2)]), Nonsense::Entity),
        ("no entity", with(&[(616, 0)]), Nonsense::Entity),
        ("preferred target", vec![(416, 100), (420, 1)], Nonsense::Target),
        ("permitted target", vec![(404, 2), (408, 100), (412, 1)], Nonsense::Target),
        ("edit's target", with(&[(632, 2), (636, 100), (640, 1)]), Nonsense::Target),
        ("code", vec![(440, 512), (444, 5)], Nonsense::Code),
        ("label", vec![(432, 100), (436, 1)], Nonsense::Label),
        ("no such permission", vec![(404, 4)], Nonsense::Contract),
        ("no such zone", vec![(404, 1), (408, 3)], Nonsense::Contract),
        ("not UTF-8", vec![(440, 600), (444, 1), (600, 255)], Nonsense::Contract),
    ];
    let case = Case::of(&["a\u{e9}b", "second"]);
    for (name, words, nonsense) in cases {
        let policy = loaded(Guest::judging(&stores(&words)));
        assert_eq!(case.failure(&policy), PolicyFailure::Nonsense(nonsense), "{name}");
    }
    for words in [edit(0, 0, 1), edit(0, 1, 3), edit(1, 0, 6), vec![(440, 500), (444, 2)]] {
        let policy = loaded(Guest::judging(&stores(&words)));
        assert!(case.judged(&policy).outcome.is_ok(), "{words:?}");
    }
}

#[test]
fn answers_are_capped_before_the_host_allocates() {
    let grown =
        |rest: &str| Guest::judging(&format!("(drop (memory.grow (i32.const 900))) {rest}"));
    let cases = [
        ("a billion edits", Guest::judging(&stores(&[(424, 0), (428, 1_000_000_000)]))),
        ("a code of 1 GB", Guest::judging(&stores(&[(440, 0), (444, 1 << 30)]))),
        ("a million edits", grown(&stores(&[(424, 131_072), (428, 1_000_000)]))),
        ("a code of 50 MB", grown(&stores(&[(440, 131_072), (444, 50_000_000)]))),
        ("an error of 50 MB", grown(&stores(&[(400, 1), (404, 131_072), (408, 50_000_000)]))),
    ];
    for (name, guest) in cases {
        let failure = fails(guest);
        assert!(
            matches!(failure, PolicyFailure::Nonsense(_) | PolicyFailure::Trap),
            "{name}: {failure:?}"
        );
    }
}

#[test]
fn lists_and_strings_within_the_answer_are_capped() {
    let many_labels = stores(&[(432, 8_192), (436, Limits::NAMES as i64 + 1)]);
    let long_code = stores(&[(440, 8_192), (444, Limits::STRING_BYTES as i64 + 1)]);
    let long_text = {
        let mut words = edit(0, 0, 1);
        words.extend([(620, 1), (624, 8_192), (628, Limits::STRING_BYTES as i64 + 1)]);
        stores(&words)
    };
    for judge in [many_labels, long_code, long_text] {
        let failure = fails(Guest::judging(&judge));
        assert_eq!(failure, PolicyFailure::Nonsense(Nonsense::TooMuch));
    }
    let mut entry = entry();
    entry.limits.edits = 0;
    let policy = SANDBOX.load(&entry, &Guest::judging(&stores(&edit(0, 0, 1))).build()).unwrap();
    let failure = Case::of(&["hello"]).failure(&Arc::new(policy));
    assert_eq!(failure, PolicyFailure::Nonsense(Nonsense::TooMuch));
}

#[test]
fn more_findings_than_the_limit_fail_the_policy() {
    let mut case = Case::of(&["hello"]);
    case.findings = (0..2)
        .map(|start| ringfence_fence::Finding {
            segment: ringfence_chat::SegmentId(0),
            start,
            end: start + 1,
            entity: "EMAIL".into(),
            score: 1.0,
        })
        .collect();
    let mut entry = entry();
    for (findings, fails) in [(2, false), (1, true)] {
        entry.limits.findings = findings;
        let policy = Arc::new(SANDBOX.load(&entry, &Guest::default().build()).unwrap());
        assert_eq!(case.judged(&policy).outcome.is_err(), fails);
    }
    // What it is not granted it is not burdened with.
    entry.grants.findings = Entities::Only(vec!["IBAN".to_owned()]);
    let policy = Arc::new(SANDBOX.load(&entry, &Guest::default().build()).unwrap());
    assert!(case.judged(&policy).outcome.is_ok());
}

#[test]
fn nothing_is_kept_from_one_request_to_the_next() {
    // The second request of the same instance would fail.
    let judge = "(if (global.get $used) (then unreachable)) (global.set $used (i32.const 1)) (if (i32.load8_u (i32.const 3000)) (then unreachable)) (i32.store8 (i32.const 3000) (i32.const 1)) (i32.const 400)";
    let policy = loaded(Guest::judging(judge).with("(global $used (mut i32) (i32.const 0))"));
    let case = Case::of(&["hello"]);
    for _ in 0..600 {
        assert!(case.judged(&policy).outcome.is_ok());
    }
}

#[test]
fn a_policy_that_fails_does_not_poison_the_pool() {
    let bad = loaded(Guest::judging("unreachable"));
    let good = loaded(Guest::default());
    let case = Case::of(&["hello"]);
    for _ in 0..600 {
        assert_eq!(case.failure(&bad), PolicyFailure::Trap);
    }
    assert!(case.judged(&good).outcome.is_ok());
}
