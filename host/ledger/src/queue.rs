//! The thread that writes and syncs for all who wait.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::chain::Body;
use crate::ledger::{Ledger, LedgerError, Written};
use crate::pen::Pen;

/// Records that are written together at most.
const GROUP: usize = 1024;

/// What a waiter gets to hear.
pub(crate) type Heard = oneshot::Receiver<Result<Written, ErrorKind>>;

/// A record that waits. The permit is its place in the queue.
struct Waiting {
    body: Body,
    done: oneshot::Sender<Result<Written, ErrorKind>>,
    place: Option<OwnedSemaphorePermit>,
}

/// The way to the thread. Dropping it waits until all that is queued is written.
pub(crate) struct Queue {
    records: Option<Sender<Waiting>>,
    places: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

impl Queue {
    /// Starts the thread. It writes at most one group per `every`.
    pub(crate) fn start(pen: Pen, every: Duration) -> Result<Queue, LedgerError> {
        let (records, waiting) = channel();
        let scribe = Scribe { pen, every, written: None };
        let thread = std::thread::Builder::new()
            .name("ledger".into())
            .spawn(move || scribe.run(&waiting))
            .map_err(LedgerError::Unusable)?;
        let places = Arc::new(Semaphore::new(Ledger::QUEUE));
        Ok(Queue { records: Some(records), places, thread: Some(thread) })
    }

    /// Records that hold a place and are not written yet.
    pub(crate) fn waiting(&self) -> usize {
        Ledger::QUEUE.saturating_sub(self.places.available_permits())
    }

    /// Waits for a place in the queue.
    pub(crate) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed, so there is always a permit in the end.
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// Hands a record to the thread.
    ///
    /// # Errors
    /// [`LedgerError::Failed`] when there is no thread any more.
    pub(crate) fn push(
        &self,
        body: Body,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<Heard, LedgerError> {
        let (done, heard) = oneshot::channel();
        let gone = LedgerError::Failed(ErrorKind::BrokenPipe);
        let Some(records) = &self.records else { return Err(gone) };
        records.send(Waiting { body, done, place }).map_err(|_| gone)?;
        Ok(heard)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.records = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already told to everyone who waited.
            let _ = thread.join();
        }
    }
}

/// The thread's own state.
struct Scribe {
    pen: Pen,
    every: Duration,
    written: Option<Instant>,
}

impl Scribe {
    /// Writes group after group until the queue closes or a write fails.
    fn run(mut self, records: &Receiver<Waiting>) {
        while let Ok(first) = records.recv() {
            let group = self.gather(first, records);
            let written = self.pen.write(group.iter().map(|waiting| &waiting.body));
            self.written = Some(Instant::now());
            for (Waiting { done, place, .. }, index) in group.into_iter().zip(0..) {
                let answer = written.map(|before| Written { sequence: before + 1 + index });
                // Who hears that a record is written finds its place free.
                drop(place);
                // Where nobody waits any more, the record is written all the same.
                let _ = done.send(answer);
            }
            if written.is_err() {
                return;
            }
        }
    }

    /// Everything that is queued, and what comes until the next group is due.
    fn gather(&self, first: Waiting, records: &Receiver<Waiting>) -> Vec<Waiting> {
        let mut group = vec![first];
        let due = self.written.and_then(|written| written.checked_add(self.every));
        while group.len() < GROUP {
            let next = match due.and_then(|due| due.checked_duration_since(Instant::now())) {
                Some(left) if !left.is_zero() => records.recv_timeout(left),
                _ => records.try_recv().map_err(|_| RecvTimeoutError::Timeout),
            };
            match next {
                Ok(waiting) => group.push(waiting),
                Err(_) => break,
            }
        }
        group
    }
}
