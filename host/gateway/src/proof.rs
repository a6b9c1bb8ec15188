//! A policy's own cases, held before it goes live.

use std::path::Path;
use std::sync::Arc;

use ringfence_policy::{Cases, FileError, Format, Limits, Outcome, Sandbox, read_file};

/// Cases and where they were read.
pub struct Source {
    /// For messages: the file, or the section of the component.
    pub place: String,
    /// The cases.
    pub cases: Arc<Cases>,
}

/// The cases of a policy: those that the component carries, and those in files beside it.
///
/// # Errors
/// What is wrong with them, and where.
pub fn sources(file: &Path, component: &[u8]) -> Result<Vec<Source>, String> {
    let mut found = Vec::new();
    if let Some(carried) = Cases::carried(component) {
        let place = "the cases in the component".to_owned();
        found.push(read(place, carried, Format::Json)?);
    }
    for path in Cases::beside(file) {
        let place = path.display().to_string();
        match read_file(&path, Cases::BYTES) {
            Ok(bytes) => found.push(read(place, &bytes, Format::of(&path))?),
            Err(FileError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{place}: {error}")),
        }
    }
    Ok(found)
}

fn read(place: String, bytes: &[u8], format: Format) -> Result<Source, String> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| format!("{place}: expected text in UTF-8"))?;
    let cases = Cases::parse(text, format).map_err(|error| format!("{place}: {error}"))?;
    Ok(Source { place, cases: Arc::new(cases) })
}

/// Holds the own cases of the policy in `file` against it. Blocks. Gives whether it has any.
///
/// # Errors
/// One does not hold, they cannot be read, or there are none and some are required. Names
/// cases by their place alone.
pub fn prove(
    sandbox: &Sandbox,
    file: &Path,
    component: &[u8],
    limits: &Limits,
    required: bool,
) -> Result<bool, String> {
    let sources = sources(file, component)?;
    if sources.is_empty() && required {
        let [json, yaml] = Cases::beside(file);
        return Err(format!(
            "it has no cases, and require_cases asks for some: put {} or {} beside it, or take \
             require_cases out",
            json.display(),
            yaml.display()
        ));
    }
    let any = !sources.is_empty();
    for source in sources {
        let held = sandbox.hold(component, &source.cases, limits);
        let outcomes = held.map_err(|error| error.to_string())?;
        let broken: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.holds()).collect();
        if let Some(first) = broken.first() {
            return Err(format!(
                "{} of its own {} cases do not hold, the first at {}, line {}; `ringfence policy \
                 test` shows them",
                broken.len(),
                outcomes.len(),
                source.place,
                first.line
            ));
        }
    }
    Ok(any)
}
