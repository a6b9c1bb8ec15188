//! Keys in the formats that their vendors publish.

mod check;
mod infix;
mod table;

pub(super) use infix::{INFIXES, Infix};
pub(super) use table::VENDORS;

use super::placeholder::{counts_up, is_specimen, is_template, repeats};
use super::{entropy, is_exact};
use crate::candidate::{SECRET_API_KEY, Span};
use crate::scan::{Hit, Scan};

/// The characters of a key after its prefix.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    /// `0-9`.
    Digits,
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
    /// Letters, digits, `.`, `_`, `!` and `-`, as in the tokens of sessions.
    Session,
    /// Whatever base64 and addresses use, `.` and `~` and `%` included.
    Wide,
}

/// How many prefixes may look at one run of a key's characters: what has more in a row is
/// made of prefixes.
const TRIES: u8 = 16;

/// Runs of keys' characters, while prefixes go by: each byte is read once for each
/// alphabet.
#[derive(Default)]
pub(super) struct Runs {
    /// By alphabet: where the run that was read last begins and ends, and how many
    /// prefixes looked at it.
    known: [(usize, usize, u8); Alphabet::COUNT],
}

impl Runs {
    /// Where the run of this alphabet ends that `from` is in. Nothing when it goes on for
    /// more than `most` bytes, or when enough prefixes have looked at it.
    fn end(
        &mut self,
        scan: &Scan<'_>,
        from: usize,
        alphabet: Alphabet,
        most: usize,
    ) -> Option<usize> {
        let (start, end, tries) = &mut self.known[alphabet as usize];
        if !(*start..*end).contains(&from) {
            let until = scan.run(from, scan.bytes.len(), |byte| alphabet.has(byte));
            (*start, *end, *tries) = (from, until, 0);
        }
        if *end - from > most || *tries >= TRIES {
            return None;
        }
        *tries += 1;
        Some(*end)
    }
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
    /// What the vendor publishes of the form beyond its characters.
    check: Check,
}

/// What a key's tail says of itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It is none of the vendor's.
    Wrong,
    /// It has the form.
    Fits,
    /// It has the form and a checksum that is right.
    Sure,
}

/// Looks at what follows the prefix.
type Check = fn(&[u8]) -> Verdict;

impl Vendor {
    /// The key that begins with this vendor's prefix at `hit`.
    pub(super) fn find(
        &self,
        scan: &Scan<'_>,
        hit: &Hit,
        runs: &mut Runs,
    ) -> Option<Span<'static>> {
        let letter = |at: usize| scan.before(at).is_some_and(|byte| byte.is_ascii_alphanumeric());
        // `\nsk-`: the letter of an escape is no part of the key.
        let escape = hit.start >= 2
            && scan.bytes[hit.start - 2] == b'\\'
            && matches!(scan.bytes[hit.start - 1], b'n' | b'r' | b't');
        let encoded = hit.start >= 3 && scan.bytes[hit.start - 3] == b'%';
        // `picture.ico-...`: a name, not a key; a long prefix is nothing else.
        let dotted =
            self.prefix.len() < 8 && scan.before(hit.start) == Some(b'.') && letter(hit.start - 1);
        let mid_word = (letter(hit.start) || dotted) && !escape && !encoded;
        if mid_word && self.prefix.starts_with(|c: char| c.is_ascii_alphanumeric())
            || !is_exact(scan, hit, self.prefix)
        {
            return None;
        }
        // Where more of the same characters follow, it is something longer.
        let run = runs.end(scan, hit.end, self.alphabet, self.most)?;
        // A sentence, not the key, ends with these, unless the key is too short without.
        let whole = &scan.text[hit.start..run];
        let trimmed = whole.trim_end_matches(['.', '-', '~', '/']);
        let key = match trimmed.len() < self.prefix.len() + self.fewest {
            true => whole,
            false => trimmed,
        };
        let end = hit.start + key.len();
        let tail = scan.bytes.get(hit.end..end)?;
        let fits = (self.fewest..=self.most).contains(&tail.len());
        if !fits || !scan.ends(end) || is_cut(scan, end) || !self.is_near(scan, hit) {
            return None;
        }
        let verdict = (self.check)(tail);
        let random = entropy(tail) >= self.least_entropy()
            && !repeats(tail)
            && !counts_up(tail)
            && !is_template(key)
            && !is_specimen(tail);
        let score = match verdict {
            Verdict::Wrong => return None,
            Verdict::Fits => 0.95,
            Verdict::Sure => 1.0,
        };
        (random || verdict == Verdict::Sure)
            .then(|| Span::new(hit.start, end, SECRET_API_KEY, score))
    }

    /// Whether the vendor's name stands near, where it must.
    fn is_near(&self, scan: &Scan<'_>, hit: &Hit) -> bool {
        if self.near.is_empty() {
            return true;
        }
        let from = scan.text.floor_char_boundary(hit.start.saturating_sub(60));
        scan.text[from..hit.start].to_ascii_lowercase().contains(self.near)
    }

    /// What a made-up key stays below and a random one does not.
    fn least_entropy(&self) -> f32 {
        match self.fewest {
            0..17 => 2.0,
            17..30 => 2.5,
            _ => 2.8,
        }
    }
}

impl Alphabet {
    const COUNT: usize = Alphabet::Wide as usize + 1;

    fn has(self, byte: u8) -> bool {
        use Alphabet::*;
        match self {
            Digits => byte.is_ascii_digit(),
            Hexadecimal => byte.is_ascii_hexdigit(),
            Base32 => byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte),
            Capitals => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Alphanumeric => byte.is_ascii_alphanumeric(),
            Word => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
            Base64 => {
                byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
            }
            Session => byte.is_ascii_alphanumeric() || b"!._-".contains(&byte),
            Wide => byte.is_ascii_alphanumeric() || b"+/=-_.~%:".contains(&byte),
        }
    }
}

/// Whether what ends at `end` was cut there: `ops_eyJ...`, `xoxp-57####`.
fn is_cut(scan: &Scan<'_>, end: usize) -> bool {
    let rest = scan.text[end..].strip_prefix('-').unwrap_or(&scan.text[end..]);
    ["..", "…", "**", "##"].iter().any(|mark| rest.starts_with(mark))
}
