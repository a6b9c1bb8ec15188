//! The words around one candidate, in small letters.

use super::{AFTER, BEFORE, is_letter, is_unspaced};

/// Stands where a capital follows a small letter.
const SEAM: u8 = 1;

/// The words around one candidate, read once for every list of phrases that is asked.
#[derive(Default)]
pub(crate) struct Around {
    /// The bounds of the candidate that was read.
    of: Option<(usize, usize)>,
    before: Words,
    after: Words,
    /// True when there are no words at all: in a table of numbers.
    empty: bool,
}

/// Words in small letters, one blank or seam before, between and after them.
#[derive(Default)]
struct Words {
    text: String,
    /// Where each begins.
    starts: Vec<u16>,
    /// The bytes that they begin with, and those that stand anywhere.
    firsts: Bytes,
    all: Bytes,
}

/// A set of bytes.
#[derive(Default)]
struct Bytes([u64; 4]);

impl Bytes {
    fn add(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }
}

impl Around {
    /// Whether one of `words`, each a word or several with one blank between them, stands
    /// as whole words shortly before `start` or right after `end`. The words are in small
    /// letters; a capital after a small letter begins a word. Copies a bounded stretch: for
    /// candidates that have passed every other check.
    pub(crate) fn says(&mut self, text: &str, start: usize, end: usize, words: &[&str]) -> bool {
        if self.of != Some((start, end)) {
            self.read(text, start, end);
        }
        !self.empty && words.iter().any(|word| self.before.have(word) || self.after.have(word))
    }

    fn read(&mut self, text: &str, start: usize, end: usize) {
        let from = text.floor_char_boundary(start.saturating_sub(BEFORE));
        let until = text.floor_char_boundary((end + AFTER).min(text.len())).max(end);
        let letter = |byte: u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
        self.empty = !text.as_bytes()[from..until].iter().any(|&byte| letter(byte));
        let same = self.of.is_some_and(|(known, _)| known == start);
        // What stands before it is kept for another end, unless it was not read.
        self.of = Some((start, end)).filter(|_| !self.empty);
        if self.empty {
            return;
        }
        if !same {
            // A piece of a word at the edge is no word, unless the text begins there.
            let before = match from {
                0 => &text[..start],
                _ => text[from..start].trim_start_matches(is_letter),
            };
            self.before.read(before);
        }
        self.after.read(&text[end..until]);
    }
}

impl Words {
    fn read(&mut self, text: &str) {
        spaced(text, &mut self.text);
        (self.firsts, self.all) = (Bytes::default(), Bytes::default());
        self.starts.clear();
        let mut border = false;
        for (at, byte) in (0..).zip(self.text.bytes()) {
            if border {
                self.firsts.add(byte);
                self.starts.push(at);
            }
            self.all.add(byte);
            border = is_border(byte);
        }
    }

    /// Whether `word` stands there as one word or several: `MyKad` is `mykad` and `my kad`.
    fn have(&self, word: &str) -> bool {
        let text = self.text.as_bytes();
        match word.as_bytes() {
            // Other scripts may be written without spaces.
            [first, second, ..] if !word.is_ascii() => {
                self.all.has(*first) && self.all.has(*second) && find(&self.text, word)
            }
            [first, ..] if self.firsts.has(*first) => self.starts.iter().any(|&at| {
                let around = &text[usize::from(at)..];
                let end = after(around, word.as_bytes());
                end.is_some_and(|end| around.get(end).is_some_and(|&byte| is_border(byte)))
            }),
            _ => false,
        }
    }
}

/// Where `word` ends that `around` begins with.
fn after(around: &[u8], word: &[u8]) -> Option<usize> {
    let mut at = 0;
    for &byte in word {
        let seam = around.get(at) == Some(&SEAM);
        at += usize::from(seam && byte != b' ');
        if around.get(at) != Some(&byte) && !(seam && byte == b' ') {
            return None;
        }
        at += 1;
    }
    Some(at)
}

fn is_border(byte: u8) -> bool {
    byte == b' ' || byte == SEAM
}

/// Whether `wanted` stands anywhere in `text`: both are short.
pub(super) fn find(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    let Some(last) = text.len().checked_sub(wanted.len()) else { return false };
    // The first byte only tells the script.
    (0..=last).any(|at| text[at + 1] == wanted[1] && after(&text[at..], wanted).is_some())
}

/// The words of a text in small letters, one blank before, between and after them.
pub(super) fn spaced(text: &str, words: &mut String) {
    words.clear();
    words.push(' ');
    let mut small = false;
    // Whether the letter before is of a script that is written without spaces: a word of
    // another script ends and begins there.
    let mut unspaced = false;
    for c in text.chars() {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            if words.as_bytes().last().is_some_and(|last| !last.is_ascii()) && unspaced {
                words.push(' ');
            }
            words.push(c);
            small = c.is_ascii_lowercase();
            unspaced = false;
            continue;
        }
        if !is_letter(c) {
            if !words.ends_with(' ') && c != '\'' {
                words.push(' ');
            }
            small = false;
            continue;
        }
        let seam = words.len() > 1 && is_unspaced(c) != unspaced && !words.ends_with(' ');
        if seam {
            words.push(' ');
        } else if small && c.is_uppercase() {
            words.push(char::from(SEAM));
        }
        unspaced = is_unspaced(c);
        small = c.is_lowercase();
        match c {
            _ if small => words.push(c),
            'А'..='Я' => words.extend(char::from_u32(u32::from(c) + 32)),
            '\u{3041}'..='\u{d7a3}' => words.push(c),
            _ => words.extend(c.to_lowercase()),
        }
    }
    words.push(' ');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str, start: usize, end: usize, words: &[&str]) -> bool {
        Around::default().says(text, start, end, words)
    }

    #[test]
    fn phrases_are_whole_words() {
        for (text, found) in [
            ("NHS number: 1", true),
            ("nhs_number=1", true),
            ("nhsNumber 1", true),
            ("nhsNum 1", false),
            ("the nhs  -  number 1", true),
            ("xnhs number 1", false),
            ("nhs numbers 1", false),
            ("the number 1", false),
        ] {
            assert_eq!(says(text, text.len() - 1, text.len(), &["nhs number"]), found, "{text}");
        }
        assert!(says("MyKad 1", 6, 7, &["mykad"]) && says("IdNr 1", 5, 6, &["id nr"]));
        assert!(says("1 (nhs number)", 0, 1, &["nhs number"]));
        assert!(says("身份证号1", "身份证号".len(), "身份证号1".len(), &["身份证"]));
    }
}
