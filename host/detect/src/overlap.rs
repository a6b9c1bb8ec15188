//! What becomes of candidates that overlap.

use crate::candidate::Span;

/// Sorts the candidates and leaves one for each stretch of text that they cover.
///
/// The rule: a secret comes first, then the higher score, then the longer span, then
/// the one that begins first. The winner gives the name and the score. The losers are
/// not dropped but joined: the span becomes the whole stretch, so that no part of a
/// loser stays visible beside the winner.
pub(crate) fn settle(candidates: &mut Vec<Span>) {
    candidates.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let mut kept = 0;
    // The winner of the stretch that ends at `kept - 1`, with its own span.
    let mut winner: Option<Span> = None;
    for index in 0..candidates.len() {
        let next = candidates[index];
        let Some(best) = winner.filter(|_| next.start < candidates[kept - 1].end) else {
            winner = Some(next);
            candidates[kept] = next;
            kept += 1;
            continue;
        };
        let stretch = &mut candidates[kept - 1];
        stretch.end = stretch.end.max(next.end);
        if outranks(&next, &best) {
            stretch.entity = next.entity;
            stretch.score = next.score;
            winner = Some(next);
        }
    }
    candidates.truncate(kept);
}

/// Adds what another tier found to spans that are settled, and settles all of them.
pub fn merge<'d>(spans: &mut Vec<Span<'d>>, more: impl IntoIterator<Item = Span<'d>>) {
    spans.extend(more);
    settle(spans);
}

/// Whether `a` names a stretch that `b` would name otherwise.
fn outranks(a: &Span, b: &Span) -> bool {
    let rank = |span: &Span| (span.is_secret(), span.score);
    let (rank_a, rank_b) = (rank(a), rank(b));
    let by_rank = rank_a.0.cmp(&rank_b.0).then(rank_a.1.total_cmp(&rank_b.1));
    by_rank.then((a.end - a.start).cmp(&(b.end - b.start))).is_gt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settled(spans: &[(usize, usize, &'static str, f32)]) -> Vec<(usize, usize, &'static str)> {
        let mut spans: Vec<Span> = spans
            .iter()
            .map(|&(start, end, entity, score)| Span::new(start, end, entity, score))
            .collect();
        settle(&mut spans);
        spans.iter().map(|span| (span.start, span.end, span.entity)).collect()
    }

    #[test]
    fn the_rule() {
        for (spans, expected) in [
            // Secrets first.
            (
                &[(0, 9, "EMAIL", 1.0), (2, 5, "SECRET_TOKEN", 0.5)][..],
                &[(0, 9, "SECRET_TOKEN")][..],
            ),
            // Then the higher score.
            (&[(0, 9, "PHONE", 0.6), (2, 9, "US_SSN", 0.9)], &[(0, 9, "US_SSN")]),
            // Then the longer one.
            (&[(0, 4, "PHONE", 0.9), (2, 9, "IBAN", 0.9)], &[(0, 9, "IBAN")]),
            // Then the one that begins first.
            (&[(2, 6, "PHONE", 0.9), (0, 4, "IBAN", 0.9)], &[(0, 6, "IBAN")]),
            // What only touches is not joined.
            (&[(0, 4, "PHONE", 0.9), (4, 9, "IBAN", 0.9)], &[(0, 4, "PHONE"), (4, 9, "IBAN")]),
        ] {
            assert_eq!(settled(spans), expected);
        }
    }

    proptest! {
        #[test]
        fn covers_the_same_bytes_once(
            spans in prop::collection::vec((0usize..60, 1usize..12, 0usize..3, 0u8..4), 0..20)
        ) {
            let entities = ["EMAIL", "PHONE", "SECRET_TOKEN"];
            let mut spans: Vec<Span> = spans
                .into_iter()
                .map(|(start, length, entity, score)| {
                    Span::new(start, start + length, entities[entity], f32::from(score) / 4.0)
                })
                .collect();
            let covered = |spans: &[Span], at: usize| {
                spans.iter().filter(|span| span.start <= at && at < span.end).count()
            };
            let before = spans.clone();
            settle(&mut spans);
            for at in 0..80 {
                prop_assert_eq!(covered(&before, at).min(1), covered(&spans, at));
            }
            let once = spans.clone();
            settle(&mut spans);
            prop_assert_eq!(once, spans);
        }
    }
}
