//! `ringfence detect --hash`: lines that stand for terms and values in lists which may not
//! hold them.

use clap::ValueEnum;
use ringfence::config::Config;
use ringfence::keys;
use ringfence_detect::{Allowed, HashKey, Terms};

use super::super::Trouble;

/// What the lines of a file are.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Hashed {
    /// Terms of an entity
    Terms,
    /// Values that are allowed
    Values,
}

/// The hash of every line that is not empty. The key is made when there is none.
///
/// # Errors
/// [`Trouble`]: a line is no term, or the key cannot be used.
pub fn hash(config: &Config, hashed: Hashed, text: &str) -> Result<String, Trouble> {
    let file = &config.detection.key;
    let key = keys::vocabulary(file).map_err(|error| {
        Trouble::Found(format!("the key {}: {}", error.file.display(), error.cause))
    })?;
    let key = HashKey(*key.first_chunk().unwrap_or(&[0; 16]));
    let mut lines = String::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with("# ") {
            continue;
        }
        let hash = match hashed {
            Hashed::Values => Ok(Allowed::hash(key, line)),
            Hashed::Terms => Terms::hash(key, line),
        };
        let hash = hash.map_err(|error| Trouble::Found(format!("line {}: {error}", index + 1)))?;
        lines.push_str(&hash);
        lines.push('\n');
    }
    Ok(lines)
}
