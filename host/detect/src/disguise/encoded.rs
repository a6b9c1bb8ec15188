//! Base64 and hexadecimal.

use crate::scan::{Marks, Run, Scan};

/// What a run of encoded bytes says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// A text.
    Text(String),
    /// A file of a kind that no detector reads: a picture, an archive.
    File,
}

/// A piece of the text that stands for something else.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) says: Says,
}

/// The shortest text that is worth a look.
const TEXT_BYTES: usize = 6;

/// Lines of base64 at least this long may go on in the next line.
const LINE: usize = 48;

/// How many pairs of hexadecimal digits with separators make a text.
const PAIRS: usize = 6;

/// Everything in the text that decodes to text or to a file.
pub(super) fn find(scan: &Scan<'_>) -> Vec<Encoded> {
    let mut found = Vec::new();
    let mut done = 0;
    for &run in &scan.marks.runs {
        if run.start < done {
            continue;
        }
        match wrapped(scan, run) {
            Some(code) => {
                done = code.end;
                found.push(code);
            }
            None => pieces(scan, run, &mut found),
        }
    }
    pairs(scan, &mut found);
    found
}

/// A code that goes on in the lines behind its first: each says more than those before it.
fn wrapped(scan: &Scan<'_>, run: Run) -> Option<Encoded> {
    let mut code = scan.bytes[run.start..run.end].to_vec();
    let (mut end, mut line) = (run.end, run.len());
    let mut ends = Vec::new();
    while line >= LINE && code.last() != Some(&b'=') {
        let from = match (scan.at(end), scan.at(end + 1)) {
            (Some(b'\n'), _) => end + 1,
            (Some(b'\r'), Some(b'\n')) => end + 2,
            _ => break,
        };
        // Each line is walked over once more at most: the run that it is is skipped.
        let to = scan.run(from, scan.bytes.len() - from, is_digit);
        let text = &scan.bytes[from..to];
        // `NAME=value` is a line of settings.
        let ends_so = |byte: u8| byte.is_ascii_whitespace() || b"\"'`\\<)]}-".contains(&byte);
        if text.is_empty() || is_assignment(text) || !scan.at(to).is_none_or(ends_so) {
            break;
        }
        ends.push((code.len(), end));
        code.extend_from_slice(text);
        (line, end) = (to - from, to);
    }
    // The last line may be something else.
    for (length, before) in ends.into_iter().rev().take(2) {
        let says = decode(&code)?;
        let shorter = decode(&code[..length]);
        let more = match (&says, &shorter) {
            (Says::Text(more), Some(Says::Text(less))) => more.len() > less.len(),
            (Says::File, _) | (_, None) => true,
            _ => false,
        };
        if more {
            return Some(Encoded { start: run.start, end, says });
        }
        code.truncate(length);
        end = before;
    }
    None
}

/// Whether `=` stands before other digits.
fn is_assignment(line: &[u8]) -> bool {
    let padding = line.iter().rev().take_while(|&&byte| byte == b'=').count();
    line[..line.len() - padding].contains(&b'=')
}

/// Decodes a run: whole, or what follows an `=`, or what stands between slashes,
/// hyphens and underscores.
fn pieces(scan: &Scan<'_>, run: Run, found: &mut Vec<Encoded>) {
    for part in split(scan, run, |byte, next| byte == b'=' && next != Some(b'=')) {
        let whole = decode(&scan.bytes[part.start..part.end]);
        if let Some(says) = whole {
            found.push(Encoded { start: part.start, end: part.end, says });
            continue;
        }
        let separate = |byte, _| matches!(byte, b'/' | b'-' | b'_');
        let parts = split(scan, part, separate);
        if parts.len() < 2 {
            continue;
        }
        for part in parts {
            if let Some(says) = decode(&scan.bytes[part.start..part.end]) {
                found.push(Encoded { start: part.start, end: part.end, says });
            }
        }
    }
}

/// Parts of at least [`Marks::RUN`] bytes. `=` at the end belongs to its part.
fn split(scan: &Scan<'_>, run: Run, at_byte: impl Fn(u8, Option<u8>) -> bool) -> Vec<Run> {
    let mut parts = Vec::new();
    let mut start = run.start;
    for at in run.start..run.end {
        let next = (at + 1 < run.end).then(|| scan.bytes[at + 1]);
        let byte = scan.bytes[at];
        if at_byte(byte, next) && next.is_some() {
            let end = if byte == b'=' { at + 1 } else { at };
            parts.push(Run { start, end });
            start = at + 1;
        }
    }
    parts.push(Run { start, end: run.end });
    parts.retain(|part| part.len() >= Marks::RUN);
    parts
}

fn decode(encoded: &[u8]) -> Option<Says> {
    if let Some(bytes) = hexadecimal(encoded)
        && let Some(text) = text(bytes)
    {
        return Some(Says::Text(text));
    }
    // A letter or two in front move everything: `x` + base64.
    (0..4).find_map(|skip| {
        let encoded = encoded.get(skip..)?;
        let head = base64(encoded, 24)?;
        match (skip, is_file(&head)) {
            (0, true) => Some(Says::File),
            _ if !may_be_text(&head) => None,
            _ => text(base64(encoded, usize::MAX)?).map(Says::Text),
        }
    })
}

/// What a short run says, in hexadecimal or in base64 that begins where it begins.
pub(super) fn short(encoded: &[u8]) -> Option<String> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).ok();
    let hexadecimal = hexadecimal(encoded).and_then(text);
    // Base64 of digits begins with capitals.
    let is_base64 = || encoded.iter().any(u8::is_ascii_alphabetic);
    hexadecimal.or_else(|| text(is_base64().then(|| base64(encoded, usize::MAX)).flatten()?))
}

