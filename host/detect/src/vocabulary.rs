//! What an operator adds to what the detectors know, and what he takes from it.
//!
//! Three things: patterns with a check and words beside them ([`Pattern`]), lists of
//! terms such as the names of customers ([`Terms`]), and values that are no findings
//! ([`Allowed`]). What they find goes the way of every other finding: through the
//! disguises, over parts of a message, and under one rule for what overlaps.

mod allowed;
mod pattern;
mod terms;
mod words;

use std::fmt;

pub use allowed::Allowed;
pub use pattern::{Check, Pattern, PatternRule};
pub use terms::{Terms, TermsBuilder};

use crate::candidate::Span;
use crate::scan::Scan;

/// The key under which values and terms are kept as hashes.
#[derive(Clone, Copy)]
pub struct HashKey(pub [u8; 16]);

/// An operator's own vocabulary. The default has nothing in it.
#[derive(Debug, Default)]
pub struct Vocabulary {
    /// Values with a form.
    pub patterns: Vec<Pattern>,
    /// Values that are listed.
    pub terms: Terms,
    /// Values that are no findings, whatever finds them.
    pub allowed: Allowed,
}

/// Why a pattern, a term or a value cannot be taken. Says nothing of the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VocabularyError(pub String);

impl Vocabulary {
    /// Patterns at most: each goes over every text.
    pub const PATTERNS: usize = 64;

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && self.terms.is_empty() && self.allowed.is_empty()
    }

    /// Whether any pattern asks what stands beside a value.
    pub(crate) fn asks_words(&self) -> bool {
        self.patterns.iter().any(Pattern::asks_words)
    }

    /// Finds what the operator added.
    pub(crate) fn find<'v>(&'v self, scan: &Scan<'_>, out: &mut Vec<Span<'v>>) {
        for pattern in &self.patterns {
            pattern.find(scan, out);
        }
        self.terms.find(scan.text, out);
    }
}

/// Shows nothing: whoever has it can try values.
impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey")
    }
}

impl fmt::Display for VocabularyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for VocabularyError {}

#[cfg(test)]
mod tests;
