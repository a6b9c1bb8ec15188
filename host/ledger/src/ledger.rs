//! The ledger as the rest of the house sees it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, Mac};
use ringfence_fence::Digest;
use sha2::Sha256;

use crate::chain::Body;
use crate::record::Record;
use crate::recovery::{self, Recovered};
use crate::writer::Writer;

/// When a record counts as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When it is on the disk. All records that wait are written and synced together,
    /// at most once per `every`; zero means as soon as the disk is free.
    Synced {
        /// The shortest time between two syncs.
        every: Duration,
    },
    /// When the operating system has it: it survives this process, not the machine.
    /// Whoever writes a record hands it over in place.
    System,
}

/// The last line of a ledger that is as durable as configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its number, from 1; 0 when there is none.
    pub sequence: u64,
    /// Digest of its bytes without the line feed; zeros when there is none.
    pub digest: Digest,
}

/// A record is as durable as configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The number of its line.
    pub sequence: u64,
}

/// How the ledger does, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// The last line.
    pub head: Head,
    /// Groups of records that were written.
    pub groups: u64,
    /// Records that wait for a sync.
    pub waiting: usize,
    /// True after a failure: nothing is written any more.
    pub failed: bool,
}

/// Why a ledger cannot be opened or a record was not written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process writes this file.
    #[error(
        "the ledger is in use by another process: every gateway needs a ledger file of its own"
    )]
    InUse,
    /// The path names something that is no regular file.
    #[error("the ledger's path is not a regular file")]
    NotAFile,
    /// The last lines do not hang together.
    #[error(
        "the last lines of the ledger are damaged: check it with `ringfence ledger verify`, then \
         move it away"
    )]
    Damaged,
    /// The file cannot be opened or read.
    #[error("the ledger cannot be opened: {0}")]
    Unusable(#[source] std::io::Error),
    /// The record is longer than a line may be. Others can still be written.
    #[error("the record is too large for a line of the ledger")]
    TooLarge,
    /// A write failed, now or before; the ledger must be opened again.
    #[error("the ledger cannot be written: {0}")]
    Failed(std::io::ErrorKind),
}

/// A ledger that is open for writing. Clones write to the same file; the last one to
/// go waits for what is queued, and unlocks the file.
#[derive(Clone)]
pub struct Ledger {
    writer: Arc<Writer>,
    mac: Hmac<Sha256>,
    recovered: Option<Recovered>,
}

impl Ledger {
    /// Records that may wait for a sync; further writes wait for a place.
    pub const QUEUE: usize = 4096;

    /// Opens the ledger in `file`, or makes it, and checks its last lines. Blocks.
    ///
    /// A torn last line is moved to `FILE.torn-N`, and a record says so. `key` keys the
    /// digests of what leaves.
    ///
    /// # Errors
    /// [`LedgerError`], all but `TooLarge`.
    pub fn open(file: &Path, durability: Durability, key: [u8; 32]) -> Result<Ledger, LedgerError> {
        let opened = recovery::open(file)?;
        if opened.created && durability != Durability::System {
            sync_folder(file).map_err(LedgerError::Unusable)?;
        }
        let writer = Writer::start(opened.file, opened.head, durability)?;
        let recovered = match opened.recovered {
            Some((recovered, record)) => {
                writer.write_blocking(Body::new(&record)?)?;
                Some(recovered)
            }
            None => None,
        };
        Ok(Ledger { writer: Arc::new(writer), mac: keyed(&key), recovered })
    }

    /// The torn line that opening moved aside.
    pub fn recovered(&self) -> Option<&Recovered> {
        self.recovered.as_ref()
    }

    /// Writes a record and resolves when it is as durable as configured. Once the
    /// record is queued it is written, whether or not anybody waits.
    ///
    /// # Errors
    /// [`LedgerError::TooLarge`] for this record, [`LedgerError::Failed`] for this and
    /// every later one.
    pub async fn write(&self, record: Record) -> Result<Written, LedgerError> {
        self.writer.write(Body::new(&record)?).await
    }

    /// Hands over a record that nobody waits for; it may be written after this returns.
    ///
    /// # Errors
    /// As [`Ledger::write`], and only what is known at once: a failure of this record's
    /// own group shows in [`Ledger::pulse`] and at every later write.
    pub fn note(&self, record: Record) -> Result<(), LedgerError> {
        self.writer.note(Body::new(&record)?)
    }

    /// [`Ledger::write`] for code that is not async. Blocks; must not be called in an async task.
    ///
    /// # Errors
    /// As [`Ledger::write`].
    pub fn write_blocking(&self, record: Record) -> Result<Written, LedgerError> {
        self.writer.write_blocking(Body::new(&record)?)
    }

    /// The last line.
    pub fn head(&self) -> Head {
        self.writer.head()
    }

    /// How it does.
    pub fn pulse(&self) -> Pulse {
        self.writer.pulse()
    }

    /// HMAC-SHA256 of `bytes` under the ledger's key: who holds the key and the bytes
    /// can show that these left, and nobody else can guess them.
    pub fn keyed_digest(&self, bytes: &[u8]) -> Digest {
        finish(self.mac.clone(), bytes)
    }
}

/// The same as [`Ledger::keyed_digest`] for who has no open ledger.
pub fn keyed_digest(key: &[u8; 32], bytes: &[u8]) -> Digest {
    finish(keyed(key), bytes)
}

/// Shows no key.
impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("pulse", &self.pulse()).finish_non_exhaustive()
    }
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    match Hmac::new_from_slice(key) {
        Ok(mac) => mac,
        // HMAC takes keys of every length (RFC 2104, section 2).
        Err(_) => unreachable!("HMAC refused a key of 32 bytes"),
    }
}

fn finish(mut mac: Hmac<Sha256>, bytes: &[u8]) -> Digest {
    mac.update(bytes);
    Digest(mac.finalize().into_bytes().into())
}

/// A new file is on the disk only when its folder is.
fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::File::open(folder)?.sync_all()
}
