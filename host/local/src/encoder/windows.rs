//! Cutting texts to what an encoder reads at once.

use crate::tokenizer::Piece;

/// Bytes that are tokenised together. What stands on the seam of two blocks is read with
/// both: [`OVERLAP_BYTES`].
pub(crate) const BLOCK_BYTES: usize = 16 * 1024;

/// Bytes that a block shares with the one before it: longer than a name.
pub(crate) const OVERLAP_BYTES: usize = 256;

/// Tokens that a window shares with the one before it, where it is long enough.
pub(crate) const OVERLAP_TOKENS: usize = 64;

/// Some tokens of a text that are read at once.
pub(crate) struct Window {
    /// Index of its text.
    pub text: usize,
    /// Where in its text its block begins: places of pieces count from there.
    pub from: usize,
    /// Its tokens, without the marks at its ends.
    pub pieces: Vec<Piece>,
}

/// The windows of a block's pieces, `most` long at most: index ranges that cover them.
pub(crate) fn windows(pieces: &[Piece], most: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut next = (!pieces.is_empty()).then_some(0);
    std::iter::from_fn(move || {
        let first = next?;
        let last = (first + most).min(pieces.len());
        next = (last < pieces.len()).then(|| next_window(pieces, first, last));
        Some((first, last))
    })
}

/// Where the window after `first..last` begins: some tokens back, at the beginning of a
/// word, and further than the one before.
fn next_window(pieces: &[Piece], first: usize, last: usize) -> usize {
    let back = OVERLAP_TOKENS.min((last - first) / 2);
    let begins = |at: usize| at == 0 || pieces[at].word != pieces[at - 1].word;
    (first + 1..=last - back).rev().find(|&at| begins(at)).unwrap_or(last)
}

/// The blocks of a text: byte ranges on character boundaries that cover it, at blanks where
/// there are some.
pub(crate) fn blocks(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut start = 0;
    let mut done = text.is_empty();
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        let from = start;
        let end = text.ceil_char_boundary(from + BLOCK_BYTES);
        done = end >= text.len();
        let next = text.floor_char_boundary(end.saturating_sub(OVERLAP_BYTES));
        let blank = text[next..end].find(char::is_whitespace);
        start = blank.map_or(next, |at| next + at).max(from + 1);
        start = text.ceil_char_boundary(start);
        Some((from, end.min(text.len())))
    })
}

/// The sections of a text: byte ranges one after the other that cover it, before blanks
/// where there are some. Nothing stands in two of them, and no word is cut but one that is
/// longer than a section.
pub(crate) fn sections(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= text.len() {
            return None;
        }
        let from = start;
        let most = text.ceil_char_boundary(from + BLOCK_BYTES);
        let blank = text[from..most].rfind(char::is_whitespace).filter(|&at| at > 0);
        let until = if most == text.len() { most } else { blank.map_or(most, |at| from + at) };
        start = until;
        Some((from, until))
    })
}

/// Sorts windows, the longest first, and gives the ends of the groups that are read
/// together: no group has more than `budget` tokens, what fills it up included, unless it
/// is one window, and none is filled up by more than it holds. A window has two marks.
pub(crate) fn grouped(windows: &mut [Window], budget: usize) -> Vec<usize> {
    windows.sort_by_key(|window| std::cmp::Reverse(window.pieces.len()));
    let mut ends = Vec::new();
    let mut start = 0;
    for (at, window) in windows.iter().enumerate() {
        let longest = windows[start].pieces.len() + 2;
        let is_short = 2 * (window.pieces.len() + 2) < longest;
        if at > start && (is_short || (at + 1 - start) * longest > budget) {
            ends.push(at);
            start = at;
        }
    }
    if !windows.is_empty() {
        ends.push(windows.len());
    }
    ends
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces(lengths: &[usize]) -> Vec<Piece> {
        let words = lengths.iter().enumerate();
        let pieces = words.flat_map(|(word, &count)| {
            let piece = Piece { id: 0, start: 0, end: 0, word: u32::try_from(word).ok() };
            std::iter::repeat_n(piece, count)
        });
        pieces.collect()
    }

    #[test]
    fn a_text_without_tokens_has_no_window() {
        assert_eq!(windows(&[], 8).count(), 0);
        assert_eq!(blocks("").count(), 0);
        assert_eq!(sections("").count(), 0);
        assert_eq!(grouped(&mut [], 8), [0; 0]);
    }

    proptest! {
        #[test]
        fn blocks_cover_a_text(text in "[a-z é日]{0,300}", times in 1usize..400) {
            let text = text.repeat(times);
            let mut end = 0;
            let mut last = None;
            for (from, until) in blocks(&text) {
                prop_assert!(text.is_char_boundary(from) && text.is_char_boundary(until));
                prop_assert!(from <= end && until > from && last.is_none_or(|last| from > last));
                end = until;
                last = Some(from);
            }
            prop_assert_eq!(end, text.len());
        }

        #[test]
        fn sections_cover_a_text_once_and_begin_with_blanks(
            text in "[a-z é日]{0,300}", times in 1usize..400,
        ) {
            let text = text.repeat(times);
            let mut end = 0;
            for (from, until) in sections(&text) {
                prop_assert!(from == end && until > from && until - from <= BLOCK_BYTES + 3);
                let is_cut = until < text.len() && !text[until..].starts_with(' ');
                prop_assert!(!is_cut || !text[from + 1..until].contains(' '));
                end = until;
            }
            prop_assert_eq!(end, text.len());
        }

        #[test]
        fn windows_cover_the_pieces_and_move_on(
            lengths in prop::collection::vec(1usize..9, 1..60),
            most in 1usize..40,
        ) {
            let pieces = pieces(&lengths);
            let mut end = 0;
            let mut before = None;
            for (first, last) in windows(&pieces, most) {
                prop_assert!(first <= end && last > end && last - first <= most);
                prop_assert!(before.is_none_or(|before| first > before));
                end = last;
                before = Some(first);
            }
            prop_assert_eq!(end, pieces.len());
        }

        #[test]
        fn groups_keep_the_budget_and_are_little_filled(
            lengths in prop::collection::vec(0usize..100, 0..60),
            budget in 1usize..400,
        ) {
            let window = |&length| Window { text: 0, from: 0, pieces: pieces(&[length]) };
            let mut windows: Vec<Window> = lengths.iter().map(window).collect();
            let mut start = 0;
            for end in grouped(&mut windows, budget) {
                prop_assert!(end > start);
                let sizes = windows[start..end].iter().map(|window| window.pieces.len() + 2);
                let longest = sizes.clone().max().expect("one at least");
                let whole = longest * (end - start);
                prop_assert!(end - start == 1 || whole <= budget);
                prop_assert!(whole <= 2 * sizes.sum::<usize>());
                start = end;
            }
            prop_assert_eq!(start, lengths.len());
        }
    }
}
