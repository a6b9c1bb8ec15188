//! One pass over a text that marks where something could begin.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// A run of bytes of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Run {
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }
}

/// A literal of the secrets' table that stands in the text, in any case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    /// Index of the literal in the table that the scanner was made with.
    pub(crate) literal: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The places that the families look at.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Every `@`.
    pub(crate) ats: Vec<usize>,
    /// Every `:`.
    pub(crate) colons: Vec<usize>,
    /// Every run of ASCII digits.
    pub(crate) digits: Vec<Run>,
    /// Every run of at least [`Marks::RUN`] bytes that base64 or hexadecimal could be.
    pub(crate) runs: Vec<Run>,
    /// Every shorter one of at least [`Marks::SHORT`] bytes with more than one kind of
    /// letters, or with digits: it may say a number.
    pub(crate) shorts: Vec<Run>,
    /// Literals of the secrets' table.
    pub(crate) hits: Vec<Hit>,
    /// True when there is a byte that an escape or an entity could begin with.
    pub(crate) escapes: bool,
    /// True when there is a byte outside ASCII, or a control character.
    pub(crate) unusual: bool,
}

impl Marks {
    /// The shortest run that is worth decoding: a dozen bytes in base64.
    pub(crate) const RUN: usize = 16;

    /// The shortest run that is worth decoding beside a word: seven bytes in base64
    /// without padding.
    pub(crate) const SHORT: usize = 10;

    /// Notes a run of bytes of these kinds that base64 or hexadecimal could be.
    fn run(&mut self, start: usize, end: usize, kinds: u8) {
        if end - start >= Marks::RUN {
            self.runs.push(Run { start, end });
        } else if end - start >= Marks::SHORT
            && (kinds & DIGIT != 0 || kinds & (CAPITAL | SMALL) == CAPITAL | SMALL)
        {
            self.shorts.push(Run { start, end });
        }
    }

    fn clear(&mut self) {
        self.ats.clear();
        self.colons.clear();
        self.digits.clear();
        self.runs.clear();
        self.shorts.clear();
        self.hits.clear();
        self.escapes = false;
        self.unusual = false;
    }
}

/// A text and its marks: what every family gets.
#[derive(Clone, Copy)]
pub(crate) struct Scan<'a> {
    pub(crate) text: &'a str,
    pub(crate) bytes: &'a [u8],
    pub(crate) marks: &'a Marks,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(text: &'a str, marks: &'a Marks) -> Scan<'a> {
        Scan { text, bytes: text.as_bytes(), marks }
    }

    /// The byte before `at`.
    pub(crate) fn before(&self, at: usize) -> Option<u8> {
        at.checked_sub(1).map(|before| self.bytes[before])
    }

    /// The byte at `at`.
    pub(crate) fn at(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// True when no ASCII letter, digit or `_` stands right before `at`. Letters of
    /// other scripts do not count: some are written without spaces.
    pub(crate) fn begins(&self, at: usize) -> bool {
        !self.before(at).is_some_and(is_word)
    }

    /// True when none stands at `at`.
    pub(crate) fn ends(&self, at: usize) -> bool {
        !self.at(at).is_some_and(is_word)
    }

    /// True when `separator` and a digit, or `separator` alone for a word byte, stand
    /// right before `at`: what begins there is the tail of something longer.
    pub(crate) fn follows(&self, at: usize, separator: u8) -> bool {
        at >= 2 && self.bytes[at - 1] == separator && self.bytes[at - 2].is_ascii_digit()
    }

    /// True when `separator` and a digit stand at `at`.
    pub(crate) fn continues(&self, at: usize, separator: u8) -> bool {
        self.at(at) == Some(separator) && self.at(at + 1).is_some_and(|next| next.is_ascii_digit())
    }

    /// The end of the run of bytes that `belongs` accepts from `start`, after `limit`
    /// bytes at the latest.
    pub(crate) fn run(&self, start: usize, limit: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let start = start.min(self.bytes.len());
        let until = start.saturating_add(limit).min(self.bytes.len());
        let length = self.bytes[start..until].iter().take_while(|&&byte| belongs(byte)).count();
        start + length
    }

    /// The start of the run of bytes that `belongs` accepts up to `end`.
    pub(crate) fn run_back(&self, end: usize, limit: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let from = end.saturating_sub(limit);
        let length = self.bytes[from..end].iter().rev().take_while(|&&byte| belongs(byte)).count();
        end - length
    }
}

