//! What assigns a value, and where the value stands.

use crate::scan::Scan;

/// The longest value.
pub(super) const VALUE_BYTES: usize = 512;

/// The first byte of the characters from U+3000 on, to those of three bytes.
const UNSPACED: u8 = 0xe3;

/// How far a sentence may go on between a word and its value.
const CLAUSE_BYTES: usize = 64;

/// What assigns a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Nothing but blanks.
    Nothing,
    /// A colon after a sentence, and a new line.
    Line,
    /// `=`, `:`, `=>`, `:=`.
    Equals,
    /// `,` after a name in quotation marks.
    Comma,
    /// `is`, `was`, `to`.
    Is,
    /// `>`, as after a tag.
    Tag,
}

/// Where the value after a name begins, what assigns it, and its quotation mark.
pub(super) fn value_start(
    scan: &Scan<'_>,
    after: usize,
    sign: Sign,
) -> Option<(usize, Sign, Option<u8>)> {
    let blank = |byte: u8| matches!(byte, b' ' | b'\t');
    let closing = |byte: u8| matches!(byte, b'"' | b'\'' | b'`' | b']' | b'\\' | b')' | b'*');
    let mut at = scan.run(after, 4, closing);
    let closed = at > after;
    at = scan.run(at, 16, blank);
    // `Unseal Key 2:` is one of a list.
    let number = scan.run(at, 2, |byte| byte.is_ascii_digit());
    if number > at && at > after && scan.at(number) == Some(b':') {
        at = number;
    }
    let mut sign = sign;
    if sign == Sign::Nothing {
        (sign, at) = operator(scan, at)
            .or_else(|| typed(scan, at))
            .or_else(|| closed.then(|| attribute(scan, at)).flatten())
            .or_else(|| clause(scan, after))
            .or_else(|| spoken(scan, at, at > after))?;
    }
    at = scan.run(at, 16, blank);
    // The first of a list.
    if scan.at(at) == Some(b'[') && matches!(scan.at(at + 1), Some(b'"' | b'\'' | b'\\')) {
        at += 1;
    }
    if sign == Sign::Tag || (sign == Sign::Equals && matches!(scan.at(at), Some(b'|' | b'>'))) {
        // An element of XML, or a block of YAML: the value is on the next line.
        at = scan.run(at, 2, |byte| matches!(byte, b'|' | b'>' | b'-'));
        at = scan.run(at, 32, |byte| byte.is_ascii_whitespace());
    }
    let escaped =
        usize::from(scan.at(at) == Some(b'\\') && matches!(scan.at(at + 1), Some(b'"' | b'\'')));
    let quote = |at: usize| scan.at(at).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    match (quote(at + escaped), quote(at + escaped + 1)) {
        // `'"x"'`: a string in a string.
        (Some(outer), Some(inner)) if outer != inner && inner != b'`' => {
            Some((at + escaped + 2, sign, Some(inner)))
        }
        (Some(quote), _) => Some((at + escaped + 1, sign, Some(quote))),
        (None, _) => Some((at, sign, None)),
    }
}

/// Whether a quotation mark at `at` ends a string that the name stands in rather than
/// begins one: `"Password: " + x`.
pub(super) fn closes(scan: &Scan<'_>, name: usize, quote: u8) -> bool {
    let line = scan.run_back(name, 160, |byte| byte != b'\n');
    let letter = |at: usize| scan.at(at).is_some_and(|byte| byte.is_ascii_alphanumeric());
    let marks = (line..name).filter(|&at| {
        let escaped = at > 0 && scan.bytes[at - 1] == b'\\';
        let apostrophe = quote == b'\'' && at > 0 && letter(at - 1) && letter(at + 1);
        scan.bytes[at] == quote && !escaped && !apostrophe
    });
    marks.count() % 2 == 1
}

/// The signs that languages assign with.
fn operator(scan: &Scan<'_>, at: usize) -> Option<(Sign, usize)> {
    let end = scan.run(at, 5, |byte| b"=:>|?!.+-".contains(&byte));
    // A value may begin with one: `AccountKey=+FGjm`.
    (at + 1..=end).rev().find_map(|end| match &scan.text[at..end] {
        "=" | ":" | ":=" | "=>" | "==" | "===" | "?=" | "??=" | "||=" | "|=" | "!=" | "!=="
        | "::=" | ":::=" | ".=" | "+=" | "->" => Some((Sign::Equals, end)),
        ">" => Some((Sign::Tag, end)),
        _ => None,
    })
}

