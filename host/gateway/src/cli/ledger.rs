//! `ringfence ledger verify`.

use std::path::Path;

use ringfence_fence::Digest;

use super::Trouble;
use super::screen::{Cell, Screen, Style};

/// Follows the chain of the ledger at `path`.
///
/// # Errors
/// [`Trouble`]: the first thing that is wrong with it.
pub fn verify(path: &Path, head: Option<Digest>, screen: &mut Screen) -> Result<(), Trouble> {
    let report = ringfence_ledger::verify(path, head)
        .map_err(|fault| Trouble::Found(format!("{}: {fault}", path.display())))?;
    let row = |name: &str, text: String| vec![Cell::styled(Style::Faint, name), text.into()];
    let mut rows = vec![
        vec![Cell::styled(Style::Good, "whole"), path.display().to_string().into()],
        row("records", report.records.to_string()),
    ];
    if let (Some(first), Some(last)) = (&report.first, &report.last) {
        rows.push(row("from", first.clone()));
        rows.push(row("to", last.clone()));
    }
    rows.push(row("head", format!("{} (record {})", report.head.digest, report.head.sequence)));
    match report.expected_at {
        Some(at) => rows.push(row("noted", format!("the head that was noted is record {at}"))),
        None => rows.push(row(
            "noted",
            "no --head was given, so a cut tail would not show; GET /healthz tells it".into(),
        )),
    }
    Ok(screen.rows(&rows)?)
}
