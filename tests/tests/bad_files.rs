//! Files and entries that are wrong: a message each time that says where, what, and what was
//! expected, before a port is bound.

use std::path::Path;

use ringfence_tests::guests::by_hand::Guest;
use ringfence_tests::{guests, ringfence, ringfence_in};
use tempfile::TempDir;

/// A configuration with one target; its policies begin on line 9.
const HEAD: &str = "[[targets]]\nname = \"cloud\"\nkind = \"openai\"\nzone = \"cloud\"\n\
    base_url = \"http://127.0.0.1:1/v1\"\nmodels = [\"m\"]\n[server]\naddress = \"127.0.0.1:0\"\n";

/// A folder with the files that the table names.
fn folder() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(name), bytes).expect("a file");
    };
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/dist/redact-pii.wasm");
    let good = std::fs::read(shipped).expect("a policy");
    write("empty.wasm", b"");
    write("text.wasm", b"hello");
    write("source.wasm", b"(module)");
    write("program.wasm", &std::fs::read("/bin/true").expect("a program"));
    write("packed.wasm", b"\x1f\x8b\x08\0\0\0\0\0");
    write("core.wasm", b"\0asm\x01\0\0\0");
    write("half.wasm", &good[..good.len() / 2]);
    write("good.wasm", &good);
    write("old.wasm", &guests::bytes("wrong-version"));
    write("chatty.wasm", &guests::bytes("chatty"));
    write("ungranted.wasm", &guests::bytes("ungranted"));
    write("plain.wasm", &Guest::default().build());
    folder
}

#[test]
fn policies_that_cannot_be_are_told_with_their_place() {
    let folder = folder();
    let granted = "grants = [\"text\", \"findings\", \"caller\"]";
    // file, more of its entry, words
    let table: [(&str, &str, &[&str]); 19] = [
        ("empty.wasm", "", &["`p`", "empty.wasm", "the file is empty"]),
        ("text.wasm", "", &["`p`", "text.wasm", "no WebAssembly file"]),
        ("source.wasm", "", &["source.wasm", "wasm-tools parse"]),
        ("program.wasm", "", &["program.wasm", "program for a machine"]),
        ("packed.wasm", "", &["packed.wasm", "unpack it first"]),
        ("core.wasm", "", &["core.wasm", "core module", "wasm-tools component new"]),
        ("half.wasm", "", &["half.wasm", "damaged"]),
        (".", "", &["ringfence.toml:11", "is not a file"]),
        ("absent.wasm", "", &["ringfence.toml:11", "absent.wasm"]),
        ("old.wasm", "", &["old.wasm", "0.2.0", "serves 0.1.0", "version 0.1 of the SDK"]),
        ("chatty.wasm", "", &["chatty.wasm", "not granted: log"]),
        ("ungranted.wasm", granted, &["served to no policy: wasi:http/outgoing-handler@0.2.6"]),
        ("good.wasm", "", &["add findings to its grants"]),
        (
            "plain.wasm",
            "grants = [\"text\", \"telepathy\"]",
            &["ringfence.toml:12", "telepathy", "grant some of text, findings, caller, log, state"],
        ),
        ("plain.wasm", "grants = \"text\"", &["ringfence.toml:12", "`grants`", "sequence"]),
        ("good.wasm", "config = 5", &["ringfence.toml:12", "`config`", "a map"]),
        (
            "good.wasm",
            "grants = [\"findings\"]\nconfig = { default = \"telepathy\" }",
            &["good.wasm", "refuses its configuration", "`telepathy`", "expected one of `mask`"],
        ),
        (
            "good.wasm",
            "grants = [\"findings\"]\nconfig = { unheard_of = 1 }",
            &["refuses its configuration", "`unheard_of`", "`min_score`"],
        ),
        (
            "plain.wasm",
            "[[policies]]\nname = \"p\"\nfile = \"good.wasm\"",
            &["ringfence.toml:13", "two policies are named \"p\""],
        ),
    ];
    for (file, more, words) in table {
        let text = format!("{HEAD}[[policies]]\nname = \"p\"\nfile = \"{file}\"\n{more}\n");
        std::fs::write(folder.path().join("ringfence.toml"), text).expect("a file");
        for command in ["check", "serve"] {
            let arguments = [command, "--config", "ringfence.toml"];
            let ran = ringfence_in(folder.path(), &[], &arguments);
            assert_eq!(ran.clone().failed_with(words).code, 1, "{file}: {}", ran.output());
        }
    }
}

