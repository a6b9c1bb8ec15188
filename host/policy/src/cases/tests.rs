//! Both formats, their mistakes with their lines, and revisions.

use std::path::Path;

use proptest::prelude::*;
use ringfence_fence::PolicyFailure;

use super::*;

const JSON: &str = r#"[
  {
    "name": "an address is hidden",
    "request": {
      "segments": ["to \ud83d\ude00 ann@example.org"],
      "findings": [{"text": "ann@example.org", "entity": "EMAIL"}]
    },
    "expect": {
      "edits": [{"segment": 0, "text": "ann@example.org", "entity": "EMAIL",
                 "action": "mask", "scope": "outside process"}],
      "labels": ["pii"]
    }
  },
  {"name": "two", "config": {"a": [1, "x"]}, "grants": ["findings"], "expect": {"refused": true}}
]
"#;

const YAML: &str = "
# The same, as a reviewer reads it.
- name: an address is hidden
  request:
    segments:
      - to \u{1f600} ann@example.org
    findings: [{text: ann@example.org, entity: EMAIL}]
  expect:
    edits:
      - {segment: 0, text: ann@example.org, entity: EMAIL, action: mask, scope: outside process}
    labels: [pii]   # and no more
- name: two
  config: {a: [1, x]}
  grants: [findings]
  expect: {refused: true}
";

fn outcome(case: &Case, said: Said) -> Outcome {
    let (name, line) = (case.name.clone(), case.line);
    Outcome { name, line, said, expected: case.expected.clone() }
}

fn json(said: &Said) -> String {
    serde_json::to_string(said).unwrap()
}

#[test]
fn both_formats_say_the_same_on_their_own_lines() {
    let one = Cases::parse(JSON, Format::Json).unwrap();
    let other = Cases::parse(YAML, Format::Yaml).unwrap();
    assert_eq!(one.count(), 2);
    for (one, other) in one.list().iter().zip(other.list()) {
        assert_eq!(
            (&one.name, &one.config, &one.grants),
            (&other.name, &other.config, &other.grants)
        );
        assert_eq!(json(&one.expected), json(&other.expected));
        assert_eq!(one.scene.findings, other.scene.findings);
        assert_eq!(one.scene.request.segments().len(), other.scene.request.segments().len());
    }
    let lines = |cases: &Cases| cases.list().iter().map(|case| case.line).collect::<Vec<_>>();
    assert_eq!(lines(&one), [2, 14]);
    assert_eq!(lines(&other), [3, 12]);
    let finding = &one.list()[0].scene.findings[0];
    assert_eq!((finding.start, finding.end), (8, 23));
}

#[test]
fn mistakes_have_a_line_and_what_was_expected() {
    let case = |rest: &str| format!("[\n\n  {{\"name\": \"x\",\n   {rest}}}\n]");
    let segment =
        |rest: &str| case(&format!("\"request\": {{\"segments\": [{rest}]}},\n\"expect\": {{}}"));
    let table = [
        ("", 1, "list of cases"),
        ("{}", 1, "list of cases"),
        ("[]", 1, "no case"),
        ("[1]", 1, "expected struct"),
        ("[\n\n{\"name\": 1,\n\"expect\": {}}]", 3, "expected a string"),
        (&case("\"expekt\": {}"), 4, "expected one of `name`"),
        (&case("\"grants\": [\"network\"], \"expect\": {}"), 4, "expected one of `text`"),
        (&case("\"expect\": {\"cod\": \"\"}"), 4, "unknown field `cod`, expected one of `permit`"),
        (&case("\"expect\": {\"permit\": \"moon\"}"), 4, "permit is any, nowhere, process"),
        (&case("\"expect\": {\"failed\": \"trap\"}"), 4, "unknown field `failed`"),
        (&case("\"expect\": {\"error\": true, \"code\": \"x\"}"), 3, "stand alone"),
        (&segment("{\"txt\": \"x\"}"), 4, "a segment is its text"),
        (&segment("{\"text\": \"x\", \"roll\": \"user\"}"), 4, "a segment is its text"),
        (&case("\"request\": {\"needs\": [\"wings\"]}, \"expect\": {}"), 3, "some of tools"),
        (
            &case(
                "\"request\": {\"findings\": [{\"text\": \"secret\", \"entity\": \"X\"}]}, \"expect\": {}",
            ),
            3,
            "not in segment 0",
        ),
        (
            &case(
                "\"request\": {\"targets\": [{\"name\": \"a\",\n\"zone\": \"moon\"}]}, \"expect\": {}",
            ),
            5,
            "expected one of `process`",
        ),
    ];
    for (text, line, what) in table {
        let error = Cases::parse(text, Format::Json).err().unwrap_or_else(|| panic!("{text}"));
        assert_eq!(error.line, line, "{text}\n{error}");
        assert!(error.what.contains(what), "{text}\n{error}");
        assert!(!error.what.contains("secret") && !error.what.contains("at line"), "{error}");
    }
    let deep = format!("- name: {}{}\n", "[".repeat(100), "]".repeat(100));
    for (text, line, what) in [
        ("- name: a\n  expekt: {}\n", 2, "expected one of `name`"),
        ("- name: a\n  expect:\n    permit: any\n    code: [x]\n", 4, "expected a string"),
        ("- name: a\n  expect:\n  \tpermit: any\n", 3, "not YAML"),
        ("- name: &a x\n- name: *a\n", 2, "alias"),
        ("- name: !x y\n", 1, "tag"),
        ("- name: a\n---\n- name: b\n", 2, "second document"),
        ("- [a]: b\n", 1, "as a name"),
        ("name: a\n", 1, "list of cases"),
        (&deep, 1, "inside each other"),
    ] {
        let error = Cases::parse(text, Format::Yaml).err().unwrap_or_else(|| panic!("{text}"));
        assert_eq!(error.line, line, "{text}\n{error}");
        assert!(error.what.contains(what), "{text}\n{error}");
    }
}

