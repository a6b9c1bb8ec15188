//! Numbers that states, registries and health systems give to people and companies.
//!
//! Every one is a row of a table: how it is written, what is checked beyond that, the
//! words that announce it, and how sure a finding is with and without such a word. All
//! the ways of writing are one automaton over classes of characters, so a candidate is
//! read once however many rows there are.

pub(crate) mod check;
mod forms;
mod loose;
mod table;

pub(crate) use table::tables;

use std::borrow::Cow;

use ringfence_chat::{Kind, Segment};

use crate::candidate::{IBAN, PAYMENT_CARD, Span};
use crate::context::{self, Around};
use crate::scan::{Run, Scan};
use forms::Forms;
use loose::Loose;

/// Score of what a check digit or a rare shape tells together with a word for it.
const NAMED: f32 = 0.95;

/// Score of a text that is nothing but a number whose check digit one in ten has.
const LIKELY: f32 = 0.5;

/// The same when one in fifty passes the check, or fewer.
const SELDOM: f32 = 0.55;

/// Score from which a number may stand right behind a word: `is131052A308T`.
const GLUED: f32 = 0.85;

/// The fewest digits in front of such a number.
const GLUED_DIGITS: usize = 6;

/// How many signs, quotation marks and blanks may stand around a number in a text that is
/// nothing but the number.
const AROUND: usize = 8;

/// The longest number, with what separates its groups.
const LONGEST: usize = 24;

/// How many groups of letters may stand in front of the first digit.
const LETTER_GROUPS: usize = 2;

/// The longest of such groups.
const LETTERS: usize = 4;

/// A row of the table.
pub(crate) struct Id {
    /// The name of its findings.
    pub(crate) entity: &'static str,
    /// How it is written: `9` is a digit, `A` a letter, `X` either, `_` a hyphen, a full
    /// stop or a blank, the same in the whole number.
    forms: &'static [&'static str],
    /// What holds for the letters (as capitals) and digits of every one.
    check: fn(&[u8]) -> bool,
    /// Words that announce it, in small letters.
    words: &'static [&'static str],
    /// The score without such a word, in one piece and in groups; zero for none.
    alone: (f32, f32),
    /// The score when the text is nothing but the number, as somebody who was asked for it
    /// answers; zero when that tells nothing.
    lone: f32,
    /// What is checked, for people.
    pub(crate) checked: &'static str,
    /// A text with one in it.
    pub(crate) example: &'static str,
}

impl Id {
    const fn new(
        entity: &'static str,
        forms: &'static [&'static str],
        check: fn(&[u8]) -> bool,
        words: &'static [&'static str],
        checked: &'static str,
        example: &'static str,
    ) -> Id {
        Id { entity, forms, check, words, alone: (0.0, 0.0), lone: 0.0, checked, example }
    }

    /// Reported without a word too: with this score in one piece, and this in groups.
    const fn alone(self, piece: f32, groups: f32) -> Id {
        Id { alone: (piece, groups), ..self }
    }

    /// Reported with this score when it is all that a text says: with [`LIKELY`] when one
    /// number in ten or fewer passes the check, with [`SELDOM`] when one in fifty does.
    const fn lone(self, score: f32) -> Id {
        Id { lone: score, ..self }
    }
}

/// The words of every row.
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    tables().chain(loose::MORE.iter()).flat_map(|id| id.words.iter().copied())
}

/// The table and its automaton.
pub(crate) struct National {
    ids: Vec<&'static Id>,
    forms: Forms,
    loose: Loose,
}

impl National {
    /// Compiles the table; takes a few milliseconds.
    pub(crate) fn new() -> National {
        let ids: Vec<&Id> = tables().collect();
        let forms = Forms::new(ids.iter().map(|id| id.forms));
        let loose = Loose::new(&ids);
        National { ids, forms, loose }
    }

