//! The thread that owns the file.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::chain::{Body, append};
use crate::ledger::{Durability, Head, Ledger, LedgerError, Pulse, Written};

/// Records that are written together at most.
const GROUP: usize = 1024;

/// Bytes that are handed to the file at once, and at most a line more.
pub(crate) const GROUP_BYTES: usize = 4 * 1024 * 1024;

/// A record that waits. The permit is its place in the queue.
struct Waiting {
    body: Body,
    done: oneshot::Sender<Result<Written, ErrorKind>>,
    place: Option<OwnedSemaphorePermit>,
}

/// What the thread shows to the others.
struct Shown {
    head: Mutex<Head>,
    groups: AtomicU64,
    failed: OnceLock<ErrorKind>,
}

/// Hands records to the thread that writes them.
pub(crate) struct Writer {
    queue: Option<Sender<Waiting>>,
    places: Arc<Semaphore>,
    shown: Arc<Shown>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(
        file: impl Sink,
        head: Head,
        durability: Durability,
    ) -> Result<Writer, LedgerError> {
        let (queue, waiting) = channel();
        let shown = Arc::new(Shown {
            head: Mutex::new(head),
            groups: AtomicU64::new(0),
            failed: OnceLock::new(),
        });
        let pen = Pen { file, head, durability, shown: Arc::clone(&shown), synced: None };
        let thread = std::thread::Builder::new()
            .name("ledger".into())
            .spawn(move || pen.run(&waiting))
            .map_err(LedgerError::Unusable)?;
        Ok(Writer {
            queue: Some(queue),
            places: Arc::new(Semaphore::new(Ledger::QUEUE)),
            shown,
            thread: Some(thread),
        })
    }

    pub(crate) async fn write(&self, body: Body) -> Result<Written, LedgerError> {
        self.alive()?;
        // The semaphore is never closed, so there is always a permit in the end.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let done = self.enqueue(body, place)?;
        self.settle(done.await)
    }

    pub(crate) fn write_blocking(&self, body: Body) -> Result<Written, LedgerError> {
        let done = self.enqueue(body, None)?;
        self.settle(done.blocking_recv())
    }

