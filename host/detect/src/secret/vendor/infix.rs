//! Keys that are told by something in their middle.

use super::super::placeholder::repeats;
use super::super::{entropy, is_exact};
use super::Alphabet;
use crate::candidate::{SECRET_API_KEY, Span};
use crate::scan::{Hit, Scan};

/// A key that is told by something in its middle.
#[derive(Clone, Copy)]
pub(in crate::secret) struct Infix {
    /// What tells it.
    pub(in crate::secret) literal: &'static str,
    /// The characters in front of it.
    before: fn(u8) -> bool,
    lengths: (usize, usize),
    /// The characters after it.
    after: Alphabet,
    tail: (usize, usize),
}

/// One of Azure's keys: a signature at a fixed place in base64.
const fn azure(literal: &'static str, before: usize, tail: (usize, usize)) -> Infix {
    let digit =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    Infix { literal, before: digit, lengths: (before, before), after: Alphabet::Base64, tail }
}

/// Azure's client secrets and keys, Telegram's bots, keys of Mailchimp and New Relic.
pub(in crate::secret) const INFIXES: [Infix; 18] = [
    Infix {
        literal: "Q~",
        before: |byte| Alphabet::Wide.has(byte) && !b"+/=%:".contains(&byte),
        lengths: (4, 4),
        after: Alphabet::Wide,
        tail: (31, 34),
    },
    Infix {
        literal: ":AA",
        before: |byte| byte.is_ascii_digit(),
        lengths: (5, 16),
        after: Alphabet::Word,
        tail: (32, 33),
    },
    Infix {
        literal: "-us",
        before: |byte| byte.is_ascii_hexdigit(),
        lengths: (32, 32),
        after: Alphabet::Digits,
        tail: (1, 2),
    },
    Infix {
        literal: "NRAL",
        before: |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit(),
        lengths: (36, 36),
        after: Alphabet::Digits,
        tail: (0, 0),
    },
    // The signatures and their places are in Microsoft's list of identifiable keys.
    azure("JQQJ9", 52, (27, 31)),
    azure("AZDO", 76, (4, 4)),
    azure("+ASt", 76, (6, 8)),
    azure("+ABa", 76, (6, 8)),
    azure("ACDb", 76, (6, 8)),
    azure("APIM", 76, (6, 8)),
    azure("+AMC", 76, (6, 8)),
    azure("AzFu", 44, (6, 8)),
    azure("AzSe", 42, (6, 6)),
    azure("AzCa", 33, (6, 7)),
    azure("+ACR", 42, (6, 6)),
    azure("+AEh", 33, (6, 7)),
    azure("+ASb", 33, (6, 7)),
    azure("AIoT", 33, (6, 7)),
];

impl Infix {
    /// The key around this literal at `hit`.
    pub(in crate::secret) fn find(&self, scan: &Scan<'_>, hit: &Hit) -> Option<Span<'static>> {
        if !is_exact(scan, hit, self.literal) {
            return None;
        }
        let start = scan.run_back(hit.start, self.lengths.1, self.before);
        // `key=` may stand in front, but not more of the same digits.
        if scan.before(start).is_some_and(self.before) {
            return None;
        }
        let end = scan.run(hit.end, self.tail.1 + 1, |byte| self.after.has(byte));
        let key = scan.text[hit.start..end].trim_end_matches('.');
        let end = hit.start + key.len();
        let fits = hit.start - start >= self.lengths.0
            && (self.tail.0..=self.tail.1).contains(&(end.checked_sub(hit.end)?));
        let random = !repeats(&scan.bytes[start..hit.start]) || !repeats(&scan.bytes[hit.end..end]);
        (fits && random && entropy(&scan.bytes[start..end]) >= 3.0 && scan.ends(end))
            .then(|| Span::new(start, end, SECRET_API_KEY, 0.9))
    }
}
