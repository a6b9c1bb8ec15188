//! Lines and how they hang together.

use std::time::SystemTime;

use ringfence_fence::Digest;
use serde::{Deserialize, Serialize};

use crate::clock::rfc3339;
use crate::ledger::{Head, LedgerError};

/// The longest line, its line feed included. Reading needs no more memory than this.
pub(crate) const LINE_BYTES: usize = 256 * 1024;

/// Room that the chain's own fields take at most, in front of a record's.
const FRONT_BYTES: usize = 256;

/// `previous` of the first line.
pub(crate) const NOTHING: Digest = Digest([0; 32]);

impl Head {
    /// The head of an empty ledger.
    pub const EMPTY: Head = Head { sequence: 0, digest: NOTHING };
}

/// A record as JSON, ready to become a line.
pub(crate) struct Body(Vec<u8>);

impl Body {
    /// The JSON of `record`, which must be an object with at least one member.
    pub(crate) fn new(record: &impl Serialize) -> Result<Body, LedgerError> {
        let json = serde_json::to_vec(record).map_err(|_| LedgerError::TooLarge)?;
        match json.len() + FRONT_BYTES <= LINE_BYTES {
            true => Ok(Body(json)),
            false => Err(LedgerError::TooLarge),
        }
    }
}

/// Appends the line that follows `head` to `out` and gives the head that it makes.
pub(crate) fn append(head: Head, now: SystemTime, body: &Body, out: &mut Vec<u8>) -> Head {
    let begin = out.len();
    let sequence = head.sequence.saturating_add(1);
    let front =
        format!(r#"{{"seq":{sequence},"time":"{}","previous":"{}","#, rfc3339(now), head.digest);
    out.extend_from_slice(front.as_bytes());
    // The record's own opening brace is the one that is already there.
    out.extend_from_slice(&body.0[1..]);
    let digest = Digest::of(&out[begin..]);
    out.push(b'\n');
    Head { sequence, digest }
}

/// The chain's own fields of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Front {
    pub(crate) sequence: u64,
    pub(crate) time: String,
    pub(crate) previous: Digest,
}

/// Reads the chain's fields of a line without its line feed; nothing when it is no
/// line of a ledger.
pub(crate) fn read(line: &[u8]) -> Option<Front> {
    #[derive(Deserialize)]
    struct Line<'a> {
        seq: u64,
        #[serde(borrow)]
        time: std::borrow::Cow<'a, str>,
        #[serde(borrow)]
        previous: std::borrow::Cow<'a, str>,
        #[serde(rename = "kind", borrow)]
        _kind: std::borrow::Cow<'a, str>,
    }
    let line: Line<'_> = serde_json::from_slice(line).ok()?;
    Some(Front {
        sequence: line.seq,
        time: line.time.into_owned(),
        previous: Digest::parse(&line.previous)?,
    })
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn a_line_names_the_one_before_it() {
        let body = Body::new(&serde_json::json!({"kind": "x"})).expect("small");
        let mut out = Vec::new();
        let first = append(Head::EMPTY, UNIX_EPOCH, &body, &mut out);
        let length = out.len();
        let second = append(first, UNIX_EPOCH, &body, &mut out);
        assert_eq!(second.sequence, 2);
        assert_eq!(first.digest, Digest::of(&out[..length - 1]));
        let front = read(&out[length..out.len() - 1]).expect("a line");
        assert_eq!((front.sequence, front.previous), (2, first.digest));
        assert_eq!(read(&out[..length - 1]).expect("a line").previous, NOTHING);
    }

    #[test]
    fn a_line_is_never_longer_than_its_bound() {
        let long = |bytes: usize| serde_json::json!({"kind": "x".repeat(bytes)});
        let largest = LINE_BYTES - FRONT_BYTES - r#"{"kind":""}"#.len();
        assert!(Body::new(&long(largest + 1)).is_err());
        let body = Body::new(&long(largest)).expect("just fits");
        let mut out = Vec::new();
        append(Head { sequence: u64::MAX - 1, digest: NOTHING }, UNIX_EPOCH, &body, &mut out);
        assert!(out.len() <= LINE_BYTES);
    }
}
