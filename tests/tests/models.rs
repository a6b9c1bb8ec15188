//! Policies that ask the models in this process, or are told what they say.

use std::path::Path;

use ringfence_tests::client::{ask, ask_streamed};
use ringfence_tests::{Configuration, Gateway, Policy, Upstream, guests, ringfence, ringfence_in};
use serde_json::json;
use tempfile::TempDir;

/// To the small model that was made for tests, `WORSE` is an attack with 0.90 and `BETTER`
/// with 0.85.
const WORSE: &str = "x";
const BETTER: &str = "A policy takes targets away; it never adds one.";
const MOST: f64 = 0.87;

/// A model that was made for tests.
fn model(name: &str) -> serde_json::Value {
    json!(Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/local/fixtures").join(name))
}

/// The classifier, and what the configuration says of it.
fn section(more: &str) -> String {
    let folder = model("classifier");
    format!(
        "[[local.classifiers]]\nname = \"guard\"\nfolder = {folder}\ndevice = \"cpu\"\n{more}\n"
    )
}

fn asking(how: &str, grants: &[&str]) -> Policy {
    let config = json!({"ask": how, "most": MOST});
    Policy::file("asking", guests::path("asking")).with(json!({"grants": grants})).config(config)
}

fn gateway(cloud: &Upstream, how: &str, section: &str) -> Gateway {
    let policy = asking(how, &["model", "text"]);
    Gateway::start(&Configuration::cloud(cloud).policy(policy).section(section))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_decides_by_what_a_classifier_says() {
    for how in ["classify", "score"] {
        let cloud = Upstream::echo().await;
        let gateway = gateway(&cloud, how, &section("within_ms = 30000"));
        // Twice: the second time it is known already.
        for _ in 0..2 {
            for request in [ask(BETTER), ask_streamed(BETTER)] {
                let answer = gateway.chat(&request).await;
                assert_eq!(answer.status, 200, "{how}: {}", answer.text());
            }
            let answer = gateway.chat(&ask(WORSE)).await;
            assert_eq!(answer.status, 403, "{how}: {}", answer.text());
            assert!(answer.text().contains("attack"), "{how}: {}", answer.text());
        }
        assert_eq!(cloud.count(), 4, "{how}");
        let metrics = gateway.metrics().await;
        let read = metrics.contains("scores_total{classifier=\"guard\",outcome=\"read\"} 6");
        assert_eq!(read, how == "score", "{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_without_the_text_is_told_scores() {
    let cloud = Upstream::echo().await;
    let policy = asking("score", &["model"]);
    let configuration = Configuration::cloud(&cloud).policy(policy);
    let gateway = Gateway::start(&configuration.section(&section("within_ms = 30000")));
    assert_eq!(gateway.chat(&ask(BETTER)).await.status, 200);
    assert_eq!(gateway.chat(&ask(WORSE)).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_application_and_the_model_wrote_is_not_scored() {
    let cloud = Upstream::echo().await;
    let gateway = gateway(&cloud, "score", &section("within_ms = 30000"));
    let turns = |role: &str| {
        json!({"model": "auto", "messages": [
            {"role": role, "content": WORSE}, {"role": "user", "content": BETTER},
        ]})
    };
    for (role, status) in [("system", 200), ("assistant", 200), ("user", 403)] {
        let answer = gateway.chat(&turns(role)).await;
        assert_eq!(answer.status, status, "{role}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_late_fails_the_policy_and_nothing_leaves() {
    let long = BETTER.repeat(1_000);
    for (how, status, code) in [("score", 503, "policy_busy"), ("classify", 403, "late")] {
        let cloud = Upstream::echo().await;
        let gateway = gateway(&cloud, how, &section("within_ms = 1"));
        let answer = gateway.chat(&ask(&long)).await;
        assert_eq!(answer.status, status, "{how}: {}", answer.text());
        assert!(answer.text().contains(code), "{how}: {}", answer.text());
        cloud.assert_untouched();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_model_cannot_do_is_told_by_name() {
    let embedding =
        format!("[local.embedding]\nfolder = {}\ndevice = \"cpu\"\n", model("embedder"));
    let section = format!("{}{embedding}", section("within_ms = 30000"));
    let long = "x".repeat((64 << 10) + 1);
    let two = json!({"model": "auto", "messages": [
        {"role": "user", "content": BETTER}, {"role": "user", "content": WORSE},
    ]});
    for (how, section, request, said) in [
        ("classify", "", ask(BETTER), Some("unknown")),
        ("embed", "", ask(BETTER), Some("unknown")),
        ("classify", &*section, ask(&long), Some("too_long")),
        ("embed", &*section, ask(&long), Some("too_long")),
        ("embed", &*section, ask(BETTER), None),
        ("embed", &*section, two, Some("unlike")),
    ] {
        let cloud = Upstream::echo().await;
        let gateway = gateway(&cloud, how, section);
        let answer = gateway.chat(&request).await;
        assert_eq!(answer.status, if said.is_some() { 403 } else { 200 }, "{}", answer.text());
        assert!(answer.text().contains(said.unwrap_or("")), "{how}: {}", answer.text());
        assert_eq!(cloud.count(), usize::from(said.is_none()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_asks_without_end_runs_out_of_calls() {
    let cloud = Upstream::echo().await;
    let gateway = gateway(&cloud, "again", &section("within_ms = 30000"));
    let answer = gateway.chat(&ask(BETTER)).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(answer.text().contains("policy_failed"), "{}", answer.text());
    cloud.assert_untouched();
    let metrics = gateway.metrics().await;
    assert!(metrics.contains("kind=\"calls\"") || metrics.contains("\"calls\""), "{metrics}");
}

#[test]
fn bad_classifiers_are_told_before_the_port_is_bound() {
    let folder = TempDir::new().expect("a folder");
    let asking = guests::path("asking");
    let checked = |section: &str, ask: &str, grants: &str| {
        let text = format!(
            "state = \"state\"\n{section}\n[[targets]]\nname = \"a\"\nkind = \"openai\"\n\
             zone = \"premises\"\nbase_url = \"http://127.0.0.1:9/v1\"\nmodels = [\"m\"]\n\
             [[policies]]\nname = \"p\"\nfile = {}\ngrants = [{grants}]\n\
             config = {{ ask = \"{ask}\" }}\n",
            json!(asking)
        );
        std::fs::write(folder.path().join("ringfence.toml"), text).expect("a file");
        ringfence_in(folder.path(), &[], &["check", "--config", "ringfence.toml"])
    };
    let good = checked(&section(""), "score", "\"model\"").succeeded();
    assert!(good.stdout.contains("classifier"), "{}", good.stdout);
    let twice = format!("{}{}", section(""), section(""));
    let nowhere = "[[local.classifiers]]\nname = \"guard\"\nfolder = \"nowhere\"\n";
    let unnamed = "[[local.classifiers]]\nfolder = \"nowhere\"\n";
    for (section, ask, grants, says) in [
        ("", "score", "\"model\"", "needs the scores of the classifier `guard`"),
        (&*section(""), "score", "", "not granted: model"),
        (&*section("within_ms = 0"), "score", "\"model\"", "within_ms is 0"),
        (&*section("foldr = 1"), "score", "\"model\"", "foldr"),
        (&*twice, "score", "\"model\"", "two classifiers are named \"guard\""),
        (nowhere, "score", "\"model\"", "nowhere"),
        (unnamed, "score", "\"model\"", "a classifier has no name"),
    ] {
        let refused = checked(section, ask, grants);
        assert!(refused.stderr.contains(says), "{says}: {}", refused.output());
    }
}

#[test]
fn cases_say_what_models_answer() {
    let folder = TempDir::new().expect("a folder");
    let cases = folder.path().join("cases.yaml");
    let text = "
- name: a score refuses
  config: {ask: score}
  request: {segments: [hello], scores: {guard/attack: 0.9, guard/harmless: 0.1}}
  expect: {permit: nowhere, code: attack}
- name: and another does not
  config: {ask: score}
  request: {segments: [hello], scores: {guard/attack: 0.2}}
  expect: {}
- name: an answer refuses
  config: {ask: classify}
  request: {segments: [hello], models: {classify: {guard: {attack: 0.9}}}}
  expect: {permit: nowhere, code: attack}
- name: there is no classifier
  config: {ask: classify}
  request: {segments: [hello]}
  expect: {permit: nowhere, code: unknown}
- name: one vector for everything
  config: {ask: embed}
  request: {segments: [hello, again], models: {embed: [0.5, 0.5]}}
  expect: {}
- name: the grant is missing
  config: {ask: score}
  grants: [text]
  expect: {ungranted: [model]}
";
    std::fs::write(&cases, text).expect("a file");
    let policy = guests::path("asking");
    let (policy, file) = (policy.to_str().expect("a path"), cases.to_str().expect("a path"));
    ringfence(&["policy", "test", policy, file]).succeeded();
    for (wrong, says) in [("guard", "NAME/LABEL"), ("guard/", "NAME/LABEL")] {
        let text =
            format!("- name: one\n  request: {{scores: {{{wrong}: 0.5}}}}\n  expect: {{}}\n");
        std::fs::write(&cases, text).expect("a file");
        ringfence(&["policy", "test", policy, file]).failed_with(&[says]);
    }
    let request = folder.path().join("request.json");
    std::fs::write(&request, ask("hello").to_string()).expect("a file");
    let run = |score: &str| {
        let request = request.to_str().expect("a path");
        let settings = r#"{"ask": "score"}"#;
        ringfence(&["policy", "run", policy, request, "--settings", settings, "--score", score])
    };
    assert!(run("guard/attack=0.9").succeeded().stdout.contains("attack"));
    run("guard/attack=2").failed_with(&["from 0 to 1"]);
}
