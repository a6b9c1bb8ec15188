//! Promotions: what runs after one is what was judged, whatever happens to the files, and
//! nothing runs by one that today's pins and signatures do not admit.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ringfence_tests::client::{Answer, Client, ask};
use ringfence_tests::{Configuration, Gateway, Policy, Upstream, guests, replace, ringfence_in};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const TOKEN: &str = "rf-admin-0123456789";
const SOON: Duration = Duration::from_secs(20);
/// How far apart two signatures have to be made to differ in time: they count seconds.
const A_SECOND: Duration = Duration::from_millis(1100);

/// A folder with `live.wasm` (version 1) and `next.wasm` (version 2), and keys.
struct Files {
    cloud: Upstream,
    folder: TempDir,
}

/// A gateway whose policy `rule` is the one and whose candidate is the other.
struct Operated {
    gateway: Gateway,
    operator: Client,
}

impl Files {
    async fn new() -> Files {
        let files = Files { cloud: Upstream::echo().await, folder: TempDir::new().expect("one") };
        files.write("live.wasm", 1);
        files.write("next.wasm", 2);
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, mark: u8) {
        replace(&self.path(name), &version(mark));
    }

    fn policy(&self, arguments: &[&str]) {
        let arguments = [&["policy"], arguments].concat();
        ringfence_in(self.folder.path(), &[], &arguments).succeeded();
    }

    fn write_signed(&self, name: &str, mark: u8, key: &str) {
        std::thread::sleep(A_SECOND);
        self.write(name, mark);
        self.policy(&["sign", name, "--key", &format!("{key}.key")]);
    }

    /// `[signatures]` with these keys.
    fn trusting(&self, keys: &[&str]) -> String {
        let mut text = "[signatures]\nrequire_signed = true\n[signatures.trusted]\n".to_owned();
        for key in keys {
            let public = std::fs::read_to_string(self.path(&format!("{key}.pub"))).expect("a key");
            text.push_str(&format!("{key} = \"{}\"\n", public.lines().nth(1).expect("two lines")));
        }
        text
    }

    /// `more` are members of the entry.
    fn configuration(&self, more: Value, sections: &str) -> Configuration {
        let policy = Policy::file("rule", self.path("live.wasm"))
            .config(json!({"tag": "good"}))
            .with(json!({"candidate": self.path("next.wasm")}))
            .with(more);
        let digest = hexadecimal(TOKEN.as_bytes());
        let admin = format!("[admin]\naddress = \"127.0.0.1:0\"\ntoken_sha256 = \"{digest}\"\n");
        Configuration::cloud(&self.cloud).policy(policy).section(&admin).section(sections)
    }

    async fn operated(&self, more: Value, sections: &str) -> Operated {
        Operated::of(Gateway::start(&self.configuration(more, sections))).await
    }
}

impl Operated {
    async fn of(gateway: Gateway) -> Operated {
        assert!(gateway.wait_for_output("admin API listens", SOON).await);
        let output = gateway.output();
        let told = output.lines().rfind(|line| line.contains("admin API listens"));
        let (_, address) = told.expect("a line").split_once("address=").expect("an address");
        let address = address.split_whitespace().next().expect("an address");
        let address: SocketAddr = address.parse().expect("an address");
        Operated { gateway, operator: Client::new(address).with_key(TOKEN) }
    }

    async fn rule(&self) -> Value {
        self.operator.get("/admin/policies").await.json()["policies"][0].clone()
    }

