//! The profiles that are files to copy: they are held against values of every line of their
//! page, and refused where something that they need is not found.

use std::path::{Path, PathBuf};

use ringfence_tests::client::ask;
use ringfence_tests::{Configuration, Gateway, Upstream, ringfence, ringfence_in};
use serde_json::json;
use tempfile::TempDir;

fn profile(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../policies/redact-pii/profiles")
        .join(name)
        .with_extension("toml");
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The small model that was made for tests.
fn model() -> String {
    let folder: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "../host/local/fixtures/tagger"].iter().collect();
    format!("[detect.model]\nfolder = {}\ndevice = \"cpu\"\nwithin_ms = 30000\n", json!(folder))
}

/// A line of text for each line of the page, and what must not leave.
const HIPAA: [(&str, &str); 24] = [
    ("A", "My name is Brilona Vanner and I live in Kroburg ."),
    ("B", "Springfield, IL 62704"),
    ("C", "admitted 03/14/2024"),
    ("C", "discharged March 17th, 2024"),
    ("C", "aged 93"),
    ("C", "date of birth: 14 May 1931"),
    ("D", "phone (212) 555-0187"),
    ("E", "fax +1 212 555 0188"),
    ("F", "jane.doe@example.org"),
    ("G", "536-22-8726"),
    ("H", "medical record number: MR-4471920"),
    ("I", "member ID: XQW884213907"),
    ("J", "bank account number 000123456789"),
    ("J", "card 5425 2334 3010 9903"),
    ("K", "driver's license number D1234567"),
    ("K", "license number RN-4451297"),
    ("L", "VIN 1HGCM82633A004352"),
    ("L", "license plate 8OXX757"),
    ("M", "serial number PM-2231-A9"),
    ("M", "00:1A:2B:3C:4D:5E"),
    ("N", "https://example.org/patients/17"),
    ("O", "203.0.113.195"),
    ("R", "password = hunter2!Xy"),
    ("R", "api_key = a1b2c3d4e5f6g7h8i9j0k1"),
];

/// What of a line must not leave: the words with a digit, an @ or a name in them.
fn values(line: &str) -> impl Iterator<Item = &str> {
    let tells = |word: &&str| {
        word.chars().filter(char::is_ascii_digit).count() >= 2
            || word.contains('@')
            || ["Brilona", "Vanner", "Kroburg"].contains(word)
    };
    line.split(' ').filter(tells)
}

#[tokio::test(flavor = "multi_thread")]
async fn hipaa_hides_something_for_every_letter() {
    let cloud = Upstream::echo().await;
    let sections = format!("{}{}", model(), profile("hipaa-safe-harbor"));
    let gateway = Gateway::start(&Configuration::cloud(&cloud).section(&sections));
    for (letter, line) in HIPAA {
        let answer = gateway.chat(&ask(&format!("Note: {line} , please file it."))).await;
        assert_eq!(answer.status, 200, "{letter}: {}", answer.text());
        for value in values(line) {
            assert!(!cloud.last().json().to_string().contains(value), "{letter}: {value}");
        }
        assert!(answer.content().contains('['), "{letter} comes back: {}", answer.content());
    }
    // Q and P: what nobody can read stays inside.
    let mut picture = ask("Who is this?");
    picture["messages"][0]["content"] = json!([
        {"type": "text", "text": "Who is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]);
    assert_eq!(gateway.chat(&picture).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn pci_hides_account_data_for_good() {
    let cloud = Upstream::echo().await;
    let inside = Upstream::echo().await;
    let configuration = Configuration::both(&cloud, &inside).section(&profile("pci-dss"));
    let gateway = Gateway::start(&configuration);
    for line in [
        "5425 2334 3010 9903",
        "CVV: 123",
        "%B4012888888881881^DOE/JANE^28051010000000000?",
        ";4012888888881881=28051010000000?",
        "her PIN is 4931",
        "valid thru 05/2028",
    ] {
        let answer = gateway.chat(&ask(line)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        for value in values(line) {
            assert!(!answer.content().contains(value), "{line}: {}", answer.content());
            cloud.assert_never_saw(value);
            inside.assert_never_saw(value);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gdpr_hides_and_gives_back() {
    let cloud = Upstream::echo().await;
    let sections = format!("{}{}", model(), profile("gdpr"));
    let gateway = Gateway::start(&Configuration::cloud(&cloud).section(&sections));
    let text =
        "My name is Brilona Vanner and I live in Kroburg . jane.doe@example.org, PESEL 44051401359";
    let answer = gateway.chat(&ask(text)).await;
    assert_eq!(answer.content(), format!("You wrote: {text}"));
    for value in ["Brilona", "Kroburg", "jane.doe", "44051401359"] {
        cloud.assert_never_saw(value);
    }
}

#[test]
fn gdpr_names_every_entity_that_the_detectors_know() {
    let listed = ringfence(&["detect", "--list"]).succeeded().stdout;
    let profile = profile("gdpr");
    for line in listed.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let entity = line.split_whitespace().next().expect("a name");
        assert!(profile.contains(&format!("\"{entity}\"")), "{entity}");
    }
}

#[test]
fn a_profile_that_needs_names_does_not_start_without_a_model() {
    let folder = TempDir::new().expect("a folder");
    for (name, needs) in [("gdpr", true), ("hipaa-safe-harbor", true), ("pci-dss", false)] {
        let text = format!(
            "state = \"state\"\n[[targets]]\nname = \"a\"\nkind = \"openai\"\nzone = \"premises\"\n\
             base_url = \"http://127.0.0.1:9/v1\"\nmodels = [\"m\"]\n{}",
            profile(name)
        );
        std::fs::write(folder.path().join("ringfence.toml"), text).expect("a file");
        let ran = ringfence_in(folder.path(), &[], &["check", "--config", "ringfence.toml"]);
        assert_eq!(ran.code != 0, needs, "{name}: {}", ran.output());
        assert_eq!(ran.stderr.contains("nothing finds \"PERSON\""), needs, "{}", ran.output());
    }
}
