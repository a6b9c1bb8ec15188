//! Work on hostile bytes, on a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Bytes of the stack that files are looked at and compiled on: nested types recurse.
const STACK_BYTES: usize = 32 << 20;
/// How far loads stand behind what serves: about a third of its share of a busy core.
#[cfg(target_os = "linux")]
const LOAD_NICENESS: libc::c_int = 5;

/// Why work on a thread of its own gave nothing.
pub(super) enum Aside {
    Slow,
    Broke,
    NoThread,
}

/// Does `work` on a thread of its own and waits for it: with a deep stack, behind
/// everything that serves, and so that a panic in a reader of hostile bytes stays there.
/// Sets `ended` when the work is done, also when nobody waits any more.
pub(super) fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    within: Duration,
    ended: Arc<AtomicBool>,
) -> Result<T, Aside> {
    let (send, receive) = mpsc::channel();
    thread::Builder::new()
        .name("policy-load".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            step_back();
            let worked = catch_unwind(AssertUnwindSafe(work));
            ended.store(true, Relaxed);
            let _ = send.send(worked);
        })
        .map_err(|_| Aside::NoThread)?;
    match receive.recv_timeout(within) {
        Ok(Ok(worked)) => Ok(worked),
        Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => Err(Aside::Broke),
        Err(RecvTimeoutError::Timeout) => Err(Aside::Slow),
    }
}

/// Lowers the priority of this thread alone, where the system can: compiling makes way
/// for requests. Failing to is no failure.
fn step_back() {
    #[cfg(target_os = "linux")]
    // SAFETY: on Linux this call concerns the calling thread, and touches no memory.
    unsafe {
        libc::nice(LOAD_NICENESS);
    }
}