/// Decodes base64 of either alphabet, at most `limit` digits of it.
fn base64(encoded: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(encoded.len().min(limit) / 4 * 3 + 3);
    let (mut bits, mut count) = (0_u32, 0);
    let digits = encoded.iter().filter(|byte| !matches!(byte, b'\r' | b'\n'));
    for &byte in digits.take(limit) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            out.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, count) = (0, 0);
        }
    }
    match count {
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => {}
    }
    Some(out)
}

fn hexadecimal(encoded: &[u8]) -> Option<Vec<u8>> {
    let digits = encoded.strip_prefix(b"0x").unwrap_or(encoded);
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    digits.chunks_exact(2).map(byte).collect()
}

/// The byte that two hexadecimal digits are.
fn byte(pair: &[u8]) -> Option<u8> {
    let value = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    Some(value(pair[0])? << 4 | value(pair[1])?)
}

/// `6a 6f 68 6e`, with blanks, colons, hyphens or commas between, and `0x` in front of
/// each. Some pair of every text has a digit.
fn pairs(scan: &Scan<'_>, found: &mut Vec<Encoded>) {
    let mut done = 0;
    for digits in &scan.marks.digits {
        // `6a` and `20` have two digits at most.
        if digits.start < done || digits.len() > 2 {
            continue;
        }
        let letter = scan.before(digits.start).is_some_and(|byte| byte.is_ascii_hexdigit());
        let mut start = digits.start - usize::from(letter);
        if !scan.begins(start) {
            continue;
        }
        // Pairs of letters may stand before the first digit.
        while start >= done + 3 && is_between(scan.bytes[start - 1]) && is_pair(scan, start - 3) {
            start -= 3;
        }
        let (bytes, end) = pairs_from(scan, start);
        done = end.max(digits.end);
        if bytes.len() >= PAIRS
            && let Some(text) = text(bytes)
        {
            found.push(Encoded { start, end, says: Says::Text(text) });
        }
    }
}

/// The bytes that the pairs from `start` on are, with the same distance between them, and
/// where the last one ends.
fn pairs_from(scan: &Scan<'_>, start: usize) -> (Vec<u8>, usize) {
    let mut bytes = Vec::new();
    let (mut end, mut step) = (start, None);
    loop {
        let from = match bytes.is_empty() {
            true => end,
            false => scan.run(end, 3, is_between),
        };
        if !bytes.is_empty() && (from == end || *step.get_or_insert(from - end) != from - end) {
            return (bytes, end);
        }
        let prefix = if scan.bytes[from..].starts_with(b"0x") { 2 } else { 0 };
        let pair = scan.bytes.get(from + prefix..from + prefix + 2).and_then(byte);
        let Some(pair) = pair.filter(|_| scan.ends(from + prefix + 2)) else {
            return (bytes, end);
        };
        bytes.push(pair);
        end = from + prefix + 2;
    }
}

/// Whether a pair stands alone at `at`.
fn is_pair(scan: &Scan<'_>, at: usize) -> bool {
    scan.begins(at) && scan.bytes[at..at + 2].iter().all(u8::is_ascii_hexdigit)
}

/// What may part pairs.
fn is_between(byte: u8) -> bool {
    b" :-,;".contains(&byte)
}

/// The text that bytes are: UTF-8, or UTF-16 as some systems encode it.
fn text(bytes: Vec<u8>) -> Option<String> {
    if is_utf16(&bytes) {
        let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        return Some(char::decode_utf16(units).map(|c| c.unwrap_or(' ')).collect());
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        // Digits in front of or behind the encoded text leave a few odd bytes.
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            bytes.truncate(valid);
            String::from_utf8(bytes).ok()?
        }
    };
    (text.len() >= TEXT_BYTES && may_be_text(text.as_bytes())).then_some(text)
}

/// Whether bytes are letters and signs in UTF-16, some of them ASCII.
fn is_utf16(bytes: &[u8]) -> bool {
    // Nearly everything else ends here.
    if bytes.chunks_exact(2).take(16).filter(|pair| pair[1] == 0).count() < 4 {
        return false;
    }
    let units = bytes.chunks_exact(2).take(16).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let (mut ascii, mut last) = (0, true);
    let letters = char::decode_utf16(units).all(|c| match c {
        Ok(c) if c.is_ascii() => {
            ascii += 1;
            !c.is_ascii_control() || c.is_ascii_whitespace()
        }
        Ok(c) => c.is_alphanumeric(),
        // The first half of a pair may be the last that is looked at.
        Err(_) => std::mem::take(&mut last),
    });
    letters && bytes.len() >= 2 * TEXT_BYTES && ascii >= 4
}

/// Whether the first bytes look like text: no control characters among them.
fn may_be_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(18)];
    let valid = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    };
    let control = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r');
    is_utf16(bytes) || (valid && !head.iter().any(control))
}

/// Whether bytes begin like a file of a kind that no detector reads.
fn is_file(bytes: &[u8]) -> bool {
    const KINDS: [&[u8]; 14] = [
        b"\x89PNG",
        b"\xff\xd8\xff",
        b"GIF8",
        b"RIFF",
        b"%PDF",
        b"PK\x03\x04",
        b"\x1f\x8b\x08",
        b"BZh9",
        b"\xfd7zXZ\0",
        b"7z\xbc\xaf\x27\x1c",
        b"Rar!\x1a",
        b"\x28\xb5\x2f\xfd",
        b"\xd0\xcf\x11\xe0",
        b"OggS",
    ];
    KINDS.iter().any(|kind| bytes.starts_with(kind))
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}
