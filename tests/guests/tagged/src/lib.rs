//! A policy that can be told apart: `{"tag": "A"}` labels every request `tag-A`, and
//! `{"permit": "premises"}` permits that (`process`, `premises`, `nowhere`, `only:NAME`).

use ringfence_sdk::{Declaration, Judgement, Permission, Policy, Request, Zone};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default, crate = "ringfence_sdk::serde")]
struct Config {
    tag: String,
    permit: String,
}

impl Default for Config {
    fn default() -> Config {
        Config { tag: "A".to_owned(), permit: "any".to_owned() }
    }
}

struct Tagged {
    label: String,
    permit: Permission,
}

impl Policy for Tagged {
    fn configure(config: &str) -> Result<(Tagged, Declaration), String> {
        let Config { tag, permit } = ringfence_sdk::config(config)?;
        let permit = match (permit.as_str(), permit.strip_prefix("only:")) {
            ("any", _) => Permission::Any,
            ("process", _) => Permission::Within(Zone::Process),
            ("premises", _) => Permission::Within(Zone::Premises),
            ("nowhere", _) => Permission::Nowhere,
            (_, Some(name)) => Permission::Only(vec![name.to_owned()]),
            (other, None) => return Err(format!("nothing is permitted by {other}")),
        };
        let label = format!("tag-{tag}");
        let declaration = Declaration::new().label(&label).code("tagged");
        Ok((Tagged { label, permit }, declaration))
    }

    fn judge(&self, _: &Request) -> Result<Judgement, String> {
        Ok(Judgement::permit(self.permit.clone()).label(&self.label).because("tagged"))
    }
}

ringfence_sdk::export!(Tagged);
