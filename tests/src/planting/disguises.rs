//! How a value is written so that it does not look like one, while who reads it still
//! gets it.

use super::coding::{
    STANDARD, URL_SAFE, base64, base64_unpadded, escaped, hex, percent, query, utf16,
};
use super::{Random, Shape};

/// A disguise.
#[derive(Debug)]
pub struct Disguise {
    /// Its name in reports.
    pub name: &'static str,
    how: How,
}

#[derive(Debug)]
enum How {
    /// The value itself is written in another way.
    Value(fn(&str, Shape, &mut Random) -> Option<String>),
    /// The whole text around it too.
    Text(fn(&str) -> String),
    /// The request's JSON, which means the same.
    Body,
}

impl Disguise {
    /// Whether it changes how the value is written, and not what stands around it.
    pub fn is_of_the_value(&self) -> bool {
        !matches!(self.how, How::Text(_))
    }

    /// Whether it is none.
    pub fn is_plain(&self) -> bool {
        self.name == DISGUISES[0].name
    }

    pub(super) fn value(&self, text: &str, shape: Shape, random: &mut Random) -> Option<String> {
        let How::Value(write) = self.how else { return Some(text.to_owned()) };
        let disguised = write(text, shape, random)?;
        (self.is_plain() || disguised != text).then_some(disguised)
    }

    pub(super) fn text(&self, text: String) -> String {
        match self.how {
            How::Text(write) => write(&text),
            How::Value(_) | How::Body => text,
        }
    }

    pub(super) fn body(&self, body: String, value: &str) -> String {
        let How::Body = self.how else { return body };
        let quoted = serde_json::Value::from(value).to_string();
        body.replace(&quoted[1..quoted.len() - 1], &escaped(value))
    }
}

