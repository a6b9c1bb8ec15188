//! How a record gets into the file.

use std::io::ErrorKind;
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot::error::RecvError;

use crate::chain::Body;
use crate::ledger::{Durability, Head, LedgerError, Pulse, Written};
use crate::pen::{Pen, Shown, Sink};
use crate::queue::Queue;

/// Writes records.
pub(crate) struct Writer {
    shown: Arc<Shown>,
    way: Way,
}

/// Who holds the pen.
enum Way {
    /// Whoever writes. The system takes a line in a few microseconds, and handing it to a
    /// thread and hearing back costs many times that.
    InPlace(Mutex<Pen>),
    /// A thread. A disk takes milliseconds for a sync, and many records share one.
    Queued(Queue),
}

impl Writer {
    pub(crate) fn start(
        file: impl Sink,
        head: Head,
        durability: Durability,
    ) -> Result<Writer, LedgerError> {
        let pen = Pen::new(file, head, durability != Durability::System);
        let shown = Arc::clone(pen.shown());
        let way = match durability {
            Durability::System => Way::InPlace(Mutex::new(pen)),
            Durability::Synced { every } => Way::Queued(Queue::start(pen, every)?),
        };
        Ok(Writer { shown, way })
    }

    pub(crate) async fn write(&self, body: Body) -> Result<Written, LedgerError> {
        self.shown.alive()?;
        match &self.way {
            Way::InPlace(pen) => in_place(pen, &body),
            Way::Queued(queue) => {
                let place = queue.place().await;
                self.shown.alive()?;
                self.settle(queue.push(body, place)?.await)
            }
        }
    }

    pub(crate) fn write_blocking(&self, body: Body) -> Result<Written, LedgerError> {
        self.shown.alive()?;
        match &self.way {
            Way::InPlace(pen) => in_place(pen, &body),
            Way::Queued(queue) => self.settle(queue.push(body, None)?.blocking_recv()),
        }
    }

    pub(crate) fn note(&self, body: Body) -> Result<(), LedgerError> {
        self.shown.alive()?;
        match &self.way {
            Way::InPlace(pen) => in_place(pen, &body).map(drop),
            Way::Queued(queue) => queue.push(body, None).map(drop),
        }
    }

    pub(crate) fn head(&self) -> Head {
        self.shown.head()
    }

    pub(crate) fn pulse(&self) -> Pulse {
        Pulse {
            head: self.shown.head(),
            groups: self.shown.groups(),
            waiting: match &self.way {
                Way::InPlace(_) => 0,
                Way::Queued(queue) => queue.waiting(),
            },
            failed: self.shown.alive().is_err(),
        }
    }

    fn settle(
        &self,
        heard: Result<Result<Written, ErrorKind>, RecvError>,
    ) -> Result<Written, LedgerError> {
        match heard {
            Ok(written) => written.map_err(LedgerError::Failed),
            // The thread is gone: it failed, or it died.
            Err(_) => {
                self.shown.alive()?;
                Err(LedgerError::Failed(ErrorKind::BrokenPipe))
            }
        }
    }
}

fn in_place(pen: &Mutex<Pen>, body: &Body) -> Result<Written, LedgerError> {
    // Who died with the pen in hand may have left half a line.
    let mut pen = pen.lock().map_err(|_| LedgerError::Failed(ErrorKind::BrokenPipe))?;
    let before = pen.write([body]).map_err(LedgerError::Failed)?;
    Ok(Written { sequence: before + 1 })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::ledger::Ledger;

    const SYNCED: Durability = Durability::Synced { every: Duration::ZERO };

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
        for durability in [Durability::System, SYNCED] {
            nothing_after_a_failure(durability);
        }
    }

    fn nothing_after_a_failure(durability: Durability) {
        let disk = Disk::default();
        let writer = writer(&disk, durability);
        assert_eq!(writer.write_blocking(body()).expect("written").sequence, 1);
        disk.full.store(true, Ordering::SeqCst);
        let full = |error| matches!(error, Err(LedgerError::Failed(ErrorKind::StorageFull)));
        assert!(full(writer.write_blocking(body())));
        disk.full.store(false, Ordering::SeqCst);
        for _ in 0..3 {
            assert!(full(writer.write_blocking(body())), "the disk has room and the chain a gap");
            assert!(full(writer.note(body()).map(|()| Written { sequence: 0 })));
        }
        let pulse = writer.pulse();
        assert!(pulse.failed);
        assert_eq!((pulse.head.sequence, disk.appends.load(Ordering::SeqCst)), (1, 1));
    }

    #[tokio::test]
    async fn everyone_who_waits_hears_of_a_failure() {
        let disk = Disk { slow: Duration::from_millis(20), ..Disk::default() };
        disk.full.store(true, Ordering::SeqCst);
        let writer = Arc::new(writer(&disk, SYNCED));
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
        let writer = Arc::new(writer(&disk, SYNCED));
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
    fn what_is_noted_is_written_before_the_end() {
        for durability in [Durability::System, SYNCED] {
            let disk = Disk { slow: Duration::from_millis(5), ..Disk::default() };
            let writer = writer(&disk, durability);
            let shown = Arc::clone(&writer.shown);
            for _ in 0..50 {
                writer.note(body()).expect("taken");
            }
            drop(writer);
            assert_eq!(shown.head().sequence, 50);
        }
    }

    #[test]
    fn a_pen_that_was_dropped_mid_line_writes_nothing_more() {
        struct Panics;
        impl Sink for Panics {
            fn append(&mut self, _: &[u8]) -> std::io::Result<()> {
                panic!("in the middle of a line")
            }

            fn sync(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        for durability in [Durability::System, SYNCED] {
            let writer = Writer::start(Panics, Head::EMPTY, durability).expect("starts");
            let written = || writer.write_blocking(body());
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(written));
            assert!(matches!(written(), Err(LedgerError::Failed(ErrorKind::BrokenPipe))));
            assert_eq!(writer.head(), Head::EMPTY);
        }
    }
}
