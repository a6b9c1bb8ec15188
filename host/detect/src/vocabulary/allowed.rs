//! Values that are no findings: the address of the helpdesk, the number of the house.

use std::collections::HashSet;
use std::fmt;
use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};

use super::{HashKey, VocabularyError};
use crate::candidate::Span;

/// Values that are no findings, byte for byte as they stand in the text.
///
/// They are kept as keyed hashes only. What overlaps an allowed value and is more than
/// it stays a finding.
#[derive(Default)]
pub struct Allowed {
    key: Option<HashKey>,
    /// By the hash of the entity, which may be empty for all, and the value.
    values: HashSet<u128>,
}

impl Allowed {
    /// Values at most.
    pub const VALUES: usize = 1_000_000;

    /// Bytes of a value at most.
    pub const BYTES: usize = 512;

    /// A list without a value.
    pub fn new(key: HashKey) -> Allowed {
        Allowed { key: Some(key), values: HashSet::new() }
    }

    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Allows a value, or the value of a hash, as a finding of `entity`; absent for all.
    ///
    /// # Errors
    /// [`VocabularyError`]: it is no value, or one too many.
    pub fn add(&mut self, entity: Option<&str>, value: &str) -> Result<(), VocabularyError> {
        let wrong = |text: String| Err(VocabularyError(text));
        let Some(key) = self.key else { return wrong("there is no key".to_owned()) };
        if self.values.len() >= Allowed::VALUES {
            return wrong(format!("there are more than {} values", Allowed::VALUES));
        }
        let hash = match value.strip_prefix(HASH) {
            Some(hash) => match (hash.len(), u128::from_str_radix(hash, 16)) {
                (32, Ok(hash)) if !value.contains('+') => hash,
                _ => {
                    return wrong(
                        "a hash is not as `ringfence detect --hash` prints it".to_owned(),
                    );
                }
            },
            None if value.is_empty() || value.len() > Allowed::BYTES => {
                return wrong(format!("a value has 1 to {} bytes", Allowed::BYTES));
            }
            None => hash_of(key, value),
        };
        self.values.insert(with(key, entity.unwrap_or_default(), hash));
        Ok(())
    }

    /// The line that stands for `value` in a list that may not hold it.
    pub fn hash(key: HashKey, value: &str) -> String {
        format!("{HASH}{:032x}", hash_of(key, value))
    }

    /// Takes out what is allowed.
    pub(crate) fn take_out(&self, text: &str, spans: &mut Vec<Span<'_>>) {
        let Some(key) = self.key.filter(|_| !self.is_empty()) else { return };
        spans.retain(|span| {
            if span.end - span.start > Allowed::BYTES {
                return true;
            }
            let hash = hash_of(key, &text[span.start..span.end]);
            let is_allowed = |entity: &str| self.values.contains(&with(key, entity, hash));
            !is_allowed("") && !is_allowed(span.entity)
        });
    }
}

/// What a line begins with that holds a hash.
const HASH: &str = "hash:";

fn hash_of(key: HashKey, value: &str) -> u128 {
    let mut hasher = SipHasher24::new_with_key(&key.0);
    hasher.write(value.as_bytes());
    hasher.finish128().as_u128()
}

/// The hash of a value as a finding of `entity`.
fn with(key: HashKey, entity: &str, value: u128) -> u128 {
    let mut hasher = SipHasher24::new_with_key(&key.0);
    hasher.write(&value.to_be_bytes());
    hasher.write(entity.as_bytes());
    hasher.finish128().as_u128()
}

/// Says how many there are, and none of them.
impl fmt::Debug for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Allowed").field("values", &self.values.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: HashKey = HashKey([3; 16]);

    fn left(allowed: &Allowed, text: &str) -> Vec<&'static str> {
        let mut spans = vec![
            Span { start: 0, end: 3, entity: "EMAIL", score: 0.9 },
            Span { start: 0, end: 3, entity: "PHONE", score: 0.9 },
            Span { start: 0, end: 4, entity: "IBAN", score: 0.9 },
        ];
        allowed.take_out(text, &mut spans);
        spans.iter().map(|span| span.entity).collect()
    }

    #[test]
    fn values_are_allowed_byte_for_byte() {
        let mut allowed = Allowed::new(KEY);
        assert_eq!(left(&allowed, "a@bc"), ["EMAIL", "PHONE", "IBAN"]);
        allowed.add(Some("EMAIL"), "a@b").expect("a value");
        assert_eq!(left(&allowed, "a@bc"), ["PHONE", "IBAN"]);
        assert_eq!(left(&allowed, "A@bc"), ["EMAIL", "PHONE", "IBAN"]);
        allowed.add(None, "a@b").expect("a value");
        assert_eq!(left(&allowed, "a@bc"), ["IBAN"]);
    }

    #[test]
    fn values_are_bounded() {
        let mut allowed = Allowed::new(KEY);
        for index in 0..Allowed::VALUES {
            allowed.add(None, &index.to_string()).expect("a value");
        }
        let error = allowed.add(None, "one more").expect_err("too many").to_string();
        assert!(error.contains("more than 1000000 values"), "{error}");
    }

    #[test]
    fn hashes_stand_for_values() {
        let mut allowed = Allowed::new(KEY);
        allowed.add(None, &Allowed::hash(KEY, "a@b")).expect("a hash");
        assert_eq!(left(&allowed, "a@bc"), ["IBAN"]);
        for wrong in ["hash:12", "hash:+1234567890123456789012345678901", ""] {
            assert!(allowed.add(None, wrong).is_err(), "{wrong}");
        }
        assert!(allowed.add(None, &"x".repeat(Allowed::BYTES + 1)).is_err());
        assert_eq!(format!("{allowed:?}"), "Allowed { values: 1, .. }");
    }
}
