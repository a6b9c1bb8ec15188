//! Payment cards: issuer's number range, length and check digit (ISO/IEC 7812).

use crate::candidate::{PAYMENT_CARD, Span};
use crate::context::{self, Words};
use crate::scan::Scan;

/// The shortest and the longest card number.
const DIGITS: std::ops::RangeInclusive<usize> = 12..=19;

pub(crate) const WORDS: Words = Words::new(&[
    "american",
    "amex",
    "card",
    "cards",
    "carta",
    "carte",
    "cartão",
    "cc",
    "ccn",
    "credit",
    "cvc",
    "cvv",
    "debit",
    "diners",
    "discover",
    "exp",
    "expiry",
    "jcb",
    "karte",
    "kreditkarte",
    "maestro",
    "mastercard",
    "pan",
    "payment",
    "tarjeta",
    "unionpay",
    "visa",
    "карта",
    "карты",
    "カード",
    "信用卡",
    "银行卡",
]);

/// Finds card numbers: digits without a gap, or groups with one kind of separator.
pub(crate) fn find(scan: &Scan<'_>, out: &mut Vec<Span>) {
    let runs = &scan.marks.digits;
    let mut done = 0;
    let (mut digits, mut groups) = (Vec::new(), Vec::new());
    for (index, first) in runs.iter().enumerate() {
        // The middle of a list of short numbers begins no card.
        let inner = first.len() < 4
            && [b' ', b'-', b'.'].iter().any(|&sign| scan.follows(first.start, sign));
        if first.start < done || inner || !begins(scan, first.start) {
            continue;
        }
        if let Some((end, score)) = card(scan, index, &mut digits, &mut groups) {
            out.push(Span::new(first.start, end, PAYMENT_CARD, score));
            done = end;
        }
    }
}

/// The end and the score of the longest card number that begins with a run of digits.
fn card(
    scan: &Scan<'_>,
    index: usize,
    digits: &mut Vec<u8>,
    groups: &mut Vec<(usize, usize)>,
) -> Option<(usize, f32)> {
    let runs = &scan.marks.digits;
    let start = runs[index].start;
    digits.clear();
    groups.clear();
    let mut separator = None;
    let mut best = None;
    for run in &runs[index..] {
        if let Some(last) = groups.last().map(|&(_, end)| end) {
            let gap: usize = run.start - last;
            let byte = scan.bytes[last];
            let same = *separator.get_or_insert(byte) == byte;
            if gap != 1 || !same || !matches!(byte, b' ' | b'-' | b'.') {
                break;
            }
        }
        if digits.len() + run.len() > *DIGITS.end() {
            break;
        }
        digits.extend(scan.bytes[run.start..run.end].iter().map(|byte| byte - b'0'));
        groups.push((run.start, run.end));
        if DIGITS.contains(&digits.len())
            && ends(scan, run.end)
            && issued(digits)
            && luhn(digits)
            && let Some(score) = score(scan, start, run.end, groups, separator)
        {
            best = Some((run.end, score));
        }
    }
    best
}

/// How sure it is that these groups are a card; nothing when they are not grouped
/// like one.
fn score(
    scan: &Scan<'_>,
    start: usize,
    end: usize,
    groups: &[(usize, usize)],
    separator: Option<u8>,
) -> Option<f32> {
    let lengths: Vec<usize> = groups.iter().map(|&(start, end)| end - start).collect();
    let usual = match lengths.as_slice() {
        [_] | [4, 6, 5] | [4, 6, 4] | [8, 8] | [6, 10] | [6, 13] => true,
        [4, 4, 4, last] => *last <= 4,
        [4, 4, 4, 4, last] => *last <= 4,
        _ => false,
    };
    // `4.012888888881881` is a number with decimals.
    if !usual && lengths.len() == 2 && separator == Some(b'.') {
        return None;
    }
    let separator = separator.unwrap_or(b'-');
    let alone = !scan.follows(start, separator) && !scan.continues(end, separator);
    // A table of numbers: what precedes is a group of four as well, and stands alone.
    let in_table = scan.follows(start, b' ') && {
        let from = scan.run_back(start - 1, 5, |byte| byte.is_ascii_digit());
        start - 1 - from == 4 && scan.before(from) != Some(b'-')
    };
    let grouped = lengths.len() > 1;
    let named = || context::names(scan.text, start, end, &WORDS);
    match (usual, alone) {
        (true, true) => {}
        // Digits one by one, or in groups that nobody would use: a disguise.
        (false, true) => {}
        (true, false) if separator == b' ' && !in_table => {}
        (true, false) if named() => {}
        _ => return None,
    }
    let digits: usize = lengths.iter().sum();
    // Numbers of 15 digits that begin with a one are UATP's, and of many other things.
    let common = digits == 16 || (digits == 15 && scan.bytes[start] != b'1');
    match (common || (digits == 14 && grouped), usual) {
        (true, true) => Some(if grouped || named() { 1.0 } else { 0.9 }),
        // Unusual lengths are also those of time stamps, tickets and serial numbers.
        _ if named() => Some(0.9),
        (_, true) if digits >= 13 && digits != 15 => Some(0.6),
        (true, false) => Some(0.6),
        _ => None,
    }
}

