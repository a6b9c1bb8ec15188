//! The last good bytes of every policy, for a start on a day when a file is broken.

use std::io;
use std::path::Path;

use ringfence_fence::Digest;

use crate::private::{PrivateFolder, PrivateFolderError};

/// Ends the names of the files.
const SUFFIX: &str = ".policy";

/// The last good bytes of every entry, in a private folder. Only what this host wrote
/// under the same entry's name comes back.
pub struct Predecessors {
    folder: PrivateFolder,
}

impl Predecessors {
    /// Opens the folder, and makes it when it does not exist.
    ///
    /// # Errors
    /// [`PrivateFolderError`]: others can read or write it, or it cannot be made.
    pub fn open(path: &Path) -> Result<Predecessors, PrivateFolderError> {
        PrivateFolder::open(path).map(|folder| Predecessors { folder })
    }

    /// Keeps the bytes that an entry runs now in place of those that it ran before. Writes
    /// nothing when they are kept already.
    ///
    /// # Errors
    /// When the folder cannot be written; what was kept before stays.
    pub fn keep(&self, entry: &str, bytes: &[u8]) -> io::Result<()> {
        let name = name(entry);
        if self.folder.read(&name).is_some_and(|kept| kept == bytes) {
            return Ok(());
        }
        self.folder.write(&name, bytes)
    }

    /// The bytes that an entry ran last, if today's configuration admits their digest:
    /// a pin that has moved on must not be undone by breaking a file.
    pub fn recall(&self, entry: &str, admits: impl FnOnce(&Digest) -> bool) -> Option<Vec<u8>> {
        let bytes = self.folder.read(&name(entry))?;
        admits(&Digest::of(&bytes)).then_some(bytes)
    }
}

/// Entry names are the operator's and may hold anything; file names are digests.
fn name(entry: &str) -> String {
    format!("{}{SUFFIX}", Digest::of(entry.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_last_good_bytes_come_back_if_the_pin_admits_them() {
        let root = tempfile::tempdir().unwrap();
        let predecessors = Predecessors::open(&root.path().join("p")).unwrap();
        predecessors.keep("../a", b"one").unwrap();
        predecessors.keep("../a", b"two").unwrap();
        predecessors.keep("b", b"three").unwrap();
        let again = Predecessors::open(&root.path().join("p")).unwrap();
        assert_eq!(again.recall("../a", |_| true).as_deref(), Some(&b"two"[..]));
        assert_eq!(again.recall("../a", |digest| *digest == Digest::of(b"one")), None);
        assert_eq!(again.recall("c", |_| true), None);
    }

    #[test]
    fn bytes_of_another_entry_or_another_writer_do_not_come_back() {
        let root = tempfile::tempdir().unwrap();
        let predecessors = Predecessors::open(root.path().join("p").as_path()).unwrap();
        predecessors.keep("a", b"one").unwrap();
        let file = root.path().join("p").join(name("a"));
        fs::copy(&file, root.path().join("p").join(name("b"))).unwrap();
        assert_eq!(predecessors.recall("b", |_| true), None);
        fs::write(&file, b"one").unwrap();
        assert_eq!(predecessors.recall("a", |_| true), None);
    }
}