    /// Finds what the table describes, around every run of digits.
    pub(crate) fn find(&self, scan: &Scan<'_>, out: &mut Vec<Span>) {
        let mut done = 0;
        let mut around = Around::default();
        let mut words = Letters::default();
        // Cards and accounts are settled: no part of one is another number.
        let settled = |span: &&Span| matches!(span.entity, PAYMENT_CARD | IBAN);
        let mut settled: Vec<Span> = out.iter().filter(settled).copied().collect();
        settled.sort_by_key(|span| span.start);
        for run in &scan.marks.digits {
            if run.start < done {
                continue;
            }
            let after = settled.partition_point(|span| span.end <= run.start);
            if settled.get(after).is_some_and(|span| span.start <= run.start && span.score >= 0.9) {
                continue;
            }
            let group = scan.run_back(run.start, LONGEST, |byte| byte.is_ascii_alphanumeric());
            // The group is looked at once, from its first digit.
            done = run.end;
            let starts = self.starts(scan, group);
            let starts = || starts.into_iter().flatten();
            let usual = starts().find_map(|at| self.at(scan, at, &mut around));
            // A word for a number in odd groups says more than a check alone.
            let sure = usual.is_some_and(|span| span.score >= loose::SCORE);
            // Only a word tells a number in odd groups from any other.
            let worded = !sure && words.are_near(scan, run);
            let mut odd = || starts().find_map(|at| self.loose.at(scan, at, &mut around));
            let found = if !worded { usual } else { odd().or(usual) };
            let found = found.or_else(|| self.glued(scan, group, run, &mut around));
            if let Some(span) = found {
                done = span.end.max(done);
                out.push(span);
            }
        }
    }

    /// Where a number may begin whose first digit is in the group that begins at `group`.
    fn starts(&self, scan: &Scan<'_>, group: usize) -> [Option<usize>; LETTER_GROUPS + 1] {
        let mut starts = [None; LETTER_GROUPS + 1];
        starts[LETTER_GROUPS] = Some(group);
        for slot in (0..LETTER_GROUPS).rev() {
            let Some(after) = starts[slot + 1] else { break };
            if !scan.before(after).is_some_and(|byte| b" -.".contains(&byte)) {
                break;
            }
            let letters = scan.run_back(after - 1, LETTERS + 1, |byte| byte.is_ascii_alphabetic());
            if !(1..=LETTERS).contains(&(after - 1 - letters)) || !scan.begins(letters) {
                break;
            }
            starts[slot] = Some(letters);
        }
        starts
    }

    /// The number right behind a word of small letters, where it can be nothing else.
    fn glued(
        &self,
        scan: &Scan<'_>,
        group: usize,
        run: &Run,
        around: &mut Around,
    ) -> Option<Span<'static>> {
        let word = &scan.bytes[group..run.start];
        let is_word = word.len() >= 2 && word.iter().all(u8::is_ascii_lowercase);
        if !is_word || run.len() < GLUED_DIGITS || !scan.begins(group) {
            return None;
        }
        self.longest(scan, run.start, around).filter(|span| span.score >= GLUED)
    }

    /// The longest number that begins at `start`, where one may begin.
    fn at(&self, scan: &Scan<'_>, start: usize, around: &mut Around) -> Option<Span<'static>> {
        begins(scan, start).then(|| self.longest(scan, start, around)).flatten()
    }

    fn longest(&self, scan: &Scan<'_>, start: usize, around: &mut Around) -> Option<Span<'static>> {
        let mut ends = [(0_u8, 0_u16); LONGEST + 1];
        let mut count = 0;
        self.forms.walk(&scan.bytes[start..], |length, state| {
            if count < ends.len() && ends_at(scan, start + length) {
                ends[count] = (length as u8, state);
                count += 1;
            }
        });
        for &(length, state) in ends[..count].iter().rev() {
            let text = &scan.bytes[start..start + usize::from(length)];
            let best = self
                .forms
                .accepted(state)
                .iter()
                .filter_map(|&id| score(scan, start, text, self.ids[usize::from(id)], around))
                // Of equals the first row.
                .min_by(|a, b| b.score.total_cmp(&a.score));
            if best.is_some() {
                return best;
            }
        }
        None
    }
}

/// Where the letters are next to the digits that are looked at, from left to right.
#[derive(Default)]
struct Letters {
    /// Up to where the text was looked at, and one past the last letter so far.
    seen: usize,
    last: usize,
}

impl Letters {
    /// Whether any stand where a word for a number at `run` may stand.
    fn are_near(&mut self, scan: &Scan<'_>, run: &Run) -> bool {
        let letter = |byte: &u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
        let until = (run.end + loose::REACH).min(scan.bytes.len());
        if self.last > run.start {
            return true;
        }
        let from = self.seen.max(self.last).min(until);
        // Any letter behind the digits will do, and the last one before them.
        let before = scan.bytes[from.min(run.start)..run.start].iter().rposition(letter);
        self.last = before.map_or(self.last, |at| from + at + 1);
        let after = scan.bytes[from.max(run.start)..until].iter().position(letter);
        self.seen = until;
        if let Some(at) = after {
            self.last = from.max(run.start) + at + 1;
            self.seen = self.last;
        }
        self.last > 0 && self.last + context::BEFORE >= run.start
    }
}

/// The finding that `text` at `start` is of this row.
fn score(
    scan: &Scan<'_>,
    start: usize,
    text: &[u8],
    id: &Id,
    around: &mut Around,
) -> Option<Span<'static>> {
    let mut characters = [0; LONGEST];
    let mut count = 0;
    let mut small = false;
    for &byte in text.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        small |= byte.is_ascii_lowercase();
        characters[count] = byte.to_ascii_uppercase();
        count += 1;
    }
    let characters = &characters[..count];
    let repeated = characters.iter().all(|&byte| byte == characters[0]);
    if repeated || !(id.check)(characters) {
        return None;
    }
    let end = start + text.len();
    let alone = if count == text.len() { id.alone.0 } else { id.alone.1 };
    let sure = match around.says(scan.text, start, end, id.words) {
        true => NAMED.max(alone),
        // Small letters are how programs write their own names.
        false
            if alone > 0.0 && !small && !is_joined(scan, start) && !in_table(scan, start, end) =>
        {
            alone.max(if is_answer(scan, start, end, characters) { id.lone } else { 0.0 })
        }
        false if alone.max(id.lone) > 0.0 && is_answer(scan, start, end, characters) => {
            alone.max(id.lone)
        }
        false => return None,
    };
    Some(Span::new(start, end, id.entity, sure))
}

