//! Placeholders: keyed functions of tenant, entity and value.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Makes the placeholders of one tenant.
///
/// The same value has the same placeholder in every turn and on every node that
/// holds the key, so prompt caches keep working and no map is stored.
#[derive(Clone)]
pub struct Placeholders {
    mac: Hmac<Sha256>,
    shapes: Vec<Shape>,
}

/// A form that a placeholder can have instead of brackets, for tools that check forms.
///
/// None of them is anybody's: the domain, the country and the issuer are reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Of `EMAIL`: `m7m2k9qx4tbv1c@placeholder.invalid` (RFC 2606), 65 bits.
    Email,
    /// Of `PAYMENT_CARD`: 19 digits that begin with 9 (ISO/IEC 7812: for national use) and
    /// end with Luhn's check digit, 56 bits.
    Card,
    /// Of `PHONE`: `+999` (ITU: not assigned) and 12 digits, 39 bits: E.164 has no room for
    /// more.
    Phone,
}

impl Shape {
    /// Every shape, with the entity that may have it.
    pub const ALL: [(&'static str, Shape); 3] =
        [("EMAIL", Shape::Email), ("PAYMENT_CARD", Shape::Card), ("PHONE", Shape::Phone)];

    fn of(entity: &str) -> Option<Shape> {
        Shape::ALL.iter().find(|(name, _)| *name == entity).map(|(_, shape)| *shape)
    }

    fn write(self, digest: u128) -> String {
        let decimals = |count: u32| digest % 10_u128.pow(count);
        match self {
            Shape::Email => format!("m{}@placeholder.invalid", base32(digest).to_lowercase()),
            Shape::Card => {
                let body = format!("9{:017}", decimals(17));
                format!("{body}{}", check_digit(&body))
            }
            Shape::Phone => format!("+999{:012}", decimals(12)),
        }
    }
}

/// Crockford's base 32: no I, L, O, U, so that a model copies it without slips.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl Placeholders {
    /// Digits shown, five bits each: 65 bits of the keyed digest.
    pub const DIGITS_SHOWN: usize = 13;

    /// The placeholders of `tenant` under the operator's key.
    pub fn new(key: &[u8; 32], tenant: &str) -> Placeholders {
        let mut mac = keyed(key);
        // The lengths keep ("ab", "c") and ("a", "bc") apart.
        mac.update(&(tenant.len() as u64).to_be_bytes());
        mac.update(tenant.as_bytes());
        Placeholders { mac, shapes: Vec::new() }
    }

    /// The same, with these shapes for their entities.
    pub fn shaped(mut self, shapes: &[Shape]) -> Placeholders {
        self.shapes = shapes.to_vec();
        self
    }

    /// The placeholder of `value` in the shape of its entity, if that is asked for. Shapes
    /// have room for fewer bits: who uses one makes sure that no other value has it.
    pub fn in_shape(&self, entity: &str, value: &str) -> Option<String> {
        let shape = Shape::of(entity).filter(|shape| self.shapes.contains(shape))?;
        Some(shape.write(self.digest(entity, value)))
    }

    /// The placeholder of `value`: `[EMAIL_7M2K9QX4TBV1C]`.
    pub fn placeholder(&self, entity: &str, value: &str) -> String {
        format!("[{entity}_{}]", base32(self.digest(entity, value)))
    }

    fn digest(&self, entity: &str, value: &str) -> u128 {
        let mut mac = self.mac.clone();
        mac.update(&(entity.len() as u64).to_be_bytes());
        mac.update(entity.as_bytes());
        mac.update(value.as_bytes());
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        u128::from_be_bytes(digest[..16].try_into().unwrap_or([0; 16]))
    }
}

/// The first bits of a digest, as many as are shown.
fn base32(mut bits: u128) -> String {
    let mut text = String::with_capacity(Placeholders::DIGITS_SHOWN);
    for _ in 0..Placeholders::DIGITS_SHOWN {
        text.push(char::from(DIGITS[(bits >> 123) as usize]));
        bits <<= 5;
    }
    text
}

/// Luhn's check digit of decimal digits.
fn check_digit(digits: &str) -> u32 {
    let values = digits.bytes().rev().map(|digit| u32::from(digit - b'0'));
    let sum: u32 = (values.enumerate())
        .map(|(index, digit)| match (index % 2, digit * 2) {
            (0, double) if double > 9 => double - 9,
            (0, double) => double,
            _ => digit,
        })
        .sum();
    (10 - sum % 10) % 10
}

/// Shows nothing: the state is the key.
impl std::fmt::Debug for Placeholders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Placeholders")
    }
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    match Hmac::new_from_slice(key) {
        Ok(mac) => mac,
        // HMAC takes keys of every length (RFC 2104, section 2).
        Err(_) => unreachable!("HMAC refused a key of 32 bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shaped(shapes: &[Shape]) -> Placeholders {
        Placeholders::new(&[5; 32], "clinic").shaped(shapes)
    }

    #[test]
    fn shapes_are_valid_and_nobodys() {
        let all = shaped(&Shape::ALL.map(|(_, shape)| shape));
        let email = all.in_shape("EMAIL", "a@b.org").expect("a shape");
        assert!(email.starts_with('m') && email.ends_with("@placeholder.invalid"), "{email}");
        assert_eq!(email.len(), 1 + Placeholders::DIGITS_SHOWN + "@placeholder.invalid".len());
        let card = all.in_shape("PAYMENT_CARD", "5425 2334 3010 9903").expect("a shape");
        assert!(card.len() == 19 && card.starts_with('9'), "{card}");
        assert_eq!(check_digit(&card[..18]).to_string(), card[18..]);
        assert_eq!(check_digit("7992739871"), 3);
        let phone = all.in_shape("PHONE", "+49 30 901820").expect("a shape");
        assert!(phone.len() == 16 && phone.starts_with("+999"), "{phone}");
        assert_eq!(all.in_shape("IBAN", "x"), None);
    }

    #[test]
    fn shapes_are_keyed_and_only_on_request() {
        assert_eq!(shaped(&[]).in_shape("EMAIL", "a@b.org"), None);
        let (one, other) = (shaped(&[Shape::Email]), Placeholders::new(&[6; 32], "clinic"));
        let other = other.shaped(&[Shape::Email]);
        let of = |placeholders: &Placeholders| placeholders.in_shape("EMAIL", "a@b.org");
        assert_eq!(of(&one), of(&one));
        assert_ne!(of(&one), of(&other));
        assert_ne!(of(&one), one.in_shape("EMAIL", "b@b.org"));
        assert_eq!(one.in_shape("PHONE", "+49 30 901820"), None);
    }
}
