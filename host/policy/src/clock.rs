//! The engines' clock: it ticks while a policy runs and rests when none does, so that
//! an idle gateway wakes nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::Engine;

/// The pause between two ticks.
pub(crate) const TICK: Duration = Duration::from_millis(1);
/// Ticks without a running policy until the clock rests: under load it is not worth
/// stopping between two requests.
const TICKS_BEFORE_REST: u32 = 100;

/// A thread that moves the engines' epochs on, until it is dropped. It sleeps between two
/// ticks, so missed ticks are skipped and never made up for in a burst.
pub(crate) struct Clock {
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    running: AtomicUsize,
    resting: AtomicBool,
    stopped: AtomicBool,
}

/// While it lives, the clock ticks.
pub(crate) struct Running(Arc<State>);

impl Clock {
    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system's, when it gives no thread.
    pub(crate) fn start(engines: [Engine; 2]) -> std::io::Result<Clock> {
        let state = Arc::new(State::default());
        let ticking = Arc::clone(&state);
        let body = move || ticking.tick(|| engines.iter().for_each(Engine::increment_epoch));
        let thread = std::thread::Builder::new().name("policy-clock".to_owned()).spawn(body)?;
        Ok(Clock { state, thread: Some(thread) })
    }

    /// Keeps the clock ticking while something runs.
    pub(crate) fn running(&self) -> Running {
        self.state.running.fetch_add(1, SeqCst);
        if self.state.resting.load(SeqCst)
            && let Some(thread) = &self.thread
        {
            thread.thread().unpark();
        }
        Running(Arc::clone(&self.state))
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.state.stopped.store(true, SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

impl State {
    fn tick(&self, mut tick: impl FnMut()) {
        let mut idle = 0;
        while !self.stopped.load(SeqCst) {
            std::thread::sleep(TICK);
            tick();
            idle = if self.running.load(SeqCst) > 0 { 0 } else { idle + 1 };
            if idle >= TICKS_BEFORE_REST {
                self.rest();
                idle = 0;
            }
        }
    }

    /// Sleeps until something runs. Who starts to run after `resting` was set wakes this
    /// thread; who started before is seen here.
    fn rest(&self) {
        self.resting.store(true, SeqCst);
        while self.running.load(SeqCst) == 0 && !self.stopped.load(SeqCst) {
            std::thread::park();
        }
        self.resting.store(false, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Waits until `holds`, or panics.
    fn until(what: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
            std::thread::sleep(TICK);
        }
    }

    #[test]
    fn it_rests_when_nothing_runs_and_ticks_when_something_does() {
        let engines = [Engine::default(), Engine::default()];
        let clock = Clock::start(engines).expect("a thread");
        for _ in 0..3 {
            until("it rests", || clock.state.resting.load(SeqCst));
            let running = [clock.running(), clock.running()];
            until("it ticks", || !clock.state.resting.load(SeqCst));
            std::thread::sleep(TICK * TICKS_BEFORE_REST * 2);
            assert!(!clock.state.resting.load(SeqCst), "it rests while something runs");
            drop(running);
        }
        until("it rests", || clock.state.resting.load(SeqCst));
        // A resting thread stops too.
        drop(clock);
    }
}
