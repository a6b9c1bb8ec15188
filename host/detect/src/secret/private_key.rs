//! Private keys in blocks of lines: PEM (RFC 7468), OpenSSH, PGP, PuTTY.

use crate::candidate::{SECRET_PRIVATE_KEY, Span};
use crate::scan::{Hit, Scan};

/// What a block begins with. `-----BEGIN` is followed by its kind.
pub(super) const BEGINNINGS: [&str; 3] =
    ["PRIVATE KEY-----", "PRIVATE KEY BLOCK-----", "Private-Lines:"];

/// What a block ends with.
pub(super) const ENDS: [&str; 2] = ["Private-MAC:", "---- END SSH2 ENCRYPTED PRIVATE KEY ----"];

/// The most that a block without an end takes.
const BLOCK_BYTES: usize = 32 * 1024;

/// The longest line that begins or ends a block.
const LINE_BYTES: usize = 64;

/// Blocks of one text, while their lines go by.
#[derive(Default)]
pub(super) struct Blocks {
    open: Option<usize>,
    /// Literals that were seen in the block, each of which might end it.
    begun: Vec<(usize, usize)>,
}

impl Blocks {
    /// A line that begins a block, or ends one that PEM encodes.
    pub(super) fn begin(&mut self, hit: &Hit) {
        self.begun.push((hit.start, hit.end));
    }

    /// A line that ends a block of another kind.
    pub(super) fn end(&mut self, scan: &Scan<'_>, hit: &Hit) -> Option<Span<'static>> {
        let (start, _) = self.begun.pop().filter(|&(start, _)| is_putty(scan, start))?;
        let end = scan.run(hit.end, 160, |byte| byte.is_ascii_hexdigit() || byte == b' ');
        Some(Span::new(start, end, SECRET_PRIVATE_KEY, 1.0))
    }

    /// The blocks of PEM, and those that have no end.
    pub(super) fn unfinished(mut self, scan: &Scan<'_>) -> Vec<Span<'static>> {
        let mut spans = Vec::new();
        // A block of PuTTY's covers the literals in it: each byte is looked at once.
        let mut covered = 0;
        for (start, end) in std::mem::take(&mut self.begun) {
            let Some((line, begins)) = line(scan, start) else {
                if start >= covered && is_putty(scan, start) {
                    covered = body(scan, end, scan.bytes.len());
                    spans.push(Span::new(start, covered, SECRET_PRIVATE_KEY, 0.9));
                }
                continue;
            };
            match (begins, self.open.take()) {
                (true, before) => {
                    self.open = Some(line);
                    spans.extend(before.map(|from| cut(scan, from, line)));
                }
                (false, Some(from)) => {
                    spans.push(Span::new(from, end, SECRET_PRIVATE_KEY, 1.0));
                }
                (false, None) => {}
            }
        }
        spans.extend(self.open.map(|from| cut(scan, from, scan.bytes.len())));
        spans.retain(|span| holds_key(scan, span));
        spans
    }
}

/// The span of a block without an end, up to `limit` at most.
fn cut(scan: &Scan<'_>, from: usize, limit: usize) -> Span<'static> {
    let line = scan.run(from, 2 * LINE_BYTES, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-')
    });
    Span::new(from, body(scan, line, limit), SECRET_PRIVATE_KEY, 0.9)
}

/// Where the lines of base64 that follow `at` end, at `limit` at the latest.
fn body(scan: &Scan<'_>, at: usize, limit: usize) -> usize {
    scan.run(at, BLOCK_BYTES.min(limit.saturating_sub(at)), |byte| {
        byte.is_ascii_alphanumeric() || b"+/=\n\r\t \\:,-".contains(&byte)
    })
}

/// The start of the line `-----BEGIN ... PRIVATE KEY-----` or `-----END ...` around a
/// literal, and whether it begins a block.
fn line(scan: &Scan<'_>, literal: usize) -> Option<(usize, bool)> {
    let from = scan.run_back(literal, LINE_BYTES, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'.')
    });
    let before = &scan.text[from..literal];
    let begin = before.rfind("-----BEGIN").map(|at| (from + at, true));
    let end = before.rfind("-----END").map(|at| (from + at, false));
    // `\n-----END` where the escape's letter looks like the line's.
    begin.max(end)
}

fn is_putty(scan: &Scan<'_>, start: usize) -> bool {
    scan.text[start..].get(..8).is_some_and(|text| text.eq_ignore_ascii_case("private-"))
}

/// Whether a block holds more than its lines: a few bytes of a key at least.
fn holds_key(scan: &Scan<'_>, span: &Span) -> bool {
    let digits = scan.bytes[span.start..span.end].iter();
    digits.filter(|byte| byte.is_ascii_alphanumeric()).count() >= 64
}
