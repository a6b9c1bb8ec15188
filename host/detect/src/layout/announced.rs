//! The words that announce something, told quickly: what none of them heads is not read a
//! second time with its head.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::{card, iban, national, phone, secret, ssn};

/// Every word that a family looks for beside a value, in one automaton. It may take more
/// for such a word than the families do, but not less.
pub(crate) struct Announced {
    words: AhoCorasick,
    /// By word: whether it counts only as a whole word.
    whole: Vec<bool>,
}

impl Announced {
    /// The words of all families; takes a few milliseconds.
    pub(crate) fn of_families() -> Announced {
        let words = [card::WORDS, iban::WORDS, ssn::WORDS, phone::WORDS];
        let words = words.into_iter().flat_map(|words| words.list().iter().copied());
        Announced::new(secret::announcing(), national::words().chain(words))
    }

    /// Gathers literals, which count anywhere, and words or phrases, which are whole words.
    fn new(
        literals: impl Iterator<Item = &'static str>,
        words: impl Iterator<Item = &'static str>,
    ) -> Announced {
        let mut all: Vec<(String, bool)> = Vec::new();
        for literal in literals {
            // `pass:` is the name `pass` in a cell of its own.
            let bare = literal.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
            all.push((bare.to_owned(), bare != literal));
        }
        // Each word of a phrase stands wherever the phrase does: the longest is the rarest.
        let rarest = |phrase: &'static str| phrase.split(' ').max_by_key(|word| word.len());
        all.extend(words.filter_map(rarest).map(|word| (word.to_owned(), true)));
        // The automaton folds the cases of ASCII alone.
        let foreign: Vec<(String, bool)> = all
            .iter()
            .filter(|(word, _)| !word.is_ascii())
            .flat_map(|(word, whole)| {
                let mut title = word.chars();
                let first = title.next().into_iter().flat_map(char::to_uppercase);
                let title: String = first.chain(title.as_str().chars()).collect();
                [(word.to_uppercase(), *whole), (title, *whole)]
            })
            .collect();
        all.extend(foreign);
        all.retain(|(word, _)| !word.is_empty());
        all.sort();
        // Where a word counts anywhere, it need not be looked for as a whole one.
        all.dedup_by(|(later, _), (first, _)| later == first);
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(all.iter().map(|(word, _)| word));
        match automaton {
            Ok(words) => Announced { words, whole: all.iter().map(|(_, whole)| *whole).collect() },
            // The tables are constants of this crate; their size is far from the limit.
            Err(_) => unreachable!("the automaton of announcing words is too large"),
        }
    }

    /// Where words that announce something stand, by their ends.
    pub(crate) fn places<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
        self.words
            .find_overlapping_iter(text)
            .filter(|found| {
                !self.whole[found.pattern().as_usize()]
                    || is_whole(text.as_bytes(), found.start(), found.end())
            })
            .map(|found| found.start()..found.end())
    }

    /// Whether a text has a word that announces something.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.places(text).next().is_some()
    }
}

/// Whether no letter of the same word stands on either side. A capital after a small letter
/// begins a word, and other scripts may be written without spaces.
fn is_whole(bytes: &[u8], start: usize, end: usize) -> bool {
    let apart = |at: usize| {
        let (left, right) = (bytes[at - 1], bytes[at]);
        !left.is_ascii_alphanumeric()
            || !right.is_ascii_alphanumeric()
            || left.is_ascii_lowercase() && right.is_ascii_uppercase()
    };
    // Plurals are words of some lists.
    let plural = |at: usize| bytes[at] == b's' && (at + 1 == bytes.len() || apart(at + 1));
    (start == 0 || apart(start)) && (end == bytes.len() || apart(end) || plural(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_family_looks_for_announces() {
        let announced = Announced::of_families();
        let words = [card::WORDS, iban::WORDS, ssn::WORDS, phone::WORDS];
        let words = words.into_iter().flat_map(|words| words.list().iter().copied());
        for word in secret::announcing() {
            assert!(announced.has(word) && announced.has(&word.to_uppercase()), "{word}");
        }
        for word in national::words().chain(words) {
            for head in [word.to_owned(), word.to_uppercase(), word.replace(' ', "_")] {
                assert!(announced.has(&head), "{head}");
            }
        }
        for head in ["id", "row", "status", "amount", "compass", "country"] {
            assert!(!announced.has(head), "{head}");
        }
    }

    #[test]
    fn words_that_announce() {
        let announced =
            Announced::new(["token", "pass:"].into_iter(), ["nhs number", "снилс"].into_iter());
        for (text, found) in [
            ("authTokens", true),
            ("PASS", true),
            ("passing", false),
            ("bypass", false),
            ("NUMBER of the NHS", true),
            ("nhsNumber", true),
            ("case_number", true),
            ("numbered", false),
            ("СНИЛС", true),
            ("Снилс", true),
            ("name", false),
        ] {
            assert_eq!(announced.has(text), found, "{text}");
        }
    }
}
