//! What a configuration takes from outside its file: variables of the environment and
//! key files. Nothing else in the house reads either.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ringfence_cloud::Secret;

/// The largest key file that is read, in bytes.
pub const KEY_FILE_BYTES: u64 = 64 * 1024;

/// The environment of a configuration.
#[derive(Clone, Default)]
pub enum Surroundings {
    /// That of this process.
    #[default]
    Process,
    /// These variables, for tests and the demonstration.
    Given(BTreeMap<String, String>),
}

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoKey {
    /// The variable is not set, or empty.
    Unset,
    /// The value cannot be sent in a header.
    Unsendable,
    /// The file cannot be read, and why.
    Unreadable(String),
    /// The file is empty or larger than [`KEY_FILE_BYTES`].
    Size,
}

/// A key that was read.
pub struct KeyFile {
    /// The key.
    pub key: Secret,
    /// True when others than its owner may read the file.
    pub open_to_others: bool,
}

/// Shows which kind, and no variable.
impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Surroundings::Process => "Process",
            Surroundings::Given(_) => "Given",
        })
    }
}

impl Surroundings {
    /// The key in the variable `name`.
    ///
    /// # Errors
    /// [`NoKey::Unset`] and [`NoKey::Unsendable`].
    pub fn key(&self, name: &str) -> Result<Secret, NoKey> {
        secret(&self.variable(name).ok_or(NoKey::Unset)?)
    }

    /// The key in the file at `path`, without the white space around it.
    ///
    /// # Errors
    /// All of [`NoKey`] but [`NoKey::Unset`].
    pub fn key_file(&self, path: &Path) -> Result<KeyFile, NoKey> {
        let unreadable = |error: std::io::Error| NoKey::Unreadable(error.kind().to_string());
        let metadata = fs::metadata(path).map_err(unreadable)?;
        // A pipe or a device would block or never end.
        if !metadata.is_file() {
            return Err(NoKey::Unreadable("not a regular file".into()));
        }
        let mut text = String::new();
        let file = fs::File::open(path).map_err(unreadable)?;
        file.take(KEY_FILE_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > KEY_FILE_BYTES || text.trim().is_empty() {
            return Err(NoKey::Size);
        }
        Ok(KeyFile { key: secret(text.trim())?, open_to_others: is_open_to_others(&metadata) })
    }

    /// `$XDG_STATE_HOME/ringfence`, or `~/.local/state/ringfence`; nothing when neither is known.
    pub fn state_folder(&self) -> Option<PathBuf> {
        // The specification says that a relative path there is to be ignored.
        let absolute = |name: &str| {
            self.variable(name).map(PathBuf::from).filter(|folder| folder.is_absolute())
        };
        absolute("XDG_STATE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
            .map(|folder| folder.join("ringfence"))
    }

    /// Whether a terminal may be coloured: `NO_COLOR` (no-color.org) is not set.
    pub fn wants_colours(&self) -> bool {
        self.variable("NO_COLOR").is_none()
    }

    fn variable(&self, name: &str) -> Option<String> {
        let value = match self {
            Surroundings::Process => std::env::var(name).ok(),
            Surroundings::Given(variables) => variables.get(name).cloned(),
        };
        value.filter(|value| !value.trim().is_empty())
    }
}

fn secret(key: &str) -> Result<Secret, NoKey> {
    let key = key.trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(NoKey::Unsendable);
    }
    Ok(Secret::new(key))
}

#[cfg(unix)]
fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}
