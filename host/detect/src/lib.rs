//! Finds what should perhaps not leave: personal data and secrets, with their place.
//!
//! [`Detector::read`] goes over every segment of a request once, for all policies. A
//! finding's span is bytes of the segment's own text, on character boundaries, also
//! when the value stood there in disguise: behind zero-width characters, in full-width
//! digits, in base64. Segments that are disguised deeper than the bounds allow are
//! reported as unreadable, so that the floor treats them like an image.
//!
//! How it works: one pass over the bytes marks the places that could begin something
//! ([`scan`]); each family looks only at the marks that concern it and checks more than
//! a pattern (a checksum, a table, the words around it); what overlaps is settled by
//! one rule ([`overlap`]). Text without a mark costs that pass and nothing else. The
//! work is linear in the text: every look to the left or right is bounded.
//!
//! Scores mean the same in every family: 0.9 to 1 is a check digit, a table or a whole
//! structure together with a word for it or a form that nothing else has; 0.7 to 0.9 a
//! check that one number in a hundred passes by chance, or a word and a shape; 0.5 to 0.7
//! a check alone on a form that other numbers have too; below 0.5 what says nothing about
//! anybody. A bare number whose check one in ten passes is a finding only beside a word.
//!
//! Pure functions over text: no I/O, no clock, no state.

mod candidate;
mod card;
mod catalogue;
mod context;
mod crypto;
mod detector;
mod disguise;
mod email;
mod iban;
mod ip;
mod labelled;
mod layout;
mod mac;
mod national;
mod overlap;
mod parts;
mod phone;
mod reading;
mod scan;
mod secret;
mod ssn;
mod vocabulary;

pub use candidate::Span;
pub use catalogue::{Entity, entities};
pub use detector::Detector;
pub use overlap::merge;
pub use reading::Reading;
pub use vocabulary::{
    Allowed, Check, HashKey, Pattern, PatternRule, Terms, TermsBuilder, Vocabulary, VocabularyError,
};

#[cfg(test)]
mod tests;