/// What may stand before the first digit: no letter, and no part of a longer number.
fn begins(scan: &Scan<'_>, start: usize) -> bool {
    scan.begins(start) && !scan.follows(start, b'.') && !scan.follows(start, b',')
}

fn ends(scan: &Scan<'_>, end: usize) -> bool {
    scan.ends(end) && !scan.continues(end, b'.') && !scan.continues(end, b',')
}

/// Whether an issuer numbers cards of this length so.
fn issued(digits: &[u8]) -> bool {
    let prefix = |length: usize| {
        digits[..length].iter().fold(0u32, |value, &digit| value * 10 + u32::from(digit))
    };
    let length = digits.len();
    let (one, two, three, four, six) = (prefix(1), prefix(2), prefix(3), prefix(4), prefix(6));
    match length {
        // Visa.
        13 | 16 | 19 if one == 4 => true,
        // Mastercard.
        16 if (51..=55).contains(&two) || (2221..=2720).contains(&four) => true,
        // American Express.
        15 if matches!(two, 34 | 37) => true,
        // Diners Club.
        14..=19 if matches!(three, 300..=305) || four == 3095 || matches!(two, 36 | 38 | 39) => {
            true
        }
        // Discover.
        16..=19 if four == 6011 || (644..=649).contains(&three) || two == 65 => true,
        // JCB, and UATP.
        16..=19 if (3528..=3589).contains(&four) => true,
        15 if one == 1 || four == 2131 => true,
        // UnionPay.
        16..=19 if two == 62 || two == 81 => true,
        // Mir, RuPay, Troy, Verve, Dankort, InterPayment, UzCard, Humo.
        16..=19 if matches!(four, 2200..=2204) || three == 636 => true,
        16 if two == 60 || two == 82 || matches!(three, 508 | 353 | 356) => true,
        16 if matches!(four, 9792 | 5019 | 8600 | 9860) => true,
        16 | 18 | 19 if matches!(six, 506_099..=506_198 | 507_865..=507_964) => true,
        // Maestro.
        12..=19 => {
            matches!(four, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763 | 604)
                || (length >= 16 && matches!(two, 50 | 56..=58 | 67))
        }
        _ => false,
    }
}

/// Luhn's check digit (ISO/IEC 7812-1, annex B).
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = (digits.iter().rev().enumerate())
        .map(|(index, &digit)| match (index % 2, u32::from(digit)) {
            (0, digit) => digit,
            (_, digit) if digit < 5 => digit * 2,
            (_, digit) => digit * 2 - 9,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::tests::found;

    #[test]
    fn finds() {
        for text in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "4111.1111.1111.1111",
            "378282246310005",
            "3782 822463 10005",
            "30569309025904",
            "3056 930902 5904",
            "6011111111111117",
            "3530111333300000",
            "5555555555554444",
            "2223003122003222",
            "6200000000000005",
            "2200 0000 0000 0004",
            "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
            "4111 111111 111111",
        ] {
            for around in [("", ""), ("card: ", "."), ("(", ")"), ("Karte ", ","), ("卡号", "。")]
            {
                let whole = format!("{}{text}{}", around.0, around.1);
                assert_eq!(found(&whole, PAYMENT_CARD), [text], "{whole}");
            }
        }
        assert_eq!(found("4111111111111111 5555555555554444", PAYMENT_CARD).len(), 2);
        assert_eq!(found("pan 4111 1111 1111 1111 123", PAYMENT_CARD), ["4111 1111 1111 1111"]);
        assert_eq!(found("maestro 6759649826438453", PAYMENT_CARD).len(), 1);
    }

    #[test]
    fn leaves() {
        for text in [
            "4111111111111112",
            "1234567890123456",
            "x4111111111111111",
            "4111111111111111a",
            "0.4111111111111111",
            "41111111111111110000000",
            "order 1000-2000-3000-4000",
            "1731846400000",
            "550e8400-e29b-41d4-a716-446655440000",
            "12345678-1234-1234-1234-123456789012",
            "d41d8cd98f00b204e9800998ecf8427e",
            "4111-1111 1111-1111",
            "0000000000000000",
        ] {
            assert_eq!(found(text, PAYMENT_CARD), [""; 0], "{text}");
        }
    }

    #[test]
    fn every_wrong_digit_shows() {
        let card = b"4012888888881881".map(|byte| byte - b'0');
        assert!(luhn(&card));
        for index in 0..card.len() {
            for other in (0..10).filter(|&other| other != card[index]) {
                let mut changed = card;
                changed[index] = other;
                assert!(!luhn(&changed));
            }
        }
    }
}
