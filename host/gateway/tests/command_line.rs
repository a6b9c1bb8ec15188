//! The binary from outside: what each command prints, and how it ends.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A command of the binary with a state folder and an environment of its own.
fn ringfence(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    command.args(arguments).current_dir(folder).env_clear().env("XDG_STATE_HOME", folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    ringfence(folder, arguments).output().expect("the binary runs")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn the_demonstration_meets_its_expectations() {
    let folder = folder();
    let output = run(folder.path(), &["demo"]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(!out.contains('\u{1b}'), "colours go to terminals only");
    let wide = out.lines().find(|line| line.chars().count() > 120);
    assert_eq!(wide, None);
}

#[test]
fn the_embedded_configuration_is_well_without_a_key_and_without_leaving_a_trace() {
    let folder = folder();
    let output = run(folder.path(), &["check"]);
    let out = text(&output.stdout);
    assert!(output.status.success(), "{out}\n{}", text(&output.stderr));
    for words in ["redact-pii", "off: pass --cloud", "off: nothing leaves", "All is well."] {
        assert!(out.contains(words), "{words} is not in\n{out}");
    }
    assert!(fs::read_dir(folder.path()).expect("a folder").next().is_none());
}

#[test]
fn every_mistake_is_told_and_nothing_is_bound() {
    let folder = folder();
    fs::write(
        folder.path().join("ringfence.toml"),
        "[server]\nadress = \"x\"\n[[targets]]\nname = \"a\"\nkind = \"openai\"\nmodels = [\"m\"]\nkey_env = \"NO_SUCH\"\n",
    )
    .expect("written");
    for command in ["serve", "check"] {
        let output = run(folder.path(), &[command, "--config", "ringfence.toml"]);
        let err = text(&output.stderr);
        assert!(!output.status.success());
        assert!(err.contains("ringfence.toml:2: [server] has no key `adress`"), "{err}");
        assert!(err.contains("ringfence.toml:7:") && err.contains("NO_SUCH is not set"), "{err}");
    }
}

#[test]
fn a_broken_policy_is_told_by_check() {
    let folder = folder();
    fs::write(folder.path().join("broken.wasm"), b"\0asm\x01\0\0\0").expect("written");
    fs::write(
        folder.path().join("ringfence.toml"),
        "state = \"state\"\n[local]\nmodel = \"trial\"\ndevice = \"cpu\"\n[[targets]]\nname = \"local\"\n\
         kind = \"local\"\n[[policies]]\nname = \"mine\"\nfile = \"broken.wasm\"\n",
    )
    .expect("written");
    let output = run(folder.path(), &["check", "--config", "ringfence.toml"]);
    let err = text(&output.stderr);
    assert!(!output.status.success());
    assert!(err.contains("`mine`") && err.contains("core module"), "{err}");
}

#[test]
fn a_request_is_explained_without_its_values() {
    let folder = folder();
    fs::write(
        folder.path().join("request.json"),
        r#"{"model":"auto","messages":[{"role":"user","content":"Write to canary@wendtland-klinik.de"}]}"#,
    )
    .expect("written");
    let output = run(folder.path(), &["explain", "request.json"]);
    let out = text(&output.stdout);
    assert!(output.status.success(), "{out}\n{}", text(&output.stderr));
    for words in ["goes to local", "EMAIL", "/messages/0/content", "outside premises"] {
        assert!(out.contains(words), "{words} is not in\n{out}");
    }
    assert!(!out.contains("canary"), "{out}");
    let output = run(folder.path(), &["explain", "--json", "request.json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["permitted"][0], "local");
    assert_eq!(json["edits"][0]["entity"], "EMAIL");
    let output = run(folder.path(), &["explain", "--caller", "nobody", "request.json"]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("no caller \"nobody\""));
}

#[test]
fn a_new_key_fits_its_entry() {
    let folder = folder();
    let output = run(folder.path(), &["key", "new", "--tenant", "clinic", "--name", "ward-3"]);
    let out = text(&output.stdout);
    let key = out.lines().find_map(|line| line.trim().strip_prefix("rf-")).expect("a key");
    let entry = &out[out.find("[[callers]]").expect("an entry")..];
    let mut hashing = ringfence(folder.path(), &["key", "hash"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut input = hashing.stdin.take().expect("an input");
    writeln!(input, "rf-{key}").expect("written");
    drop(input);
    let hash = text(&hashing.wait_with_output().expect("it ends").stdout);
    assert!(entry.contains(hash.trim()), "{out}\n{hash}");
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let folder = folder();
    let mut child = ringfence(folder.path(), &["config"]).spawn().expect("the binary runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("panicked"));
}

#[test]
fn a_served_request_is_in_the_ledger_and_the_process_ends_when_asked() {
    let folder = folder();
    let mut child = ringfence(folder.path(), &["serve", "--address", "127.0.0.1:0"])
        .spawn()
        .expect("the binary runs");
    let banner = banner(&mut child);
    let address = banner.split("http://").nth(1).expect("an address");
    let address = address.split_whitespace().next().expect("an address").to_owned();
    for words in ["redact-pii", "ready", "off: pass --cloud", "curl -s http://"] {
        assert!(banner.contains(words), "{words} is not in\n{banner}");
    }
    let answer =
        post(&address, r#"{"model":"auto","messages":[{"role":"user","content":"Hello"}]}"#);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("x-ringfence-zone: process"), "{answer}");
    let killed = Command::new("kill").arg(child.id().to_string()).status().expect("kill runs");
    assert!(killed.success() && child.wait().expect("it ends").success());
    let ledger = folder.path().join("ringfence/ledger.jsonl");
    let output = run(folder.path(), &["ledger", "verify", ledger.to_str().expect("a path")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(fs::read_to_string(&ledger).expect("a ledger").contains("\"departure\""));
}

/// What the child printed up to its curl line.
fn banner(child: &mut Child) -> String {
    let mut out = child.stdout.take().expect("an output");
    let (mut banner, mut piece) = (Vec::new(), [0; 4096]);
    let began = Instant::now();
    while !text(&banner).contains("\"content\":") {
        assert!(began.elapsed() < Duration::from_secs(120), "no banner");
        let read = out.read(&mut piece).expect("an output");
        assert!(read > 0, "it ended: {}", text(&banner));
        banner.extend_from_slice(&piece[..read]);
    }
    text(&banner)
}

fn post(address: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let length = body.len();
    write!(
        stream,
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}
