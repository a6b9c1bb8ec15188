//! What lives with one instance of a policy and dies with it: its limits, its budget
//! of calls, its clock.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use ringfence_fence::{Nonsense, PolicyFailure};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, ResourceLimiter, Store, Trap, UpdateDeadline};

use crate::clock::{Clock, Running, TICK};
use crate::entry::Limits;
use crate::log::Lines;
use crate::model::Models;
use crate::state::State;
use crate::tape::Tape;
use crate::wasi::Wasi;

/// Ticks of the ticker until a computing policy first yields. The first one may be due
/// at once, so that one tick would make short calls yield for nothing.
const TICKS_BEFORE_YIELD: u64 = 2;
/// A deadline is over when its time is, and at least one in so many of its ticks was
/// seen.
const PATIENT_SHARE: u128 = 4;

/// Time that a policy may compute until it takes turns with others that do: a policy of an
/// interpreted language judges a long prompt in less.
const LONG: Duration = Duration::from_millis(5);

/// What the instances of one policy share.
pub(crate) struct Shared {
    /// The entry's name.
    pub(crate) name: String,
    /// How many lines of the log are left in this second; absent without the grant.
    pub(crate) lines: Option<Lines>,
    /// Counters of all policies.
    pub(crate) state: Arc<State>,
    /// What interrupts them.
    pub(crate) clock: Arc<Clock>,
}

/// What lives with one instance.
pub(crate) struct Cell {
    /// What it shares with the policy's other instances.
    pub(crate) shared: Arc<Shared>,
    /// The models that it may ask; none while it is configured, and without the grant.
    pub(crate) models: Option<Arc<dyn Models>>,
    /// Whose counters it may touch.
    pub(crate) tenant: String,
    /// Time, as data.
    pub(crate) now_ms: f64,
    /// Randomness, as data.
    pub(crate) seed: u32,
    /// Lines to the log that it may still write.
    pub(crate) lines_left: u32,
    /// The empty system interface, made when it is first asked for.
    pub(crate) wasi: Option<Box<Wasi>>,
    /// Calls to models that it may still make.
    pub(crate) model_calls_left: u32,
    /// Notes its calls to the host, or answers them; most instances have none.
    pub(crate) tape: Option<Box<Tape>>,
    calls_left: u32,
    overran: bool,
    memory_left: usize,
    elements_left: usize,
    instances: usize,
    memories: usize,
    running: Option<Running>,
}

/// Which bound an instance ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Overrun {
    /// Memory, tables, or counters.
    #[error("the policy is out of memory")]
    Memory,
    /// Calls to the host.
    #[error("the policy is out of host calls")]
    Calls,
    /// A call with arguments that make no sense.
    #[error("the policy misused a host call")]
    Misuse,
    /// A call that the recording which is replayed does not have.
    #[error("the policy departs from the recording")]
    Departed,
}

impl Cell {
    /// A cell with everything that `limits` allow.
    pub(crate) fn new(shared: Arc<Shared>, limits: &Limits) -> Cell {
        Cell {
            running: Some(shared.clock.running()),
            shared,
            models: None,
            tenant: String::new(),
            now_ms: 0.0,
            seed: 0,
            lines_left: limits.log_lines,
            wasi: None,
            model_calls_left: limits.model_calls,
            tape: None,
            calls_left: limits.calls,
            overran: false,
            memory_left: limits.memory_bytes,
            elements_left: limits.table_elements,
            instances: limits.instances,
            memories: limits.memories,
        }
    }

    /// A store around this cell, with its limits in force and its deadline armed.
    pub(crate) fn into_store(
        self,
        engine: &wasmtime::Engine,
        limits: &Limits,
        deadline: Duration,
        meter: &Arc<Meter>,
    ) -> Store<Cell> {
        let mut store = Store::new(engine, self);
        store.limiter(|cell| cell);
        arm(&mut store, limits, deadline, meter);
        store
    }

    /// Another call begins, with a budget of its own.
    pub(crate) fn wake(&mut self, limits: &Limits) {
        self.running = Some(self.shared.clock.running());
        self.calls_left = limits.calls;
        self.model_calls_left = limits.model_calls;
    }

    /// No call runs until the next [`Cell::wake`]: the clock need not tick for it.
    pub(crate) fn rest(&mut self) {
        self.running = None;
    }

    /// Takes one call from the budget.
    ///
    /// # Errors
    /// [`Overrun::Calls`] when none is left.
    pub(crate) fn spend_call(&mut self) -> Result<(), Overrun> {
        match self.calls_left.checked_sub(1) {
            Some(left) => {
                self.calls_left = left;
                Ok(())
            }
            None => {
                // Calls that cannot fail by themselves are stopped at the next tick.
                self.overran = true;
                Err(Overrun::Calls)
            }
        }
    }
}

