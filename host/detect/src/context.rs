//! The words around a candidate.

mod around;

use std::borrow::Cow;

pub(crate) use around::Around;

/// How far to the left words count, in bytes.
pub(crate) const BEFORE: usize = 64;

/// How far to the right.
pub(crate) const AFTER: usize = 24;

/// Words that are looked for around a candidate, and what tells quickly that a word is
/// none of them.
pub(crate) struct Words {
    list: &'static [&'static str],
    /// Which letters begin one, from bit 0 for `a`.
    firsts: u32,
    /// Which lengths one has.
    lengths: u32,
    /// Where in the list those begin that begin with a letter of another script.
    foreign: usize,
}

impl Words {
    /// The words of a list: in small letters, sorted, and shorter than 32 bytes.
    pub(crate) const fn new(list: &'static [&'static str]) -> Words {
        let (mut firsts, mut lengths, mut foreign) = (0, 0, list.len());
        let mut index = list.len();
        while index > 0 {
            index -= 1;
            let word = list[index].as_bytes();
            if word[0].is_ascii_lowercase() {
                firsts |= 1 << (word[0] - b'a');
                lengths |= 1 << word.len();
            } else {
                foreign = index;
            }
        }
        Words { list, firsts, lengths, foreign }
    }

    /// The words.
    pub(crate) const fn list(&self) -> &'static [&'static str] {
        self.list
    }

    /// Whether a word of letters and digits is one of them, in any case.
    fn has(&self, word: &str) -> bool {
        if !word.is_ascii() {
            return self.has_foreign(word);
        }
        let bytes = word.as_bytes();
        let Some(first) = bytes.first().map(u8::to_ascii_lowercase) else { return false };
        let bit = u32::from(first.wrapping_sub(b'a'));
        if bit >= 26
            || self.firsts >> bit & 1 == 0
            || bytes.len() >= 32
            || self.lengths >> bytes.len() & 1 == 0
        {
            return false;
        }
        let from = self.list.partition_point(|wanted| wanted.as_bytes()[0] < first);
        let same = self.list[from..].iter().take_while(|wanted| wanted.as_bytes()[0] == first);
        same.into_iter().any(|wanted| wanted.eq_ignore_ascii_case(word))
    }

    /// The same for a word that is not ASCII. Those of a list that begin with another
    /// script count wherever they stand: some are written without spaces.
    fn has_foreign(&self, word: &str) -> bool {
        let lower = match word.chars().any(char::is_uppercase) {
            true => Cow::Owned(word.to_lowercase()),
            // Few scripts have capitals.
            false => Cow::Borrowed(word),
        };
        let first = lower.as_bytes()[0];
        let accented = first.is_ascii_lowercase() && {
            let from = self.list.partition_point(|wanted| wanted.as_bytes()[0] < first);
            let same = self.list[from..].iter().take_while(|wanted| wanted.as_bytes()[0] == first);
            same.into_iter().any(|wanted| *wanted == lower)
        };
        accented || self.list[self.foreign..].iter().any(|wanted| around::find(&lower, wanted))
    }
}

/// Whether one of `words` stands as a whole word shortly before `start` or right
/// after `end`, in any case.
pub(crate) fn names(text: &str, start: usize, end: usize, words: &Words) -> bool {
    names_before(text, start, words) || names_after(text, end, words)
}

/// Whether one of `words` stands as a whole word right after `end`.
pub(crate) fn names_after(text: &str, end: usize, words: &Words) -> bool {
    let until = text.floor_char_boundary((end + AFTER).min(text.len())).max(end);
    has_word(&text[end..until], words)
}

/// Whether one of `words` stands as a whole word shortly before `start`.
pub(crate) fn names_before(text: &str, start: usize, words: &Words) -> bool {
    let from = text.floor_char_boundary(start.saturating_sub(BEFORE));
    has_word(&text[from..start], words)
}

/// Whether a character is of a script that is written without blanks.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{d7a3}')
}

/// Whether a character is part of a word. The common scripts are told by their range:
/// the tables of Unicode cost more than all the rest here.
pub(crate) fn is_letter(c: char) -> bool {
    match c {
        '\0'..='\u{7f}' => c.is_ascii_alphanumeric(),
        'А'..='я' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => true,
        _ => c.is_alphanumeric(),
    }
}

