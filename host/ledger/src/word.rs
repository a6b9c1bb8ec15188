//! A bounded text.

use std::fmt;

use serde::{Serialize, Serializer};

/// A text of at most [`Word::BYTES`] bytes; what is longer is cut.
///
/// Every text of a record is one, so that no name, from the configuration or from a
/// client, makes a line long.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Word(String);

impl Word {
    /// The longest text.
    pub const BYTES: usize = 256;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Word {
    fn from(text: &str) -> Word {
        Word(text[..text.floor_char_boundary(Word::BYTES)].to_owned())
    }
}

impl From<String> for Word {
    fn from(mut text: String) -> Word {
        text.truncate(text.floor_char_boundary(Word::BYTES));
        Word(text)
    }
}

impl From<&String> for Word {
    fn from(text: &String) -> Word {
        Word::from(text.as_str())
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = "é".repeat(Word::BYTES);
        for word in [Word::from(long.as_str()), Word::from(long.clone())] {
            assert_eq!(word.as_str().len(), Word::BYTES);
        }
        let odd = format!("a{long}");
        assert_eq!(Word::from(odd).as_str().len(), Word::BYTES - 1);
        assert_eq!(Word::from("short").as_str(), "short");
    }
}
