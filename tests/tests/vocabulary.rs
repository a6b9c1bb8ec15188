//! What operators add to the detectors: patterns, lists of terms, values that are allowed.

use std::time::{Duration, Instant};

use ringfence_tests::client::ask;
use ringfence_tests::upstream::openai;
use ringfence_tests::{
    Configuration, Gateway, Policy, Upstream, books, replace, ringfence, ringfence_in,
};
use serde_json::json;
use tempfile::TempDir;

/// How long a change may take until it is in force.
const SOON: Duration = Duration::from_secs(10);

const SECTION: &str = r#"
[[detect.entities]]
name = "BADGE"
pattern = 'B-[0-9]{6}'
found = ["my badge is B-123456"]
not_found = ["B-12345", "xB-123456"]

[[detect.entities]]
name = "STAFF_NUMBER"
pattern = '[0-9]{8}'
check = "luhn"
beside = ["staff number"]
found = ["staff number 49927395"]
not_found = ["49927395", "staff number 49927396"]

[[detect.entities]]
name = "CUSTOMER"
file = "customers.txt"

[[detect.entities]]
name = "PROJECT"
terms = ["Bluebird", "Will"]
match_case = true

[[detect.allow]]
entity = "EMAIL"
values = ["help@example.org"]
"#;

fn configuration(cloud: &Upstream) -> Configuration {
    Configuration::cloud(cloud).policy(Policy::embedded("redact-pii"))
}

/// A gateway whose list of customers holds `customers`.
fn gateway(cloud: &Upstream, customers: &str) -> Gateway {
    // The list lies beside the configuration, which is rendered when the gateway starts.
    let gateway = Gateway::start(&configuration(cloud));
    replace(&gateway.folder().join("customers.txt"), customers.as_bytes());
    gateway.reconfigure(&configuration(cloud).section(SECTION));
    gateway
}

