//! Values whose names stand where the layout puts them: at the head of a column, in the
//! element before, in a list of columns.
//!
//! What a reader sees together is put together, `head": "value`, as for the members of an
//! object, and read as it then stands. Bounded by the text: each cell is read once, and
//! only where a word that announces something heads it.

mod announced;
mod cells;
mod elements;

use std::ops::Range;

pub(crate) use announced::Announced;
pub(crate) use cells::cells;
pub(crate) use elements::without_elements;

/// A cell and what stands at its head. Ranges of bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) head: Range<usize>,
    pub(crate) value: Range<usize>,
}

impl Cell {
    /// The longest head.
    const HEAD_BYTES: usize = 96;

    /// Lengths of a value that can be something.
    const VALUE_BYTES: std::ops::RangeInclusive<usize> = 4..=256;

    /// Whether a text can be the head of a value.
    fn is_head(name: &str) -> bool {
        name.len() <= Cell::HEAD_BYTES && name.chars().any(char::is_alphabetic)
    }

    /// A cell, unless nothing in it could be a value.
    fn of(text: &str, head: Range<usize>, value: Range<usize>) -> Option<Cell> {
        let inside = &text[value.clone()];
        let digit = inside.bytes().any(|byte| byte.is_ascii_digit());
        let word = inside.len() >= 6 && !inside.contains(' ');
        let fits = Cell::VALUE_BYTES.contains(&inside.len()) && (digit || word);
        fits.then_some(Cell { head, value })
    }
}

/// The range without blanks, quotation marks and the marks of Markdown at its ends.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let inside = &text[range.clone()];
    let mark = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '*' | '|');
    let start = range.start + (inside.len() - inside.trim_start_matches(mark).len());
    let end = range.end - (inside.len() - inside.trim_end_matches(mark).len());
    start..end.max(start)
}
