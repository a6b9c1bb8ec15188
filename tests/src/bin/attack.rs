//! What other requests feel while a policy spins, or while a large one is compiled: the
//! latency of one honest request after the other, with and without.
//!
//! `cargo run --release -p ringfence-tests --bin attack [POLICY.wasm]`: a built component in
//! the place of the 12 MB that are made here.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ringfence_tests::client::{Client, ask};
use ringfence_tests::guests::by_hand::{Guest, ballast};
use ringfence_tests::siege::misbehaving;
use ringfence_tests::{Configuration, Gateway, Policy, Upstream, replace};
use serde_json::json;
use tempfile::TempDir;

/// Honest requests of one measurement.
const REQUESTS: usize = 2_000;
/// Between the beginnings of two of them.
const PAUSE: Duration = Duration::from_millis(5);
/// Bytes of the component that is compiled.
const LARGE: usize = 12 << 20;
/// Until it is in force.
const COMPILED_WITHIN: Duration = Duration::from_secs(300);

#[tokio::main]
async fn main() {
    let cloud = Upstream::forgetful_echo().await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("policy.wasm");
    let spinning = Guest::judging(&misbehaving("(loop $again (br $again))"));
    std::fs::write(&file, spinning.build()).expect("a file");
    let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(Policy::file("p", &file)));
    let client = gateway.client();

    println!(
        "{:<44} {:>9} {:>9} {:>9} {:>9}",
        "honest requests, ms", "median", "p99", "worst", "count"
    );
    measured(client).await;
    show("alone", &mut measured(client).await);
    for spinners in [1, 2, 8, 64] {
        let attack = Attack::start(client, spinners);
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut times = measured(client).await;
        let spun = attack.stop().await;
        let what = format!("beside {spinners} that spin without end ({spun} of them)");
        show(&what, &mut times);
    }
    show("alone", &mut measured(client).await);

    let large = match std::env::args().nth(1) {
        Some(path) => std::fs::read(path).expect("a component"),
        None => [Guest::default().build(), ballast(LARGE)].concat(),
    };
    compiled(&gateway, &file, &large).await;
}

/// Measures for as long as a component is compiled that takes the place of another.
async fn compiled(gateway: &Gateway, file: &Path, large: &[u8]) {
    let chain = gateway.chain().await;
    let begun = Instant::now();
    replace(file, large);
    let mut times = Vec::new();
    while gateway.chain().await == chain {
        assert!(begun.elapsed() < COMPILED_WITHIN, "{}", gateway.output());
        for _ in 0..50 {
            times.push(one(gateway.client()).await);
        }
    }
    let what = format!(
        "while {:.1} MB are compiled, {:.1} s",
        large.len() as f64 / f64::from(1 << 20),
        begun.elapsed().as_secs_f64()
    );
    show(&what, &mut times);
}

async fn measured(client: &Client) -> Vec<Duration> {
    let mut times = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        times.push(one(client).await);
    }
    times
}

/// One honest request, and a pause until the next.
async fn one(client: &Client) -> Duration {
    let begun = Instant::now();
    let answer = client.chat(&ask("honest")).await;
    let took = begun.elapsed();
    assert_eq!(answer.status, 200, "{}", answer.text());
    tokio::time::sleep(PAUSE.saturating_sub(took)).await;
    took
}

fn show(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: usize| {
        let index = (times.len() * share / 1000).min(times.len().saturating_sub(1));
        times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    let (median, p99, worst) = (at(500), at(990), at(1000));
    println!("{what:<44} {median:>9.2} {p99:>9.2} {worst:>9.2} {:>9}", times.len());
}

/// Clients who ask again and again for what the policy spins over.
struct Attack {
    going: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<usize>>,
}

impl Attack {
    fn start(client: &Client, spinners: usize) -> Attack {
        let going = Arc::new(AtomicBool::new(true));
        let tasks = (0..spinners)
            .map(|_| {
                let (client, going) = (client.clone(), Arc::clone(&going));
                tokio::spawn(async move {
                    let mut request = ask("evil");
                    request["max_tokens"] = json!(13);
                    let mut spun = 0;
                    while going.load(Ordering::Relaxed) {
                        let answer = client.chat(&request).await;
                        assert!([403, 503].contains(&answer.status), "{}", answer.text());
                        spun += 1;
                    }
                    spun
                })
            })
            .collect();
        Attack { going, tasks }
    }

    async fn stop(self) -> usize {
        self.going.store(false, Ordering::Relaxed);
        let mut spun = 0;
        for task in self.tasks {
            spun += task.await.expect("an attacker");
        }
        spun
    }
}
