//! YAML as JSON whose every value stands on the line that it has in the YAML, so that
//! one reader serves both and its mistakes have the right lines.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::CasesError;

/// Lists and objects inside each other.
const DEPTH: usize = 64;

/// YAML as JSON.
pub(super) struct Translated {
    pub(super) json: String,
    /// For each scalar and each bracket: where it begins in the JSON, and where it
    /// stands in the YAML, in bytes.
    places: Vec<(usize, Range<usize>)>,
}

impl Translated {
    /// Where in the YAML the value at `json` stands.
    pub(super) fn place(&self, json: &Range<usize>) -> Option<Range<usize>> {
        let within = || self.places.iter().filter(|(at, _)| json.contains(at));
        let start = within().map(|(_, place)| place.start).min()?;
        let end = within().map(|(_, place)| place.end).max()?;
        Some(start..end)
    }
}

/// Translates a YAML text of one document.
///
/// # Errors
/// It is no YAML, or has what JSON cannot say, or an alias, which could grow without end.
pub(super) fn to_json(yaml: &str) -> Result<Translated, CasesError> {
    let mut writer = Writer {
        yaml,
        out: String::new(),
        places: Vec::new(),
        line: 1,
        open: Vec::new(),
        documents: 0,
    };
    // The parser counts characters.
    let mut bytes: Vec<usize> = yaml.char_indices().map(|(at, _)| at).collect();
    bytes.push(yaml.len());
    let byte = |index: usize| bytes.get(index).copied().unwrap_or(yaml.len());
    for event in Parser::new_from_str(yaml) {
        let (event, span) = event.map_err(|error| CasesError {
            line: error.marker().line().max(1),
            what: format!("not YAML: {}", error.info()),
        })?;
        let line = span.start.line().max(1);
        let place = byte(span.start.index())..byte(span.end.index());
        writer.event(event, line, place).map_err(|what| CasesError { line, what })?;
    }
    Ok(Translated { json: writer.out, places: writer.places })
}

struct Writer<'t> {
    yaml: &'t str,
    out: String,
    places: Vec<(usize, Range<usize>)>,
    line: usize,
    open: Vec<Open>,
    documents: usize,
}

/// What is open, and whether something stands in it already.
enum Open {
    List { filled: bool },
    Object { filled: bool, value_is_next: bool },
}

impl Writer<'_> {
    fn event(&mut self, event: Event<'_>, line: usize, place: Range<usize>) -> Result<(), String> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err("a second document: expected one list of cases".to_owned());
                }
            }
            Event::Alias(_) => return Err("an alias (`*name`): write it out".to_owned()),
            Event::Scalar(text, style, _, tag) => {
                if tag.is_some() {
                    return Err("a tag (`!name`): leave it out".to_owned());
                }
                let is_key = self.begin(line)?;
                self.places.push((self.out.len(), place));
                let plain = style == ScalarStyle::Plain && !is_key;
                self.out.push_str(&if plain { plain_scalar(&text) } else { quoted(&text) });
                self.end();
            }
            Event::SequenceStart(..) => self.start('[', line, place)?,
            Event::MappingStart(..) => self.start('{', line, place)?,
            Event::SequenceEnd => self.finish(']', place),
            Event::MappingEnd => self.finish('}', place),
            _ => {}
        }
        Ok(())
    }

    /// Writes what stands before a value. True when the value is a name.
    fn begin(&mut self, line: usize) -> Result<bool, String> {
        let is_key = match self.open.last_mut() {
            Some(Open::Object { value_is_next: true, .. }) => {
                self.out.push(':');
                false
            }
            Some(Open::List { filled } | Open::Object { filled, .. }) => {
                if std::mem::replace(filled, true) {
                    self.out.push(',');
                }
                matches!(self.open.last(), Some(Open::Object { .. }))
            }
            None => false,
        };
        while self.line < line {
            self.out.push('\n');
            self.line += 1;
        }
        Ok(is_key)
    }

    /// Notes that a value, or a name, is written.
    fn end(&mut self) {
        if let Some(Open::Object { value_is_next, .. }) = self.open.last_mut() {
            *value_is_next = !*value_is_next;
        }
    }

    fn start(&mut self, bracket: char, line: usize, place: Range<usize>) -> Result<(), String> {
        if self.begin(line)? {
            return Err("a list or an object as a name: expected text".to_owned());
        }
        if self.open.len() >= DEPTH {
            return Err(format!("more than {DEPTH} lists and objects inside each other"));
        }
        self.places.push((self.out.len(), place));
        self.out.push(bracket);
        self.open.push(match bracket {
            '[' => Open::List { filled: false },
            _ => Open::Object { filled: false, value_is_next: false },
        });
        Ok(())
    }

    fn finish(&mut self, bracket: char, place: Range<usize>) {
        self.open.pop();
        // In block style nothing ends it: its end is where the next thing begins. In flow
        // style the parser counts a comment behind the bracket.
        if place.end > place.start && self.yaml[place.start..].starts_with(bracket) {
            self.places.push((self.out.len(), place.start..place.start + 1));
        }
        self.out.push(bracket);
        self.end();
    }
}

/// The JSON of a scalar without quotes, by YAML's core schema as far as JSON has it.
fn plain_scalar(text: &str) -> String {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => "null".to_owned(),
        "true" | "True" | "TRUE" => "true".to_owned(),
        "false" | "False" | "FALSE" => "false".to_owned(),
        number if serde_json::from_str::<serde_json::Number>(number).is_ok() => number.to_owned(),
        text => quoted(text),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
