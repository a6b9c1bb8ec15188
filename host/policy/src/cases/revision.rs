//! A file of cases with what was said in the place of what was expected.

use std::io;
use std::ops::Range;

use serde::Serialize as _;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use super::{CasesError, Format, Outcome, Said, outline, yaml};

/// Characters of an expectation that stands on one line.
const LINE: usize = 80;

pub(super) fn revised(
    text: &str,
    format: Format,
    outcomes: &[Outcome],
) -> Result<String, CasesError> {
    let moved = |line| CasesError { line, what: "the file has changed meanwhile".to_owned() };
    let translated = match format {
        Format::Json => None,
        Format::Yaml => Some(yaml::to_json(text)?),
    };
    let json = translated.as_ref().map_or(text, |translated| translated.json.as_str());
    let outlines = outline::outline(json)?;
    if outlines.len() != outcomes.len() {
        return Err(moved(1));
    }
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    for (outline, outcome) in outlines.into_iter().zip(outcomes) {
        if outcome.holds() {
            continue;
        }
        let expect = outline.expect.filter(|_| outline.line == outcome.line);
        let place = match &translated {
            None => expect,
            Some(translated) => expect.and_then(|expect| translated.place(&expect)),
        };
        let place = place.ok_or_else(|| moved(outcome.line))?;
        let written = match format {
            Format::Json => in_lines(&outcome.said, indentation(text, place.start)),
            Format::Yaml => on_one_line(&outcome.said),
        };
        changes.push((place, written));
    }
    let mut revised = text.to_owned();
    for (place, written) in changes.into_iter().rev() {
        revised.replace_range(place, &written);
    }
    Ok(revised)
}

/// Spaces before the first character of the line of `at`.
fn indentation(text: &str, at: usize) -> usize {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    text[line..at].chars().take_while(|letter| *letter == ' ').count()
}

fn in_lines(said: &Said, indentation: usize) -> String {
    let line = on_one_line(said);
    if line.chars().count() <= LINE {
        return line;
    }
    let pretty = written(said, PrettyFormatter::with_indent(b"  "));
    pretty.replace('\n', &format!("\n{}", " ".repeat(indentation)))
}

fn on_one_line(said: &Said) -> String {
    written(said, Spaced)
}

fn written(said: &Said, formatter: impl Formatter) -> String {
    let mut out = Vec::new();
    // Writing strings into memory does not fail.
    let _ = said.serialize(&mut Serializer::with_formatter(&mut out, formatter));
    String::from_utf8_lossy(&out).into_owned()
}

/// JSON on one line, with a space after commas and colons, as people write it.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
