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
        Placeholders { mac }
    }

    /// The placeholder of `value`: `[EMAIL_7M2K9QX4TBV1C]`.
    pub fn placeholder(&self, entity: &str, value: &str) -> String {
        let mut mac = self.mac.clone();
        mac.update(&(entity.len() as u64).to_be_bytes());
        mac.update(entity.as_bytes());
        mac.update(value.as_bytes());
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        let mut text = format!("[{entity}_");
        let mut bits = u128::from_be_bytes(digest[..16].try_into().unwrap_or([0; 16]));
        for _ in 0..Self::DIGITS_SHOWN {
            text.push(char::from(DIGITS[(bits >> 123) as usize]));
            bits <<= 5;
        }
        text.push(']');
        text
    }
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
