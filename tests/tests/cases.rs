//! Cases: held by the command line in the real sandbox, and before a policy goes live.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ringfence_tests::client::ask;
use ringfence_tests::{
    Configuration, Gateway, Policy, Upstream, books, guests, replace, ringfence,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a change may take until it is in force.
const SOON: Duration = Duration::from_secs(10);

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// A folder with the guest that says what it is told, as `policy.wasm`.
struct Own {
    folder: TempDir,
}

impl Own {
    fn new() -> Own {
        let own = Own { folder: TempDir::new().expect("a folder") };
        std::fs::copy(guests::path("tagged"), own.file("policy.wasm")).expect("a copy");
        own
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        std::fs::write(self.file(name), content).expect("a file");
        self.file(name)
    }

    /// The same policy with another digest.
    fn replace(&self, mark: u8) {
        let mut bytes = guests::bytes("tagged");
        bytes.extend_from_slice(&[0, 3, 1, b'x', mark]);
        replace(&self.file("policy.wasm"), &bytes);
    }

    fn run(&self, command: &str, more: &[&str]) -> ringfence_tests::Ran {
        let file = self.file("policy.wasm");
        ringfence(&[&["policy", command, text(&file)], more].concat())
    }
}

/// One case that holds for the guest, or does not, and says so on line 4.
fn cases(holds: bool) -> String {
    let label = if holds { "here" } else { "elsewhere" };
    format!(
        "[\n  {{\"name\": \"first\", \"expect\": {{}}}},\n\n  {{\"name\": \"second\", \"config\": \
         {{\"tag\": \"here\"}},\n   \"expect\": {{\"labels\": [\"{label}\"]}}}}\n]\n"
    )
}

/// A component with a custom section.
fn with_section(bytes: &[u8], name: &str, data: &[u8]) -> Vec<u8> {
    let number = |mut number: usize, out: &mut Vec<u8>| {
        while number >= 0x80 {
            out.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        out.push(number as u8);
    };
    let mut section = Vec::new();
    number(name.len(), &mut section);
    section.extend_from_slice(name.as_bytes());
    section.extend_from_slice(data);
    let mut whole = bytes.to_vec();
    whole.push(0);
    number(section.len(), &mut whole);
    whole.extend(section);
    whole
}

#[test]
fn shipped_policies_hold_their_cases_in_the_sandbox() {
    for policy in
        ["redact-pii", "redact-answers", "keep-sensitive-local", "spill-to-cloud", "quality-first"]
    {
        let file = root().join("policies/dist").join(format!("{policy}.wasm"));
        let cases = root().join("policies").join(policy).join("cases.json");
        let ran = ringfence(&["policy", "test", text(&file), text(&cases)]).succeeded();
        let written: Vec<Value> =
            serde_json::from_slice(&std::fs::read(&cases).expect("a file")).expect("JSON");
        let summary = format!("{} cases hold", written.len());
        assert!(ran.stdout.contains(&summary), "{}", ran.output());
    }
}

#[test]
fn what_does_not_hold_is_told_with_its_place() {
    let own = Own::new();
    for (name, content) in [
        ("c.json", cases(false)),
        ("c.yaml", "# a comment\n- {name: first, expect: {}}\n\n- name: second\n  config: {tag: here}\n  expect:\n    labels: [elsewhere]\n".to_owned()),
    ] {
        let path = own.write(name, &content);
        let ran = own.run("test", &[text(&path)]);
        let place = format!("{name}:4");
        let ran = ran.failed_with(&["1 of 2 cases do not hold", &place, "second", "here", "elsewhere"]);
        assert!(ran.stdout.contains("holds   first"), "{}", ran.output());
    }
    // Traps and nonsense are told, and so is a policy that does not load at all.
    let file = guests::path("hostile");
    for (behave, said) in [("trap", "trap"), ("bad-span", "out of range"), ("loop", "deadline")] {
        let case = json!([{"name": "x", "config": {"behave": behave}, "expect": {},
            "request": {"segments": ["hello"]}}]);
        let path = own.write("hostile.json", &case.to_string());
        ringfence(&["policy", "test", text(&file), text(&path)]).failed_with(&[said]);
        ringfence(&["policy", "test", text(&file), text(&path), "--update"])
            .failed_with(&["nothing is written"]);
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), case.to_string());
    }
    let path = own.write("c.json", &cases(true));
    let other = guests::path("wrong-version");
    ringfence(&["policy", "test", text(&other), text(&path)]).failed_with(&["0.1.0"]);
}

#[test]
fn mistakes_in_cases_have_a_file_and_a_line() {
    let own = Own::new();
    for (name, content, place, expected) in [
        ("a.json", "[\n{\"name\": \"x\",\n\"expekt\": {}}]", "a.json:3", "expected one of"),
        ("a.yaml", "- name: x\n  expect:\n    permit: moon\n", "a.yaml:", "permit is any"),
        ("b.json", "{}", "b.json:1", "list of cases"),
        ("b.yaml", "- &a\n- *a\n", "b.yaml:2", "alias"),
    ] {
        let path = own.write(name, content);
        own.run("test", &[text(&path)]).failed_with(&[place, expected]);
    }
    own.run("test", &["/nowhere.json"]).failed_with(&["/nowhere.json"]);
    own.run("test", &[]).failed_with(&["policy.cases.json", "policy.cases.yaml"]);
}

