//! Passwords that stand where a program or a function takes one, without a name.

use super::placeholder::{is_placeholder, is_reference};
use crate::candidate::{SECRET_PASSWORD, Span};
use crate::scan::{Hit, Scan};

/// How much of a call or of a command line is read.
const LINE_BYTES: usize = 320;

/// The shortest password, and the longest.
const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 4..=128;

/// What takes a password.
pub(super) struct Taker {
    /// Its name.
    pub(super) literal: &'static str,
    /// Where it takes one.
    place: Place,
}

enum Place {
    /// The argument of this index; the ones before it are strings or names.
    Argument(usize),
    /// What follows this option.
    Option(&'static str),
    /// What is written together with this option.
    Attached(&'static str),
}

const fn taker(literal: &'static str, place: Place) -> Taker {
    Taker { literal, place }
}

/// Functions and programs that take a password, as their manuals say.
pub(super) const TAKERS: [Taker; 13] = [
    taker("networkcredential(", Place::Argument(1)),
    taker("directoryentry(", Place::Argument(2)),
    taker("httpbasicauth(", Place::Argument(1)),
    taker("passwordauthentication(", Place::Argument(1)),
    taker(".login(", Place::Argument(1)),
    taker("auth=(", Place::Argument(1)),
    taker("psexec", Place::Option(" -p ")),
    taker("sshpass", Place::Option(" -p ")),
    taker("sshpass", Place::Attached(" -p")),
    taker("docker login", Place::Option(" -p ")),
    taker("redis-cli", Place::Option(" -a ")),
    taker("ldapsearch", Place::Option(" -w ")),
    taker("mysql", Place::Attached(" -p")),
];

/// The password that is taken after `hit`. `read` is how far calls and lines were read.
pub(super) fn find(
    scan: &Scan<'_>,
    hit: &Hit,
    taker: &Taker,
    read: &mut usize,
) -> Option<Span<'static>> {
    if hit.start < *read {
        return None;
    }
    let until = scan.run(hit.end, LINE_BYTES, |byte| match taker.place {
        Place::Argument(_) => !b")\0".contains(&byte),
        _ => byte != b'\n',
    });
    let until = scan.text.floor_char_boundary(until);
    let (start, end) = match taker.place {
        Place::Argument(index) => argument(scan, hit.end, until, index)?,
        Place::Option(option) | Place::Attached(option) => {
            let at = scan.text[hit.end..until].find(option)?;
            let start = hit.end + at + option.len();
            word(scan, start, until)
        }
    };
    let value = scan.text.get(start..end)?;
    let is_option = value.starts_with(['-', '$', '%', '\\']);
    let real = PASSWORD_BYTES.contains(&value.len())
        && !is_option
        && !is_placeholder(value)
        && !is_reference(value);
    if real {
        *read = end;
    }
    real.then(|| Span::new(start, end, SECRET_PASSWORD, 0.8))
}

/// The string that is the argument of this index.
fn argument(scan: &Scan<'_>, from: usize, until: usize, index: usize) -> Option<(usize, usize)> {
    let mut at = from;
    for argument in 0..=index {
        at = scan.run(at, 64, |byte| byte.is_ascii_whitespace());
        let quote = scan.at(at).filter(|byte| matches!(byte, b'"' | b'\''));
        let (start, end) = match quote {
            Some(quote) => {
                let end = scan.run(at + 1, until.saturating_sub(at + 1), |byte| {
                    byte != quote && byte != b'\n'
                });
                (at + 1, (scan.at(end) == Some(quote)).then_some(end)?)
            }
            None => {
                (at, scan.run(at, 64, |byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte)))
            }
        };
        if argument == index {
            return quote.map(|_| (start, end));
        }
        let after = if quote.is_some() { end + 1 } else { end };
        let comma = scan.run(after, 8, |byte| byte.is_ascii_whitespace());
        if after == from || scan.at(comma) != Some(b',') || comma >= until {
            return None;
        }
        at = comma + 1;
    }
    None
}

/// The word of a command line that begins at `start`, without its quotation marks.
fn word(scan: &Scan<'_>, start: usize, until: usize) -> (usize, usize) {
    let quote = scan.at(start).filter(|byte| matches!(byte, b'"' | b'\''));
    let from = start + usize::from(quote.is_some());
    let end = scan.run(from, until.saturating_sub(from), |byte| match quote {
        Some(quote) => byte != quote,
        None => !byte.is_ascii_whitespace() && !b"\"'`;|&<>".contains(&byte),
    });
    (from, end)
}
