//! `ringfence detect`: what the detectors find in a file. Needs no configuration; with one,
//! what its operator added is found too.

mod hash;

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use ringfence::config::{Config, OwnEntity, TierConfig};
use ringfence::detection::sight;
use ringfence::house::BuildError;
use ringfence::tier::Tier;
use ringfence_detect::{Detector, Span, entities, merge};
use ringfence_fence::Finding;
use serde_json::json;

use super::Trouble;
use super::screen::{Row, Screen, Style, visible};

/// What to look at, and what to show of it.
#[derive(Args)]
pub struct Detecting {
    /// A file in UTF-8; - for the standard input
    #[arg(value_name = "FILE", required_unless_present = "list")]
    file: Option<PathBuf>,
    /// Print every entity that is looked for, what is checked, and an example
    #[arg(long, conflicts_with_all = ["file", "json", "redacted"])]
    list: bool,
    /// Print the findings as JSON; offsets are bytes
    #[arg(long)]
    json: bool,
    /// Print the text with every finding replaced by its name in brackets
    #[arg(long, conflicts_with = "json")]
    redacted: bool,
    /// Find what this configuration adds, too, and not what it allows
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print each line as the hash that may stand for it in a list of this installation
    #[arg(long, value_name = "WHAT", value_enum, conflicts_with_all = ["list", "json", "redacted"])]
    hash: Option<hash::Hashed>,
}

/// Looks at a file, or prints the list.
///
/// # Errors
/// [`Trouble`]: the file cannot be read, or not to its end.
pub fn detect(detecting: &Detecting, screen: &mut Screen) -> Result<(), Trouble> {
    let config = match &detecting.config {
        Some(file) => Some(Config::load(file).map_err(Trouble::Configuration)?),
        None => None,
    };
    let Some(file) = detecting.file.as_ref().filter(|_| !detecting.list) else {
        return list(config.as_ref(), screen);
    };
    let name = file.display().to_string();
    let text = match name.as_str() {
        "-" => text_of("the standard input", std::io::stdin().lock())?,
        _ => {
            let opened = std::fs::File::open(file)
                .map_err(|error| Trouble::Found(format!("{name} cannot be opened: {error}")))?;
            text_of(&name, opened)?
        }
    };
    if let Some(hashed) = detecting.hash {
        let config = match config {
            Some(config) => config,
            None => Config::embedded(false).map_err(Trouble::Configuration)?,
        };
        return Ok(screen.write(&hash::hash(&config, hashed, &text)?)?);
    }
    let detector = match &config {
        Some(config) => sight(&config.detection, None).map_err(several)?.detector,
        None => Arc::new(Detector::new()),
    };
    let (mut spans, mut readable) = detector.examine(&text);
    let marked = match config.as_ref().and_then(|config| config.detection.model.as_ref()) {
        Some(model) => Some(marked(model, &text)?),
        None => None,
    };
    if let Some(marked) = &marked {
        readable &= marked.is_some();
        merge(&mut spans, marked.iter().flatten().map(span));
    }
    match (detecting.json, detecting.redacted) {
        (true, _) => screen.write(&as_json(&text, &spans, readable))?,
        (_, true) if readable => screen.write(&redacted(&text, &spans))?,
        (_, true) => return Err(unreadable(&name)),
        _ => show(&text, &spans, screen)?,
    }
    if readable { Ok(()) } else { Err(unreadable(&name)) }
}

fn several(errors: Vec<BuildError>) -> Trouble {
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Trouble::Found(errors.join("\nringfence: "))
}

/// What the model of a configuration finds; nothing when it did not read the text in time.
fn marked(model: &TierConfig, text: &str) -> Result<Option<Vec<Finding>>, Trouble> {
    let wrong = |what: &dyn std::fmt::Display| Trouble::Found(format!("[detect.model]: {what}"));
    let tier = Tier::start(model).map_err(|error| wrong(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| wrong(&error))?;
    Ok(runtime.block_on(tier.text(text)).ok())
}

fn span(finding: &Finding) -> Span<'_> {
    let (start, end) = (finding.start as usize, finding.end as usize);
    Span { start, end, entity: &finding.entity, score: finding.score }
}

/// Prints every entity; those of a configuration last.
fn list(config: Option<&Config>, screen: &mut Screen) -> Result<(), Trouble> {
    let row = |name: &str, checked: &str, example: &str| -> Row {
        // A key has lines; the list shows the first.
        let first = example.lines().next().unwrap_or_default().to_owned();
        vec![name.into(), checked.into(), first.into()]
    };
    let mut rows = vec![row("ENTITY", "CHECKED", "EXAMPLE")];
    rows.extend(entities().iter().map(|entity| row(entity.name, entity.checked, entity.example)));
    let models = config.iter().filter_map(|config| config.detection.model.as_ref());
    for (kind, entity) in models.flat_map(|model| &model.entities) {
        rows.push(row(entity, &format!("what the model marks as {kind}"), ""));
    }
    for own in config.iter().flat_map(|config| &config.detection.entities) {
        let checked = match own {
            OwnEntity::Pattern(_) => "a pattern of the configuration",
            OwnEntity::Listed(_) => "terms of the configuration",
        };
        rows.push(row(own.name(), checked, ""));
    }
    Ok(screen.rows(&rows)?)
}

