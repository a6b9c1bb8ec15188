//! How each target does: what policies see as vitals.

use std::collections::VecDeque;
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

/// The last calls. What is asked of them at every request is kept up to date at every
/// answer: a request looks at all targets.
#[derive(Debug, Default)]
struct Recent {
    calls: VecDeque<Call>,
    first_token_ms: Sorted,
    total_ms: Sorted,
    failed: usize,
    failures_in_row: u32,
    failed_at: Option<Instant>,
}

/// How one call went, in milliseconds.
#[derive(Debug, Clone, Copy)]
enum Call {
    Answered { first_token: Option<u32>, total: u32 },
    Failed,
}

/// Times in order, so that a quantile is one look.
#[derive(Debug, Default)]
struct Sorted(Vec<u32>);

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
        recent.push(Call::Answered {
            first_token: first_token.map(milliseconds),
            total: milliseconds(total),
        });
    }

    /// A call failed through the target's fault.
    pub fn failed(&self) {
        let mut recent = self.recent();
        recent.failures_in_row += 1;
        recent.failed_at = Some(Instant::now());
        recent.push(Call::Failed);
    }

    /// How it does.
    pub fn vitals(&self) -> Vitals {
        let recent = self.recent();
        Vitals {
            healthy: recent.healthy(),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            queued: 0,
            first_token_ms: recent.first_token_ms.quantile(50),
            p50_ms: recent.total_ms.quantile(50),
            p99_ms: recent.total_ms.quantile(99),
            error_rate: recent.failed as f32 / recent.calls.len().max(1) as f32,
        }
    }

    /// Whether a call may try it.
    pub fn healthy(&self) -> bool {
        self.recent().healthy()
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
    fn healthy(&self) -> bool {
        self.failures_in_row < Gauge::FAILURES
            || self.failed_at.is_none_or(|at| at.elapsed() >= Gauge::REST)
    }

    fn push(&mut self, call: Call) {
        if self.calls.len() >= Gauge::CALLS
            && let Some(oldest) = self.calls.pop_front()
        {
            self.count(oldest, Sorted::remove, |failed| failed - 1);
        }
        self.count(call, Sorted::insert, |failed| failed + 1);
        self.calls.push_back(call);
    }

    fn count(&mut self, call: Call, time: fn(&mut Sorted, u32), failed: fn(usize) -> usize) {
        match call {
            Call::Answered { first_token, total } => {
                if let Some(first_token) = first_token {
                    time(&mut self.first_token_ms, first_token);
                }
                time(&mut self.total_ms, total);
            }
            Call::Failed => self.failed = failed(self.failed),
        }
    }
}

impl Sorted {
    fn insert(&mut self, time: u32) {
        let place = self.0.partition_point(|&other| other < time);
        self.0.insert(place, time);
    }

    /// Removes one of these times, which is there.
    fn remove(&mut self, time: u32) {
        if let Ok(place) = self.0.binary_search(&time) {
            self.0.remove(place);
        }
    }

    fn quantile(&self, percent: usize) -> u32 {
        self.0.get(self.0.len().saturating_sub(1) * percent / 100).copied().unwrap_or(0)
    }
}

fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_make_it_unhealthy_and_one_success_heals() {
        let gauge = Gauge::default();
        for _ in 0..Gauge::FAILURES {
            assert!(gauge.healthy() && gauge.vitals().healthy);
            gauge.failed();
        }
        assert!(!gauge.healthy() && !gauge.vitals().healthy);
        assert_eq!(gauge.vitals().error_rate, 1.0);
        gauge.succeeded(None, Duration::ZERO);
        assert!(gauge.healthy() && gauge.vitals().healthy);
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
    fn what_is_kept_in_order_is_what_sorting_gives() {
        let gauge = Gauge::default();
        let mut calls = Vec::new();
        let mut random = 1u32;
        for number in 0..4 * Gauge::CALLS {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let time = random >> 22;
            if number % 7 == 0 {
                gauge.failed();
                calls.push(None);
            } else {
                gauge.succeeded(None, Duration::from_millis(time.into()));
                calls.push(Some(time));
            }
            let last = &calls[calls.len().saturating_sub(Gauge::CALLS)..];
            let mut times: Vec<u32> = last.iter().copied().flatten().collect();
            times.sort_unstable();
            let failed = last.iter().filter(|call| call.is_none()).count();
            let recent = gauge.recent();
            assert_eq!((&recent.total_ms.0, recent.failed), (&times, failed));
            assert!(recent.first_token_ms.0.is_empty());
        }
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
