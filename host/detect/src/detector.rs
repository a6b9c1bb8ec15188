//! The detector: every family over every segment.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use ringfence_chat::{Kind, Place, Request, Segment};

use crate::candidate::Span;
use crate::disguise::{self, Letters};
use crate::layout::{self, Announced, Cell};
use crate::national::{self, National};
use crate::reading::{Reading, finding};
use crate::scan::{Marks, Scan, Scanner};
use crate::secret::Secrets;
use crate::vocabulary::Vocabulary;
use crate::{card, crypto, email, iban, ip, mac, overlap, parts, phone, ssn};

/// Finds personal data and secrets. Made once and shared: it has no state.
pub struct Detector {
    families: Arc<Families>,
    vocabulary: Vocabulary,
}

/// What every detector knows, whatever an operator adds.
struct Families {
    scanner: Scanner,
    secrets: Secrets,
    national: National,
    letters: Letters,
    announced: Announced,
}

/// What opening the disguises of one text may still cost.
struct Allowance {
    bytes: usize,
    exceeded: bool,
    /// What was opened already: two disguises undone in either order say the same.
    seen: HashSet<u64>,
    hash: RandomState,
}

impl Detector {
    /// The bytes of one segment that are read. A longer one counts as unreadable.
    pub const SEGMENT_BYTES: usize = 8 * 1024 * 1024;

    /// The bytes of one request that are read; segments after them count as unreadable.
    pub const REQUEST_BYTES: usize = 64 * 1024 * 1024;

    /// The findings of one request; segments with more count as unreadable.
    pub const FINDINGS: usize = 20_000;

    /// Layers of disguise that are opened. What hides deeper counts as unreadable.
    pub const LAYERS: usize = 4;

    /// The longest value that is read together with the name of its member.
    pub const NAMED_BYTES: usize = 256;

    /// How many names of members are tried for one that tells what a value is.
    pub const NAMES: usize = 6;

    /// Bytes that opening the disguises of one text may produce, for each byte of it.
    pub const OPENED_PER_BYTE: usize = 6;

    /// A detector with all its tables; takes a few milliseconds.
    pub fn new() -> Detector {
        let secrets = Secrets::new();
        let families = Families {
            scanner: Scanner::new(&secrets.literals()),
            secrets,
            national: National::new(),
            letters: Letters::new(),
            announced: Announced::of_families(),
        };
        Detector { families: Arc::new(families), vocabulary: Vocabulary::default() }
    }

    /// The same tables with another vocabulary.
    pub fn with(&self, vocabulary: Vocabulary) -> Detector {
        Detector { families: Arc::clone(&self.families), vocabulary }
    }

    /// Finds everything in a request.
    pub fn read(&self, request: &Request) -> Reading {
        let mut reading = Reading::default();
        let mut across = parts::across(self, request);
        let mut bytes = 0_usize;
        for segment in request.segments() {
            if !is_text(segment) {
                if segment.readable && segment.kind != Kind::Attachment {
                    reading.unreadable.push(segment.id);
                }
                continue;
            }
            bytes = bytes.saturating_add(segment.text.len());
            if bytes > Detector::REQUEST_BYTES {
                reading.unreadable.push(segment.id);
                continue;
            }
            let (mut spans, readable) = self.examine(&national::asked(segment));
            let whole = spans.len();
            spans.extend(across.remove(&segment.id).unwrap_or_default());
            self.under_its_name(segment, &mut spans);
            if spans.len() > whole {
                overlap::settle(&mut spans);
            }
            let room = Detector::FINDINGS - reading.findings.len();
            if !readable || spans.len() > room {
                reading.unreadable.push(segment.id);
            }
            reading.findings.extend(spans.iter().take(room).map(|span| finding(segment.id, span)));
        }
        reading
    }

