//! What is assigned to something that is called a secret: `.env` files, JSON, YAML,
//! programs, command lines, and sentences.

pub(super) use self::name::{WORDS, Word};
use self::name::{is_secret_name, rest_of_name};
use super::entropy;
use super::placeholder::{is_placeholder, is_reference};
use crate::candidate::{SECRET_PASSWORD, SECRET_TOKEN, Span};
use crate::scan::{Hit, Scan};

mod name;

/// The longest value.
const VALUE_BYTES: usize = 512;

/// The value that is assigned to the name that a word stands in.
pub(super) fn find(scan: &Scan<'_>, hit: &Hit, word: Word) -> Option<Span<'static>> {
    if !is_secret_name(scan, hit, word) {
        return None;
    }
    let literal = &scan.text[hit.start..hit.end];
    let assigned = literal.ends_with(['=', ':', ' ']);
    let (after, upper) = match assigned {
        true if scan.begins(hit.start) || !literal.starts_with('p') => (hit.end, false),
        true => return None,
        false => rest_of_name(scan, hit)?,
    };
    let sign = if assigned { Sign::Equals } else { Sign::Nothing };
    let (start, sign, quote) = value_start(scan, after, sign)?;
    let end = value_end(scan, start, quote, sign);
    let value = scan.text.get(start..end)?;
    let value = match (quote, sign) {
        (None, Sign::Is) => value.trim_end_matches(['.', '!', '?', ',', ')']),
        (None, _) => value.trim_end_matches(['.', ',']),
        _ => value,
    };
    let end = start + value.len();
    // The cheap questions first: most values are none.
    let sure = match word {
        Word::Password => password(value, quote, sign, upper)?,
        Word::Token => token(value, quote, sign)?,
        Word::Vague => token(value, quote, sign)
            .filter(|_| value.len() >= 20 && entropy(value.as_bytes()) >= 3.5)?,
    };
    if value.contains("://") || is_placeholder(value) || (quote.is_none() && is_reference(value)) {
        return None;
    }
    let entity = if word == Word::Password { SECRET_PASSWORD } else { SECRET_TOKEN };
    Some(Span::new(start, end, entity, sure))
}

/// What assigns a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// Nothing but blanks.
    Nothing,
    /// `=`, `:`, `=>`, `:=`, `,`.
    Equals,
    /// `is`, `was`, `to`.
    Is,
    /// `>`, as after a tag.
    Tag,
}

/// Where the value after a name begins, what assigns it, and its quotation mark.
fn value_start(scan: &Scan<'_>, after: usize, sign: Sign) -> Option<(usize, Sign, Option<u8>)> {
    let blank = |byte: u8| matches!(byte, b' ' | b'\t');
    let closing = |byte: u8| matches!(byte, b'"' | b'\'' | b'`' | b']' | b'\\' | b')' | b'*');
    let mut at = scan.run(after, 4, closing);
    let closed = at > after;
    at = scan.run(at, 16, blank);
    let mut sign = sign;
    if sign == Sign::Nothing {
        (sign, at) = operator(scan, at)
            .or_else(|| typed(scan, at))
            .or_else(|| closed.then(|| attribute(scan, at)).flatten())
            .or_else(|| spoken(scan, at, at > after))?;
    }
    at = scan.run(at, 16, blank);
    if sign == Sign::Tag || (sign == Sign::Equals && matches!(scan.at(at), Some(b'|' | b'>'))) {
        // An element of XML, or a block of YAML: the value is on the next line.
        at = scan.run(at, 2, |byte| matches!(byte, b'|' | b'>' | b'-'));
        at = scan.run(at, 32, |byte| byte.is_ascii_whitespace());
    }
    let escaped =
        usize::from(scan.at(at) == Some(b'\\') && matches!(scan.at(at + 1), Some(b'"' | b'\'')));
    let quote = scan.at(at + escaped).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    match quote {
        Some(quote) => Some((at + escaped + 1, sign, Some(quote))),
        None => Some((at, sign, None)),
    }
}

