//! Only what a trusted key signed runs, and what was held against the key is what runs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ringfence_tests::client::ask;
use ringfence_tests::{
    Configuration, Gateway, Policy, Ran, Upstream, books, guests, replace, ringfence_in,
};
use serde_json::json;
use tempfile::TempDir;

/// How long a change may take until it is in force.
const SOON: Duration = Duration::from_secs(10);
/// How far apart two signatures have to be made to differ in time: they count seconds.
const A_SECOND: Duration = Duration::from_millis(1100);

/// A folder with a policy file, `policy.wasm`, and keys.
struct Signed {
    cloud: Upstream,
    folder: TempDir,
}

impl Signed {
    /// Two keys, `old` and `new`; the file is not signed.
    async fn new() -> Signed {
        let signed =
            Signed { cloud: Upstream::says("hi").await, folder: TempDir::new().expect("a folder") };
        for name in ["old", "new"] {
            signed.run(&["keygen", name, "--no-password"]).succeeded();
        }
        std::fs::write(signed.file(), version(1)).expect("a file");
        signed
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let arguments: Vec<&str> = ["policy"].iter().chain(arguments).copied().collect();
        ringfence_in(self.folder.path(), &[], &arguments)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.path("policy.wasm")
    }

    fn signature(&self) -> PathBuf {
        self.path("policy.wasm.minisig")
    }

    fn sign(&self, key: &str) {
        self.sign_file("policy.wasm", key);
    }

    fn sign_file(&self, file: &str, key: &str) {
        self.run(&["sign", file, "--key", &format!("{key}.key")]).succeeded();
    }

    /// The section with these keys.
    fn section(&self, required: bool, keys: &[&str]) -> String {
        let mut text = format!("[signatures]\nrequire_signed = {required}\n[signatures.trusted]\n");
        for key in keys {
            let public = std::fs::read_to_string(self.path(&format!("{key}.pub"))).expect("a key");
            let line = public.lines().nth(1).expect("a second line");
            text.push_str(&format!("{key} = \"{line}\"\n"));
        }
        text
    }

    fn configuration(&self, required: bool, keys: &[&str]) -> Configuration {
        self.with(required, keys, json!({}))
    }

    fn with(&self, required: bool, keys: &[&str], more: serde_json::Value) -> Configuration {
        let policy = Policy::file("signed", self.file()).config(json!({"tag": "good"})).with(more);
        Configuration::cloud(&self.cloud).policy(policy).section(&self.section(required, keys))
    }
}

/// A component that behaves like every other version and has other bytes.
fn version(mark: u8) -> Vec<u8> {
    let mut bytes = guests::bytes("tagged");
    bytes.extend_from_slice(&[0, 3, 1, b'x', mark]);
    bytes
}

