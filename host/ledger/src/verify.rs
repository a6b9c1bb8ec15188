//! Checking a ledger from its first line to its last.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use ringfence_fence::Digest;

use crate::chain::{Front, LINE_BYTES, read};
use crate::ledger::Head;

/// A ledger that hangs together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How many records.
    pub records: u64,
    /// Time of the first one.
    pub first: Option<String>,
    /// Time of the last one.
    pub last: Option<String>,
    /// The last line.
    pub head: Head,
    /// The line that the expected head was found at; `records` when nothing was
    /// written since it was noted.
    pub expected_at: Option<u64>,
}

/// The first thing that is wrong with a ledger. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file cannot be read.
    #[error("the ledger cannot be read: {0}")]
    Unreadable(#[source] std::io::Error),
    /// A line is no record at all.
    #[error("line {line} is not a record: it was changed, or something was put in")]
    NotARecord {
        /// The line.
        line: u64,
    },
    /// A line was changed: the next one holds another digest.
    #[error("line {line} was changed, or what line {} says of it", line + 1)]
    Edited {
        /// The line.
        line: u64,
    },
    /// Records are missing.
    #[error("records {first} to {last} are missing before line {line}")]
    Deleted {
        /// The line that follows the gap.
        line: u64,
        /// The first record that is missing.
        first: u64,
        /// The last one.
        last: u64,
    },
    /// A record is out of order, or there twice, or put in.
    #[error("line {line} is out of order: it says that it is record {found}, not {expected}")]
    Reordered {
        /// The line.
        line: u64,
        /// The record that it says it is.
        found: u64,
        /// The record that belongs there.
        expected: u64,
    },
    /// The last line has no end.
    #[error("line {line} is torn: its end is missing")]
    Torn {
        /// The line.
        line: u64,
    },
    /// The expected head is not in the file: lines were cut off, or the last ones were
    /// changed.
    #[error(
        "the expected head is not in the ledger: its tail was cut off or rewritten; it ends with \
         record {}, {}", head.sequence, head.digest
    )]
    OtherHead {
        /// The last line that is there.
        head: Head,
    },
}

/// Checks the ledger at `path`, in constant memory.
///
/// Without `expected_head` a cut tail and a changed last line do not show. The head
/// may have been noted at any time: records that followed it are no fault.
///
/// # Errors
/// [`Fault`]: the first thing that is wrong.
pub fn verify(path: &Path, expected_head: Option<Digest>) -> Result<Report, Fault> {
    let file = File::open(path).map_err(Fault::Unreadable)?;
    let mut file = BufReader::with_capacity(64 * 1024, file);
    let mut report = Report {
        records: 0,
        first: None,
        last: None,
        head: Head::EMPTY,
        expected_at: (expected_head == Some(Head::EMPTY.digest)).then_some(0),
    };
    let mut bytes = Vec::with_capacity(4096);
    for line in 1.. {
        match next(&mut file, &mut bytes).map_err(Fault::Unreadable)? {
            Next::Line => {}
            Next::End => break,
            Next::Torn => return Err(Fault::Torn { line }),
            Next::TooLong => return Err(Fault::NotARecord { line }),
        }
        let front = read(&bytes).ok_or(Fault::NotARecord { line })?;
        follows(line, &front, report.head)?;
        report.head = Head { sequence: front.sequence, digest: Digest::of(&bytes) };
        report.records = line;
        if expected_head == Some(report.head.digest) {
            report.expected_at = Some(line);
        }
        report.first.get_or_insert_with(|| front.time.clone());
        report.last = Some(front.time);
    }
    match expected_head.is_some() && report.expected_at.is_none() {
        true => Err(Fault::OtherHead { head: report.head }),
        false => Ok(report),
    }
}

/// Whether a line follows the one that made `head`.
fn follows(line: u64, front: &Front, head: Head) -> Result<(), Fault> {
    let expected = head.sequence.saturating_add(1);
    let hangs = front.previous == head.digest;
    match front.sequence.cmp(&expected) {
        std::cmp::Ordering::Equal if hangs => Ok(()),
        // The first line has nothing before it that could have been changed.
        std::cmp::Ordering::Equal => Err(Fault::Edited { line: (line - 1).max(1) }),
        // The chain holds, so it is this line's number that was changed.
        _ if hangs => Err(Fault::Edited { line }),
        std::cmp::Ordering::Greater => {
            Err(Fault::Deleted { line, first: expected, last: front.sequence - 1 })
        }
        std::cmp::Ordering::Less => Err(Fault::Reordered { line, found: front.sequence, expected }),
    }
}

enum Next {
    Line,
    End,
    Torn,
    TooLong,
}

/// Reads the next line without its line feed into `bytes`.
fn next(file: &mut impl BufRead, bytes: &mut Vec<u8>) -> std::io::Result<Next> {
    bytes.clear();
    let mut bounded = std::io::Read::take(file, LINE_BYTES as u64);
    let taken = bounded.read_until(b'\n', bytes)?;
    Ok(match bytes.pop() {
        None => Next::End,
        Some(b'\n') => Next::Line,
        Some(_) if taken == LINE_BYTES => Next::TooLong,
        Some(_) => Next::Torn,
    })
}
