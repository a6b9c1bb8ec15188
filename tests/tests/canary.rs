//! A unique string in prompts, in what policies say and in what upstreams say is found
//! in no log, metric, error or record.

use std::time::Duration;

use ringfence_tests::client::{ask, ask_streamed};
use ringfence_tests::upstream::openai;
use ringfence_tests::{Configuration, Gateway, Play, Policy, Target, Upstream};
use serde_json::{Value, json};

/// In every prompt.
const PROMPT: &str = "canary-7f3a9c-prompt";
/// In every text that an upstream fails with.
const UPSTREAM: &str = "canary-51be04-upstream";
/// In keys.
const KEY: &str = "canary-c0ffee-key";

/// Requests that take every way through the gateway.
fn requests() -> Vec<Value> {
    let mut requests = Vec::new();
    for text in
        ["hello", "FAIL", "CUT", "ERROR", "GARBAGE", "SECRET -----BEGIN RSA PRIVATE KEY-----"]
    {
        requests.push(ask(&format!("{text} {PROMPT} me@{PROMPT}.example")));
        requests.push(ask_streamed(&format!("{text} {PROMPT} me@{PROMPT}.example")));
    }
    let with = |key: &str, value: Value| {
        let mut request = ask(PROMPT);
        request[key] = value;
        request
    };
    requests.push(with("model", json!(PROMPT)));
    requests.push(with("messages", json!([{"role": PROMPT, "content": PROMPT}])));
    requests.push(with("messages", json!([{"role": "user", "content": [{"type": PROMPT}]}])));
    requests.push(with("temperature", json!(PROMPT)));
    requests.push(with(PROMPT, json!({PROMPT: PROMPT})));
    requests.push(with("n", json!(2)));
    requests
}

fn script(received: &ringfence_tests::Received) -> Play {
    let text = openai::last_user_text(received);
    let body = format!(
        "{{\"error\":{{\"message\":\"{UPSTREAM} {PROMPT} {KEY}\",\"code\":\"{UPSTREAM}\"}}}}"
    );
    let begun = || Play::stream().send(openai::first()).send(openai::piece("half"));
    match text.split(' ').next().unwrap_or("") {
        "FAIL" => Play::whole(500, &[("x-canary", UPSTREAM)], body),
        "CUT" => begun().cut(),
        "ERROR" => begun().send(format!("data: {body}\n\n")).end(),
        "GARBAGE" => Play::whole(200, &[("content-type", "application/json")], UPSTREAM),
        _ => openai::echo(received),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_metric_error_or_record_holds_what_was_said() {
    // Policies that say what they read, in every way they have.
    let chains: [Vec<Policy>; 5] = [
        vec![Policy::embedded("redact-pii"), Policy::embedded("keep-sensitive-local")],
        vec![Policy::hostile("error").on_failure("confine-premises")],
        vec![Policy::hostile("panic").on_failure("confine-premises")],
        vec![Policy::hostile("undeclared-code").on_failure("confine-premises")],
        vec![
            Policy::guest("chatty", json!({}))
                .with(json!({"grants": ["text", "findings", "caller", "log"]}))
                .on_failure("confine-premises"),
        ],
    ];
    for chain in chains {
        let what = format!("{chain:?}");
        let cloud = Upstream::start(script).await;
        let inside = Upstream::start(script).await;
        let key = json!({"key_env": "CLOUD_KEY"});
        let mut configuration = Configuration::new()
            .target(Target::cloud("cloud", &cloud).with(key.clone()))
            .target(Target::premises("inside", &inside).with(key))
            .variable("CLOUD_KEY", KEY)
            .caller("one", "clinic", &format!("rf-{KEY}"))
            .at_trace_level();
        for policy in chain {
            configuration = configuration.policy(policy);
        }
        let gateway = Gateway::start(&configuration);
        let client = gateway
            .client()
            .with_key(&format!("rf-{KEY}"))
            .with("x-openwebui-user-email", &format!("me@{PROMPT}.example"));
        for request in requests() {
            let answer = client.chat(&request).await;
            if answer.status >= 400 {
                for canary in [UPSTREAM, KEY] {
                    assert!(!answer.text().contains(canary), "{what}: {}", answer.text());
                }
                // A client's own model name may come back to it, and nothing else of its text.
                if request["model"] != PROMPT {
                    assert!(!answer.text().contains(PROMPT), "{what}: {}", answer.text());
                }
            } else if answer.is_stream() && !answer.is_done() {
                assert!(!answer.text().contains(UPSTREAM), "{what}: {}", answer.text());
            }
            let headers = format!("{:?}", answer.headers);
            assert!(!headers.contains("canary"), "{what}: {headers}");
        }
        client.with_key(&format!("rf-wrong-{KEY}")).chat(&ask(PROMPT)).await;
        gateway.client().get(&format!("/v1/models/{PROMPT}")).await;
        gateway.client().get(&format!("/{PROMPT}")).await;
        // What is no HTTP is logged, so that the log is not empty for want of a reason.
        let garbage = format!("{PROMPT}\r\n{KEY}\r\n\r\n");
        gateway.client().raw(garbage.as_bytes(), Duration::from_secs(2)).await;

        let ledger = std::fs::read_to_string(gateway.ledger()).expect("a ledger");
        assert!(ledger.lines().count() > 10, "{what}: nothing happened");
        let health = gateway.client().get("/healthz").await.text();
        let loud = gateway.wait_for_output("DEBUG", Duration::from_secs(5)).await;
        let log = gateway.output();
        assert!(loud, "{what}: not at trace level:\n{log}");
        for (place, text) in [
            ("log", log),
            ("metrics", gateway.metrics().await),
            ("ledger", ledger),
            ("health", health),
        ] {
            for canary in [PROMPT, UPSTREAM, KEY] {
                let line = text.lines().find(|line| line.contains(canary));
                assert_eq!(line, None, "{what}: {canary} is in the {place}");
            }
        }
    }
}
