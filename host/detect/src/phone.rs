//! Telephone numbers (ITU-T E.164, and how people write them at home).
//!
//! A number with its country code is checked against the plan's lengths. One without
//! is taken when it is grouped as its country groups them, or when a word says that
//! it is one. libphonenumber's rules in full would cost 0.3 s at start and
//! milliseconds for each candidate; this costs a table.

mod plan;
mod words;

use std::cell::Cell;

use crate::candidate::{PHONE, Span};
use crate::context;
use crate::scan::Scan;
pub(crate) use words::{OTHERS, WORDS};

/// The most digits of a number with its country code (E.164), and a trunk zero.
const DIGITS: usize = 16;

/// The most groups.
const GROUPS: usize = 16;

/// The fewest digits of a number with a blank between all of them.
const SPACED: usize = 9;

/// Stands for what nobody puts between the groups of a number without a reason.
const ODD: u8 = b'~';

/// A number under examination, and then the next one: groups of digits and what stands between them.
#[derive(Default)]
struct Number {
    digits: Vec<u8>,
    /// Lengths of the groups.
    groups: Vec<usize>,
    /// What stands between them, without blanks.
    gaps: Vec<u8>,
    start: usize,
    end: usize,
    /// True when a `+` stands in front.
    plus: bool,
    /// True when the first group stands in parentheses.
    area: bool,
    /// Whether a word stands in front that says what it is, once that was looked for.
    named: Cell<Option<bool>>,
}

impl Number {
    /// Whether a word around it says that it is a telephone number.
    fn is_named(&self, text: &str) -> bool {
        let before = self.named.get().unwrap_or_else(|| {
            let before = context::names_before(text, self.start, &WORDS);
            self.named.set(Some(before));
            before
        });
        before || context::names_after(text, self.end, &WORDS)
    }
}

/// Finds telephone numbers.
pub(crate) fn find(scan: &Scan<'_>, out: &mut Vec<Span>) {
    let runs = &scan.marks.digits;
    let mut done = 0;
    let mut index = 0;
    let mut seen = Number::default();
    while index < runs.len() {
        let first = runs[index];
        // The middle of a list of short numbers begins no other one.
        let inner = first.len() == 1 && scan.follows(first.start, b' ');
        if first.start < done || inner || !begins(scan, first.start) {
            index += 1;
            continue;
        }
        match number(scan, index, &mut seen) {
            Some(span) => {
                done = span.end;
                out.push(span);
            }
            None => index += 1,
        }
    }
}

