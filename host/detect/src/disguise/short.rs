//! Runs too short to stand for anything by themselves, which say a number beside a word.

use super::encoded::{self, Decoded, Encoded};
use crate::scan::{Marks, Scan};

/// The shortest run that is decoded: seven characters in base64 without padding.
const RUN: usize = 10;

/// How many digits what it says has at least: others are words that decode by chance.
const DIGITS: usize = 3;

/// Everything short in the text that decodes to a text with digits.
pub(crate) fn find(scan: &Scan<'_>) -> Vec<Encoded> {
    let mut found = Vec::new();
    let mut done = 0;
    for digits in &scan.marks.digits {
        if digits.start < done {
            continue;
        }
        // One byte more tells what is too long to be short.
        let start = scan.run_back(digits.start, Marks::RUN, belongs);
        let end = scan.run(start, Marks::RUN, belongs);
        done = end.max(digits.end);
        let run = &scan.bytes[start..end];
        if (RUN..Marks::RUN).contains(&run.len())
            && run.iter().any(u8::is_ascii_alphabetic)
            && let Some(says) = encoded::short(run).filter(|says| is_number(says))
        {
            found.push(Encoded { start, end, says: Decoded::Text(says) });
        }
    }
    found
}

/// Whether a text is printable and has enough digits.
fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
        && text.bytes().filter(u8::is_ascii_digit).count() >= DIGITS
}

fn belongs(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}
