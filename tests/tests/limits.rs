//! Limits: requests, tokens, dollars and requests at once, for keys, tenants and models.

use std::time::Duration;

use ringfence_tests::client::{Answer, Client, ask, ask_streamed};
use ringfence_tests::{Configuration, Gateway, Play, Policy, Target, Upstream, ringfence_in};
use serde_json::json;
use tempfile::TempDir;

const KEY: &str = "rf-clinic";
const OTHER: &str = "rf-bank";

/// A cloud whose tokens cost a dollar each million in, and a thousand out.
fn dear(cloud: &Upstream) -> Target {
    Target::cloud("cloud", cloud)
        .with(json!({"input_price_per_million": 1.0, "output_price_per_million": 1000.0}))
}

fn limited(target: Target, limits: &str) -> Configuration {
    let configuration = Configuration::new().target(target);
    let configuration = configuration.caller("clinic-app", "clinic", KEY);
    configuration.caller("bank-app", "bank", OTHER).section(limits)
}

fn as_caller(gateway: &Gateway, key: &str) -> Client {
    gateway.client().with_key(key)
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.header(name).unwrap_or_else(|| panic!("no {name}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_and_clients_are_told() {
    let cloud = Upstream::echo().await;
    let limits = "[[limits]]\nname = \"calls\"\nwindow = \"hour\"\nrequests = 2\n";
    let gateway = Gateway::start(&limited(Target::cloud("cloud", &cloud), limits));
    let clinic = as_caller(&gateway, KEY);
    for (request, left) in [(ask("one"), "1"), (ask_streamed("two"), "0")] {
        let answer = clinic.chat(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(header(&answer, "x-ratelimit-limit-requests"), "2");
        assert_eq!(header(&answer, "x-ratelimit-remaining-requests"), left);
        assert!(header(&answer, "x-ratelimit-reset-requests").ends_with('s'));
    }
    let refused = clinic.chat(&ask("three")).await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert!(refused.text().contains("rate_limit_exceeded"), "{}", refused.text());
    assert!(refused.text().contains("`calls`"), "{}", refused.text());
    let wait: u64 = header(&refused, "retry-after").parse().expect("seconds");
    assert!((1..=3600).contains(&wait), "{wait}");
    assert_eq!(cloud.count(), 2);
    // Another tenant has a count of its own.
    assert_eq!(as_caller(&gateway, OTHER).chat(&ask("four")).await.status, 200);
    let metrics = gateway.metrics().await;
    assert!(metrics.contains("limited_total{limit=\"calls\",counted=\"requests\"} 1"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_were_used_count_and_what_was_reserved_comes_back() {
    let cloud = Upstream::echo().await;
    let limits = "[[limits]]\nname = \"words\"\nwindow = \"hour\"\noutput_tokens = 1500\n";
    let gateway = Gateway::start(&limited(Target::cloud("cloud", &cloud), limits));
    let clinic = as_caller(&gateway, KEY);
    // Each reserves 1,024 and uses a few.
    for _ in 0..4 {
        assert_eq!(clinic.chat(&ask("hello")).await.status, 200);
    }
    let mut much = ask("hello");
    much["max_tokens"] = json!(1501);
    let refused = clinic.chat(&much).await;
    assert_eq!(refused.status, 429);
    assert!(refused.text().contains("alone is more"), "{}", refused.text());
    assert_eq!(header(&refused, "x-should-retry"), "false");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_is_spent_leaves_what_costs_nothing() {
    let (cloud, spare) = (Upstream::echo().await, Upstream::echo().await);
    let limits = "[[limits]]\nname = \"money\"\nwindow = \"month\"\ndollars = 0.5\n";
    let configuration = limited(dear(&cloud), limits);
    let gateway = Gateway::start(&configuration.target(Target::cloud("spare", &spare)));
    let clinic = as_caller(&gateway, KEY);
    // 0.3 dollars are reserved, and a little is used.
    let mut modest = ask("hello");
    modest["max_tokens"] = json!(300);
    let answer = clinic.chat(&modest).await;
    assert_eq!(header(&answer, "x-ringfence-target"), "cloud");
    // More than is left: the cloud is no choice, and what costs nothing is.
    let mut much = ask("hello");
    much["max_tokens"] = json!(600);
    let answer = clinic.chat(&much).await;
    assert_eq!((answer.status, header(&answer, "x-ringfence-target")), (200, "spare"));
    assert_eq!((cloud.count(), spare.count()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_target_that_it_covers_a_budget_refuses() {
    let cloud = Upstream::echo().await;
    let limits = "[[limits]]\nname = \"money\"\nwindow = \"month\"\ndollars = 0.5\n";
    let gateway = Gateway::start(&limited(dear(&cloud), limits));
    let mut much = ask("hello");
    much["max_tokens"] = json!(600);
    let refused = as_caller(&gateway, KEY).chat(&much).await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert!(refused.text().contains("insufficient_quota"), "{}", refused.text());
    assert_eq!(header(&refused, "x-should-retry"), "false");
    cloud.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_see_what_is_left_of_a_budget() {
    let limit = "[[limits]]\nname = \"money\"\nwindow = \"month\"\ndollars = 0.5\n";
    for (limits, statuses) in [(limit, [200, 403]), ("", [200, 200])] {
        let cloud = Upstream::echo().await;
        let policy = Policy::guest("tagged", json!({"at_least": 0.499}));
        let gateway = Gateway::start(&limited(dear(&cloud), limits).policy(policy));
        let mut modest = ask("hello");
        modest["max_tokens"] = json!(100);
        for status in statuses {
            // It uses 0.007 dollars.
            let answer = as_caller(&gateway, KEY).chat(&modest).await;
            assert_eq!(answer.status, status, "{}", answer.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_under_way_count_and_one_that_is_left_gives_its_place_back() {
    let cloud = Upstream::start(|_| Play::silence()).await;
    let limits = "[[limits]]\nname = \"streams\"\nconcurrent = 1\n";
    let gateway = Gateway::start(&limited(Target::cloud("cloud", &cloud), limits));
    let clinic = as_caller(&gateway, KEY);
    let first = tokio::spawn({
        let clinic = clinic.clone();
        async move { clinic.chat(&ask_streamed("one")).await }
    });
    assert!(cloud.wait_until_asked(1, Duration::from_secs(10)).await);
    let refused = clinic.chat(&ask("two")).await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert!(refused.text().contains("concurrent"), "{}", refused.text());
    first.abort();
    assert!(cloud.wait_until_left(1, Duration::from_secs(10)).await);
    let second = tokio::spawn(async move { clinic.chat(&ask_streamed("three")).await });
    assert!(cloud.wait_until_asked(2, Duration::from_secs(10)).await);
    second.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_forgets_nothing() {
    let cloud = Upstream::echo().await;
    let limits = "[[limits]]\nname = \"calls\"\nwindow = \"month\"\nrequests = 2\n";
    let gateway = Gateway::start(&limited(Target::cloud("cloud", &cloud), limits));
    assert_eq!(as_caller(&gateway, KEY).chat(&ask("one")).await.status, 200);
    let gateway = gateway.restart().expect("a gateway");
    assert_eq!(as_caller(&gateway, KEY).chat(&ask("two")).await.status, 200);
    assert_eq!(as_caller(&gateway, KEY).chat(&ask("three")).await.status, 429);
}

#[test]
fn bad_limits_are_told_before_the_port_is_bound() {
    let folder = TempDir::new().expect("a folder");
    let checked = |limits: &str| {
        let text = format!(
            "state = \"state\"\n[[targets]]\nname = \"a\"\nkind = \"openai\"\n\
             zone = \"premises\"\nbase_url = \"http://127.0.0.1:9/v1\"\nmodels = [\"m\"]\n\
             [[limits]]\n{limits}\n"
        );
        std::fs::write(folder.path().join("ringfence.toml"), text).expect("a file");
        ringfence_in(folder.path(), &[], &["check", "--config", "ringfence.toml"])
    };
    checked("name = \"l\"\nrequests = 1").succeeded();
    for (limits, says) in [
        ("requests = 1", "a limit has no name"),
        ("name = \"l\"", "limits nothing"),
        ("name = \"l\"\nrequests = 0", "requests is 0"),
        ("name = \"l\"\ndollars = -1.0", "dollars is -1"),
        ("name = \"l\"\nrequests = 1\nwindow = \"year\"", "window is \"year\""),
        ("name = \"l\"\nrequests = 1\neach = \"user\"", "each is \"user\""),
        ("name = \"l\"\nrequests = 1\ntenants = [\"nobody\"]", "no tenant \"nobody\""),
        ("name = \"l\"\nrequests = 1\nkeys = [\"nobody\"]", "no caller \"nobody\""),
        ("name = \"l\"\nrequest = 1", "request"),
        ("name = \"l\"\nrequests = 1\n[[limits]]\nname = \"l\"\nrequests = 1", "two limits"),
    ] {
        let refused = checked(limits);
        assert!(refused.stderr.contains(says), "{says}: {}", refused.output());
    }
}
