//! What a family of detectors reports.

pub(crate) const CRYPTO_ADDRESS: &str = "CRYPTO_ADDRESS";
pub(crate) const EMAIL: &str = "EMAIL";
pub(crate) const IBAN: &str = "IBAN";
pub(crate) const IP_ADDRESS: &str = "IP_ADDRESS";
pub(crate) const MAC_ADDRESS: &str = "MAC_ADDRESS";
pub(crate) const PAYMENT_CARD: &str = "PAYMENT_CARD";
pub(crate) const PHONE: &str = "PHONE";
/// A key in a vendor's published format.
pub(crate) const SECRET_API_KEY: &str = "SECRET_API_KEY";
/// An address with a password in it.
pub(crate) const SECRET_CONNECTION: &str = "SECRET_CONNECTION";
pub(crate) const SECRET_JWT: &str = "SECRET_JWT";
/// What is assigned to something that is called a password.
pub(crate) const SECRET_PASSWORD: &str = "SECRET_PASSWORD";
pub(crate) const SECRET_PRIVATE_KEY: &str = "SECRET_PRIVATE_KEY";
/// A random-looking value next to a word for a secret.
pub(crate) const SECRET_TOKEN: &str = "SECRET_TOKEN";
/// An address that whoever knows it can post to.
pub(crate) const SECRET_WEBHOOK: &str = "SECRET_WEBHOOK";
pub(crate) const US_SSN: &str = "US_SSN";

/// Something found in a text. Offsets are bytes, on character boundaries. The name of an
/// operator's own entity lives as long as the detector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span<'d> {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What it is.
    pub entity: &'d str,
    /// 0 to 1: how sure the detector is.
    pub score: f32,
}

impl<'d> Span<'d> {
    pub(crate) fn new(start: usize, end: usize, entity: &'d str, score: f32) -> Span<'d> {
        Span { start, end, entity, score }
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.entity.starts_with("SECRET")
    }
}
