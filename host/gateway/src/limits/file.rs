//! The counts on disk, so that a restart begins no window anew.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::counts::Counts;

/// What is kept of one count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    pub limit: String,
    pub subject: String,
    /// Seconds since 1970.
    pub window: u64,
    pub requests: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub dollars: f64,
}

/// Why the counts cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CountsError {
    /// The operating system's.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is not what was written.
    #[error("it is damaged: move it away to begin at nothing")]
    Damaged,
}

/// Keeps the counts in a file of the state folder.
pub struct Keeper {
    counts: Arc<Counts>,
    file: PathBuf,
}

/// Bytes of the file at most.
const FILE_BYTES: u64 = 256 << 20;

impl Keeper {
    /// The file's name in the state folder.
    pub const FILE: &'static str = "limits.json";
    /// How often what has changed is written: after a crash so much is forgotten at most.
    pub const PAUSE: Duration = Duration::from_secs(1);

    /// Reads the counts of a state folder; none when there is no file.
    ///
    /// # Errors
    /// [`CountsError`].
    pub fn open(state: &Path) -> Result<Keeper, CountsError> {
        let file = state.join(Keeper::FILE);
        let mut text = String::new();
        match fs::File::open(&file) {
            Ok(opened) => opened.take(FILE_BYTES).read_to_string(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                text.push_str("[]");
                0
            }
            Err(error) => return Err(error.into()),
        };
        let kept: Vec<Kept> = serde_json::from_str(&text).map_err(|_| CountsError::Damaged)?;
        if kept.iter().any(|kept| !(kept.dollars.is_finite() && kept.dollars >= 0.0)) {
            return Err(CountsError::Damaged);
        }
        Ok(Keeper { counts: Arc::new(Counts::of(kept)), file })
    }

    /// The counts.
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Writes what has changed, whole or not at all.
    ///
    /// # Errors
    /// The operating system's; the next call tries again.
    pub fn keep(&self) -> io::Result<()> {
        let Some(kept) = self.counts.changed() else { return Ok(()) };
        self.write(&kept).inspect_err(|_| self.counts.mark_changed())
    }

    /// Writes what has changed every [`Keeper::PAUSE`], on a thread of its own.
    ///
    /// # Errors
    /// The operating system's, when it gives no thread.
    pub fn start(self: Arc<Keeper>) -> io::Result<()> {
        let body = move || {
            loop {
                std::thread::sleep(Keeper::PAUSE);
                if let Err(error) = self.keep() {
                    tracing::error!(%error, "the counts of the limits were not written");
                }
            }
        };
        std::thread::Builder::new().name("limits".into()).spawn(body).map(drop)
    }

    fn write(&self, kept: &[Kept]) -> io::Result<()> {
        let fresh = self.file.with_extension("json.new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(serde_json::to_string(kept)?.as_bytes())?;
        file.sync_data()?;
        fs::rename(&fresh, &self.file)
    }
}
