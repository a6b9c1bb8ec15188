//! Policies and configuration go live without a restart and without a failed request.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ringfence_tests::client::ask;
use ringfence_tests::{Configuration, Gateway, Policy, Upstream, books, guests, replace};
use serde_json::json;
use tempfile::TempDir;

/// How long a change may take until it is in force.
const SOON: Duration = Duration::from_secs(10);

/// A chain of two policies that label what they judge.
fn tagged(upstream: &Upstream, tag: &str) -> Configuration {
    let one = |name: &str| {
        Policy::guest("tagged", json!({"tag": format!("{name}-{tag}")})).with(json!({"name": name}))
    };
    Configuration::cloud(upstream).policy(one("first")).policy(one("second"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_reloads_under_load_fail_nothing_and_mix_nothing() {
    const RELOADS: usize = 100;
    const PER_SECOND: f64 = 200.0;
    let cloud = Upstream::says("hi").await;
    let gateway = Arc::new(Gateway::start(&tagged(&cloud, "a")));
    let going = Arc::new(AtomicBool::new(true));
    let begun = Instant::now();
    let load: Vec<_> = (0..8)
        .map(|_| {
            let (client, going) = (gateway.client().clone(), Arc::clone(&going));
            tokio::spawn(async move {
                let mut decisions = Vec::new();
                // Each waits its turn, so that the load is steady and leaves room to compile.
                let mut ticks = tokio::time::interval(Duration::from_millis(25));
                ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
                while going.load(Ordering::Relaxed) {
                    ticks.tick().await;
                    let answer = client.chat(&ask("hello")).await;
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    let decision = answer.header("x-ringfence-decision").expect("a decision");
                    decisions.push(decision.to_owned());
                }
                decisions
            })
        })
        .collect();
    let mut chain = gateway.chain().await;
    let mut chains = BTreeSet::from([chain.clone()]);
    for number in 0..RELOADS {
        let tag = if number % 2 == 0 { "b" } else { "a" };
        gateway.reconfigure(&tagged(&cloud, tag));
        chain = gateway.wait_for_another_chain(&chain, SOON).await;
        chains.insert(chain.clone());
    }
    going.store(false, Ordering::Relaxed);
    let mut decisions = Vec::new();
    for worker in load {
        decisions.extend(worker.await.expect("no request failed"));
    }
    let rate = decisions.len() as f64 / begun.elapsed().as_secs_f64();
    println!("{RELOADS} reloads, {} requests, {rate:.0} a second", decisions.len());
    assert!(rate >= PER_SECOND, "{rate:.0} requests a second");
    assert_eq!(chains.len(), 2, "A, B, A again: {chains:?}");

    // Each answer is explained by exactly one chain: its labels are those of one
    // version, and the recorded digest says which.
    let mut labels_of = BTreeMap::new();
    let mut departures = BTreeMap::new();
    for record in books::records(&gateway.ledger()) {
        if record["kind"] == "departure" {
            let decision = record["decision"].as_str().expect("an id").to_owned();
            departures.insert(decision, record);
        }
    }
    for decision in &decisions {
        let record = &departures[decision];
        let labels = record["labels"].to_string();
        let known = ["a", "b"].map(|tag| json!([format!("first-{tag}"), format!("second-{tag}")]));
        assert!(known.contains(&record["labels"]), "a mixture: {record}");
        let chain = record["chain"].as_str().expect("a digest").to_owned();
        let before = labels_of.insert(chain, labels.clone());
        assert!(before.is_none_or(|before| before == labels), "one digest, two chains: {record}");
    }
    assert_eq!(labels_of.len(), 2, "{labels_of:?}");
    assert!(labels_of.keys().all(|chain| chains.contains(chain)));
}

/// A gateway with one policy file of its own, which tests may spoil.
struct Spoilable {
    cloud: Upstream,
    folder: TempDir,
}

impl Spoilable {
    async fn new() -> Spoilable {
        let folder = TempDir::new().expect("a folder");
        std::fs::copy(guests::path("tagged"), folder.path().join("policy.wasm")).expect("a copy");
        Spoilable { cloud: Upstream::says("hi").await, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("policy.wasm")
    }

    fn configuration(&self) -> Configuration {
        let policy = Policy::file("spoilable", self.file()).config(json!({"tag": "good"}));
        Configuration::cloud(&self.cloud).policy(policy)
    }
}

/// Asks, and gives the labels and the policy's digest of the ledger.
async fn judged(gateway: &Gateway) -> (String, String) {
    let answer = gateway.chat(&ask("hello")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let decision = answer.header("x-ringfence-decision").expect("a decision").to_owned();
    let departure = books::of(&gateway.ledger(), "departure", &decision).remove(0);
    let digest = departure["judgements"][0]["digest"].as_str().unwrap_or("none").to_owned();
    (departure["labels"].to_string(), digest)
}

/// Waits until the gateway names trouble with `word` in it.
async fn trouble(gateway: &Gateway, word: &str) {
    let end = Instant::now() + SOON;
    loop {
        let health = gateway.health().await;
        if health["troubles"].to_string().contains(word) {
            assert_eq!(health["status"], "degraded");
            let metrics = gateway.metrics().await;
            assert!(!metrics.contains("ringfence_troubles 0"), "{metrics}");
            let logged = gateway.wait_for_output(word, SOON).await;
            assert!(logged, "not in the log: {}", gateway.output());
            return;
        }
        assert!(Instant::now() < end, "no trouble with {word:?}: {health}\n{}", gateway.output());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until there is no trouble.
async fn peace(gateway: &Gateway) {
    let end = Instant::now() + SOON;
    while gateway.health().await["status"] != "ok" {
        assert!(Instant::now() < end, "{}", gateway.health().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_changes_nothing_and_is_loud() {
    let good = guests::bytes("tagged");
    type Spoil = fn(&Path, &[u8]);
    let spoils: [(&str, Spoil); 4] = [
        ("truncated", |path, good| replace(path, &good[..good.len() / 2])),
        ("written over in place", |path, good| std::fs::write(path, &good[..100]).expect("a file")),
        ("emptied", |path, _| std::fs::write(path, b"").expect("a file")),
        ("another contract", |path, _| replace(path, &guests::bytes("wrong-version"))),
    ];
    for (name, spoil) in spoils {
        let spoilable = Spoilable::new().await;
        let gateway = Gateway::start(&spoilable.configuration());
        let (labels, digest) = judged(&gateway).await;
        assert!(labels.contains("good"), "{labels}");
        spoil(&spoilable.file(), &good);
        trouble(&gateway, "spoilable").await;
        assert_eq!(judged(&gateway).await, (labels.clone(), digest.clone()), "{name}");

        // A restart runs the last good one, and says so.
        let gateway =
            gateway.restart().unwrap_or_else(|refused| panic!("{name}: {}", refused.output));
        assert_eq!(judged(&gateway).await, (labels.clone(), digest.clone()), "{name}: restarted");
        trouble(&gateway, "spoilable").await;

        // What is mended is in force again without another restart.
        replace(&spoilable.file(), &good);
        peace(&gateway).await;
        assert_eq!(judged(&gateway).await, (labels, digest), "{name}: mended");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_predecessor_a_broken_file_never_binds() {
    let spoilable = Spoilable::new().await;
    std::fs::write(spoilable.file(), b"nothing").expect("a file");
    let refused = Gateway::try_start(&spoilable.configuration()).err().expect("a refusal");
    assert!(refused.code > 0 && refused.output.contains("spoilable"), "{}", refused.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_that_the_predecessor_does_not_meet_is_not_bent() {
    let spoilable = Spoilable::new().await;
    let gateway = Gateway::start(&spoilable.configuration());
    judged(&gateway).await;
    replace(&spoilable.file(), b"nothing");
    let policy = Policy::file("spoilable", spoilable.file())
        .config(json!({"tag": "good"}))
        .with(json!({"digest": "00".repeat(32)}));
    gateway.reconfigure(&Configuration::cloud(&spoilable.cloud).policy(policy));
    let refused = gateway.restart().err().expect("a gateway that does not start");
    assert!(refused.output.contains("spoilable"), "{}", refused.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_file_may_be_swapped_by_rename_copy_or_link() {
    // Another component with the same behaviour: a custom section changes the digest.
    let good = guests::bytes("tagged");
    let other = |mark: u8| {
        let mut bytes = good.clone();
        bytes.extend_from_slice(&[0, 3, 1, b'x', mark]);
        bytes
    };
    let spoilable = Spoilable::new().await;
    let gateway = Gateway::start(&spoilable.configuration());
    let (labels, mut digest) = judged(&gateway).await;
    let mut chain = gateway.chain().await;
    for (mark, swap) in ["rename", "in place", "slowly", "link"].into_iter().enumerate() {
        let bytes = other(mark as u8);
        match swap {
            "rename" => replace(&spoilable.file(), &bytes),
            "in place" => std::fs::write(spoilable.file(), &bytes).expect("a file"),
            "slowly" => {
                use std::io::Write;
                let mut file = std::fs::File::create(spoilable.file()).expect("a file");
                for piece in bytes.chunks(bytes.len() / 5 + 1) {
                    file.write_all(piece).expect("a write");
                    std::thread::sleep(Duration::from_millis(120));
                }
            }
            _ => {
                // As orchestrators mount it: the file is a link through a link to a folder.
                let (one, data) =
                    (spoilable.folder.path().join("v1"), spoilable.folder.path().join("data"));
                std::fs::create_dir(&one).expect("a folder");
                std::fs::write(one.join("policy.wasm"), &bytes).expect("a file");
                std::os::unix::fs::symlink(&one, &data).expect("a link");
                std::fs::remove_file(spoilable.file()).expect("a file");
                std::os::unix::fs::symlink(data.join("policy.wasm"), spoilable.file())
                    .expect("a link");
            }
        }
        chain = gateway.wait_for_another_chain(&chain, SOON).await;
        let (now_labels, now_digest) = judged(&gateway).await;
        assert_eq!(now_labels, labels, "{swap}");
        assert_ne!(now_digest, digest, "{swap}");
        digest = now_digest;
        peace(&gateway).await;
    }
    // The folder behind the link is swapped, as a mounted volume is.
    let two = spoilable.folder.path().join("v2");
    std::fs::create_dir(&two).expect("a folder");
    std::fs::write(two.join("policy.wasm"), other(99)).expect("a file");
    let fresh = spoilable.folder.path().join("fresh");
    std::os::unix::fs::symlink(&two, &fresh).expect("a link");
    std::fs::rename(&fresh, spoilable.folder.path().join("data")).expect("a rename");
    gateway.wait_for_another_chain(&chain, SOON).await;
    assert_ne!(judged(&gateway).await.1, digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_or_a_device_is_no_policy() {
    let spoilable = Spoilable::new().await;
    let gateway = Gateway::start(&spoilable.configuration());
    let before = judged(&gateway).await;
    std::fs::remove_file(spoilable.file()).expect("a file");
    let status = std::process::Command::new("mkfifo").arg(spoilable.file()).status();
    assert!(status.is_ok_and(|status| status.success()));
    trouble(&gateway, "policy.wasm").await;
    assert_eq!(judged(&gateway).await, before);
    std::fs::remove_file(spoilable.file()).expect("a pipe");
    std::os::unix::fs::symlink("/dev/zero", spoilable.file()).expect("a link");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(judged(&gateway).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_configuration_changes_nothing_and_never_binds() {
    let spoilable = Spoilable::new().await;
    let gateway = Gateway::start(&spoilable.configuration());
    let before = judged(&gateway).await;
    for text in ["not TOML [", "[server]\nunheard_of = 1\n", ""] {
        replace(gateway.configuration(), text.as_bytes());
        trouble(&gateway, "ringfence.toml").await;
        assert_eq!(judged(&gateway).await, before, "{text:?}");
        gateway.reconfigure(&spoilable.configuration());
        peace(&gateway).await;
    }
    replace(gateway.configuration(), b"not TOML [");
    let refused = gateway.restart().err().expect("a gateway that does not start");
    assert!(refused.output.contains("ringfence.toml:1"), "{}", refused.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_vanishes_never_shrinks_the_chain_and_only_the_configuration_does() {
    let spoilable = Spoilable::new().await;
    let gateway = Gateway::start(&spoilable.configuration());
    let before = judged(&gateway).await;
    std::fs::remove_file(spoilable.file()).expect("a file");
    trouble(&gateway, "policy.wasm").await;
    assert_eq!(judged(&gateway).await, before);
    let chain = gateway.chain().await;
    gateway.reconfigure(&Configuration::cloud(&spoilable.cloud));
    gateway.wait_for_another_chain(&chain, SOON).await;
    assert_eq!(judged(&gateway).await, ("[]".to_owned(), "none".to_owned()));
    peace(&gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_whose_file_vanished_runs_on_after_a_restart() {
    let spoilable = Spoilable::new().await;
    let gateway = Gateway::start(&spoilable.configuration());
    let before = judged(&gateway).await;
    std::fs::remove_file(spoilable.file()).expect("a file");
    let gateway = gateway.restart().expect("starts from what it stored");
    trouble(&gateway, "policy.wasm").await;
    assert_eq!(judged(&gateway).await, before);
    // Without a predecessor it is a mistake of the configuration, told with its line.
    let refused = Gateway::try_start(&spoilable.configuration()).err().expect("no start");
    let line = refused.output.lines().find(|line| line.contains("policy.wasm"));
    assert!(line.is_some_and(|line| line.contains("ringfence.toml:")), "{}", refused.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_lands_in_a_folder_is_judged_by_at_once() {
    let cloud = Upstream::says("hi").await;
    let folder = TempDir::new().expect("a folder");
    let policy = Policy::file("drop-in", "")
        .with(json!({"file": null, "folder": folder.path(), "config": {"tag": "landed"}}));
    let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(policy));
    assert_eq!(judged(&gateway).await.0, "[]");
    let chain = gateway.chain().await;
    std::fs::write(folder.path().join("README.txt"), "no policy").expect("a file");
    std::fs::copy(guests::path("tagged"), folder.path().join("one.wasm")).expect("a copy");
    gateway.wait_for_another_chain(&chain, SOON).await;
    assert_eq!(judged(&gateway).await.0, "[\"landed\"]");
}
