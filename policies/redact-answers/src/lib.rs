//! Hides personal data and secrets in answers: what the model says of its own, or read
//! somewhere. What was restored for the client stays; with the grant `text`, so does
//! what the client itself wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use ringfence_sdk::response::{Inspect, Outcome, Window};
use ringfence_sdk::{Action, Declaration, Finding, Judgement, Policy, Request, Role};
use serde::Deserialize;

/// The entry's own table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What happens to entities that `actions` does not name.
    default: Hide,
    /// By entity. `SECRET` also means every entity whose name begins with `SECRET_`.
    actions: BTreeMap<String, Hide>,
    /// Findings with a lower score are left alone.
    min_score: f32,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Hide {
    Mask,
    Remove,
    /// The answer ends before it.
    Stop,
    Ignore,
}

impl Default for Config {
    fn default() -> Config {
        Config { default: Hide::Mask, actions: BTreeMap::new(), min_score: 0.5 }
    }
}

/// The code of an answer that ended before something was said.
const STOPPED: &str = "answer_stopped";

/// The policy. One instance judges a request and inspects its answer.
pub struct RedactAnswers {
    config: Config,
    /// What was found in the request.
    own: Mutex<BTreeSet<String>>,
}

impl Policy for RedactAnswers {
    fn configure(config: &str) -> Result<(RedactAnswers, Declaration), String> {
        let config: Config = ringfence_sdk::config(config)?;
        if !(0.0..=1.0).contains(&config.min_score) {
            return Err("min_score is a number from 0 to 1".to_owned());
        }
        if !config.actions.keys().all(|entity| is_entity(entity)) {
            return Err("actions: an entity has capitals, digits and _, like EMAIL".to_owned());
        }
        let declaration = Declaration::new().code(STOPPED).needs("findings");
        Ok((RedactAnswers { config, own: Mutex::default() }, declaration))
    }

    fn judge(&self, request: &Request) -> Result<Judgement, String> {
        // What a tool answered is not the client's own.
        let is_own = |finding: &&Finding| {
            request.segment(finding.segment).is_some_and(|segment| segment.role != Role::Tool)
        };
        let found = request.found()?.iter().filter(is_own);
        let values = found.filter_map(|finding| request.text_of(finding));
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.extend(values.map(str::to_owned));
        Ok(Judgement::any())
    }
}

impl Inspect for RedactAnswers {
    fn inspect(&self, window: &Window) -> Result<Outcome, String> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let is_own = |finding| window.text_of(finding).is_some_and(|text| own.contains(text));
        let mut cuts = Vec::new();
        for finding in window.found()?.filter(|finding| !is_own(finding)) {
            if finding.score < self.config.min_score {
                continue;
            }
            match self.hide(finding) {
                Hide::Mask => cuts.push(finding.cut(Action::Mask)),
                Hide::Remove => cuts.push(finding.cut(Action::Remove)),
                Hide::Stop => return Ok(Outcome::Stop(STOPPED.to_owned())),
                Hide::Ignore => {}
            }
        }
        Ok(if cuts.is_empty() { Outcome::Release } else { Outcome::Edit(cuts) })
    }
}

impl RedactAnswers {
    fn hide(&self, finding: &Finding) -> Hide {
        let named = |entity: &str| self.config.actions.get(entity).copied();
        let secret = finding.entity.starts_with("SECRET_");
        named(&finding.entity)
            .or_else(|| secret.then(|| named("SECRET")).flatten())
            .unwrap_or(self.config.default)
    }
}

fn is_entity(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.bytes().all(fits)
}

ringfence_sdk::export!(RedactAnswers, inspects);

#[cfg(test)]
mod tests {
    use ringfence_sdk::Kind;

    use super::*;

    #[test]
    fn cases_hold() {
        ringfence_sdk::cases::run::<RedactAnswers>(include_str!("../cases.json"));
    }

    fn finding(start: u32, end: u32, entity: &str, score: f32) -> Finding {
        Finding { segment: 0, start, end, entity: entity.to_owned(), score }
    }

    /// What it does to a window of 40 bytes: `EMAIL 0..10 mask`, or `stop`.
    fn said(config: &str, found: Option<Vec<Finding>>, restored: Vec<(u32, u32)>) -> String {
        let (policy, _) = RedactAnswers::configure(config).expect("a configuration");
        policy.own.lock().expect("a lock").insert("mine@here.example".to_owned());
        let window = Window {
            choice: 0,
            kind: Kind::Text,
            tool: None,
            bytes: 40,
            text: Some("her@x.test  mine@here.example and so on.".to_owned()),
            findings: found,
            restored,
            target: "cloud".to_owned(),
            last: true,
        };
        match policy.inspect(&window) {
            Ok(Outcome::Release) => "release".to_owned(),
            Ok(Outcome::Hold(_)) => "hold".to_owned(),
            Ok(Outcome::Stop(code)) => format!("stop {code}"),
            Ok(Outcome::Edit(cuts)) => {
                let cut = |cut: &ringfence_sdk::response::Cut| {
                    let action = match cut.action {
                        Action::Mask => "mask",
                        Action::Remove => "remove",
                        Action::Replace(_) | Action::Pseudonymise => "other",
                    };
                    format!("{} {}..{} {action}", cut.entity, cut.start, cut.end)
                };
                cuts.iter().map(cut).collect::<Vec<_>>().join(", ")
            }
            Err(error) => error,
        }
    }

    #[test]
    fn windows_are_cut_where_something_new_was_found() {
        let email = || Some(vec![finding(0, 10, "EMAIL", 0.9), finding(20, 30, "SECRET_JWT", 1.0)]);
        let stops = r#"{"actions": {"SECRET": "stop"}}"#;
        let other = r#"{"default": "remove", "actions": {"EMAIL": "ignore"}, "min_score": 0.95}"#;
        for (config, found, restored, expected) in [
            ("{}", None, vec![], "the grant `findings` is missing"),
            ("{}", Some(vec![]), vec![], "release"),
            ("{}", Some(vec![finding(12, 29, "EMAIL", 0.9)]), vec![], "release"),
            ("{}", email(), vec![], "EMAIL 0..10 mask, SECRET_JWT 20..30 mask"),
            ("{}", email(), vec![(0, 10)], "SECRET_JWT 20..30 mask"),
            ("{}", email(), vec![(9, 21)], "EMAIL 0..10 mask, SECRET_JWT 20..30 mask"),
            ("{}", email(), vec![(0, 10), (19, 31)], "release"),
            (stops, email(), vec![], "stop answer_stopped"),
            (stops, email(), vec![(20, 30)], "EMAIL 0..10 mask"),
            (other, email(), vec![], "SECRET_JWT 20..30 remove"),
        ] {
            assert_eq!(said(config, found, restored), expected, "{config}");
        }
    }
}
