//! `ringfence policy inspect`.

use std::path::Path;

use ringfence::signatures::Signature;
use ringfence_policy::{Inspection, inspect as look};

use super::{about, read};
use crate::cli::Trouble;
use crate::cli::screen::{Cell, Row, Screen, Style};

/// Says what the file at `path` is.
///
/// # Errors
/// [`Trouble`]: it cannot be read, or is no policy that this host runs.
pub fn inspect(path: &Path, screen: &mut Screen) -> Result<(), Trouble> {
    let inspection = look(&read(path)?).map_err(|error| about(path, &error))?;
    screen.rows(&rows(&inspection))?;
    screen.rows(&[signature(path)?])?;
    if !inspection.served {
        return Err(about(path, &"this host does not run it: see contract above"));
    }
    Ok(())
}

/// What lies beside the file as its signature. Nothing is held against a key here.
///
/// # Errors
/// [`Trouble`]: it is no signature.
pub(super) fn signature(path: &Path) -> Result<Row, Trouble> {
    let read = Signature::read(path).map_err(|error| about(path, &error))?;
    let text = match read {
        None => "none".to_owned(),
        Some(signature) => format!(
            "by the key {}, not held against it (`ringfence policy verify` does): {}",
            signature.key(),
            signature.comment()
        ),
    };
    Ok(vec![Cell::styled(Style::Faint, "signature"), text.into()])
}

/// What an inspection found.
pub(super) fn rows(inspection: &Inspection) -> Vec<Row> {
    let list =
        |names: &[String]| if names.is_empty() { "nothing".into() } else { names.join(", ") };
    let row = |name: &str, text: String| vec![Cell::styled(Style::Faint, name), text.into()];
    let contract = match (&inspection.contract, inspection.served) {
        (None, _) => "it exports no ringfence:policy/judge".to_owned(),
        (Some(version), true) => format!("ringfence:policy@{version}"),
        (Some(version), false) => format!(
            "ringfence:policy@{version}, and this host serves {}",
            ringfence_policy::VERSION
        ),
    };
    vec![
        row("digest", inspection.digest.to_string()),
        row("bytes", inspection.bytes.to_string()),
        row("version", inspection.version.clone().unwrap_or_else(|| "not stated".into())),
        row("contract", contract),
        row("exports", list(&inspection.exports)),
        row("imports", list(&inspection.imports)),
        row(
            "languages",
            match inspection.languages.as_slice() {
                [] => "not stated".into(),
                languages => languages.join(", "),
            },
        ),
    ]
}