/// The text of a segment as it is read: a number that stands alone answers a question where
/// people write. In the members of a tool's arguments numbers of everything stand alone, so
/// there blanks are added behind.
pub(crate) fn asked(segment: &Segment) -> Cow<'_, str> {
    let short = segment.text.len() <= LONGEST + 2 * AROUND;
    if segment.kind == Kind::Text || !short || !segment.text.bytes().any(|b| b.is_ascii_digit()) {
        return Cow::Borrowed(&segment.text);
    }
    Cow::Owned(format!("{}{:AROUND$} ", segment.text, ""))
}

/// Whether a text is nothing but the number, with signs and blanks around it: somebody was
/// asked for it. Two different digits alone are what tests are written with.
fn is_answer(scan: &Scan<'_>, start: usize, end: usize, characters: &[u8]) -> bool {
    let sign = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`.".contains(byte);
    let first = characters.first();
    let other = characters.iter().find(|byte| Some(*byte) != first);
    let several = characters
        .iter()
        .any(|byte| byte.is_ascii_alphabetic() || Some(byte) != first && Some(byte) != other);
    several
        && start <= AROUND
        && scan.bytes.len() - end <= AROUND
        && scan.bytes[..start].iter().all(sign)
        && scan.bytes[end..].iter().all(sign)
}

/// Whether a number is a part of a name: `CNIC_19248-4086654-4`.
fn is_joined(scan: &Scan<'_>, start: usize) -> bool {
    scan.before(start) == Some(b'_')
}

/// Whether groups parted by blanks have further groups before or behind them: numbers
/// in a row of a table, which pass any check now and then.
fn in_table(scan: &Scan<'_>, start: usize, end: usize) -> bool {
    scan.bytes[start..end].contains(&b' ')
        && (scan.follows(start, b' ') || scan.continues(end, b' '))
}

/// No letter, digit or sign of a longer number stands in front.
fn begins(scan: &Scan<'_>, start: usize) -> bool {
    let sign = scan.before(start).is_some_and(|byte| b".,-/:+$%".contains(&byte));
    // `12:30` is longer than its minutes, and `BSN:431394398` is a word and its number.
    let colon = scan.before(start) == Some(b':');
    let goes_on = |byte: u8| byte.is_ascii_digit() || !colon && byte.is_ascii_alphabetic();
    let longer = sign && start.checked_sub(2).is_some_and(|at| goes_on(scan.bytes[at]));
    let named = is_joined(scan, start)
        && start.checked_sub(2).is_some_and(|at| scan.bytes[at].is_ascii_alphabetic());
    (scan.begins(start) || named) && !longer && !matches!(scan.before(start), Some(b'+' | b'$'))
}

fn ends_at(scan: &Scan<'_>, end: usize) -> bool {
    let longer = scan.at(end).is_some_and(|byte| b".,-/:@%".contains(&byte))
        && scan.at(end + 1).is_some_and(|next| next.is_ascii_alphanumeric());
    scan.ends(end) && !longer && !matches!(scan.at(end), Some(b'%' | b'@'))
}

#[cfg(test)]
mod tests;
