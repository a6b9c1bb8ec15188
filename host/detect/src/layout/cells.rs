//! Tables of delimited lines, and lists of columns with lists of values.

use std::ops::Range;

use super::{Cell, trimmed};

/// What parts the cells of a line.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// The longest line of a table.
const LINE_BYTES: usize = 2_048;

/// Columns of a table at most.
const COLUMNS: usize = 256;

/// Lists of values after one list of columns at most.
const LISTS: usize = 1_000;

/// The heads of a table's columns; nothing for those that announce nothing.
type Heads = Vec<Option<Range<usize>>>;

/// The cells of every table in a text that stand under a head which announces something.
pub(crate) fn cells(text: &str, announces: &dyn Fn(&str) -> bool) -> Vec<Cell> {
    let mut cells = Vec::new();
    if text.contains('\n') {
        tables(text, announces, &mut cells);
        questions(text, announces, &mut cells);
    }
    for word in ["VALUES", "values", "Values"] {
        for (at, _) in text.match_indices(word) {
            insert(text, at, at + word.len(), announces, &mut cells);
        }
    }
    cells
}

/// Lines that follow each other and have the same number of one delimiter: the first is the
/// head.
fn tables(text: &str, announces: &dyn Fn(&str) -> bool, out: &mut Vec<Cell>) {
    let is_file = text.contains("data:");
    let mut before: Option<(Range<usize>, [usize; 4])> = None;
    // The table that goes on: its delimiter, how many there are, and its heads.
    let mut open: Option<(usize, usize, Heads)> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end_matches(['\n', '\r']).len();
        // What announces a file is no part of its first line.
        let range = start + if is_file { announced(&text[start..end]) } else { 0 }..end;
        start += line.len();
        let counts = counts(&text[range.clone()]);
        if let Some((delimiter, count, heads)) = &open {
            if counts[*delimiter] == *count {
                row(text, &range, DELIMITERS[*delimiter], heads, out);
                continue;
            }
            open = None;
        }
        let same = before.as_ref().and_then(|(first, known)| {
            let same = (0..4).find(|&at| known[at] > 0 && known[at] == counts[at])?;
            Some((same, heads(text, first, DELIMITERS[same], announces)))
        });
        if let Some((delimiter, heads)) = same {
            row(text, &range, DELIMITERS[delimiter], &heads, out);
            open = Some((delimiter, counts[delimiter], heads));
            before = None;
            continue;
        }
        before = (counts != [0; 4]).then_some((range, counts));
    }
}

/// The heads in the first line of a table. One cell is none, but between bars: lists of
/// code end every line with a comma.
fn heads(
    text: &str,
    line: &Range<usize>,
    delimiter: u8,
    announces: &dyn Fn(&str) -> bool,
) -> Heads {
    if !announces(&text[line.clone()]) {
        return Heads::new();
    }
    let cells = split(text, line, delimiter);
    if delimiter != b'|' && cells.iter().filter(|cell| !cell.is_empty()).count() < 2 {
        return Heads::new();
    }
    cells.into_iter().map(|cell| head(text, cell, announces)).collect()
}

/// A cell as a head: a name, which announces something.
fn head(text: &str, cell: Range<usize>, announces: &dyn Fn(&str) -> bool) -> Option<Range<usize>> {
    // What stands before a quotation mark is what the table stands in.
    let begin = text[cell.clone()].rfind('"').map_or(cell.start, |at| cell.start + at + 1);
    let name = &text[begin..cell.end];
    let sign = |c: char| c.is_alphanumeric() || " _-./#'’°()".contains(c);
    let is_name = Cell::is_head(name) && name.trim_end_matches(':').chars().all(sign);
    (is_name && announces(name)).then_some(begin..cell.end)
}

