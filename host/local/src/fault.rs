//! Why there is no local model.

use std::path::{Path, PathBuf};

/// Why a local model cannot start, split by what the operator can do.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The configuration asks for no model (`device = "none"`).
    #[error("the local model is off (device = \"none\")")]
    Off,
    /// A file of the model is missing, broken, or not of a kind that this decoder knows.
    #[error("{}: {problem}", file.display())]
    Model {
        /// The file, with its folder.
        file: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A bound in the configuration does not fit the model.
    #[error("{0}")]
    Setting(String),
    /// The device that was asked for is not there, or does not work.
    #[error("{0}")]
    Device(String),
}

impl LocalError {
    /// A fault of one file.
    pub(crate) fn model(file: impl AsRef<Path>, problem: impl Into<String>) -> LocalError {
        LocalError::Model { file: file.as_ref().to_owned(), problem: problem.into() }
    }
}
