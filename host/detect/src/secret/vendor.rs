//! Keys in the formats that their vendors publish.

mod table;

pub(super) use table::VENDORS;

use super::placeholder::{is_template, repeats};
use super::{entropy, is_exact};
use crate::candidate::{SECRET_API_KEY, Span};
use crate::scan::{Hit, Scan};

/// The characters of a key after its prefix.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    /// `0-9 a-f A-F`.
    Hexadecimal,
    /// `A-Z 2-7`.
    Base32,
    /// `A-Z 0-9`.
    Capitals,
    /// Letters and digits.
    Alphanumeric,
    /// Letters, digits, `-` and `_`.
    Word,
    /// The same and `.`.
    Dotted,
    /// Letters, digits, `+`, `/`, `=`, `-` and `_`.
    Base64,
    /// Whatever base64 and addresses use, `.` and `~` and `%` included.
    Wide,
}

/// A vendor's format.
pub(super) struct Vendor {
    /// What every key begins with.
    pub(super) prefix: &'static str,
    alphabet: Alphabet,
    /// The fewest and the most characters after the prefix.
    fewest: usize,
    most: usize,
    /// True when only a word of the vendor near it makes it a key: the name of the
    /// vendor, in small letters, or empty.
    near: &'static str,
}

impl Vendor {
    /// The key that begins with this vendor's prefix at `hit`.
    pub(super) fn find(&self, scan: &Scan<'_>, hit: &Hit) -> Option<Span<'static>> {
        let letter = |at: usize| scan.before(at).is_some_and(|byte| byte.is_ascii_alphanumeric());
        // `\nsk-`: the letter of an escape is no part of the key.
        let escape = hit.start >= 2
            && scan.bytes[hit.start - 2] == b'\\'
            && matches!(scan.bytes[hit.start - 1], b'n' | b'r' | b't');
        let encoded = hit.start >= 3 && scan.bytes[hit.start - 3] == b'%';
        // `picture.ico-...`: a name, not a key.
        let dotted = scan.before(hit.start) == Some(b'.') && letter(hit.start - 1);
        let mid_word = (letter(hit.start) || dotted) && !escape && !encoded;
        if mid_word && self.prefix.starts_with(|c: char| c.is_ascii_alphanumeric())
            || !is_exact(scan, hit, self.prefix)
        {
            return None;
        }
        let run = scan.run(hit.end, self.most + 1, |byte| self.alphabet.has(byte));
        // A sentence, not the key, ends with these; but a key of one length is taken whole.
        let key = match self.fewest == self.most {
            true => &scan.text[hit.start..run],
            false => scan.text[hit.start..run].trim_end_matches(['.', '-', '~', '/']),
        };
        let end = hit.start + key.len();
        let tail = scan.bytes.get(hit.end..end)?;
        // Where more of the same characters follow, it is something longer.
        let fits = (self.fewest..=self.most).contains(&tail.len()) && run - hit.end <= self.most;
        let random =
            || entropy(tail) >= self.least_entropy() && !repeats(tail) && !is_template(key);
        let near = || {
            if self.near.is_empty() {
                return true;
            }
            let from = scan.text.floor_char_boundary(hit.start.saturating_sub(60));
            scan.text[from..hit.start].to_ascii_lowercase().contains(self.near)
        };
        (fits && scan.ends(end) && near() && random())
            .then(|| Span::new(hit.start, end, SECRET_API_KEY, 0.95))
    }

    /// What a made-up key stays below and a random one does not.
    fn least_entropy(&self) -> f32 {
        match self.fewest {
            0..16 => 2.0,
            16..30 => 2.5,
            _ => 2.8,
        }
    }
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        use Alphabet::*;
        match self {
            Hexadecimal => byte.is_ascii_hexdigit(),
            Base32 => byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte),
            Capitals => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Alphanumeric => byte.is_ascii_alphanumeric(),
            Word => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
            Base64 => {
                byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
            }
            Wide => byte.is_ascii_alphanumeric() || b"+/=-_.~%:".contains(&byte),
        }
    }
}

/// A key that is told by something in its middle.
#[derive(Clone, Copy)]
pub(super) struct Infix {
    /// What tells it.
    pub(super) literal: &'static str,
    /// The characters in front of it.
    before: fn(u8) -> bool,
    lengths: (usize, usize),
    /// The characters after it.
    after: Alphabet,
    tail: (usize, usize),
}

/// Keys with a literal in the middle: Azure's client secrets, Telegram's bots.
pub(super) const INFIXES: [Infix; 2] = [
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
        tail: (33, 33),
    },
];

impl Infix {
    /// The key around this literal at `hit`.
    pub(super) fn find(&self, scan: &Scan<'_>, hit: &Hit) -> Option<Span<'static>> {
        let start = scan.run_back(hit.start, self.lengths.1, self.before);
        let end = scan.run(hit.end, self.tail.1 + 1, |byte| self.after.has(byte));
        let key = scan.text[hit.start..end].trim_end_matches(['.', '=']);
        let end = hit.start + key.len();
        let fits = hit.start - start >= self.lengths.0
            && (self.tail.0..=self.tail.1).contains(&(end.checked_sub(hit.end)?));
        let random = !repeats(&scan.bytes[hit.end..end]) && entropy(&scan.bytes[start..end]) >= 3.0;
        (fits && random && is_exact(scan, hit, self.literal) && scan.ends(end))
            .then(|| Span::new(start, end, SECRET_API_KEY, 0.9))
    }
}