/// The signs that languages assign with.
fn operator(scan: &Scan<'_>, at: usize) -> Option<(Sign, usize)> {
    let end = scan.run(at, 5, |byte| b"=:>|?!.+-".contains(&byte));
    let sign = match &scan.text[at..end] {
        "=" | ":" | ":=" | "=>" | "==" | "===" | "?=" | "??=" | "||=" | "|=" | "!=" | "!=="
        | "::=" | ":::=" | ".=" | "+=" | "->" => Sign::Equals,
        ">" => Sign::Tag,
        _ => return None,
    };
    Some((sign, end))
}

/// A type between the name and the sign: `token string =`, `token: String =`,
/// `token[] =`.
fn typed(scan: &Scan<'_>, at: usize) -> Option<(Sign, usize)> {
    let from = scan.run(at, 3, |byte| matches!(byte, b':' | b' ' | b'['));
    let name =
        scan.run(from, 16, |byte| byte.is_ascii_alphanumeric() || b"&'<>[]*?".contains(&byte));
    let known = ["str", "string", "char", "bytes", "[]", "]", "text", "any", "secret"];
    let is_type =
        known.iter().any(|known| scan.text[from..name].to_ascii_lowercase().contains(known));
    let sign = scan.run(name, 4, |byte| byte == b' ');
    let after = scan.run(sign, 2, |byte| matches!(byte, b':' | b'='));
    (is_type && matches!(&scan.text[sign..after], "=" | ":=")).then_some((Sign::Equals, after))
}

/// What stands behind a name in quotation marks: `"password", "x"`,
/// `name="password" value="x"`, `"name": "password", "value": "x"`.
fn attribute(scan: &Scan<'_>, at: usize) -> Option<(Sign, usize)> {
    let comma = scan.run(at, 1, |byte| byte == b',');
    let from = scan.run(comma, 4, |byte| matches!(byte, b' ' | b'\n' | b'\t'));
    let quote = scan.run(from, 2, |byte| matches!(byte, b'"' | b'\'' | b'\\'));
    let named = ["value", "content", "default"].iter().find(|name| {
        scan.text[quote..].get(..name.len()).is_some_and(|text| text.eq_ignore_ascii_case(name))
    });
    if let Some(name) = named {
        let end =
            scan.run(quote + name.len(), 3, |byte| matches!(byte, b'"' | b'\'' | b'\\' | b' '));
        let sign = scan.run(end, 2, |byte| matches!(byte, b'=' | b':'));
        return (sign > end).then_some((Sign::Equals, sign));
    }
    (comma > at).then_some((Sign::Equals, comma))
}

/// Words that say what a secret is; nothing at all on a command line.
fn spoken(scan: &Scan<'_>, at: usize, apart: bool) -> Option<(Sign, usize)> {
    const WORDS: [&str; 13] =
        ["is: ", "is ", "was ", "to ", "ist ", "es ", "est ", "é ", "：", "是", "は", "为", "為"];
    let rest = &scan.text[at..];
    let word = WORDS
        .iter()
        .find(|word| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)));
    match word {
        Some(word) if apart || !word.is_ascii() => Some((Sign::Is, at + word.len())),
        _ => apart.then_some((Sign::Nothing, at)),
    }
}

fn value_end(scan: &Scan<'_>, start: usize, quote: Option<u8>, sign: Sign) -> usize {
    let end = scan.run(start, VALUE_BYTES, |byte| match quote {
        Some(quote) => byte != quote && byte != b'\n' && byte != b'\\',
        None => {
            let ends = byte.is_ascii_whitespace() || b"\"'`,;<>|\\".contains(&byte);
            !(ends || byte == b'&' && sign == Sign::Equals)
        }
    });
    let end = scan.text.floor_char_boundary(end);
    // A bracket that was opened in front of the name ends the value.
    match quote {
        None => start + scan.text[start..end].trim_end_matches([')', ']', '}']).len(),
        Some(_) => end,
    }
}