#[test]
fn cases_that_are_wrong_are_told_with_their_line() {
    let folder = folder();
    let policy = folder.path().join("good.wasm").display().to_string();
    // name, text, line, words
    let table: [(&str, &str, usize, &[&str]); 16] = [
        ("c.json", "[\n", 2, &["expected a list of cases"]),
        ("c.json", "{}", 1, &["expected a list of cases"]),
        ("c.json", "[]", 1, &["expected a list of at least one"]),
        ("c.json", "[{\"name\": \"a\"}]", 1, &["missing field `expect`"]),
        (
            "c.json",
            "[{\"name\": \"a\", \"expect\": {}},\n{\"name\": \"b\",\n\"request\": {\"segmants\": []}, \"expect\": {}}]",
            3,
            &["unknown field `segmants`", "`segments`"],
        ),
        (
            "c.json",
            "[{\"name\": \"a\",\n\"expect\": {\"permit\": \"moon\"}}]",
            2,
            &["permit is any, nowhere"],
        ),
        (
            "c.json",
            "[{\"name\": \"a\",\n\"grants\": [\"telepathy\"], \"expect\": {}}]",
            2,
            &["`telepathy`", "`findings`"],
        ),
        ("c.json", "[{\"name\": \"a\",\n\"expect\": {\"labels\": \"pii\"}}]", 2, &["a sequence"]),
        ("c.json", "[{\"name\": \"a\", \"expect\": {},\n\"expect\": {}}]", 2, &["duplicate"]),
        (
            "c.json",
            "[{\"name\": \"a\", \"expect\": {\"refused\": true, \"error\": true}}]",
            1,
            &["stand alone"],
        ),
        ("c.yaml", "name: a\nexpect: {}\n", 1, &["expected a list of cases"]),
        ("c.yaml", "- name: a\n  expect: {permit: moon}\n", 2, &["permit is any, nowhere"]),
        ("c.yaml", "- name: a\n\texpect: {}\n", 1, &["not YAML", "a tab"]),
        ("c.yaml", "- &x {name: a, expect: {}}\n- *x\n", 2, &["alias", "write it out"]),
        (
            "c.yaml",
            "- name: ok\n  expect: {}\n- name: a\n  request: {segments: [x], findings: [{text: y, entity: EMAIL}]}\n  expect: {}\n",
            3,
            &["a finding of EMAIL is not in segment 0"],
        ),
        (
            "c.yaml",
            "- name: a\n  request:\n    needs: [telepathy]\n  expect: {}\n",
            1,
            &["no capability of that name", "tools"],
        ),
    ];
    for (name, text, line, words) in table {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        let path = path.display().to_string();
        let ran = ringfence(&["policy", "test", &policy, &path]).failed_with(words);
        let place = format!("{path}:{line}: ");
        assert!(ran.output().contains(&place), "no {place} in {}", ran.output());
    }
}

#[test]
fn what_a_policy_is_asked_with_is_told_too() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (good, request) = (path("good.wasm"), path("request.json"));
    std::fs::write(&request, "{\"model\": 7}").expect("a file");
    ringfence(&["policy", "run", &good, &request]).failed_with(&["request.json", "no request"]);
    ringfence(&["policy", "run", &good, &path("absent.json")]).failed_with(&["absent.json"]);
    for (arguments, words) in [
        (vec!["policy", "check", &good, "--settings", "5"], "expected a JSON object"),
        (vec!["policy", "check", &good, "--grants", "telepathy"], "findings"),
    ] {
        let ran = ringfence(&arguments);
        assert_eq!(ran.code, 2, "{}", ran.output());
        assert!(ran.output().contains(words), "{}", ran.output());
    }
    let settings = r#"{"default": "telepathy"}"#;
    ringfence(&["policy", "check", &good, "--settings", settings]).failed_with(&[
        "good.wasm",
        "refuses its configuration",
        "`telepathy`",
    ]);
    ringfence(&["policy", "inspect", &path("packed.wasm")]).failed_with(&["unpack it first"]);
    ringfence(&["policy", "check", &path("old.wasm")]).failed_with(&["0.2.0", "0.1 of the SDK"]);
}
