//! The admin API and `ringfence status`: for who has the token, and nobody else.

use std::net::SocketAddr;
use std::time::Duration;

use ringfence_tests::client::{Answer, Client, ask};
use ringfence_tests::{Configuration, Gateway, Policy, Upstream, guests, replace, ringfence_in};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const TOKEN: &str = "rf-admin-0123456789";
const SOON: Duration = Duration::from_secs(10);

fn section() -> String {
    let digest: String =
        Sha256::digest(TOKEN.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("[admin]\naddress = \"127.0.0.1:0\"\ntoken_sha256 = \"{digest}\"\n")
}

/// A gateway with an admin API, and its policy's file in a folder.
struct Operated {
    gateway: Gateway,
    folder: TempDir,
    address: SocketAddr,
}

impl Operated {
    async fn start(cloud: &Upstream) -> Operated {
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("tagged.wasm");
        std::fs::write(&file, guests::bytes("tagged")).expect("a file");
        let policy = Policy::file("tagged", &file);
        let hostile = Policy::hostile("trap").monitored();
        let configuration = Configuration::cloud(cloud).policy(policy).policy(hostile);
        let gateway = Gateway::start(&configuration.section(&section()));
        assert!(gateway.wait_for_output("admin API listens", SOON).await);
        let output = gateway.output();
        let told = output.lines().find(|line| line.contains("admin API listens")).expect("a line");
        let (_, address) = told.split_once("address=").expect("an address");
        let address = address.split_whitespace().next().expect("an address");
        Operated { gateway, folder, address: address.parse().expect("an address") }
    }

    fn operator(&self) -> Client {
        Client::new(self.address).with_key(TOKEN)
    }

    async fn policies(&self) -> Value {
        let answer = self.operator().get("/admin/policies").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    async fn reload(&self) -> Answer {
        self.operator().post("/admin/reload", "").await
    }

    fn status(&self, more: &[&str]) -> ringfence_tests::Ran {
        let address = self.address.to_string();
        let token = [("RINGFENCE_ADMIN_TOKEN", TOKEN)];
        let command = [&["status", "--address", &address], more].concat();
        ringfence_in(self.folder.path(), &token, &command)
    }

    fn write(&self, bytes: &[u8]) {
        replace(&self.folder.path().join("tagged.wasm"), bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_policy_is_told_with_its_calls_and_failures() {
    let cloud = Upstream::echo().await;
    let operated = Operated::start(&cloud).await;
    for _ in 0..3 {
        let answer = operated.gateway.chat(&ask("the secret word is plover")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let told = operated.policies().await;
    let [tagged, hostile] = [&told["policies"][0], &told["policies"][1]];
    for (policy, name, mode, failures) in [
        (tagged, "tagged", "protect", json!({})),
        (hostile, "hostile", "monitor", json!({"trap": 3})),
    ] {
        assert_eq!(policy["name"], name);
        assert_eq!(policy["mode"], mode);
        assert_eq!(policy["state"], "live");
        assert_eq!(policy["calls"], 3);
        assert_eq!(policy["failures"], failures);
        assert_eq!(policy["contract"], "ringfence:policy@0.1.0");
        assert!(policy["p50_us"].as_u64() <= policy["p99_us"].as_u64(), "{policy}");
        assert_eq!(policy["digest"].as_str().map(str::len), Some(64), "{policy}");
        assert!(policy["file"].as_str().is_some_and(|file| file.ends_with(".wasm")), "{policy}");
        assert!(policy["live_since"].as_u64().is_some_and(|since| since > 1_700_000_000));
    }
    assert!(!told.to_string().contains("plover"));
    let status = operated.operator().get("/admin/status").await.json();
    assert_eq!(status["status"], "ok");
    assert_eq!(status["targets"][0]["name"], "cloud");
    assert_eq!(status["targets"][0]["state"], "ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_told_nothing() {
    let cloud = Upstream::echo().await;
    let operated = Operated::start(&cloud).await;
    let stranger = Client::new(operated.address);
    let pretender = Client::new(operated.address).with_key("rf-admin-9876543210");
    for client in [stranger, pretender] {
        for path in ["/admin/status", "/admin/policies", "/elsewhere"] {
            let answer = client.get(path).await;
            assert_eq!(answer.status, 401, "{path}");
            assert!(!answer.text().contains("tagged"), "{}", answer.text());
        }
        assert_eq!(client.post("/admin/reload", "").await.status, 401);
    }
    // The port of the clients knows nothing of it, whoever asks.
    let outside = operated.gateway.client().with_key(TOKEN);
    for path in ["/admin/status", "/admin/policies"] {
        assert_eq!(outside.get(path).await.status, 404, "{path}");
    }
    assert_eq!(outside.post("/admin/reload", "").await.status, 404);
    // And the admin API answers no client.
    assert_eq!(operated.operator().chat(&ask("hello")).await.status, 404);
    cloud.assert_untouched();
    assert_eq!(operated.operator().get("/admin/reload").await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_is_answered_when_it_has_taken_place() {
    let cloud = Upstream::echo().await;
    let operated = Operated::start(&cloud).await;
    let before = operated.policies().await;
    let mut bytes = guests::bytes("tagged");
    bytes.extend_from_slice(&[0, 3, 1, b'x', 1]);
    operated.write(&bytes);
    let reloaded = operated.reload().await;
    assert_eq!(reloaded.status, 200, "{}", reloaded.text());
    let after = operated.policies().await;
    assert_eq!(reloaded.json()["chain"], after["chain"]);
    assert_ne!(before["policies"][0]["digest"], after["policies"][0]["digest"]);
    assert_eq!(before["policies"][1], after["policies"][1]);

    // What is refused changes nothing, and says why.
    operated.write(b"\0asm no more");
    let refused = operated.reload().await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(refused.text().contains("the policy `tagged`"), "{}", refused.text());
    let told = operated.policies().await;
    assert_eq!(told["chain"], after["chain"]);
    assert_eq!(told["policies"][0]["state"], "refused");
    assert_eq!(told["policies"][0]["digest"], after["policies"][0]["digest"]);
    assert!(told["policies"][0]["refused"]["why"].as_str().is_some_and(|why| !why.is_empty()));
    operated.status(&[]).failed_with(&["needs an operator"]);

    operated.write(&bytes);
    assert_eq!(operated.reload().await.status, 200);
    let told = operated.policies().await;
    assert_eq!(told["policies"][0]["state"], "live");
    assert_eq!(told["policies"][0]["refused"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_reloads_too() {
    let cloud = Upstream::echo().await;
    let operated = Operated::start(&cloud).await;
    let before = operated.gateway.metrics().await;
    assert!(!before.contains("reloads_total{result=\"loaded\"}"), "{before}");
    operated.gateway.hang_up();
    let end = std::time::Instant::now() + SOON;
    while !operated.gateway.metrics().await.contains("reloads_total{result=\"loaded\"} 1") {
        assert!(std::time::Instant::now() < end, "{}", operated.gateway.output());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_is_a_table_for_people_and_json_for_programs() {
    let cloud = Upstream::echo().await;
    let operated = Operated::start(&cloud).await;
    operated.gateway.chat(&ask("hello")).await;
    let table = operated.status(&[]).succeeded().stdout;
    for words in ["tagged", "live", "hostile", "cloud", "ready", "up 0 min"] {
        assert!(table.contains(words), "{words}: {table}");
    }
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let json: Value =
        serde_json::from_str(&operated.status(&["--json"]).succeeded().stdout).expect("JSON");
    assert_eq!(json["policies"][1]["failures"]["trap"], 1);

    let address = operated.address.to_string();
    let asked = |address: &str, variables: &[(&str, &str)]| {
        ringfence_in(operated.folder.path(), variables, &["status", "--address", address])
    };
    asked(&address, &[]).failed_with(&["RINGFENCE_ADMIN_TOKEN", "--token-file"]);
    asked(&address, &[("RINGFENCE_ADMIN_TOKEN", "wrong")]).failed_with(&["does not take"]);
    let nobody = Upstream::absent().await.to_string();
    asked(&nobody, &[("RINGFENCE_ADMIN_TOKEN", TOKEN)]).failed_with(&["no gateway answers"]);
    let clients = operated.gateway.address().to_string();
    asked(&clients, &[("RINGFENCE_ADMIN_TOKEN", TOKEN)]).failed_with(&["is no admin API"]);
}

#[test]
fn a_bad_admin_section_is_told_before_a_port_is_bound() {
    let folder = TempDir::new().expect("a folder");
    let digest = "ab".repeat(32);
    let checked = |section: &str| {
        let text = format!(
            "state = \"state\"\n[admin]\n{section}\n[server]\naddress = \"127.0.0.1:9090\"\n\
             [[targets]]\nname = \"a\"\nkind = \"openai\"\nzone = \"premises\"\n\
             base_url = \"http://127.0.0.1:9/v1\"\nmodels = [\"m\"]\n"
        );
        std::fs::write(folder.path().join("ringfence.toml"), text).expect("a file");
        ringfence_in(folder.path(), &[], &["check", "--config", "ringfence.toml"])
    };
    checked(&format!("address = \"127.0.0.1:9091\"\ntoken_sha256 = \"{digest}\"")).succeeded();
    for (section, says) in [
        (format!("token_sha256 = \"{digest}\""), "[admin] has no address"),
        ("address = \"127.0.0.1:9091\"".to_owned(), "[admin] has no token_sha256"),
        (format!("address = \"here\"\ntoken_sha256 = \"{digest}\""), "address is \"here\""),
        (format!("address = \"127.0.0.1:9090\"\ntoken_sha256 = \"{digest}\""), "same address"),
        ("address = \"127.0.0.1:9091\"\ntoken_sha256 = \"short\"".to_owned(), "is no digest"),
        (format!("adress = \"x\"\ntoken_sha256 = \"{digest}\""), "adress"),
    ] {
        let refused = checked(&section);
        assert!(refused.stderr.contains(says), "{says}: {}", refused.output());
        assert!(!refused.stderr.contains("\"short\""), "{}", refused.output());
    }
}
