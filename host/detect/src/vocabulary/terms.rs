//! Lists of terms: names of customers, of projects, of patients; a million of them.
//!
//! Terms are compared word by word, in any case unless their list says otherwise, and
//! whatever stands between the words. In memory there are only keyed hashes of them: 64
//! bits of SipHash for each word, joined. A chance match in a million words against a
//! million terms has a probability below one in ten million, and costs one word hidden.
//!
//! A list may hold hashes instead of terms, for who may not have the terms in a file:
//! `hash:2:` and 128 bits, where 2 is the number of words.

mod table;

use std::collections::HashMap;
use std::fmt;
use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};
use unicode_normalization::UnicodeNormalization;

use super::words::{Word, Words};
use super::{HashKey, VocabularyError};
use crate::candidate::Span;
use table::{Bits, Gathered, Table, WordHasher, fold, is_next, join};

/// Terms of one or several lists, ready to be looked for.
pub struct Terms {
    key: HashKey,
    entities: Vec<(String, f32)>,
    /// The first words of terms, by a hash that costs next to nothing.
    first: Bits,
    folded: Table,
    exact: Table,
    hashed: Hashed,
}

/// Gathers terms.
#[derive(Debug)]
pub struct TermsBuilder {
    terms: Terms,
    first: Vec<u64>,
    folded: Gathered,
    exact: Gathered,
}

/// Terms of which only hashes are known.
#[derive(Default)]
struct Hashed {
    whole: HashMap<u128, u16>,
    /// Bit n is set when there is a term of n words.
    lengths: u64,
}

impl Terms {
    /// Terms of all lists together, at most.
    pub const TERMS: usize = 4_000_000;

    /// Words of one term at most; letters that are a word each count as one.
    pub const WORDS: usize = 32;

    /// Letters and digits of one term at least: a single letter is everywhere.
    pub const LETTERS: usize = 2;

    /// Bytes of one term at most.
    pub const BYTES: usize = 512;

    /// Bytes between two words of one term at most.
    pub const BETWEEN: usize = 8;

    /// Lists at most.
    pub const LISTS: usize = 256;

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many there are; one that stands in two lists counts once.
    pub fn len(&self) -> usize {
        self.folded.whole.len() + self.exact.whole.len() + self.hashed.whole.len()
    }

    /// The names of the lists.
    pub fn entities(&self) -> impl Iterator<Item = &str> {
        self.entities.iter().map(|(entity, _)| entity.as_str())
    }

    /// The line that stands for `term` in a list that may not hold it.
    ///
    /// # Errors
    /// [`VocabularyError`]: it is no term.
    pub fn hash(key: HashKey, term: &str) -> Result<String, VocabularyError> {
        let term = normal(term);
        let words = words_of(&term)?;
        Ok(format!("{HASH}{}:{:032x}", words.len(), hash_of(key, &term, &words)))
    }

    /// Finds every term in a text. Where several begin at one word, the longest counts.
    pub(super) fn find<'v>(&'v self, text: &str, out: &mut Vec<Span<'v>>) {
        if !self.first.is_empty() {
            self.find_listed(text, out);
        }
        if !self.hashed.whole.is_empty() {
            self.find_hashed(text, out);
        }
    }

    fn find_listed<'v>(&'v self, text: &str, out: &mut Vec<Span<'v>>) {
        let mut folded = WordHasher::new(self.key, true);
        let mut exact = WordHasher::new(self.key, false);
        for word in Words::new(text) {
            if !self.first.has(folded.first(text, word)) {
                continue;
            }
            for (table, hasher) in [(&self.folded, &mut folded), (&self.exact, &mut exact)] {
                if let Some((end, list)) = table.longest(text, word, hasher) {
                    out.push(self.span(word.start, end, list));
                }
            }
        }
    }

    fn find_hashed<'v>(&'v self, text: &str, out: &mut Vec<Span<'v>>) {
        let words: Vec<Word> = Words::new(text).collect();
        let longest = 63 - self.hashed.lengths.leading_zeros() as usize;
        for first in 0..words.len() {
            let mut found = None;
            for count in 1..=longest.min(words.len() - first) {
                let these = &words[first..first + count];
                if count > 1 && !is_next(these[count - 2], these[count - 1]) {
                    break;
                }
                if self.hashed.lengths >> count & 1 == 0 {
                    continue;
                }
                if let Some(&list) = self.hashed.whole.get(&hash_of(self.key, text, these)) {
                    found = Some((these[count - 1].end, list));
                }
            }
            if let Some((end, list)) = found {
                out.push(self.span(words[first].start, end, list));
            }
        }
    }

    fn span(&self, start: usize, end: usize, list: u16) -> Span<'_> {
        let (entity, score) = &self.entities[usize::from(list)];
        Span { start, end, entity, score: *score }
    }
}

impl TermsBuilder {
    /// A builder without a term.
    pub fn new(key: HashKey) -> TermsBuilder {
        TermsBuilder {
            terms: Terms { key, ..Terms::default() },
            first: Vec::new(),
            folded: Gathered::default(),
            exact: Gathered::default(),
        }
    }

