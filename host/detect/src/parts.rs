//! Values that go from one part of a message into the next.

use std::collections::HashMap;

use ringfence_chat::{Part, Request, SegmentId};

use crate::candidate::Span;
use crate::detector::Detector;
use crate::overlap;
use crate::scan::Scan;

/// How much of a part's beginning and end is looked at, in bytes: longer than any value
/// but a key file.
const EDGE: usize = 160;

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

/// Finds values that adjacent text parts of one turn make together, and splits each
/// into its pieces. Nothing is searched in turns with one part.
///
/// Values that go from one message into the next are not found: no provider joins
/// messages without a mark between them.
pub(crate) fn across<'d>(
    detector: &'d Detector,
    request: &Request,
) -> HashMap<SegmentId, Vec<Span<'d>>> {
    let mut found = HashMap::<SegmentId, Vec<Span<'d>>>::new();
    for turn in &request.turns {
        let mut texts = Vec::new();
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
        join(detector, request, &texts, &mut found);
    }
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
    for &segment in segments {
        let text = request.text(segment);
        let mut piece = |joined: &mut String, start: usize, end: usize| {
            pieces.push(Piece { segment, joined: joined.len(), start, length: end - start });
            joined.push_str(&text[start..end]);
        };
        let (head, tail) = match text.len() <= 2 * EDGE {
            true => (text.len(), text.len()),
            false => (text.floor_char_boundary(EDGE), text.ceil_char_boundary(text.len() - EDGE)),
        };
        piece(&mut joined, 0, head);
        if tail < text.len() {
            joined.push_str(SEAM);
            piece(&mut joined, tail, text.len());
        }
    }
    let marks = detector.mark(&joined);
    let mut spans = Vec::new();
    detector.plain(&Scan::new(&joined, &marks), &mut spans);
    overlap::settle(&mut spans);
    for span in spans {
        split(detector, &joined, &span, &pieces, found);
    }
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
        return;
    }
    // A value that is whole in its own segment does not go on in the next one:
    // `bob@example.org` and `nothing`.
    let is_whole = touched.iter().any(|piece| {
        let text = &joined[piece.joined..piece.joined + piece.length];
        let marks = detector.mark(text);
        let mut spans = Vec::new();
        detector.plain(&Scan::new(text, &marks), &mut spans);
        let (from, to) = (span.start.max(piece.joined), span.end.min(piece.joined + piece.length));
        spans.iter().any(|own| own.start + piece.joined < to && from < own.end + piece.joined)
    });
    if is_whole {
        return;
    }
    for piece in touched {
        let from = span.start.max(piece.joined) - piece.joined;
        let to = span.end.min(piece.joined + piece.length) - piece.joined;
        let part = Span { start: piece.start + from, end: piece.start + to, ..*span };
        found.entry(piece.segment).or_default().push(part);
    }
}