#[test]
fn an_update_shows_what_it_writes_and_nothing_else_changes() {
    let own = Own::new();
    let path = own.write("c.json", &cases(false));
    let ran = own.run("test", &[text(&path), "--update"]).succeeded();
    for line in [
        "c.json:4 second",
        "- expect: {\"labels\":[\"elsewhere\"]}",
        "+ expect: {\"labels\":[\"here\"]}",
    ] {
        assert!(ran.stdout.contains(line), "no {line} in {}", ran.stdout);
    }
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), cases(true));
    own.run("test", &[text(&path)]).succeeded();
}

#[test]
fn checking_says_what_the_loader_would_say() {
    let own = Own::new();
    let good = own.run("check", &[]).succeeded().stdout;
    for word in ["ringfence:policy@0.1.0", "from a snapshot", "cases", "none", "go live"] {
        assert!(good.contains(word), "no {word} in {good}");
    }
    own.run("check", &["--settings", r#"{"unheard": 1}"#]).failed_with(&["refuses", "unheard"]);
    own.run("check", &["--settings", "[]"]).failed_with(&["JSON object"]);
    own.run("check", &["--grants", "network"]).failed_with(&["network", "text"]);
    own.run("check", &["--settings", r#"{"needs": ["text"]}"#, "--grants", "findings"])
        .failed_with(&["needs grants", "text"]);
    own.run("check", &["--require-cases"]).failed_with(&["no cases", "policy.cases.json"]);
    own.write("policy.cases.json", &cases(false));
    own.run("check", &[]).failed_with(&["1 of its own 2 cases do not hold", "line 4"]);
    own.write("policy.cases.json", &cases(true));
    let good = own.run("check", &["--require-cases"]).succeeded().stdout;
    assert!(good.contains("2 hold"), "{good}");
    let file = guests::path("counting");
    ringfence(&["policy", "check", text(&file), "--grants", "text"])
        .failed_with(&["not granted: state"]);
    let file = guests::path("responding");
    ringfence(&["policy", "check", text(&file)]).succeeded();
}

#[test]
fn cases_may_be_carried_in_the_component() {
    let own = Own::new();
    for (cases, holds) in [(cases(true), true), (cases(false), false), ("{}".to_owned(), false)] {
        let carried = with_section(&guests::bytes("tagged"), "ringfence:cases", cases.as_bytes());
        replace(&own.file("policy.wasm"), &carried);
        for command in ["check", "test"] {
            let ran = own.run(command, &[]);
            match holds {
                true => {
                    ran.succeeded();
                }
                false => {
                    ran.failed_with(&["the cases in the component"]);
                }
            }
        }
    }
}

#[test]
fn one_request_is_judged_with_the_detectors() {
    let own = Own::new();
    let body = ask("I am bob.builder@example.org").to_string();
    let request = own.write("request.json", &body);
    let redact = root().join("policies/dist/redact-pii.wasm");
    let run = |more: &[&str]| {
        ringfence(&[&["policy", "run", text(&redact), text(&request)], more].concat())
    };
    let shown = run(&[]).succeeded().stdout;
    for word in ["EMAIL 1", "pseudonymise", "took"] {
        assert!(shown.contains(word), "no {word} in {shown}");
    }
    let said: Value = serde_json::from_str(&run(&["--json"]).succeeded().stdout).expect("JSON");
    assert_eq!(said["edits"][0]["text"], "bob.builder@example.org");
    // What is printed is what a case expects.
    let id = &said["edits"][0]["segment"];
    assert!(id.is_u64(), "{said}");
    run(&["--grants", "text"]).failed_with(&["findings"]);
    run(&["--label", "novalue"]).failed_with(&["NAME=VALUE"]);
    let restricted = root().join("policies/dist/keep-sensitive-local.wasm");
    let arguments = ["policy", "run", text(&restricted), text(&request), "--json"];
    let restricted = ringfence(&[&arguments[..], &["--label", "data=restricted"]].concat());
    assert!(
        restricted.clone().succeeded().stdout.contains("caller_restricted"),
        "{}",
        restricted.output()
    );
    own.write("request.json", "{");
    run(&[]).failed_with(&["request.json", "no request"]);
}

#[test]
fn a_bench_measures_every_size() {
    let own = Own::new();
    let shown = own.run("bench", &[]).succeeded().stdout;
    for word in ["configured", "1 KB", "32 KB", "256 KB", "median", "p99"] {
        assert!(shown.contains(word), "no {word} in {shown}");
    }
    let file = guests::path("hostile");
    ringfence(&["policy", "bench", text(&file), "--settings", r#"{"behave": "trap"}"#])
        .failed_with(&["failed", "trap"]);
}

fn configuration(cloud: &Upstream, own: &Own) -> Configuration {
    let policy = Policy::file("own", own.file("policy.wasm")).config(json!({"tag": "live"}));
    Configuration::cloud(cloud).policy(policy)
}

/// The digest of the policy that judges now.
async fn running(gateway: &Gateway) -> String {
    let answer = gateway.chat(&ask("hello")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let decision = answer.header("x-ringfence-decision").expect("a decision").to_owned();
    let departure = books::of(&gateway.ledger(), "departure", &decision).remove(0);
    departure["judgements"][0]["digest"].as_str().expect("a digest").to_owned()
}

async fn until(gateway: &Gateway, what: &str, met: impl Fn(&Value) -> bool) {
    let end = Instant::now() + SOON;
    loop {
        let health = gateway.health().await;
        if met(&health) {
            return;
        }
        assert!(Instant::now() < end, "{what}: {health}\n{}", gateway.output());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_fails_its_own_cases_never_goes_live() {
    let cloud = Upstream::says("hi").await;
    let own = Own::new();
    own.write("policy.cases.json", &cases(false));
    let refused = Gateway::try_start(&configuration(&cloud, &own)).err().expect("a refusal");
    for word in ["own", "1 of its own 2 cases do not hold", "policy.cases.json, line 4"] {
        assert!(refused.output.contains(word), "no {word} in {}", refused.output);
    }

    own.write("policy.cases.json", &cases(true));
    let gateway = Gateway::start(&configuration(&cloud, &own));
    let first = running(&gateway).await;
    // What runs goes on, whatever its cases say now; what is new does not come in.
    own.write("policy.cases.json", &cases(false));
    own.replace(1);
    let refused = |health: &Value| health["troubles"].to_string().contains("do not hold");
    until(&gateway, "not refused", refused).await;
    assert_eq!(running(&gateway).await, first);
    // Across a restart too: the last good one is stored.
    let gateway = gateway.restart().unwrap_or_else(|refused| panic!("{}", refused.output));
    assert_eq!(running(&gateway).await, first);
    until(&gateway, "not refused at the start", refused).await;

    own.write("policy.cases.json", &cases(true));
    until(&gateway, "not mended", |health| health["status"] == "ok").await;
    assert_ne!(running(&gateway).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_can_be_required() {
    let cloud = Upstream::says("hi").await;
    let own = Own::new();
    let required = || {
        let embedded = Policy::embedded("redact-pii");
        configuration(&cloud, &own).policy(embedded).top("require_cases = true")
    };
    let refused = Gateway::try_start(&required()).err().expect("a refusal");
    for word in ["own", "no cases", "policy.cases.yaml"] {
        assert!(refused.output.contains(word), "no {word} in {}", refused.output);
    }
    let wrong = configuration(&cloud, &own).top("require_cases = \"yes\"");
    let refused = Gateway::try_start(&wrong).err().expect("a refusal");
    assert!(refused.output.contains("write true or false"), "{}", refused.output);

    own.write("policy.cases.yaml", "- {name: anything goes, expect: {}}\n");
    let gateway = Gateway::start(&required());
    running(&gateway).await;
    // A configuration that begins to require them refuses what runs without.
    let bare = Own::new();
    let gateway = Gateway::start(&configuration(&cloud, &bare));
    let first = running(&gateway).await;
    gateway.reconfigure(&configuration(&cloud, &bare).top("require_cases = true"));
    until(&gateway, "not refused", |health| {
        health["troubles"].to_string().contains("has no cases")
    })
    .await;
    assert_eq!(running(&gateway).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_predecessor_runs_only_where_its_own_cases_held() {
    let cloud = Upstream::says("hi").await;
    let own = Own::new();
    own.write("policy.cases.json", &cases(true));
    let gateway = Gateway::start(&configuration(&cloud, &own));
    let first = running(&gateway).await;
    // The file that fails its cases is no predecessor of itself.
    own.write("policy.cases.json", &cases(false));
    let refused = gateway.restart().err().expect("a refusal");
    assert!(refused.output.contains("do not hold"), "{}", refused.output);

    let strict = |own: &Own| configuration(&cloud, own).top("require_cases = true");
    own.write("policy.cases.json", &cases(true));
    let gateway = Gateway::start(&strict(&own));
    assert_eq!(running(&gateway).await, first);
    // What was proved once stands in for a broken file, without its cases too.
    std::fs::remove_file(own.file("policy.cases.json")).expect("a file less");
    own.write("policy.wasm", "broken");
    let gateway = gateway.restart().unwrap_or_else(|refused| panic!("{}", refused.output));
    assert_eq!(running(&gateway).await, first);
    drop(gateway);

    // What was never proved does not.
    let bare = Own::new();
    let gateway = Gateway::start(&configuration(&cloud, &bare));
    running(&gateway).await;
    bare.write("policy.wasm", "broken");
    gateway.reconfigure(&strict(&bare));
    let refused = gateway.restart().err().expect("a refusal");
    assert!(refused.output.contains("own"), "{}", refused.output);
}
