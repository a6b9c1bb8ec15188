//! A house that leaves no trace: what a configuration would do, beside a process that
//! may be serving it.

use std::path::PathBuf;

use ringfence::config::{Config, Ledger};
use ringfence::house::{BuildError, House};
use ringfence::ids;
use ringfence::keys::private_folder;

/// A house with a state folder of its own, which goes when it is dropped.
pub struct Rehearsal {
    /// The house.
    pub house: House,
    _folder: Folder,
}

/// A private folder that goes when it is dropped.
pub struct Folder(pub PathBuf);

impl Rehearsal {
    /// Builds the house of `config` in a folder of its own: the ledger, the keys and the
    /// stored policies of a serving process are not touched.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn build(config: &Config) -> Result<Rehearsal, Vec<BuildError>> {
        let folder = Folder::new()
            .map_err(|error| vec![BuildError::new(format!("no temporary folder: {error}"))])?;
        let mut config = config.clone();
        config.ledger.file = folder.0.join(Ledger::FILE);
        config.state = folder.0.clone();
        Ok(Rehearsal { house: House::build(&config)?, _folder: folder })
    }
}

impl Folder {
    /// A new one in the system's folder for temporary files.
    ///
    /// # Errors
    /// The operating system's.
    pub fn new() -> std::io::Result<Folder> {
        let folder = std::env::temp_dir().join(format!("ringfence-{}", ids::request()));
        private_folder(&folder)?;
        Ok(Folder(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed lies in a folder that the system clears.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