    /// Finds everything in one text; ordered by start, without overlaps.
    pub fn text(&self, text: &str) -> Vec<Span<'_>> {
        self.examine(text).0
    }

    /// Finds everything in one text, and tells whether it was read to the end.
    pub fn examine(&self, text: &str) -> (Vec<Span<'_>>, bool) {
        let read = &text[..text.floor_char_boundary(Detector::SEGMENT_BYTES)];
        let mut spans = Vec::new();
        let mut allowance = Allowance::of(read);
        allowance.exceeded = read.len() < text.len();
        self.explore(read, 0, &mut allowance, &mut spans);
        overlap::settle(&mut spans);
        (spans, !allowance.exceeded)
    }

    /// Finds what only the name of a member tells: `{"ssn": "536904399"}`. In a text the
    /// name stands before the value; here they are two segments.
    fn under_its_name<'d>(&'d self, segment: &Segment, out: &mut Vec<Span<'d>>) {
        let Place::Value(pointer) = &segment.place else { return };
        if segment.kind == Kind::Text || segment.text.len() > Detector::NAMED_BYTES {
            return;
        }
        let Some(name) = name_in(pointer) else { return };
        let joined = format!("{name}\": \"{}\"", segment.text);
        let marks = self.mark(&joined);
        let codes = !marks.runs.is_empty() || !marks.shorts.is_empty();
        let nothing = marks.hits.is_empty() && marks.digits.is_empty() && !codes;
        if nothing && !marks.escapes && !marks.unusual && self.vocabulary.is_empty() {
            return;
        }
        let value = joined.len() - 1 - segment.text.len()..joined.len() - 1;
        let inside = |span: &&Span| value.start <= span.start && span.end <= value.end;
        let moved = |span: &Span<'d>| Span {
            start: span.start - value.start,
            end: span.end - value.start,
            ..*span
        };
        out.extend(self.anyhow(&joined).iter().filter(inside).map(moved));
    }

    /// Finds everything in a short text that stands in no segment by itself: what cannot be
    /// opened in it cannot be opened where it stands either, and counts there.
    pub(crate) fn anyhow(&self, text: &str) -> Vec<Span<'_>> {
        let mut allowance = Allowance::of(text);
        let mut spans = Vec::new();
        self.explore(text, 0, &mut allowance, &mut spans);
        overlap::settle(&mut spans);
        spans
    }

    /// Finds everything in one text as it stands there.
    pub(crate) fn plain<'d>(&'d self, scan: &Scan<'_>, out: &mut Vec<Span<'d>>) {
        let families = &self.families;
        families.secrets.find(scan, out);
        if !scan.marks.ats.is_empty() {
            email::find(scan, out);
        }
        if !scan.marks.digits.is_empty() {
            card::find(scan, out);
            iban::find(scan, out);
            ssn::find(scan, out);
            phone::find(scan, out);
            families.national.find(scan, out);
        }
        mac::find(scan, out);
        if !scan.marks.runs.is_empty() {
            crypto::find(scan, out);
        }
        ip::find(scan, out);
        self.vocabulary.find(scan, out);
        self.vocabulary.allowed.take_out(scan.text, out);
    }

    /// Finds what a text's layout tells: names at the heads of columns and in elements.
    fn laid_out<'d>(&'d self, text: &str, out: &mut Vec<Span<'d>>) {
        let announced = &self.families.announced;
        let always = self.vocabulary.asks_words();
        let mut marks = Marks::default();
        for Cell { head, value } in layout::cells(text, &|head| always || announced.has(head)) {
            let joined = format!("{}\": \"{}\"", &text[head], &text[value.clone()]);
            let from = joined.len() - 1 - value.len();
            let inside = |span: &&Span<'d>| from <= span.start && span.end < joined.len();
            let moved = |span: &Span<'d>| Span {
                start: span.start - from + value.start,
                end: span.end - from + value.start,
                ..*span
            };
            self.families.scanner.mark(&joined, &mut marks);
            let mut spans = Vec::new();
            self.plain(&Scan::new(&joined, &marks), &mut spans);
            out.extend(spans.iter().filter(inside).map(moved));
        }
        if !text.contains("</") {
            return;
        }
        let whole = always.then_some(0..text.len());
        let places = announced.places(text).take_while(|_| !always).chain(whole);
        if let Some(without) = layout::without_elements(text, places) {
            self.families.scanner.mark(&without.text, &mut marks);
            let mut spans = Vec::new();
            self.plain(&Scan::new(&without.text, &marks), &mut spans);
            out.extend(spans.iter().filter_map(|span| {
                let (start, end) = without.origin(span.start, span.end)?;
                Some(Span { start, end, ..*span })
            }));
        }
    }

    /// The marks of a text.
    pub(crate) fn mark(&self, text: &str) -> Marks {
        let mut marks = Marks::default();
        self.families.scanner.mark(text, &mut marks);
        marks
    }

    /// Finds everything in a text and under its disguises. What a code says, and what is
    /// escaped, is read where it stands: the words around it decide what a number is.
    fn explore<'d>(
        &'d self,
        text: &str,
        layer: usize,
        allowance: &mut Allowance,
        out: &mut Vec<Span<'d>>,
    ) {
        let marks = self.mark(text);
        let scan = Scan::new(text, &marks);
        self.plain(&scan, out);
        self.laid_out(text, out);
        let decoded = disguise::decode(&scan);
        allowance.exceeded |= decoded.files;
        let opened = || disguise::open(text, &self.families.letters);
        let opened = (marks.escapes || marks.unusual).then(opened).flatten();
        for view in decoded.view.into_iter().chain(opened) {
            if !allowance.is_new(&view.text) || !allowance.take(layer, view.text.len(), view.hides)
            {
                continue;
            }
            let mut spans = Vec::new();
            self.explore(&view.text, layer + 1, allowance, &mut spans);
            out.extend(spans.iter().map(|span| {
                let (start, end) = view.origin(span.start, span.end);
                Span { start, end, ..*span }
            }));
        }
    }
}

