//! Addresses of crypto currencies: base58check, bech32 (BIP 173 and 350), EIP-55.

use sha2::{Digest as _, Sha256};
use tiny_keccak::{Hasher as _, Keccak};

use crate::candidate::{CRYPTO_ADDRESS, Span};
use crate::scan::Scan;

/// The shortest and the longest address with base58check.
const BASE58: std::ops::RangeInclusive<usize> = 26..=35;

/// The shortest and the longest with bech32.
const BECH32: std::ops::RangeInclusive<usize> = 14..=108;

/// What addresses with bech32 begin with: Bitcoin's, its test net's, Litecoin's,
/// Cardano's, Cosmos's.
const PREFIXES: [&str; 6] = ["bc", "tb", "ltc", "addr", "stake", "cosmos"];

/// First bytes of what base58check encodes: Bitcoin, its test net, Litecoin, Dogecoin,
/// Dash, Tron.
const VERSIONS: [u8; 11] = [0x00, 0x05, 0x6f, 0xc4, 0x30, 0x32, 0x1e, 0x16, 0x4c, 0x10, 0x41];

/// Finds addresses in the runs that base64 could be.
pub(crate) fn find(scan: &Scan<'_>, out: &mut Vec<Span>) {
    for run in &scan.marks.runs {
        let mut start = run.start;
        for piece in scan.bytes[run.start..run.end].split(|byte| !byte.is_ascii_alphanumeric()) {
            let end = start + piece.len();
            // Names go on with `_`: `btc_1BoatSLRH...`.
            if let Some(score) = score(piece) {
                out.push(Span::new(start, end, CRYPTO_ADDRESS, score));
            }
            start = end + 1;
        }
    }
}

fn score(piece: &[u8]) -> Option<f32> {
    match piece {
        [b'0', b'x', digits @ ..] if digits.len() == 40 => ethereum(digits),
        _ if BECH32.contains(&piece.len()) && is_bech32(piece) => Some(1.0),
        _ if BASE58.contains(&piece.len()) && is_base58check(piece) => Some(1.0),
        _ => None,
    }
}

/// Forty digits: with both cases the case is a checksum, with one there is none.
fn ethereum(digits: &[u8]) -> Option<f32> {
    if !digits.iter().all(u8::is_ascii_hexdigit) || digits.iter().all(|digit| *digit == digits[0]) {
        return None;
    }
    let capitals = digits.iter().any(u8::is_ascii_uppercase);
    if !capitals || !digits.iter().any(u8::is_ascii_lowercase) {
        return Some(0.7);
    }
    let mut hash = [0_u8; 32];
    let mut keccak = Keccak::v256();
    keccak.update(&digits.to_ascii_lowercase());
    keccak.finalize(&mut hash);
    let right = digits.iter().enumerate().all(|(at, digit)| {
        let nibble = hash[at / 2] >> (4 * (1 - at % 2)) & 15;
        !digit.is_ascii_alphabetic() || digit.is_ascii_uppercase() == (nibble >= 8)
    });
    right.then_some(1.0)
}

/// Whether 25 bytes come out of base 58, the last four of which are a checksum.
fn is_base58check(text: &[u8]) -> bool {
    const DIGITS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = [0_u8; 25];
    for &byte in text {
        let Some(digit) = DIGITS.iter().position(|&digit| digit == byte) else { return false };
        let mut carry = digit as u32;
        for slot in bytes.iter_mut().rev() {
            carry += u32::from(*slot) * 58;
            *slot = carry as u8;
            carry >>= 8;
        }
        if carry != 0 {
            return false;
        }
    }
    // Every zero byte in front is a 1 in front.
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    let ones = text.iter().take_while(|&&byte| byte == b'1').count();
    let checksum = || Sha256::digest(Sha256::digest(&bytes[..21]));
    zeros == ones && VERSIONS.contains(&bytes[0]) && checksum()[..4] == bytes[21..]
}

fn is_bech32(text: &[u8]) -> bool {
    const DIGITS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    // The constants of bech32 and of bech32m.
    const RESULTS: [u32; 2] = [1, 0x2bc8_30a3];
    let Some(prefix) = PREFIXES.iter().find(|prefix| {
        text.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
            && text.get(prefix.len()) == Some(&b'1')
    }) else {
        return false;
    };
    let small = text.iter().any(u8::is_ascii_lowercase);
    if small && text.iter().any(u8::is_ascii_uppercase) {
        return false;
    }
    let step = |rest: u32, value: u32| {
        let top = rest >> 25;
        let shifted = (rest & 0x1ff_ffff) << 5 ^ value;
        (0..5).filter(|bit| top >> bit & 1 == 1).fold(shifted, |rest, bit| rest ^ GENERATOR[bit])
    };
    let high = prefix.bytes().map(|byte| u32::from(byte >> 5));
    let low = prefix.bytes().map(|byte| u32::from(byte & 31));
    let mut rest = high.chain([0]).chain(low).fold(1, step);
    for byte in &text[prefix.len() + 1..] {
        let lower = byte.to_ascii_lowercase();
        let Some(value) = DIGITS.iter().position(|&digit| digit == lower) else { return false };
        rest = step(rest, value as u32);
    }
    text.len() > prefix.len() + 7 && RESULTS.contains(&rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::tests::found;

    const ADDRESSES: [&str; 9] = [
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
        "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
    ];

    #[test]
    fn finds() {
        for text in ADDRESSES {
            for around in [("", ""), ("send to ", "."), ("bitcoin:", "?amount=1"), ("/a/", "/b")] {
                let whole = format!("{}{text}{}", around.0, around.1);
                assert_eq!(found(&whole, CRYPTO_ADDRESS), [text], "{whole}");
            }
        }
    }

    #[test]
    fn a_changed_character_shows() {
        for text in ADDRESSES.into_iter().take(8) {
            let last = if text.ends_with('4') { "5" } else { "4" };
            let wrong = format!("{}{last}", &text[..text.len() - 1]);
            let same = text.starts_with("0x") && wrong.eq_ignore_ascii_case(text);
            assert!(found(&wrong, CRYPTO_ADDRESS).is_empty() || same, "{wrong}");
        }
    }

    #[test]
    fn leaves() {
        for text in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed",
            "0x0000000000000000000000000000000000000000",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "1111111111111111111111111111111111",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7Kv8f3t4",
        ] {
            assert_eq!(found(text, CRYPTO_ADDRESS), [""; 0], "{text}");
        }
    }
}
