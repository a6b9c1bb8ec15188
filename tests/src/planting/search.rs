//! The search for a value in what arrived, as somebody would search who wants it.

use std::collections::HashSet;

use serde_json::Value as Json;
use unicode_normalization::UnicodeNormalization;

use super::coding::{
    STANDARD, URL_SAFE, base64_unpadded, escaped, from_base64, hex, percent, utf16,
};
use super::disguises::{CYRILLIC, GREEK};

/// How many encodings are undone, one inside the other.
const DEPTH: usize = 3;
/// No value is shorter than that.
const SHORTEST: usize = 6;
/// Zeros of the scripts whose digits are read.
const ZEROS: [char; 8] =
    ['\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{e50}', '\u{1d7ce}', '\u{1d7e2}', '\u{1d7f6}'];

/// A value in all the forms in which it is searched for.
pub struct Sought {
    /// Lower-case letters and digits only.
    bare: String,
    /// Forms to be found in the bytes as they are.
    exact: Vec<String>,
    /// The same, in lower case.
    folded: Vec<String>,
}

/// The body of a request, in all the forms in which it may be read.
pub struct Readings {
    raw: String,
    folded: String,
    /// Every string with no, one or several encodings undone; only its letters and digits.
    bare: Vec<String>,
}

impl Sought {
    /// The forms of one value.
    pub fn new(needle: &str) -> Sought {
        let bytes = [needle.as_bytes().to_vec(), utf16(needle)];
        let big: Vec<u8> = needle.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let exact = bytes.iter().chain([&big]).flat_map(|bytes| aligned(bytes)).collect();
        let folded = [needle.to_owned(), hex(needle.as_bytes()), percent(needle), escaped(needle)]
            .map(|form| form.to_lowercase())
            .to_vec();
        Sought { bare: canonical(needle), exact, folded }
    }

    /// In which form the value stands in a body, if it does.
    pub fn find<'a>(&'a self, body: &'a Readings) -> Option<&'a str> {
        let exact = self.exact.iter().find(|form| body.raw.contains(form.as_str()));
        let folded = || self.folded.iter().find(|form| body.folded.contains(form.as_str()));
        let bare = || body.bare.iter().find(|text| text.contains(&self.bare));
        exact.or_else(folded).or_else(bare).map(String::as_str)
    }
}

impl Readings {
    /// Reads a body.
    pub fn of(body: &[u8]) -> Readings {
        let raw = String::from_utf8_lossy(body).into_owned();
        let mut strings = Vec::new();
        let mut spoken = String::new();
        match serde_json::from_slice(body) {
            Ok(json) => gather(&json, None, &mut strings, &mut spoken),
            Err(_) => strings.push(raw.clone()),
        }
        strings.push(spoken);
        let mut seen: HashSet<String> = strings.into_iter().collect();
        let mut bare: Vec<String> = seen.iter().map(|text| canonical(text)).collect();
        let mut layer: Vec<String> = seen.iter().cloned().collect();
        for _ in 0..DEPTH {
            let decoded: Vec<String> = layer.iter().flat_map(|text| decodings(text)).collect();
            layer = decoded.into_iter().filter(|text| seen.insert(text.clone())).collect();
            bare.extend(layer.iter().map(|text| canonical(text)));
        }
        bare.retain(|text| text.len() >= SHORTEST);
        Readings { folded: raw.to_lowercase(), raw, bare }
    }
}

/// The letters and digits of a text, as they are read: compatible forms, other scripts'
/// digits and lookalikes are what they look like, and what nobody sees is not there.
pub fn canonical(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    for c in text.nfkc() {
        let c = match c.is_ascii() {
            true => c,
            false => latin(c),
        };
        if c.is_alphanumeric() {
            bare.extend(c.to_lowercase());
        }
    }
    bare
}

fn latin(c: char) -> char {
    for zero in ZEROS {
        if let Some(digit) = (c as u32).checked_sub(zero as u32).filter(|digit| *digit < 10) {
            return char::from_digit(digit, 10).unwrap_or(c);
        }
    }
    let lookalike = CYRILLIC.iter().chain(&GREEK).find(|(_, other)| *other == c);
    lookalike.map_or(c, |(latin, _)| *latin)
}

/// The characters of base64 that stand for whole bytes, wherever these begin.
fn aligned(bytes: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    for alphabet in [STANDARD, URL_SAFE] {
        for shift in 0..3usize {
            let shifted: Vec<u8> =
                vec![0; shift].into_iter().chain(bytes.iter().copied()).collect();
            let text = base64_unpadded(&shifted, alphabet);
            // A character at either end depends on what stands beside it.
            let from = [0, 2, 3][shift];
            let to = shifted.len() * 8 / 6;
            forms.push(text[from..to].to_owned());
        }
    }
    forms
}

/// Every string, keys included; and what is said, put together.
fn gather(json: &Json, key: Option<&str>, strings: &mut Vec<String>, spoken: &mut String) {
    match json {
        Json::String(text) => {
            if matches!(key, Some("text" | "content" | "arguments" | "system")) {
                spoken.push_str(text);
            }
            strings.push(text.clone());
        }
        Json::Number(number) => strings.push(number.to_string()),
        Json::Array(items) => items.iter().for_each(|item| gather(item, key, strings, spoken)),
        Json::Object(members) => {
            for (key, member) in members {
                strings.push(key.clone());
                gather(member, Some(key), strings, spoken);
            }
        }
        Json::Null | Json::Bool(_) => {}
    }
}

