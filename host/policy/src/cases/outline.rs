//! Where the cases of a file stand, and what each expects.

use std::ops::Range;

use serde::de::IgnoredAny;

use super::{CasesError, words};

/// Where one case stands, in bytes of its file.
pub(super) struct Outline {
    /// The line that it begins on, from 1.
    pub(super) line: usize,
    pub(super) span: Range<usize>,
    /// The value of its `expect`.
    pub(super) expect: Option<Range<usize>>,
}

/// Outlines the cases of a JSON text.
///
/// # Errors
/// It is no JSON, or no list of objects.
pub(super) fn outline(json: &str) -> Result<Vec<Outline>, CasesError> {
    serde_json::from_str::<Vec<IgnoredAny>>(json).map_err(|error| CasesError {
        line: error.line().max(1),
        what: format!("{}: expected a list of cases", words(&error)),
    })?;
    // From here on it is JSON, so brackets and quotes can be counted.
    let mut scan = Scan { bytes: json.as_bytes(), at: 0 };
    let mut outlines = Vec::new();
    scan.skip_space();
    scan.at += 1;
    loop {
        scan.skip_space();
        match scan.here() {
            Some(b',') => scan.at += 1,
            Some(b']') | None => return Ok(outlines),
            Some(_) => {
                let line = 1 + json.as_bytes()[..scan.at].iter().filter(|&&b| b == b'\n').count();
                let start = scan.at;
                let expect = match scan.here() {
                    Some(b'{') => scan.object(),
                    _ => {
                        scan.value();
                        None
                    }
                };
                outlines.push(Outline { line, span: start..scan.at, expect });
            }
        }
    }
}

struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Scan<'_> {
    fn here(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.here().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Passes an object, and gives the value of its member `expect`.
    fn object(&mut self) -> Option<Range<usize>> {
        let mut expect = None;
        self.at += 1;
        loop {
            self.skip_space();
            match self.here()? {
                b'}' => {
                    self.at += 1;
                    return expect;
                }
                b',' => self.at += 1,
                _ => {
                    let start = self.at;
                    self.value();
                    let is_expect = &self.bytes[start..self.at] == b"\"expect\"";
                    self.skip_space();
                    self.at += 1;
                    self.skip_space();
                    let start = self.at;
                    self.value();
                    if is_expect {
                        expect = Some(start..self.at);
                    }
                }
            }
        }
    }

    /// Passes a value.
    fn value(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.here() {
            match byte {
                b'"' => {
                    self.string();
                    if depth == 0 {
                        return;
                    }
                    continue;
                }
                b'[' | b'{' => depth += 1,
                b']' | b'}' if depth == 0 => return,
                b']' | b'}' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return;
                    }
                }
                b',' if depth == 0 => return,
                byte if depth == 0 && byte.is_ascii_whitespace() => return,
                _ => {}
            }
            self.at += 1;
        }
    }

    fn string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.here() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return;
            }
        }
    }
}
