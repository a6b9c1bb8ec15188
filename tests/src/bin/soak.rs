//! Many requests through one gateway: none fails, and its memory stays flat.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use ringfence_tests::client::{ask, ask_streamed};
use ringfence_tests::{Configuration, Gateway, Policy, Upstream};

/// Clients at once.
const CLIENTS: usize = 16;
/// How much the process may grow from the first tenth of the requests to the end.
const GROWTH: u64 = 16 << 20;

#[tokio::main]
async fn main() {
    let requests: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100_000);
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