/// A question and, in the next line, its answer: `What is your plate number?`, `It is 8OXX757.`
fn questions(text: &str, announces: &dyn Fn(&str) -> bool, out: &mut Vec<Cell>) {
    for (at, _) in text.match_indices("?\n") {
        let answer = at + 2;
        let from = text.ceil_char_boundary(at.saturating_sub(Cell::HEAD_BYTES));
        let line = text[from..at].rfind('\n').map_or(from, |end| from + end + 1);
        // A piece of a word is no word.
        let piece = text[line..at].find(' ').map_or(0, |blank| blank + 1);
        let begins = line == 0 || text.as_bytes()[line - 1] == b'\n';
        let head = if begins { line } else { line + piece };
        let asked = text[head..at].trim_end_matches("please").trim_end_matches([',', ' ']);
        let at = head + asked.len();
        if !Cell::is_head(asked) || !announces(asked) {
            continue;
        }
        let until = text[answer..].find('\n').map_or(text.len(), |end| answer + end);
        let until = text.floor_char_boundary(until.min(answer + LINE_BYTES));
        // The answer is the end of the line, from the first word with a digit.
        let mut word = answer;
        for part in text[answer..until].split_inclusive(' ') {
            if part.bytes().any(|byte| byte.is_ascii_digit()) {
                break;
            }
            word += part.len();
        }
        // A month or letters of a number may stand in front.
        for part in text[answer..word].trim_end().rsplit(' ').take(2) {
            let capital = part.starts_with(|c: char| c.is_uppercase());
            if !capital || !part.chars().all(char::is_alphabetic) {
                break;
            }
            word -= part.len() + 1;
        }
        let value = trimmed(text, word..until);
        let value = value.start..value.start + text[value].trim_end_matches(['.', '!', ',']).len();
        out.extend(Cell::of(text, head..at, value));
    }
}

/// The length of `data:text/plain,` and of what stands before it.
fn announced(line: &str) -> usize {
    let data = line.find("data:").filter(|_| line.len() <= LINE_BYTES);
    data.and_then(|at| Some(at + line[at..].find(',')? + 1)).unwrap_or(0)
}

/// How many of each delimiter stand in a line, outside quotation marks; none in one that is
/// too long.
fn counts(line: &str) -> [usize; 4] {
    let mut counts = [0; 4];
    if line.len() > LINE_BYTES {
        return counts;
    }
    let bytes = line.as_bytes();
    let (mut quoted, mut at) = (false, 0);
    while let Some(next) = bytes[at..].iter().position(|&byte| CLASSES[byte as usize] != 0) {
        at += next;
        match CLASSES[bytes[at] as usize] {
            QUOTE if is_quote(quoted, at.checked_sub(1).map_or(0, |before| bytes[before])) => {
                quoted = !quoted;
            }
            QUOTE => {}
            place if !quoted => counts[place as usize - 1] += 1,
            _ => {}
        }
        at += 1;
    }
    counts
}

/// The class of a quotation mark; those of the delimiters are their places, from one on.
const QUOTE: u8 = DELIMITERS.len() as u8 + 1;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    classes[b'"' as usize] = QUOTE;
    let mut place = 0;
    while place < DELIMITERS.len() {
        classes[DELIMITERS[place] as usize] = place as u8 + 1;
        place += 1;
    }
    classes
};

/// Whether a quotation mark keeps delimiters together, or ends that: one in the middle of a
/// cell does not.
fn is_quote(quoted: bool, before: u8) -> bool {
    quoted || before == 0 || DELIMITERS.contains(&before)
}

fn row(
    text: &str,
    line: &Range<usize>,
    delimiter: u8,
    heads: &[Option<Range<usize>>],
    out: &mut Vec<Cell>,
) {
    if heads.iter().any(Option::is_some) {
        under(text, heads, split(text, line, delimiter), out);
    }
}

/// Each value under its head.
fn under(
    text: &str,
    heads: &[Option<Range<usize>>],
    values: Vec<Range<usize>>,
    out: &mut Vec<Cell>,
) {
    let pairs = heads.iter().zip(values);
    out.extend(pairs.filter_map(|(head, value)| Cell::of(text, head.clone()?, value)));
}

/// The pieces of a line, trimmed.
fn split(text: &str, line: &Range<usize>, delimiter: u8) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let (mut from, mut quoted, mut before) = (line.start, false, 0);
    for (offset, byte) in text.as_bytes()[line.clone()].iter().enumerate() {
        let at = line.start + offset;
        let last = std::mem::replace(&mut before, *byte);
        if *byte == b'"' && is_quote(quoted, last) {
            quoted = !quoted;
        } else if *byte == delimiter && !quoted && pieces.len() < COLUMNS {
            pieces.push(trimmed(text, from..at));
            from = at + 1;
        }
    }
    pieces.push(trimmed(text, from..line.end));
    pieces
}

