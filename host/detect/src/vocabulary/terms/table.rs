//! Hashes of terms, and how a text is held against them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use siphasher::sip::SipHasher13;

use super::super::HashKey;
use super::super::words::{Word, Words};
use super::Terms;

/// Terms by the hash of all their words.
#[derive(Default)]
pub(super) struct Table {
    /// Which list a term is of.
    pub(super) whole: HashMap<u64, u16, BuildHasherDefault<Identity>>,
    /// Beginnings of terms.
    pub(super) beginnings: Bits,
}

/// A set of hashes that may say yes too often: one bit for each.
#[derive(Default)]
pub(super) struct Bits(Vec<u64>);

/// What a table will hold.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) whole: Vec<(u64, u16)>,
    pub(super) beginnings: Vec<u64>,
}

impl Gathered {
    pub(super) fn table(self) -> Table {
        let mut table = Table { beginnings: Bits::of(&self.beginnings), ..Table::default() };
        table.whole.reserve(self.whole.len());
        for (hash, list) in self.whole {
            table.whole.entry(hash).or_insert(list);
        }
        table
    }
}

impl Table {
    /// The longest term that begins with `first`: where it ends, and its list.
    pub(super) fn longest(
        &self,
        text: &str,
        first: Word,
        hasher: &mut WordHasher,
    ) -> Option<(usize, u16)> {
        if self.whole.is_empty() {
            return None;
        }
        let mut found = None;
        let mut joined = 0;
        let mut before = first;
        for word in Words::from(text, first.start).take(Terms::WORDS) {
            if word.start > before.end && !is_next(before, word) {
                break;
            }
            before = word;
            joined = join(joined, hasher.hash(&text[word.start..word.end]));
            if !self.beginnings.has(joined) {
                break;
            }
            if let Some(&list) = self.whole.get(&joined) {
                found = Some((word.end, list));
            }
        }
        found
    }
}

impl Bits {
    /// Sixteen bits for each hash: one that is not in it passes once in sixteen times.
    pub(super) fn of(hashes: &[u64]) -> Bits {
        if hashes.is_empty() {
            return Bits::default();
        }
        let mut bits = Bits(vec![0; (hashes.len() / 4).next_power_of_two()]);
        for &hash in hashes {
            let (at, bit) = bits.place(hash);
            bits.0[at] |= 1 << bit;
        }
        bits
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, hash: u64) -> bool {
        let (at, bit) = self.place(hash);
        self.0[at] >> bit & 1 == 1
    }

    /// From the upper half of a hash, where products mix best.
    fn place(&self, hash: u64) -> (usize, u32) {
        let bits = hash >> 32;
        // The number of words is a power of two.
        ((bits >> 6) as usize & (self.0.len() - 1), bits as u32 & 63)
    }
}

/// Hashes words with one buffer.
pub(super) struct WordHasher {
    hasher: SipHasher13,
    folds: bool,
    buffer: Vec<u8>,
}

impl WordHasher {
    pub(super) fn new(key: HashKey, folds: bool) -> WordHasher {
        WordHasher { hasher: SipHasher13::new_with_key(&key.0), folds, buffer: Vec::new() }
    }

    pub(super) fn hash(&mut self, word: &str) -> u64 {
        if !self.folds {
            return self.hasher.hash(word.as_bytes());
        }
        self.buffer.clear();
        fold(word, &mut self.buffer);
        self.hasher.hash(&self.buffer)
    }

    /// A hash of a word's beginning in small letters, for a first look.
    pub(super) fn first(&mut self, text: &str, word: Word) -> u64 {
        let bytes = &text.as_bytes()[word.start..];
        let length = word.end - word.start;
        let mut eight = [0; 8];
        if let Some(whole) = bytes.first_chunk() {
            eight = *whole;
        } else {
            eight[..length].copy_from_slice(&bytes[..length]);
        }
        let kept = u64::MAX >> (64 - 8 * length.min(8));
        let word = &text[word.start..word.end];
        if word.is_ascii() {
            // A digit has this bit already.
            let head = (u64::from_le_bytes(eight) & kept) | (0x2020_2020_2020_2020 & kept);
            return join(length as u64, head);
        }
        self.buffer.clear();
        let small = word.chars().flat_map(char::to_lowercase).take(4);
        let mut utf8 = [0; 4];
        for c in small {
            self.buffer.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
        }
        let mut head = [0; 16];
        head[..self.buffer.len()].copy_from_slice(&self.buffer);
        let head = u128::from_le_bytes(head);
        join(head as u64, (head >> 64) as u64)
    }
}

/// Appends a word in small letters.
pub(super) fn fold(word: &str, out: &mut Vec<u8>) {
    if word.is_ascii() {
        out.extend(word.bytes().map(|byte| byte.to_ascii_lowercase()));
        return;
    }
    let mut utf8 = [0; 4];
    for c in word.chars().flat_map(char::to_lowercase) {
        out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
    }
}

/// The hash of some words and one more: their order counts.
pub(super) fn join(words: u64, word: u64) -> u64 {
    (words.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Whether two words of a text can be two words of one term.
pub(super) fn is_next(word: Word, next: Word) -> bool {
    next.start - word.end <= Terms::BETWEEN
}

/// The hash is one already.
#[derive(Default)]
pub(super) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}