/// Letters, digits and `_`.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Marks texts. Made once; holds the automaton of the secrets' literals.
pub(crate) struct Scanner {
    literals: AhoCorasick,
}

impl Scanner {
    /// A scanner for these literals, which must be ASCII.
    pub(crate) fn new(literals: &[&str]) -> Scanner {
        let literals = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(literals);
        match literals {
            Ok(literals) => Scanner { literals },
            // The table is a constant of this crate; its size is far from the limit.
            Err(_) => unreachable!("the automaton of the secrets' literals is too large"),
        }
    }

    /// Marks `text`.
    pub(crate) fn mark(&self, text: &str, marks: &mut Marks) {
        marks.clear();
        let bytes = text.as_bytes();
        let mut digits = usize::MAX;
        let mut run = 0;
        let mut kinds = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            let class = CLASSES[byte as usize];
            if class & DIGIT != 0 {
                if digits == usize::MAX {
                    digits = at;
                }
            } else if digits != usize::MAX {
                marks.digits.push(Run { start: digits, end: at });
                digits = usize::MAX;
            }
            kinds |= class;
            if class & ENCODED == 0 {
                marks.run(run, at, kinds);
                run = at + 1;
                kinds = 0;
            }
            if class & MARKED != 0 {
                match byte {
                    b'@' => marks.ats.push(at),
                    b':' => marks.colons.push(at),
                    b'%' | b'\\' | b'&' => marks.escapes = true,
                    _ => marks.unusual = true,
                }
            }
        }
        if digits != usize::MAX {
            marks.digits.push(Run { start: digits, end: bytes.len() });
        }
        marks.run(run, bytes.len(), kinds);
        marks.hits.extend(self.literals.find_overlapping_iter(text).map(|found| Hit {
            literal: found.pattern().as_usize(),
            start: found.start(),
            end: found.end(),
        }));
    }
}

/// A digit.
const DIGIT: u8 = 1;
/// A digit of base64, of its variant for addresses, or padding.
const ENCODED: u8 = 2;
/// A byte with a list of its own, or a flag.
const MARKED: u8 = 4;
const CAPITAL: u8 = 8;
const SMALL: u8 = 16;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        if byte.is_ascii_digit() {
            classes[index] |= DIGIT;
        }
        if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=') {
            classes[index] |= ENCODED;
        }
        if byte.is_ascii_uppercase() {
            classes[index] |= CAPITAL;
        }
        if byte.is_ascii_lowercase() {
            classes[index] |= SMALL;
        }
        let control = byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t');
        if control || byte >= 0x80 || matches!(byte, b'@' | b':' | b'%' | b'\\' | b'&') {
            classes[index] |= MARKED;
        }
        index += 1;
    }
    classes
};

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(text: &str) -> Marks {
        let mut marks = Marks::default();
        Scanner::new(&["sk-", "token"]).mark(text, &mut marks);
        marks
    }

    #[test]
    fn marks_what_the_families_look_at() {
        let marks = marks("12 a@b: 345Token");
        assert_eq!(marks.ats, [4]);
        assert_eq!(marks.colons, [6]);
        assert_eq!(marks.digits, [Run { start: 0, end: 2 }, Run { start: 8, end: 11 }]);
        assert_eq!(
            marks.hits.iter().map(|hit| (hit.start, hit.end)).collect::<Vec<_>>(),
            [(11, 16)]
        );
        assert!(!marks.escapes && !marks.unusual);
    }

    #[test]
    fn a_run_ends_with_the_text() {
        let marks = marks("x 0123456789abcdef");
        assert_eq!(marks.runs, [Run { start: 2, end: 18 }]);
        assert_eq!(marks.digits, [Run { start: 2, end: 12 }]);
    }

    #[test]
    fn short_runs_have_kinds() {
        let marks = marks("committees Committees 1234567890 short1 =UGN2803x UGN-280-3x");
        let shorts: Vec<_> = marks.shorts.iter().map(|run| (run.start, run.end)).collect();
        assert_eq!(shorts, [(11, 21), (22, 32), (50, 60)]);
    }

    #[test]
    fn flags_what_may_hide_something() {
        assert!(marks("%41").escapes);
        assert!(marks("a\u{200b}b").unusual);
        assert!(marks("a\u{7}b").unusual);
        assert!(!marks("a\r\n\tb").unusual);
    }
}