/// Every disguise; the first is none.
pub const DISGUISES: &[Disguise] = &[
    value("plain", |text, _, _| Some(text.to_owned())),
    // Characters that nobody sees.
    value("zero-width spaces", |text, _, _| Some(between(text, "\u{200b}"))),
    value("a zero-width joiner", |text, _, random| inside(text, "\u{200d}", random)),
    value("a soft hyphen", |text, _, random| inside(text, "\u{ad}", random)),
    value("word joiners", |text, _, _| Some(between(text, "\u{2060}"))),
    value("a byte order mark", |text, _, random| inside(text, "\u{feff}", random)),
    value("direction marks", |text, _, _| Some(between(text, "\u{200e}"))),
    value("direction overrides", |text, _, _| Some(format!("\u{2066}{text}\u{2069}"))),
    value("variation selectors", |text, _, _| Some(between(text, "\u{fe0f}"))),
    value("tag characters", |text, _, random| inside(text, "\u{e0041}", random)),
    value("a Mongolian separator", |text, _, random| inside(text, "\u{180e}", random)),
    // Other characters that mean the same.
    value("full width", |text, shape, _| {
        mapped(text, shape, |c| ('!'..='~').contains(&c).then(|| moved(c, '!', '\u{ff01}')))
    }),
    value("full-width digits", |text, shape, _| mapped(text, shape, |c| digit(c, '\u{ff10}'))),
    value("Arabic digits", |text, shape, _| mapped(text, shape, |c| digit(c, '\u{660}'))),
    value("Persian digits", |text, shape, _| mapped(text, shape, |c| digit(c, '\u{6f0}'))),
    value("Devanagari digits", |text, shape, _| mapped(text, shape, |c| digit(c, '\u{966}'))),
    value("Bengali digits", |text, shape, _| mapped(text, shape, |c| digit(c, '\u{9e6}'))),
    value("Thai digits", |text, shape, _| mapped(text, shape, |c| digit(c, '\u{e50}'))),
    value("bold digits", |text, shape, _| mapped(text, shape, |c| digit(c, '\u{1d7ce}'))),
    value("monospace digits", |text, shape, _| mapped(text, shape, |c| digit(c, '\u{1d7f6}'))),
    value("subscript digits", |text, shape, _| mapped(text, shape, |c| digit(c, '\u{2080}'))),
    value("circled digits", |text, shape, _| {
        mapped(text, shape, |c| match c {
            '0' => Some('\u{24ea}'),
            c => digit(c, '\u{245f}'),
        })
    }),
    value("mathematical letters", |text, shape, _| mapped(text, shape, mathematical)),
    value("Cyrillic lookalikes", |text, shape, _| mapped(text, shape, cyrillic)),
    value("one lookalike", |text, shape, _| {
        let mut done = false;
        mapped(text, shape, |c| {
            let lookalike = if done { None } else { cyrillic(c) };
            done |= lookalike.is_some();
            lookalike
        })
    }),
    value("Greek lookalikes", |text, shape, _| mapped(text, shape, greek)),
    // Encodings of the value.
    value("base64", |text, _, _| Some(base64(text.as_bytes()))),
    value("base64 without padding", |text, _, _| Some(base64_unpadded(text.as_bytes(), STANDARD))),
    value("base64 for URLs", |text, _, _| Some(base64_unpadded(text.as_bytes(), URL_SAFE))),
    value("base64 of UTF-16", |text, _, _| Some(base64(&utf16(text)))),
    value("base64 with words around", |text, _, _| {
        Some(base64(format!("the value is {text} as agreed").as_bytes()))
    }),
    value("hexadecimal", |text, _, _| Some(hex(text.as_bytes()))),
    value("capital hexadecimal", |text, _, _| Some(hex(text.as_bytes()).to_uppercase())),
    value("hexadecimal with 0x", |text, _, _| Some(format!("0x{}", hex(text.as_bytes())))),
    value("hexadecimal in pairs", |text, _, _| {
        let pairs: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        Some(pairs.join(" "))
    }),
    value("\\x escapes", |text, _, _| {
        Some(text.bytes().map(|byte| format!("\\x{byte:02x}")).collect())
    }),
    value("percent", |text, _, _| Some(percent(text))),
    value("query", |text, _, _| Some(query(text))),
    value("\\u escapes", |text, _, _| Some(escaped(text))),
    value("\\u{} escapes", |text, _, _| {
        Some(text.chars().map(|c| format!("\\u{{{:x}}}", c as u32)).collect())
    }),
    value("HTML entities", |text, _, _| {
        Some(text.chars().map(|c| format!("&#{};", c as u32)).collect())
    }),
    value("hexadecimal HTML entities", |text, _, _| {
        Some(text.chars().map(|c| format!("&#x{:x};", c as u32)).collect())
    }),
    value("named HTML entities", |text, _, _| {
        let named = text.replace('@', "&commat;").replace('.', "&period;").replace(' ', "&nbsp;");
        let named = named.replace('-', "&hyphen;").replace('_', "&lowbar;").replace('+', "&plus;");
        Some(named)
    }),
    // Two deep.
    value("base64 of base64", |text, _, _| Some(base64(base64(text.as_bytes()).as_bytes()))),
    value("base64 of hexadecimal", |text, _, _| Some(base64(hex(text.as_bytes()).as_bytes()))),
    value("hexadecimal of base64", |text, _, _| Some(hex(base64(text.as_bytes()).as_bytes()))),
    value("percent of base64", |text, _, _| Some(percent(&base64(text.as_bytes())))),
    value("base64 of percent", |text, _, _| Some(base64(percent(text).as_bytes()))),
    value("percent of percent", |text, _, _| Some(percent(text).replace('%', "%25"))),
    value("base64 of \\u escapes", |text, _, _| Some(base64(escaped(text).as_bytes()))),
    value("HTML entities of percent", |text, _, _| {
        Some(percent(text).chars().map(|c| format!("&#{};", c as u32)).collect())
    }),
    value("base64 of full width", |text, shape, _| {
        let wide =
            mapped(text, shape, |c| ('!'..='~').contains(&c).then(|| moved(c, '!', '\u{ff01}')))?;
        Some(base64(wide.as_bytes()))
    }),
    // Other separators.
    value("no separators", |text, shape, _| regrouped(text, shape, "")),
    value("dots", |text, shape, _| regrouped(text, shape, ".")),
    value("slashes", |text, shape, _| regrouped(text, shape, "/")),
    value("spaces", |text, shape, _| regrouped(text, shape, " ")),
    value("hyphens", |text, shape, _| regrouped(text, shape, "-")),
    value("underscores", |text, shape, _| regrouped(text, shape, "_")),
    value("no-break spaces", |text, shape, _| regrouped(text, shape, "\u{a0}")),
    value("thin spaces", |text, shape, _| regrouped(text, shape, "\u{2009}")),
    value("en dashes", |text, shape, _| regrouped(text, shape, "\u{2013}")),
    value("no-break hyphens", |text, shape, _| regrouped(text, shape, "\u{2011}")),
    value("spaced hyphens", |text, shape, _| regrouped(text, shape, " - ")),
    value("two spaces", |text, shape, _| regrouped(text, shape, "  ")),
    value("a space after each", |text, shape, _| {
        let bare = regrouped(text, shape, "")?;
        Some(between(&bare, " "))
    }),
    value("lower case", |text, shape, _| (shape == Shape::Grouped).then(|| text.to_lowercase())),
    // The whole text.
    whole("base64 of the text", |text| base64(text.as_bytes())),
    whole("base64 of the text in lines", |text| {
        let text = base64(text.as_bytes());
        let lines: Vec<&str> =
            (0..text.len()).step_by(76).map(|at| &text[at..text.len().min(at + 76)]).collect();
        lines.join("\r\n")
    }),
    whole("hexadecimal of the text", |text| hex(text.as_bytes())),
    whole("percent of the text", query),
    whole("full width of the text", |text| {
        text.chars()
            .map(|c| if ('!'..='~').contains(&c) { moved(c, '!', '\u{ff01}') } else { c })
            .collect()
    }),
    whole("JSON in JSON", |text| {
        let inner = serde_json::json!({"note": text}).to_string();
        serde_json::json!({"payload": inner}).to_string()
    }),
    Disguise { name: "escapes in the request's JSON", how: How::Body },
];

