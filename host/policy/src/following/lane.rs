//! What is held of one stretch of an answer, and what of it may go.

use std::ops::Range;

use ringfence_chat::SegmentId;
use ringfence_fence::{Finding, Nonsense};

use super::Readable;
use super::cut::Cut;

/// Bytes that the host holds of a window that is not the last one, for a policy that
/// works from findings: what a detector needs to see behind something to know where it
/// ends.
pub const TAIL_BYTES: usize = 256;
/// Bytes of a word that the tail may begin with. A longer one is split.
pub const WORD_BYTES: usize = 4 << 10;
/// The most that a policy may ask to hold.
pub const HOLD_BYTES: usize = 4 << 10;
/// The most that is held at all: a finding that still goes on after so much fails the
/// policy, because its beginning would have to go out before its end is known.
pub const HELD_BYTES: usize = 16 << 10;
/// Bytes of the line that a private key begins with.
const KEY_MARKER_BYTES: usize = 64;
/// Bytes of what went out that detectors still see, for the words around a finding.
const CONTEXT_BYTES: usize = 128;

/// A piece of an answer, with the spans of it that were placeholders and are the
/// client's own values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Passage {
    /// The text.
    pub text: String,
    /// Spans in bytes, in order.
    pub restored: Vec<Range<usize>>,
}

/// What one policy has seen of one stretch.
#[derive(Default)]
pub(crate) struct Lane {
    /// The end of what went out, as it was before it was changed.
    context: String,
    held: Passage,
}

/// What a policy wants done with a window, its stop aside.
#[derive(Debug)]
pub(crate) enum Wish {
    Release,
    /// In order, checked against the window.
    Edit(Vec<Cut>),
    Hold(usize),
}

impl Passage {
    /// Appends another.
    pub fn append(&mut self, other: &Passage) {
        let from = self.text.len();
        self.text.push_str(&other.text);
        self.restored.extend(other.restored.iter().map(|span| span.start + from..span.end + from));
    }

    /// Cuts it in two; `at` is a character boundary.
    fn split_off(&mut self, at: usize) -> Passage {
        let text = self.text.split_off(at);
        let rest = clipped(&self.restored, at..at + text.len(), 0);
        self.restored = clipped(&self.restored, 0..at, 0);
        Passage { text, restored: rest }
    }
}

/// A passage is somebody's words.
impl std::fmt::Debug for Passage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Passage({} bytes, {} restored)", self.text.len(), self.restored.len())
    }
}

impl Lane {
    /// What was held, and now what is new: the window.
    pub(crate) fn take(&mut self, new: &Passage) {
        self.held.append(new);
    }

    /// The window.
    pub(crate) fn window(&self) -> &Passage {
        &self.held
    }

    /// What `read` finds in the window, in the light of what went before. What began in
    /// what went out already begins where the window does.
    ///
    /// # Errors
    /// [`Nonsense::TooMuch`] when it could not be read to its end, because what nobody
    /// could read must not pass for clean.
    pub(crate) fn findings(&self, read: &Readable<'_>) -> Result<Vec<Finding>, Nonsense> {
        let before = self.context.len();
        let seen = format!("{}{}", self.context, self.held.text);
        let place = |offset: u32| {
            u32::try_from((offset as usize).saturating_sub(before)).unwrap_or(u32::MAX)
        };
        let found = read(&seen).ok_or(Nonsense::TooMuch)?;
        let found = (found.into_iter())
            .map(|found| Finding {
                segment: SegmentId(0),
                start: place(found.start),
                end: place(found.end),
                ..found
            })
            .filter(|found| found.start < found.end);
        Ok(found.collect())
    }

