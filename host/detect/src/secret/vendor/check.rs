//! What vendors publish of their keys beyond prefix, characters and length.

use super::Verdict;
use super::Verdict::{Fits, Sure, Wrong};

/// Nothing more.
pub(super) fn any(_: &[u8]) -> Verdict {
    Fits
}

/// Six digits of base62 at the end that are the CRC-32 of what stands before them, as
/// GitHub and npm write them. A wrong one lowers nothing: what was copied with an error
/// still shows most of a key.
pub(super) fn crc(tail: &[u8]) -> Verdict {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some((body, sum)) = tail.split_last_chunk::<6>() else { return Fits };
    let digit = |byte: &u8| DIGITS.iter().position(|digit| digit == byte);
    let written = sum.iter().try_fold(0_u64, |sum, byte| Some(sum * 62 + digit(byte)? as u64));
    match written == Some(u64::from(crc32(body))) {
        true => Sure,
        false => Fits,
    }
}

/// CRC-32 as in IEEE 802.3: keys are short, so no table is worth its place.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(sum & 1))
        })
    })
}

/// The numbers of a workspace or an account stand first: `123456789012-...`.
pub(super) fn slack(tail: &[u8]) -> Verdict {
    let first = tail.split(|&byte| byte == b'-').next().unwrap_or_default();
    let letters = tail.split(|&byte| byte == b'-').next_back().unwrap_or_default();
    when(is_number(first, 8) && tail.len() > first.len() && letters.len() >= 10)
}

/// A description in base64, `_`, and 43 characters.
pub(super) fn sentry(tail: &[u8]) -> Verdict {
    let secret = tail.rsplit(|&byte| byte == b'_').next().unwrap_or_default();
    // A `_` may be one of the 43.
    let last = tail.windows(2).rposition(|pair| pair == b"=_").map(|at| tail.len() - at - 2);
    when(last.unwrap_or(secret.len()) == 43 || (last.is_none() && secret.len() < 43))
}

/// 40 hexadecimal digits, after 16 more for an instance or `local`.
pub(super) fn sourcegraph(tail: &[u8]) -> Verdict {
    let (instance, secret) = match tail.iter().position(|&byte| byte == b'_') {
        Some(at) => (&tail[..at], &tail[at + 1..]),
        None => (&tail[..0], tail),
    };
    let hexadecimal = |part: &[u8]| part.iter().all(u8::is_ascii_hexdigit);
    let known = match instance.len() {
        0 => true,
        5 => instance == b"local",
        length => length == 16 && hexadecimal(instance),
    };
    when(known && secret.len() == 40 && hexadecimal(secret))
}

/// An organisation's 15 characters, `!`, and the session.
pub(super) fn salesforce(tail: &[u8]) -> Verdict {
    when(tail.get(12) == Some(&b'!') || tail.get(15) == Some(&b'!'))
}

/// A channel's number and 30 characters.
pub(super) fn twitch(tail: &[u8]) -> Verdict {
    let mut parts = tail.splitn(2, |&byte| byte == b'_');
    let number = parts.next().unwrap_or_default();
    when(is_number(number, 6) && parts.next().is_some_and(|key| key.len() == 30))
}

/// The digits of bech32: no other text of that length has only these.
pub(super) fn age(tail: &[u8]) -> Verdict {
    match tail.iter().all(|byte| !b"1BIO".contains(byte)) {
        true => Sure,
        false => Wrong,
    }
}

fn is_number(part: &[u8], fewest: usize) -> bool {
    part.len() >= fewest && part.iter().all(u8::is_ascii_digit)
}

fn when(fits: bool) -> Verdict {
    if fits { Fits } else { Wrong }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_makes_sure() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        // From GitHub's own page about the format.
        assert!(crc(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17") == Sure);
        assert!(crc(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq18") == Fits);
        assert!(crc(b"zQWB") == Fits);
    }

    #[test]
    fn forms_are_whole() {
        for (check, tail, fits) in [
            (slack as fn(&[u8]) -> Verdict, "153445930147-Tjy11gGxUW6", true),
            (slack, "my-bot-token", false),
            (slack, "1234567890", false),
            (sourcegraph, "local_d45b6086abb0f2cee943902dbadbcfcfdd1da089", true),
            (sourcegraph, "local_d45b6g86abb0f2cee943902dbadbcfcfdd1da089", false),
            (twitch, "126031192_tiX3sbwIzL9VmkecdxioBMA1LJ9S4m", true),
            (twitch, "0dc2b9a33d5e7c0f3d21d6ab0d3f6c0d1ab", false),
        ] {
            assert_eq!(check(tail.as_bytes()) == Fits, fits, "{tail}");
        }
    }
}
