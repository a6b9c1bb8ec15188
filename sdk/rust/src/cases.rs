//! Cases: requests and what a policy is to say of them, in a JSON file beside the policy.
//!
//! ```json
//! [
//!   {
//!     "name": "an address is hidden",
//!     "config": {"default": "mask"},
//!     "request": {
//!       "segments": ["Write to bob@example.org"],
//!       "findings": [{"segment": 0, "text": "bob@example.org", "entity": "EMAIL"}]
//!     },
//!     "expect": {
//!       "edits": [{"segment": 0, "text": "bob@example.org", "entity": "EMAIL",
//!                  "action": "mask", "scope": "outside process"}],
//!       "labels": ["pii"]
//!     }
//!   }
//! ]
//! ```
//!
//! Everything is compared: what `expect` leaves out is `"permit": "any"`, an empty list or
//! an empty code. `{"refused": true}` expects that `configure` fails, `{"error": true}`
//! that `judge` does, and `{"ungranted": ["text"]}` that the policy needs these grants,
//! which the case's `grants` do not give, so that the loader would refuse it. `permit` is `any`, `nowhere`, a zone, or a list of names. Members of
//! `request` have the names of the contract with `_` for `-`; what is left out gets a
//! harmless value, and without `targets` there are `local` in the process, `premises` and
//! `cloud`. `scores` are what classifiers say of the request (`{"NAME/LABEL": 0.9}`), and
//! `models` what they answer whatever they are asked. `grants` narrows what the policy
//! sees; by default it sees everything.

mod asked;

use serde::Deserialize;
use serde_json::{Value, json};

use self::asked::Asked;
use crate::grants;
use crate::{Action, Declaration, Edit, Judgement, Permission, Policy, Request, Scope, Zone};

/// Runs every case of a file against a policy.
///
/// # Panics
/// When the file is no list of cases, and after the last case when one failed, with what
/// was said and what was expected.
pub fn run<P: Policy>(file: &str) {
    let cases: Vec<Case> = match serde_json::from_str(file) {
        Ok(cases) => cases,
        Err(error) => panic!("the cases cannot be read: {error}"),
    };
    assert!(!cases.is_empty(), "there is no case");
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let said = case.say::<P>();
            let expected = complete(&case.expect);
            (said != expected)
                .then(|| format!("{}:\n  said     {said}\n  expected {expected}", case.name))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases failed\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default = "no_table")]
    config: Value,
    grants: Option<Vec<String>>,
    #[serde(default)]
    request: Asked,
    expect: Value,
}

/// What stands before a classifier's name in `needs`.
const SCORE: &str = "score:";

fn no_table() -> Value {
    json!({})
}

impl Case {
    fn say<P: Policy>(&self) -> Value {
        let Ok((policy, declaration)) = P::configure(&self.config.to_string()) else {
            return json!({"refused": true});
        };
        let granted = |grant: &str| {
            // The scores of a classifier are covered by `model`.
            let covering = if grant.starts_with(SCORE) { "model" } else { grant };
            self.grants.as_ref().is_none_or(|all| all.iter().any(|one| one == covering))
        };
        let mut missing: Vec<&String> =
            declaration.needs.iter().filter(|need| !granted(need)).collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            return json!({"ungranted": missing});
        }
        grants::native::begin(&self.request.models);
        let whole = self.request.build();
        let mut shown = whole.clone();
        let needed: Vec<&str> =
            declaration.needs.iter().filter_map(|need| need.strip_prefix(SCORE)).collect();
        let is_of = |label: &str, name: &&str| label.split('/').next() == Some(*name);
        let is_scored = |name| whole.scores.iter().any(|(label, _)| is_of(label, name));
        if !needed.iter().all(is_scored) {
            return json!({"failed": "model"});
        }
        shown.scores.retain(|(label, _)| needed.iter().any(|name| is_of(label, name)));
        if !granted("text") {
            shown.segments.iter_mut().for_each(|segment| segment.text = None);
        }
        if !granted("findings") {
            shown.findings = None;
        }
        if !granted("caller") {
            shown.caller = None;
        }
        match policy.judge(&shown) {
            Err(_) => json!({"error": true}),
            Ok(judgement) => match nonsense(&declaration, &judgement, &whole) {
                Some(what) => json!({"nonsense": what}),
                None => say(judgement, &whole),
            },
        }
    }
}

