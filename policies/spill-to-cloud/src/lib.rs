//! The local model takes the base load, and peaks go outside. It only prefers: where a
//! request may go is for other policies to say, except that `offline` keeps all inside.

use std::cmp::Ordering;

use ringfence_sdk::{Declaration, Judgement, Policy, Request, Target, Zone};
use serde::Deserialize;

/// The entry's own table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// Keeps everything inside: in the process or on the premises.
    offline: bool,
    /// So many requests waiting for a target inside make it busy; 0 for as many as it
    /// takes.
    queued: u32,
    /// A median time to the first token above this makes it busy; 0 for any.
    first_token_ms: u32,
    /// A median time of an answer above this makes it busy; 0 for any.
    answer_ms: u32,
    /// What comes first outside.
    outside_by: By,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum By {
    Price,
    Speed,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            offline: false,
            queued: 4,
            first_token_ms: 4000,
            answer_ms: 0,
            outside_by: By::Price,
        }
    }
}

/// The policy.
pub struct SpillToCloud(Config);

impl Policy for SpillToCloud {
    fn configure(config: &str) -> Result<(SpillToCloud, Declaration), String> {
        let config: Config = ringfence_sdk::config(config)?;
        Ok((SpillToCloud(config), Declaration::new().code("offline").label("spilled")))
    }

    fn judge(&self, request: &Request) -> Result<Judgement, String> {
        let is_inside = |target: &&Target| target.is_within(Zone::Premises);
        let (mut inside, mut outside): (Vec<&Target>, Vec<&Target>) =
            request.targets.iter().partition(is_inside);
        // Both sorts are stable: what the configuration names first stays first among
        // equals.
        inside.sort_by_key(|target| (self.is_busy(target, request), !target.healthy));
        let free = inside.iter().filter(|target| !self.is_busy(target, request)).count();
        if self.0.offline {
            let judgement = Judgement::within(Zone::Premises).because("offline");
            return Ok(judgement.prefer(inside.iter().map(|target| target.name.as_str())));
        }
        outside.sort_by(|a, b| self.outside(a, b, request));
        // A request that finds no room inside waits there only when nobody outside is well.
        let well = outside.iter().filter(|target| target.healthy).count();
        let (free, busy) = inside.split_at(free);
        let (well, unwell) = outside.split_at(well);
        let order = [free, well, busy, unwell].concat();
        let spills = free.is_empty() && !busy.is_empty() && !well.is_empty();
        let judgement = Judgement::any().prefer(order.iter().map(|target| target.name.as_str()));
        Ok(if spills { judgement.label("spilled") } else { judgement })
    }
}

impl SpillToCloud {
    /// Whether one more request had better go elsewhere.
    fn is_busy(&self, target: &Target, request: &Request) -> bool {
        let Config { queued, first_token_ms, answer_ms, .. } = self.0;
        let above = |limit: u32, measured: u32| limit > 0 && measured > limit;
        !target.has_room()
            || (queued > 0 && target.queued >= queued)
            || above(first_token_ms, target.first_token_ms)
            || above(answer_ms, target.p50_ms)
            || request.latency_wanted_ms.is_some_and(|wanted| target.first_token_ms > wanted)
    }

    /// Which of two targets outside comes first: what is well and quick enough, then by
    /// price or by speed.
    fn outside(&self, a: &Target, b: &Target, request: &Request) -> Ordering {
        let wanted = request.latency_wanted_ms.unwrap_or(u32::MAX);
        let doubts = |target: &Target| (!target.healthy, target.first_token_ms > wanted);
        let price = |target: &Target| target.input_price + target.output_price;
        doubts(a).cmp(&doubts(b)).then_with(|| match self.0.outside_by {
            By::Price => price(a).total_cmp(&price(b)),
            By::Speed => speed(a).cmp(&speed(b)),
        })
    }
}

/// The median time to the first token; nobody has measured 0.
fn speed(target: &Target) -> u32 {
    target.first_token_ms.wrapping_sub(1)
}

ringfence_sdk::export!(SpillToCloud);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_hold() {
        ringfence_sdk::cases::run::<SpillToCloud>(include_str!("../cases.json"));
    }
}
