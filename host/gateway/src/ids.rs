//! Ids of requests and decisions: 80 random bits in letters and digits.

/// Crockford's base 32, in lower case.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A new id of a request: `req_...`.
pub fn request() -> String {
    id("req_")
}

/// A new id of a decision: `dec_...`.
pub fn decision() -> String {
    id("dec_")
}

/// A random number, for policies that sample.
pub fn seed() -> u32 {
    let mut bytes = [0; 4];
    fill(&mut bytes);
    u32::from_le_bytes(bytes)
}

/// Fills `bytes` with random ones.
///
/// # Panics
/// When the operating system has no randomness: ids and keys would repeat.
pub fn fill(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        panic!("the operating system gives no random bytes: {error}");
    }
}

fn id(prefix: &str) -> String {
    let mut bytes = [0; 16];
    fill(&mut bytes);
    let mut id = String::with_capacity(prefix.len() + bytes.len());
    id.push_str(prefix);
    id.extend(bytes.iter().map(|byte| char::from(DIGITS[usize::from(byte & 31)])));
    id
}
