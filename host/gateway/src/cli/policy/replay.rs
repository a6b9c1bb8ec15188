//! `ringfence policy run --record` and `--replay`: a judgement is written down with all that
//! it was made from, and made again without the world.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use ringfence_policy::{Recording, Replayed, read_file};

use super::{about, executor, read, sandbox};
use crate::cli::Trouble;
use crate::cli::screen::{Cell, Screen, Style, visible};

/// Who may read a recording: it holds the texts of the request.
const MODE: u32 = 0o600;
/// Departures that are shown; the rest is counted.
const DEPARTURES_SHOWN: usize = 20;

/// Writes a recording into a new file that only its owner reads.
///
/// # Errors
/// [`Trouble`]: there is a file already, it is too large, or it cannot be written.
pub(super) fn write(path: &Path, recording: &Recording) -> Result<(), Trouble> {
    let text = recording.to_json().map_err(|error| about(path, &error))?;
    let opened = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path);
    let mut file = opened.map_err(|error| about_new(path, &error))?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Half a recording is none.
        let _ = std::fs::remove_file(path);
        about(path, &error)
    })
}

/// Refuses a path where [`write()`] would find a file: before anything is judged.
///
/// # Errors
/// [`Trouble`].
pub(super) fn is_free(path: &Path) -> Result<(), Trouble> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Err(about_new(path, &ErrorKind::AlreadyExists.into())),
        Err(_) => Ok(()),
    }
}

fn about_new(path: &Path, error: &std::io::Error) -> Trouble {
    match error.kind() {
        ErrorKind::AlreadyExists => {
            about(path, &"it exists already, and a recording is written over nothing")
        }
        _ => about(path, error),
    }
}

/// Judges a recorded request again with the policy in `file`, and says where it departs.
///
/// # Errors
/// [`Trouble`]: it is no recording, the policy does not load, leaves the recording, or says
/// something else.
pub(super) fn replay(
    file: &Path,
    path: &Path,
    json: bool,
    screen: &mut Screen,
) -> Result<(), Trouble> {
    let bytes = read_file(path, Recording::BYTES).map_err(|error| about(path, &error))?;
    let text = String::from_utf8(bytes).map_err(|_| about(path, &"expected text in UTF-8"))?;
    let recording = Recording::parse(&text).map_err(|error| about(path, &error))?;
    drop(text);
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let loaded = sandbox()?.load(&recording.entry(&name), &read(file)?);
    let policy = Arc::new(loaded.map_err(|error| about(file, &error))?);
    let replayed = executor()?.block_on(policy.replay(&recording));
    let said = visible(&serde_json::to_string(&replayed.said).unwrap_or_default());
    if json {
        screen.line(&said)?;
    } else {
        let row = |name: &str, text: String| vec![Cell::styled(Style::Faint, name), text.into()];
        let recorded = visible(&recording.said().to_string());
        let mut rows = vec![
            row("calls", format!("{} to the host, answered by the recording", recording.calls())),
            row("recorded", recorded),
            row("said", said),
        ];
        if policy.digest != recording.digest {
            let version =
                |version: &Option<String>| version.clone().unwrap_or_else(|| "no version".into());
            let text = format!(
                "it was recorded with {} ({}, contract {}), and this is {} ({}, contract {})",
                recording.digest.short(),
                visible(&version(&recording.version)),
                visible(&recording.contract),
                policy.digest.short(),
                visible(&version(&policy.version)),
                policy.contract,
            );
            rows.insert(0, row("another file", text));
        }
        screen.rows(&rows)?;
        for departed in replayed.departed.iter().take(DEPARTURES_SHOWN) {
            let line = screen.style(Style::Bad, &visible(&departed.to_string()));
            screen.line(&format!("  {line}"))?;
        }
        let rest = replayed.departed.len().saturating_sub(DEPARTURES_SHOWN);
        if rest > 0 {
            screen.line(&format!("  and {rest} more"))?;
        }
    }
    verdict(&replayed).map_or(Ok(()), |what| Err(about(file, &what)))
}

/// What keeps this from being the same judgement.
fn verdict(replayed: &Replayed) -> Option<String> {
    let places = replayed.departed.len();
    let departs = match replayed.departed.first() {
        Some(first) if places == 1 => {
            format!("the policy leaves the recording at call {}", first.call)
        }
        Some(first) => {
            format!("the policy leaves the recording at {places} calls, first at {}", first.call)
        }
        None if replayed.same => return None,
        None => "the policy says something else than was recorded".to_owned(),
    };
    Some(match (replayed.same, places) {
        (true, _) | (_, 0) => departs,
        (false, _) => format!("{departs}, and says something else than was recorded"),
    })
}
