//! A stage for clients of other languages: a gateway in front of a scripted provider.
//!
//! Prints one line of JSON with the addresses and serves until its standard input ends.
//! What the provider does is chosen by the last user's text; see [`play`].

use std::time::Duration;

use ringfence_tests::upstream::{embeddings, openai};
use ringfence_tests::{Configuration, Gateway, Play, Policy, Received, Target, Upstream};
use serde_json::{Value, json};

/// The key of the stage's only caller.
const KEY: &str = "rf-stage-key";

#[tokio::main]
async fn main() {
    let cloud = Upstream::start(play).await;
    let configuration = Configuration::new()
        .target(Target::cloud("cloud", &cloud).with(json!({"models": [
            {"name": "stand-in-1", "aliases": ["gpt-4o"]}
        ]})))
        .policy(Policy::embedded("redact-pii"))
        .caller("stage", "clinic", KEY);
    let gateway = Gateway::start(&configuration);
    let line = json!({
        "url": gateway.url(), "key": KEY, "cloud": cloud.url(),
        "ledger": gateway.ledger(),
    });
    println!("{line}");
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()))
        .await
        .ok();
    drop(gateway);
}

/// What the provider does: the last user's text begins with a word that says it.
fn play(received: &Received) -> Play {
    if received.path().ends_with("/seen") {
        return Play::json(&json!({}));
    }
    if received.path().ends_with("/embeddings") {
        return embeddings::letters(received);
    }
    let text = openai::last_user_text(received);
    let body = received.json();
    let has_result =
        body["messages"].as_array().is_some_and(|all| all.iter().any(|one| one["role"] == "tool"));
    let error = |code: &str| {
        json!({"error": {"message": "scripted", "type": "scripted", "param": null, "code": code}})
            .to_string()
    };
    match text.split(' ').next().unwrap_or("") {
        "TOOL" if !has_result => tool(received, &text),
        "TOOL" => openai::reply(received, "The tool has answered."),
        "LIMITED" => Play::whole(
            429,
            &[("content-type", "application/json"), ("retry-after", "1")],
            error("rate_limit_exceeded"),
        ),
        "BROKEN" => Play::failure(500, error("server_error")),
        "REJECTED" => Play::failure(400, error("invalid_value")),
        "SLOW" => openai::reply(received, "late").after(Duration::from_secs(5)),
        "CUT" => Play::stream().send(openai::first()).send(openai::piece("half")).cut(),
        _ => openai::echo(received),
    }
}

/// Calls the tool with what follows the first word, so that arguments are restored.
fn tool(received: &Received, text: &str) -> Play {
    let arguments = json!({"city": text.split_once(' ').map_or("", |(_, rest)| rest)}).to_string();
    if received.json()["stream"] != Value::Bool(true) {
        return Play::json(&openai::tool_call("weather", &arguments));
    }
    let pieces = openai::pieces(&arguments, 3);
    let stream = openai::tool_stream("weather", pieces.iter().map(String::as_str));
    Play::stream().send(stream).end()
}
