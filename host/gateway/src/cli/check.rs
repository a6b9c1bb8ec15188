//! `ringfence check`: everything that can be known before a port is bound.

use std::path::Path;

use ringfence::config::Config;

use super::rehearsal::Rehearsal;
use super::screen::{Cell, Row, Screen, Style};
use super::{Choice, Trouble};
use crate::banner;

/// Checks a configuration: its text, its policies in the real sandbox, its model, its
/// targets and keys, its folders.
///
/// # Errors
/// [`Trouble`]: everything that is wrong.
pub fn check(choice: &Choice, screen: &mut Screen) -> Result<(), Trouble> {
    let config = choice.config()?;
    let mut wrong: Vec<String> = Vec::new();
    let mut odd: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    folder("state", &config.state, &mut wrong);
    books(&config, &mut wrong, &mut odd);
    match Rehearsal::build(&config) {
        Ok(rehearsal) => banner::whole(screen, &rehearsal.house, &config)?,
        Err(errors) => wrong.extend(errors.iter().map(ToString::to_string)),
    }
    if !odd.is_empty() {
        screen.heading("Odd")?;
        screen.rows(&rows(Style::Odd, odd))?;
    }
    if wrong.is_empty() {
        let text = screen.style(Style::Good, "All is well.");
        screen.line(&format!("\n{text}"))?;
        return Ok(());
    }
    Err(Trouble::Found(wrong.join("\nringfence: ")))
}

fn rows(style: Style, lines: Vec<String>) -> Vec<Row> {
    lines.into_iter().map(|line| vec![Cell::styled(style, line)]).collect()
}

/// A folder that is there, or can be made.
fn folder(name: &str, folder: &Path, wrong: &mut Vec<String>) {
    let Some(existing) = folder.ancestors().find(|folder| folder.exists()) else { return };
    let metadata = existing.metadata();
    let usable = metadata.is_ok_and(|found| found.is_dir() && !found.permissions().readonly());
    if !usable {
        wrong.push(format!(
            "the {name} folder {} cannot be used: {} is no folder that may be written",
            folder.display(),
            existing.display()
        ));
    }
}

fn books(config: &Config, wrong: &mut Vec<String>, odd: &mut Vec<String>) {
    let file = &config.ledger.file;
    if let Some(parent) = file.parent() {
        folder("ledger's", parent, wrong);
    }
    if !file.exists() {
        return;
    }
    match ringfence_ledger::verify(file, None) {
        Ok(_) => {}
        // A process that is writing it, or that was stopped; it is mended at the start.
        Err(fault @ ringfence_ledger::Fault::Torn { .. }) => {
            odd.push(format!("{}: {fault}", file.display()));
        }
        Err(fault) => wrong.push(format!("the ledger {}: {fault}", file.display())),
    }
}
