//! International bank account numbers (ISO 13616): country, length and mod 97.

use crate::candidate::{IBAN, Span};
use crate::context::{self, Words};
use crate::scan::Scan;

/// The longest IBAN.
const LONGEST: usize = 34;

/// Separators in a row, at most, where a word says that it is one.
const BETWEEN: usize = 3;

/// Words that say that a number is an account's.
pub(crate) const WORDS: Words = Words::new(&[
    "account",
    "bank",
    "bankverbindung",
    "compte",
    "conto",
    "cuenta",
    "iban",
    "konto",
    "kontonummer",
    "rachunek",
    "rekening",
    "rekeningnummer",
    "銀行",
    "银行",
]);

/// Countries and the length of their IBANs, as the registry lists them, and those in
/// wide use outside it.
const COUNTRIES: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AO", 25),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BF", 28),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BJ", 28),
    (b"BR", 29),
    (b"BY", 28),
    (b"CF", 27),
    (b"CG", 27),
    (b"CH", 21),
    (b"CI", 28),
    (b"CM", 27),
    (b"CR", 22),
    (b"CV", 25),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"DZ", 26),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GA", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GQ", 27),
    (b"GR", 27),
    (b"GT", 28),
    (b"GW", 25),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IR", 26),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KM", 27),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MA", 28),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MG", 27),
    (b"MK", 19),
    (b"ML", 28),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"MZ", 25),
    (b"NE", 28),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SN", 28),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TD", 27),
    (b"TG", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// Finds IBANs: two letters, two check digits, then the account, in one piece or in
/// groups; in any groups beside a word.
pub(crate) fn find(scan: &Scan<'_>, out: &mut Vec<Span>) {
    let mut done = 0;
    for run in &scan.marks.digits {
        if run.start < done + 2 {
            continue;
        }
        let found = usual(scan, run.start, run.len()).or_else(|| loose(scan, run.start, done));
        if let Some((start, end)) = found {
            out.push(Span::new(start, end, IBAN, 1.0));
            done = end;
        }
    }
}

/// The IBAN whose check digits are the first two of the run at `at`, as people write it.
fn usual(scan: &Scan<'_>, at: usize, digits: usize) -> Option<(usize, usize)> {
    let start = at - 2;
    let letters = scan.bytes[start..at].iter().all(u8::is_ascii_alphabetic);
    if digits < 2 || !letters || !scan.begins(start) {
        return None;
    }
    let mut separator = None;
    let may_part = |byte: u8, taken: usize, between: usize| {
        matches!(byte, b' ' | b'-' | b'.')
            && *separator.get_or_insert(byte) == byte
            && taken >= 4
            && between == 0
    };
    Some((start, end(scan, start, may_part)?))
}

/// The same in any groups, where a word says that it is one: `P T 4 0 7 9`.
fn loose(scan: &Scan<'_>, at: usize, done: usize) -> Option<(usize, usize)> {
    let letter = |until: usize| {
        let signs = scan.run_back(until, BETWEEN, is_separator);
        let letter = scan.before(signs).is_some_and(|byte| byte.is_ascii_alphabetic());
        (letter && signs > done).then(|| signs - 1)
    };
    let start = letter(letter(at)?)?;
    let named = scan.before(start) == Some(b'_');
    if !scan.begins(start) && !named {
        return None;
    }
    let end = end(scan, start, |byte, _, between| is_separator(byte) && between < BETWEEN)?;
    context::names(scan.text, start, end, &WORDS).then_some((start, end))
}

/// Where the IBAN that begins at `start` ends. `may_part` says whether a sign may stand
/// behind so many characters and so many other signs.
fn end(
    scan: &Scan<'_>,
    start: usize,
    mut may_part: impl FnMut(u8, usize, usize) -> bool,
) -> Option<usize> {
    let mut characters = [0; LONGEST];
    let (mut taken, mut between, mut length) = (0, 0, 2);
    let mut at = start;
    while taken < length {
        let byte = scan.at(at)?;
        if byte.is_ascii_alphanumeric() {
            characters[taken] = byte.to_ascii_uppercase();
            (taken, between) = (taken + 1, 0);
        } else if may_part(byte, taken, between) {
            between += 1;
        } else {
            return None;
        }
        if taken == 2 {
            let country = [characters[0], characters[1]];
            let index = COUNTRIES.binary_search_by_key(&&country, |(name, _)| name).ok()?;
            length = COUNTRIES[index].1;
        }
        at += 1;
    }
    let digits = characters[..length].iter().filter(|byte| byte.is_ascii_digit()).count();
    let checked = characters[2].is_ascii_digit() && characters[3].is_ascii_digit();
    (scan.ends(at) && checked && digits >= 8 && mod97(&characters[..length]) == 1).then_some(at)
}

fn is_separator(byte: u8) -> bool {
    b" -./_:,".contains(&byte)
}

/// The remainder of ISO 7064 MOD 97-10, with the first four characters moved to the end.
fn mod97(characters: &[u8]) -> u32 {
    let rotated = characters[4..].iter().chain(&characters[..4]);
    rotated.fold(0, |rest, &byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::tests::found;

    #[test]
    fn finds() {
        for text in [
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "de89 3704 0044 0532 0130 00",
            "DE89-3704-0044-0532-0130-00",
            "GB82WEST12345698765432",
            "GB82 WEST 1234 5698 7654 32",
            "NO9386011117947",
            "FR14 2004 1010 0505 0001 3M02 606",
            "MT84MALT011000012345MTLCAST001S",
            "CH93 0076 2011 6238 5295 7",
            "NL91ABNA0417164300",
            "XK051212012345678906",
        ] {
            for around in [("", ""), ("IBAN: ", " please"), ("(", ")"), ("帳號", "。")] {
                let whole = format!("{}{text}{}", around.0, around.1);
                assert_eq!(found(&whole, IBAN), [text], "{whole}");
            }
        }
    }

    #[test]
    fn odd_groups_are_found_beside_a_word() {
        for number in [
            "DE89  3704 0044 0532 0130 00",
            "DE89/3704/0044/0532/0130/00",
            "DE89_3704_0044_0532_0130_00",
            "D E 8 9 3 7 0 4 0 0 4 4 0 5 3 2 0 1 3 0 0 0",
            "DE89 - 3704 - 0044 - 0532 - 0130 - 00",
        ] {
            let whole = format!("Bankverbindung {number}, please");
            assert_eq!(found(&whole, IBAN), [number], "{whole}");
            assert_eq!(found(&format!("text {number}"), IBAN), [""; 0], "{number}");
        }
        assert_eq!(found("bank_account_DE89370400440532013000", IBAN), ["DE89370400440532013000"]);
    }

    #[test]
    fn leaves() {
        for text in [
            "DE89370400440532013001",
            "DE8937040044053201300",
            "DE893704004405320130000",
            "XDE89370400440532013000",
            "ZZ89370400440532013000",
            "DE89  3704 0044 0532 0130 00",
            "al2023-ami-ecs-hvm-2023.0.20241217",
        ] {
            assert_eq!(found(text, IBAN), [""; 0], "{text}");
        }
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(COUNTRIES.is_sorted_by_key(|(name, _)| *name));
        let longest = COUNTRIES.iter().map(|&(_, length)| length).max();
        assert!(longest.is_some_and(|longest| longest <= LONGEST));
    }
}