    /// Begins a list whose findings have this name and this score, 0 to 1.
    ///
    /// # Errors
    /// [`VocabularyError`]: there are too many lists.
    pub fn list(&mut self, entity: &str, score: f32) -> Result<(), VocabularyError> {
        if self.terms.entities.len() == Terms::LISTS {
            return Err(VocabularyError(format!("there are more than {} lists", Terms::LISTS)));
        }
        self.terms.entities.push((entity.to_owned(), score));
        Ok(())
    }

    /// Adds a term, or the hash of one, to the list that was begun last. A term that
    /// stands in two lists is of the first.
    ///
    /// # Errors
    /// [`VocabularyError`]: it is no term, or one too many.
    pub fn add(&mut self, term: &str, match_case: bool) -> Result<(), VocabularyError> {
        let list = self.terms.entities.len().checked_sub(1).and_then(|at| u16::try_from(at).ok());
        let Some(list) = list else {
            return Err(VocabularyError("no list was begun".to_owned()));
        };
        let count = self.folded.whole.len() + self.exact.whole.len();
        if count + self.terms.hashed.whole.len() >= Terms::TERMS {
            return Err(VocabularyError(format!("there are more than {} terms", Terms::TERMS)));
        }
        if let Some(hash) = term.strip_prefix(HASH) {
            let (words, hash) = parse(hash)?;
            self.terms.hashed.whole.entry(hash).or_insert(list);
            self.terms.hashed.lengths |= 1 << words;
            return Ok(());
        }
        let term = normal(term);
        let words = words_of(&term)?;
        let mut hasher = WordHasher::new(self.terms.key, !match_case);
        self.first.push(hasher.first(&term, words[0]));
        let gathered = if match_case { &mut self.exact } else { &mut self.folded };
        let mut joined = 0;
        for word in &words {
            joined = join(joined, hasher.hash(&term[word.start..word.end]));
            gathered.beginnings.push(joined);
        }
        gathered.whole.push((joined, list));
        Ok(())
    }

    /// The terms.
    pub fn build(self) -> Terms {
        let mut terms = self.terms;
        terms.first = Bits::of(&self.first);
        terms.folded = self.folded.table();
        terms.exact = self.exact.table();
        terms
    }
}

impl Default for Terms {
    fn default() -> Terms {
        Terms {
            key: HashKey([0; 16]),
            entities: Vec::new(),
            first: Bits::default(),
            folded: Table::default(),
            exact: Table::default(),
            hashed: Hashed::default(),
        }
    }
}

/// Says how many there are, and none of them.
impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms").field("terms", &self.len()).finish_non_exhaustive()
    }
}

/// What a line begins with that holds a hash.
const HASH: &str = "hash:";

/// The hash that stands for these words in a list.
fn hash_of(key: HashKey, text: &str, words: &[Word]) -> u128 {
    let mut folded = Vec::with_capacity(64);
    for word in words {
        fold(&text[word.start..word.end], &mut folded);
        folded.push(b' ');
    }
    let mut hasher = SipHasher24::new_with_key(&key.0);
    hasher.write(&folded);
    hasher.finish128().as_u128()
}

/// A term as texts are read: without compatibility forms.
fn normal(term: &str) -> String {
    if term.is_ascii() { term.to_owned() } else { term.nfkc().collect() }
}

fn words_of(term: &str) -> Result<Vec<Word>, VocabularyError> {
    let wrong = |text: String| Err(VocabularyError(text));
    if term.len() > Terms::BYTES {
        return wrong(format!("a term has more than {} bytes", Terms::BYTES));
    }
    let words: Vec<Word> = Words::new(term).collect();
    let letters: usize = words.iter().map(|word| term[word.start..word.end].chars().count()).sum();
    if letters < Terms::LETTERS {
        return wrong(format!("a term has fewer than {} letters or digits", Terms::LETTERS));
    }
    if words.len() > Terms::WORDS {
        return wrong(format!("a term has more than {} words", Terms::WORDS));
    }
    if !words.windows(2).all(|pair| is_next(pair[0], pair[1])) {
        let text = format!("more than {} bytes stand between two words", Terms::BETWEEN);
        return wrong(text);
    }
    Ok(words)
}

/// Reads what stands behind `hash:`.
fn parse(text: &str) -> Result<(usize, u128), VocabularyError> {
    let parsed = text.split_once(':').and_then(|(words, hash)| {
        let words: usize = words.parse().ok()?;
        let fits = (1..=Terms::WORDS).contains(&words) && hash.len() == 32;
        let hash = hash.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(hash)?;
        fits.then(|| u128::from_str_radix(hash, 16).ok()).flatten().map(|hash| (words, hash))
    });
    parsed.ok_or_else(|| {
        VocabularyError("a hash is not as `ringfence detect --hash` prints it".to_owned())
    })
}

#[cfg(test)]
mod tests;