    pub(crate) fn head(&self) -> Head {
        *self.shown.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn pulse(&self) -> Pulse {
        Pulse {
            head: self.head(),
            groups: self.shown.groups.load(Ordering::Relaxed),
            waiting: Ledger::QUEUE.saturating_sub(self.places.available_permits()),
            failed: self.shown.failed.get().is_some(),
        }
    }

    fn alive(&self) -> Result<(), LedgerError> {
        self.shown.failed.get().map_or(Ok(()), |&kind| Err(LedgerError::Failed(kind)))
    }

    fn enqueue(
        &self,
        body: Body,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<oneshot::Receiver<Result<Written, ErrorKind>>, LedgerError> {
        self.alive()?;
        let (done, receiver) = oneshot::channel();
        let gone = LedgerError::Failed(ErrorKind::BrokenPipe);
        let Some(queue) = &self.queue else { return Err(gone) };
        queue.send(Waiting { body, done, place }).map_err(|_| gone)?;
        Ok(receiver)
    }

    fn settle(
        &self,
        done: Result<Result<Written, ErrorKind>, oneshot::error::RecvError>,
    ) -> Result<Written, LedgerError> {
        match done {
            Ok(done) => done.map_err(LedgerError::Failed),
            // The thread is gone: it failed, or it died.
            Err(_) => {
                self.alive()?;
                Err(LedgerError::Failed(ErrorKind::BrokenPipe))
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already told to everyone who waited.
            let _ = thread.join();
        }
    }
}

/// Where lines go: a file, or in tests one that breaks.
pub(crate) trait Sink: Send + 'static {
    /// Appends all of `bytes`.
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()>;
    /// Puts what was appended on the disk.
    fn sync(&mut self) -> std::io::Result<()>;
}

impl Sink for File {
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> std::io::Result<()> {
        self.sync_data()
    }
}

/// The thread's own state.
struct Pen<S> {
    file: S,
    head: Head,
    durability: Durability,
    shown: Arc<Shown>,
    synced: Option<Instant>,
}

impl<S: Sink> Pen<S> {
    /// Writes group after group until the queue closes or a write fails.
    fn run(mut self, queue: &Receiver<Waiting>) {
        while let Ok(first) = queue.recv() {
            let group = self.gather(first, queue);
            let written = self.write(&group);
            if let Err(kind) = written {
                // Before the waiters hear of it: no later write may look alive.
                let _ = self.shown.failed.set(kind);
            }
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

    /// Everything that is queued, and what comes until the next sync is due.
    fn gather(&self, first: Waiting, queue: &Receiver<Waiting>) -> Vec<Waiting> {
        let mut group = vec![first];
        let due = match (self.durability, self.synced) {
            (Durability::Synced { every }, Some(synced)) => synced.checked_add(every),
            _ => None,
        };
        while group.len() < GROUP {
            let next = match due.and_then(|due| due.checked_duration_since(Instant::now())) {
                Some(left) if !left.is_zero() => queue.recv_timeout(left),
                _ => queue.try_recv().map_err(|_| RecvTimeoutError::Timeout),
            };
            match next {
                Ok(waiting) => group.push(waiting),
                Err(_) => break,
            }
        }
        group
    }

    /// Writes a group and gives the sequence before its first line.
    fn write(&mut self, group: &[Waiting]) -> Result<u64, ErrorKind> {
        let before = self.head.sequence;
        let now = SystemTime::now();
        let mut head = self.head;
        let mut lines = Vec::new();
        for waiting in group {
            head = append(head, now, &waiting.body, &mut lines);
            if lines.len() >= GROUP_BYTES {
                self.file.append(&lines).map_err(|error| error.kind())?;
                lines.clear();
            }
        }
        self.file.append(&lines).map_err(|error| error.kind())?;
        if let Durability::Synced { .. } = self.durability {
            self.file.sync().map_err(|error| error.kind())?;
            self.synced = Some(Instant::now());
        }
        self.head = head;
        *self.shown.head.lock().unwrap_or_else(PoisonError::into_inner) = head;
        self.shown.groups.fetch_add(1, Ordering::Relaxed);
        Ok(before)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use super::*;

    /// A disk that can be made full, and that counts.
    #[derive(Clone, Default)]
    struct Disk {
        full: Arc<AtomicBool>,
        appends: Arc<AtomicU64>,
        syncs: Arc<AtomicU64>,
        slow: Duration,
    }

    impl Sink for Disk {
        fn append(&mut self, _: &[u8]) -> std::io::Result<()> {
            std::thread::sleep(self.slow);
            if self.full.load(Ordering::SeqCst) {
                return Err(ErrorKind::StorageFull.into());
            }
            self.appends.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }

        fn sync(&mut self) -> std::io::Result<()> {
            self.syncs.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }

    fn body() -> Body {
        Body::new(&serde_json::json!({"kind": "test"})).expect("small")
    }

    fn writer(disk: &Disk, durability: Durability) -> Writer {
        Writer::start(disk.clone(), Head::EMPTY, durability).expect("starts")
    }

    #[test]
    fn after_a_failure_nothing_is_written() {
        let disk = Disk::default();
        let writer = writer(&disk, Durability::System);
        assert_eq!(writer.write_blocking(body()).expect("written").sequence, 1);
        disk.full.store(true, Ordering::SeqCst);
        let full = |error| matches!(error, Err(LedgerError::Failed(ErrorKind::StorageFull)));
        assert!(full(writer.write_blocking(body())));
        disk.full.store(false, Ordering::SeqCst);
        for _ in 0..3 {
            assert!(full(writer.write_blocking(body())), "the disk has room and the chain a gap");
        }
        let pulse = writer.pulse();
        assert!(pulse.failed);
        assert_eq!((pulse.head.sequence, disk.appends.load(Ordering::SeqCst)), (1, 1));
    }

    #[tokio::test]
    async fn everyone_who_waits_hears_of_a_failure() {
        let disk = Disk { slow: Duration::from_millis(20), ..Disk::default() };
        disk.full.store(true, Ordering::SeqCst);
        let writer = Arc::new(writer(&disk, Durability::System));
        let waiting: Vec<_> = (0..100)
            .map(|_| {
                let writer = Arc::clone(&writer);
                tokio::spawn(async move { writer.write(body()).await.is_err() })
            })
            .collect();
        for waiting in waiting {
            assert!(waiting.await.expect("no panic"));
        }
    }

    #[tokio::test]
    async fn a_group_is_synced_once() {
        let disk = Disk { slow: Duration::from_millis(5), ..Disk::default() };
        let every = Duration::from_millis(20);
        let writer = Arc::new(writer(&disk, Durability::Synced { every }));
        let waiting: Vec<_> = (0..200)
            .map(|_| {
                let writer = Arc::clone(&writer);
                tokio::spawn(async move { writer.write(body()).await.is_ok() })
            })
            .collect();
        for waiting in waiting {
            assert!(waiting.await.expect("no panic"));
        }
        let syncs = disk.syncs.load(Ordering::SeqCst);
        assert!((1..=20).contains(&syncs), "{syncs} syncs for 200 records");
        assert_eq!(writer.head().sequence, 200);
    }

    #[tokio::test]
    async fn the_queue_is_bounded() {
        let disk = Disk { slow: Duration::from_millis(50), ..Disk::default() };
        let writer = Arc::new(writer(&disk, Durability::System));
        let waiting: Vec<_> = (0..Ledger::QUEUE + 500)
            .map(|_| {
                let writer = Arc::clone(&writer);
                tokio::spawn(async move { writer.write(body()).await.is_ok() })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(writer.pulse().waiting <= Ledger::QUEUE);
        for waiting in waiting {
            assert!(waiting.await.expect("no panic"), "who found no place waited for one");
        }
        assert_eq!(writer.pulse().waiting, 0);
    }

    #[test]
    fn what_is_queued_is_written_before_the_end() {
        let disk = Disk { slow: Duration::from_millis(5), ..Disk::default() };
        let writer = writer(&disk, Durability::Synced { every: Duration::ZERO });
        let mut done = Vec::new();
        for _ in 0..50 {
            done.push(writer.enqueue(body(), None).expect("queued"));
        }
        drop(writer);
        for done in done {
            assert!(matches!(done.blocking_recv(), Ok(Ok(_))));
        }
    }
}