/// Gives a store's next call its deadline, and a bound on what is lifted from it.
pub(crate) fn arm(
    store: &mut Store<Cell>,
    limits: &Limits,
    deadline: Duration,
    meter: &Arc<Meter>,
) {
    store.set_hostcall_fuel(limits.answer_bytes);
    store.set_epoch_deadline(TICKS_BEFORE_YIELD);
    let meter = meter.clone();
    // A thread that the system set aside for a while has not computed. The clock of the
    // wall does not tell, but then few ticks were seen.
    let ticks_due = deadline.as_millis() / (TICK.as_millis() * PATIENT_SHARE);
    let mut ticks = 0;
    store.epoch_deadline_callback(move |cell| {
        if cell.data().overran {
            return Err(Overrun::Calls.into());
        }
        ticks += 1;
        if meter.spent() >= deadline && ticks >= ticks_due {
            return Ok(UpdateDeadline::Interrupt);
        }
        if let Some(lane) = meter.lane_ahead() {
            // The clock of the wall goes on, and the time that counts does not.
            let meter = meter.clone();
            return Ok(UpdateDeadline::YieldCustom(1, Box::pin(meter.enter(lane))));
        }
        // The executor's own yield lets it look at its sockets in between; a plain wake
        // would put the policy back in front of them.
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    });
}

/// Memory and tables count together over all instances of the component, growth is
/// all or trap, and counts are capped: the runtime's own defaults allow ten thousand.
impl ResourceLimiter for Cell {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        take(&mut self.memory_left, current, desired)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(Overrun::Memory.into())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        take(&mut self.elements_left, current, desired)
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(Overrun::Memory.into())
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        self.memories
    }
}

/// Counts the time that a policy computes, and not the time that it waits for others.
pub(crate) struct Meter {
    start: Instant,
    spent: AtomicU64,
    entered: AtomicU64,
    /// Where it takes turns when it computes for long; absent where nobody else waits.
    lane: Option<Arc<Semaphore>>,
    /// Its turn.
    turn: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Meter {
    pub(crate) fn new() -> Arc<Meter> {
        Meter::of(None)
    }

    /// One for a policy that serves: after a while it takes turns in this lane.
    pub(crate) fn serving(lane: Arc<Semaphore>) -> Arc<Meter> {
        Meter::of(Some(lane))
    }

    fn of(lane: Option<Arc<Semaphore>>) -> Arc<Meter> {
        Arc::new(Meter {
            start: Instant::now(),
            spent: AtomicU64::new(0),
            entered: AtomicU64::new(0),
            lane,
            turn: Mutex::default(),
        })
    }

    /// The lane, when it is time to wait for a turn there.
    fn lane_ahead(&self) -> Option<Arc<Semaphore>> {
        let lane = self.lane.as_ref().filter(|_| self.spent() >= LONG)?;
        self.turn().is_none().then(|| lane.clone())
    }

    async fn enter(self: Arc<Meter>, lane: Arc<Semaphore>) {
        // Nobody closes a lane; without a turn it would go on as it did before.
        let turn = lane.acquire_owned().await.ok();
        *self.turn() = turn;
    }

    fn turn(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins again at nothing.
    pub(crate) fn reset(&self) {
        self.spent.store(0, Relaxed);
    }

    /// What was spent, the poll that is running included.
    fn spent(&self) -> Duration {
        let running = self.now().saturating_sub(self.entered.load(Relaxed));
        Duration::from_nanos(self.spent.load(Relaxed) + running)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A future whose polls a [`Meter`] counts.
pub(crate) struct Metered<'a, F> {
    pub(crate) meter: &'a Meter,
    pub(crate) future: Pin<&'a mut F>,
}

/// A call that is over, or that nobody waits for, gives its turn to the next.
impl<F> Drop for Metered<'_, F> {
    fn drop(&mut self) {
        *self.meter.turn() = None;
    }
}

impl<F: Future> Future for Metered<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.meter.entered.store(self.meter.now(), Relaxed);
        let polled = self.future.as_mut().poll(cx);
        if polled.is_pending() {
            let spent = self.meter.spent().as_nanos();
            self.meter.spent.store(u64::try_from(spent).unwrap_or(u64::MAX), Relaxed);
        }
        polled
    }
}

/// What kind of failure an error of the runtime is, told by its types and never by
/// its words.
pub(crate) fn failure(error: &wasmtime::Error) -> PolicyFailure {
    if let Some(overrun) = error.downcast_ref::<Overrun>() {
        return match overrun {
            Overrun::Memory => PolicyFailure::Memory,
            Overrun::Calls => PolicyFailure::Calls,
            Overrun::Misuse | Overrun::Departed => PolicyFailure::Trap,
        };
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return PolicyFailure::Busy;
    }
    // More handles than an instance may hold.
    if error.is::<ResourceTableError>() {
        return PolicyFailure::Memory;
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt | Trap::OutOfFuel) => PolicyFailure::Deadline,
        Some(Trap::AllocationTooLarge) => PolicyFailure::Memory,
        Some(_) => PolicyFailure::Trap,
        None if error.is::<wasmtime_wasi::I32Exit>() => PolicyFailure::Trap,
        // What is left is an answer that could not be lifted: a string that is not
        // UTF-8, an unknown case, more data than the limits allow.
        None => PolicyFailure::Nonsense(Nonsense::Contract),
    }
}

fn take(left: &mut usize, current: usize, desired: usize) -> wasmtime::Result<bool> {
    match left.checked_sub(desired.saturating_sub(current)) {
        Some(rest) => {
            *left = rest;
            Ok(true)
        }
        None => Err(Overrun::Memory.into()),
    }
}
