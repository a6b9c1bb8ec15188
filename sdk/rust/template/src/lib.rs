//! Requests with more than so many e-mail addresses stay on the premises.

use ringfence_sdk::{Declaration, Judgement, Policy, Request, Zone};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    most: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config { most: 3 }
    }
}

struct MyPolicy(Config);

impl Policy for MyPolicy {
    fn configure(config: &str) -> Result<(MyPolicy, Declaration), String> {
        let declaration = Declaration::new().code("too_many_addresses").needs("findings");
        Ok((MyPolicy(ringfence_sdk::config(config)?), declaration))
    }

    fn judge(&self, request: &Request) -> Result<Judgement, String> {
        let found = request.found()?;
        let addresses = found.iter().filter(|finding| finding.entity == "EMAIL").count();
        if addresses <= self.0.most {
            return Ok(Judgement::any());
        }
        Ok(Judgement::within(Zone::Premises).because("too_many_addresses"))
    }
}

ringfence_sdk::export!(MyPolicy);

#[cfg(test)]
mod tests {
    #[test]
    fn its_cases_hold() {
        ringfence_sdk::cases::run::<super::MyPolicy>(include_str!("../cases.json"));
    }
}
