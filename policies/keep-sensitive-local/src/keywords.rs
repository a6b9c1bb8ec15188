//! Whole words in any case, all of them in one pass over the text.
//!
//! Text is compared as people read it: case, full-width letters, `ß` and `ss`, the width
//! of a gap, dashes and invisible characters make no difference.

use std::ops::Range;

/// Words and phrases to look for.
pub struct Keywords {
    /// As [`read`] gives them, in order.
    words: Vec<String>,
    /// By the first letter of ASCII, in small: where its words are.
    places: [Range<u16>; 128],
    /// By the first byte of a character: whether a word may begin with it.
    begins: [bool; 256],
    /// By [`start`], a bit each: whether a word may begin with these three letters. One
    /// page of memory: a fresh instance pays for every page that it touches.
    starts: [u32; 1 << 10],
}

impl Keywords {
    /// Bytes of one word at most.
    const LONGEST: usize = 200;
    /// Words at most.
    const MOST: usize = 2000;

    /// Prepares words.
    ///
    /// # Errors
    /// A word that is empty or too long or begins with a sign, or too many.
    pub fn new(given: &[String]) -> Result<Keywords, String> {
        if given.len() > Self::MOST {
            return Err(format!("at most {} words", Self::MOST));
        }
        let mut words = Vec::new();
        let mut begins = [false; 256];
        let mut starts = [0; 1 << 10];
        for word in given {
            let read = read(word).collect::<String>().trim().to_owned();
            let Some(first) = read.chars().next().filter(|_| word.len() <= Self::LONGEST) else {
                return Err(format!("a word has 1 to {} bytes", Self::LONGEST));
            };
            if !first.is_alphanumeric() {
                return Err("a word begins with a letter or a digit".to_owned());
            }
            // Both cases of a letter have as many bytes, nearly always. 0xef begins the
            // full-width forms of ASCII, U+FF01 to U+FF5E.
            let bytes = match first {
                '\0'..='\x7f' => {
                    vec![first as usize, first.to_ascii_uppercase() as usize, 0xef]
                }
                '\u{80}'..='\u{7ff}' => (0xc2..0xe0).collect(),
                '\u{800}'..='\u{ffff}' => (0xe0..0xf0).collect(),
                _ => (0xf0..0xf5).collect(),
            };
            bytes.into_iter().for_each(|byte| begins[byte] = true);
            match read.as_bytes() {
                // A gap is no letter: what has one here is looked at anyway.
                [_, b' ', ..] | [_, _, b' ', ..] => {}
                [a, b, c, ..] if a.is_ascii() && b.is_ascii() && c.is_ascii() => {
                    let (place, bit) = start(*a, *b, *c);
                    starts[place] |= bit;
                }
                [a, ..] => starts[start(*a, 0, 0).0..=start(*a, 31, 31).0].fill(u32::MAX),
                [] => {}
            }
            words.push(read);
        }
        words.sort_unstable();
        words.dedup();
        let places = std::array::from_fn(|letter| {
            let place = |word: &String| usize::from(word.as_bytes()[0]).cmp(&letter);
            let start = words.partition_point(|word| place(word).is_lt());
            let end = words.partition_point(|word| place(word).is_le());
            start as u16..end as u16
        });
        Ok(Keywords { words, places, begins, starts })
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether one of them stands in `text` as a whole word.
    pub fn are_in(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let mut before = 0;
        (0..bytes.len()).step_by(8).any(|from| {
            let mut eight = [b' '; 8];
            let end = bytes.len().min(from + 8);
            eight[..end - from].copy_from_slice(&bytes[from..end]);
            let (mut firsts, inside) = first_letters(u64::from_le_bytes(eight), before);
            before = inside;
            while firsts != 0 {
                let at = from + firsts.trailing_zeros() as usize / 8;
                firsts &= firsts - 1;
                if self.begins[usize::from(bytes[at])]
                    && self.may_start(&bytes[at..])
                    && self.is_at(text, at)
                {
                    return true;
                }
            }
            false
        })
    }

    /// Whether the first three letters are those of a word, as far as that is seen at once.
    fn may_start(&self, bytes: &[u8]) -> bool {
        match bytes {
            [a, b, c, ..] if (a | b | c).is_ascii() && !is_gap(*b) && !is_gap(*c) => {
                let (place, bit) = start(*a, *b, *c);
                self.starts[place] & bit != 0
            }
            _ => true,
        }
    }

    /// Whether a word begins at `at`, which is the first byte of a character.
    fn is_at(&self, text: &str, at: usize) -> bool {
        let (before, rest) = text.split_at(at);
        let byte = text.as_bytes()[at];
        let first = if byte.is_ascii() {
            byte.to_ascii_lowercase() as char
        } else {
            read(rest).next().unwrap_or_default()
        };
        let words = match self.places.get(first as usize) {
            Some(place) => &self.words[usize::from(place.start)..usize::from(place.end)],
            None => &self.words[usize::from(self.places[127].end)..],
        };
        words.iter().any(|word| !differs(word, rest) && stands(word, rest))
            && !before.chars().next_back().is_some_and(char::is_alphanumeric)
    }
}

/// Eight bytes at once: the highest bit of each that may be the first of a word, and of
/// each that is a letter or a digit of ASCII, after which no word begins. `before` is the
/// second number of the eight bytes before.
fn first_letters(eight: u64, before: u64) -> (u64, u64) {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    let low = eight & !HIGH;
    // The highest bit of a sum shows which bytes are at least as great.
    let at_least = |bytes: u64, least: u8| bytes + u64::from(0x80 - least) * EACH;
    let small = low | (0x20 * EACH);
    let letters = at_least(small, b'a') & !at_least(small, b'z' + 1);
    let digits = at_least(low, b'0') & !at_least(low, b'9' + 1);
    let inside = (letters | digits) & !eight & HIGH;
    let firsts = (inside | (eight & HIGH)) & !((inside << 8) | (before >> 56));
    (firsts, inside)
}

/// Place and bit of three letters, the same in both cases; other characters share those
/// of letters.
fn start(a: u8, b: u8, c: u8) -> (usize, u32) {
    ((usize::from(a & 31) << 5) | usize::from(b & 31), 1 << (c & 31))
}

/// Whether `text` begins with `word` and goes on with something else than a letter.
fn stands(word: &str, text: &str) -> bool {
    let mut rest = read(text);
    word.chars().all(|letter| rest.next() == Some(letter))
        && !rest.next().is_some_and(char::is_alphanumeric)
}

/// Whether a text is seen at once not to begin with `word`: both have another letter of
/// ASCII, before anything that can be read in several ways.
fn differs(word: &str, text: &str) -> bool {
    for (letter, byte) in word.bytes().zip(text.bytes()) {
        if !byte.is_ascii() || is_gap(byte) {
            return false;
        }
        if letter != byte.to_ascii_lowercase() {
            return true;
        }
    }
    text.len() < word.len()
}

/// Whether it is read as a gap, or as a part of one.
fn is_gap(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b || byte == b'-' || byte == b'_'
}

/// The characters of a text as they are compared.
fn read(text: &str) -> impl Iterator<Item = char> {
    let mut gap = false;
    let visible = text.chars().filter(|letter| !is_invisible(*letter));
    let letters = visible.flat_map(|letter| {
        let letter = match letter {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
            '-' | '_' | '\u{2010}'..='\u{2015}' => ' ',
            letter if letter.is_whitespace() => ' ',
            letter => letter,
        };
        let (letter, again) = match letter {
            'ß' | 'ẞ' => ('s', Some('s')),
            letter => (letter, None),
        };
        letter.to_lowercase().chain(again)
    });
    letters.filter(move |letter| {
        let is_second = gap && *letter == ' ';
        gap = *letter == ' ';
        !is_second
    })
}

/// Characters that take no room: soft hyphens, joiners, marks of direction.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_and_read_as_people_do() {
        let words = [
            "patient",
            "streng vertraulich",
            "Größe",
            "vs-nfd",
            "Straße",
            "tlp:red",
            "ärztlicher Befund",
            "x",
            "Q factor",
            "ab cd",
            "eén twee",
        ];
        let keywords = Keywords::new(&words.map(str::to_owned)).expect("words");
        for (text, expected) in [
            ("The patient sleeps.", true),
            ("PATIENT: Ann", true),
            ("patient", true),
            ("(patient)", true),
            ("the—patient—sleeps", true),
            ("patient\u{200b}", true),
            ("pa\u{200b}ti\u{ad}ent", true),
            ("ＰＡＴＩＥＮＴ", true),
            ("report_patient_7.pdf", true),
            ("He was impatient", false),
            ("übepatient", false),
            ("èpatient", false),
            ("patience", false),
            ("patients", false),
            ("patienté", false),
            ("patient7", false),
            ("STRENG VERTRAULICH", true),
            ("streng\n   vertraulich", true),
            ("streng vertrau", false),
            ("die größe", true),
            ("DIE GRÖSSE", true),
            ("übergröße", false),
            ("in der STRASSE", true),
            ("VS–NfD", true),
            ("VS - NFD", true),
            ("VSNfD", false),
            ("TLP:RED", true),
            ("TLP:REDISH", false),
            ("TLP：RED", true),
            ("tlp", false),
            ("x", true),
            ("X-ray", true),
            ("xx", false),
            ("Q factor", true),
            ("q—factor", true),
            ("q factors", false),
            ("，ｘ，", true),
            ("，y，", false),
            ("日本，東京", false),
            ("ａｂ cd", true),
            ("ab-CD", true),
            ("abcd", false),
            ("a\u{ad}b  cd", true),
            ("EÉN TWEE", true),
            ("你好patient", false),
            ("你好 patient", true),
            ("ÄRZTLICHER BEFUND: oB", true),
            ("der ärztliche befund", false),
            ("", false),
            ("p", false),
        ] {
            assert_eq!(keywords.are_in(text), expected, "{text}");
        }
    }

    #[test]
    fn a_word_is_found_wherever_it_stands() {
        let keywords = Keywords::new(&["zulu".to_owned(), "日本".to_owned()]).expect("words");
        for before in 0..40 {
            for (sign, expected) in [(" ", true), ("é ", true), ("-", true), ("x", false)] {
                for word in ["zulu", "ZULU", "日本"] {
                    for after in ["", " ", ".", "."] {
                        let text = format!("{}{sign}{word}{after}", "a".repeat(before));
                        assert_eq!(keywords.are_in(&text), expected, "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn first_letters_are_those_after_anything_but_a_letter() {
        for byte in 0..=255_u8 {
            let (first, inside) = first_letters(u64::from_le_bytes([byte; 8]), 0);
            let is_inside = byte.is_ascii_alphanumeric();
            assert_eq!(inside != 0, is_inside, "{byte:#x}");
            assert_eq!(inside.count_ones(), if is_inside { 8 } else { 0 }, "{byte:#x}");
            let firsts = if is_inside {
                1
            } else if byte.is_ascii() {
                0
            } else {
                8
            };
            assert_eq!(first.count_ones(), firsts, "{byte:#x}");
            let (later, _) = first_letters(u64::from_le_bytes([byte; 8]), 0x80 << 56);
            assert_eq!(later & 0xff, 0, "{byte:#x}");
        }
    }

    #[test]
    fn without_words_nothing_is_found() {
        let keywords = Keywords::new(&[]).expect("no words");
        assert!(keywords.is_empty());
        assert!(!keywords.are_in("anything"));
    }

    #[test]
    fn what_cannot_be_looked_for_is_refused() {
        for word in ["", "  ", "\u{200b}", "#x", "- -", &"x".repeat(Keywords::LONGEST + 1)] {
            assert!(Keywords::new(&[word.to_owned()]).is_err(), "{word:?}");
        }
        let many: Vec<String> = (0..=Keywords::MOST).map(|number| number.to_string()).collect();
        assert!(Keywords::new(&many).is_err());
        assert!(Keywords::new(&many[1..]).is_ok());
    }
}