/// `(a, b) VALUES (1, 'x'), (2, 'y')`: the word stands at `start..end`.
fn insert(
    text: &str,
    start: usize,
    end: usize,
    announces: &dyn Fn(&str) -> bool,
    out: &mut Vec<Cell>,
) {
    let before = text[..start].trim_end();
    let from = text.floor_char_boundary(before.len().saturating_sub(LINE_BYTES));
    let Some(open) =
        before.strip_suffix(')').and_then(|list| list[from.min(list.len())..].rfind('('))
    else {
        return;
    };
    if !text[end..].trim_start().starts_with('(') {
        return;
    }
    let columns = from + open + 1..before.len() - 1;
    if !announces(&text[columns.clone()]) {
        return;
    }
    let heads: Heads =
        split(text, &columns, b',').into_iter().map(|cell| head(text, cell, announces)).collect();
    let mut at = end;
    for _ in 0..LISTS {
        let rest = &text[at..];
        let open = rest.len() - rest.trim_start_matches([' ', '\n', '\r', '\t', ',']).len();
        let Some(list) = rest[open..].strip_prefix('(') else { return };
        let Some(length) = closing(list) else { return };
        let from = at + open + 1;
        under(text, &heads, listed(text, from..from + length), out);
        at = from + length + 1;
    }
}

/// The values of a list; single quotation marks keep commas together here.
fn listed(text: &str, list: Range<usize>) -> Vec<Range<usize>> {
    let mut values = Vec::new();
    let (mut from, mut quoted) = (list.start, false);
    for (offset, byte) in text.as_bytes()[list.clone()].iter().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b',' if !quoted => {
                values.push(trimmed(text, from..list.start + offset));
                from = list.start + offset + 1;
            }
            _ => {}
        }
    }
    values.push(trimmed(text, from..list.end));
    values
}

/// Where a list ends, outside quotation marks.
fn closing(list: &str) -> Option<usize> {
    let mut quoted = false;
    list.bytes().take(LINE_BYTES).position(|byte| {
        quoted ^= byte == b'\'';
        byte == b')' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(&str, &str)> {
        let cells = cells(text, &|_| true);
        let pair = |cell: &Cell| (&text[cell.head.clone()], &text[cell.value.clone()]);
        let mut pairs: Vec<(&str, &str)> = cells.iter().map(pair).collect();
        pairs.sort_unstable();
        pairs
    }

    #[test]
    fn cells_have_the_heads_of_their_columns() {
        for (text, expected) in [
            (
                "row,nhs_number,note\n1,943 476 5919,first call\n2,12345,\n",
                &[("nhs_number", "12345"), ("nhs_number", "943 476 5919")][..],
            ),
            ("a;b\r\n\"x;y\";12345\r\n", &[("b", "12345")]),
            ("mrn\tx\n4886-56263\t1", &[("mrn", "4886-56263")]),
            (
                "text\n\n| row | account number |\n|---|---|\n| 1 | 85204764 |\n",
                &[("account number", "85204764")],
            ),
            (
                "INSERT INTO t (row, mrn) VALUES (872, '4886-56263'), (1, 'a,b)4');",
                &[("mrn", "4886-56263"), ("mrn", "a,b)4")],
            ),
            (
                "Agent: Could you give me your number plate, please?\nCustomer: Sure, it's 8OXX757.\n",
                &[("Agent: Could you give me your number plate", "8OXX757")],
            ),
            ("Your DOB?\nIt is February 6, 1962.", &[("Your DOB", "February 6, 1962")]),
            ("{\"note\":\"row,hkid\n6,Y283046(7)\n", &[("hkid", "Y283046(7)")]),
            ("Read data:text/plain,row,hetu,note\n7,061279-708S,\n", &[("hetu", "061279-708S")]),
            ("one, two\nthree, four and more, five\n", &[]),
            ("no table", &[]),
        ] {
            assert_eq!(pairs(text), expected, "{text}");
        }
    }

    #[test]
    fn heads_are_names_that_announce() {
        let announces = |head: &str| head.contains("token");
        for (text, values) in [
            ("row,token\n1,abc1234\n", &["abc1234"][..]),
            ("row,note\n1,abc1234\n", &[]),
            // Lists of code are no tables.
            ("  pass_token: Token,\n  version: u32,\n  flags: u8,\n", &[]),
            ("\"TOKEN token\",\n\"X50912\",\n", &[]),
            ("f(token=None, a=1,\n  b1=abc1234, c)\n", &[]),
            ("t (token) VALUES ('abc1234')", &["abc1234"]),
            ("t (a, note) VALUES (1, 'abc1234')", &[]),
            ("Which token?\nabc1234\n", &["abc1234"]),
            ("Which one?\nabc1234\n", &[]),
        ] {
            let cells = cells(text, &announces);
            let found: Vec<&str> = cells.iter().map(|cell| &text[cell.value.clone()]).collect();
            assert_eq!(found, values, "{text}");
        }
    }
}
