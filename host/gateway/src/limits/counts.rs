//! The counts: what was used in a window, what is reserved, and how many are under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::file::Kept;
use super::{Counted, Exceeded, Limit};

/// What was used, or is reserved.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Amounts {
    pub requests: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub dollars: f64,
}

/// The count of one limit for one subject.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slot {
    pub limit: Arc<Limit>,
    /// A key, a tenant, or nothing where all share one.
    pub subject: String,
}

/// How one thing that a limit counts stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    pub counted: Counted,
    pub limit: u64,
    pub remaining: u64,
    /// When the window ends, in seconds since 1970.
    pub reset: u64,
}

/// The counts of all limits. They live as long as the process, and on disk beyond it.
#[derive(Default)]
pub struct Counts(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// By the limit's name and its subject: both are names of the configuration, so that
    /// there are no more than it makes.
    counts: HashMap<(String, String), Count>,
    is_changed: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    /// The beginning of the window that `used` is of.
    window: u64,
    used: Amounts,
    reserved: Amounts,
    running: u64,
}

impl Counts {
    /// The counts that were kept.
    pub(super) fn of(kept: Vec<Kept>) -> Counts {
        let counts = kept.into_iter().map(|kept| {
            let used = Amounts {
                requests: kept.requests,
                input_tokens: kept.input_tokens,
                output_tokens: kept.output_tokens,
                dollars: kept.dollars,
            };
            ((kept.limit, kept.subject), Count { window: kept.window, used, ..Count::default() })
        });
        Counts(Mutex::new(Inner { counts: counts.collect(), is_changed: false }))
    }

    /// What is to be kept, if it changed since the last time. What is reserved counts as
    /// used: after a crash nobody can tell what became of it.
    pub(super) fn changed(&self) -> Option<Vec<Kept>> {
        let mut inner = self.lock();
        if !std::mem::take(&mut inner.is_changed) {
            return None;
        }
        let kept = inner.counts.iter().map(|((limit, subject), count)| {
            let all = count.used.plus(count.reserved);
            Kept {
                limit: limit.clone(),
                subject: subject.clone(),
                window: count.window,
                requests: all.requests,
                input_tokens: all.input_tokens,
                output_tokens: all.output_tokens,
                dollars: all.dollars,
            }
        });
        Some(kept.collect())
    }

    /// What is to be kept was not: it is to be tried again.
    pub(super) fn mark_changed(&self) {
        self.lock().is_changed = true;
    }

    /// Takes a place in every slot, or in none.
    pub(super) fn admit(&self, slots: &[Slot], asks: Amounts, now: u64) -> Result<(), Exceeded> {
        if slots.is_empty() {
            return Ok(());
        }
        let mut inner = self.lock();
        for slot in slots {
            let count = inner.count(slot, now);
            let room = |counted, bound: Option<u64>, used: u64, asks: u64| match bound {
                Some(bound) if used.saturating_add(asks) > bound => {
                    // More than a whole window allows never fits.
                    let later = asks <= bound;
                    Err(slot.exceeded(counted, later, now))
                }
                _ => Ok(()),
            };
            let all = count.used.plus(count.reserved);
            let limit = &slot.limit;
            room(Counted::Concurrent, limit.concurrent, count.running, 1)?;
            room(Counted::Requests, limit.requests, all.requests, 1)?;
            room(Counted::InputTokens, limit.input_tokens, all.input_tokens, asks.input_tokens)?;
            room(
                Counted::OutputTokens,
                limit.output_tokens,
                all.output_tokens,
                asks.output_tokens,
            )?;
        }
        for slot in slots {
            let count = inner.count(slot, now);
            count.running += 1;
            count.used.requests += 1;
            count.reserved = count.reserved.plus(asks);
        }
        inner.is_changed = true;
        Ok(())
    }

    /// Gives the places back, and what was reserved with them.
    pub(super) fn leave(&self, slots: &[Slot], reserved: Amounts) {
        self.each(slots, |count| {
            count.running = count.running.saturating_sub(1);
            count.reserved = count.reserved.minus(reserved);
        });
    }

    /// The dollars that are left in the tightest slot that counts them.
    pub(super) fn budget_left(&self, slots: &[Slot], now: u64) -> Option<f64> {
        let mut inner = self.lock();
        let left = slots.iter().filter_map(|slot| {
            let bound = slot.limit.dollars?;
            let count = inner.count(slot, now);
            Some((bound - count.used.dollars - count.reserved.dollars).max(0.0))
        });
        left.reduce(f64::min)
    }

