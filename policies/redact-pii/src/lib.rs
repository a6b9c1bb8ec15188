//! Hides personal data and secrets from targets outside; what stays inside stays as it is.
//!
//! It works from findings alone and never sees the text.

use std::collections::BTreeMap;

use ringfence_sdk::{Action, Declaration, Finding, Inside, Judgement, Policy, Request, Scope};
use serde::Deserialize;

/// The entry's own table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What happens to entities that `actions` does not name; secrets are masked.
    default: Hide,
    /// By entity. `SECRET` also means every entity whose name begins with `SECRET_`.
    actions: BTreeMap<String, Rule>,
    /// Targets farther away than this do not see what was found.
    outside: Inside,
    /// Findings with a lower score are left alone. What the detectors call an address of
    /// this machine itself, like `127.0.0.1`, scores below the default.
    min_score: f32,
}

/// What happens to an entity: a word, or with a zone of its own.
#[derive(Deserialize, Clone, Copy)]
#[serde(untagged)]
enum Rule {
    Hide(Hide),
    Within(Within),
}

#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
struct Within {
    action: Hide,
    outside: Inside,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Hide {
    Mask,
    Pseudonymise,
    Remove,
    Ignore,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            default: Hide::Pseudonymise,
            actions: BTreeMap::new(),
            outside: Inside::Premises,
            min_score: 0.5,
        }
    }
}

/// The policy.
pub struct RedactPii(Config);

impl Policy for RedactPii {
    fn configure(config: &str) -> Result<(RedactPii, Declaration), String> {
        let config: Config = ringfence_sdk::config(config)?;
        if !(0.0..=1.0).contains(&config.min_score) {
            return Err("min_score is a number from 0 to 1".to_owned());
        }
        for (entity, rule) in &config.actions {
            if is_secret(entity) && rule.hide() == Hide::Pseudonymise {
                // A placeholder stands for a value that comes back, and secrets never do.
                return Err(format!("actions: {entity} can be masked, removed or ignored"));
            }
            if !is_entity(entity) {
                return Err("actions: an entity has capitals, digits and _, like EMAIL".to_owned());
            }
        }
        let declaration = Declaration::new().label("pii").label("secret").needs("findings");
        Ok((RedactPii(config), declaration))
    }

    fn judge(&self, request: &Request) -> Result<Judgement, String> {
        let found = request.found()?;
        let mut edits = Vec::with_capacity(found.len());
        let (mut has_personal, mut has_secret) = (false, false);
        for finding in found.iter().filter(|finding| finding.score >= self.0.min_score) {
            let is_secret = is_secret(&finding.entity);
            let (hide, outside) = self.rule(finding, is_secret);
            let action = match hide {
                Hide::Mask => Action::Mask,
                Hide::Pseudonymise => Action::Pseudonymise,
                Hide::Remove => Action::Remove,
                Hide::Ignore => continue,
            };
            has_secret |= is_secret;
            has_personal |= !is_secret;
            edits.push(finding.edit(action, Scope::Outside(outside.into())));
        }
        let mut judgement = Judgement { edits, ..Judgement::any() };
        for (label, holds) in [("pii", has_personal), ("secret", has_secret)] {
            if holds {
                judgement = judgement.label(label);
            }
        }
        Ok(judgement)
    }
}

impl RedactPii {
    fn rule(&self, finding: &Finding, is_secret: bool) -> (Hide, Inside) {
        let named = |entity: &str| self.0.actions.get(entity).copied();
        let rule = match is_secret {
            true => named(&finding.entity).or_else(|| named("SECRET")),
            false => named(&finding.entity),
        };
        match rule {
            Some(Rule::Within(Within { action, outside })) => (action, outside),
            Some(Rule::Hide(hide)) => (hide, self.0.outside),
            None if is_secret => (Hide::Mask, self.0.outside),
            None => (self.0.default, self.0.outside),
        }
    }
}

impl Rule {
    fn hide(self) -> Hide {
        match self {
            Rule::Hide(hide) | Rule::Within(Within { action: hide, .. }) => hide,
        }
    }
}

fn is_secret(entity: &str) -> bool {
    entity == "SECRET" || entity.starts_with("SECRET_")
}

fn is_entity(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.bytes().all(fits)
}

ringfence_sdk::export!(RedactPii);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_hold() {
        ringfence_sdk::cases::run::<RedactPii>(include_str!("../cases.json"));
    }
}