const fn value(
    name: &'static str,
    write: fn(&str, Shape, &mut Random) -> Option<String>,
) -> Disguise {
    Disguise { name, how: How::Value(write) }
}

const fn whole(name: &'static str, write: fn(&str) -> String) -> Disguise {
    Disguise { name, how: How::Text(write) }
}

/// `mark` between all characters but line ends.
fn between(text: &str, mark: &str) -> String {
    let mut marked = String::new();
    let mut before = None;
    for c in text.chars() {
        if before.is_some_and(|before| before != '\n') && c != '\n' {
            marked.push_str(mark);
        }
        marked.push(c);
        before = Some(c);
    }
    marked
}

/// `mark` once, somewhere in the middle third.
fn inside(text: &str, mark: &str, random: &mut Random) -> Option<String> {
    let count = text.chars().count() as u64;
    let at = random.between(count / 3, count * 2 / 3) as usize;
    let (at, _) = text.char_indices().nth(at)?;
    Some(format!("{}{mark}{}", &text[..at], &text[at..]))
}

/// Each character that has another form in this form; nothing when none has.
fn mapped(text: &str, shape: Shape, mut other: impl FnMut(char) -> Option<char>) -> Option<String> {
    (shape != Shape::Block).then(|| text.chars().map(|c| other(c).unwrap_or(c)).collect())
}

fn moved(c: char, from: char, to: char) -> char {
    char::from_u32(c as u32 - from as u32 + to as u32).unwrap_or(c)
}

fn digit(c: char, zero: char) -> Option<char> {
    c.is_ascii_digit().then(|| moved(c, '0', zero))
}

fn mathematical(c: char) -> Option<char> {
    match c {
        'a'..='z' => Some(moved(c, 'a', '\u{1d5ba}')),
        'A'..='Z' => Some(moved(c, 'A', '\u{1d5a0}')),
        _ => digit(c, '\u{1d7e2}'),
    }
}

/// Latin letters and the Cyrillic ones that look the same.
pub(super) const CYRILLIC: [(char, char); 22] = [
    ('a', 'а'),
    ('c', 'с'),
    ('e', 'е'),
    ('i', 'і'),
    ('j', 'ј'),
    ('o', 'о'),
    ('p', 'р'),
    ('s', 'ѕ'),
    ('x', 'х'),
    ('y', 'у'),
    ('A', 'А'),
    ('B', 'В'),
    ('C', 'С'),
    ('E', 'Е'),
    ('H', 'Н'),
    ('K', 'К'),
    ('M', 'М'),
    ('O', 'О'),
    ('P', 'Р'),
    ('S', 'Ѕ'),
    ('T', 'Т'),
    ('X', 'Х'),
];
/// Latin letters and the Greek ones that look the same.
pub(super) const GREEK: [(char, char); 15] = [
    ('A', 'Α'),
    ('B', 'Β'),
    ('E', 'Ε'),
    ('H', 'Η'),
    ('I', 'Ι'),
    ('K', 'Κ'),
    ('M', 'Μ'),
    ('N', 'Ν'),
    ('O', 'Ο'),
    ('P', 'Ρ'),
    ('T', 'Τ'),
    ('X', 'Χ'),
    ('Y', 'Υ'),
    ('Z', 'Ζ'),
    ('o', 'ο'),
];

fn cyrillic(c: char) -> Option<char> {
    CYRILLIC.iter().find(|(latin, _)| *latin == c).map(|(_, other)| *other)
}

fn greek(c: char) -> Option<char> {
    GREEK.iter().find(|(latin, _)| *latin == c).map(|(_, other)| *other)
}

/// The same groups with another separator; groups of four where there were none.
fn regrouped(text: &str, shape: Shape, separator: &str) -> Option<String> {
    if shape != Shape::Grouped {
        return None;
    }
    let groups: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|group| !group.is_empty())
        .map(str::to_owned)
        .collect();
    let groups = match &groups[..] {
        [one] => {
            let characters: Vec<char> = one.chars().collect();
            characters.chunks(4).map(|group| group.iter().collect()).collect()
        }
        _ => groups,
    };
    let plus = if text.starts_with('+') { "+" } else { "" };
    Some(format!("{plus}{}", groups.join(separator)))
}
