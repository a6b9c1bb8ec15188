//! Opening a file that an earlier process left.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ringfence_fence::Digest;
use serde::Serialize;

use crate::chain::{LINE_BYTES, read};
use crate::ledger::{Head, LedgerError};
use crate::pen::GROUP_BYTES;
use crate::record::hex;
use crate::word::Word;

/// What opening reads of the end: two lines, to see that they hang together, and what
/// is left of a torn group.
const TAIL_BYTES: usize = 2 * LINE_BYTES + GROUP_BYTES + LINE_BYTES;

/// How many torn tails of one ledger are kept before opening fails.
const TORN_FILES: u32 = 1000;

/// A torn last line that was moved aside: the process or the machine stopped while it
/// was written, so nobody was told that it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Where the bytes are now.
    pub file: PathBuf,
    /// How many.
    pub bytes: u64,
}

/// The record of it.
#[derive(Serialize)]
#[serde(tag = "kind", rename = "recovered")]
pub(crate) struct TornTail {
    file: Word,
    bytes: u64,
    #[serde(serialize_with = "hex")]
    digest: Digest,
}

/// A file that is locked, whole and ready to be appended to.
pub(crate) struct Opened {
    pub(crate) file: File,
    pub(crate) head: Head,
    pub(crate) recovered: Option<(Recovered, TornTail)>,
    pub(crate) created: bool,
}

/// Opens the ledger at `path`, or makes it; private to its owner, locked against a
/// second writer.
pub(crate) fn open(path: &Path) -> Result<Opened, LedgerError> {
    let created = match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(LedgerError::NotAFile),
        Ok(_) => false,
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) => return Err(LedgerError::Unusable(error)),
    };
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(LedgerError::Unusable)?;
    file.try_lock().map_err(|error| match error {
        std::fs::TryLockError::WouldBlock => LedgerError::InUse,
        std::fs::TryLockError::Error(error) => LedgerError::Unusable(error),
    })?;
    let length = file.seek(SeekFrom::End(0)).map_err(LedgerError::Unusable)?;
    let tail = read_tail(&mut file, length, TAIL_BYTES as u64)?;
    let whole = tail.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    if whole == 0 && length > tail.len() as u64 {
        return Err(LedgerError::Damaged);
    }
    let head = head_of(&tail[..whole], length == tail.len() as u64)?;
    let torn = &tail[whole..];
    let recovered = match torn.is_empty() {
        true => None,
        false => Some(move_aside(path, &file, length - torn.len() as u64, torn)?),
    };
    Ok(Opened { file, head, recovered, created })
}

/// The head that the last whole line makes.
fn head_of(tail: &[u8], is_whole_file: bool) -> Result<Head, LedgerError> {
    let Some(lines) = tail.strip_suffix(b"\n") else { return Ok(Head::EMPTY) };
    let mut lines = lines.rsplit(|&byte| byte == b'\n');
    let last = lines.next().unwrap_or_default();
    let front = read(last).ok_or(LedgerError::Damaged)?;
    let hangs = match lines.next() {
        Some(before) => {
            // A partial first line of the tail cannot be the one before: the tail is
            // long enough for two lines.
            Digest::of(before) == front.previous
        }
        None => is_whole_file && front.sequence == 1 && front.previous == Head::EMPTY.digest,
    };
    match hangs {
        true => Ok(Head { sequence: front.sequence, digest: Digest::of(last) }),
        false => Err(LedgerError::Damaged),
    }
}

fn read_tail(file: &mut File, length: u64, bytes: u64) -> Result<Vec<u8>, LedgerError> {
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(bytes)))
        .and_then(|_| file.read_to_end(&mut tail))
        .map_err(LedgerError::Unusable)?;
    Ok(tail)
}

/// Copies the torn bytes to `FILE.torn-N` and cuts them off the ledger.
fn move_aside(
    path: &Path,
    ledger: &File,
    whole: u64,
    torn: &[u8],
) -> Result<(Recovered, TornTail), LedgerError> {
    for number in 1..=TORN_FILES {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".torn-{number}"));
        let aside = PathBuf::from(name);
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside);
        let mut file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(LedgerError::Unusable(error)),
        };
        file.write_all(torn)
            .and_then(|()| file.sync_all())
            .and_then(|()| ledger.set_len(whole))
            .and_then(|()| ledger.sync_all())
            .map_err(LedgerError::Unusable)?;
        let record = TornTail {
            file: Word::from(aside.file_name().unwrap_or_default().to_string_lossy().into_owned()),
            bytes: torn.len() as u64,
            digest: Digest::of(torn),
        };
        return Ok((Recovered { file: aside, bytes: torn.len() as u64 }, record));
    }
    Err(LedgerError::Damaged)
}
