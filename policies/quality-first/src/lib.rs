//! Hard requests go to the best target, and easy ones stay near. It only prefers: where a
//! request may go is for other policies to say.

use std::cmp::Ordering;

use ringfence_sdk::{Declaration, Judgement, Policy, Request, Target};
use serde::Deserialize;

/// The entry's own table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// The attribute of a target that says how good it is: a number, and more is better.
    attribute: String,
    /// A prompt of so many tokens is hard; 0 for never.
    input_tokens: u32,
    /// A request that asks for an answer of so many tokens is hard; 0 for never.
    output_tokens: u32,
    /// So many messages make it hard; 0 for never.
    messages: u32,
    /// Needing one of these capabilities makes it hard.
    needs: Vec<String>,
    /// A target that is worse by at most this counts as good as the best.
    tolerance: f64,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            attribute: "quality".to_owned(),
            input_tokens: 2000,
            output_tokens: 0,
            messages: 0,
            needs: vec!["tools".to_owned()],
            tolerance: 0.0,
        }
    }
}

/// The policy.
pub struct QualityFirst(Config);

impl Policy for QualityFirst {
    fn configure(config: &str) -> Result<(QualityFirst, Declaration), String> {
        let config: Config = ringfence_sdk::config(config)?;
        if !config.tolerance.is_finite() || config.tolerance < 0.0 {
            return Err("tolerance: expected a number from 0 on".to_owned());
        }
        if config.attribute.is_empty() {
            return Err("attribute: expected a name".to_owned());
        }
        Ok((QualityFirst(config), Declaration::new().label("hard")))
    }

    fn judge(&self, request: &Request) -> Result<Judgement, String> {
        let is_hard = self.is_hard(request);
        let mut targets: Vec<&Target> = request.targets.iter().collect();
        // The sorts are stable: what the configuration names first stays first among equals.
        if is_hard {
            let best = targets.iter().map(|target| self.quality(target)).fold(0.0, f64::max);
            targets.sort_by(|a, b| self.for_hard(a, b, best));
        } else {
            targets.sort_by(|a, b| for_easy(a, b));
        }
        let judgement = Judgement::any().prefer(targets.iter().map(|target| target.name.as_str()));
        Ok(if is_hard { judgement.label("hard") } else { judgement })
    }
}

impl QualityFirst {
    fn is_hard(&self, request: &Request) -> bool {
        let reaches = |limit: u32, number: u32| limit > 0 && number >= limit;
        // What stands outside of messages has their number as its turn.
        let messages = request.segments.iter().map(|segment| segment.turn).max().unwrap_or(0);
        reaches(self.0.input_tokens, request.input_tokens)
            || reaches(self.0.output_tokens, request.max_output_tokens.unwrap_or(0))
            || reaches(self.0.messages, messages)
            || request.needs.iter().any(|need| self.0.needs.contains(need))
    }

    /// How good the operator says it is; 0 where nothing is said, or no number.
    fn quality(&self, target: &Target) -> f64 {
        let said = target.attribute(&self.0.attribute).and_then(|said| said.trim().parse().ok());
        said.filter(|quality: &f64| quality.is_finite()).unwrap_or(0.0)
    }

    /// What is well, by quality; among those that are good enough, what has room, then by
    /// price.
    fn for_hard(&self, a: &Target, b: &Target, best: f64) -> Ordering {
        let quality = |target: &Target| {
            let quality = self.quality(target);
            if quality + self.0.tolerance >= best { best } else { quality }
        };
        (!a.healthy)
            .cmp(&!b.healthy)
            .then_with(|| quality(b).total_cmp(&quality(a)))
            .then_with(|| b.has_room().cmp(&a.has_room()))
            .then_with(|| price(a).total_cmp(&price(b)))
    }
}

/// What is well and has room, the nearest first, then by price.
fn for_easy(a: &Target, b: &Target) -> Ordering {
    let doubts = |target: &Target| (!target.healthy, !target.has_room(), target.zone as u8);
    doubts(a).cmp(&doubts(b)).then_with(|| price(a).total_cmp(&price(b)))
}

fn price(target: &Target) -> f64 {
    target.input_price + target.output_price
}

ringfence_sdk::export!(QualityFirst);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_hold() {
        ringfence_sdk::cases::run::<QualityFirst>(include_str!("../cases.json"));
    }
}
