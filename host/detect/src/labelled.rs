//! What only the words in front of it tell: dates of birth, numbers of records, members,
//! passports, licences, accounts.
//!
//! These have no check digit that anybody publishes, so a finding is a word for it and a
//! value of a possible shape right behind.

mod date;
mod table;

pub(crate) use table::{Label, Value};

use crate::candidate::Span;
use crate::scan::{Hit, Scan};

/// Score of a word and a shape.
const SHAPED: f32 = 0.7;

/// Score of a word for a birth and a day of the calendar.
const DATED: f32 = 0.9;

/// How far behind its word a value may begin.
const REACH: usize = 40;

/// How far in front of its word a date may begin.
const BACK: usize = 24;

/// How many more values a list may have.
const LIST: usize = 16;

/// What stands between the values of a list.
const BETWEEN: [&str; 9] = [", ", "; ", " and ", " or ", " und ", " et ", " y ", " e ", "\n"];

/// How many words may stand between a value and its word behind it.
const OWNING: usize = 6;

/// Words that say what a value in front of them is.
const VERBS: [&str; 6] = ["is", "es", "ist", "est", "è", "é"];

/// Words between those and the word for the value.
const OWNERS: [&str; 27] = [
    "a", "de", "der", "die", "du", "el", "her", "his", "la", "le", "ma", "meine", "mi", "mon",
    "my", "no", "nr", "number", "numero", "nummer", "número", "numéro", "of", "our", "the",
    "their", "your",
];

/// How many runs of digits near a word may begin a date, or go on with one.
const NEAR: usize = 3;

/// The longest value.
const LONGEST: usize = 24;

/// Words that may stand between a word and its value.
const FILLERS: [&str; 31] = [
    "a", "am", "bitte", "code", "date", "de", "den", "du", "es", "est", "id", "is", "ist", "le",
    "nbr", "no", "nr", "num", "number", "numbers", "numero", "nummer", "of", "on", "please", "s",
    "the", "to", "value", "was", "wert",
];

/// The same in scripts that are written without blanks.
const FOREIGN_FILLERS: [&str; 15] = [
    "号码是",
    "号码",
    "番号は",
    "番号",
    "号",
    "は",
    "が",
    "是",
    "：",
    "번호는",
    "번호",
    "는",
    "은",
    "è",
    "é",
];

/// The most that stands between two groups of a value.
const GAP: usize = 3;

/// Every literal that announces something, with what it announces.
pub(crate) fn literals() -> Vec<(&'static str, &'static Label)> {
    table::LABELS
        .iter()
        .flat_map(|label| label.literals.iter().map(move |&literal| (literal, label)))
        .collect()
}

/// Every label.
pub(crate) fn labels() -> &'static [Label] {
    table::LABELS
}

/// Finds the values that the label at `hit` announces.
pub(crate) fn find(scan: &Scan<'_>, hit: &Hit, label: &Label, out: &mut Vec<Span>) {
    if !is_whole_word(scan, hit) {
        return;
    }
    if label.value == Value::Date {
        let date = after(scan, hit.end).or_else(|| before(scan, hit.start));
        out.extend(date.map(|(start, end)| Span::new(start, end, label.entity, DATED)));
        return;
    }
    let value = behind(scan, hit.end, label.value);
    let Some((start, end)) = value.or_else(|| in_front(scan, hit.start, label.value)) else {
        return;
    };
    out.push(Span::new(start, end, label.entity, SHAPED));
    // `Passports: AB1234567 and XY9876543`.
    let mut at = end;
    for _ in 0..LIST {
        let Some((next, end)) = next_of_list(scan, &scan.bytes[start..end], at, label.value) else {
            break;
        };
        out.push(Span::new(next, end, label.entity, SHAPED));
        at = end;
    }
}

/// The value behind a label that ends at `from`.
fn behind(scan: &Scan<'_>, from: usize, kind: Value) -> Option<(usize, usize)> {
    let start = skip_fillers(scan, from)?;
    let end = value_end(scan, start, kind == Value::Plate);
    let value = scan.bytes.get(start..end)?;
    // A word of a sentence is no group of a number: `dln so 4012 8888`.
    let first = value.split(|&byte| byte == b' ').next().unwrap_or_default();
    if first.len() < value.len() && first.iter().all(u8::is_ascii_lowercase) {
        return None;
    }
    fits(value, kind).then_some((start, end))
}

