//! Addresses of coins.

use sha2::{Digest, Sha256};

use super::Shape::Word;
use super::{Kind, Made, kind};
use crate::planting::Random;

pub(super) const KINDS: &[Kind] = &[
    kind("CRYPTO_ADDRESS", &["wallet", "bitcoin address", "BTC"], Word, base58),
    kind("CRYPTO_ADDRESS", &["wallet", "bitcoin address", "BTC"], Word, bech32),
    kind("CRYPTO_ADDRESS", &["ethereum wallet", "ETH address", "wallet"], Word, |random| {
        format!("0x{}", random.hex(40)).into()
    }),
];

/// Version, twenty bytes and four of a double digest, in base 58.
fn base58(random: &mut Random) -> Made {
    const ALPHABET: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = vec![*random.pick(&[0u8, 5])];
    bytes.extend(random.bytes(20));
    let digest = Sha256::digest(Sha256::digest(&bytes));
    bytes.extend(&digest[..4]);
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let mut text = Vec::new();
    while bytes.iter().any(|byte| *byte != 0) {
        let mut rest = 0u32;
        for byte in &mut bytes {
            rest = rest << 8 | u32::from(*byte);
            *byte = (rest / 58) as u8;
            rest %= 58;
        }
        text.push(ALPHABET[rest as usize]);
    }
    text.extend(std::iter::repeat_n(b'1', zeros));
    text.iter().rev().map(|byte| char::from(*byte)).collect::<String>().into()
}

/// A witness program of version 0 (bech32) or 1 (bech32m).
fn bech32(random: &mut Random) -> Made {
    const ALPHABET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let (version, length, constant) =
        *random.pick(&[(0u8, 20, 1), (0, 32, 1), (1, 32, 0x2bc8_30a3)]);
    let mut data = vec![version];
    let (mut word, mut bits) = (0u32, 0);
    for byte in random.bytes(length) {
        word = word << 8 | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            data.push((word >> bits) as u8 & 31);
        }
        word &= (1 << bits) - 1;
    }
    if bits > 0 {
        data.push((word << (5 - bits)) as u8 & 31);
    }
    // `bc` spread out: the high bits, a zero, the low bits.
    let spread = [3, 3, 0, 2, 3].iter().chain(&data).chain(&[0; 6]);
    let sum = spread.fold(1u32, |sum, value| {
        let top = sum >> 25;
        let sum = (sum & 0x1ff_ffff) << 5 ^ u32::from(*value);
        [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
            .iter()
            .enumerate()
            .fold(sum, |sum, (bit, word)| if top >> bit & 1 == 1 { sum ^ word } else { sum })
    }) ^ constant;
    data.extend((0..6).map(|at| (sum >> (5 * (5 - at))) as u8 & 31));
    let text: String = data.iter().map(|five| char::from(ALPHABET[*five as usize])).collect();
    format!("bc1{text}").into()
}
