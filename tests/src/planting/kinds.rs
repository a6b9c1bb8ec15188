//! What is planted: kinds of values, made at random and valid.

mod america;
mod asia;
mod crypto;
mod europe;
mod health;
mod money;
mod nordic;
mod oceania;
mod reach;
mod secrets;
mod vendors;

use super::{Random, canonical};

/// A kind of value.
#[derive(Debug)]
pub struct Kind {
    /// What `ringfence detect --list` calls it.
    pub entity: &'static str,
    /// What people call it when they write it down.
    pub words: &'static [&'static str],
    /// How it may be written.
    pub shape: Shape,
    /// Makes one.
    pub make: fn(&mut Random) -> Made,
}

/// How a value may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Digits in groups, of which people change the separators.
    Grouped,
    /// One word: a character more makes it another one.
    Word,
    /// Lines.
    Block,
}

/// A value that was made.
#[derive(Debug, Clone)]
pub struct Made {
    text: String,
    parts: Vec<String>,
}

/// A value.
#[derive(Debug, Clone)]
pub struct Value {
    /// Its kind.
    pub kind: &'static Kind,
    /// As it is written.
    pub text: String,
    /// What must not arrive, each by itself: the whole value, or for a secret in an
    /// address the secret.
    pub needles: Vec<String>,
}

impl Kind {
    /// A value of this kind.
    pub fn value(&'static self, random: &mut Random) -> Value {
        let made = (self.make)(random);
        let needles = if made.parts.is_empty() { vec![made.text.clone()] } else { made.parts };
        debug_assert!(needles.iter().all(|needle| canonical(needle).len() >= 6));
        Value { kind: self, text: made.text, needles }
    }

    /// Whether it never comes back.
    pub fn is_secret(&self) -> bool {
        self.entity.starts_with("SECRET_")
    }
}

/// Every kind.
pub fn all() -> Vec<&'static Kind> {
    [
        america::KINDS,
        asia::KINDS,
        crypto::KINDS,
        europe::KINDS,
        health::KINDS,
        money::KINDS,
        nordic::KINDS,
        oceania::KINDS,
        reach::KINDS,
        secrets::KINDS,
        vendors::KINDS,
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl From<String> for Made {
    fn from(text: String) -> Made {
        Made { text, parts: Vec::new() }
    }
}

/// A day on which somebody may have been born, in its parts.
struct Day {
    year: u64,
    month: u64,
    day: u64,
}

impl Day {
    fn of(random: &mut Random) -> Day {
        Day {
            year: random.between(1941, 1999),
            month: random.between(1, 12),
            day: random.between(1, 28),
        }
    }

    fn short_year(&self) -> u64 {
        self.year % 100
    }

    /// `YYMMDD`.
    fn ymd(&self) -> String {
        format!("{:02}{:02}{:02}", self.short_year(), self.month, self.day)
    }

    /// `DDMMYY`.
    fn dmy(&self) -> String {
        format!("{:02}{:02}{:02}", self.day, self.month, self.short_year())
    }
}

/// Tries until something is valid.
fn until(random: &mut Random, attempt: impl Fn(&mut Random) -> Option<String>) -> String {
    loop {
        if let Some(text) = attempt(random) {
            return text;
        }
    }
}

/// Digits with separators put in: `grouped("123456789", &[3, 3, 3], "-")`.
fn grouped(digits: &str, sizes: &[usize], separator: &str) -> String {
    let characters: Vec<char> = digits.chars().collect();
    let mut from = 0;
    let groups: Vec<String> = sizes
        .iter()
        .map(|size| {
            from += size;
            characters[from - size..from].iter().collect()
        })
        .collect();
    groups.join(separator)
}

/// Short for the tables.
const fn kind(
    entity: &'static str,
    words: &'static [&'static str],
    shape: Shape,
    make: fn(&mut Random) -> Made,
) -> Kind {
    Kind { entity, words, shape, make }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The planter's own examples are those that issuers publish.
    #[test]
    fn grouping_keeps_every_digit() {
        assert_eq!(grouped("123456789", &[3, 2, 4], "-"), "123-45-6789");
    }

    #[test]
    fn every_kind_makes_values_that_differ() {
        for kind in all() {
            let mut random = Random::new(7);
            let (one, other) = (kind.value(&mut random), kind.value(&mut random));
            assert_ne!(one.text, other.text, "{}", kind.entity);
            assert!(!kind.words.is_empty(), "{}", kind.entity);
            for needle in one.needles {
                assert!(canonical(&needle).chars().count() >= 6, "{}: {needle}", kind.entity);
                assert!(canonical(&one.text).contains(&canonical(&needle)), "{}", kind.entity);
            }
        }
    }
}