/// A type between the name and the sign: `token string =`, `token: String =`,
/// `token[] =`.
fn typed(scan: &Scan<'_>, at: usize) -> Option<(Sign, usize)> {
    let from = scan.run(at, 3, |byte| matches!(byte, b':' | b' ' | b'['));
    let name =
        scan.run(from, 16, |byte| byte.is_ascii_alphanumeric() || b"&'<>[]*?".contains(&byte));
    let sign = scan.run(name, 4, |byte| byte == b' ');
    let after = scan.run(sign, 2, |byte| matches!(byte, b':' | b'='));
    if !matches!(&scan.text[sign..after], "=" | ":=") {
        return None;
    }
    let known = ["str", "string", "char", "bytes", "[]", "]", "text", "any", "secret"];
    let lower = scan.text[from..name].to_ascii_lowercase();
    known.iter().any(|known| lower.contains(known)).then_some((Sign::Equals, after))
}

/// What stands behind a name in quotation marks: `"password", "x"`,
/// `name="password" value="x"`, `"name": "password", "value": "x"`.
fn attribute(scan: &Scan<'_>, at: usize) -> Option<(Sign, usize)> {
    let comma = scan.run(at, 2, |byte| matches!(byte, b',' | b'{' | b' '));
    let from = scan.run(comma, 16, |byte| matches!(byte, b' ' | b'\n' | b'\t'));
    let quote = scan.run(from, 2, |byte| matches!(byte, b'"' | b'\'' | b'\\'));
    let named = ["value", "content", "default", "params"].iter().find(|name| {
        scan.text[quote..].get(..name.len()).is_some_and(|text| text.eq_ignore_ascii_case(name))
    });
    if let Some(name) = named {
        let end =
            scan.run(quote + name.len(), 3, |byte| matches!(byte, b'"' | b'\'' | b'\\' | b' '));
        let sign = scan.run(end, 2, |byte| matches!(byte, b'=' | b':'));
        let list = scan.run(sign, 12, |byte| matches!(byte, b' ' | b'[' | b'\n'));
        return (sign > end).then_some((Sign::Equals, list));
    }
    scan.bytes[at..comma].contains(&b',').then_some((Sign::Comma, comma))
}

/// Words that say what a secret is; nothing at all on a command line.
fn spoken(scan: &Scan<'_>, at: usize, apart: bool) -> Option<(Sign, usize)> {
    const WORDS: [&str; 14] = [
        "is: ",
        "is ",
        "was ",
        "to ",
        "ist ",
        "es ",
        "est ",
        "é ",
        "the value is ",
        "：",
        "是",
        "は",
        "为",
        "為",
    ];
    // `the token (x)`.
    let at = at + usize::from(apart && scan.at(at) == Some(b'('));
    let rest = &scan.text[at..];
    let word = WORDS
        .iter()
        .find(|word| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)));
    match word {
        Some(word) if apart || !word.is_ascii() => Some((Sign::Is, at + word.len())),
        _ => apart.then_some((Sign::Nothing, at)),
    }
}

/// The rest of a sentence: `password for the user "bob" is "x"`, `token to go on:` and a
/// new line.
fn clause(scan: &Scan<'_>, after: usize) -> Option<(Sign, usize)> {
    let end = scan
        .run(after, CLAUSE_BYTES, |byte| byte.is_ascii_alphabetic() || b" -\"'`@".contains(&byte));
    if scan.at(after) != Some(b' ') {
        return None;
    }
    let rest = &scan.text[after..end];
    if let Some(at) = rest.find(" is ")
        && rest.get(at + 4..).is_some_and(|value| value.starts_with(['"', '\'', '`']))
        && ["for ", "of "].iter().any(|word| rest.trim_start().starts_with(word))
    {
        return Some((Sign::Is, after + at + 4));
    }
    let lines = scan.run(end + 1, 8, |byte| byte.is_ascii_whitespace());
    let colon = scan.at(end) == Some(b':') && scan.bytes[end + 1..lines].contains(&b'\n');
    colon.then_some((Sign::Line, lines))
}

/// Where a value without quotation marks ends that begins at `start`.
pub(super) fn value_end(scan: &Scan<'_>, start: usize, sign: Sign) -> usize {
    let latin = scan.at(start).is_some_and(|byte| byte.is_ascii());
    scan.run(start, scan.bytes.len(), |byte| {
        let ends = byte.is_ascii_whitespace() || b"\"'`,;<>|\\".contains(&byte);
        // Scripts that are written without blanks go on right behind a value.
        let unspaced = latin && (UNSPACED..=0xef).contains(&byte);
        !(ends || unspaced || byte == b'&' && sign == Sign::Equals)
    })
}

/// Where a value in quotation marks ends, after [`VALUE_BYTES`] at the latest.
pub(super) fn quoted_end(scan: &Scan<'_>, start: usize, quote: u8) -> usize {
    let until = start.saturating_add(VALUE_BYTES).min(scan.bytes.len());
    let mut at = start;
    while at < until {
        let escape = |byte: u8| b"\"'`\\nrtu".contains(&byte);
        match scan.bytes[at] {
            b'\\' if scan.at(at + 1).is_none_or(escape) => break,
            byte if byte == quote || byte == b'\n' => break,
            _ => at += 1,
        }
    }
    scan.text.floor_char_boundary(at)
}
