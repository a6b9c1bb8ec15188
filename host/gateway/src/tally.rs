//! How each policy does: what `ringfence status` and the admin API tell.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ringfence_fence::{Permission, Verdict};

/// How each policy does since the process began, by its name.
#[derive(Debug, Default)]
pub struct Tallies(Mutex<BTreeMap<String, Tally>>);

/// How one policy does.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Requests that it judged.
    pub calls: u64,
    /// Requests that it let go nowhere.
    pub refusals: u64,
    /// Requests that it failed on, by the kind of failure.
    pub failures: BTreeMap<&'static str, u64>,
    /// Times of the last calls.
    times: VecDeque<Duration>,
}

impl Tallies {
    /// A policy judged a request, or failed to.
    pub fn note(&self, verdict: &Verdict) {
        let mut tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !tallies.contains_key(&verdict.policy) {
            tallies.insert(verdict.policy.clone(), Tally::default());
        }
        let Some(tally) = tallies.get_mut(&verdict.policy) else { return };
        tally.calls += 1;
        match &verdict.outcome {
            Ok(judgement) if *judgement.permit() == Permission::Nowhere => tally.refusals += 1,
            Ok(_) => {}
            Err(failure) => *tally.failures.entry(failure.name()).or_default() += 1,
        }
        if tally.times.len() == Tally::TIMES {
            tally.times.pop_front();
        }
        tally.times.push_back(verdict.spent);
    }

    /// How the policy of that name does.
    pub fn of(&self, policy: &str) -> Tally {
        let tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tallies.get(policy).cloned().unwrap_or_default()
    }
}

impl Tally {
    /// Calls that the quantiles are taken over.
    pub const TIMES: usize = 512;

    /// The time that so many hundredths of the last calls stayed within; absent without any.
    pub fn percentile(&self, hundredths: usize) -> Option<Duration> {
        let mut times: Vec<Duration> = self.times.iter().copied().collect();
        times.sort_unstable();
        let rank = (times.len() * hundredths).div_ceil(100).max(1) - 1;
        times.get(rank.min(times.len().saturating_sub(1))).copied()
    }
}

#[cfg(test)]
mod tests {
    use ringfence_fence::{Digest, Mode, OnFailure, PolicyFailure};

    use super::*;

    fn verdict(policy: &str, milliseconds: u64) -> Verdict {
        Verdict {
            policy: policy.to_owned(),
            digest: Digest::of(b"policy"),
            mode: Mode::Protect,
            on_failure: OnFailure::Deny,
            outcome: Err(PolicyFailure::Trap),
            spent: Duration::from_millis(milliseconds),
        }
    }

    #[test]
    fn calls_failures_and_times_are_told_apart_by_policy() {
        let tallies = Tallies::default();
        assert_eq!(tallies.of("a").percentile(50), None);
        for milliseconds in 1..=100 {
            tallies.note(&verdict("a", milliseconds));
        }
        tallies.note(&verdict("b", 7));
        let a = tallies.of("a");
        assert_eq!((a.calls, a.refusals, a.failures["trap"]), (100, 0, 100));
        assert_eq!(a.percentile(50), Some(Duration::from_millis(50)));
        assert_eq!(a.percentile(99), Some(Duration::from_millis(99)));
        assert_eq!(tallies.of("b").percentile(99), Some(Duration::from_millis(7)));
    }

    #[test]
    fn times_are_bounded() {
        let tallies = Tallies::default();
        for milliseconds in 0..3 * Tally::TIMES as u64 {
            tallies.note(&verdict("a", milliseconds));
        }
        let a = tallies.of("a");
        assert_eq!((a.calls, a.times.len()), (3 * Tally::TIMES as u64, Tally::TIMES));
    }
}
