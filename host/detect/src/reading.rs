//! What was found in a request, by whichever tier.

use std::borrow::Cow;

use ringfence_chat::SegmentId;
use ringfence_fence::Finding;

use crate::candidate::Span;
use crate::overlap;

/// What was found in a request.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Ordered by segment and start; no two overlap.
    pub findings: Vec<Finding>,
    /// Segments that are not attachments and that no detector could read to the end:
    /// too long, too deeply disguised, a file in the middle of a text. Ordered.
    pub unreadable: Vec<SegmentId>,
}

impl Reading {
    /// Adds what another tier found; what overlaps is settled by the rule of all findings.
    pub fn add(&mut self, more: Vec<Finding>) {
        if more.is_empty() {
            return;
        }
        let mut all = std::mem::take(&mut self.findings);
        all.extend(more);
        all.sort_by_key(|finding| finding.segment);
        for segment in all.chunk_by(|a, b| a.segment == b.segment) {
            let mut spans: Vec<Span<'_>> = segment.iter().map(span).collect();
            overlap::settle(&mut spans);
            self.findings.extend(spans.iter().map(|span| finding(segment[0].segment, span)));
        }
    }

    /// Adds segments that a tier could not read.
    pub fn mark_unreadable(&mut self, segments: impl IntoIterator<Item = SegmentId>) {
        self.unreadable.extend(segments);
        self.unreadable.sort();
        self.unreadable.dedup();
    }
}

pub(crate) fn finding(segment: SegmentId, span: &Span<'_>) -> Finding {
    Finding {
        segment,
        // A segment is far shorter than 4 GiB: SEGMENT_BYTES.
        start: u32::try_from(span.start).unwrap_or(u32::MAX),
        end: u32::try_from(span.end).unwrap_or(u32::MAX),
        entity: Cow::Owned(span.entity.to_owned()),
        score: span.score,
    }
}

fn span(finding: &Finding) -> Span<'_> {
    let (start, end) = (finding.start as usize, finding.end as usize);
    Span { start, end, entity: &finding.entity, score: finding.score }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(segment: u32, start: u32, end: u32, entity: &'static str, score: f32) -> Finding {
        Finding { segment: SegmentId(segment), start, end, entity: entity.into(), score }
    }

    #[test]
    fn what_another_tier_finds_is_settled_by_the_same_rule() {
        let mut reading = Reading {
            findings: vec![found(0, 0, 5, "EMAIL", 0.9), found(2, 4, 9, "SECRET_JWT", 0.9)],
            unreadable: vec![SegmentId(2)],
        };
        reading.add(vec![
            found(2, 0, 6, "PERSON", 0.99),
            found(0, 7, 9, "PERSON", 0.8),
            found(1, 0, 3, "LOCATION", 0.7),
        ]);
        let expected = [
            found(0, 0, 5, "EMAIL", 0.9),
            found(0, 7, 9, "PERSON", 0.8),
            found(1, 0, 3, "LOCATION", 0.7),
            found(2, 0, 9, "SECRET_JWT", 0.9),
        ];
        assert_eq!(reading.findings, expected);
        reading.mark_unreadable([SegmentId(2), SegmentId(1)]);
        assert_eq!(reading.unreadable, [SegmentId(1), SegmentId(2)]);
    }
}
