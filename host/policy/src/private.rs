//! A folder that only this host writes, and whose files it can tell from others'.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The file with the key.
const KEY_FILE: &str = "key";
/// The first bytes of every file; the number is the version of its form.
const MAGIC: &[u8; 16] = b"ringfence file 1";
/// Bytes of the authentication code after them.
const CODE_BYTES: usize = 32;
/// The largest file that is read back.
const FILE_BYTES: u64 = 512 << 20;

/// Why a private folder is not usable.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFolderError {
    /// The folder, or a file in it, can be read or written by others, or belongs to
    /// somebody else.
    #[error("{path} must belong to this user alone: chmod {mode:o} it, or name another folder")]
    Open {
        /// Which.
        path: PathBuf,
        /// The mode that it should have.
        mode: u32,
    },
    /// It cannot be read or written.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The system has no random numbers for a key.
    #[error("no random numbers for a key: {0}")]
    Random(String),
}

/// A folder of mode 0700 with a key of mode 0600 in it. Every file carries a code of its
/// name and content under that key: what somebody else wrote does not come back.
#[derive(Clone)]
pub(crate) struct PrivateFolder {
    path: PathBuf,
    mac: Hmac<Sha256>,
}

impl PrivateFolder {
    /// Opens the folder, and makes it and its key when they do not exist.
    pub(crate) fn open(path: &Path) -> Result<PrivateFolder, PrivateFolderError> {
        let io = |error| PrivateFolderError::Io { path: path.to_owned(), error };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io)?;
        let seen = fs::metadata(path).map_err(io)?;
        if !seen.is_dir() || !is_ours(&seen) {
            return Err(PrivateFolderError::Open { path: path.to_owned(), mode: 0o700 });
        }
        let key_path = path.join(KEY_FILE);
        let key = match read_key(&key_path)? {
            Some(key) => key,
            None => make_key(&key_path)?,
        };
        Ok(PrivateFolder { path: path.to_owned(), mac: keyed(&key) })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file whole or not at all.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let temporary = self.path.join(format!("{name}.{:x}.new", std::process::id()));
        let written = (|| {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&temporary)?;
            file.write_all(MAGIC)?;
            file.write_all(&self.code(name, content))?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&temporary, self.path.join(name))
        })();
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// The content of a file that this host wrote under this name; `None` when there is
    /// none, or when somebody else had a hand in it.
    pub(crate) fn read(&self, name: &str) -> Option<Vec<u8>> {
        let file = File::open(self.path.join(name)).ok()?;
        let seen = file.metadata().ok()?;
        if !seen.is_file() || seen.len() > FILE_BYTES {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(seen.len()).ok()?);
        file.take(FILE_BYTES).read_to_end(&mut bytes).ok()?;
        let rest = bytes.strip_prefix(MAGIC)?;
        let (code, content) = rest.split_at_checked(CODE_BYTES)?;
        self.mac(name, content).verify_slice(code).ok()?;
        let start = bytes.len() - content.len();
        bytes.drain(..start);
        Some(bytes)
    }

    fn code(&self, name: &str, content: &[u8]) -> [u8; CODE_BYTES] {
        self.mac(name, content).finalize().into_bytes().into()
    }

    fn mac(&self, name: &str, content: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(&(name.len() as u64).to_be_bytes());
        mac.update(name.as_bytes());
        mac.update(content);
        mac
    }
}

fn read_key(path: &Path) -> Result<Option<[u8; 32]>, PrivateFolderError> {
    let io = |error| PrivateFolderError::Io { path: path.to_owned(), error };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let seen = file.metadata().map_err(io)?;
    if !seen.is_file() || !is_ours(&seen) {
        return Err(PrivateFolderError::Open { path: path.to_owned(), mode: 0o600 });
    }
    let mut key = [0; 32];
    file.read_exact(&mut key).map_err(io)?;
    Ok(Some(key))
}

fn make_key(path: &Path) -> Result<[u8; 32], PrivateFolderError> {
    let io = |error| PrivateFolderError::Io { path: path.to_owned(), error };
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| PrivateFolderError::Random(error.to_string()))?;
    // Written aside and linked into place: another process that starts at the same time
    // sees a whole key or none, and the first one stays.
    let aside = path.with_extension(format!("{:x}.new", std::process::id()));
    let _ = fs::remove_file(&aside);
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside).map_err(io)?;
    file.write_all(&key).and_then(|()| file.sync_all()).map_err(io)?;
    let linked = fs::hard_link(&aside, path);
    let _ = fs::remove_file(&aside);
    match linked {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read_key(path)?.ok_or_else(|| io(io::ErrorKind::NotFound.into()))
        }
        Err(error) => Err(io(error)),
    }
}

/// Whether nobody but this process's user can read or write it.
fn is_ours(seen: &fs::Metadata) -> bool {
    // SAFETY: `geteuid` takes nothing and cannot fail.
    let user = unsafe { libc::geteuid() };
    seen.mode() & 0o077 == 0 && seen.uid() == user
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    match Hmac::new_from_slice(key) {
        Ok(mac) => mac,
        // HMAC takes keys of every length (RFC 2104, section 2).
        Err(_) => unreachable!("HMAC refused a key of 32 bytes"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_was_written_comes_back_from_a_second_opening() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b");
        PrivateFolder::open(&path).unwrap().write("one", b"content").unwrap();
        let folder = PrivateFolder::open(&path).unwrap();
        assert_eq!(folder.read("one").as_deref(), Some(&b"content"[..]));
        assert_eq!(folder.read("two"), None);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(path.join(KEY_FILE)).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.join("one")).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_others_touched_does_not_come_back() {
        let root = tempfile::tempdir().unwrap();
        let folder = PrivateFolder::open(&root.path().join("f")).unwrap();
        folder.write("one", b"content").unwrap();
        let file = folder.path().join("one");
        let good = fs::read(&file).unwrap();
        for index in 0..good.len() {
            let mut bad = good.clone();
            bad[index] ^= 1;
            fs::write(&file, &bad).unwrap();
            assert_eq!(folder.read("one"), None, "byte {index}");
        }
        for length in 0..good.len() {
            fs::write(&file, &good[..length]).unwrap();
            assert_eq!(folder.read("one"), None, "{length} bytes");
        }
        fs::write(folder.path().join("two"), &good).unwrap();
        assert_eq!(folder.read("two"), None, "under another name");
        fs::write(&file, &good).unwrap();
        assert!(folder.read("one").is_some());
        fs::remove_file(folder.path().join(KEY_FILE)).unwrap();
        assert_eq!(PrivateFolder::open(folder.path()).unwrap().read("one"), None, "another key");
    }

    #[test]
    fn a_folder_or_key_that_is_open_to_others_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        PrivateFolder::open(&path).unwrap();
        for (file, open, closed) in
            [(path.clone(), 0o755, 0o700), (path.join(KEY_FILE), 0o640, 0o600)]
        {
            fs::set_permissions(&file, fs::Permissions::from_mode(open)).unwrap();
            assert!(matches!(PrivateFolder::open(&path), Err(PrivateFolderError::Open { .. })));
            fs::set_permissions(&file, fs::Permissions::from_mode(closed)).unwrap();
            assert!(PrivateFolder::open(&path).is_ok());
        }
    }
}
