//! Whole words in any case, all of them in one pass over the text.
//!
//! Text is compared as people read it: case, full-width letters, `ß` and `ss`, the width
//! of a gap, dashes and invisible characters make no difference.

/// Words and phrases to look for.
pub struct Keywords {
    /// As [`read`] gives them, in order of their first characters.
    words: Vec<Vec<char>>,
    /// By the first byte of a character: whether a word may begin with it.
    begins: [bool; 256],
}

impl Keywords {
    /// Bytes of one word at most.
    const LONGEST: usize = 200;
    /// Words at most.
    const MOST: usize = 2000;

    /// Prepares words.
    ///
    /// # Errors
    /// A word that is empty or too long, or too many.
    pub fn new(given: &[String]) -> Result<Keywords, String> {
        if given.len() > Self::MOST {
            return Err(format!("at most {} words", Self::MOST));
        }
        let mut words = Vec::new();
        let mut begins = [false; 256];
        for word in given {
            let read: Vec<char> = read(word).collect::<String>().trim().chars().collect();
            let Some(first) = read.first().filter(|_| word.len() <= Self::LONGEST) else {
                return Err(format!("a word has 1 to {} bytes", Self::LONGEST));
            };
            // Both cases of a letter have as many bytes, nearly always.
            match *first {
                letter @ '\0'..='\x7f' => {
                    begins[letter as usize] = true;
                    begins[letter.to_ascii_uppercase() as usize] = true;
                    // Full-width forms, U+FF01 to U+FF5E.
                    begins[0xef] = true;
                }
                '\u{80}'..='\u{7ff}' => begins[0xc2..0xe0].fill(true),
                '\u{800}'..='\u{ffff}' => begins[0xe0..0xf0].fill(true),
                _ => begins[0xf0..].fill(true),
            }
            words.push(read);
        }
        words.sort_unstable();
        words.dedup();
        Ok(Keywords { words, begins })
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether one of them stands in `text` as a whole word.
    pub fn are_in(&self, text: &str) -> bool {
        let mut before = b' ';
        text.bytes().enumerate().any(|(at, byte)| {
            let is_first = self.begins[usize::from(byte)] && !before.is_ascii_alphanumeric();
            before = byte;
            is_first && self.is_at(text, at)
        })
    }

    /// Whether a word begins at `at`, which is the first byte of a character.
    fn is_at(&self, text: &str, at: usize) -> bool {
        let (before, rest) = text.split_at(at);
        if before.chars().next_back().is_some_and(char::is_alphanumeric) {
            return false;
        }
        let Some(first) = read(rest).next() else { return false };
        let from = self.words.partition_point(|word| word[0] < first);
        let candidates = self.words[from..].iter().take_while(|word| word[0] == first);
        candidates.into_iter().any(|word| {
            let mut rest = read(rest);
            word.iter().all(|letter| rest.next() == Some(*letter))
                && !rest.next().is_some_and(char::is_alphanumeric)
        })
    }
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
    fn without_words_nothing_is_found() {
        let keywords = Keywords::new(&[]).expect("no words");
        assert!(keywords.is_empty());
        assert!(!keywords.are_in("anything"));
    }

    #[test]
    fn what_cannot_be_looked_for_is_refused() {
        for word in ["", "  ", "\u{200b}", &"x".repeat(Keywords::LONGEST + 1)] {
            assert!(Keywords::new(&[word.to_owned()]).is_err(), "{word:?}");
        }
        let many: Vec<String> = (0..=Keywords::MOST).map(|number| number.to_string()).collect();
        assert!(Keywords::new(&many).is_err());
        assert!(Keywords::new(&many[1..]).is_ok());
    }
}
