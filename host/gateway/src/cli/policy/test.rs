//! `ringfence policy test`: cases against a policy in the sandbox.

use std::path::Path;
use std::sync::Arc;

use ringfence::proof::{self, Source};
use ringfence_policy::{Cases, Format, Limits, Outcome, Said, Sandbox};

use super::{about, read, read_cases, sandbox};
use crate::cli::Trouble;
use crate::cli::screen::{Screen, Style, visible};

/// Holds `cases` against the policy in `file`; without any, its own.
///
/// # Errors
/// [`Trouble`]: one does not hold, there is none, or something cannot be read.
pub fn test(
    file: &Path,
    cases: Option<&Path>,
    update: bool,
    screen: &mut Screen,
) -> Result<(), Trouble> {
    let bytes = read(file)?;
    let sandbox = sandbox()?;
    if let Some(path) = cases {
        let text = read_cases(path)?;
        let outcomes = hold(&sandbox, file, &bytes, &parsed(path, &text)?)?;
        if update {
            return revise(&sandbox, file, &bytes, &Written { path, text }, &outcomes, screen);
        }
        return report(&path.display().to_string(), &outcomes, screen);
    }
    let sources = proof::sources(file, &bytes).map_err(Trouble::Found)?;
    if sources.is_empty() {
        let [json, yaml] = Cases::beside(file);
        let where_they_would_be = format!(
            "no cases: name a file, or put {} or {} beside it",
            json.display(),
            yaml.display()
        );
        return Err(about(file, &where_they_would_be));
    }
    for Source { place, cases } in sources {
        report(&place, &hold(&sandbox, file, &bytes, &cases)?, screen)?;
    }
    Ok(())
}

/// A file of cases as it is.
struct Written<'a> {
    path: &'a Path,
    text: String,
}

/// The cases of a text.
pub(super) fn parsed(path: &Path, text: &str) -> Result<Arc<Cases>, Trouble> {
    Cases::parse(text, Format::of(path)).map(Arc::new).map_err(|error| {
        Trouble::Found(format!("{}:{}: {}", path.display(), error.line, error.what))
    })
}

/// What becomes of each case.
pub(super) fn hold(
    sandbox: &Sandbox,
    file: &Path,
    bytes: &[u8],
    cases: &Arc<Cases>,
) -> Result<Vec<Outcome>, Trouble> {
    sandbox.hold(bytes, cases, &Limits::default()).map_err(|error| about(file, &error))
}

/// Shows what became of cases.
///
/// # Errors
/// One does not hold.
pub(super) fn report(
    place: &str,
    outcomes: &[Outcome],
    screen: &mut Screen,
) -> Result<(), Trouble> {
    let mut failed = 0;
    for outcome in outcomes {
        let name = visible(&outcome.name);
        if outcome.holds() {
            let word = screen.style(Style::Good, "holds ");
            screen.line(&format!("{word}  {name}"))?;
            continue;
        }
        failed += 1;
        let word = screen.style(Style::Bad, "FAILED");
        screen.line(&format!("{word}  {name}  {place}:{}", outcome.line))?;
        screen.line(&format!("        said      {}", json(&outcome.said)))?;
        screen.line(&format!("        expected  {}", json(&outcome.expected)))?;
    }
    if failed > 0 {
        return Err(Trouble::Found(format!(
            "{failed} of {} cases do not hold: {place}",
            outcomes.len()
        )));
    }
    let text = screen.style(Style::Good, &format!("{} cases hold: {place}", outcomes.len()));
    Ok(screen.line(&text)?)
}

/// Shows what would change, then writes it.
fn revise(
    sandbox: &Sandbox,
    file: &Path,
    bytes: &[u8],
    written: &Written<'_>,
    outcomes: &[Outcome],
    screen: &mut Screen,
) -> Result<(), Trouble> {
    let path = written.path;
    let format = Format::of(path);
    let changed: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.holds()).collect();
    if changed.is_empty() {
        return report(&path.display().to_string(), outcomes, screen);
    }
    for outcome in &changed {
        let place = format!("@@ {}:{} {}", path.display(), outcome.line, visible(&outcome.name));
        screen.line(&place)?;
        let before = format!("- expect: {}", json(&outcome.expected));
        let before = screen.style(Style::Bad, &before);
        let after = screen.style(Style::Good, &format!("+ expect: {}", json(&outcome.said)));
        screen.line(&before)?;
        screen.line(&after)?;
    }
    let revised =
        Cases::revised(&written.text, format, outcomes).map_err(|error| about(path, &error))?;
    // A trap is nothing that a case can expect, and what is written has to hold.
    let again = Cases::parse(&revised, format)
        .map_err(|error| about(path, &format!("nothing is written: {error}")))?;
    let outcomes = hold(sandbox, file, bytes, &Arc::new(again))?;
    if outcomes.iter().any(|outcome| !outcome.holds()) {
        return Err(about(path, &"nothing is written: the policy says something else each time"));
    }
    std::fs::write(path, revised).map_err(|error| about(path, &error))?;
    Ok(screen.line(&format!("{} of {} cases written", changed.len(), outcomes.len()))?)
}

fn json(said: &Said) -> String {
    visible(&serde_json::to_string(said).unwrap_or_default())
}