/// What reached the cloud of `text`, once it does as `wanted` says.
async fn sent(
    gateway: &Gateway,
    cloud: &Upstream,
    text: &str,
    wanted: impl Fn(&str) -> bool,
) -> String {
    let begun = Instant::now();
    loop {
        let answer = gateway.chat(&ask(text)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.content(), format!("You wrote: {text}"));
        let sent = openai::last_user_text(&cloud.last());
        if wanted(&sent) || begun.elapsed() > SOON {
            return sent;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_adds_is_hidden_and_comes_back() {
    let cloud = Upstream::echo().await;
    let gateway = gateway(&cloud, "# our customers\nNordwind Werke\n\nJane O'Neil\n");
    let text = "B-123456, staff number 49927395, JANE O'NEIL of nordwind-werke, Bluebird; \
                will you write to help@example.org or other@example.org?";
    let sent = sent(&gateway, &cloud, text, |sent| sent.contains("[BADGE_")).await;
    for entity in ["BADGE", "STAFF_NUMBER", "CUSTOMER", "PROJECT", "EMAIL"] {
        assert!(sent.contains(&format!("[{entity}_")), "{entity}: {sent}");
    }
    for value in ["B-123456", "49927395", "O'NEIL", "nordwind", "Bluebird", "other@example.org"] {
        assert!(!sent.contains(value), "{value}: {sent}");
    }
    assert!(sent.contains("will you write to help@example.org or"), "{sent}");
    // In base64 too.
    let hidden = "so Tm9yZHdpbmQgV2Vya2U= then";
    let answer = gateway.chat(&ask(hidden)).await;
    assert_eq!(answer.content(), format!("You wrote: {hidden}"));
    cloud.assert_never_saw("Tm9yZHdpbmQgV2Vya2U");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_live_when_it_is_saved() {
    let cloud = Upstream::echo().await;
    let gateway = gateway(&cloud, "Nordwind Werke\n");
    let text = "Nordwind Werke and Südwind AG";
    let one = sent(&gateway, &cloud, text, |sent| sent.contains("[CUSTOMER_")).await;
    assert!(one.contains("Südwind"), "{one}");

    let list = gateway.folder().join("customers.txt");
    replace(&list, "Nordwind Werke\nSüdwind AG\n".as_bytes());
    let both = sent(&gateway, &cloud, text, |sent| !sent.contains("Südwind")).await;
    assert!(!both.contains("Nordwind") && !both.contains("Südwind"), "{both}");
    let books = books::records(&gateway.ledger());
    let chains: Vec<_> = books.iter().filter(|record| record["kind"] == "chain").collect();
    let last = chains.last().expect("a chain");
    assert_ne!(last["vocabulary"], chains[0]["vocabulary"]);
    assert!(last["loosens"].to_string().contains("the detectors' own entities"), "{last}");

    // What is broken changes nothing, and is loud.
    for (broken, says) in [
        (&b""[..], "there are none"),
        (b"Nordwind Werke\nx\n", "line 2: a term has fewer than 2 letters"),
        (b"Nordwind Werke\n\xff\n", "line 2 is not UTF-8"),
        (b"hash:1:00000000000000000000000000000000\n", "no key for hashes"),
    ] {
        replace(&list, broken);
        let loud = gateway.wait_for_output(says, SOON).await;
        assert!(loud, "{says}:\n{}", gateway.output());
        let still = sent(&gateway, &cloud, text, |_| true).await;
        assert!(!still.contains("Nordwind") && !still.contains("Südwind"), "{still}");
    }
    std::fs::remove_file(&list).expect("removed");
    assert!(gateway.wait_for_output("customers.txt: No such file", SOON).await);
    let still = sent(&gateway, &cloud, text, |_| true).await;
    assert!(!still.contains("Südwind"), "{still}");
    for word in ["Nordwind", "Südwind"] {
        assert!(!gateway.output().contains(word), "{}", gateway.output());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_may_hold_hashes_only() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&configuration(&cloud));
    let folder = gateway.folder().to_owned();
    let configured = gateway.configuration().to_str().expect("a path").to_owned();
    std::fs::write(folder.join("names.txt"), "Jane O'Neil\n").expect("a file");
    std::fs::write(folder.join("values.txt"), "help@example.org\n").expect("a file");
    for (what, from, to) in
        [("terms", "names.txt", "customers.txt"), ("values", "values.txt", "allowed.txt")]
    {
        let from = folder.join(from);
        let arguments = ["detect", "--config", &configured, "--hash", what];
        let arguments: Vec<&str> = arguments.into_iter().chain(from.to_str()).collect();
        let hashes = ringfence(&arguments).succeeded().stdout;
        assert!(hashes.starts_with("hash:") && hashes.lines().count() == 1, "{hashes}");
        std::fs::write(folder.join(to), hashes).expect("a file");
    }
    let allow = "[[detect.allow]]\nfile = \"allowed.txt\"\n";
    gateway.reconfigure(&configuration(&cloud).section(SECTION).section(allow));
    let text = "ask jane o'neil, or help@example.org";
    let sent = sent(&gateway, &cloud, text, |sent| sent.contains("[CUSTOMER_")).await;
    assert!(sent.starts_with("ask [CUSTOMER_") && sent.ends_with("or help@example.org"), "{sent}");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let entity = |lines: &str| format!("[[detect.entities]]\n{lines}\n");
    for (section, says) in [
        (entity("pattern = 'x1'"), "an entity has no name"),
        (entity("name = \"badge\"\npattern = 'x1'\nfound = [\"x1\"]"), "no name of an entity"),
        (entity("name = \"BADGE\""), "neither terms nor a file"),
        (entity("name = \"BADGE\"\npattern = '('\nfound = [\"(\"]"), "unclosed group"),
        (entity("name = \"BADGE\"\npattern = 'x1'"), "BADGE has no example"),
        (entity("name = \"BADGE\"\npattern = 'x1'\nfound = [\"x2\"]"), "is not found in this"),
        (
            entity("name = \"BADGE\"\npattern = 'x1'\nfound = [\"x1\"]\nnot_found = [\"a x1\"]"),
            "BADGE is found in this example",
        ),
        (
            entity("name = \"BADGE\"\npattern = 'x1'\nfound = [\"x1\"]\ncheck = \"crc\""),
            "there is no check \"crc\"",
        ),
        (
            entity("name = \"BADGE\"\npattern = 'x1'\nfound = [\"x1\"]\nfile = \"a.txt\""),
            "file is given beside a pattern",
        ),
        (entity("name = \"BADGE\"\nterms = [\"x\"]"), "fewer than 2 letters"),
        (entity("name = \"BADGE\"\nterms = [\"xy\"]\nscore = 2.0"), "score is 2"),
        (entity("name = \"BADGE\"\nterms = [\"xy\"]\nfound = [\"xy\"]"), "without a pattern"),
        (entity("name = \"BADGE\"\nfile = \"missing.txt\""), "missing.txt"),
        (entity("name = \"BADGE\"\ntrems = [\"xy\"]"), "trems"),
        ("[[detect.allow]]\nentity = \"EMAIL\"\n".to_owned(), "neither values nor a file"),
        ("[[detect.allow]]\nvalues = [\"\"]\n".to_owned(), "a value has 1 to 512 bytes"),
        ("[detect]\nentites = []\n".to_owned(), "entites"),
    ] {
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("ringfence.toml");
        let target = "[[targets]]\nname = \"a\"\nkind = \"openai\"\nzone = \"premises\"\n\
                      base_url = \"http://127.0.0.1:9/v1\"\nmodels = [\"m\"]\n";
        let text = format!("state = \"state\"\n{target}{section}");
        std::fs::write(&file, text).expect("a file");
        let ran = ringfence_in(folder.path(), &[], &["check", "--config", "ringfence.toml"]);
        assert_ne!(ran.code, 0, "{section}");
        assert!(ran.stderr.contains(says), "{says}: {}", ran.output());
    }
}

#[test]
fn a_policy_that_wants_what_nothing_finds_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let checked = |more: &str| {
        let text = format!(
            "state = \"state\"\n{more}\n[[targets]]\nname = \"a\"\nkind = \"openai\"\n\
             zone = \"premises\"\nbase_url = \"http://127.0.0.1:9/v1\"\nmodels = [\"m\"]\n\
             [[policies]]\nname = \"p\"\nembedded = \"redact-pii\"\nfindings = [\"EMAIL\", \"BADGE\"]\n"
        );
        std::fs::write(folder.path().join("ringfence.toml"), text).expect("a file");
        ringfence_in(folder.path(), &[], &["check", "--config", "ringfence.toml"])
    };
    let refused = checked("");
    assert!(refused.stderr.contains("nothing finds \"BADGE\""), "{}", refused.output());
    assert!(!refused.stderr.contains("EMAIL\""), "{}", refused.output());
    let taken = checked("[[detect.entities]]\nname = \"BADGE\"\nterms = [\"acme\"]\n").succeeded();
    assert!(taken.stdout.contains("with 1 term of your own"), "{}", taken.stdout);
}

#[test]
fn a_file_is_looked_at_with_what_a_configuration_adds() {
    let folder = TempDir::new().expect("a folder");
    let section = SECTION.replace("file = \"customers.txt\"", "terms = [\"Nordwind Werke\"]");
    let target = "[[targets]]\nname = \"a\"\nkind = \"openai\"\nzone = \"premises\"\n\
                  base_url = \"http://127.0.0.1:9/v1\"\nmodels = [\"m\"]\n";
    let text = format!("state = \"state\"\n{target}{section}");
    std::fs::write(folder.path().join("ringfence.toml"), text).expect("a file");
    std::fs::write(folder.path().join("a.txt"), "Nordwind Werke, B-123456, help@example.org")
        .expect("a file");
    let arguments = ["detect", "--config", "ringfence.toml", "--redacted", "a.txt"];
    let with = ringfence_in(folder.path(), &[], &arguments).succeeded().stdout;
    assert_eq!(with.trim(), "[CUSTOMER], [BADGE], help@example.org");
    let without =
        ringfence_in(folder.path(), &[], &["detect", "--json", "a.txt"]).succeeded().stdout;
    let without: serde_json::Value = serde_json::from_str(&without).expect("JSON");
    assert_eq!(without["findings"][0]["entity"], json!("EMAIL"));
    let listed =
        ringfence_in(folder.path(), &[], &["detect", "--list", "--config", "ringfence.toml"]);
    assert!(listed.succeeded().stdout.contains("STAFF_NUMBER"));
}
