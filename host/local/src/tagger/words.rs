//! From labels of tokens to tags of words.

use super::Tag;
use crate::tokenizer::Piece;

/// How the labels of a model are to be read: as `B-PER` and `I-PER`, with `E-` and `S-` or
/// without, or as bare names.
#[derive(Debug, Clone)]
pub(super) struct Scheme {
    kinds: Vec<String>,
    /// For each label its kind and whether it begins a tag; nothing for what is outside.
    labels: Vec<Option<(usize, bool)>>,
}

impl Scheme {
    /// The scheme of these labels.
    ///
    /// # Errors
    /// There is no label for what is outside, or none for what is inside.
    pub(super) fn of(labels: &[String]) -> Result<Scheme, String> {
        let mut scheme = Scheme { kinds: Vec::new(), labels: Vec::new() };
        for label in labels {
            if label == "O" {
                scheme.labels.push(None);
                continue;
            }
            let (begins, kind) = match label.split_once('-') {
                Some(("B" | "S" | "U", kind)) => (true, kind),
                Some(("I" | "E" | "L" | "M", kind)) => (false, kind),
                _ => (false, label.as_str()),
            };
            let known = scheme.kinds.iter().position(|known| known == kind);
            let kind = known.unwrap_or_else(|| {
                scheme.kinds.push(kind.to_owned());
                scheme.kinds.len() - 1
            });
            scheme.labels.push(Some((kind, begins)));
        }
        if scheme.kinds.is_empty() {
            return Err("has no label but O in `id2label`".to_owned());
        }
        if !scheme.labels.contains(&None) {
            return Err("has no label O in `id2label`, for what is nothing".to_owned());
        }
        Ok(scheme)
    }

    pub(super) fn kinds(&self) -> &[String] {
        &self.kinds
    }

    /// How many labels there are.
    pub(super) fn labels(&self) -> usize {
        self.labels.len()
    }

    /// Adds the tags of a window. A word has the label of its first token; words that
    /// follow each other and go on with one kind are one tag. `rows` holds the logits of
    /// each token; `from` is where the window's text begins.
    pub(super) fn tags(&self, window: &[Piece], rows: &[f32], from: usize, out: &mut Vec<Tag>) {
        let mut open: Option<(Tag, f32)> = None;
        let mut at = 0;
        while at < window.len() {
            let word = window[at].word;
            let until = (at + 1..window.len()).find(|&next| window[next].word != word);
            let until = until.unwrap_or(window.len());
            let (start, end) = (from + window[at].start, from + window[until - 1].end);
            let row = &rows[at * self.labels()..(at + 1) * self.labels()];
            let (label, probability) = best(row);
            at = until;
            let goes_on = |tag: &Tag, kind: usize, begins: bool| tag.kind == kind && !begins;
            match (self.labels[label], &mut open) {
                (None, open) => out.extend(open.take().map(closed)),
                (Some((kind, begins)), Some((tag, words))) if goes_on(tag, kind, begins) => {
                    tag.end = end;
                    tag.probability += probability;
                    *words += 1.0;
                }
                (Some((kind, _)), open) => {
                    out.extend(open.take().map(closed));
                    *open = Some((Tag { start, end, kind, probability }, 1.0));
                }
            }
        }
        out.extend(open.map(closed));
    }
}

/// Orders tags and joins those of one kind that overlap: windows share tokens.
pub(super) fn joined(mut tags: Vec<Tag>) -> Vec<Tag> {
    tags.sort_by_key(|tag| (tag.kind, tag.start, tag.end));
    tags.dedup_by(|next, tag| {
        let overlaps = next.kind == tag.kind && next.start < tag.end;
        if overlaps {
            tag.end = tag.end.max(next.end);
            tag.probability = tag.probability.max(next.probability);
        }
        overlaps
    });
    tags.sort_by_key(|tag| (tag.start, tag.end));
    tags
}

fn closed((mut tag, words): (Tag, f32)) -> Tag {
    tag.probability /= words;
    tag
}

/// The best label of a token, and its probability.
fn best(row: &[f32]) -> (usize, f32) {
    let first = (0, f32::NEG_INFINITY);
    let (label, most) = row
        .iter()
        .copied()
        .enumerate()
        .fold(first, |best, (label, logit)| if logit > best.1 { (label, logit) } else { best });
    let sum: f32 = row.iter().map(|logit| (logit - most).exp()).sum();
    (label, 1.0 / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheme(labels: &[&str]) -> Result<Scheme, String> {
        Scheme::of(&labels.iter().map(|&label| label.to_owned()).collect::<Vec<_>>())
    }

    /// The tags of one-letter words with these labels, each surely.
    fn tags(labels: &[&str], said: &[&str]) -> Vec<(usize, usize, usize)> {
        let scheme = scheme(labels).expect("a scheme");
        let mut rows = Vec::new();
        let mut window = Vec::new();
        for (index, said) in said.iter().enumerate() {
            let index_u32 = u32::try_from(index).ok();
            window.push(Piece { id: 0, start: 2 * index, end: 2 * index + 1, word: index_u32 });
            rows.extend(labels.iter().map(|label| if label == said { 9.0 } else { 0.0 }));
        }
        let mut out = Vec::new();
        scheme.tags(&window, &rows, 100, &mut out);
        out.iter().map(|tag| (tag.start - 100, tag.end - 100, tag.kind)).collect()
    }

    #[test]
    fn labels_of_several_schemes() {
        let bio = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"];
        assert_eq!(tags(&bio, &["B-PER", "I-PER", "O", "I-LOC"]), [(0, 3, 0), (6, 7, 1)]);
        assert_eq!(tags(&bio, &["B-PER", "B-PER", "I-LOC"]), [(0, 1, 0), (2, 3, 0), (4, 5, 1)]);
        let bioes = ["O", "B-X", "I-X", "E-X", "S-X"];
        assert_eq!(tags(&bioes, &["S-X", "B-X", "I-X", "E-X"]), [(0, 1, 0), (2, 7, 0)]);
        let bare = ["PERSON", "O"];
        assert_eq!(tags(&bare, &["PERSON", "PERSON", "O", "PERSON"]), [(0, 3, 0), (6, 7, 0)]);
        assert!(scheme(&["O"]).is_err());
        assert!(scheme(&["B-PER", "I-PER"]).is_err());
    }

    #[test]
    fn what_windows_share_is_joined() {
        let tag = |start, end, kind| Tag { start, end, kind, probability: 0.5 };
        let tags = vec![tag(5, 9, 0), tag(0, 4, 1), tag(7, 12, 0), tag(5, 9, 0), tag(12, 13, 0)];
        assert_eq!(joined(tags), [tag(0, 4, 1), tag(5, 12, 0), tag(12, 13, 0)]);
    }
}
