//! The ledger: written before anything leaves, and any change of it shows.

use std::time::{Duration, SystemTime};

use ringfence_tests::client::{ask, ask_streamed};
use ringfence_tests::{Configuration, Gateway, Policy, Upstream, books, ringfence};
use serde_json::json;

/// A ledger with a few requests in it, and the digest of its head.
async fn ledger() -> (Gateway, String) {
    let cloud = Upstream::echo().await;
    let mut gateway = Gateway::start(&Configuration::cloud(&cloud));
    for number in 0..5 {
        let answer = gateway.chat(&ask(&format!("request {number}"))).await;
        let decision = answer.header("x-ringfence-decision").expect("a decision").to_owned();
        books::outcome(&gateway.ledger(), &decision).await;
    }
    let health = gateway.health().await;
    let head = health["ledger"]["head"].as_str().expect("a head").to_owned();
    let metrics = gateway.metrics().await;
    assert!(metrics.contains(&head), "the head is not in the metrics:\n{metrics}");
    tokio::task::block_in_place(|| gateway.stop());
    (gateway, head)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_departure_is_in_the_ledger_before_the_upstream_hears_of_it() {
    let cloud = Upstream::echo().await;
    let configuration = Configuration::cloud(&cloud).ledger("durability = \"synced\"");
    let gateway = Gateway::start(&configuration);
    for request in [ask("hello"), ask_streamed("hello")] {
        let answer = gateway.chat(&request).await;
        let decision = answer.header("x-ringfence-decision").expect("a decision").to_owned();
        let departure = books::of(&gateway.ledger(), "departure", &decision).remove(0);
        let written = departure["time"].as_str().expect("a time");
        let reached = cloud.last().at_wall;
        assert!(milliseconds(written) <= since_epoch(reached), "{written} and {reached:?}");
        let length = departure["bytes"]["length"].as_u64();
        assert_eq!(length, Some(cloud.last().body.len() as u64), "{departure}");
        assert_eq!(departure["target"], "cloud");
        assert_eq!(departure["zone"], "cloud");
        assert_eq!(departure["model"], "stand-in-1");
        assert_eq!(departure["asked"], "auto");
        let outcome = books::outcome(&gateway.ledger(), &decision).await;
        assert_eq!(outcome["ended"], "complete");
        assert_eq!(outcome["usage"]["output"], 7);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_accepts_what_was_written_and_nothing_else() {
    let (gateway, head) = ledger().await;
    let path = gateway.ledger();
    let whole = std::fs::read_to_string(&path).expect("a ledger");
    let verify = |text: &str| {
        let copy = gateway.folder().join("copy.jsonl");
        std::fs::write(&copy, text).expect("a file");
        let copy = copy.to_str().expect("a path").to_owned();
        (
            ringfence(&["ledger", "verify", &copy]),
            ringfence(&["ledger", "verify", &copy, "--head", &head]),
        )
    };
    let (without, with) = verify(&whole);
    assert!(without.succeeded().stdout.contains(&head));
    with.succeeded();

    let lines: Vec<&str> = whole.lines().collect();
    assert!(lines.len() >= 10, "{whole}");
    let join = |lines: &[&str]| format!("{}\n", lines.join("\n"));

    let departure = lines.iter().position(|line| line.contains("departure")).expect("one");
    let edited = lines[departure].replace("\"target\":\"cloud\"", "\"target\":\"local\"");
    let mut changed = lines.clone();
    changed[departure] = &edited;
    assert_ne!(changed, lines);
    let (without, with) = verify(&join(&changed));
    without.failed_with(&[&format!("line {}", departure + 1), "changed"]);
    with.failed_with(&["changed"]);

    let mut deleted = lines.clone();
    deleted.remove(departure);
    verify(&join(&deleted)).0.failed_with(&["missing"]);

    let mut swapped = lines.clone();
    swapped.swap(departure, departure + 1);
    assert!(verify(&join(&swapped)).0.code > 0, "swapped lines");

    let mut repeated = lines.clone();
    repeated.insert(departure, lines[departure]);
    assert!(verify(&join(&repeated)).0.code > 0, "a repeated line");

    // A cut tail shows only to who knows the head.
    let cut = join(&lines[..lines.len() - 2]);
    let (without, with) = verify(&cut);
    without.succeeded();
    with.failed_with(&["head"]);
    verify(&whole[..whole.len() - 10]).0.failed_with(&["torn"]);
    verify("").1.failed_with(&["head"]);

    let last = lines.len() - 1;
    let edited = lines[last].replace("complete", "cancelled");
    let mut changed = lines.clone();
    changed[last] = &edited;
    assert_ne!(changed, lines);
    verify(&join(&changed)).1.failed_with(&["head"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_cannot_be_written_sends_nothing() {
    let cloud = Upstream::echo().await;
    // Every write to this device fails, as on a full disk.
    let gateway = Gateway::try_start(&Configuration::cloud(&cloud).ledger_file("/dev/full"));
    if let Ok(gateway) = gateway {
        for request in [ask("hello"), ask_streamed("hello")] {
            let answer = gateway.chat(&request).await;
            assert_eq!(answer.status, 503, "{}", answer.text());
            assert_eq!(answer.error()["code"], "ledger_unavailable");
        }
        let ready = gateway.client().get("/readyz").await;
        assert_eq!(ready.status, 503, "{}", ready.text());
    }
    cloud.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_where_the_ledger_ended() {
    let (gateway, head) = ledger().await;
    let path = gateway.ledger();
    // A torn last line, as a power cut leaves it.
    let mut text = std::fs::read_to_string(&path).expect("a ledger");
    let records = text.lines().count();
    text.push_str("{\"seq\":999,\"time\":\"20");
    std::fs::write(&path, &text).expect("a file");
    let mut gateway = gateway.restart().unwrap_or_else(|refused| panic!("{}", refused.output));
    tokio::task::block_in_place(|| gateway.stop());
    let path = path.to_str().expect("a path");
    ringfence(&["ledger", "verify", path, "--head", &head]).succeeded();
    assert!(books::records(std::path::Path::new(path)).len() > records);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_ledger_is_not_written_on() {
    let (gateway, _) = ledger().await;
    let path = gateway.ledger();
    let text = std::fs::read_to_string(&path).expect("a ledger");
    let lines: Vec<&str> = text.lines().collect();
    let without_one: Vec<&str> = lines
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != lines.len() - 2)
        .map(|(_, l)| *l)
        .collect();
    std::fs::write(&path, format!("{}\n", without_one.join("\n"))).expect("a file");
    let refused = gateway.restart().err().expect("a gateway that does not start");
    assert!(refused.output.contains("ledger"), "{}", refused.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_and_what_it_loosens_are_in_the_books() {
    let cloud = Upstream::echo().await;
    let strict = Configuration::cloud(&cloud).policy(Policy::embedded("redact-pii"));
    let gateway = Gateway::start(&strict);
    let before = gateway.chain().await;
    let lax = Policy::embedded("redact-pii").config(json!({"default": "ignore"}));
    gateway.reconfigure(&Configuration::cloud(&cloud).policy(lax));
    let before = gateway.wait_for_another_chain(&before, Duration::from_secs(10)).await;
    gateway.reconfigure(&Configuration::cloud(&cloud));
    gateway.wait_for_another_chain(&before, Duration::from_secs(10)).await;
    let records = books::records(&gateway.ledger());
    let chains: Vec<_> = records.iter().filter(|record| record["kind"] == "chain").collect();
    assert_eq!(records[0]["kind"], "start");
    assert_eq!(chains.len(), 3, "{records:#?}");
    assert_eq!(chains[0]["policies"][0]["name"], "redact-pii");
    let loosened = chains[1]["loosens"].to_string();
    assert!(loosened.contains("configured, granted or limited otherwise"), "{loosened}");
    assert_eq!(chains[2]["policies"], json!([]));
    assert_ne!(chains[2]["loosens"], json!([]), "{}", chains[2]);
}

fn since_epoch(time: SystemTime) -> u128 {
    time.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis()
}

/// Milliseconds since 1970 of an RFC 3339 time in UTC.
fn milliseconds(time: &str) -> u128 {
    let number = |range: std::ops::Range<usize>| time[range].parse::<i64>().expect("digits");
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    // Days of the civil calendar, years beginning in March.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let seconds =
        (days - 719_468) * 86_400 + number(11..13) * 3600 + number(14..16) * 60 + number(17..19);
    let fraction: String = time[19..]
        .chars()
        .skip(1)
        .take_while(char::is_ascii_digit)
        .chain("000".chars())
        .take(3)
        .collect();
    (seconds * 1000) as u128 + fraction.parse::<u128>().expect("digits")
}
