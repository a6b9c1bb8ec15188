//! The model that finds names: a further tier of detection, which never lets anything pass
//! because it is late.

use std::path::Path;

use ringfence_tests::client::{ask, ask_streamed};
use ringfence_tests::upstream::openai;
use ringfence_tests::{Configuration, Gateway, Policy, Upstream, ringfence_in};
use serde_json::json;
use tempfile::TempDir;

/// The small model that was made for tests, and what the configuration says of it.
fn section(more: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/local/fixtures/tagger");
    let folder = json!(folder);
    format!("[detect.model]\nfolder = {folder}\ndevice = \"cpu\"\n{more}\n")
}

fn redacting(cloud: &Upstream, more: &str) -> Configuration {
    Configuration::cloud(cloud).policy(Policy::embedded("redact-pii")).section(&section(more))
}

#[tokio::test(flavor = "multi_thread")]
async fn names_leave_as_placeholders_and_come_back() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&redacting(&cloud, "within_ms = 30000"));
    let text = "My name is Brilona Vanner and I live in Kroburg . vanner@example.org";
    for request in [ask(text), ask_streamed(text)] {
        let answer = gateway.chat(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.content(), format!("You wrote: {text}"));
        let sent = openai::last_user_text(&cloud.last());
        for entity in ["PERSON", "LOCATION", "EMAIL"] {
            assert!(sent.contains(&format!("[{entity}_")), "{entity}: {sent}");
        }
        for name in ["Brilona", "Vanner", "Kroburg", "vanner"] {
            cloud.assert_never_saw(name);
        }
    }
    let metrics = gateway.metrics().await;
    assert!(metrics.contains("model_detections_total{outcome=\"read\"} 2"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_have_the_names_that_the_operator_gives() {
    let cloud = Upstream::echo().await;
    let more = "within_ms = 30000\nentities = { PER = \"PATIENT\", LOC = \"\" }";
    let gateway = Gateway::start(&redacting(&cloud, more));
    let text = "My name is Brilona Vanner and I live in Kroburg .";
    assert_eq!(gateway.chat(&ask(text)).await.content(), format!("You wrote: {text}"));
    let sent = openai::last_user_text(&cloud.last());
    assert!(sent.contains("[PATIENT_") && sent.contains("Kroburg"), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_late_or_full_confines() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&redacting(&cloud, "within_ms = 5\nqueue = 1"));
    // Nobody reads so much in so short a time, so nothing leaves.
    let long = "Please call Brilona Vanner about the order before noon . ".repeat(4_000);
    let asks = (0..4).map(|_| ask(&long));
    let answers = asks.map(|ask| {
        let client = gateway.client().clone();
        tokio::spawn(async move { client.chat(&ask).await })
    });
    for answer in answers.collect::<Vec<_>>() {
        let answer = answer.await.expect("an answer");
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert!(answer.text().contains("unreadable"), "{}", answer.text());
    }
    cloud.assert_never_saw("Brilona");
    let metrics = gateway.metrics().await;
    assert!(metrics.contains("model_detections_total{outcome=\"late\"}"), "{metrics}");
    assert!(!metrics.contains("outcome=\"read\""), "{metrics}");
}

#[test]
fn a_policy_may_ask_for_what_the_model_finds_and_only_then() {
    let folder = TempDir::new().expect("a folder");
    let checked = |section: &str| {
        let text = format!(
            "state = \"state\"\n{section}\n[[targets]]\nname = \"a\"\nkind = \"openai\"\n\
             zone = \"premises\"\nbase_url = \"http://127.0.0.1:9/v1\"\nmodels = [\"m\"]\n\
             [[policies]]\nname = \"p\"\nembedded = \"redact-pii\"\nfindings = [\"PERSON\"]\n"
        );
        std::fs::write(folder.path().join("ringfence.toml"), text).expect("a file");
        ringfence_in(folder.path(), &[], &["check", "--config", "ringfence.toml"])
    };
    let refused = checked("");
    assert!(refused.stderr.contains("nothing finds \"PERSON\""), "{}", refused.output());
    let taken = checked(&section("")).succeeded();
    assert!(taken.stdout.contains("tagger, on CPU"), "{}", taken.stdout);
    for (more, says) in [
        ("entities = { MISC = \"OTHER\" }", "the model marks no \"MISC\""),
        ("entities = { PER = \"\", LOC = \"\", ORG = \"\" }", "none of the kinds"),
        ("entities = { PER = \"person\" }", "no name of an entity"),
        ("within_ms = 0", "within_ms is 0"),
        ("min_score = 2.0", "min_score is 2"),
        ("foldr = 1", "foldr"),
    ] {
        let refused = checked(&section(more));
        assert!(refused.stderr.contains(says), "{more}: {}", refused.output());
    }
    let none = checked("[detect.model]\nfolder = \"nowhere\"\n");
    assert!(none.stderr.contains("nowhere"), "{}", none.output());
}

#[test]
fn a_file_is_looked_at_with_the_model() {
    let folder = TempDir::new().expect("a folder");
    let text = format!(
        "state = \"state\"\n{}\n[[targets]]\nname = \"a\"\nkind = \"openai\"\nzone = \"premises\"\n\
         base_url = \"http://127.0.0.1:9/v1\"\nmodels = [\"m\"]\n",
        section("within_ms = 30000")
    );
    std::fs::write(folder.path().join("ringfence.toml"), text).expect("a file");
    std::fs::write(
        folder.path().join("a.txt"),
        "My name is Brilona Vanner and I live in Kroburg . a.b@example.org\n",
    )
    .expect("a file");
    let arguments = ["detect", "--config", "ringfence.toml", "--redacted", "a.txt"];
    let redacted = ringfence_in(folder.path(), &[], &arguments).succeeded().stdout;
    assert_eq!(redacted.trim(), "My name is [PERSON] and I live in [LOCATION] . [EMAIL]");
}