    /// Lets go what may go, and tells how many cuts are in it. `findings` are those that the policy was shown; with them the
    /// host holds a tail, so that none is split.
    ///
    /// # Errors
    /// [`Nonsense::TooMuch`] when more would have to be held than [`HELD_BYTES`].
    pub(crate) fn settle(
        &mut self,
        wish: &Wish,
        findings: Option<&[Finding]>,
        last: bool,
    ) -> Result<(Passage, u32), Nonsense> {
        let none = Vec::new();
        let (cuts, hold) = match wish {
            Wish::Release => (&none, 0),
            Wish::Edit(cuts) => (cuts, 0),
            Wish::Hold(bytes) => (&none, *bytes),
        };
        let text = &self.held.text;
        let goes = if last { text.len() } else { boundary(text, hold, findings, cuts) };
        if text.len() - goes > HELD_BYTES {
            return Err(Nonsense::TooMuch);
        }
        let rest = self.held.split_off(goes);
        let window = std::mem::replace(&mut self.held, rest);
        self.remember(&window.text);
        Ok(edited(&window, cuts))
    }

    fn remember(&mut self, gone: &str) {
        self.context.push_str(gone);
        let from = self.context.len().saturating_sub(CONTEXT_BYTES);
        self.context.drain(..self.context.ceil_char_boundary(from));
    }
}

/// How much of a window that is not the last one may go.
fn boundary(text: &str, hold: usize, findings: Option<&[Finding]>, cuts: &[Cut]) -> usize {
    let mut goes = text.len().saturating_sub(hold);
    if findings.is_some() {
        goes = goes.min(word_start(text, text.len().saturating_sub(TAIL_BYTES)));
    }
    if findings.is_some() {
        goes = goes.min(open_key(text).unwrap_or(goes));
    }
    goes = text.floor_char_boundary(goes);
    let found = findings.unwrap_or_default().iter().map(|found| (found.start, found.end));
    let mut spans: Vec<(usize, usize)> = found
        .chain(cuts.iter().map(|cut| (cut.start, cut.end)))
        .map(|(start, end)| (start as usize, end as usize))
        .collect();
    // What is cut in two moves the boundary, which may cut an earlier one in two.
    spans.sort_unstable_by(|one, other| other.cmp(one));
    for (start, end) in spans {
        if start < goes && goes < end {
            goes = start;
        }
    }
    goes
}

/// Where a private key begins that has not ended: no detector knows one by its middle or
/// by its end. A marker is shorter than the tail, so that none is let go in part.
fn open_key(text: &str) -> Option<usize> {
    let begins = text.rfind("-----BEGIN ")?;
    let line = &text[begins..text.floor_char_boundary(begins + KEY_MARKER_BYTES)];
    let ends = text[begins..].split_once("-----END ").is_some_and(|(_, end)| end.contains("-----"));
    (line.contains("PRIVATE KEY") && !ends).then_some(begins)
}

/// Where the word begins that `at` splits, when it splits one: no detector knows a half.
fn word_start(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    if bytes.get(at).is_none_or(|byte| !byte.is_ascii_graphic()) {
        return at;
    }
    let before = bytes[..at].iter().rev().take(WORD_BYTES + 1);
    let length = before.take_while(|byte| byte.is_ascii_graphic()).count();
    if length > WORD_BYTES { at } else { at - length }
}

/// The passage with these cuts. Those that lie behind its end are not in it.
fn edited(passage: &Passage, cuts: &[Cut]) -> (Passage, u32) {
    let mut out = Passage::default();
    let (mut from, mut made) = (0, 0);
    let keep = |out: &mut Passage, from: usize, to: usize| {
        let at = out.text.len();
        out.text.push_str(&passage.text[from..to]);
        out.restored.extend(clipped(&passage.restored, from..to, at));
    };
    for cut in cuts {
        let (start, end) = (cut.start as usize, cut.end as usize);
        if end > passage.text.len() {
            break;
        }
        keep(&mut out, from, start);
        cut.write(&mut out.text);
        (from, made) = (end, made + 1);
    }
    keep(&mut out, from, passage.text.len());
    (out, made)
}

/// The parts of `spans`, which are in order, that lie in `window`, told from `at` on.
fn clipped(spans: &[Range<usize>], window: Range<usize>, at: usize) -> Vec<Range<usize>> {
    let first = spans.partition_point(|span| span.end <= window.start);
    (spans[first..].iter())
        .take_while(|span| span.start < window.end)
        .map(|span| span.start.max(window.start)..span.end.min(window.end))
        .map(|span| span.start - window.start + at..span.end - window.start + at)
        .collect()
}

#[cfg(test)]
#[path = "lane/tests.rs"]
mod tests;
