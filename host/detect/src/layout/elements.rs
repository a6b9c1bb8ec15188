//! Text between the elements of HTML and XML.

/// A text without its elements, and where its pieces stood.
pub(crate) struct WithoutElements {
    pub(crate) text: String,
    /// Where each piece begins in the new text, and in the old one.
    pieces: Vec<(usize, usize)>,
}

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

/// The text of a document with elements; nothing when it has none.
pub(crate) fn without_elements(text: &str) -> Option<WithoutElements> {
    if !text.contains("</") {
        return None;
    }
    let mut without =
        WithoutElements { text: String::with_capacity(text.len()), pieces: Vec::new() };
    let mut from = 0;
    while let Some(open) = text[from..].find('<').map(|at| from + at) {
        let Some((end, name)) = tag(&text[open..]) else {
            without.keep(text, from, open + 1);
            from = open + 1;
            continue;
        };
        without.keep(text, from, open);
        // `<mrn>4711</mrn>`: the name of the element is the name of the value.
        match name.filter(|name| name.len() >= NAME_BYTES && !KNOWN.contains(name)) {
            Some(name) => {
                without.text.push(' ');
                without.text.push_str(name);
                without.text.push_str(": ");
            }
            None => without.text.push(' '),
        }
        from = open + end;
    }
    without.keep(text, from, text.len());
    Some(without)
}

impl WithoutElements {
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
    let end = bytes.iter().take(TAG_BYTES).position(|&byte| byte == b'>')? + 1;
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
        ] {
            let without = without_elements(text).expect("elements");
            assert_eq!(without.text, expected, "{text}");
            for value in ["XQW8", "8901"] {
                if let Some(at) = without.text.find(value) {
                    let (start, end) = without.origin(at, at + value.len()).expect("a place");
                    assert_eq!(&text[start..end], value);
                }
            }
        }
        assert!(without_elements("a < b and c > d").is_none());
    }
}
