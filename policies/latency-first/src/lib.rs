//! What is in a hurry goes where it is answered in time. What is not is left to others.

use ringfence_sdk::{Declaration, Judgement, Policy, Request, Target};
use serde::Deserialize;

/// The entry's own table.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// How soon a first token is wanted where the client does not say; 0 for no hurry.
    wanted_ms: u32,
    /// A client that says less than this is not believed; 0 for any.
    least_ms: u32,
    /// Only targets that can be in time: a request with none is refused.
    strict: bool,
}

/// The policy.
pub struct LatencyFirst(Config);

/// How a target does, in the order of preference.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pace {
    /// Its median first token comes in time.
    InTime,
    /// Nobody has measured it yet. Were it last, nobody ever would.
    Unmeasured,
    /// It comes late, or has no room now.
    Late,
    /// Its recent calls fail.
    Ill,
}

impl Policy for LatencyFirst {
    fn configure(config: &str) -> Result<(LatencyFirst, Declaration), String> {
        let config: Config = ringfence_sdk::config(config)?;
        Ok((LatencyFirst(config), Declaration::new().code("too_slow").label("hurried")))
    }

    fn judge(&self, request: &Request) -> Result<Judgement, String> {
        let Some(wanted) = self.wanted(request) else { return Ok(Judgement::any()) };
        let mut targets: Vec<(Pace, &Target)> =
            request.targets.iter().map(|target| (pace(target, wanted), target)).collect();
        // Stable: what the configuration names first stays first among equals.
        targets.sort_by_key(|(pace, target)| (*pace, target.first_token_ms, target.p99_ms));
        let can = |target: &Target| pace(target, wanted) <= Pace::Unmeasured;
        let judgement = if self.0.strict {
            targets.retain(|(_, target)| can(target));
            Judgement::only(request, can).because("too_slow")
        } else {
            Judgement::any()
        };
        Ok(judgement.label("hurried").prefer(targets.iter().map(|(_, one)| one.name.as_str())))
    }
}

impl LatencyFirst {
    /// How soon a first token is wanted; `None` when there is no hurry.
    fn wanted(&self, request: &Request) -> Option<u32> {
        match request.latency_wanted_ms {
            Some(wanted) => Some(wanted.max(self.0.least_ms)),
            None => Some(self.0.wanted_ms).filter(|wanted| *wanted > 0),
        }
    }
}

fn pace(target: &Target, wanted: u32) -> Pace {
    match target.first_token_ms {
        _ if !target.healthy => Pace::Ill,
        _ if !target.has_room() => Pace::Late,
        0 => Pace::Unmeasured,
        first if first <= wanted => Pace::InTime,
        _ => Pace::Late,
    }
}

ringfence_sdk::export!(LatencyFirst);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_hold() {
        ringfence_sdk::cases::run::<LatencyFirst>(include_str!("../cases.json"));
    }
}
