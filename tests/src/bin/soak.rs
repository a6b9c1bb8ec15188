//! Many requests through one gateway, and many reloads of its policies: none fails, and its
//! memory stays flat.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ringfence_tests::client::{ask, ask_streamed};
use ringfence_tests::{Configuration, Gateway, Policy, Upstream};
use serde_json::json;

/// Clients at once.
const CLIENTS: usize = 16;
/// How much the process may grow from the first tenth of the requests to the end.
const GROWTH: u64 = 16 << 20;
/// Until a reload is in force.
const RELOAD_WITHIN: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() {
    let given = |index| std::env::args().nth(index).and_then(|n| n.parse::<usize>().ok());
    soak(given(1).unwrap_or(100_000)).await;
    reload(given(2).unwrap_or(1_000)).await;
}

async fn soak(requests: usize) {
    let cloud = Upstream::forgetful_echo().await;
    let mut configuration = Configuration::cloud(&cloud);
    for name in ["redact-pii", "keep-sensitive-local", "spill-to-cloud"] {
        configuration = configuration.policy(Policy::embedded(name));
    }
    let gateway = Arc::new(Gateway::start(&configuration));
    println!("idle: {} MiB", gateway.resident() >> 20);
    let begun = Instant::now();
    run(&gateway, requests / 10).await;
    let warm = gateway.resident();
    println!("after {}: {} MiB", requests / 10, warm >> 20);
    run(&gateway, requests - requests / 10).await;
    let end = gateway.resident();
    println!("after {requests}: {} MiB, {:.0} s", end >> 20, begun.elapsed().as_secs_f64());
    assert!(end.saturating_sub(warm) < GROWTH, "grew from {warm} to {end} bytes");
}

/// Three policies, one of which is configured anew each time: every version is compiled, made a
/// snapshot of, and freed when the next one is in force. Requests go on meanwhile.
async fn reload(reloads: usize) {
    let cloud = Upstream::forgetful_echo().await;
    let version = |number: usize| {
        let tagged = Policy::guest("tagged", json!({"tag": format!("v{number}")}));
        Configuration::cloud(&cloud)
            .policy(Policy::embedded("redact-pii"))
            .policy(Policy::embedded("keep-sensitive-local"))
            .policy(tagged)
    };
    let gateway = Gateway::start(&version(0));
    let begun = Instant::now();
    let (mut chain, mut warm) = (gateway.chain().await, 0);
    for number in 1..=reloads {
        gateway.reconfigure(&version(number));
        chain = gateway.wait_for_another_chain(&chain, RELOAD_WITHIN).await;
        let answer = gateway.chat(&ask("hello")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        if number == reloads / 10 {
            warm = gateway.resident();
            println!("after {number} reloads: {} MiB", warm >> 20);
        }
    }
    let end = gateway.resident();
    let seconds = begun.elapsed().as_secs_f64();
    println!("after {reloads} reloads: {} MiB, {seconds:.0} s", end >> 20);
    assert!(end.saturating_sub(warm) < GROWTH, "grew from {warm} to {end} bytes");
}

async fn run(gateway: &Arc<Gateway>, requests: usize) {
    let next = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (gateway, next) = (Arc::clone(gateway), Arc::clone(&next));
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= requests {
                        return;
                    }
                    let text = format!("I am person{number}@example.org, and who are you?");
                    let request = if number % 4 == 0 { ask_streamed(&text) } else { ask(&text) };
                    let answer = gateway.chat(&request).await;
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    assert_eq!(answer.content(), format!("You wrote: {text}"));
                }
            })
        })
        .collect();
    for client in clients {
        client.await.expect("no request failed");
    }
}
