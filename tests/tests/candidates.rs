//! Candidates: judged beside the live version, never enforced, promoted and rolled back.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ringfence_tests::client::{Answer, Client, ask};
use ringfence_tests::{
    Configuration, Gateway, Policy, Ran, Upstream, guests, replace, ringfence, ringfence_in,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const TOKEN: &str = "rf-admin-0123456789";
const SOON: Duration = Duration::from_secs(10);

/// A gateway whose policy `rule` is a guest, with a candidate in another file.
struct Trial {
    gateway: Option<Gateway>,
    folder: TempDir,
    cloud: Upstream,
}

impl Trial {
    /// `live` and `next` are guests; `more` are members of the entry.
    async fn start(live: &str, next: &str, more: Value) -> Trial {
        let folder = TempDir::new().expect("a folder");
        let cloud = Upstream::echo().await;
        let mut trial = Trial { gateway: None, folder, cloud };
        std::fs::write(trial.file("live.wasm"), guests::bytes(live)).expect("a file");
        std::fs::write(trial.file("next.wasm"), guests::bytes(next)).expect("a file");
        let policy = Policy::file("rule", trial.file("live.wasm"))
            .with(json!({"candidate": trial.file("next.wasm"), "grants": ["text", "findings", "state"]}))
            .with(more);
        let digest: String =
            Sha256::digest(TOKEN.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let admin = format!("[admin]\naddress = \"127.0.0.1:0\"\ntoken_sha256 = \"{digest}\"\n");
        let configuration = Configuration::cloud(&trial.cloud).policy(policy).section(&admin);
        trial.gateway = Some(Gateway::start(&configuration));
        trial
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().expect("a gateway")
    }

    async fn admin(&self) -> SocketAddr {
        assert!(self.gateway().wait_for_output("admin API listens", SOON).await);
        let output = self.gateway().output();
        let told = output.lines().rfind(|line| line.contains("admin API listens"));
        let (_, address) = told.expect("a line").split_once("address=").expect("an address");
        let address = address.split_whitespace().next().expect("an address");
        address.parse().expect("an address")
    }

    async fn operator(&self) -> Client {
        Client::new(self.admin().await).with_key(TOKEN)
    }

    async fn rule(&self) -> Value {
        let told = self.operator().await.get("/admin/policies").await.json();
        told["policies"][0].clone()
    }

    /// Waits until the candidate was asked so often, dropped calls included.
    async fn compared(&self, count: u64) -> Value {
        let end = Instant::now() + SOON;
        loop {
            let candidate = self.rule().await["candidate"].clone();
            let all = candidate["compared"].as_object().into_iter().flatten();
            if all.filter_map(|(_, n)| n.as_u64()).sum::<u64>() >= count {
                return candidate;
            }
            assert!(Instant::now() < end, "{candidate}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn ask(&self) -> Answer {
        self.gateway().chat(&ask("hello")).await
    }

    async fn run(&self, command: &[&str]) -> Ran {
        let address = self.admin().await.to_string();
        let all = [command, &["--address", &address]].concat();
        ringfence_in(self.folder.path(), &[("RINGFENCE_ADMIN_TOKEN", TOKEN)], &all)
    }

    fn restart(&mut self) {
        let gateway = self.gateway.take().expect("a gateway");
        self.gateway = Some(gateway.restart().expect("a gateway"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_is_compared_and_changes_nothing() {
    for (config, next, kind) in [
        (json!({}), json!({}), "agreed"),
        (json!({}), json!({"tag": "here"}), "words"),
        (json!({}), json!({"code": "because"}), "words"),
        (json!({}), json!({"prefer": ["cloud"]}), "preference"),
        (json!({}), json!({"prefer": ["nowhere-at-all"]}), "failed"),
    ] {
        let more = json!({"config": config, "candidate_config": next});
        let trial = Trial::start("tagged", "tagged", more).await;
        // The same bytes would be no other version.
        let mut bytes = guests::bytes("tagged");
        bytes.extend_from_slice(&[0, 3, 1, b'x', 1]);
        replace(&trial.file("next.wasm"), &bytes);
        assert_eq!(trial.operator().await.post("/admin/reload", "").await.status, 200);
        for _ in 0..3 {
            let answer = trial.ask().await;
            assert_eq!(answer.status, 200, "{kind}: {}", answer.text());
            trial.compared(1).await;
        }
        let candidate = trial.compared(3).await;
        assert_eq!(candidate["compared"], json!({kind: 3}), "{candidate}");
        assert_eq!(candidate["judged"], 3);
        assert_eq!(trial.rule().await["failures"], json!({}));
        let table = trial.run(&["status"]).await.succeeded().stdout;
        assert!(table.contains(&format!("{kind} 3")), "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_candidate_permits_is_compared_by_whom_it_reaches() {
    let behave = |behave: &str| ("hostile", json!({"behave": behave}));
    let most = |most: u32| ("counting", json!({"most": most}));
    for (live, next, status, kind) in [
        (most(9), most(0), 200, "narrower"),
        (most(0), most(9), 403, "wider"),
        (behave("honest"), behave("loop"), 200, "failed"),
        (behave("trap"), behave("honest"), 403, "recovered"),
        (behave("trap"), behave("trap"), 403, "agreed"),
    ] {
        let more = json!({"config": live.1, "candidate_config": next.1});
        let trial = Trial::start(live.0, next.0, more).await;
        let begun = Instant::now();
        assert_eq!(trial.ask().await.status, status, "{kind}");
        // Nobody waits for a candidate that spins.
        assert!(begun.elapsed() < SOON);
        assert_eq!(trial.compared(1).await["compared"], json!({kind: 1}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_that_spin_are_eight_at_most_and_hold_nobody_up() {
    let spinning = Duration::from_secs(5);
    let more = json!({
        "config": {"behave": "honest"},
        "candidate_config": {"behave": "loop"},
        "limits": {"deadline_ms": 5_000, "patience_ms": 10_000},
    });
    let trial = Trial::start("hostile", "hostile", more).await;
    let begun = Instant::now();
    for _ in 0..12 {
        assert_eq!(trial.ask().await.status, 200);
    }
    assert!(begun.elapsed() < spinning, "{:?}", begun.elapsed());
    let candidate = trial.rule().await["candidate"].clone();
    assert_eq!(candidate["compared"], json!({"dropped": 4}), "{candidate}");
    assert_eq!(candidate["judged"], 0, "{candidate}");
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_of_a_candidate_are_its_own() {
    let more = json!({"grants": ["state"], "config": {"most": 4}, "candidate_config": {"most": 2}});
    let trial = Trial::start("counting", "counting", more).await;
    for call in 1..=4 {
        assert_eq!(trial.ask().await.status, 200, "{call}");
        trial.compared(call).await;
    }
    // Each counted four, and not eight together.
    assert_eq!(trial.compared(4).await["compared"], json!({"agreed": 2, "narrower": 2}));
    assert_eq!(trial.ask().await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_refused_leaves_the_live_version_serving() {
    let trial = Trial::start("tagged", "hostile", json!({})).await;
    let candidate = trial.rule().await["candidate"].clone();
    assert_eq!(candidate["state"], "refused", "{candidate}");
    assert_eq!(trial.ask().await.status, 200);
    let refused = trial.run(&["policy", "promote", "rule"]).await;
    refused.failed_with(&["cannot be promoted"]);
    trial.run(&["status"]).await.failed_with(&["needs an operator"]);
    // One that fails its own cases is never promoted.
    replace(&trial.file("next.wasm"), &guests::bytes("tagged"));
    let cases = r#"[{"name": "one", "expect": {"labels": ["elsewhere"]}}]"#;
    std::fs::write(trial.file("next.cases.json"), cases).expect("a file");
    assert_eq!(trial.operator().await.post("/admin/reload", "").await.status, 200);
    let refused = trial.run(&["policy", "promote", "rule"]).await;
    refused.failed_with(&["cannot be promoted", "cases"]);
    assert_eq!(trial.ask().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_is_promoted_and_rolled_back_across_restarts() {
    let more = json!({"config": {"most": 99}, "candidate_config": {"most": 0}});
    let mut trial = Trial::start("counting", "counting", more).await;
    trial.run(&["policy", "rollback", "rule"]).await.failed_with(&["nothing is promoted"]);
    trial.run(&["policy", "promote", "nobody"]).await.failed_with(&["no entry", "nobody"]);
    assert_eq!(trial.ask().await.status, 200);

    trial.run(&["policy", "promote", "rule"]).await.succeeded();
    assert_eq!(trial.ask().await.status, 403);
    trial.run(&["policy", "promote", "rule"]).await.failed_with(&["runs already"]);
    trial.restart();
    assert_eq!(trial.ask().await.status, 403);
    assert!(trial.rule().await["file"].as_str().is_some_and(|file| file.ends_with("next.wasm")));

    trial.run(&["policy", "rollback", "rule"]).await.succeeded();
    assert_eq!(trial.ask().await.status, 200);
    trial.restart();
    assert_eq!(trial.ask().await.status, 200);
    let ledger = std::fs::read_to_string(trial.gateway().ledger()).expect("a ledger");
    assert!(ledger.contains("policy `rule`: its candidate is promoted"), "{ledger}");
    assert!(ledger.contains("policy `rule`: its candidate is rolled back"), "{ledger}");
    let ledger = trial.gateway().ledger();
    ringfence(&["ledger", "verify", ledger.to_str().expect("a path")]).succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_version_runs_on_when_its_file_goes() {
    let more = json!({"config": {"most": 99}, "candidate_config": {"most": 0}});
    let mut trial = Trial::start("counting", "counting", more).await;
    let mut bytes = guests::bytes("counting");
    bytes.extend_from_slice(&[0, 3, 1, b'x', 1]);
    replace(&trial.file("next.wasm"), &bytes);
    assert_eq!(trial.operator().await.post("/admin/reload", "").await.status, 200);
    trial.run(&["policy", "promote", "rule"]).await.succeeded();
    assert_eq!(trial.ask().await.status, 403);
    // The next candidate takes the file, and is compared; what runs stays.
    bytes.extend_from_slice(&[0, 3, 1, b'x', 2]);
    replace(&trial.file("next.wasm"), &bytes);
    assert_eq!(trial.operator().await.post("/admin/reload", "").await.status, 200);
    assert_eq!(trial.ask().await.status, 403);
    assert_eq!(trial.rule().await["candidate"]["state"], "watching");
    trial.restart();
    assert_eq!(trial.ask().await.status, 403);
}

#[test]
fn bad_candidates_are_told_before_the_port_is_bound() {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("live.wasm"), guests::bytes("tagged")).expect("a file");
    let checked = |entry: &str| {
        let text = format!(
            "state = \"state\"\n[[targets]]\nname = \"a\"\nkind = \"openai\"\nzone = \"premises\"\n\
             base_url = \"http://127.0.0.1:9/v1\"\nmodels = [\"m\"]\n[[policies]]\n\
             name = \"rule\"\n{entry}\n"
        );
        std::fs::write(folder.path().join("ringfence.toml"), text).expect("a file");
        ringfence_in(folder.path(), &[], &["check", "--config", "ringfence.toml"])
    };
    checked("file = \"live.wasm\"\ncandidate = \"next.wasm\"").succeeded();
    for (entry, says) in [
        ("file = \"live.wasm\"\ncandidate = \"live.wasm\"", "cannot have that candidate"),
        ("embedded = \"redact-pii\"\ncandidate = \"next.wasm\"", "cannot have that candidate"),
        ("file = \"live.wasm\"\ncandidate_config = {}", "no candidate"),
        ("file = \"live.wasm\"\ncandidate = \"n.wasm\"\ncandidate_digest = \"x\"", "digest is"),
    ] {
        let refused = checked(entry);
        assert!(refused.stderr.contains(says), "{says}: {}", refused.output());
    }
}
