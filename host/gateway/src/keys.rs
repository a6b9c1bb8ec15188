//! The gateway's own keys, in its state folder: made once, readable by its user only.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hmac::{Hmac, Mac};
use ringfence_fence::Digest;
use sha2::Sha256;

use crate::ids;

/// Keys of this installation. Nodes that share them make the same placeholders.
pub struct Keys {
    /// For placeholders.
    pub placeholders: [u8; 32],
    /// For digests in the ledger.
    pub ledger: [u8; 32],
    /// For ids of conversations.
    conversations: [u8; 32],
}

/// Hexadecimal digits of a conversation's id.
const CONVERSATION_DIGITS: usize = 24;

/// A key cannot be read or made.
#[derive(Debug)]
pub struct KeyError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong.
    pub cause: io::Error,
}

impl Keys {
    /// Reads the keys below `state`, and makes those that are missing.
    ///
    /// # Errors
    /// [`KeyError`], also for a key of another length: it is never replaced.
    pub fn open(state: &Path) -> Result<Keys, KeyError> {
        let folder = state.join("keys");
        private_folder(&folder).map_err(|cause| KeyError { file: folder.clone(), cause })?;
        let key = |name: &str| {
            let file = folder.join(name);
            open(&file).map_err(|cause| KeyError { file, cause })
        };
        Ok(Keys {
            placeholders: key("placeholders")?,
            ledger: key("ledger")?,
            conversations: key("conversations")?,
        })
    }

    /// An id for the conversation of `tenant` that begins with `texts`.
    pub fn conversation<'a>(
        &self,
        tenant: &'a str,
        texts: impl Iterator<Item = &'a str>,
    ) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.conversations) else {
            return String::new();
        };
        for text in std::iter::once(tenant).chain(texts) {
            mac.update(&(text.len() as u64).to_be_bytes());
            mac.update(text.as_bytes());
        }
        let mut id = Digest(mac.finalize().into_bytes().into()).to_string();
        id.truncate(CONVERSATION_DIGITS);
        id
    }
}

/// The key of hashes that stand for terms in lists; made when there is none.
///
/// # Errors
/// [`KeyError`].
pub fn vocabulary(file: &Path) -> Result<[u8; 32], KeyError> {
    let wrong = |cause| KeyError { file: file.to_path_buf(), cause };
    if let Some(folder) = file.parent() {
        private_folder(folder).map_err(wrong)?;
    }
    open(file).map_err(wrong)
}

/// Makes a folder that only this user can enter.
///
/// # Errors
/// The operating system's.
pub fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn open(file: &Path) -> io::Result<[u8; 32]> {
    match fs::read(file) {
        Ok(bytes) => bytes.try_into().map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidData, "a key has 32 bytes, and this file has not")
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(file),
        Err(error) => Err(error),
    }
}

fn make(file: &Path) -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    ids::fill(&mut key);
    let draft = file.with_extension(ids::request());
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut open = options.open(&draft)?;
    open.write_all(&key)?;
    open.sync_all()?;
    // A link and not a rename: whoever else makes the key at this moment wins once.
    let linked = fs::hard_link(&draft, file);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let bytes = fs::read(file)?;
            bytes.try_into().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Keys::open(folder.path()).expect("keys");
        let second = Keys::open(folder.path()).expect("keys");
        assert_eq!(first.placeholders, second.placeholders);
        assert_ne!(first.placeholders, first.ledger);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let file = folder.path().join("keys/ledger");
            let mode = fs::metadata(file).expect("a key").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_key_of_another_length_is_refused_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        Keys::open(folder.path()).expect("keys");
        let file = folder.path().join("keys/ledger");
        fs::write(&file, b"short").expect("written");
        assert!(Keys::open(folder.path()).is_err());
        assert_eq!(fs::read(&file).expect("there"), b"short");
    }

    #[test]
    fn conversations_differ_by_tenant_and_by_where_texts_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = Keys::open(folder.path()).expect("keys");
        let id = |tenant: &str, texts: &[&str]| keys.conversation(tenant, texts.iter().copied());
        assert_eq!(id("a", &["x", "y"]), id("a", &["x", "y"]));
        assert_ne!(id("a", &["x", "y"]), id("b", &["x", "y"]));
        assert_ne!(id("a", &["x", "y"]), id("a", &["xy"]));
    }
}
