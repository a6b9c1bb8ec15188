//! Says what its configuration tells it to, so that chains can be told apart.

use ringfence_sdk::{Declaration, Judgement, Permission, Policy, Request, Zone};
use serde::Deserialize;

/// The entry's own table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// A label of every judgement; none when empty.
    tag: String,
    /// The code of every judgement; none when empty.
    code: String,
    /// `any`, `process`, `premises`, `cloud`, `nowhere` or `only:NAME,NAME`.
    permit: String,
    /// Targets in the order of preference, whether the policy was shown them or not.
    prefer: Vec<String>,
    /// Grants that it claims to need.
    needs: Vec<String>,
    /// Nowhere when fewer dollars are left.
    at_least: f64,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            tag: String::new(),
            code: String::new(),
            permit: "any".to_owned(),
            prefer: Vec::new(),
            needs: Vec::new(),
            at_least: 0.0,
        }
    }
}

struct Tagged {
    judgement: Judgement,
    at_least: f64,
}

impl Policy for Tagged {
    fn configure(config: &str) -> Result<(Tagged, Declaration), String> {
        let config: Config = ringfence_sdk::config(config)?;
        let permit = match config.permit.as_str() {
            "any" => Permission::Any,
            "process" => Permission::Within(Zone::Process),
            "premises" => Permission::Within(Zone::Premises),
            "cloud" => Permission::Within(Zone::Cloud),
            "nowhere" => Permission::Nowhere,
            other => match other.strip_prefix("only:") {
                Some(names) => Permission::Only(names.split(',').map(str::to_owned).collect()),
                None => return Err(format!("no permission is named {other:?}")),
            },
        };
        let mut declaration = Declaration { needs: config.needs, ..Declaration::new() };
        let mut judgement = Judgement::permit(permit);
        if !config.tag.is_empty() {
            declaration = declaration.label(&config.tag);
            judgement = judgement.label(&config.tag);
        }
        if !config.code.is_empty() {
            declaration = declaration.code(&config.code);
            judgement = judgement.because(&config.code);
        }
        judgement.prefer = config.prefer;
        Ok((Tagged { judgement, at_least: config.at_least }, declaration))
    }

    fn judge(&self, request: &Request) -> Result<Judgement, String> {
        if request.budget_left.is_some_and(|left| left < self.at_least) {
            return Ok(Judgement::nowhere());
        }
        Ok(self.judgement.clone())
    }
}

ringfence_sdk::export!(Tagged);
