//! How the last answers went.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ringfence_fence::Vitals;

use crate::queue::Depth;

/// Times and failures of the last answers. Times count from when a request joined the
/// queue: that is what the next one has to expect.
#[derive(Default)]
pub(crate) struct Gauge(Mutex<VecDeque<Sample>>);

#[derive(Clone, Copy)]
struct Sample {
    /// Absent for a failure.
    times: Option<Times>,
}

#[derive(Clone, Copy)]
struct Times {
    first_token: Duration,
    whole: Duration,
}

impl Gauge {
    /// Answers that are remembered.
    pub(crate) const WINDOW: usize = 128;
    /// What a full queue tells clients to wait, at least and at most.
    const WAIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

    /// Counts a whole answer.
    pub(crate) fn answered(&self, first_token: Duration, whole: Duration) {
        self.push(Sample { times: Some(Times { first_token, whole }) });
    }

    /// Counts a failure of the device.
    pub(crate) fn failed(&self) {
        self.push(Sample { times: None });
    }

    /// What policies see.
    pub(crate) fn vitals(&self, depth: Depth, open: bool) -> Vitals {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let times = || samples.iter().filter_map(|sample| sample.times);
        let failures = samples.iter().filter(|sample| sample.times.is_none()).count();
        let whole = sorted(times().map(|times| times.whole));
        Vitals {
            healthy: open && samples.back().is_none_or(|sample| sample.times.is_some()),
            in_flight: depth.in_flight,
            queued: depth.queued,
            first_token_ms: at(&sorted(times().map(|times| times.first_token)), 0.5),
            p50_ms: at(&whole, 0.5),
            p99_ms: at(&whole, 0.99),
            error_rate: failures as f32 / samples.len().max(1) as f32,
        }
    }

    /// When a place in a full queue may be free: one answer takes as long as the median.
    pub(crate) fn retry_after(&self) -> Duration {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = sorted(samples.iter().filter_map(|sample| sample.times).map(|t| t.whole));
        let median = Duration::from_millis(u64::from(at(&whole, 0.5)));
        median.clamp(Self::WAIT.0, Self::WAIT.1)
    }

    fn push(&self, sample: Sample) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() == Self::WINDOW {
            samples.pop_front();
        }
        samples.push_back(sample);
    }
}

fn sorted(times: impl Iterator<Item = Duration>) -> Vec<Duration> {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times
}

/// Milliseconds at a share of the way through sorted times, at least 1; 0 for none.
fn at(times: &[Duration], share: f64) -> u32 {
    let Some(last) = times.len().checked_sub(1) else { return 0 };
    let time = times[(last as f64 * share).round() as usize];
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Depth = Depth { queued: 0, in_flight: 0 };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn nothing_is_known_at_first() {
        assert_eq!(Gauge::default().vitals(IDLE, true), Vitals::default());
        assert!(!Gauge::default().vitals(IDLE, false).healthy);
    }

    #[test]
    fn medians_of_the_last_answers() {
        let gauge = Gauge::default();
        gauge.answered(ms(9_000), ms(90_000));
        for n in 1..=Gauge::WINDOW as u64 {
            gauge.answered(ms(n), ms(10 * n));
        }
        let vitals = gauge.vitals(Depth { queued: 3, in_flight: 1 }, true);
        assert_eq!((vitals.queued, vitals.in_flight), (3, 1));
        assert_eq!((vitals.first_token_ms, vitals.p50_ms, vitals.p99_ms), (65, 650, 1270));
    }

    #[test]
    fn failures_show_until_an_answer_comes() {
        let gauge = Gauge::default();
        gauge.answered(ms(0), ms(0));
        gauge.failed();
        let vitals = gauge.vitals(IDLE, true);
        assert!(!vitals.healthy);
        assert_eq!((vitals.error_rate, vitals.p50_ms), (0.5, 1));
        gauge.answered(ms(1), ms(1));
        assert!(gauge.vitals(IDLE, true).healthy);
    }

    #[test]
    fn a_client_waits_a_second_to_a_minute() {
        let gauge = Gauge::default();
        assert_eq!(gauge.retry_after(), ms(1_000));
        gauge.answered(ms(1), ms(7_000));
        assert_eq!(gauge.retry_after(), ms(7_000));
        gauge.answered(ms(1), ms(900_000));
        assert_eq!(gauge.retry_after(), ms(60_000));
    }
}
