//! Policies that inspect answers: what the client reads is what they let go, whole and
//! streamed, and nothing of what they kept.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use ringfence_tests::client::{Answer, ask, ask_streamed};
use ringfence_tests::upstream::openai;
use ringfence_tests::{Configuration, Gateway, Play, Policy, Upstream, books, guests};
use serde_json::{Value, json};

const EVE: &str = "eve.adams@example.net";
/// A word of a real key's form.
const KEY: &str = "AKIAQ3EGRZ5T7YHWPL2M";

fn redacting() -> Policy {
    Policy::embedded("redact-answers").with(json!({"grants": ["findings", "text"]}))
}

fn responding() -> Policy {
    Policy::guest("responding", json!({})).with(json!({"grants": ["text"]}))
}

/// An upstream that says these pieces, whole or streamed.
async fn saying(pieces: Vec<String>) -> Upstream {
    Upstream::start(move |received| match openai::is_streamed(received) {
        true => {
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            Play::stream().send(openai::stream(pieces)).end()
        }
        false => Play::json(&openai::whole(&pieces.concat())),
    })
    .await
}

/// What comes of a whole answer, or a streamed one, in these pieces behind these policies.
async fn inspected_in(
    pieces: Vec<String>,
    streamed: bool,
    policies: &[Policy],
) -> (Gateway, Answer) {
    let cloud = saying(pieces).await;
    let mut configuration = Configuration::cloud(&cloud);
    for policy in policies {
        configuration = configuration.policy(policy.clone());
    }
    let gateway = Gateway::start(&configuration);
    let request = if streamed { ask_streamed("hello") } else { ask("hello") };
    let answer = gateway.chat(&request).await;
    (gateway, answer)
}

/// What comes of `text` behind these policies: whole, then streamed in pieces of one
/// character, of seven, and of all.
async fn inspected(text: &str, policies: &[Policy]) -> Vec<(Gateway, Answer)> {
    let mut answers = Vec::new();
    for (streamed, characters) in [(false, 1), (true, 1), (true, 7), (true, usize::MAX)] {
        let pieces = openai::pieces(text, characters);
        answers.push(inspected_in(pieces, streamed, policies).await);
    }
    answers
}

async fn outcome(gateway: &Gateway, answer: &Answer) -> Value {
    let decision = answer.header("x-ringfence-decision").expect("a decision");
    books::outcome(&gateway.ledger(), decision).await
}

