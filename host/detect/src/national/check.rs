//! What issuers check: sums of weighted digits, ISO 7064, Verhoeff, dates.
//!
//! Every function takes the letters, as capitals, and the digits of a number, without
//! separators.

/// The value of a digit; of a letter, 10 to 35, as ISO 7064 and the IBAN count.
pub(super) fn value(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'Z' => u32::from(byte - b'A') + 10,
        _ => 0,
    }
}

/// The digits as a number; at most 18 of them.
pub(super) fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number, &digit| number * 10 + u64::from(value(digit)))
}

/// The sum of the values, each times its weight.
pub(super) fn sum(characters: &[u8], weights: &[u32]) -> u32 {
    characters.iter().zip(weights).map(|(&byte, weight)| value(byte) * weight).sum()
}

/// Luhn's check digit (ISO/IEC 7812-1, annex B).
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u32| if digit < 5 { digit * 2 } else { digit * 2 - 9 };
    let sum: u32 = (digits.iter().rev().enumerate())
        .map(|(index, &digit)| match index % 2 {
            0 => value(digit),
            _ => doubled(value(digit)),
        })
        .sum();
    sum.is_multiple_of(10)
}

/// ISO 7064 MOD 11,10.
pub(crate) fn mod11_10(digits: &[u8]) -> bool {
    let (last, body) = match digits.split_last() {
        Some((last, body)) => (value(*last), body),
        None => return false,
    };
    let rest = body.iter().fold(10, |product, &digit| {
        let sum = (value(digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - rest) % 10 == last
}

/// ISO 7064 MOD 97-10: the remainder of the number, where a letter counts two digits.
pub(crate) fn mod97(characters: &[u8]) -> u32 {
    characters.iter().fold(0, |rest, &byte| match byte {
        b'0'..=b'9' => (rest * 10 + value(byte)) % 97,
        _ => (rest * 100 + value(byte)) % 97,
    })
}

/// Verhoeff's check digit, from the multiplication of the dihedral group D5.
pub(crate) fn verhoeff(digits: &[u8]) -> bool {
    const PERMUTATION: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let times = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let permuted = |digit: u32, rounds: usize| {
        (0..rounds % 8).fold(digit, |digit, _| PERMUTATION[digit as usize])
    };
    let result = (digits.iter().rev().enumerate())
        .fold(0, |result, (index, &digit)| times(result, permuted(value(digit), index)));
    result == 0
}

/// Whether a month and a day are one of the calendar; 29 February counts.
pub(super) fn day(month: u64, day: u64) -> bool {
    let days = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// Whether six digits are `YYMMDD`.
pub(super) fn yymmdd(digits: &[u8]) -> bool {
    day(number(&digits[2..4]), number(&digits[4..6]))
}

/// Whether six digits are `DDMMYY`.
pub(super) fn ddmmyy(digits: &[u8]) -> bool {
    day(number(&digits[2..4]), number(&digits[..2]))
}

/// Whether the check digit is `11 - sum mod 11`, where 11 is written 0 and 10 is not
/// given out.
pub(super) fn eleven(digits: &[u8], weights: &[u32]) -> bool {
    let check = (11 - sum(digits, weights) % 11) % 11;
    digits.get(weights.len()).is_some_and(|&last| check == value(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every single wrong digit must show.
    fn tells(check: fn(&[u8]) -> bool, right: &str) {
        assert!(check(right.as_bytes()), "{right}");
        for at in 0..right.len() {
            for digit in (b'0'..=b'9').filter(|&digit| digit != right.as_bytes()[at]) {
                let mut wrong = right.as_bytes().to_vec();
                wrong[at] = digit;
                assert!(!check(&wrong), "{right} and {}", String::from_utf8_lossy(&wrong));
            }
        }
    }

    #[test]
    fn every_wrong_digit_shows() {
        tells(luhn, "79927398713");
        tells(verhoeff, "2363");
        tells(verhoeff, "234123412346");
        tells(mod11_10, "86095742719");
    }

    #[test]
    fn verhoeff_tells_neighbours_that_changed_places() {
        assert!(!verhoeff(b"243123412346") && !verhoeff(b"234123412364"));
    }

    #[test]
    fn days_of_the_calendar() {
        for (month, number, is) in [
            (1, 31, true),
            (2, 29, true),
            (2, 30, false),
            (4, 31, false),
            (13, 1, false),
            (1, 0, false),
        ] {
            assert_eq!(day(month, number), is);
        }
    }
}