/// The value in front of a label that begins at `until`: `512489731 is my passport number`.
fn in_front(scan: &Scan<'_>, until: usize, kind: Value) -> Option<(usize, usize)> {
    let from = scan.text.ceil_char_boundary(until.saturating_sub(REACH));
    let mut rest = scan.text[from..until].trim_end_matches(' ');
    let mut is = false;
    for _ in 0..OWNING {
        let word = rest.rsplit(' ').next().unwrap_or_default();
        let known = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
        is |= known(&VERBS);
        if !known(&VERBS) && !known(&OWNERS) {
            break;
        }
        rest = rest[..rest.len() - word.len()].trim_end_matches(' ');
    }
    let end = from + rest.len();
    let start = scan.run_back(end, LONGEST, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let fits = is && scan.begins(start) && fits(scan.bytes.get(start..end)?, kind);
    fits.then_some((start, end))
}

/// The next value of a list, written like the first one.
fn next_of_list(scan: &Scan<'_>, first: &[u8], at: usize, kind: Value) -> Option<(usize, usize)> {
    let rest = scan.text.get(at..)?;
    let between = BETWEEN.iter().find(|between| rest.starts_with(**between))?;
    let start = at + between.len();
    let end = value_end(scan, start, kind == Value::Plate);
    let shape = |byte: &u8| match byte {
        b'0'..=b'9' => b'9',
        byte if byte.is_ascii_alphabetic() => b'A',
        byte => *byte,
    };
    let next = scan.bytes.get(start..end)?;
    let alike = next.iter().map(shape).eq(first.iter().map(shape));
    (alike && scan.ends(end) && fits(next, kind)).then_some((start, end))
}

/// Whether a label is not a part of another word; a capital after a small letter begins
/// one.
fn is_whole_word(scan: &Scan<'_>, hit: &Hit) -> bool {
    let seam = |at: usize| {
        scan.before(at).is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_')
            && scan
                .at(at)
                .is_some_and(|byte| byte.is_ascii_uppercase() || byte.is_ascii_lowercase())
            && (scan.before(at) == Some(b'_') || scan.bytes[at].is_ascii_uppercase())
    };
    let ascii = scan.bytes[hit.end - 1].is_ascii();
    let ends = !ascii
        || !scan.bytes[hit.end - 1].is_ascii_alphanumeric()
        || !scan.at(hit.end).is_some_and(|byte| byte.is_ascii_alphanumeric())
        || seam(hit.end)
        || (scan.at(hit.end) == Some(b's') && scan.ends(hit.end + 1));
    let begins = !scan.bytes[hit.start].is_ascii() || scan.begins(hit.start) || seam(hit.start);
    begins && ends
}

/// Where the value behind a label begins: behind signs and a few words that say nothing.
fn skip_fillers(scan: &Scan<'_>, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at = scan.run(at, 8, |byte| b" \t:=#.\"'`(_[-/\\,*|".contains(&byte));
        let rest = scan.text.get(at..)?;
        let foreign = FOREIGN_FILLERS.iter().find(|filler| rest.starts_with(**filler));
        if let Some(filler) = foreign {
            at += filler.len();
            continue;
        }
        let word = scan.run(at, 8, |byte| byte.is_ascii_alphabetic());
        let is_filler = scan
            .text
            .get(at..word)
            .is_some_and(|word| FILLERS.iter().any(|filler| filler.eq_ignore_ascii_case(word)));
        if !is_filler || !scan.ends(word) && scan.at(word) != Some(b'_') {
            break;
        }
        at = word;
    }
    (at - from <= REACH && scan.begins(at)).then_some(at)
}

/// Where the value that begins at `start` ends: letters, digits, hyphens and slashes, and
/// groups of digits behind other separators.
fn value_end(scan: &Scan<'_>, start: usize, plate: bool) -> usize {
    let belongs = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'/';
    let mut end = scan.run(start, LONGEST, belongs);
    while end > start && end - start < LONGEST {
        let gap = scan.run(end, GAP + 1, |byte| b" -./_".contains(&byte));
        let between = &scan.bytes[end..gap];
        let capital = plate && between == b" ";
        let goes_on = scan
            .at(gap)
            .is_some_and(|next| next.is_ascii_digit() || (capital && next.is_ascii_uppercase()));
        if !goes_on || !is_gap(between) {
            break;
        }
        end = scan.run(gap, LONGEST, belongs);
    }
    let text = scan.text.get(start..end).unwrap_or_default();
    start + text.trim_end_matches(['-', '/', ' ']).len()
}

/// Whether two groups of a value may be parted so: by blanks, or by one other sign with a
/// blank on both sides or on none. A full stop and a blank end a sentence.
fn is_gap(between: &[u8]) -> bool {
    let blank = |byte: &u8| *byte == b' ';
    match between {
        [] => false,
        [_] => true,
        _ if between.len() > GAP => false,
        [b' ', _, b' '] => true,
        _ => between.iter().all(blank),
    }
}

/// Whether a value has the shape that its kind has.
fn fits(value: &[u8], kind: Value) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = value.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let count = digits + letters;
    let same = value
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .all(|digit| value.iter().find(|byte| byte.is_ascii_digit()) == Some(digit));
    let real = !same || digits < 4 || kind == Value::Plate;
    real && value.len() <= LONGEST
        && match kind {
            Value::Date => false,
            Value::Record => digits >= 4 && (5..=20).contains(&count) && letters <= 6,
            Value::Passport => {
                (6..=12).contains(&count) && digits >= 5 && letters <= 4 && count == value.len()
            }
            Value::Licence => (5..=20).contains(&count) && digits >= 4,
            Value::Account => letters == 0 && (6..=17).contains(&digits),
            Value::Plate => {
                let small = value.iter().any(u8::is_ascii_lowercase);
                (4..=9).contains(&count) && digits >= 1 && letters >= 1 && !small
            }
        }
}

/// The first date behind a label, without a line between.
fn after(scan: &Scan<'_>, from: usize) -> Option<(usize, usize)> {
    let reach = scan.run(from, REACH, |byte| !matches!(byte, b'\n' | b';'));
    dates(scan, from, reach, true).next()
}

/// A date right in front of a label: `1980-03-12 (DOB)`.
fn before(scan: &Scan<'_>, until: usize) -> Option<(usize, usize)> {
    dates(scan, until.saturating_sub(BACK), until, false).find(|&(_, end)| {
        let gap = scan.bytes.get(end..until);
        gap.is_some_and(|gap| gap.len() <= 3 && gap.iter().all(|byte| b" (-,".contains(byte)))
    })
}

/// The dates that begin between `from` and `until`. Every one has digits, so only the
/// runs of them are looked at, and the word in front of each.
fn dates(
    scan: &Scan<'_>,
    from: usize,
    until: usize,
    behind: bool,
) -> impl Iterator<Item = (usize, usize)> {
    let runs = &scan.marks.digits;
    let first = runs.partition_point(|run| run.start < from);
    let last = first + runs[first..].partition_point(|run| run.start < until);
    // The first behind a word and the last in front of one are these at most.
    let near = match behind {
        _ if last - first <= NEAR => first..last,
        true => first..first + NEAR,
        false => last - NEAR..last,
    };
    runs[near]
        .iter()
        .flat_map(move |run| {
            let gap = scan.run_back(run.start, 3, |byte| b" .-,/".contains(&byte));
            let word =
                scan.run_back(gap, 12, |byte| !byte.is_ascii() || byte.is_ascii_alphabetic());
            // `はJanuary`: some scripts are written without blanks.
            let latin = scan.run_back(gap, 12, |byte| byte.is_ascii_alphabetic());
            let other = (latin > word).then_some(latin.max(from));
            let named = (word < gap).then_some(word.max(from));
            [named, other, Some(run.start)].into_iter().flatten()
        })
        .filter(|&at| date::may_begin(scan, at))
        .filter_map(|at| Some((at, date::end(scan, at)?)))
}

#[cfg(test)]
mod tests;