    /// Holds that this version runs, and answers.
    async fn runs(&self, mark: u8) {
        let rule = self.rule().await;
        assert_eq!(rule["digest"], hexadecimal(&version(mark)), "not version {mark}: {rule}");
        let answer = self.gateway.chat(&ask("hello")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    async fn make(&self, change: &str) -> Answer {
        self.operator.post(&format!("/admin/{change}"), "").await
    }

    async fn made(&self, change: &str) {
        let made = self.make(change).await;
        assert_eq!(made.status, 200, "{change}: {}", made.text());
    }

    async fn not_made(&self, change: &str, status: u16, says: &str) {
        let refused = self.make(change).await;
        assert_eq!(refused.status, status, "{change}: {}", refused.text());
        assert!(refused.text().contains(says), "{says}: {}", refused.text());
    }

    async fn restart(self) -> Operated {
        Operated::of(self.gateway.restart().expect("a gateway")).await
    }
}

const PROMOTE: &str = "policies/rule/promote";
const ROLL_BACK: &str = "policies/rule/rollback";

/// A component that behaves like every other version and has other bytes.
fn version(mark: u8) -> Vec<u8> {
    let mut bytes = guests::bytes("tagged");
    bytes.extend_from_slice(&[0, 3, 1, b'x', mark]);
    bytes
}

fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_nobody_judged_is_not_promoted() {
    let files = Files::new().await;
    let operated = files.operated(json!({}), "").await;
    files.write("next.wasm", 3);
    let promoted = operated.make(PROMOTE).await;
    // Unless the new file was loaded in this moment, it is refused, and never half done.
    match promoted.status {
        409 => {
            assert!(promoted.text().contains("has changed"), "{}", promoted.text());
            operated.runs(1).await;
        }
        200 => operated.runs(3).await,
        other => panic!("{other}: {}", promoted.text()),
    }
    operated.made("reload").await;
    if promoted.status == 409 {
        operated.made(PROMOTE).await;
    }
    operated.runs(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_is_over_once_the_entrys_own_file_has_it() {
    let files = Files::new().await;
    let operated = files.operated(json!({}), "").await;
    operated.made(PROMOTE).await;
    operated.runs(2).await;
    files.write("live.wasm", 2);
    operated.made("reload").await;
    operated.not_made(ROLL_BACK, 409, "nothing is promoted").await;
    // What is written into it from then on is live, beside whatever candidate.
    files.write("live.wasm", 3);
    files.write("next.wasm", 4);
    operated.made("reload").await;
    operated.runs(3).await;
    assert_eq!(operated.rule().await["state"], "live");
    operated.restart().await.runs(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_promotion_after_the_other_leads_back_to_the_entrys_own_file() {
    let files = Files::new().await;
    files.policy(&["keygen", "one", "--no-password"]);
    files.write_signed("live.wasm", 1, "one");
    files.write_signed("next.wasm", 2, "one");
    let operated = files.operated(json!({}), &files.trusting(&["one"])).await;
    operated.made(PROMOTE).await;
    files.write_signed("next.wasm", 3, "one");
    operated.made("reload").await;
    operated.runs(2).await;
    let rule = operated.rule().await;
    assert_eq!((&rule["state"], &rule["signed_by"]), (&json!("degraded"), &json!("one")));
    assert!(operated.gateway.health().await.to_string().contains("put it in the policy's own"));
    operated.made(PROMOTE).await;
    operated.runs(3).await;
    // An older signature, which counts again because going back was asked for.
    operated.made(ROLL_BACK).await;
    operated.runs(1).await;
    operated.restart().await.runs(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_version_does_not_outlive_its_key() {
    let files = Files::new().await;
    for key in ["one", "two"] {
        files.policy(&["keygen", key, "--no-password"]);
    }
    files.write_signed("live.wasm", 1, "one");
    files.write_signed("next.wasm", 2, "two");
    let operated = files.operated(json!({}), &files.trusting(&["one", "two"])).await;
    operated.made(PROMOTE).await;
    files.write_signed("next.wasm", 3, "one");
    operated.made("reload").await;
    operated.runs(2).await;
    // The key is trusted no more: what it signed runs no more from the state folder either.
    let configuration = files.configuration(json!({}), &files.trusting(&["one"]));
    operated.gateway.reconfigure(&configuration);
    operated.not_made("reload", 422, "roll it back").await;
    let refused = operated.gateway.restart().err().expect("a refusal");
    assert!(refused.output.contains("roll it back"), "{}", refused.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_pins_its_digest_takes_only_a_candidate_that_is_pinned() {
    let files = Files::new().await;
    let pins = |more: Value| {
        let mut pins = json!({"digest": hexadecimal(&version(1))});
        pins.as_object_mut().expect("one").extend(more.as_object().expect("one").clone());
        pins
    };
    let operated = files.operated(pins(json!({})), "").await;
    operated.not_made(PROMOTE, 409, "candidate_digest").await;
    operated.runs(1).await;
    let pinned = pins(json!({"candidate_digest": hexadecimal(&version(2))}));
    operated.gateway.reconfigure(&files.configuration(pinned, ""));
    operated.made("reload").await;
    operated.made(PROMOTE).await;
    operated.runs(2).await;
    operated.made(ROLL_BACK).await;
    operated.runs(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_promotions_at_once_one_is_made() {
    let files = Files::new().await;
    let operated = files.operated(json!({}), "").await;
    let (one, other) = tokio::join!(operated.make(PROMOTE), operated.make(PROMOTE));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.text(), other.text());
    operated.runs(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_after_a_promotion_loses_nothing() {
    let files = Files::new().await;
    let mut operated = files.operated(json!({}), "").await;
    for (change, mark) in [(PROMOTE, 2), (ROLL_BACK, 1), (PROMOTE, 2)] {
        operated.made(change).await;
        operated.gateway.kill();
        operated = operated.restart().await;
        operated.runs(mark).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_are_in_the_metrics() {
    let files = Files::new().await;
    let operated = files.operated(json!({"candidate_config": {"tag": "other"}}), "").await;
    operated.runs(1).await;
    let end = std::time::Instant::now() + SOON;
    let (counted, seconds) = (
        "ringfence_candidate_judgements_total{policy=\"rule\",result=\"words\"} 1",
        "ringfence_candidate_seconds_count{policy=\"rule\"} 1",
    );
    loop {
        let metrics = operated.gateway.metrics().await;
        if metrics.contains(counted) && metrics.contains(seconds) {
            return;
        }
        assert!(std::time::Instant::now() < end, "{metrics}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