/// What the host would refuse.
fn nonsense(declared: &Declaration, said: &Judgement, request: &Request) -> Option<String> {
    let known = |name: &String| request.targets.iter().any(|target| target.name == *name);
    let mut names = said.prefer.clone();
    if let Permission::Only(only) = &said.permit {
        names.extend(only.iter().cloned());
    }
    if let Some(name) = names.iter().find(|name| !known(name)) {
        return Some(format!("unknown target {name}"));
    }
    if let Some(label) = said.labels.iter().find(|label| !declared.labels.contains(label)) {
        return Some(format!("undeclared label {label}"));
    }
    if !said.code.is_empty() && !declared.codes.contains(&said.code) {
        return Some(format!("undeclared code {}", said.code));
    }
    let mut spans = Vec::new();
    for edit in &said.edits {
        let text = request.segment(edit.segment).and_then(|segment| segment.text.as_deref());
        let span = edit.start as usize..edit.end as usize;
        if span.is_empty() || text.is_none_or(|text| text.get(span).is_none()) {
            return Some(format!("bad span {}..{}", edit.start, edit.end));
        }
        spans.push((edit.segment, edit.start, edit.end));
    }
    spans.sort_unstable();
    let overlap = spans.windows(2).any(|pair| pair[0].0 == pair[1].0 && pair[0].2 > pair[1].1);
    overlap.then(|| "overlapping edits".to_owned())
}

fn say(judgement: Judgement, request: &Request) -> Value {
    let edits: Vec<Value> = judgement.edits.iter().map(|edit| say_edit(edit, request)).collect();
    json!({
        "permit": match judgement.permit {
            Permission::Any => json!("any"),
            Permission::Nowhere => json!("nowhere"),
            Permission::Within(zone) => json!(zone_name(zone)),
            Permission::Only(names) => json!(names),
        },
        "prefer": judgement.prefer,
        "edits": edits,
        "labels": judgement.labels,
        "code": judgement.code,
    })
}

fn say_edit(edit: &Edit, request: &Request) -> Value {
    let text = request.segment(edit.segment).and_then(|segment| segment.text.as_deref());
    let action = match &edit.action {
        Action::Mask => json!("mask"),
        Action::Pseudonymise => json!("pseudonymise"),
        Action::Remove => json!("remove"),
        Action::Replace(text) => json!({"replace": text}),
    };
    let scope = match &edit.scope {
        Scope::Always => json!("always"),
        Scope::Outside(zone) => json!(format!("outside {}", zone_name(*zone))),
        Scope::Towards(names) => json!({"towards": names}),
    };
    json!({
        "segment": edit.segment,
        "text": text.and_then(|text| text.get(edit.start as usize..edit.end as usize)),
        "entity": edit.entity,
        "action": action,
        "scope": scope,
    })
}

/// What is expected, with what was left out.
fn complete(expect: &Value) -> Value {
    let mut whole = json!({"permit": "any", "prefer": [], "edits": [], "labels": [], "code": ""});
    let (Some(members), Some(whole_members)) = (expect.as_object(), whole.as_object_mut()) else {
        panic!("`expect` is no object: {expect}");
    };
    if ["refused", "error", "ungranted"].iter().any(|instead| members.contains_key(*instead)) {
        assert!(members.len() == 1, "`expect` says more than it can: {expect}");
        return expect.clone();
    }
    for (name, member) in members {
        assert!(whole_members.contains_key(name), "`expect` has an unknown member {name}");
        whole_members.insert(name.clone(), member.clone());
    }
    whole
}