/// The text with one encoding undone, for each encoding that may be in it.
fn decodings(text: &str) -> Vec<String> {
    let mut decoded = Vec::new();
    if text.contains('%') {
        decoded.push(replaced(text, '%', |rest| Some((byte_of(rest.get(1..3)?)?, 3))));
    }
    if text.contains('\\') {
        decoded.push(unescaped(text));
    }
    if text.contains('&') {
        decoded.push(without_entities(text));
    }
    let without = |sign: fn(char) -> bool| {
        text.contains(sign).then(|| text.chars().filter(|c| !sign(*c)).collect::<String>())
    };
    // A code may be written in lines, and in pieces.
    let joined = without(|c| matches!(c, '\r' | '\n'));
    let dense = without(char::is_whitespace);
    for text in [Some(text), joined.as_deref(), dense.as_deref()].into_iter().flatten() {
        let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
        for run in text.split(|c| !is_base64(c)).filter(|run| run.len() >= SHORTEST) {
            let bytes = from_base64(run);
            let wide: Vec<u16> =
                bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            decoded.extend(String::from_utf8(bytes).ok());
            decoded.extend(String::from_utf16(&wide).ok());
        }
        for run in text.split(|c: char| !c.is_ascii_hexdigit()).filter(|run| run.len() >= SHORTEST)
        {
            let pairs = (0..run.len() / 2).filter_map(|at| byte_of(&run[at * 2..at * 2 + 2]));
            decoded.extend(String::from_utf8(pairs.collect()).ok());
        }
    }
    // What was no code decodes to noise.
    let noise = |c: &char| c.is_control() && !c.is_whitespace();
    decoded.retain(|text| text.len() >= SHORTEST && !text.chars().any(|c| noise(&c)));
    decoded
}

fn byte_of(pair: &str) -> Option<u8> {
    u8::from_str_radix(pair, 16).ok()
}

/// Bytes for what begins with `mark`, as `read` reads it: the byte, and how long it was.
fn replaced(text: &str, mark: char, read: impl Fn(&str) -> Option<(u8, usize)>) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match (c == mark).then(|| read(rest)).flatten() {
            Some((byte, length)) => {
                bytes.push(byte);
                rest = &rest[length..];
            }
            None => {
                bytes.extend_from_slice(&rest.as_bytes()[..c.len_utf8()]);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `\u0041`, `\u{41}`, `\x41`, `\n` and `\"` undone.
fn unescaped(text: &str) -> String {
    let text =
        replaced(text, '\\', |rest| Some((byte_of(rest.strip_prefix("\\x")?.get(..2)?)?, 4)));
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let braced = rest.strip_prefix("\\u{").and_then(|rest| rest.split_once('}'));
        let code = braced.and_then(|(code, after)| {
            Some((char::from_u32(u32::from_str_radix(code, 16).ok()?)?, after))
        });
        if let Some((c, after)) = code {
            units.extend(c.encode_utf16(&mut [0; 2]).iter());
            rest = after;
            continue;
        }
        let four = rest.strip_prefix("\\u").and_then(|rest| rest.get(..4));
        if let Some(unit) = four.and_then(|four| u16::from_str_radix(four, 16).ok()) {
            units.push(unit);
            rest = &rest[6..];
            continue;
        }
        match (c, rest[c.len_utf8()..].chars().next()) {
            ('\\', Some(next)) => {
                let c = if "nrt".contains(next) { '\n' } else { next };
                units.extend(c.encode_utf16(&mut [0; 2]).iter());
                rest = &rest[1 + next.len_utf8()..];
            }
            _ => {
                units.extend(c.encode_utf16(&mut [0; 2]).iter());
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    String::from_utf16_lossy(&units)
}

fn without_entities(text: &str) -> String {
    const NAMES: [(&str, char); 6] = [
        ("commat", '@'),
        ("period", '.'),
        ("nbsp", ' '),
        ("hyphen", '-'),
        ("lowbar", '_'),
        ("plus", '+'),
    ];
    let mut plain = String::with_capacity(text.len());
    let mut pieces = text.split('&');
    plain.push_str(pieces.next().unwrap_or(""));
    for piece in pieces {
        let entity = piece.split_once(';').and_then(|(name, after)| {
            let c = match (name.strip_prefix("#x"), name.strip_prefix('#')) {
                (Some(code), _) => char::from_u32(u32::from_str_radix(code, 16).ok()?)?,
                (None, Some(code)) => char::from_u32(code.parse().ok()?)?,
                (None, None) => NAMES.iter().find(|(known, _)| *known == name)?.1,
            };
            Some((c, after))
        });
        match entity {
            Some((c, after)) => {
                plain.push(c);
                plain.push_str(after);
            }
            None => {
                plain.push('&');
                plain.push_str(piece);
            }
        }
    }
    plain
}
