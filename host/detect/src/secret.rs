//! Secrets: keys in vendors' published formats, private keys, tokens, addresses with
//! passwords, and what is assigned to something that is called a secret.
//!
//! Every rule begins with a literal; one automaton finds them all in one pass. The words
//! that announce something personal ([`crate::labelled`]) are in it too.

mod assignment;
mod command;
mod connection;
mod hash;
mod manifest;
mod placeholder;
mod private_key;
mod token;
mod vendor;

#[cfg(test)]
mod tests;

use crate::candidate::Span;
use crate::labelled::{self, Label};
use crate::scan::{Hit, Scan};
use assignment::Word;
use vendor::{Infix, Vendor};

/// What a literal begins.
#[derive(Clone, Copy)]
enum Rule {
    /// A key in a vendor's format.
    Vendor(&'static Vendor),
    /// A key with a literal in its middle.
    Infix(&'static Infix),
    /// A private key in a block of lines.
    PrivateKey,
    /// A line that ends such a block.
    PrivateKeyEnd,
    /// A JSON web token.
    Jwt,
    /// An address with a user and a password.
    Connection,
    /// An address that whoever knows it can post to.
    Webhook(&'static token::Webhook),
    /// A word for a secret, which something is assigned to.
    Word(Word),
    /// The name of an authentication scheme.
    Scheme(token::Scheme),
    /// The beginning of a stored password's hash.
    Hash(&'static hash::Form),
    /// A function or a program that takes a password.
    Taker(&'static command::Taker),
    /// The kind of a manifest.
    Manifest,
    /// A word that announces something personal.
    Label(&'static Label),
}

/// The table of literals with their rules.
pub(crate) struct Secrets {
    rules: Vec<(&'static str, Rule)>,
}

/// The literals that announce a value.
pub(crate) fn announcing() -> impl Iterator<Item = &'static str> {
    let words = assignment::WORDS.into_iter().map(|(text, _)| text);
    words.chain(labelled::literals().into_iter().map(|(text, _)| text))
}

impl Secrets {
    pub(crate) fn new() -> Secrets {
        let mut rules = Vec::new();
        rules.extend(vendor::VENDORS.iter().map(|vendor| (vendor.prefix, Rule::Vendor(vendor))));
        rules.extend(vendor::INFIXES.iter().map(|infix| (infix.literal, Rule::Infix(infix))));
        rules.extend(private_key::BEGINNINGS.map(|text| (text, Rule::PrivateKey)));
        rules.extend(private_key::ENDS.map(|text| (text, Rule::PrivateKeyEnd)));
        rules.push(("eyJ", Rule::Jwt));
        rules.push(("://", Rule::Connection));
        rules.extend(token::WEBHOOKS.iter().map(|hook| (hook.literal, Rule::Webhook(hook))));
        rules.extend(assignment::WORDS.map(|(text, word)| (text, Rule::Word(word))));
        rules.extend(hash::FORMS.iter().map(|form| (form.literal, Rule::Hash(form))));
        rules.extend(command::TAKERS.iter().map(|taker| (taker.literal, Rule::Taker(taker))));
        rules.extend(manifest::KINDS.map(|text| (text, Rule::Manifest)));
        rules.extend(token::SCHEMES.map(|(text, scheme)| (text, Rule::Scheme(scheme))));
        rules.extend(
            labelled::literals().into_iter().map(|(text, label)| (text, Rule::Label(label))),
        );
        Secrets { rules }
    }

    /// The literals, in the order of the rules.
    pub(crate) fn literals(&self) -> Vec<&'static str> {
        self.rules.iter().map(|&(literal, _)| literal).collect()
    }

    /// Finds secrets at every literal that the scan has marked.
    pub(crate) fn find(&self, scan: &Scan<'_>, out: &mut Vec<Span>) {
        let mut blocks = private_key::Blocks::default();
        let mut assigned = 0;
        let mut keyed = 0;
        let mut runs = vendor::Runs::default();
        let mut values = assignment::Values::default();
        let (mut hashed, mut taken, mut declared) = (0, 0, 0);
        for hit in &scan.marks.hits {
            match self.rules[hit.literal].1 {
                // Nothing inside a key begins another one.
                Rule::Vendor(_) if hit.start < keyed => {}
                Rule::Vendor(vendor) => {
                    if let Some(span) = vendor.find(scan, hit, &mut runs) {
                        keyed = span.end;
                        out.push(span);
                    }
                }
                Rule::Infix(infix) => out.extend(infix.find(scan, hit)),
                Rule::PrivateKey => blocks.begin(hit),
                Rule::PrivateKeyEnd => out.extend(blocks.end(scan, hit)),
                Rule::Jwt => out.extend(token::jwt(scan, hit)),
                Rule::Connection => out.extend(connection::find(scan, hit)),
                Rule::Webhook(webhook) => out.extend(token::webhook(scan, hit, webhook)),
                Rule::Scheme(scheme) => out.extend(token::scheme(scan, hit, scheme)),
                Rule::Word(word) if hit.start >= assigned => {
                    if let Some(span) = assignment::find(scan, hit, word, &mut values) {
                        // Words inside a value do not begin another one.
                        assigned = span.end;
                        out.push(span);
                    }
                }
                Rule::Word(_) => {}
                Rule::Hash(form) => out.extend(hash::find(scan, hit, form, &mut hashed)),
                Rule::Taker(taker) => out.extend(command::find(scan, hit, taker, &mut taken)),
                Rule::Manifest => manifest::find(scan, hit, &mut declared, out),
                Rule::Label(label) => labelled::find(scan, hit, label, out),
            }
        }
        out.extend(blocks.unfinished(scan));
    }
}

/// Whether the literal of a hit stands there in the case that it is written in.
fn is_exact(scan: &Scan<'_>, hit: &Hit, literal: &str) -> bool {
    scan.bytes[hit.start..hit.end] == *literal.as_bytes()
}

/// Shannon's entropy of the bytes, in bits per byte.
fn entropy(text: &[u8]) -> f32 {
    let mut counts = [0_u16; 256];
    for &byte in text {
        counts[byte as usize] = counts[byte as usize].saturating_add(1);
    }
    let total = text.len().min(usize::from(u16::MAX)) as f32;
    let shares = counts.iter().filter(|&&count| count > 0).map(|&count| f32::from(count) / total);
    shares.map(|share| -share * share.log2()).sum()
}