fn zone_name(zone: Zone) -> &'static str {
    match zone {
        Zone::Process => "process",
        Zone::Premises => "premises",
        Zone::Cloud => "cloud",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Masks every finding and says so, with a code that it may have declared.
    struct Masking(&'static str);

    impl Policy for Masking {
        fn configure(config: &str) -> Result<(Masking, Declaration), String> {
            match config {
                "{}" => Ok((Masking("masked"), Declaration::new().code("masked"))),
                "{\"needy\":true}" => {
                    let needs = Declaration::new().needs("text").needs("findings");
                    Ok((Masking("masked"), needs.code("masked")))
                }
                "{\"undeclared\":true}" => Ok((Masking("other"), Declaration::new())),
                _ => Err("unknown key".to_owned()),
            }
        }

        fn judge(&self, request: &Request) -> Result<Judgement, String> {
            let edits = request.found()?.iter().map(|found| found.mask_outside(Zone::Process));
            Ok(Judgement { edits: edits.collect(), ..Judgement::any() }.because(self.0))
        }
    }

    fn outcome(config: &str, grants: &str, expect: &str) -> Result<(), String> {
        let file = format!(
            r#"[{{"name": "it", "config": {config}, "grants": {grants}, "expect": {expect},
                 "request": {{"segments": ["to ann"], "findings": [{{"text": "ann", "entity": "NAME"}}]}}}}]"#
        );
        let ran = std::panic::catch_unwind(|| run::<Masking>(&file));
        ran.map_err(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
    }

    #[test]
    fn what_was_said_and_what_was_expected_are_compared_whole() {
        let edit = |action: &str| {
            format!(
                r#"[{{"segment": 0, "text": "ann", "entity": "NAME", "action": "{action}",
                     "scope": "outside process"}}]"#
            )
        };
        let all = r#"["findings"]"#;
        let right = format!(r#"{{"edits": {}, "code": "masked"}}"#, edit("mask"));
        assert_eq!(outcome("{}", all, &right), Ok(()));
        for (config, grants, expect) in [
            ("{}", all, format!(r#"{{"edits": {}, "code": "masked"}}"#, edit("remove"))),
            ("{}", all, format!(r#"{{"edits": {}}}"#, edit("mask"))),
            ("{}", all, r#"{"code": "masked"}"#.to_owned()),
            ("{}", all, right.replace("}]", "}], \"permit\": \"nowhere\"")),
            ("{}", "[]", right.clone()),
            (r#"{"undeclared": true}"#, all, right.replace("masked", "other")),
            (r#"{"misspelt": true}"#, all, right.clone()),
            ("{}", all, r#"{"refused": true}"#.to_owned()),
        ] {
            let failure = outcome(config, grants, &expect).expect_err(&expect);
            assert!(failure.contains("1 of 1 cases failed"), "{failure}");
        }
        assert_eq!(outcome("{}", "[]", r#"{"error": true}"#), Ok(()));
        assert_eq!(outcome(r#"{"misspelt": true}"#, all, r#"{"refused": true}"#), Ok(()));
        let needy = r#"{"needy": true}"#;
        assert_eq!(outcome(needy, "[]", r#"{"ungranted": ["findings", "text"]}"#), Ok(()));
        assert_eq!(
            outcome(needy, r#"["caller"]"#, r#"{"ungranted": ["findings", "text"]}"#),
            Ok(())
        );
        assert!(outcome(needy, all, r#"{"ungranted": ["findings", "text"]}"#).is_err());
    }

    #[test]
    fn a_file_that_is_no_list_of_cases_fails() {
        for file in [
            "",
            "{}",
            "[]",
            r#"[{"name": "x"}]"#,
            r#"[{"name": "x", "expect": {"cod": ""}}]"#,
            r#"[{"name": "x", "expect": {"error": true, "code": "x"}}]"#,
            r#"[{"name": "x", "request": {"segments": [{"txt": "x"}]}, "expect": {"error": true}}]"#,
            r#"[{"name": "x", "request": {"segments": [{"text": "x", "roll": "user"}]},
                 "expect": {"error": true}}]"#,
        ] {
            assert!(std::panic::catch_unwind(|| run::<Masking>(file)).is_err(), "{file}");
        }
    }
}
