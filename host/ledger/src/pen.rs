//! The pen: who holds it writes the next lines.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use crate::chain::{Body, append};
use crate::ledger::{Head, LedgerError};

/// Bytes that are handed to the file at once, and at most a line more.
pub(crate) const GROUP_BYTES: usize = 4 * 1024 * 1024;

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

/// What everybody may look at while another holds the pen.
pub(crate) struct Shown {
    head: Mutex<Head>,
    groups: AtomicU64,
    failed: OnceLock<ErrorKind>,
}

impl Shown {
    /// The last line that is as durable as configured.
    pub(crate) fn head(&self) -> Head {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Groups of lines that were written.
    pub(crate) fn groups(&self) -> u64 {
        self.groups.load(Ordering::Relaxed)
    }

    /// # Errors
    /// [`LedgerError::Failed`] when a write failed: there is none after it.
    pub(crate) fn alive(&self) -> Result<(), LedgerError> {
        self.failed.get().map_or(Ok(()), |&kind| Err(LedgerError::Failed(kind)))
    }
}

/// The file, and the head of what was written to it.
pub(crate) struct Pen {
    file: Box<dyn Sink>,
    syncs: bool,
    head: Head,
    lines: Vec<u8>,
    shown: Arc<Shown>,
}

impl Pen {
    /// The pen of a file whose last line is `head`. With `syncs`, a group is on the disk
    /// when it counts as written.
    pub(crate) fn new(file: impl Sink, head: Head, syncs: bool) -> Pen {
        let shown =
            Shown { head: Mutex::new(head), groups: AtomicU64::new(0), failed: OnceLock::new() };
        Pen { file: Box::new(file), syncs, head, lines: Vec::new(), shown: Arc::new(shown) }
    }

    pub(crate) fn shown(&self) -> &Arc<Shown> {
        &self.shown
    }

    /// Writes a group of lines and gives the sequence before its first one.
    ///
    /// # Errors
    /// The file's, at this write or an earlier one: after a failure there may be half a
    /// line, so nothing is written any more.
    pub(crate) fn write<'a>(
        &mut self,
        group: impl IntoIterator<Item = &'a Body>,
    ) -> Result<u64, ErrorKind> {
        if let Some(&kind) = self.shown.failed.get() {
            return Err(kind);
        }
        let before = self.head.sequence;
        match self.lines_of(group) {
            Ok(head) => {
                self.head = head;
                *self.shown.head.lock().unwrap_or_else(PoisonError::into_inner) = head;
                self.shown.groups.fetch_add(1, Ordering::Relaxed);
                Ok(before)
            }
            Err(error) => {
                // Before anybody hears of it: no later write may look alive.
                let _ = self.shown.failed.set(error.kind());
                Err(error.kind())
            }
        }
    }

    fn lines_of<'a>(&mut self, group: impl IntoIterator<Item = &'a Body>) -> std::io::Result<Head> {
        let now = SystemTime::now();
        let mut head = self.head;
        self.lines.clear();
        for body in group {
            head = append(head, now, body, &mut self.lines);
            if self.lines.len() >= GROUP_BYTES {
                self.file.append(&self.lines)?;
                self.lines.clear();
            }
        }
        self.file.append(&self.lines)?;
        if self.syncs {
            self.file.sync()?;
        }
        Ok(head)
    }
}
