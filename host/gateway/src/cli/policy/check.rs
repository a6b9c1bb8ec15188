//! `ringfence policy check`: everything that the loader would say.

use std::path::Path;
use std::time::Instant;

use ringfence::proof;
use ringfence_policy::inspect as look;

use super::{Terms, about, inspect, read, sandbox, verify};
use crate::cli::Trouble;
use crate::cli::screen::{Cell, Row, Screen, Style};

/// Loads the file as a gateway would, and holds its own cases.
///
/// # Errors
/// [`Trouble`]: why it would not go live.
pub fn check(
    file: &Path,
    terms: &Terms,
    require_cases: bool,
    signed_by: &[String],
    screen: &mut Screen,
) -> Result<(), Trouble> {
    let bytes = read(file)?;
    let wrong = |error: &dyn std::fmt::Display| about(file, error);
    let inspection = look(&bytes).map_err(|error| wrong(&error))?;
    screen.rows(&inspect::rows(&inspection))?;
    screen.rows(&[match signed_by {
        [] => inspect::signature(file)?,
        keys => verify::held(file, &bytes, &verify::trusted(keys)?)?,
    }])?;
    let sandbox = sandbox()?;
    let entry = terms.entry(file);
    let started = Instant::now();
    let policy = sandbox.load(&entry, &bytes).map_err(|error| wrong(&error))?;
    let took = started.elapsed();
    let list = |names: &[String]| if names.is_empty() { "none".into() } else { names.join(", ") };
    let row =
        |name: &str, text: String| -> Row { vec![Cell::styled(Style::Faint, name), text.into()] };
    let declared = &policy.declaration;
    let starts = match policy.snapshot {
        true => "configured, from a snapshot",
        false => "unconfigured: its form allows no snapshot, so each request configures it",
    };
    screen.rows(&[
        row("codes", list(&declared.codes)),
        row("labels", list(&declared.labels)),
        row("needs", list(&declared.needs)),
        row("starts", starts.into()),
        row("loaded in", format!("{} ms", took.as_millis())),
    ])?;
    proof::prove(&sandbox, file, &bytes, &entry.limits, require_cases)
        .map_err(|error| wrong(&error))?;
    let sources = proof::sources(file, &bytes).map_err(|error| wrong(&error))?;
    let held: usize = sources.iter().map(|source| source.cases.count()).sum();
    screen.rows(&[row("cases", if held == 0 { "none".into() } else { format!("{held} hold") })])?;
    let text = screen.style(Style::Good, "It would go live.");
    Ok(screen.line(&text)?)
}
