//! Escapes that programs and documents write characters with.

/// An escape.
pub(super) struct Escape {
    /// The character that it stands for; nothing for what shows as nothing.
    pub(super) means: Option<char>,
    /// Its length.
    pub(super) bytes: usize,
    /// Whether it can hide a value. `\n` and `\"` are how programs quote any text.
    pub(super) hides: bool,
}

impl Escape {
    fn hiding(means: char, bytes: usize) -> Option<Escape> {
        Some(Escape { means: shown(means), bytes, hides: true })
    }
}

/// Control characters show as nothing, except those that part lines and columns.
fn shown(c: char) -> Option<char> {
    (!c.is_control() || matches!(c, '\n' | '\r' | '\t')).then_some(c)
}

/// `%41`, and up to four of them for a character outside ASCII (RFC 3986).
pub(super) fn percent(text: &str, at: usize) -> Option<Escape> {
    let (means, bytes) = utf8(text, at, 3, |text, at| {
        text.get(at..at + 1).filter(|&sign| sign == "%")?;
        hexadecimal(text, at + 1, 2).map(|value| value as u8)
    })?;
    Escape::hiding(means, bytes)
}

/// `\u0041`, `\u{41}`, `\U00000041`, `\x41`, `\101`, `\n` and their like.
pub(super) fn backslash(text: &str, at: usize) -> Option<Escape> {
    let quoted = |means| Some(Escape { means: Some(means), bytes: 2, hides: false });
    match text.as_bytes().get(at + 1)? {
        b'u' if text.as_bytes().get(at + 2) == Some(&b'{') => {
            let digits = text.as_bytes()[at + 3..].iter().take(6);
            let digits = digits.take_while(|byte| byte.is_ascii_hexdigit()).count();
            let value = hexadecimal(text, at + 3, digits)?;
            let closed = text.as_bytes().get(at + 3 + digits) == Some(&b'}');
            closed.then_some(())?;
            Escape::hiding(char::from_u32(value)?, digits + 4)
        }
        b'u' => {
            let first = hexadecimal(text, at + 2, 4)?;
            if let Some(means) = char::from_u32(first) {
                return Escape::hiding(means, 6);
            }
            text.get(at + 6..at + 8).filter(|&next| next == "\\u")?;
            let pair = [first as u16, hexadecimal(text, at + 8, 4)? as u16];
            let means = char::decode_utf16(pair).next()?.ok()?;
            Escape::hiding(means, 12)
        }
        b'U' => Escape::hiding(char::from_u32(hexadecimal(text, at + 2, 8)?)?, 10),
        b'x' => {
            let (means, bytes) = utf8(text, at, 4, |text, at| {
                text.get(at..at + 2).filter(|&sign| sign == "\\x")?;
                hexadecimal(text, at + 2, 2).map(|value| value as u8)
            })?;
            Escape::hiding(means, bytes)
        }
        b'0'..=b'1' => {
            let digits = text.get(at + 1..at + 4)?;
            let value = u32::from_str_radix(digits, 8).ok().filter(|_| !digits.contains('+'))?;
            Escape::hiding(char::from_u32(value)?, 4)
        }
        b'n' => quoted('\n'),
        b'r' => quoted('\r'),
        b't' => quoted('\t'),
        b'b' | b'f' => quoted(' '),
        &sign @ (b'"' | b'\'' | b'/' | b'\\') => quoted(char::from(sign)),
        _ => None,
    }
}

/// Names of characters that occur in values; the others hide nothing.
const NAMED: [(&str, char); 28] = [
    ("amp", '&'),
    ("AMP", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("commat", '@'),
    ("period", '.'),
    ("hyphen", '-'),
    ("dash", '-'),
    ("lowbar", '_'),
    ("UnderBar", '_'),
    ("plus", '+'),
    ("equals", '='),
    ("colon", ':'),
    ("sol", '/'),
    ("bsol", '\\'),
    ("num", '#'),
    ("percnt", '%'),
    ("lpar", '('),
    ("rpar", ')'),
    ("comma", ','),
    ("ensp", ' '),
    ("emsp", ' '),
    ("thinsp", ' '),
    ("Tab", '\t'),
    ("NewLine", '\n'),
];

/// Names of characters that show as nothing.
const INVISIBLE: [&str; 6] = ["shy", "zwj", "zwnj", "ZeroWidthSpace", "lrm", "rlm"];

/// `&#64;`, `&#x40;`, `&commat;`.
pub(super) fn entity(text: &str, at: usize) -> Option<Escape> {
    let bytes = text.as_bytes();
    if bytes.get(at + 1) == Some(&b'#') {
        let hexadecimal = matches!(bytes.get(at + 2), Some(b'x' | b'X'));
        let (from, radix) = if hexadecimal { (at + 3, 16) } else { (at + 2, 10) };
        let digits = bytes.get(from..)?.iter().take(8);
        let digits = digits.take_while(|&&byte| char::from(byte).is_digit(radix)).count();
        let value = u32::from_str_radix(text.get(from..from + digits)?, radix).ok()?;
        let closed = usize::from(bytes.get(from + digits) == Some(&b';'));
        return Escape::hiding(char::from_u32(value)?, from + digits + closed - at);
    }
    let length = bytes[at + 1..].iter().take(16).position(|&byte| byte == b';')?;
    let name = text.get(at + 1..at + 1 + length)?;
    let bytes = length + 2;
    if INVISIBLE.contains(&name) {
        return Some(Escape { means: None, bytes, hides: true });
    }
    let means = NAMED.iter().find(|(known, _)| *known == name)?.1;
    // What every document must escape is no disguise.
    let hides = !matches!(means, '&' | '<' | '>' | '"' | '\'' | ' ');
    Some(Escape { means: Some(means), bytes, hides })
}

/// The character that one to four escaped bytes of `width` each make, and the length
/// of them all.
fn utf8(
    text: &str,
    at: usize,
    width: usize,
    byte: impl Fn(&str, usize) -> Option<u8>,
) -> Option<(char, usize)> {
    let mut bytes = [byte(text, at)?, 0, 0, 0];
    let count = match bytes[0] {
        0..0x80 => 1,
        0xc2..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf5 => 4,
        _ => return None,
    };
    for (index, slot) in bytes.iter_mut().enumerate().take(count).skip(1) {
        *slot = byte(text, at + index * width)?;
    }
    let means = std::str::from_utf8(&bytes[..count]).ok()?.chars().next()?;
    Some((means, count * width))
}

/// The value of exactly `digits` hexadecimal digits.
fn hexadecimal(text: &str, at: usize, digits: usize) -> Option<u32> {
    let digits = text.get(at..at + digits)?;
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    all.then(|| u32::from_str_radix(digits, 16).ok())?
}