/// The name of the member that holds the value at a JSON pointer, where one tells what the
/// value is: not an index, and not a word of JSON's schemas.
fn name_in(pointer: &str) -> Option<&str> {
    const OF_SCHEMAS: [&str; 10] = [
        "allOf", "anyOf", "const", "default", "enum", "example", "examples", "items", "oneOf",
        "value",
    ];
    let index = |name: &&str| name.bytes().all(|byte| byte.is_ascii_digit());
    let mut names = pointer.rsplit('/').take(Detector::NAMES);
    names.find(|name| !index(name) && !OF_SCHEMAS.contains(name))
}

impl Default for Detector {
    fn default() -> Detector {
        Detector::new()
    }
}

/// Shows nothing of the tables.
impl std::fmt::Debug for Detector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Detector")
    }
}

impl Allowance {
    fn of(text: &str) -> Allowance {
        Allowance {
            bytes: text.len().saturating_mul(Detector::OPENED_PER_BYTE),
            exceeded: false,
            seen: HashSet::new(),
            hash: RandomState::new(),
        }
    }

    /// Whether a text was not read yet.
    fn is_new(&mut self, text: &str) -> bool {
        self.seen.insert(self.hash.hash_one(text))
    }

    /// Whether another layer of `bytes` may be opened. One that hides something and may
    /// not makes the text unreadable.
    fn take(&mut self, layer: usize, bytes: usize, hides: bool) -> bool {
        if layer >= Detector::LAYERS || bytes > self.bytes {
            self.exceeded |= hides;
            return false;
        }
        self.bytes -= bytes;
        true
    }
}

/// Whether a segment's string is text: not the data of a picture or a file, which
/// counts as unreadable already.
fn is_text(segment: &Segment) -> bool {
    let head = segment.text.as_bytes();
    let data = head.len() >= 5 && head[..5].eq_ignore_ascii_case(b"data:");
    let address = || segment.text.contains("://");
    match segment.kind {
        Kind::Attachment => !data && segment.text.len() < 8 * 1024 && address(),
        _ => !(data && head[..head.len().min(128)].windows(7).any(|part| part == b";base64")),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::LazyLock;

    use super::*;

    pub(crate) static DETECTOR: LazyLock<Detector> = LazyLock::new(Detector::new);

    /// The texts of all findings of one entity.
    pub(crate) fn found<'a>(text: &'a str, entity: &str) -> Vec<&'a str> {
        let spans = DETECTOR.text(text);
        let spans = spans.iter().filter(|span| span.entity == entity);
        spans.map(|span| &text[span.start..span.end]).collect()
    }
}