/// The longest telephone number that begins with a run of digits.
fn number(scan: &Scan<'_>, index: usize, number: &mut Number) -> Option<Span<'static>> {
    let runs = &scan.marks.digits;
    let (start, plus, area) = opening(scan, runs[index].start);
    number.digits.clear();
    number.groups.clear();
    number.gaps.clear();
    (number.start, number.end, number.plus, number.area) = (start, start, plus, area);
    number.named.set(None);
    let mut best = None;
    for (offset, run) in runs[index..].iter().enumerate().take(GROUPS) {
        if offset > 0 {
            let Some(gap) = gap(&scan.bytes[number.end..run.start]) else { break };
            number.gaps.push(gap);
        }
        if number.digits.len() + run.len() > DIGITS {
            break;
        }
        // The zero of `+44 (0)20` is dialled only at home.
        let trunk =
            plus && &scan.bytes[run.start..run.end] == b"0" && scan.at(run.end) == Some(b')');
        if trunk {
            number.gaps.pop();
        } else {
            let digits = &scan.bytes[run.start..run.end];
            number.digits.extend(digits.iter().map(|byte| byte - b'0'));
            number.groups.push(run.len());
        }
        number.end = run.end;
        if ends(scan, run.end)
            && let Some(score) = score(scan, number)
        {
            let end = extension(scan, run.end).unwrap_or(run.end);
            best = Some(Span::new(start, end, PHONE, score));
        }
    }
    best
}

/// Where a number that has its first digit at `at` begins, and whether with a `+` and
/// with a parenthesis around its first group.
fn opening(scan: &Scan<'_>, at: usize) -> (usize, bool, bool) {
    match (scan.before(at), at.checked_sub(2).map(|at| scan.bytes[at])) {
        (Some(b'+'), _) => (at - 1, true, false),
        (Some(b'('), Some(b'+')) => (at - 2, true, false),
        (Some(b'('), _) => {
            let end = scan.run(at, 6, |byte| byte.is_ascii_digit());
            match scan.at(end) {
                Some(b')') => (at - 1, false, true),
                _ => (at, false, false),
            }
        }
        _ => (at, false, false),
    }
}

/// What separates two groups: the sign, or a blank. Nothing when no number is written
/// so.
fn gap(between: &[u8]) -> Option<u8> {
    match between {
        b" " => Some(b' '),
        b"-" | b" - " | b"--" => Some(b'-'),
        b"." => Some(b'.'),
        b"/" | b" / " => Some(b'/'),
        b"(" | b" (" | b")" | b") " | b")-" | b") (" | b")(" | b"-(" | b".(" | b") - " | b")." => {
            Some(b')')
        }
        b"_" | b"  " | b"   " | b" . " => Some(ODD),
        _ => None,
    }
}

/// How sure it is that this is a telephone number.
fn score(scan: &Scan<'_>, number: &Number) -> Option<f32> {
    let named = || number.is_named(scan.text);
    if number.plus {
        let planned = plan::is_international(&number.digits);
        // Plans change; a word says what it is meant for.
        let meant = || (SPACED..=DIGITS).contains(&number.digits.len()) && named();
        return match planned {
            true => Some(if named() { 1.0 } else { 0.9 }),
            false => meant().then_some(0.7),
        };
    }
    if number.digits.len() < 7 {
        return None;
    }
    if number.digits.len() > 11 || number.digits.starts_with(&[0, 0]) {
        let abroad = [&[0, 0][..], &[0, 1, 1]]
            .iter()
            .find_map(|prefix| number.digits.strip_prefix(*prefix))
            .is_some_and(plan::is_international);
        if abroad && (number.groups.len() > 1 || named()) {
            return Some(if named() { 0.95 } else { 0.7 });
        }
    }
    let alone = is_alone(scan, number);
    let odd = number.gaps.contains(&ODD);
    let shape = plan::shape(&number.digits, &number.groups, &number.gaps, number.area);
    let shape = shape.filter(|_| !odd || named());
    // The cheap questions first: in a table of numbers they are asked for every cell.
    let possible = match shape {
        Some(_) => alone || named(),
        None => number.digits.len() <= 13 && alone && plausible(number) && named(),
    };
    if !possible || is_something_else(scan, number) {
        return None;
    }
    match shape {
        Some(sure) if alone && named() => Some(0.95f32.min(sure + 0.3)),
        Some(sure) if alone => {
            let weak = sure <= 0.5 && context::names_before(scan.text, number.start, &OTHERS);
            (!weak).then_some(sure)
        }
        Some(_) => Some(0.9),
        None => Some(0.7),
    }
}

/// Whether a number that a word announces could be dialled at all.
fn plausible(number: &Number) -> bool {
    let same = number.digits.iter().all(|digit| *digit == number.digits[0]);
    let single = number.groups.len() == number.digits.len();
    // 1 2 3 4 5 6 7 8 9 are the keys of a telephone.
    let counted = number.digits.windows(2).all(|pair| pair[1] == pair[0] + 1);
    let grouped = number.groups.iter().all(|&group| group >= 2 || number.groups.len() <= 3);
    !same && (grouped || single && !counted && number.digits.len() >= SPACED)
}

/// Dates, addresses and amounts, and what another word announces.
fn is_something_else(scan: &Scan<'_>, number: &Number) -> bool {
    let groups = number.groups.as_slice();
    let gaps = number.gaps.as_slice();
    let even = gaps.len() >= 2 && gaps[0] == gaps[1] && gaps[0] != b')';
    let date = even && matches!(groups, [4, 1 | 2, 1 | 2, ..] | [1 | 2, 1 | 2, 4, ..]);
    let address = groups.len() == 4
        && gaps.iter().all(|&gap| gap == b'.')
        && is_address(&number.digits, groups);
    // 1.234.567 and 1 234 567: thousands.
    let thousands = groups.len() >= 2
        && groups[0] <= 3
        && groups[1..].iter().all(|&group| group == 3)
        && gaps.iter().all(|&gap| gap == b'.' || gap == b' ')
        && !number.is_named(scan.text);
    let other = context::follows_word(scan.text, number.start, &OTHERS);
    date || address || thousands || other || is_years(&number.digits, groups)
}

/// Whether two groups are years: `2019-2024`.
fn is_years(digits: &[u8], groups: &[usize]) -> bool {
    let century = |at: usize| matches!(digits[at..at + 2], [1, 9] | [2, 0]);
    groups == [4, 4] && century(0) && century(4)
}

/// Whether four groups are the bytes of an internet address.
fn is_address(digits: &[u8], groups: &[usize]) -> bool {
    let mut rest = digits;
    groups.iter().all(|&group| {
        let (bytes, after) = rest.split_at(group.min(rest.len()));
        rest = after;
        bytes.iter().fold(0_u32, |value, &digit| value * 10 + u32::from(digit)) <= 255
    })
}

/// Whether no further group of digits stands next to the number, as in a table.
fn is_alone(scan: &Scan<'_>, number: &Number) -> bool {
    let spaced = number.gaps.contains(&b' ') || number.gaps.is_empty();
    let signs = [b'-', b'.', b'/', b' '];
    signs
        .iter()
        .filter(|&&sign| sign != b' ' || spaced)
        .all(|&sign| !scan.follows(number.start, sign) && !scan.continues(number.end, sign))
}

/// ` ext. 123`, ` x123`, `;ext=123`: where it ends.
fn extension(scan: &Scan<'_>, end: usize) -> Option<usize> {
    let rest = &scan.text[end..scan.text.floor_char_boundary((end + 24).min(scan.text.len()))];
    let bare = rest.trim_start_matches([' ', ',', ';']);
    let words = ["extension", "ext.", "ext", "x.", "x", "#"];
    let after = words.iter().find_map(|word| {
        bare.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word))?;
        bare.get(word.len()..)
    })?;
    let after = after.trim_start_matches([' ', ':', '=', '.']);
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let at = end + (rest.len() - after.len()) + digits;
    ((1..=7).contains(&digits) && scan.ends(at)).then_some(at)
}

