//! The words of a text, as lists of terms count them.
//!
//! A word is a run of letters and digits. Letters of scripts that are written without
//! spaces, and of those that join endings to a name, are a word each, so that a name is
//! found in the middle of a sentence: 山田太郎 in 私は山田太郎です.

/// A word of a text: where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The words of a text, one after the other.
pub(super) struct Words<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Words<'t> {
    pub(super) fn new(text: &'t str) -> Words<'t> {
        Words::from(text, 0)
    }

    /// The words from a byte on that begins one.
    pub(super) fn from(text: &'t str, at: usize) -> Words<'t> {
        Words { text, at }
    }
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(|&byte| byte < 0x80 && !byte.is_ascii_alphanumeric()) {
            self.at += 1;
        }
        let start = self.at;
        let end = start + bytes[start..].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
        if end > start && bytes.get(end).is_none_or(u8::is_ascii) {
            self.at = end;
            return Some(Word { start, end });
        }
        self.beyond_ascii(start)
    }
}

impl Words<'_> {
    /// The next word from `from` on, where letters outside ASCII are near.
    fn beyond_ascii(&mut self, from: usize) -> Option<Word> {
        let mut word: Option<Word> = None;
        for (at, c) in self.text[from..].char_indices() {
            let (at, end) = (from + at, from + at + c.len_utf8());
            match &mut word {
                None if !counts(c) => {}
                None if stands_alone(c) => {
                    self.at = end;
                    return Some(Word { start: at, end });
                }
                None => word = Some(Word { start: at, end }),
                Some(word) if counts(c) && !stands_alone(c) => word.end = end,
                Some(_) => break,
            }
        }
        self.at = word.map_or(self.text.len(), |word| word.end);
        word
    }
}

/// Whether a character is a letter or a digit. What is frequent is told without a table.
fn counts(c: char) -> bool {
    match c {
        'À'..='ɏ' => !matches!(c, '×' | '÷'),
        'Ѐ'..='ҁ' | 'Ҋ'..='ԯ' | '一'..='鿿' => true,
        _ => c.is_alphanumeric(),
    }
}

/// Whether a letter is a word of its own: Han, Kana, Hangul, Thai, Lao, Khmer, Myanmar,
/// Tibetan.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0fff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<&str> {
        Words::new(text).map(|word| &text[word.start..word.end]).collect()
    }

    #[test]
    fn words_of_several_scripts() {
        for (text, expected) in [
            ("", &[][..]),
            (" .,", &[]),
            ("Jane O'Neil-Smith", &["Jane", "O", "Neil", "Smith"]),
            ("a1_b2", &["a1", "b2"]),
            ("größe", &["größe"]),
            ("aé b", &["aé", "b"]),
            ("Иван Петров", &["Иван", "Петров"]),
            ("私は山田です", &["私", "は", "山", "田", "で", "す"]),
            ("abc山x", &["abc", "山", "x"]),
            ("김철수는 ", &["김", "철", "수", "는"]),
            ("… é", &["é"]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn frequent_letters_are_letters() {
        let wrong = ('\u{80}'..='\u{9fff}').find(|c| c.is_alphanumeric() != counts(*c));
        assert_eq!(wrong, None);
    }

    proptest! {
        #[test]
        fn every_letter_is_in_one_word(text in any::<String>()) {
            let joined: String = words(&text).concat();
            let letters: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
            prop_assert_eq!(joined, letters);
        }
    }
}
