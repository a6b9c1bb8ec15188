//! Text between the elements of HTML and XML.

use std::ops::Range;

/// A text without its elements, and where its pieces stood.
pub(crate) struct WithoutElements {
    pub(crate) text: String,
    /// Where each piece begins in the new text, and in the old one.
    pieces: Vec<(usize, usize)>,
}

/// How far around a word that announces something a document is read, in bytes with its tags.
const BEFORE: usize = 160;
const AFTER: usize = 640;

/// The longest tag that is one.
const TAG_BYTES: usize = 512;

/// The shortest name of an element that may name what it holds.
const NAME_BYTES: usize = 3;

/// Elements that name nothing.
const KNOWN: [&str; 24] = [
    "body", "button", "code", "dd", "div", "dl", "dt", "form", "head", "html", "input", "label",
    "li", "option", "pre", "section", "small", "span", "strong", "table", "tbody", "td", "th",
    "tr",
];

/// The text of a document with elements, around the places of words that announce
/// something; nothing when it has neither.
pub(crate) fn without_elements(
    text: &str,
    places: impl Iterator<Item = Range<usize>>,
) -> Option<WithoutElements> {
    let mut without = WithoutElements { text: String::new(), pieces: Vec::new() };
    for stretch in stretches(text, places) {
        without.add(text, stretch);
    }
    (!without.pieces.is_empty()).then_some(without)
}

/// What lies around the places, ordered and apart.
fn stretches(text: &str, places: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut places: Vec<Range<usize>> = places.collect();
    places.sort_by_key(|place| place.start);
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for place in places {
        let start = text.floor_char_boundary(place.start.saturating_sub(BEFORE));
        let end = text.ceil_char_boundary(place.end.saturating_add(AFTER).min(text.len()));
        match stretches.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => stretches.push(start..end),
        }
    }
    stretches
}

impl WithoutElements {
    fn add(&mut self, text: &str, stretch: Range<usize>) {
        let mut from = stretch.start;
        while let Some(open) = text[from..stretch.end].find('<').map(|at| from + at) {
            let Some((end, name)) = tag(&text[open..]) else {
                self.keep(text, from, open + 1);
                from = open + 1;
                continue;
            };
            self.keep(text, from, open);
            // `<mrn>4711</mrn>`: the name of the element is the name of the value.
            match name.filter(|name| name.len() >= NAME_BYTES && !KNOWN.contains(name)) {
                Some(name) => {
                    self.text.push(' ');
                    self.text.push_str(name);
                    self.text.push_str(": ");
                }
                None => self.text.push(' '),
            }
            from = open + end;
            if from >= stretch.end {
                break;
            }
        }
        self.keep(text, from, stretch.end);
        self.text.push('\n');
    }

    fn keep(&mut self, text: &str, from: usize, until: usize) {
        if from < until {
            self.pieces.push((self.text.len(), from));
            self.text.push_str(&text[from..until]);
        }
    }

    /// Where a span of the new text stood, unless it stands in what was put in.
    pub(crate) fn origin(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let place = |at: usize| {
            let piece = self.pieces.partition_point(|(new, _)| *new <= at).checked_sub(1)?;
            let (new, old) = self.pieces[piece];
            let next = self.pieces.get(piece + 1).map_or(usize::MAX, |(_, old)| *old);
            Some(old + (at - new)).filter(|&at| at < next)
        };
        Some((place(start)?, place(end.checked_sub(1)?)? + 1))
    }
}

/// The length of a tag, and the name of one that opens an element.
fn tag(text: &str) -> Option<(usize, Option<&str>)> {
    let bytes = text.as_bytes();
    let closes = bytes.get(1) == Some(&b'/');
    let from = if closes { 2 } else { 1 };
    if !bytes.get(from)?.is_ascii_alphabetic() {
        return None;
    }
    let ends = |byte: &u8| matches!(byte, b'<' | b'>');
    let end = bytes.iter().skip(1).take(TAG_BYTES).position(ends)? + 1;
    let end = (bytes[end] == b'>').then_some(end + 1)?;
    let letter =
        |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-:.".contains(byte) || **byte >= 0x80;
    let length = bytes[from..end].iter().take_while(letter).count();
    let name = (!closes).then(|| &text[from..from + length]);
    Some((end, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_go_and_places_stay() {
        for (text, expected) in [
            ("<tr><th>member ID</th><td>XQW8</td></tr>", "  member ID  XQW8  "),
            ("<mrn>8901</mrn>", " mrn: 8901 "),
            ("a < b </p> c", "a < b   c"),
            ("<a <b>mrn</b>", "<a  mrn "),
        ] {
            let without = whole(text).expect("elements");
            assert_eq!(without.text.trim_end_matches('\n'), expected, "{text}");
            for value in ["XQW8", "8901"] {
                if let Some(at) = without.text.find(value) {
                    let (start, end) = without.origin(at, at + value.len()).expect("a place");
                    assert_eq!(&text[start..end], value);
                }
            }
        }
    }

    fn whole(text: &str) -> Option<WithoutElements> {
        without_elements(text, std::iter::once(0..text.len()))
    }

    #[test]
    fn only_what_is_near_is_read() {
        let far = "<p>x</p>".repeat(200);
        let text = format!("{far}<mrn>8901</mrn>{far}");
        let at = text.find("mrn").expect("a word");
        let without = without_elements(&text, std::iter::once(at..at + 3)).expect("elements");
        assert!(without.text.contains(" mrn: 8901 ") && without.text.len() < text.len() / 2);
        let value = without.text.find("8901").expect("a value");
        assert_eq!(without.origin(value, value + 4), text.find("8901").map(|at| (at, at + 4)));
        assert!(without_elements(&text, std::iter::empty()).is_none());
    }
}