/// No letter, and no part of a longer number or name, stands in front.
fn begins(scan: &Scan<'_>, start: usize) -> bool {
    let named = scan.before(start) == Some(b'-')
        && start >= 2
        && scan.bytes[start - 2].is_ascii_alphanumeric();
    scan.begins(start)
        && !named
        && ![b'.', b',', b'/', b':'].iter().any(|&sign| scan.follows(start, sign))
        && !matches!(scan.before(start), Some(b'$' | b'='))
        || scan.before(start) == Some(b'=') && scan.begins(start)
}

fn ends(scan: &Scan<'_>, end: usize) -> bool {
    let goes_on = |sign: u8| {
        scan.at(end) == Some(sign)
            && scan.at(end + 1).is_some_and(|next| next.is_ascii_alphanumeric())
    };
    let is_extension = scan.at(end).is_some_and(|byte| matches!(byte, b'x' | b'X'))
        && extension(scan, end).is_some();
    (scan.ends(end) || is_extension)
        && !scan.continues(end, b',')
        && !scan.continues(end, b'.')
        && !scan.continues(end, b':')
        && !matches!(scan.at(end), Some(b'%' | b'@'))
        && (!goes_on(b'-') || scan.continues(end, b'-'))
}

#[cfg(test)]
mod tests;
