//! Check digits, as their issuers publish them.

/// The digits of a text, as numbers.
pub fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

/// The sum of each digit times its weight.
pub fn weighted(text: &str, weights: &[u32]) -> u32 {
    digits(text).iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// The digit that makes `body` pass Luhn's check.
pub fn luhn(body: &str) -> u32 {
    let sum: u32 = (digits(body).iter().rev().enumerate())
        .map(|(index, digit)| match (index % 2 == 0, digit * 2) {
            (true, double) if double > 9 => double - 9,
            (true, double) => double,
            (false, _) => *digit,
        })
        .sum();
    (10 - sum % 10) % 10
}

/// `body` and its Luhn digit.
pub fn with_luhn(body: String) -> String {
    let digit = luhn(&body);
    format!("{body}{digit}")
}

/// The remainder of a number, however long, of digits and letters (`A` is 10).
pub fn remainder(text: &str, modulus: u64) -> u64 {
    text.chars().filter_map(|c| c.to_digit(36)).fold(0, |sum, digit| {
        let factor = if digit > 9 { 100 } else { 10 };
        (sum * factor + u64::from(digit)) % modulus
    })
}

/// ISO 7064 MOD 11,10: the check digit of German tax ids and Croatian OIBs.
pub fn mod_11_10(body: &str) -> u32 {
    let product = digits(body).iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10
}

/// Verhoeff's check digit.
pub fn verhoeff(body: &str) -> u32 {
    const PERMUTATION: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    // The dihedral group of order ten.
    let product = |a: usize, b: usize| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let sum = digits(body).iter().rev().enumerate().fold(0, |sum, (index, digit)| {
        let digit = (0..(index + 1) % 8).fold(*digit as usize, |digit, _| PERMUTATION[digit]);
        product(sum, digit)
    });
    (0..10).find(|digit| product(sum, *digit) == 0).unwrap_or(0) as u32
}

/// CRC-32 as GitHub and npm append it to their tokens: six digits of base 62.
pub fn crc_base62(body: &str) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32(body.as_bytes());
    let mut text = [b'0'; 6];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[rest as usize % 62];
        rest /= 62;
    }
    text.iter().map(|byte| char::from(*byte)).collect()
}

/// CRC-32 (ISO-HDLC).
pub fn crc32(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 * (sum & 1)))
    });
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_pass() {
        assert_eq!(luhn("401288888888188"), 1);
        assert_eq!(remainder("370400440532013000DE89", 97), 1);
        assert_eq!(mod_11_10("8609574271"), 9);
        assert_eq!(mod_11_10("3339200596"), 1);
        assert_eq!(verhoeff("236"), 3);
        assert_eq!(verhoeff("23412341234"), 6);
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(weighted("85073003", &[1, 1, 1, 1, 1, 1, 1, 1]), 26);
    }
}