/// Whether the last word before `start` is one of `words`, when nothing but `.:#=(`,
/// quotes and blanks stands between.
pub(crate) fn follows_word(text: &str, start: usize, words: &Words) -> bool {
    words.has(last_word(text, start))
}

fn last_word(text: &str, start: usize) -> &str {
    let before = &text[text.floor_char_boundary(start.saturating_sub(BEFORE))..start];
    let before = before.trim_end_matches(|c: char| ".:#=(\"' \t".contains(c));
    let after = before.rfind(|c: char| !c.is_alphanumeric());
    let word = after.map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
    &before[word..]
}

fn has_word(text: &str, words: &Words) -> bool {
    let bytes = text.as_bytes();
    let belongs = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80;
    let mut at = 0;
    while at < bytes.len() {
        if !belongs(bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        at += bytes[at..].iter().take_while(|&&byte| belongs(byte)).count();
        let word = &text[start..at];
        let found = match word.is_ascii() {
            // A word that begins with a digit is none of any list.
            true if bytes[start].is_ascii_digit() => false,
            true => words.has(word) || has_part(word, words),
            // Signs of other scripts may part it.
            false => {
                let parts = |sign: fn(char) -> bool| word.split(sign).any(|word| words.has(word));
                // Some are written without blanks, also behind a word of ours.
                parts(|c| !is_letter(c)) || parts(|c| !is_letter(c) || is_unspaced(c))
            }
        };
        if found {
            return true;
        }
    }
    false
}

/// Whether one of the two pieces of a word is one of `words` where a small letter meets
/// a capital: `phoneNumber`.
fn has_part(word: &str, words: &Words) -> bool {
    let bytes = word.as_bytes();
    let seam = (1..bytes.len())
        .find(|&at| bytes[at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase());
    seam.is_some_and(|at| words.has(&word[..at]) || words.has(&word[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIC: Words = Words::new(&["lic"]);
    const CALL: Words = Words::new(&["电话"]);

    #[test]
    fn words_are_whole_words() {
        for (text, found) in [
            ("lic 1", true),
            ("public 1", false),
            ("LIC: 1", true),
            ("lic# 1", true),
            ("licence 1", false),
            ("driver_lic=1", true),
            ("driverLic=1", true),
            ("почта 1", false),
        ] {
            assert_eq!(names_before(text, text.len() - 1, &LIC), found, "{text}");
        }
        assert!(names("1 (lic)", 0, 1, &LIC));
        assert!(names_before("licは1", "licは".len(), &LIC));
        assert!(names_before("我的电话是1", "我的电话是".len(), &CALL));
    }

    #[test]
    fn ranges_agree_with_the_tables() {
        for c in ('\0'..='\u{ffff}').chain('\u{20000}'..='\u{20100}') {
            assert_eq!(is_letter(c), c.is_alphanumeric(), "{c:?}");
        }
        for text in ["ЖЁЯЩ", "漢字カナ한국", "ÀÉŁ", "ΑΣ"] {
            let mut words = String::new();
            around::spaced(text, &mut words);
            assert_eq!(words.trim(), text.chars().flat_map(char::to_lowercase).collect::<String>());
        }
    }

    #[test]
    fn the_lists_are_sorted() {
        for list in [
            &crate::card::WORDS,
            &crate::iban::WORDS,
            &crate::ssn::WORDS,
            &crate::phone::WORDS,
            &crate::phone::OTHERS,
            &crate::ip::VERSIONS,
            &crate::mac::WORDS,
        ] {
            let list = list.list();
            assert!(list.is_sorted(), "{list:?}");
            assert!(list.iter().all(|word| word.len() < 32), "{list:?}");
        }
    }

    #[test]
    fn the_last_word() {
        for (text, word) in
            [("see version: ", "version"), ("v", "v"), ("a, ", ""), ("", ""), ("日本 ", "日本")]
        {
            assert_eq!(last_word(text, text.len()), word);
        }
    }
}
