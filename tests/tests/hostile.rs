//! Hostile policies. Every case asserts five things: the typed failure, a bound on time,
//! a bound on memory, that nothing went upstream beyond what the chain permits, and that
//! a neighbouring request, running at the same time, succeeds.

use std::time::{Duration, Instant};

use ringfence_tests::client::{ask, ask_streamed};
use ringfence_tests::{Configuration, Gateway, Policy, Upstream, books, guests, ringfence};
use serde_json::json;

/// How long a request may take while a policy misbehaves: the default deadline and what
/// two busy cores add.
const WITHIN: Duration = Duration::from_secs(5);
/// How much the process may grow over a crowd of such requests.
const GROWTH: u64 = 256 << 20;

/// What the guest does in `judge`, and the failure that the ledger records.
const BEHAVIOURS: [(&str, &[&str]); 20] = [
    ("loop", &["deadline"]),
    ("trap", &["trap"]),
    ("panic", &["trap"]),
    ("error", &["error"]),
    // Filling so much takes a slow machine longer than the deadline.
    ("memory-bomb", &["memory", "deadline"]),
    ("stack-overflow", &["trap"]),
    ("span-out-of-range", &["nonsense: span"]),
    ("span-inverted", &["nonsense: span"]),
    ("span-mid-character", &["nonsense: span"]),
    ("overlapping", &["nonsense: overlap"]),
    ("unknown-segment", &["nonsense: segment"]),
    ("unknown-target", &["nonsense: target"]),
    ("unknown-preference", &["nonsense: target"]),
    ("bad-entity", &["nonsense: entity"]),
    ("undeclared-code", &["nonsense: code"]),
    ("undeclared-label", &["nonsense: label"]),
    ("huge-edits", &["nonsense: contract", "nonsense: toomuch", "memory", "deadline"]),
    ("huge-labels", &["nonsense: contract", "nonsense: toomuch", "memory", "deadline"]),
    (
        "huge-code",
        &["nonsense: contract", "nonsense: toomuch", "nonsense: code", "memory", "deadline"],
    ),
    ("huge-error", &["nonsense: contract", "error", "nonsense: toomuch", "memory", "deadline"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_a_policy_does_wrong_is_its_own_failure_and_nobody_elses() {
    for (behaviour, failures) in BEHAVIOURS {
        let cloud = Upstream::echo().await;
        let inside = Upstream::echo().await;
        let configuration = Configuration::both(&cloud, &inside)
            .policy(Policy::hostile(behaviour).on_failure("confine-premises"));
        let gateway = Gateway::start(&configuration);
        let before = gateway.resident();
        // A crowd: each is the others' neighbour.
        let begun = Instant::now();
        let crowd: Vec<_> = (0..8)
            .map(|number| {
                let client = gateway.client().clone();
                let text = format!("Grüße {number}");
                tokio::spawn(async move {
                    let request = if number % 2 == 0 { ask(&text) } else { ask_streamed(&text) };
                    let begun = Instant::now();
                    (client.chat(&request).await, begun.elapsed())
                })
            })
            .collect();
        let neighbour = gateway.client().get("/v1/models").await;
        assert_eq!(neighbour.status, 200, "{behaviour}");
        for (number, task) in crowd.into_iter().enumerate() {
            let (answer, took) = task.await.expect("an answer");
            assert_eq!(answer.status, 200, "{behaviour}: {}", answer.text());
            assert_eq!(answer.target(), "inside", "{behaviour}");
            assert_eq!(answer.content(), format!("You wrote: Grüße {number}"), "{behaviour}");
            assert!(took < WITHIN, "{behaviour}: {took:?}");
            let decision = answer.header("x-ringfence-decision").expect("a decision").to_owned();
            let departure = books::of(&gateway.ledger(), "departure", &decision).remove(0);
            let failure = departure["judgements"][0]["failure"].as_str().unwrap_or("none");
            assert!(failures.contains(&failure), "{behaviour}: {departure}");
        }
        assert!(begun.elapsed() < WITHIN * 2, "{behaviour}: {:?}", begun.elapsed());
        let growth = gateway.resident().saturating_sub(before);
        assert!(growth < GROWTH, "{behaviour}: grew by {growth}");
        cloud.assert_untouched();
        let metrics = gateway.metrics().await;
        // On a busy machine some of a crowd may fail in another of the ways.
        let failed = metrics.lines().filter(|line| line.starts_with("ringfence_policy_failures_"));
        let counts = failed.filter_map(|line| line.rsplit(' ').next()?.parse::<u32>().ok());
        assert_eq!(counts.sum::<u32>(), 8, "{behaviour}:\n{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_denies_sends_nothing_anywhere() {
    for (behaviour, _) in BEHAVIOURS {
        let cloud = Upstream::echo().await;
        let inside = Upstream::echo().await;
        let configuration = Configuration::both(&cloud, &inside)
            .policy(Policy::hostile(behaviour).on_failure("deny"));
        let gateway = Gateway::start(&configuration);
        let answer = gateway.chat(&ask("Grüße an alle")).await;
        assert_eq!(answer.status, 403, "{behaviour}: {}", answer.text());
        assert_eq!(answer.error()["code"], "policy_failed", "{behaviour}");
        assert_eq!(answer.header("x-should-retry"), Some("false"), "{behaviour}");
        assert!(!answer.text().contains("Grüße"), "{behaviour}: {}", answer.text());
        cloud.assert_untouched();
        inside.assert_untouched();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_state_goes_from_one_request_to_the_next() {
    // This guest counts its calls in a global and refuses the second one.
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(Policy::hostile("remember")));
    for _ in 0..20 {
        let answer = gateway.chat(&ask("hello")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_log_lines_is_capped_and_escaped() {
    let cloud = Upstream::echo().await;
    let grants = json!({"grants": ["text", "findings", "caller", "log"]});
    let configuration = Configuration::cloud(&cloud)
        .policy(Policy::guest("chatty", json!({})).with(grants))
        .at_trace_level();
    let gateway = Gateway::start(&configuration);
    let before = gateway.output().len();
    let begun = Instant::now();
    let answer = gateway.chat(&ask("hello")).await;
    assert!([200, 403].contains(&answer.status), "{}", answer.text());
    assert!(begun.elapsed() < WITHIN, "{:?}", begun.elapsed());
    let said = gateway.output().split_off(before);
    assert!(said.len() < 1 << 20, "{} bytes of log for one request", said.len());
    assert!(!said.contains("\u{1b}[31m"), "colours of the guest are in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_policy_is_refused_by_name_before_the_port_is_bound() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    };
    let good = guests::bytes("tagged");
    let core = b"\0asm\x01\0\0\0";
    // file, words of the refusal
    let cases = [
        (file("truncated.wasm", &good[..good.len() / 2]), vec!["damaged"]),
        (file("empty.wasm", b""), vec![]),
        (file("core.wasm", core), vec!["component"]),
        (file("text.wasm", b"hello"), vec![]),
        (file("elf.wasm", &std::fs::read("/bin/true").expect("a program")), vec![]),
        (guests::path("wrong-version"), vec!["0.1.0"]),
        (guests::path("ungranted"), vec!["wasi"]),
    ];
    let cloud = Upstream::echo().await;
    for (path, words) in cases {
        let configuration = Configuration::cloud(&cloud).policy(Policy::file("bad", &path));
        let refused = Gateway::try_start(&configuration).err();
        let refused = refused.unwrap_or_else(|| panic!("{} was loaded", path.display()));
        assert!(refused.code > 0, "{}: {}", path.display(), refused.output);
        for word in words.iter().chain(&["bad"]) {
            assert!(refused.output.contains(word), "{}: {}", path.display(), refused.output);
        }
        assert!(!refused.output.contains("panicked"), "{}", refused.output);
        let path = path.to_str().expect("a path");
        let inspected = ringfence(&["policy", "inspect", path]);
        assert!(!inspected.output().contains("panicked"), "{}", inspected.output());
    }
    cloud.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_while_it_is_configured_is_not_loaded() {
    let cloud = Upstream::echo().await;
    for behaviour in ["configure-loop", "configure-trap", "configure-error"] {
        let begun = Instant::now();
        let configuration = Configuration::cloud(&cloud).policy(Policy::hostile(behaviour));
        let refused = Gateway::try_start(&configuration).err();
        let refused = refused.unwrap_or_else(|| panic!("{behaviour} was loaded"));
        assert!(refused.output.contains("hostile"), "{behaviour}: {}", refused.output);
        assert!(begun.elapsed() < Duration::from_secs(20), "{behaviour}: {:?}", begun.elapsed());
    }
    cloud.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_would_break_a_header_are_refused() {
    let cloud = Upstream::echo().await;
    for target in [
        ringfence_tests::Target::cloud("clo\r\nud: x", &cloud),
        ringfence_tests::Target::cloud("cloud", &cloud).with(json!({"models": ["a\r\nb"]})),
        ringfence_tests::Target::cloud("cloud", &cloud)
            .with(json!({"headers": {"x": "a\r\nb: c"}})),
        ringfence_tests::Target::cloud("cloud", &cloud).with(json!({"headers": {"a\r\nb": "c"}})),
    ] {
        let what = format!("{target:?}");
        let refused = Gateway::try_start(&Configuration::new().target(target)).err();
        assert!(refused.is_some_and(|refused| refused.code > 0), "{what}");
    }
}
