//! Days as people write them.

use crate::scan::Scan;

/// The longest date.
const LONGEST: usize = 32;

/// Years that somebody alive may be born in, and a few more.
const YEARS: std::ops::RangeInclusive<u32> = 1880..=2035;

/// First letters of months, and their number.
const MONTHS: [(&str, u32); 40] = [
    ("jan", 1),
    ("ene", 1),
    ("gen", 1),
    ("jän", 1),
    ("янв", 1),
    ("feb", 2),
    ("fév", 2),
    ("fev", 2),
    ("фев", 2),
    ("mar", 3),
    ("mär", 3),
    ("maa", 3),
    ("мар", 3),
    ("apr", 4),
    ("abr", 4),
    ("avr", 4),
    ("апр", 4),
    ("may", 5),
    ("mai", 5),
    ("mag", 5),
    ("mei", 5),
    ("мая", 5),
    ("jun", 6),
    ("juin", 6),
    ("giu", 6),
    ("июн", 6),
    ("jul", 7),
    ("juil", 7),
    ("lug", 7),
    ("июл", 7),
    ("aug", 8),
    ("ago", 8),
    ("aoû", 8),
    ("авг", 8),
    ("sep", 9),
    ("set", 9),
    ("сен", 9),
    ("oct", 10),
    ("okt", 10),
    ("ott", 10),
];

/// The months that the first table has no room for.
const LAST_MONTHS: [(&str, u32); 9] = [
    ("out", 10),
    ("окт", 10),
    ("nov", 11),
    ("ноя", 11),
    ("dec", 12),
    ("dez", 12),
    ("dic", 12),
    ("déc", 12),
    ("дек", 12),
];

/// A piece of a date.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// A number, and how many digits it has.
    Number(u32, usize),
    /// The name of a month.
    Month(u32),
}

/// Whether a date may begin at `at`: a digit or a letter after neither.
pub(super) fn may_begin(scan: &Scan<'_>, at: usize) -> bool {
    scan.text.is_char_boundary(at)
        && scan.at(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
        && scan.begins(at)
        && !scan.follows(at, b'-')
        && !scan.follows(at, b'/')
}

/// Where the date that begins at `start` ends.
pub(super) fn end(scan: &Scan<'_>, start: usize) -> Option<usize> {
    let until = scan.text.floor_char_boundary((start + LONGEST).min(scan.bytes.len()));
    let text = &scan.text[start..until];
    let mut pieces = [Piece::Number(0, 0); 3];
    let mut at = 0;
    for (index, slot) in pieces.iter_mut().enumerate() {
        let rest = &text[at..];
        let (piece, length) = number(rest).or_else(|| month(rest))?;
        *slot = piece;
        at += length;
        if index == 0 && solid(piece) {
            return scan.ends(start + at).then_some(start + at);
        }
        if index < 2 {
            at += gap(&text[at..])?;
        }
    }
    if text[at..].starts_with('日') {
        at += '日'.len_utf8();
    } else if !scan.ends(start + at) || scan.continues(start + at, b'.') {
        return None;
    }
    is_day(pieces).then_some(start + at)
}

/// A number of at most four digits, or of eight, and its length with `st`, `th` and
/// their like.
fn number(text: &str) -> Option<(Piece, usize)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if !matches!(digits, 1..=4 | 8) {
        return None;
    }
    let piece = Piece::Number(text[..digits].parse().ok()?, digits);
    let suffix =
        ["st", "nd", "rd", "th", "er"].iter().find(|end| text[digits..].starts_with(**end));
    Some((piece, digits + suffix.map_or(0, |suffix| suffix.len())))
}

/// The name of a month, whole or cut.
fn month(text: &str) -> Option<(Piece, usize)> {
    // No month begins with these, and most other words do.
    if text.starts_with(['b', 'c', 'h', 'i', 'k', 'p', 'q', 'r', 't', 'u', 'v', 'w', 'x', 'y', 'z'])
    {
        return None;
    }
    let length: usize =
        text.chars().take(12).take_while(|c| c.is_alphabetic()).map(char::len_utf8).sum();
    let letters = text[..length].chars().count();
    if letters < 3 {
        return None;
    }
    let name = &text[..length];
    // Few words are not ASCII, and need no copy.
    let other = (!name.is_ascii()).then(|| name.to_lowercase());
    let first = name.as_bytes()[0].to_ascii_lowercase();
    let begins = |start: &str| match &other {
        Some(name) => name.starts_with(start),
        None => {
            start.as_bytes()[0] == first
                && name.get(..start.len()).is_some_and(|name| name.eq_ignore_ascii_case(start))
        }
    };
    let known = MONTHS.iter().chain(&LAST_MONTHS);
    let found = known.into_iter().rev().find(|(start, _)| begins(start))?;
    Some((Piece::Month(found.1), length))
}

/// What stands between two pieces, and its length.
fn gap(text: &str) -> Option<usize> {
    const GAPS: [&str; 16] = [
        ". ", ", ", " of ", " de ", " di ", " - ", " / ", "年", "月", ".", "-", "/", " ", ",",
        "er ", "\\/",
    ];
    // Most of what is no gap begins with a letter.
    let sign = |byte: &u8| !byte.is_ascii_alphanumeric() || *byte == b'e';
    text.as_bytes().first().filter(|byte| sign(byte))?;
    GAPS.iter().find(|gap| text.starts_with(**gap)).map(|gap| gap.len())
}

/// `19800312`.
fn solid(piece: Piece) -> bool {
    let Piece::Number(number, 8) = piece else { return false };
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    let reversed = YEARS.contains(&(number % 10_000))
        && is_calendar(number / 10_000 % 100, number / 1_000_000);
    YEARS.contains(&year) && is_calendar(month, day) || reversed
}

/// Whether three pieces are a day, in one of the orders in use.
fn is_day(pieces: [Piece; 3]) -> bool {
    use Piece::{Month, Number};
    let year = |number: u32, digits: usize| match digits {
        2 => true,
        4 => YEARS.contains(&number),
        _ => false,
    };
    match pieces {
        [Number(first, 4), Number(month, 1..=2), Number(day, 1..=2)] => {
            year(first, 4) && is_calendar(month, day)
        }
        [Number(a, 1..=2), Number(b, 1..=2), Number(last, digits)] => {
            year(last, digits) && (is_calendar(a, b) || is_calendar(b, a))
        }
        [Number(day, 1..=2), Month(month), Number(last, digits)]
        | [Month(month), Number(day, 1..=2), Number(last, digits)] => {
            year(last, digits) && is_calendar(month, day)
        }
        [Number(first, 4), Month(month), Number(day, 1..=2)] => {
            year(first, 4) && is_calendar(month, day)
        }
        _ => false,
    }
}

fn is_calendar(month: u32, day: u32) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}