/// The digest of the policy that judged.
async fn judged(gateway: &Gateway) -> String {
    let answer = gateway.chat(&ask("hello")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let decision = answer.header("x-ringfence-decision").expect("a decision").to_owned();
    let departure = books::of(&gateway.ledger(), "departure", &decision).remove(0);
    departure["judgements"][0]["digest"].as_str().expect("a digest").to_owned()
}

/// Waits until the gateway names trouble with `word` in it, in the log too.
async fn trouble(gateway: &Gateway, word: &str) {
    let end = Instant::now() + SOON;
    loop {
        let health = gateway.health().await;
        if health["troubles"].to_string().contains(word) {
            assert_eq!(health["status"], "degraded");
            assert!(!gateway.metrics().await.contains("ringfence_troubles 0"));
            assert!(gateway.output().contains(word), "not in the log: {}", gateway.output());
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
async fn nothing_binds_with_a_policy_that_is_not_signed_as_it_lies_there() {
    let signed = Signed::new().await;
    signed.sign("old");
    let good = std::fs::read(signed.signature()).expect("a signature");
    // Another policy, signed well, by a trusted key.
    std::fs::write(signed.path("other.wasm"), version(9)).expect("a file");
    signed.sign_file("other.wasm", "old");
    let other = std::fs::read(signed.path("other.wasm.minisig")).expect("a signature");
    signed.sign("new");
    let by_new = std::fs::read(signed.signature()).expect("a signature");
    let text = String::from_utf8(good.clone()).expect("text");
    let touched = text.replace("hashed", "hashed\treviewed").into_bytes();

    let cut = good[..good.len() / 2].to_vec();
    type Row = (&'static str, Vec<u8>, Option<Vec<u8>>, &'static str);
    let table: [Row; 8] = [
        ("unsigned", version(1), None, "is not signed"),
        ("another file's signature", version(1), Some(other.clone()), "does not hold"),
        ("an altered file", version(2), Some(good.clone()), "does not hold"),
        ("an altered comment", version(1), Some(touched), "does not hold"),
        ("a cut signature", version(1), Some(cut), "damaged"),
        ("an empty signature", version(1), Some(Vec::new()), "damaged"),
        ("another key", version(1), Some(by_new), "none of those that are trusted"),
        ("another policy with its signature", version(9), Some(other), "signed as `other.wasm`"),
    ];
    let configuration = signed.configuration(true, &["old"]);
    for (case, bytes, signature, expected) in table {
        replace(&signed.file(), &bytes);
        std::fs::remove_file(signed.signature()).ok();
        if let Some(signature) = signature {
            replace(&signed.signature(), &signature);
        }
        let refused = Gateway::try_start(&configuration).err().expect(case);
        assert!(refused.code > 0, "{case}");
        for word in [expected, "signed"] {
            assert!(refused.output.contains(word), "{case}: {}", refused.output);
        }
    }
    replace(&signed.file(), &version(1));
    replace(&signed.signature(), &good);
    let gateway = Gateway::start(&configuration);
    judged(&gateway).await;
    assert!(gateway.wait_for_output("signed by old", SOON).await, "{}", gateway.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_none_is_required_a_signature_that_is_there_has_to_hold() {
    let signed = Signed::new().await;
    judged(&Gateway::start(&signed.configuration(false, &["old"]))).await;
    signed.sign("old");
    judged(&Gateway::start(&signed.configuration(false, &["old"]))).await;
    replace(&signed.file(), &version(2));
    let refused = Gateway::try_start(&signed.configuration(false, &["old"])).err();
    let refused = refused.expect("a refusal");
    assert!(refused.output.contains("does not hold"), "{}", refused.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_digest_needs_no_signature_and_what_ships_in_the_binary_neither() {
    let signed = Signed::new().await;
    let inspected = signed.run(&["inspect", "policy.wasm"]).succeeded();
    let digest = inspected.stdout.split_whitespace().find(|word| word.len() == 64);
    let digest = digest.expect("a digest").to_owned();
    let pinned = |digest: &str| {
        let configuration = signed.with(true, &[], json!({"digest": digest}));
        configuration.policy(Policy::embedded("redact-pii"))
    };
    assert_eq!(judged(&Gateway::start(&pinned(&digest))).await, digest);
    let refused = Gateway::try_start(&pinned(&"00".repeat(32))).err().expect("a refusal");
    assert!(refused.output.contains("pins 0000"), "{}", refused.output);
    // In a folder every file is signed for itself.
    let folder = signed.folder.path();
    let landing = Policy::file("landing", "").with(json!({"file": null, "folder": folder}));
    let configuration = Configuration::cloud(&signed.cloud)
        .policy(landing.config(json!({"tag": "good"})))
        .section(&signed.section(true, &["old"]));
    let refused = Gateway::try_start(&configuration).err().expect("a refusal");
    assert!(refused.output.contains("`landing/policy`: it is not signed"), "{}", refused.output);
    signed.sign("old");
    judged(&Gateway::start(&configuration)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_and_a_key_that_left_signs_nothing() {
    let signed = Signed::new().await;
    signed.sign("old");
    let gateway = Gateway::start(&signed.configuration(true, &["old"]));
    let before = judged(&gateway).await;
    let chain = gateway.chain().await;
    // Both count while files are signed anew.
    gateway.reconfigure(&signed.configuration(true, &["old", "new"]));
    peace(&gateway).await;
    replace(&signed.file(), &version(2));
    signed.sign("new");
    gateway.wait_for_another_chain(&chain, SOON).await;
    peace(&gateway).await;
    let after = judged(&gateway).await;
    assert_ne!(after, before);
    gateway.reconfigure(&signed.configuration(true, &["new"]));
    peace(&gateway).await;
    // The ledger says that other keys sign.
    let records = books::records(&gateway.ledger());
    let told = |word: &str| records.iter().any(|record| record.to_string().contains(word));
    assert!(told("other keys may sign policies"), "{records:?}");
    // What the old key signs now is refused, and nothing changes.
    tokio::time::sleep(A_SECOND).await;
    replace(&signed.file(), &version(3));
    signed.sign("old");
    trouble(&gateway, "none of those that are trusted").await;
    assert_eq!(judged(&gateway).await, after);
    // And a configuration without the key that signed does not come into force.
    replace(&signed.file(), &version(2));
    signed.sign("new");
    peace(&gateway).await;
    gateway.reconfigure(&signed.configuration(true, &["old"]));
    trouble(&gateway, "none of those that are trusted").await;
    assert_eq!(judged(&gateway).await, after);
    // Nor at a start, not even from what is stored.
    std::fs::remove_file(signed.signature()).expect("a signature");
    let refused = gateway.restart().err().expect("no start");
    assert!(refused.output.contains("is not signed"), "{}", refused.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_signature_alone_is_noticed_and_a_bad_one_changes_nothing() {
    let signed = Signed::new().await;
    signed.sign("old");
    let good = std::fs::read(signed.signature()).expect("a signature");
    let gateway = Gateway::start(&signed.configuration(true, &["old"]));
    let before = judged(&gateway).await;
    let spoils: [(&str, Option<&[u8]>); 3] =
        [("damaged", Some(b"nothing")), ("damaged", Some(&good[..90])), ("is not signed", None)];
    for (word, spoilt) in spoils {
        match spoilt {
            Some(bytes) => replace(&signed.signature(), bytes),
            None => std::fs::remove_file(signed.signature()).expect("a signature"),
        }
        trouble(&gateway, word).await;
        assert_eq!(judged(&gateway).await, before);
        replace(&signed.signature(), &good);
        peace(&gateway).await;
    }
    // The file is replaced and its signature is not: nothing runs that nobody signed.
    let chain = gateway.chain().await;
    replace(&signed.file(), &version(2));
    trouble(&gateway, "does not hold").await;
    assert_eq!(judged(&gateway).await, before);
    assert_eq!(gateway.chain().await, chain);
    // A pipe in the signature's place blocks nobody.
    std::fs::remove_file(signed.signature()).expect("a signature");
    let made = Command::new("mkfifo").arg(signed.signature()).status();
    assert!(made.is_ok_and(|status| status.success()));
    trouble(&gateway, "not a regular file").await;
    std::fs::remove_file(signed.signature()).expect("a pipe");
    signed.sign("old");
    gateway.wait_for_another_chain(&chain, SOON).await;
    assert_ne!(judged(&gateway).await, before);
    peace(&gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_swapped_all_the_time_run_only_as_they_were_signed() {
    let signed = Signed::new().await;
    signed.sign("old");
    let gateway = Gateway::start(&signed.configuration(true, &["old"]));
    let first = judged(&gateway).await;
    let second = {
        let elsewhere = Signed::new().await;
        std::fs::write(elsewhere.file(), version(2)).expect("a file");
        let inspected = elsewhere.run(&["inspect", "policy.wasm"]).succeeded();
        let digest = inspected.stdout.split_whitespace().find(|word| word.len() == 64);
        digest.expect("a digest").to_owned()
    };
    // The unsigned version is there most of the time, in many short visits.
    let end = Instant::now() + Duration::from_secs(4);
    let mut round = 0_u64;
    while Instant::now() < end {
        round += 1;
        replace(&signed.file(), &version(if round.is_multiple_of(2) { 1 } else { 2 }));
        tokio::time::sleep(Duration::from_millis(7 * (round % 60))).await;
        assert_eq!(judged(&gateway).await, first);
    }
    replace(&signed.file(), &version(2));
    trouble(&gateway, "does not hold").await;
    assert_eq!(judged(&gateway).await, first);
    let chain = gateway.chain().await;
    signed.sign("old");
    gateway.wait_for_another_chain(&chain, SOON).await;
    assert_eq!(judged(&gateway).await, second);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_version_does_not_come_back_with_its_old_signature() {
    let signed = Signed::new().await;
    signed.sign("old");
    let old_signature = std::fs::read(signed.signature()).expect("a signature");
    let gateway = Gateway::start(&signed.configuration(true, &["old"]));
    let old = judged(&gateway).await;
    let chain = gateway.chain().await;
    tokio::time::sleep(A_SECOND).await;
    replace(&signed.file(), &version(2));
    signed.sign("old");
    let chain = gateway.wait_for_another_chain(&chain, SOON).await;
    let new = judged(&gateway).await;
    assert_ne!(new, old);
    replace(&signed.file(), &version(1));
    replace(&signed.signature(), &old_signature);
    trouble(&gateway, "before the version that ran last").await;
    assert_eq!(judged(&gateway).await, new);
    // A restart forgets nothing: what ran last runs on.
    let gateway = gateway.restart().expect("starts from what it stored");
    trouble(&gateway, "before the version that ran last").await;
    assert_eq!(judged(&gateway).await, new);
    assert_eq!(gateway.chain().await, chain);
    // Whoever has the key may go back.
    tokio::time::sleep(A_SECOND).await;
    signed.sign("old");
    gateway.wait_for_another_chain(&chain, SOON).await;
    assert_eq!(judged(&gateway).await, old);
    peace(&gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_version_runs_again_only_if_its_signature_counts_today() {
    let signed = Signed::new().await;
    signed.sign("old");
    let gateway = Gateway::start(&signed.configuration(true, &["old", "new"]));
    let before = judged(&gateway).await;
    std::fs::remove_file(signed.file()).expect("a file");
    let gateway = gateway.restart().expect("starts from what it stored");
    trouble(&gateway, "policy.wasm").await;
    assert_eq!(judged(&gateway).await, before);
    gateway.reconfigure(&signed.configuration(true, &["new"]));
    assert!(gateway.wait_for_output("a reload was refused", SOON).await, "{}", gateway.output());
    let refused = gateway.restart().err().expect("no start");
    assert!(refused.output.contains("policy.wasm"), "{}", refused.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn letting_unsigned_policies_in_is_on_the_books() {
    let signed = Signed::new().await;
    signed.sign("old");
    let gateway = Gateway::start(&signed.configuration(true, &["old"]));
    gateway.reconfigure(&signed.configuration(false, &["old"]));
    let end = Instant::now() + SOON;
    loop {
        let records = books::records(&gateway.ledger());
        if records.iter().any(|one| one.to_string().contains("policies need no signature")) {
            return;
        }
        assert!(Instant::now() < end, "{records:?}\n{}", gateway.output());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_makes_keys_signs_and_verifies() {
    let signed = Signed::new().await;
    let run = |line: &str| signed.run(&line.split(' ').collect::<Vec<_>>());
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(signed.path("old.key")).expect("a key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    run("keygen old --no-password").failed_with(&["old.key", "not written over"]);
    run("keygen third").failed_with(&["--password-file"]);
    assert!(!signed.path("third.key").exists());

    assert!(run("inspect policy.wasm").succeeded().stdout.contains("signature  none"));
    run("verify policy.wasm --key old.pub").failed_with(&["is not signed"]);
    run("sign policy.wasm --key old.pub").failed_with(&["no secret key"]);
    let said = run("sign policy.wasm --key old.key --comment reviewed").succeeded();
    assert!(said.stdout.contains("policy.wasm.minisig"), "{}", said.stdout);
    let shown = run("inspect policy.wasm").succeeded().stdout;
    for word in ["file:policy.wasm", "reviewed", "not held against it"] {
        assert!(shown.contains(word), "no {word:?} in {shown}");
    }
    run("verify policy.wasm --key old.pub").succeeded();
    run("verify policy.wasm --key new.pub --key old.pub").succeeded();
    run("verify policy.wasm --key new.pub").failed_with(&["none of those"]);
    let config = signed.configuration(false, &["old"]).render(signed.folder.path());
    std::fs::write(signed.path("ringfence.toml"), config).expect("a file");
    run("verify policy.wasm --config ringfence.toml").succeeded();
    let settings = "--settings {\"tag\":\"good\"}";
    let checked = run(&format!("check policy.wasm --signed-by old.pub {settings}")).succeeded();
    assert!(checked.stdout.contains("by old.pub"), "{}", checked.stdout);
    run(&format!("check policy.wasm --signed-by new.pub {settings}"))
        .failed_with(&["none of those"]);
    std::fs::write(signed.file(), version(2)).expect("a file");
    run("verify policy.wasm --key old.pub").failed_with(&["does not hold"]);

    // With a password.
    std::fs::write(signed.path("password"), "correct horse\n").expect("a file");
    std::fs::write(signed.path("wrong"), "battery staple\n").expect("a file");
    run("keygen guarded --password-file password").succeeded();
    run("sign policy.wasm --key guarded.key").failed_with(&["--password-file"]);
    run("sign policy.wasm --key guarded.key --password-file wrong").failed_with(&["password"]);
    run("sign policy.wasm --key guarded.key --password-file password").succeeded();
    run("verify policy.wasm --key guarded.pub").succeeded();
}

/// What minisign 0.11 made, with a key that is for this test alone: `minisign -G -W`, `minisign -S -W` and `minisign -S -l -W`.
#[test]
fn what_minisign_made_is_verified_and_its_keys_sign() {
    let folder = TempDir::new().expect("a folder");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/minisign");
    for name in [
        "signed.txt",
        "signed.txt.minisig",
        "legacy.txt",
        "legacy.txt.minisig",
        "made.key",
        "made.pub",
    ] {
        std::fs::copy(fixtures.join(name), folder.path().join(name)).expect("a copy");
    }
    let run = |line: &str| {
        let line = format!("policy {line}");
        ringfence_in(folder.path(), &[], &line.split(' ').collect::<Vec<_>>())
    };
    run("verify signed.txt --key made.pub").succeeded();
    run("verify legacy.txt --key made.pub").failed_with(&["legacy form"]);
    std::fs::remove_file(folder.path().join("signed.txt.minisig")).expect("a signature");
    run("sign signed.txt --key made.key").succeeded();
    run("verify signed.txt --key made.pub").succeeded();
}

/// `tests/run` installs minisign; without it there is nothing to ask.
#[test]
fn minisign_verifies_what_we_sign() {
    let folder = TempDir::new().expect("a folder");
    let minisign = |arguments: &[&str]| {
        let ran = Command::new("minisign").args(arguments).current_dir(folder.path()).output();
        let ran = ran.expect("minisign is installed (apt-get install minisign)");
        (ran.status.success(), String::from_utf8_lossy(&ran.stdout).into_owned())
    };
    std::fs::write(folder.path().join("policy.wasm"), version(1)).expect("a file");
    let run = |line: &str| {
        let line = format!("policy {line}");
        ringfence_in(folder.path(), &[], &line.split(' ').collect::<Vec<_>>()).succeeded()
    };
    run("keygen ours --no-password");
    run("sign policy.wasm --key ours.key --comment reviewed");
    let (holds, said) = minisign(&["-V", "-m", "policy.wasm", "-p", "ours.pub"]);
    assert!(holds && said.contains("reviewed"), "{said}");
    let (signs, said) = minisign(&["-S", "-W", "-m", "policy.wasm", "-s", "ours.key"]);
    assert!(signs, "{said}");
    run("verify policy.wasm --key ours.pub");
    std::fs::write(folder.path().join("policy.wasm"), version(2)).expect("a file");
    assert!(!minisign(&["-V", "-m", "policy.wasm", "-p", "ours.pub"]).0);
}
