//! Values that go from one part of a message into the next, or from one message into the
//! next of the same role.

use std::collections::HashMap;

use ringfence_chat::{Part, Request, SegmentId};

use crate::candidate::Span;
use crate::detector::Detector;

/// How much of a part's beginning and end is looked at, in bytes: longer than any value
/// but a key file.
const EDGE: usize = 1024;

/// How far behind the beginning of a text its value may stand that the text before names.
const REACH: usize = 64;

/// Running text has more than one blank in so many bytes.
const SPARSE: usize = 24;

/// What parts of a part are kept apart with; no value contains it.
const SEAM: &str = "\n\n";

/// A piece of a segment in the joined text.
struct Piece {
    segment: SegmentId,
    /// Where it begins in the joined text and in its segment, and its length.
    joined: usize,
    start: usize,
    length: usize,
}

/// How much of a key file that goes on in the next part is looked at, in bytes.
const KEY_BYTES: usize = 16 * 1024;

/// How key files begin and end.
const KEYS: [(&str, &str); 2] =
    [("-----BEGIN ", "-----END "), ("PuTTY-User-Key-File-", "Private-MAC: ")];

/// Finds values that adjacent texts make together, and splits each into its pieces: the
/// parts of a message, and messages of one role in a row. Nothing is searched where a text
/// has no neighbour.
pub(crate) fn across<'d>(
    detector: &'d Detector,
    request: &Request,
) -> HashMap<SegmentId, Vec<Span<'d>>> {
    let mut found = HashMap::<SegmentId, Vec<Span<'d>>>::new();
    let mut texts = Vec::new();
    let mut role = None;
    for turn in &request.turns {
        if role != Some(turn.role) {
            join(detector, request, &texts, &mut found);
            texts.clear();
        }
        role = Some(turn.role);
        for part in &turn.parts {
            match part {
                Part::Text(id) => texts.push(*id),
                Part::ToolResult { texts: more, .. } => {
                    join(detector, request, &texts, &mut found);
                    join(detector, request, more, &mut found);
                    texts.clear();
                }
                _ => {
                    join(detector, request, &texts, &mut found);
                    texts.clear();
                }
            }
        }
    }
    join(detector, request, &texts, &mut found);
    found
}

/// Finds what the edges of these segments make together.
fn join<'d>(
    detector: &'d Detector,
    request: &Request,
    segments: &[SegmentId],
    found: &mut HashMap<SegmentId, Vec<Span<'d>>>,
) {
    if segments.len() < 2 {
        return;
    }
    let mut joined = String::new();
    let mut pieces = Vec::new();
    // The end of the key file that the text before began.
    let mut key = None;
    for &segment in segments {
        let text = request.text(segment);
        let mut piece = |joined: &mut String, start: usize, end: usize| {
            pieces.push(Piece { segment, joined: joined.len(), start, length: end - start });
            joined.push_str(&text[start..end]);
        };
        let head = text.floor_char_boundary(head(text, key));
        let (tail, began) = tail(text, key);
        key = began;
        let tail = text.ceil_char_boundary(tail);
        match head < tail {
            true => {
                piece(&mut joined, 0, head);
                joined.push_str(SEAM);
                piece(&mut joined, tail, text.len());
            }
            false => piece(&mut joined, 0, text.len()),
        }
    }
    for span in detector.anyhow(&joined) {
        split(detector, &joined, &span, &pieces, found);
    }
}

/// How much of a text's beginning is looked at; all of it that belongs to a key file whose
/// end is still to come, and all that may be a disguise of one.
fn head(text: &str, key: Option<&str>) -> usize {
    let within = &text[..text.floor_char_boundary(KEY_BYTES.min(text.len()))];
    let Some(end) = key else {
        return if is_disguise(&within.as_bytes()[..EDGE.min(within.len())]) {
            within.len()
        } else {
            EDGE.min(text.len())
        };
    };
    within.find(end).map_or(within.len(), |at| at + EDGE).min(text.len())
}

/// From where on a text's end is looked at, and the end of the key file that is still to
/// come.
fn tail(text: &str, key: Option<&'static str>) -> (usize, Option<&'static str>) {
    let edge = text.len().saturating_sub(EDGE);
    let from = text.ceil_char_boundary(text.len().saturating_sub(KEY_BYTES));
    for (begin, end) in KEYS {
        let Some(at) = text[from..].rfind(begin) else { continue };
        if !text[from + at..].contains(end) {
            return (edge.min(from + at), Some(end));
        }
    }
    // One that a text before began goes on, through texts that are nothing else.
    let goes_on = key.filter(|end| text.len() <= KEY_BYTES && !text.contains(end));
    match is_disguise(&text.as_bytes()[edge..]) {
        true => (edge.min(from), goes_on),
        false => (edge, goes_on),
    }
}

/// Whether an edge may be a part of something long in disguise: nearly all of it is escapes,
/// codes without a blank, or signs that do not show.
fn is_disguise(edge: &[u8]) -> bool {
    let blanks = edge.iter().filter(|byte| **byte == b' ').count();
    let letters = edge.iter().filter(|byte| byte.is_ascii_alphanumeric()).count();
    edge.len() == EDGE && (blanks * SPARSE < edge.len() || letters * 2 < edge.len())
}

/// Splits a span that goes over more than one segment; the others are found where they
/// stand.
fn split<'d>(
    detector: &Detector,
    joined: &str,
    span: &Span<'d>,
    pieces: &[Piece],
    found: &mut HashMap<SegmentId, Vec<Span<'d>>>,
) {
    let first = pieces.partition_point(|piece| piece.joined + piece.length <= span.start);
    let touched = pieces[first..].iter().take_while(|piece| piece.joined < span.end);
    let touched: Vec<&Piece> = touched.filter(|piece| piece.length > 0).collect();
    if touched.iter().all(|piece| piece.segment == touched[0].segment) {
        // What is found where it stands is found twice; what the text before tells is not.
        let before = first.checked_sub(1).map(|before| pieces[before].segment);
        let near = span.start < touched[0].joined + REACH;
        if near && before.is_some_and(|before| before != touched[0].segment) {
            add(span, touched[0], found);
        }
        return;
    }
    // A value that is whole in its own segment does not go on in the next one:
    // `bob@example.org` and `nothing`. Nobody can tell of a secret whether it is whole.
    let is_whole = !span.is_secret()
        && touched.iter().any(|piece| {
            let text = &joined[piece.joined..piece.joined + piece.length];
            let spans = detector.anyhow(text);
            let (from, to) =
                (span.start.max(piece.joined), span.end.min(piece.joined + piece.length));
            spans.iter().any(|own| own.start + piece.joined < to && from < own.end + piece.joined)
        });
    if is_whole {
        return;
    }
    for piece in touched {
        add(span, piece, found);
    }
}

/// Notes what of a span stands in a piece.
fn add<'d>(span: &Span<'d>, piece: &Piece, found: &mut HashMap<SegmentId, Vec<Span<'d>>>) {
    let from = span.start.max(piece.joined) - piece.joined;
    let to = span.end.min(piece.joined + piece.length) - piece.joined;
    let part = Span { start: piece.start + from, end: piece.start + to, ..*span };
    found.entry(piece.segment).or_default().push(part);
}
