//! How each target does: what policies see as vitals.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ringfence_fence::Vitals;

/// Watches one target. Shared by all requests, and kept over reloads that leave the
/// target as it was.
#[derive(Debug, Default)]
pub struct Gauge {
    in_flight: AtomicU32,
    recent: Mutex<Recent>,
}

/// The last calls, in a ring.
#[derive(Debug, Default)]
struct Recent {
    calls: Vec<Call>,
    next: usize,
    failures_in_row: u32,
    failed_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Call {
    first_token: Option<Duration>,
    total: Duration,
    failed: bool,
}

/// Counts one call in flight until it is dropped.
#[derive(Debug)]
pub struct InFlight(Arc<Gauge>);

impl Gauge {
    /// Calls that the medians are taken over.
    pub const CALLS: usize = 128;
    /// Failures in a row after which a target counts as unhealthy.
    pub const FAILURES: u32 = 5;
    /// How long it does, before one more call may try it.
    pub const REST: Duration = Duration::from_secs(10);

    /// A call begins.
    pub fn begin(self: &Arc<Gauge>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    /// A call ended well.
    pub fn succeeded(&self, first_token: Option<Duration>, total: Duration) {
        let mut recent = self.recent();
        recent.failures_in_row = 0;
        recent.push(Call { first_token, total, failed: false });
    }

    /// A call failed through the target's fault.
    pub fn failed(&self, total: Duration) {
        let mut recent = self.recent();
        recent.failures_in_row += 1;
        recent.failed_at = Some(Instant::now());
        recent.push(Call { first_token: None, total, failed: true });
    }

    /// How it does.
    pub fn vitals(&self) -> Vitals {
        let recent = self.recent();
        let resting = recent.failures_in_row >= Self::FAILURES
            && recent.failed_at.is_some_and(|at| at.elapsed() < Self::REST);
        let answered = || recent.calls.iter().filter(|call| !call.failed);
        let first = sorted(answered().filter_map(|call| call.first_token));
        let total = sorted(answered().map(|call| call.total));
        let failed = recent.calls.iter().filter(|call| call.failed).count();
        Vitals {
            healthy: !resting,
            in_flight: self.in_flight.load(Ordering::Relaxed),
            queued: 0,
            first_token_ms: quantile(&first, 50),
            p50_ms: quantile(&total, 50),
            p99_ms: quantile(&total, 99),
            error_rate: failed as f32 / recent.calls.len().max(1) as f32,
        }
    }

    fn recent(&self) -> std::sync::MutexGuard<'_, Recent> {
        // Numbers are still numbers after a panic elsewhere.
        self.recent.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Recent {
    fn push(&mut self, call: Call) {
        if self.calls.len() < Gauge::CALLS {
            self.calls.push(call);
        } else {
            self.calls[self.next] = call;
            self.next = (self.next + 1) % Gauge::CALLS;
        }
    }
}

fn sorted(times: impl Iterator<Item = Duration>) -> Vec<u32> {
    let mut times: Vec<u32> =
        times.map(|time| u32::try_from(time.as_millis()).unwrap_or(u32::MAX)).collect();
    times.sort_unstable();
    times
}

fn quantile(sorted: &[u32], percent: usize) -> u32 {
    sorted.get(sorted.len().saturating_sub(1) * percent / 100).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_make_it_unhealthy_and_one_success_heals() {
        let gauge = Gauge::default();
        for _ in 0..Gauge::FAILURES {
            assert!(gauge.vitals().healthy);
            gauge.failed(Duration::ZERO);
        }
        assert!(!gauge.vitals().healthy);
        assert_eq!(gauge.vitals().error_rate, 1.0);
        gauge.succeeded(None, Duration::ZERO);
        assert!(gauge.vitals().healthy);
    }

    #[test]
    fn medians_are_over_recent_calls_only() {
        let gauge = Gauge::default();
        for _ in 0..Gauge::CALLS {
            gauge.succeeded(Some(Duration::from_millis(900)), Duration::from_secs(9));
        }
        for _ in 0..Gauge::CALLS {
            gauge.succeeded(Some(Duration::from_millis(5)), Duration::from_millis(50));
        }
        let vitals = gauge.vitals();
        assert_eq!((vitals.first_token_ms, vitals.p50_ms, vitals.p99_ms), (5, 50, 50));
        assert_eq!(gauge.recent().calls.len(), Gauge::CALLS);
    }

    #[test]
    fn in_flight_counts_down_when_dropped() {
        let gauge = Arc::new(Gauge::default());
        let one = gauge.begin();
        let two = gauge.begin();
        assert_eq!(gauge.vitals().in_flight, 2);
        drop((one, two));
        assert_eq!(gauge.vitals().in_flight, 0);
    }
}