/// The text of a file, which is not longer than what the detectors read to its end.
fn text_of(name: &str, source: impl Read) -> Result<String, Trouble> {
    let most = Detector::SEGMENT_BYTES;
    let mut bytes = Vec::new();
    source
        .take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Trouble::Found(format!("{name} cannot be read: {error}")))?;
    if bytes.len() > most {
        let text = format!("{name} is too large: {most} bytes are read at most; split it");
        return Err(Trouble::Found(text));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Trouble::Found(format!("{name} is not UTF-8: byte {at} is wrong; convert it first"))
    })
}

fn unreadable(name: &str) -> Trouble {
    Trouble::Found(format!(
        "{name} was not read to its end: something in it is hidden deeper than {} layers, or is a file",
        Detector::LAYERS
    ))
}

/// The text with every finding replaced by its name in brackets.
fn redacted(text: &str, spans: &[Span]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        out.push_str(&text[at..span.start]);
        out.push('[');
        out.push_str(span.entity);
        out.push(']');
        at = span.end;
    }
    out.push_str(&text[at..]);
    out
}

fn as_json(text: &str, spans: &[Span], readable: bool) -> String {
    let mut places = Places::new(text);
    let findings: Vec<serde_json::Value> = spans
        .iter()
        .map(|span| {
            let (line, column) = places.of(span.start);
            json!({
                "entity": span.entity,
                // Two digits are all that a score means.
                "score": (f64::from(span.score) * 100.0).round() / 100.0,
                "start": span.start,
                "end": span.end,
                "line": line,
                "column": column,
                "text": &text[span.start..span.end],
            })
        })
        .collect();
    format!("{:#}\n", json!({ "readable": readable, "findings": findings }))
}

/// Shows the text with its findings marked, and then one line for each.
fn show(text: &str, spans: &[Span], screen: &mut Screen) -> Result<(), Trouble> {
    let mut marked = String::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        marked.push_str(&shown(&text[at..span.start]));
        let value = shown(&text[span.start..span.end]);
        let name = screen.style(Style::Faint, &format!("{}: ", span.entity));
        let value = screen.style(Style::Marked, &value);
        marked.push_str(&format!("[{name}{value}]"));
        at = span.end;
    }
    marked.push_str(&shown(&text[at..]));
    screen.write(&marked)?;
    if !marked.is_empty() && !marked.ends_with('\n') {
        screen.write("\n")?;
    }
    let count = match spans.len() {
        0 => "Nothing found".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    screen.heading(&count)?;
    let mut places = Places::new(text);
    let rows: Vec<Row> = spans
        .iter()
        .map(|span| {
            let (line, column) = places.of(span.start);
            vec![
                format!("{line}:{column}").into(),
                span.entity.into(),
                format!("{:.2}", span.score).into(),
            ]
        })
        .collect();
    Ok(screen.rows(&rows)?)
}

/// What a file says does not steer the terminal; lines and tabs stay.
fn shown(text: &str) -> String {
    let keep = |c: char| matches!(c, '\n' | '\t');
    text.split_inclusive(keep)
        .map(|piece| match piece.chars().next_back().filter(|&c| keep(c)) {
            Some(c) => visible(&piece[..piece.len() - 1]) + &c.to_string(),
            None => visible(piece),
        })
        .collect()
}

/// Lines and columns of a text, for offsets that only grow.
struct Places<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    column: usize,
}

impl<'a> Places<'a> {
    fn new(text: &'a str) -> Places<'a> {
        Places { text, at: 0, line: 1, column: 1 }
    }

    /// The line and the column, both from one, in characters.
    fn of(&mut self, offset: usize) -> (usize, usize) {
        for c in self.text[self.at..offset].chars() {
            (self.line, self.column) = match c {
                '\n' => (self.line + 1, 1),
                _ => (self.line, self.column + 1),
            };
        }
        self.at = offset;
        (self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    const TEXT: &str = "Grüße,\nmail bob@example.org or 203.0.113.7.\n";

    static DETECTOR: LazyLock<Detector> = LazyLock::new(Detector::new);

    fn spans(text: &str) -> Vec<Span<'static>> {
        DETECTOR.text(text)
    }

    #[test]
    fn a_redacted_copy_keeps_everything_else() {
        let copy = redacted(TEXT, &spans(TEXT));
        assert_eq!(copy, "Grüße,\nmail [EMAIL] or [IP_ADDRESS].\n");
    }

    #[test]
    fn json_has_bytes_lines_and_columns() {
        let json = as_json(TEXT, &spans(TEXT), true);
        let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let first = &value["findings"][0];
        assert_eq!((&first["line"], &first["column"]), (&json!(2), &json!(6)));
        assert_eq!((&first["start"], &first["end"]), (&json!(14), &json!(29)));
        assert_eq!((&first["score"], &first["entity"]), (&json!(0.95), &json!("EMAIL")));
        assert_eq!(value["readable"], json!(true));
    }

    #[test]
    fn what_is_no_text_is_told() {
        let trouble = |bytes: &[u8]| text_of("it", bytes).expect_err("an error").to_string();
        assert!(trouble(b"ab\xff").contains("it is not UTF-8: byte 2"));
        let long = vec![b'a'; Detector::SEGMENT_BYTES + 1];
        assert!(trouble(&long).contains("too large"));
        assert_eq!(text_of("it", &long[1..]).expect("a text").len(), Detector::SEGMENT_BYTES);
    }

    #[test]
    fn nothing_in_a_file_steers_the_terminal() {
        assert_eq!(shown("a\u{1b}[31m\tb\nc\r\n"), "a\u{fffd}[31m\tb\nc\u{fffd}\n");
    }
}