/// How sure it is that a value is a password; nothing when it is not.
fn password(value: &str, quote: Option<u8>, sign: Sign, upper: bool) -> Option<f32> {
    let bytes = value.as_bytes();
    if !(4..=128).contains(&bytes.len()) {
        return None;
    }
    let letters = bytes.iter().any(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
    let digits = bytes.iter().any(u8::is_ascii_digit);
    let signs = bytes[..bytes.len() - 1].iter().any(|byte| {
        byte.is_ascii_punctuation() && !matches!(byte, b'-' | b'_' | b'.' | b'/' | b'\'')
    });
    let capital =
        bytes[1..].iter().any(u8::is_ascii_uppercase) && bytes.iter().any(u8::is_ascii_lowercase);
    let mixed = letters && (digits || signs || capital);
    let blanks = value.contains(char::is_whitespace);
    match (sign, quote.is_some()) {
        _ if blanks && !(quote.is_some() && mixed && value.split_whitespace().count() <= 6) => None,
        (Sign::Equals | Sign::Tag, true) if mixed => Some(0.9),
        (Sign::Equals | Sign::Tag, true) if bytes.len() >= 6 && (digits || letters) => Some(0.7),
        (Sign::Equals | Sign::Tag, false) if mixed => Some(0.8),
        (Sign::Equals, false) if upper && bytes.len() >= 6 => Some(0.7),
        (Sign::Equals | Sign::Tag, false) if digits && bytes.len() >= 6 => Some(0.6),
        (Sign::Is, _) if (mixed && (digits || signs)) || quote.is_some() && bytes.len() >= 6 => {
            Some(0.7)
        }
        // `--password hunter2`, `password hunter2`.
        (Sign::Nothing, _) if letters && digits && bytes.len() >= 6 => Some(0.6),
        _ => None,
    }
}

/// How sure it is that a value was made by a machine to be secret.
fn token(value: &str, quote: Option<u8>, sign: Sign) -> Option<f32> {
    let bytes = value.as_bytes();
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_+/=.~!@#$%^&*:|".contains(byte);
    if !(8..=VALUE_BYTES - 1).contains(&bytes.len()) || !bytes.iter().all(allowed) {
        return None;
    }
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let entropy = entropy(bytes);
    let hexadecimal = bytes.iter().all(u8::is_ascii_hexdigit);
    let random = digits >= 1 && letters >= 2 && entropy >= if hexadecimal { 2.6 } else { 3.0 };
    let solid = digits + letters == bytes.len();
    // Paths, addresses and dates have digits and letters too.
    let path = value.starts_with('/') || value.contains("..") || is_host(value);
    match (bytes.len(), sign) {
        _ if path || !random => None,
        (16.., Sign::Equals | Sign::Tag) => Some(if entropy >= 3.5 { 0.85 } else { 0.7 }),
        (16.., _) if digits >= 2 && entropy >= 3.3 => Some(0.7),
        (12.., Sign::Equals) if quote.is_some() || (solid && digits >= 2) => Some(0.6),
        (8.., Sign::Equals) if quote.is_some() && digits >= 2 => Some(0.6),
        _ => None,
    }
}

/// Whether a value is the name of a host or of a file: small letters, digits and dots.
fn is_host(value: &str) -> bool {
    let labels = value.split('.').count();
    let last = value.rsplit('.').next().unwrap_or_default();
    labels >= 2
        && value.bytes().all(|byte| {
            !byte.is_ascii_uppercase() && (byte.is_ascii_alphanumeric() || b".-".contains(&byte))
        })
        && (1..=6).contains(&last.len())
        && (labels >= 3 || last.bytes().all(|byte| byte.is_ascii_alphabetic()))
}
