//! Reads one TOML text and collects what is wrong with it, line by line.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::mistake::{Mistake, Mistakes};

/// A value with its place in the text.
pub(super) type At<T> = Spanned<T>;

/// One text and the mistakes found in it so far.
pub(super) struct Reader<'t> {
    text: &'t str,
    file: Option<PathBuf>,
    /// What relative paths are relative to.
    folder: PathBuf,
    mistakes: Vec<(usize, Mistake)>,
    warnings: Vec<Mistake>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, file: Option<PathBuf>, folder: PathBuf) -> Reader<'t> {
        Reader { text, file, folder, mistakes: Vec::new(), warnings: Vec::new() }
    }

    /// The members of the whole document; what is not TOML is a mistake.
    pub(super) fn document(&mut self) -> DeTable<'t> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            self.mistake(
                &error.span().unwrap_or(0..0),
                format!("not TOML: {}", one_line(error.message())),
                "see https://toml.io for the format",
            );
        }
        table.into_inner()
    }

    /// Reads one value. Every member that is unknown or of a wrong type is a mistake of
    /// its own; with any, there is no value.
    pub(super) fn read<T: DeserializeOwned>(
        &mut self,
        section: &str,
        value: At<DeValue<'t>>,
    ) -> Option<T> {
        let mut value = value;
        let mut whole = true;
        loop {
            let span = value.span();
            let error = match T::deserialize(ValueDeserializer::from(value.clone())) {
                Ok(read) => return whole.then_some(read),
                Err(error) => error,
            };
            whole = false;
            let at = error.span().unwrap_or(span);
            let (what, remedy) = explain(section, self.key_before(&at), error.message());
            self.mistake(&at, what, remedy);
            // What is wrong is taken out, so that the next mistake shows.
            if !take_out(&mut value, &at) {
                return None;
            }
        }
    }

    /// Notes a mistake at `span`.
    pub(super) fn mistake(
        &mut self,
        span: &Range<usize>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let mistake = self.at(span, what.into(), remedy.into());
        self.mistakes.push((span.start, mistake));
    }

    /// Notes a mistake of the file as a whole.
    pub(super) fn mistake_overall(&mut self, what: impl Into<String>, remedy: impl Into<String>) {
        let (what, remedy) = (what.into(), remedy.into());
        let mistake = Mistake { file: self.file.clone(), line: None, what, remedy };
        self.mistakes.push((usize::MAX, mistake));
    }

    /// Notes something that is odd and not wrong.
    pub(super) fn warn(&mut self, span: &Range<usize>, what: String, remedy: &str) {
        let warning = self.at(span, what, remedy.to_owned());
        self.warnings.push(warning);
    }

    /// The path that the text means by `path`.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(Path::new(path))
    }

    /// The number within `bounds`, or a mistake.
    pub(super) fn number(
        &mut self,
        key: &str,
        given: Option<&At<i64>>,
        default: u64,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> u64 {
        let Some(given) = given else { return default };
        match u64::try_from(*given.get_ref()) {
            Ok(number) if bounds.contains(&number) => number,
            _ => {
                let (low, high) = (bounds.start(), bounds.end());
                self.mistake(
                    &given.span(),
                    format!("{key} is {}", given.get_ref()),
                    format!("give a number from {low} to {high}"),
                );
                default
            }
        }
    }

    /// The warnings, when nothing was wrong.
    pub(super) fn finish(mut self) -> Result<Vec<Mistake>, Mistakes> {
        if self.mistakes.is_empty() {
            return Ok(self.warnings);
        }
        self.mistakes.sort_by_key(|(at, _)| *at);
        let mut mistakes: Vec<Mistake> = Vec::new();
        for (_, mistake) in self.mistakes {
            if mistakes.last() != Some(&mistake) {
                mistakes.push(mistake);
            }
        }
        Err(Mistakes(mistakes))
    }

    /// The key on the line of a value that begins at `span`.
    fn key_before(&self, span: &Range<usize>) -> Option<&'t str> {
        let before = self.text.get(..span.start)?;
        let line = before.get(before.rfind('\n').map_or(0, |end| end + 1)..)?;
        let key = line.split_once('=')?.0.trim();
        (!key.is_empty()).then_some(key)
    }

    /// A mistake at `span`, which does not count yet.
    pub(super) fn at(&self, span: &Range<usize>, what: String, remedy: String) -> Mistake {
        let before = &self.text.as_bytes()[..span.start.min(self.text.len())];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        Mistake { file: self.file.clone(), line: Some(line), what, remedy }
    }
}

/// A parser's message as what is wrong and what to do. `key` is whose value it is.
fn explain(section: &str, key: Option<&str>, message: &str) -> (String, String) {
    let message = one_line(message);
    if let Some(rest) = message.strip_prefix("unknown field ")
        && let Some((field, expected)) = rest.split_once(", ")
    {
        let field = field.trim_matches('`');
        return (format!("{section} has no key `{field}`"), expected.replace("expected", "it has"));
    }
    // The parser repeats text, which may be a key in the wrong place.
    let message = match message.split_once("string \"") {
        Some((before, rest)) => {
            let after = rest.rsplit_once('"').map_or("", |(_, after)| after);
            format!("{before}text{after}")
        }
        None => message,
    };
    // It speaks of Rust's types.
    let message = message
        .replace("expected i64", "expected a whole number")
        .replace("expected f64", "expected a number")
        .replace("expected a string", "expected text in quotes");
    match key {
        Some(key) => (format!("{section} `{key}`: {message}"), "change the value".into()),
        None => (format!("{section}: {message}"), "change the value".into()),
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Takes the innermost member that `span` touches out of `value`. False when there is none.
fn take_out(value: &mut At<DeValue<'_>>, span: &Range<usize>) -> bool {
    let DeValue::Table(table) = value.get_mut() else { return false };
    let touches = |at: Range<usize>| at.start <= span.start && span.end <= at.end;
    let Some(key) = table
        .iter()
        .find(|(key, member)| touches(key.span()) || touches(member.span()))
        .map(|(key, _)| key.clone())
    else {
        return false;
    };
    if let Some(member) = table.get_mut(&key)
        && !touches(key.span())
        && take_out(member, span)
    {
        return true;
    }
    table.remove(&key).is_some()
}
