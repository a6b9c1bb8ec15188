//! `ringfence policy verify`.

use std::path::{Path, PathBuf};

use clap::Args;
use ringfence::config::Config;
use ringfence::signatures::{Signature, Signatures, TrustedKey};
use ringfence_policy::read_file;

use super::{about, read};
use crate::cli::Trouble;
use crate::cli::screen::{Cell, Row, Screen, Style};

/// Whose signature counts.
#[derive(Args, Clone)]
#[group(required = true, multiple = false)]
pub struct Trust {
    /// A public key, or its file; several when any of them will do
    #[arg(long, value_name = "KEY")]
    pub key: Vec<String>,
    /// The keys that this configuration trusts
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Bytes of a public key's file at most.
const KEY_FILE_BYTES: usize = 4 << 10;

/// Holds the file against the signature beside it.
///
/// # Errors
/// [`Trouble`]: there is none, or it does not hold.
pub fn verify(file: &Path, trust: &Trust, screen: &mut Screen) -> Result<(), Trouble> {
    let signatures = match &trust.config {
        Some(config) => Signatures { required: true, ..Config::load(config)?.signatures },
        None => trusted(&trust.key)?,
    };
    let row = held(file, &read(file)?, &signatures)?;
    screen.rows(&[row])?;
    let text = screen.style(Style::Good, "The signature holds.");
    Ok(screen.line(&text)?)
}

/// Keys as they stand on a command line.
///
/// # Errors
/// [`Trouble`]: one is no key.
pub(super) fn trusted(keys: &[String]) -> Result<Signatures, Trouble> {
    let trusted = keys.iter().map(|given| {
        if let Some(key) = TrustedKey::parse(given, given) {
            return Ok(key);
        }
        let path = Path::new(given);
        let bytes = read_file(path, KEY_FILE_BYTES)
            .map_err(|error| about(path, &format!("no public key, and no file of one: {error}")))?;
        let text = String::from_utf8_lossy(&bytes);
        let line = text.lines().find(|line| !line.starts_with("untrusted comment:"));
        line.and_then(|line| TrustedKey::parse(given, line))
            .ok_or_else(|| about(path, &"it holds no public key"))
    });
    Ok(Signatures { required: true, trusted: trusted.collect::<Result<_, _>>()? })
}

/// What holds of bytes that were read from `file`.
///
/// # Errors
/// [`Trouble`]: nothing does.
pub(super) fn held(file: &Path, bytes: &[u8], signatures: &Signatures) -> Result<Row, Trouble> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let signature = Signature::read(file).map_err(|error| about(file, &error))?;
    let signed =
        signatures.hold(&name, bytes, signature.as_ref()).map_err(|error| about(file, &error))?;
    let text = match (signature, signed) {
        (Some(signature), Some(signed)) => {
            format!("by {} ({}): {}", signed.by, signature.key(), signature.comment())
        }
        _ => "none".to_owned(),
    };
    Ok(vec![Cell::styled(Style::Faint, "signed"), text.into()])
}
