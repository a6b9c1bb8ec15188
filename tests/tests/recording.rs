//! `ringfence policy run --record` and `--replay`, and the instructions that `bench` counts:
//! what a pipeline holds a policy to.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ringfence_tests::client::ask;
use ringfence_tests::{guests, ringfence};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What must be in a recording and in no message about it.
const SECRET: &str = "canary-7d2f@example.org";

struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Desk {
        let desk = Desk { folder: TempDir::new().expect("a folder") };
        let request = ask(&format!("Write to {SECRET}")).to_string();
        std::fs::write(desk.path("request.json"), request).expect("a file");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn word(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Records a policy over the request.
    fn record(&self, policy: &Path, name: &str) -> ringfence_tests::Ran {
        let (policy, request) = (policy.display().to_string(), self.word("request.json"));
        let arguments = ["policy", "run", &policy, &request, "--record", &self.word(name)];
        ringfence(&arguments.map(str::to_owned))
    }

    fn replay(&self, policy: &Path, name: &str) -> ringfence_tests::Ran {
        let arguments = ["policy", "run", policy.to_str().expect("a path"), "--replay"];
        ringfence(&[&arguments.map(str::to_owned)[..], &[self.word(name)]].concat())
    }

    fn read(&self, name: &str) -> Value {
        let text = std::fs::read_to_string(self.path(name)).expect("a recording");
        serde_json::from_str(&text).expect("JSON")
    }

    fn write(&self, name: &str, json: &Value) {
        std::fs::write(self.path(name), json.to_string()).expect("a file");
    }
}

fn shipped(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/dist");
    folder.join(format!("{name}.wasm"))
}

#[test]
fn a_recording_says_the_same_again_and_tells_departures() {
    let desk = Desk::new();
    let counting = guests::path("counting");
    desk.record(&counting, "a.json").succeeded();
    let recorded = desk.read("a.json");
    assert!(recorded["request"].to_string().contains(SECRET), "{recorded}");
    assert!(recorded["calls"][0]["asked"]["state.add"].is_object(), "{recorded}");
    let mode = std::fs::metadata(desk.path("a.json")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let replayed = desk.replay(&counting, "a.json").succeeded();
    assert!(!replayed.stdout.contains("another file"), "{}", replayed.stdout);

    // Another world: the counter that the recording tells is full.
    let mut full = recorded.clone();
    for call in full["calls"].as_array_mut().expect("calls") {
        if call["asked"].get("state.add").is_some() {
            call["answer"] = json!(1e9);
        }
    }
    desk.write("full.json", &full);
    desk.replay(&counting, "full.json").failed_with(&["something else than was recorded"]);

    // Another argument has no answer, and the place is told.
    let mut other = recorded.clone();
    other["calls"][0]["asked"]["state.add"]["key"] = json!("another key");
    desk.write("other.json", &other);
    desk.replay(&counting, "other.json").failed_with(&["another key", "leaves the recording at"]);

    // Another file may judge it, and is told.
    let mut stranger = recorded.clone();
    stranger["policy"]["digest"] = json!("00".repeat(32));
    desk.write("stranger.json", &stranger);
    let told = desk.replay(&counting, "stranger.json").succeeded();
    assert!(told.stdout.contains("another file"), "{}", told.stdout);
}

#[test]
fn a_shipped_policy_is_recorded_with_its_findings() {
    let desk = Desk::new();
    let policy = shipped("redact-pii");
    desk.record(&policy, "a.json").succeeded();
    let recorded = desk.read("a.json");
    assert_eq!(recorded["request"]["findings"][0]["entity"], "EMAIL", "{recorded}");
    assert_eq!(recorded["said"]["edits"][0]["entity"], "EMAIL", "{recorded}");
    desk.replay(&policy, "a.json").succeeded();
    // A policy that makes no such edits says something else.
    desk.replay(&shipped("spill-to-cloud"), "a.json")
        .failed_with(&["something else than was recorded", "another file"]);
}

#[test]
fn a_recording_is_written_over_nothing() {
    let desk = Desk::new();
    std::fs::write(desk.path("taken.json"), "kept").expect("a file");
    std::os::unix::fs::symlink("/nowhere/at/all", desk.path("link.json")).expect("a link");
    for name in ["taken.json", "link.json"] {
        desk.record(&guests::path("counting"), name).failed_with(&[name, "exists already"]);
    }
    assert_eq!(std::fs::read(desk.path("taken.json")).expect("a file"), b"kept");
    // What cannot be replayed is told, and quotes no text.
    for (text, words) in [
        ("", "line 1"),
        ("{\"recording\": 7}", "form 7"),
        (&format!("{{\"recording\": 1, \"policy\": \"{SECRET}\"}}"), "line 1"),
    ] {
        std::fs::write(desk.path("bad.json"), text).expect("a file");
        let ran = desk.replay(&guests::path("counting"), "bad.json").failed_with(&[words]);
        assert!(!ran.output().contains(SECRET), "{}", ran.output());
    }
    desk.replay(&guests::path("counting"), "absent.json").failed_with(&["absent.json"]);
    // One or the other.
    let (policy, request) = (guests::path("counting"), desk.word("request.json"));
    let policy = policy.to_str().expect("a path");
    for arguments in [
        vec!["policy", "run", policy],
        vec!["policy", "run", policy, &request, "--replay", &request],
        vec!["policy", "run", policy, "--replay", &request, "--grants", "text"],
    ] {
        assert_eq!(ringfence(&arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn instructions_are_the_same_in_every_run_and_hold_a_bound() {
    let policy = shipped("spill-to-cloud");
    let policy = policy.to_str().expect("a path");
    let counts = || -> Vec<u64> {
        let ran = ringfence(&["policy", "bench", policy, "--json"]).succeeded();
        let json: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let prompts = json["prompts"].as_array().expect("prompts").iter();
        prompts.map(|one| one["instructions"].as_u64().expect("a count")).collect()
    };
    let first = counts();
    assert_eq!(first.len(), 3);
    assert!(first[0] > 0, "{first:?}");
    assert_eq!(counts(), first);

    let at_most = |bound: String| ringfence(&["policy", "bench", policy, "--at-most", &bound]);
    at_most(first[0].to_string()).succeeded();
    at_most(format!("256KB={}", first[2])).succeeded();
    let over = (first[0] - 1).to_string();
    let ran = at_most(over.clone()).failed_with(&[&first[0].to_string(), &over, "1 KB"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("instructions"), "{}", ran.stdout);
    assert_eq!(at_most("2KB=1".to_owned()).code, 2);
}
