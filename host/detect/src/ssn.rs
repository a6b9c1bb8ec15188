//! United States social security numbers.

use crate::candidate::{Span, US_SSN};
use crate::context::{self, Words};
use crate::scan::{Run, Scan};

pub(crate) const WORDS: Words = Words::new(&[
    "sin", "social", "socials", "ss", "ssa", "ssid", "ssn", "ssn4", "ssns", "sss", "taxpayer",
    "tin",
]);

/// Printed on specimens and in advertisements, and never valid since.
const SPECIMENS: [[u8; 9]; 2] = [*b"078051120", *b"219099999"];

/// The number that every form shows as an example: a finding only where a word says
/// that it is one.
const EXAMPLE: [u8; 9] = *b"123456789";

/// Finds `AAA-GG-SSSS`, with hyphens, blanks or full stops but not mixed; without
/// separators only next to a word for it.
pub(crate) fn find(scan: &Scan<'_>, out: &mut Vec<Span>) {
    let runs = &scan.marks.digits;
    for (index, first) in runs.iter().enumerate() {
        let found = match (first.len(), runs.get(index + 1..index + 3)) {
            (9, _) => solid(scan, first),
            (3, Some(rest)) => grouped(scan, first, &rest[0], &rest[1]),
            _ => None,
        };
        out.extend(found);
    }
}

fn solid(scan: &Scan<'_>, run: &Run) -> Option<Span<'static>> {
    if !scan.begins(run.start)
        || !scan.ends(run.end)
        || [b'.', b'-', b','].iter().any(|&separator| {
            scan.follows(run.start, separator) || scan.continues(run.end, separator)
        })
    {
        return None;
    }
    let digits: [u8; 9] = scan.bytes[run.start..run.end].try_into().ok()?;
    let named = is_assigned(&digits) && context::names_before(scan.text, run.start, &WORDS);
    named.then(|| Span::new(run.start, run.end, US_SSN, 0.85))
}

fn grouped(scan: &Scan<'_>, area: &Run, group: &Run, serial: &Run) -> Option<Span<'static>> {
    let lengths_fit = group.len() == 2
        && serial.len() == 4
        && group.start == area.end + 1
        && serial.start == group.end + 1;
    if !lengths_fit || scan.bytes[area.end] != scan.bytes[group.end] {
        return None;
    }
    let separator = scan.bytes[area.end];
    let alone = scan.begins(area.start)
        && scan.ends(serial.end)
        && !matches!(scan.before(area.start), Some(b'+'))
        && [separator, b'-', b'.'].iter().all(|&separator| {
            !scan.follows(area.start, separator) && !scan.continues(serial.end, separator)
        });
    if !alone || !matches!(separator, b'-' | b' ' | b'.') {
        return None;
    }
    let mut digits = [0; 9];
    digits[..3].copy_from_slice(&scan.bytes[area.start..area.end]);
    digits[3..5].copy_from_slice(&scan.bytes[group.start..group.end]);
    digits[5..].copy_from_slice(&scan.bytes[serial.start..serial.end]);
    if !is_assigned(&digits) {
        return None;
    }
    let named = context::names(scan.text, area.start, serial.end, &WORDS);
    let score = match (separator, named) {
        (_, true) => 1.0,
        _ if digits == EXAMPLE => return None,
        (b'-', false) => 0.85,
        (_, false) => 0.6,
    };
    Some(Span::new(area.start, serial.end, US_SSN, score))
}

/// What the administration never gave out, since the beginning or since 2011.
pub(crate) fn is_assigned(digits: &[u8; 9]) -> bool {
    let (area, group, serial) = (&digits[..3], &digits[3..5], &digits[5..]);
    area != b"000"
        && area != b"666"
        && area[0] != b'9'
        && group != b"00"
        && serial != b"0000"
        && digits.iter().any(|digit| *digit != digits[0])
        && !SPECIMENS.contains(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::tests::found;

    #[test]
    fn finds() {
        for (text, number) in [
            ("536-90-4399", "536-90-4399"),
            ("SSN: 536-90-4399.", "536-90-4399"),
            ("ssn 536 90 4399", "536 90 4399"),
            ("536.90.4399", "536.90.4399"),
            ("my social security number is 536904399", "536904399"),
            ("SSN=123-45-6789", "123-45-6789"),
            ("号码536-90-4399。", "536-90-4399"),
        ] {
            assert_eq!(found(text, US_SSN), [number], "{text}");
        }
    }

    #[test]
    fn leaves() {
        for text in [
            "000-90-4399",
            "666-90-4399",
            "900-90-4399",
            "536-00-4399",
            "536-90-0000",
            "ssn 078-05-1120",
            "SSN: 219-09-9999",
            "111-11-1111",
            "123-45-6789",
            "536-90.4399",
            "536 90-4399",
            "536904399",
            "1536-90-4399",
            "536-90-43990",
            "536-90-4399-1",
            "A536-90-4399",
            "lesson 536904399",
            "2024-01-15",
        ] {
            assert_eq!(found(text, US_SSN), [""; 0], "{text}");
        }
    }
}
