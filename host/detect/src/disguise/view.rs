//! A text with its disguises undone, and where each byte of it came from.

/// How far back a word is looked at, in bytes.
const WORD: usize = 64;

/// A piece of a view.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Where it begins in the view.
    view: usize,
    /// What it came from.
    start: usize,
    end: usize,
    /// True when it is the original's own bytes, so that offsets inside it count.
    same: bool,
}

/// A text with its disguises undone.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) text: String,
    /// True when something was undone that can hide a value; a backslash before a
    /// quotation mark cannot.
    pub(crate) hides: bool,
    pieces: Vec<Piece>,
}

impl View {
    /// The bytes of the original that `start..end` came from; not empty when that is
    /// not.
    pub(crate) fn origin(&self, start: usize, end: usize) -> (usize, usize) {
        let first = self.piece(start);
        let last = self.piece(end.saturating_sub(1));
        let from = if first.same { first.start + (start - first.view) } else { first.start };
        let to = if last.same { last.start + (end - last.view) } else { last.end };
        (from, to)
    }

    fn piece(&self, at: usize) -> Piece {
        let after = self.pieces.partition_point(|piece| piece.view <= at);
        self.pieces[after.saturating_sub(1)]
    }
}

/// Builds a view from left to right.
pub(crate) struct Builder {
    text: String,
    pieces: Vec<Piece>,
    changed: bool,
    hides: bool,
}

impl Builder {
    pub(crate) fn new(capacity: usize) -> Builder {
        Builder {
            text: String::with_capacity(capacity),
            pieces: Vec::new(),
            changed: false,
            hides: false,
        }
    }

    /// The last character so far.
    pub(crate) fn last(&self) -> Option<char> {
        self.text.chars().next_back()
    }

    /// Whether the signs and letters so far, back to a blank, have a Latin letter or a digit.
    pub(crate) fn is_among_latin(&self) -> bool {
        let word = self.text.bytes().rev().take(WORD).take_while(u8::is_ascii_graphic);
        word.into_iter().any(|byte| byte.is_ascii_alphanumeric())
    }

    /// Whether a digit and a blank are the last characters so far.
    pub(crate) fn is_after_number(&self) -> bool {
        matches!(self.text.as_bytes(), [.., b'0'..=b'9', b' '])
    }

    /// Takes text of the original that begins at `start` as it is.
    pub(crate) fn keep(&mut self, text: &str, start: usize) {
        if text.is_empty() {
            return;
        }
        let end = start + text.len();
        match self.pieces.last_mut() {
            Some(last) if last.same && last.end == start => last.end = end,
            _ => self.pieces.push(Piece { view: self.text.len(), start, end, same: true }),
        }
        self.text.push_str(text);
    }

    /// Takes `means` for `start..end` of the original.
    pub(crate) fn change(&mut self, means: Option<char>, start: usize, end: usize, hides: bool) {
        self.changed = true;
        self.hides |= hides;
        if let Some(c) = means {
            self.pieces.push(Piece { view: self.text.len(), start, end, same: false });
            self.text.push(c);
        }
    }

    /// Takes several characters for `start..end`.
    pub(crate) fn change_all(
        &mut self,
        means: impl Iterator<Item = char>,
        start: usize,
        end: usize,
    ) {
        self.changed = true;
        self.hides = true;
        let view = self.text.len();
        self.text.extend(means);
        if self.text.len() > view {
            self.pieces.push(Piece { view, start, end, same: false });
        }
    }

    /// Leaves a character of the original out.
    pub(crate) fn drop_character(&mut self) {
        self.changed = true;
        self.hides = true;
    }

    /// The view, if it differs from the original and says anything.
    pub(crate) fn finish(self) -> Option<View> {
        let differs = self.changed && !self.pieces.is_empty();
        differs.then_some(View { text: self.text, hides: self.hides, pieces: self.pieces })
    }
}
