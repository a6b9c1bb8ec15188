//! Hardware addresses of network interfaces (IEEE 802, EUI-48).

use crate::candidate::{MAC_ADDRESS, Span};
use crate::context::{self, Words};
use crate::scan::Scan;

/// The length with two digits to a group.
const PAIRS: usize = 17;

/// The length with four digits to a group.
const FOURS: usize = 14;

/// The longest run that is looked through for one of letters only.
const RUN: usize = 64;

/// Words for one.
pub(crate) const WORDS: Words =
    Words::new(&["address", "addresses", "bssid", "ethernet", "mac", "macs"]);

/// Finds `00:1A:2B:3C:4D:5E`, with hyphens too, and `001a.2b3c.4d5e`.
pub(crate) fn find(scan: &Scan<'_>, out: &mut Vec<Span>) {
    let belongs = |byte: u8| byte.is_ascii_hexdigit() || b":-.".contains(&byte);
    let mut done = 0;
    for run in &scan.marks.digits {
        // No group has more digits, and every group has a neighbour.
        if run.start < done || run.len() > 4 {
            continue;
        }
        let start = scan.run_back(run.start, PAIRS, belongs).max(done);
        // What stands in front may look like a group: `add:00-1A`.
        let found = [start, run.start].into_iter().find_map(|at| Some((at, address(scan, at)?)));
        let Some((start, end)) = found else { continue };
        out.push(Span::new(start, end, MAC_ADDRESS, 0.85));
        done = end;
    }
    letters(scan, out);
    // Addresses of letters only begin two bytes before a colon.
    done = 0;
    for &colon in &scan.marks.colons {
        let Some(start) = colon.checked_sub(2).filter(|&start| start >= done) else { continue };
        if !scan.bytes[start].is_ascii_hexdigit() {
            continue;
        }
        let Some(end) = address(scan, start) else { continue };
        out.push(Span::new(start, end, MAC_ADDRESS, 0.85));
        done = end;
    }
}

/// Finds addresses without any digit and any colon: `AA-BB-CC-DD-EE-FF`, and beside a word
/// for it `aabb.ccdd.eeff`.
fn letters(scan: &Scan<'_>, out: &mut Vec<Span>) {
    let hex = |at: usize| scan.bytes[at].is_ascii_hexdigit() && !scan.bytes[at].is_ascii_digit();
    let pairs = scan.marks.runs.iter().filter(|run| (PAIRS..=RUN).contains(&run.len()));
    let pairs = pairs.flat_map(|run| run.start..=run.end - PAIRS).filter(|&at| {
        let begins = scan.bytes[at + 2] == b'-' && hex(at);
        begins && scan.bytes[at..at + PAIRS].iter().all(|byte| !byte.is_ascii_digit())
    });
    for start in pairs {
        if let Some(end) = address(scan, start) {
            out.push(Span::new(start, end, MAC_ADDRESS, 0.85));
        }
    }
    for (dot, _) in scan.text.match_indices('.') {
        let Some(start) = dot.checked_sub(4) else { continue };
        let begins = scan.at(dot + 5) == Some(b'.') && hex(dot - 1) && hex(dot + 1);
        let text = scan.bytes.get(start..start + FOURS).unwrap_or_default();
        if !begins || text.iter().any(u8::is_ascii_digit) {
            continue;
        }
        if let Some(end) = address(scan, start)
            && context::names_before(scan.text, start, &WORDS)
        {
            out.push(Span::new(start, end, MAC_ADDRESS, 0.85));
        }
    }
}

/// Where the address that begins at `start` ends.
fn address(scan: &Scan<'_>, start: usize) -> Option<usize> {
    let separator = scan.at(start + 2).filter(|byte| b":-".contains(byte));
    let (length, group, separator) = match separator {
        Some(separator) => (PAIRS, 2, separator),
        None => (FOURS, 4, b'.'),
    };
    // Nearly every candidate ends here.
    if scan.at(start + group) != Some(separator)
        || scan.at(start + 2 * group + 1) != Some(separator)
    {
        return None;
    }
    let text = scan.bytes.get(start..start + length)?;
    let written = text.iter().enumerate().all(|(at, &byte)| match at % (group + 1) == group {
        true => byte == separator,
        false => byte.is_ascii_hexdigit(),
    });
    let digits = text.iter().filter(|byte| byte.is_ascii_hexdigit());
    // All zeros and all ones are nobody's.
    let same = digits.clone().all(|digit| *digit == text[0]);
    let end = start + length;
    let alone = scan.begins(start)
        && scan.ends(end)
        && !follows_group(scan, start)
        && !(scan.at(end) == Some(separator)
            && scan.at(end + 1).is_some_and(|next| next.is_ascii_hexdigit()));
    (written && !same && alone).then_some(end)
}

/// Whether a group of the same address, or a sign that no word ends with, stands in front:
/// `address:00:1A:...` is a word and an address.
fn follows_group(scan: &Scan<'_>, start: usize) -> bool {
    match scan.before(start) {
        Some(b':') => {
            let word = scan.run_back(start - 1, 5, |byte| byte.is_ascii_alphanumeric());
            let digits = scan.bytes[word..start - 1].iter().filter(|byte| byte.is_ascii_hexdigit());
            start - 1 - word <= 4 && digits.count() == start - 1 - word
        }
        sign => matches!(sign, Some(b'-' | b'.')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::tests::found;

    #[test]
    fn finds() {
        for text in
            ["00:1A:2B:3C:4D:5E", "00-1a-2b-3c-4d-5e", "001a.2b3c.4d5e", "ab:cd:ef:ab:cd:ef"]
        {
            for around in [("", ""), ("mac ", "."), ("address:", ""), ("(", ")"), ("地址：", "。")]
            {
                let whole = format!("{}{text}{}", around.0, around.1);
                assert_eq!(found(&whole, MAC_ADDRESS), [text], "{whole}");
            }
        }
    }

    #[test]
    fn letters_alone() {
        for (text, address) in [
            ("Hardware address: AB-BC-CD-DE-EF-FA", "AB-BC-CD-DE-EF-FA"),
            ("mac=ab-bc-cd-de-ef-fa", "ab-bc-cd-de-ef-fa"),
            ("the MAC address is abbc.cdde.effa.", "abbc.cdde.effa"),
        ] {
            assert_eq!(found(text, MAC_ADDRESS), [address], "{text}");
        }
        for text in
            ["abbc.cdde.effa", "see dead.beef.cafe", "do-as-we-do-to-us", "a-bc-cd-de-ef-fa-ab"]
        {
            assert_eq!(found(text, MAC_ADDRESS), [""; 0], "{text}");
        }
    }

    #[test]
    fn leaves() {
        for text in [
            "00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff",
            "00:1A:2B:3C:4D",
            "00:1A:2B:3C:4D:5E:6F",
            "00:1A-2B:3C-4D:5E",
            "x00:1A:2B:3C:4D:5E",
            "12:34:56",
            "550e8400-e29b-41d4-a716-446655440000",
        ] {
            assert_eq!(found(text, MAC_ADDRESS), [""; 0], "{text}");
        }
    }
}
