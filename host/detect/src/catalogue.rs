//! Everything that a finding can be called, with what is checked and an example.

use crate::candidate::{
    CRYPTO_ADDRESS, EMAIL, IBAN, IP_ADDRESS, MAC_ADDRESS, PAYMENT_CARD, PHONE, SECRET_API_KEY,
    SECRET_CONNECTION, SECRET_JWT, SECRET_PASSWORD, SECRET_PRIVATE_KEY, SECRET_TOKEN,
    SECRET_WEBHOOK, US_SSN,
};
use crate::{labelled, national};

/// What the detectors look for under one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entity {
    /// The name of its findings. What begins with `SECRET` opens something and is never
    /// given back to a client.
    pub name: &'static str,
    /// What makes it more than a pattern.
    pub checked: &'static str,
    /// A text in which it is found.
    pub example: &'static str,
}

impl Entity {
    const fn new(name: &'static str, checked: &'static str, example: &'static str) -> Entity {
        Entity { name, checked, example }
    }
}

/// Those with a family of their own.
const FAMILIES: [Entity; 15] = [
    Entity::new(
        CRYPTO_ADDRESS,
        "base58check, bech32 and bech32m, EIP-55",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    ),
    Entity::new(EMAIL, "RFC 5321 and 6531, no names of files", "jane.doe@example.org"),
    Entity::new(IBAN, "country, its length, mod 97", "DE89 3704 0044 0532 0130 00"),
    Entity::new(IP_ADDRESS, "both versions, no versions of software", "203.0.113.77"),
    Entity::new(MAC_ADDRESS, "six pairs or three fours, one separator", "00:1A:2B:3C:4D:5E"),
    Entity::new(PAYMENT_CARD, "issuer's range, length, Luhn", "4012 8888 8888 1881"),
    Entity::new(PHONE, "numbering plan, grouping or a word for it", "+49 30 901820"),
    Entity::new(
        SECRET_API_KEY,
        "vendors' formats: prefix, alphabet, length, entropy",
        "AKIAQ3EGRIQ7XKZP4WLM",
    ),
    Entity::new(
        SECRET_CONNECTION,
        "an address with a user and a password",
        "postgres://app:s3cr3tPa55@db.internal:5432",
    ),
    Entity::new(
        SECRET_JWT,
        "the header decodes to JSON",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.qB7dKf93nXw2LzVtPc6Rm1YsUe8HjGa0",
    ),
    Entity::new(
        SECRET_PASSWORD,
        "what is assigned to a name of a password, no placeholder",
        "password = \"hunter2!\"",
    ),
    Entity::new(
        SECRET_PRIVATE_KEY,
        "PEM, OpenSSH, PGP and PuTTY blocks with a body",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n-----END PRIVATE KEY-----",
    ),
    Entity::new(
        SECRET_TOKEN,
        "a random value beside a word for a secret",
        "api_key = a1b2c3d4e5f6g7h8i9j0k1",
    ),
    Entity::new(
        SECRET_WEBHOOK,
        "vendors' addresses for posting",
        "https://hooks.slack.com/services/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",
    ),
    Entity::new(US_SSN, "area, group and serial that are given out; no specimens", "536-90-4399"),
];

/// Every entity, once, in alphabetical order.
pub fn entities() -> Vec<Entity> {
    let labels = labelled::labels();
    let labels = labels.iter().map(|label| Entity::new(label.entity, label.checked, label.example));
    let ids = national::tables().map(|id| Entity::new(id.entity, id.checked, id.example));
    let mut all: Vec<Entity> = FAMILIES.into_iter().chain(labels).chain(ids).collect();
    all.sort_by_key(|entity| entity.name);
    all.dedup_by_key(|entity| entity.name);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::tests::{DETECTOR, found};

    #[test]
    fn every_example_is_found() {
        for Entity { name, example, .. } in entities() {
            assert!(!found(example, name).is_empty(), "{name}: {:?}", DETECTOR.text(example));
        }
    }

    #[test]
    fn every_name_is_one_that_policies_can_use() {
        for Entity { name, checked, .. } in entities() {
            let fits =
                |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            assert!(name.bytes().all(fits) && name.len() <= 32 && !checked.is_empty(), "{name}");
        }
    }

    #[test]
    fn every_name_that_a_source_gives_is_listed() {
        let source = include_str!("candidate.rs");
        let given = source.lines().filter_map(|line| line.strip_prefix("pub(crate) const "));
        let given: Vec<&str> = given.filter_map(|line| line.split(':').next()).collect();
        assert_eq!(given.len(), FAMILIES.len());
        for name in given {
            assert!(entities().iter().any(|entity| entity.name == name), "{name}");
        }
    }
}
