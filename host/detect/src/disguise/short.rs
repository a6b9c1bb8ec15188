//! Runs too short to stand for anything by themselves, which say a number beside a word.

use super::encoded::{self, Encoded, Says};
use crate::scan::{Marks, Run, Scan};

/// How many digits what it says has at least: others are words that decode by chance.
const DIGITS: usize = 2;

/// The same for a run of digits alone: many numbers are a text in hexadecimal.
const OF_DIGITS: usize = 3;

/// Everything short in the text that decodes to a text with digits.
pub(super) fn find(scan: &Scan<'_>) -> Vec<Encoded> {
    let mut found = Vec::new();
    for &run in scan.marks.shorts.iter().chain(&scan.marks.runs) {
        // `account_number=` is no part of what is assigned to it.
        parts(
            scan,
            run,
            |byte| byte == b'=',
            |part| {
                let whole = decode(scan, part);
                if whole.is_none() {
                    let sign = |byte| matches!(byte, b'/' | b'-' | b'_');
                    parts(scan, part, sign, |part| found.extend(decode(scan, part)));
                }
                found.extend(whole);
            },
        );
    }
    found
}

/// Calls with every part of a run that a sign parts from the next one. Padding belongs to
/// its part.
fn parts(scan: &Scan<'_>, run: Run, sign: impl Fn(u8) -> bool, mut take: impl FnMut(Run)) {
    let mut start = run.start;
    let mut at = run.start;
    while at < run.end {
        if !sign(scan.bytes[at]) {
            at += 1;
            continue;
        }
        let padding = scan.run(at, run.end - at, |byte| byte == b'=');
        take(Run { start, end: padding.max(at) });
        at = padding.max(at + 1);
        start = at;
    }
    take(Run { start, end: run.end });
}

fn decode(scan: &Scan<'_>, part: Run) -> Option<Encoded> {
    let bytes = &scan.bytes[part.start..part.end];
    if !(Marks::SHORT..Marks::RUN).contains(&bytes.len()) {
        return None;
    }
    let least = if bytes.iter().all(u8::is_ascii_digit) { OF_DIGITS } else { DIGITS };
    let says = encoded::short(bytes).filter(|says| is_number(says, least))?;
    Some(Encoded { start: part.start, end: part.end, says: Says::Text(says) })
}

/// Whether a text is printable and has enough digits.
fn is_number(text: &str, least: usize) -> bool {
    text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
        && text.bytes().filter(u8::is_ascii_digit).count() >= least
}
