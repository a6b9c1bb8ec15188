//! Hides keys, tokens and passwords, or refuses what holds one. Nothing else is its business.
//!
//! It works from findings alone and never sees the text.

use std::collections::BTreeMap;

use ringfence_sdk::{Action, Declaration, Inside, Judgement, Policy, Request, Scope};
use serde::Deserialize;

/// The entry's own table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What happens to kinds that `actions` does not name.
    default: Deed,
    /// By kind: `SECRET_PRIVATE_KEY`.
    actions: BTreeMap<String, Deed>,
    /// Targets farther away than this see no secret.
    outside: Inside,
    /// Findings with a lower score are left alone.
    min_score: f32,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Deed {
    Mask,
    Remove,
    /// The request goes no farther than `outside`; a target there gets it as it is.
    Confine,
    /// The request goes nowhere.
    Refuse,
    Ignore,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            default: Deed::Mask,
            actions: BTreeMap::new(),
            // A server of one's own keeps logs too.
            outside: Inside::Process,
            min_score: 0.5,
        }
    }
}

/// The policy.
pub struct RedactSecrets(Config);

const CONFINED: &str = "secret_confined";
const REFUSED: &str = "secret_refused";

impl Policy for RedactSecrets {
    fn configure(config: &str) -> Result<(RedactSecrets, Declaration), String> {
        let config: Config = ringfence_sdk::config(config)?;
        if !(0.0..=1.0).contains(&config.min_score) {
            return Err("min_score is a number from 0 to 1".to_owned());
        }
        if !config.actions.keys().all(|kind| kind.starts_with("SECRET_")) {
            return Err("actions: a kind of secret begins with SECRET_".to_owned());
        }
        let declaration = Declaration::new().label("secret").code(CONFINED).code(REFUSED);
        Ok((RedactSecrets(config), declaration.needs("findings")))
    }

    fn judge(&self, request: &Request) -> Result<Judgement, String> {
        let Config { default, actions, outside, min_score } = &self.0;
        let (mut edits, mut confines, mut found) = (Vec::new(), false, false);
        for finding in request.found()? {
            let is_secret = finding.entity == "SECRET" || finding.entity.starts_with("SECRET_");
            if !is_secret || finding.score < *min_score {
                continue;
            }
            let action = match actions.get(&*finding.entity).unwrap_or(default) {
                Deed::Refuse => {
                    return Ok(Judgement::nowhere().because(REFUSED).label("secret"));
                }
                Deed::Confine => {
                    confines = true;
                    continue;
                }
                Deed::Ignore => continue,
                Deed::Mask => Action::Mask,
                Deed::Remove => Action::Remove,
            };
            found = true;
            edits.push(finding.edit(action, Scope::Outside((*outside).into())));
        }
        let judgement = match confines {
            true => Judgement::within((*outside).into()).because(CONFINED),
            false => Judgement::any(),
        };
        let judgement = Judgement { edits, ..judgement };
        Ok(if found || confines { judgement.label("secret") } else { judgement })
    }
}

ringfence_sdk::export!(RedactSecrets);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_hold() {
        ringfence_sdk::cases::run::<RedactSecrets>(include_str!("../cases.json"));
    }
}