    /// Reserves dollars in every slot that counts them, or in none.
    pub(super) fn hold(&self, slots: &[Slot], dollars: f64, now: u64) -> Result<(), Exceeded> {
        let mut inner = self.lock();
        for slot in slots {
            let Some(bound) = slot.limit.dollars else { continue };
            let count = inner.count(slot, now);
            let left = bound - count.used.dollars - count.reserved.dollars;
            // What costs nothing goes on when nothing is left.
            if dollars > 0.0 && dollars > left {
                return Err(slot.exceeded(Counted::Dollars, dollars <= bound, now));
            }
        }
        for slot in slots {
            inner.count(slot, now).reserved.dollars += dollars;
        }
        inner.is_changed |= !slots.is_empty();
        Ok(())
    }

    /// Lets reserved dollars go.
    pub(super) fn let_go(&self, slots: &[Slot], dollars: f64) {
        let reserved = Amounts { dollars, ..Amounts::default() };
        self.each(slots, |count| count.reserved = count.reserved.minus(reserved));
    }

    /// Notes what was used, in the window of `now`.
    pub(super) fn spend(&self, slots: &[Slot], used: Amounts, now: u64) {
        let mut inner = self.lock();
        for slot in slots {
            let count = inner.count(slot, now);
            count.used = count.used.plus(used);
        }
        inner.is_changed |= !slots.is_empty();
    }

    /// How the limits of these slots stand.
    pub(super) fn rates(&self, slots: &[Slot], now: u64) -> Vec<Rate> {
        let mut inner = self.lock();
        let mut rates = Vec::new();
        for slot in slots {
            let count = inner.count(slot, now);
            let all = count.used.plus(count.reserved);
            let limit = &slot.limit;
            for (counted, bound, used) in [
                (Counted::Requests, limit.requests, all.requests),
                (Counted::InputTokens, limit.input_tokens, all.input_tokens),
                (Counted::OutputTokens, limit.output_tokens, all.output_tokens),
            ] {
                let Some(bound) = bound else { continue };
                let reset = limit.window.end(now);
                rates.push(Rate {
                    counted,
                    limit: bound,
                    remaining: bound.saturating_sub(used),
                    reset,
                });
            }
        }
        rates
    }

    fn each(&self, slots: &[Slot], change: impl Fn(&mut Count)) {
        let mut inner = self.lock();
        for slot in slots {
            if let Some(count) = inner.counts.get_mut(&slot.key()) {
                change(count);
            }
        }
        inner.is_changed |= !slots.is_empty();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here leaves the counts half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The count of a slot, in the window of `now`. What is reserved goes over into a new
    /// window: it will be used there.
    fn count(&mut self, slot: &Slot, now: u64) -> &mut Count {
        let window = slot.limit.window.begin(now);
        let count = self.counts.entry(slot.key()).or_default();
        // A clock that was set back must not begin a window anew.
        if window > count.window {
            *count = Count { window, used: Amounts::default(), ..*count };
        }
        count
    }
}

impl Slot {
    fn key(&self) -> (String, String) {
        (self.limit.name.clone(), self.subject.clone())
    }

    fn exceeded(&self, counted: Counted, later: bool, now: u64) -> Exceeded {
        let wait = match counted {
            Counted::Concurrent => Duration::from_secs(1),
            _ => Duration::from_secs(self.limit.window.end(now).saturating_sub(now).max(1)),
        };
        Exceeded { limit: self.limit.name.clone(), counted, retry_after: later.then_some(wait) }
    }
}

impl Amounts {
    fn plus(self, other: Amounts) -> Amounts {
        Amounts {
            requests: self.requests.saturating_add(other.requests),
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            dollars: self.dollars + other.dollars,
        }
    }

    fn minus(self, other: Amounts) -> Amounts {
        Amounts {
            requests: self.requests.saturating_sub(other.requests),
            input_tokens: self.input_tokens.saturating_sub(other.input_tokens),
            output_tokens: self.output_tokens.saturating_sub(other.output_tokens),
            dollars: (self.dollars - other.dollars).max(0.0),
        }
    }
}
