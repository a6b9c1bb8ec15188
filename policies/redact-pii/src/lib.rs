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
    actions: BTreeMap<String, Hide>,
    /// Targets farther away than this do not see what was found.
    outside: Inside,
    /// Findings with a lower score are left alone. What the detectors call an address of
    /// this machine itself, like `127.0.0.1`, scores below the default.
    min_score: f32,
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
        for (entity, action) in &config.actions {
            if is_secret(entity) && *action == Hide::Pseudonymise {
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
        let scope = Scope::Outside(self.0.outside.into());
        let found = request.found()?;
        let mut edits = Vec::with_capacity(found.len());
        let (mut has_personal, mut has_secret) = (false, false);
        for finding in found.iter().filter(|finding| finding.score >= self.0.min_score) {
            let is_secret = is_secret(&finding.entity);
            let action = match self.hide(finding, is_secret) {
                Hide::Mask => Action::Mask,
                Hide::Pseudonymise => Action::Pseudonymise,
                Hide::Remove => Action::Remove,
                Hide::Ignore => continue,
            };
            has_secret |= is_secret;
            has_personal |= !is_secret;
            edits.push(finding.edit(action, scope.clone()));
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
    fn hide(&self, finding: &Finding, is_secret: bool) -> Hide {
        let named = |entity: &str| self.0.actions.get(entity).copied();
        if is_secret {
            return named(&finding.entity).or_else(|| named("SECRET")).unwrap_or(Hide::Mask);
        }
        named(&finding.entity).unwrap_or(self.0.default)
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