#[test]
fn files_of_cases_are_bounded() {
    let case = r#"{"name": "x", "expect": {}}"#;
    let many = |count: usize| format!("[{}]", vec![case; count].join(","));
    assert!(Cases::parse(&many(Cases::COUNT), Format::Json).is_ok());
    assert!(Cases::parse(&many(Cases::COUNT + 1), Format::Json).is_err());
    let padded = |bytes: usize| format!("[{case}{}]", " ".repeat(bytes - case.len() - 2));
    assert!(Cases::parse(&padded(Cases::BYTES), Format::Json).is_ok());
    assert!(Cases::parse(&padded(Cases::BYTES + 1), Format::Json).is_err());
}

#[test]
fn plain_yaml_scalars_are_what_they_look_like() {
    let yaml = "- [1, -2.5, true, ~, no, 012, 'true', \"1\", a b, '', 1e3]\n";
    let json = yaml::to_json(yaml).unwrap().json;
    assert_eq!(json, r#"[[1,-2.5,true,null,"no","012","true","1","a b","",1e3]]"#);
}

#[test]
fn a_revision_changes_only_what_did_not_hold() {
    let said: Said = serde_json::from_str(r#"{"permit": "premises", "code": "x"}"#).unwrap();
    for (text, format, before, after) in [
        (
            JSON,
            Format::Json,
            r#""expect": {"refused": true}"#,
            r#""expect": {"permit": "premises", "code": "x"}"#,
        ),
        (
            YAML,
            Format::Yaml,
            "expect: {refused: true}",
            r#"expect: {"permit": "premises", "code": "x"}"#,
        ),
    ] {
        let cases = Cases::parse(text, format).unwrap();
        let list = cases.list();
        let outcomes =
            [outcome(&list[0], list[0].expected.clone()), outcome(&list[1], said.clone())];
        let revised = Cases::revised(text, format, &outcomes).unwrap();
        assert_eq!(revised, text.replace(before, after));
        // The block that spans lines, and what stands behind it, is replaced as well.
        let outcomes =
            [outcome(&list[0], said.clone()), outcome(&list[1], list[1].expected.clone())];
        let revised = Cases::revised(text, format, &outcomes).unwrap();
        let again = Cases::parse(&revised, format).unwrap();
        assert_eq!(json(&again.list()[0].expected), json(&said));
        assert_eq!(json(&again.list()[1].expected), json(&list[1].expected));
        assert!(revised.contains("# and no more") || format == Format::Json, "{revised}");
        assert!(Cases::revised(text, format, &outcomes[..1]).is_err());
    }
}

#[test]
fn failures_are_told_and_cannot_be_expected() {
    assert_eq!(json(&Said::failed(PolicyFailure::Error)), r#"{"error":true}"#);
    assert_eq!(json(&Said::failed(PolicyFailure::Trap)), r#"{"failed":"trap"}"#);
    assert!(serde_json::from_str::<Said>(r#"{"failed":"trap"}"#).is_err());
}

#[test]
fn names_tell_formats_and_neighbours() {
    assert_eq!(Format::of(Path::new("a.cases.yaml")), Format::Yaml);
    assert_eq!(Format::of(Path::new("a.cases.json")), Format::Json);
    let beside = Cases::beside(Path::new("p/my.policy.wasm"));
    assert_eq!(beside[0], Path::new("p/my.policy.cases.json"));
    assert_eq!(beside[1], Path::new("p/my.policy.cases.yaml"));
}

proptest! {
    #[test]
    fn no_text_breaks_the_readers(text in ".{0,200}", yaml in any::<bool>()) {
        let format = if yaml { Format::Yaml } else { Format::Json };
        let _ = Cases::parse(&text, format);
    }

    #[test]
    fn no_fragment_of_cases_breaks_them(start in 0..600_usize, end in 0..600_usize) {
        for (text, format) in [(JSON, Format::Json), (YAML, Format::Yaml)] {
            let fragment: String = text.chars().skip(start).take(end).collect();
            let _ = Cases::parse(&fragment, format);
        }
    }
}