fn finish_reason(answer: &Answer) -> Value {
    if answer.is_stream() {
        let chunks = answer.chunks();
        let mut reasons = chunks.iter().map(|chunk| &chunk["choices"][0]["finish_reason"]);
        return reasons.rfind(|reason| !reason.is_null()).cloned().unwrap_or_default();
    }
    answer.json()["choices"][0]["finish_reason"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_model_says_of_its_own_is_hidden() {
    let text = format!("Write to {EVE} or to the office, and then wait. It is open.");
    for (gateway, answer) in inspected(&text, &[redacting()]).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let expected = "Write to [EMAIL] or to the office, and then wait. It is open.";
        assert_eq!(answer.content(), expected, "{}", answer.text());
        assert!(!answer.text().contains("eve.adams"), "{}", answer.text());
        assert_eq!(finish_reason(&answer), "stop");
        let outcome = outcome(&gateway, &answer).await;
        assert_eq!(outcome["ended"], "complete", "{outcome}");
        assert_eq!(outcome["inspected"][0]["policy"], "redact-answers", "{outcome}");
        assert_eq!(outcome["inspected"][0]["cuts"], 1, "{outcome}");
        let metrics = gateway.metrics().await;
        assert!(metrics.contains("answer_cuts_total{policy=\"redact-answers\"} 1"), "{metrics}");
    }
}

/// The tail that the host holds is longer than any beginning of these.
#[tokio::test(flavor = "multi_thread")]
async fn values_of_any_length_are_hidden_wherever_they_are_split() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n".repeat(30);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----");
    let filler = "It goes on and on about nothing in particular. ".repeat(20);
    let text = format!("{filler}{EVE}. {filler}card 5425 2334 3010 9903, {filler}{pem}\n{filler}");
    for (_, answer) in inspected(&text, &[redacting()]).await {
        let read = answer.content();
        for secret in ["eve.adams", "9903", "MIIEvQ", "VJTUt9Us8cKj"] {
            assert!(!read.contains(secret), "{secret} in {read}");
        }
        assert!(read.ends_with(&filler), "{read}");
        assert_eq!(read.matches("[EMAIL]").count(), 1, "{read}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_the_clients_own_stays() {
    let cloud = Upstream::echo().await;
    let configuration = Configuration::cloud(&cloud)
        .policy(Policy::embedded("redact-pii"))
        .policy(redacting().with(json!({"grants": ["findings"]})));
    let gateway = Gateway::start(&configuration);
    let text = format!("I am {EVE}, at your service.");
    for request in [ask(&text), ask_streamed(&text)] {
        let answer = gateway.chat(&request).await;
        assert_eq!(answer.content(), format!("You wrote: {text}"), "{}", answer.text());
        cloud.assert_never_saw(EVE);
    }

    // What was never hidden is known by the grant `text` alone.
    for (grants, known) in [(json!(["findings", "text"]), true), (json!(["findings"]), false)] {
        let policy = redacting().with(json!({"grants": grants}));
        let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(policy));
        let answer = gateway.chat(&ask_streamed(&text)).await;
        assert_eq!(answer.content().contains(EVE), known, "{}", answer.text());
        assert_eq!(answer.content().contains("[EMAIL]"), !known, "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_a_policy_stops_reads_as_filtered() {
    let text = format!("{} The key is {KEY}, do not tell.", "All is well. ".repeat(30));
    let policy = redacting().config(json!({"actions": {"SECRET": "stop"}}));
    for (gateway, answer) in inspected(&text, &[policy]).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(finish_reason(&answer), "content_filter", "{}", answer.text());
        assert!(!answer.text().contains("AKIA"), "{}", answer.text());
        assert!(!answer.text().contains("do not tell"), "{}", answer.text());
        if answer.is_stream() {
            assert!(answer.is_done(), "{}", answer.text());
        }
        let outcome = outcome(&gateway, &answer).await;
        assert_eq!(outcome["ended"], "stopped", "{outcome}");
        assert_eq!(outcome["finish_reason"], "content_filter", "{outcome}");
        assert_eq!(outcome["inspected"][0]["stopped"], "answer_stopped", "{outcome}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_the_call() {
    let cloud = Upstream::start(|_| {
        let text = format!("The key is {KEY} {}", "and so on ".repeat(20));
        Play::stream().send(openai::first()).send(openai::piece(&text)).stall()
    })
    .await;
    let policy = redacting().config(json!({"default": "stop"}));
    let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(policy));
    let answer = gateway.chat(&ask_streamed("hello")).await;
    assert_eq!(finish_reason(&answer), "content_filter", "{}", answer.text());
    assert!(cloud.wait_until_left(1, Duration::from_secs(3)).await, "the call goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_of_tools_are_inspected() {
    let arguments = json!({"to": EVE, "subject": "hello", "body": "as said ".repeat(40)});
    let arguments = arguments.to_string();
    let cloud = {
        let arguments = arguments.clone();
        Upstream::start(move |received| match openai::is_streamed(received) {
            true => {
                let pieces = openai::pieces(&arguments, 3);
                let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
                Play::stream().send(openai::tool_stream("mail", pieces)).end()
            }
            false => Play::json(&openai::tool_call("mail", &arguments)),
        })
        .await
    };
    let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(redacting()));
    for request in [ask("mail her"), ask_streamed("mail her")] {
        let answer = gateway.chat(&request).await;
        assert_eq!(answer.arguments(), arguments.replace(EVE, "[EMAIL]"), "{}", answer.text());
        assert_eq!(finish_reason(&answer), "tool_calls", "{}", answer.text());
    }
}

/// The name of a tool is shown before it goes out, though its arguments are to come.
#[tokio::test(flavor = "multi_thread")]
async fn names_of_tools_are_inspected() {
    let cloud = Upstream::start(|received| match openai::is_streamed(received) {
        true => Play::stream().send(openai::tool_stream("forbidden", ["{}"])).end(),
        false => Play::json(&openai::tool_call("forbidden", "{}")),
    })
    .await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(responding()));
    for request in [ask("hello"), ask_streamed("hello")] {
        let answer = gateway.chat(&request).await;
        assert_eq!(finish_reason(&answer), "content_filter", "{}", answer.text());
        assert!(!answer.text().contains("forbidden"), "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_inspects_does_not_go_out() {
    let cloud = Upstream::start(|received| {
        let hidden = json!({"x_note": EVE, "citations": [{"text": EVE}]});
        if openai::is_streamed(received) {
            let mut delta = hidden.clone();
            delta["content"] = json!("fine");
            let event = openai::delta(delta, None);
            return Play::stream()
                .send(openai::first())
                .send(event)
                .send(openai::last("stop"))
                .end();
        }
        let mut whole = openai::whole("fine");
        whole["x_note"] = json!(EVE);
        whole["choices"][0]["logprobs"] = json!({"content": [{"token": EVE, "logprob": 0}]});
        whole["choices"][0]["message"]["annotations"] = hidden;
        Play::json(&whole)
    })
    .await;
    for (policy, passes) in [(redacting(), false), (redacting().monitored(), true)] {
        let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(policy));
        for request in [ask("hello"), ask_streamed("hello")] {
            let answer = gateway.chat(&request).await;
            assert_eq!(answer.content(), "fine", "{}", answer.text());
            assert_eq!(answer.text().contains("x_note"), passes, "{}", answer.text());
            assert!(passes || !answer.text().contains("eve.adams"), "{}", answer.text());
        }
    }
}

/// What the guest does when the answer has this word in it, and what the ledger calls it.
const FAILURES: [(&str, &str); 6] = [
    ("explode", "trap"),
    ("apologise", "error"),
    ("think", "deadline"),
    ("undeclared", "nonsense: code"),
    ("outside", "nonsense: span"),
    ("grab", "nonsense: toomuch"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_fails_on_an_answer_ends_it() {
    for (word, failure) in FAILURES {
        for streamed in [false, true] {
            let pieces = ["Once upon a time ", word, " and what follows is unseen."];
            let pieces = pieces.map(str::to_owned).to_vec();
            let (gateway, answer) = inspected_in(pieces, streamed, &[responding()]).await;
            let read = answer.text();
            assert!(!read.contains(word) && !read.contains("unseen"), "{word}: {read}");
            if answer.is_stream() {
                assert!(!answer.is_done() && finish_reason(&answer).is_null(), "{word}: {read}");
                assert!(read.contains("policy_failed"), "{word}: {read}");
            } else {
                assert_eq!(answer.status, 403, "{word}: {read}");
                assert_eq!(answer.error()["code"], "policy_failed", "{word}: {read}");
                assert_eq!(answer.header("x-should-retry"), Some("false"), "{word}");
            }
            let outcome = outcome(&gateway, &answer).await;
            assert_eq!(outcome["ended"], "withheld", "{word}: {outcome}");
            assert_eq!(outcome["inspected"][0]["failure"], failure, "{word}: {outcome}");
            let metrics = gateway.metrics().await;
            assert!(metrics.contains("policy_failures_total{policy=\"responding\""), "{metrics}");
            assert_eq!(gateway.health().await["status"], "ok", "{word}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_only_watches_changes_nothing() {
    let words = FAILURES.map(|(word, _)| word).into_iter().chain(["forbidden", "apple pie"]);
    for word in words {
        let text = format!("Once upon a time {word} and what follows.");
        for (gateway, answer) in inspected(&text, &[responding().monitored()]).await {
            assert_eq!(answer.content(), text, "{}", answer.text());
            assert_eq!(finish_reason(&answer), "stop");
            let outcome = outcome(&gateway, &answer).await;
            assert_eq!(outcome["ended"], "complete", "{word}: {outcome}");
            assert_eq!(outcome["inspected"][0]["mode"], "monitor", "{word}: {outcome}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_policy_holds_waits_for_what_follows() {
    for (_, answer) in inspected("an apple a day, an app a week, a grape", &[responding()]).await {
        let expected = "an [FRUIT] a day, an app a week, a grape";
        assert_eq!(answer.content(), expected, "{}", answer.text());
    }
}

/// No detector knows a key by its middle.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_hidden_in_whatever_dress_they_come() {
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    for prefix in ["", "> ", "  "] {
        let body = format!("\n{prefix}{line}").repeat(20);
        let (begin, end) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
        let key = format!("{prefix}{begin}{body}\n{prefix}{end}");
        let text = format!("Here it is:\n{key}\n{}", "Keep it well. ".repeat(40));
        for (_, answer) in inspected(&text, &[redacting()]).await {
            assert!(!answer.content().contains("VJTUt9Us8cKj"), "{prefix:?}: {}", answer.content());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_inspects_in_order() {
    // The second sees what the first let go: the mask and not the address.
    let policies = [redacting(), responding()];
    for (gateway, answer) in inspected(&format!("ask {EVE} for an apple now"), &policies).await {
        assert_eq!(answer.content(), "ask [EMAIL] for an [FRUIT] now", "{}", answer.text());
        let outcome = outcome(&gateway, &answer).await;
        let cuts: Vec<&Value> = (0..2).map(|index| &outcome["inspected"][index]["cuts"]).collect();
        assert_eq!(cuts, [1, 1], "{outcome}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_inspects_must_not_be_missing() {
    let cloud = Upstream::echo().await;
    let policy = responding().on_failure("confine-process");
    let refused = Gateway::try_start(&Configuration::cloud(&cloud).policy(policy.clone()))
        .err()
        .expect("it starts");
    assert!(refused.output.contains("on_failure = \"deny\""), "{}", refused.output);
    assert!(Gateway::try_start(&Configuration::cloud(&cloud).policy(policy.monitored())).is_ok());
}

/// As many answers as the pool has instances: the next one is asked to come again.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_take_all_instances_are_told() {
    let cloud = Upstream::start(|_| {
        Play::stream().send(openai::first()).send(openai::piece("half of it ")).stall()
    })
    .await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(responding()));
    let mut open = Vec::new();
    for _ in 0..256 {
        open.push(gateway.client().begin(&ask_streamed("hello")).await);
    }
    let answer = gateway.chat(&ask("hello")).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.error()["code"], "policy_busy", "{}", answer.text());
    assert!(answer.header("retry-after").is_some());
    assert_eq!(cloud.count(), 256, "something was sent");
    drop(open);
    assert!(cloud.wait_until_left(256, Duration::from_secs(10)).await, "calls go on");
    assert_eq!(gateway.client().begin(&ask_streamed("hello")).await.status(), 200);
}

/// More answers than the pool has instances, all of them left by their clients.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_leave_give_the_instances_back() {
    let cloud = Upstream::start(|_| {
        Play::stream().send(openai::first()).send(openai::piece("half of it ")).stall()
    })
    .await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(responding()));
    for _ in 0..300 {
        let response = gateway.client().begin(&ask_streamed("hello")).await;
        assert_eq!(response.status(), 200);
        let mut stream = response.bytes_stream();
        assert!(stream.next().await.is_some());
    }
    assert!(cloud.wait_until_left(300, Duration::from_secs(10)).await, "calls go on");
    let begun = Instant::now();
    let response = gateway.client().begin(&ask_streamed("hello")).await;
    assert_eq!(response.status(), 200);
    assert!(begun.elapsed() < Duration::from_secs(5), "it waited for an instance");
    assert!(guests::path("responding").exists());
}
