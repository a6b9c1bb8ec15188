//! Reading a policy file: whole, once, and only what is a file.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

/// How often a file that changes while it is read is read again.
pub(crate) const READS: u32 = 10;
/// How long a file that changed is left alone before it is read again.
const PAUSE: Duration = Duration::from_millis(20);

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It does not exist, or cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is a folder, a pipe, a socket or a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// It is larger than allowed.
    #[error("it has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// It kept changing while it was read: somebody still writes it.
    #[error("it changes while it is read: try again when it is written")]
    Unstable,
}

/// Reads a file of at most `limit` bytes. Follows symbolic links, never blocks on a pipe
/// or a device, and gives bytes that were the file's content at one time: what changes
/// while it is read is read again.
///
/// Blocks while it reads. Writers should write aside and rename; what is copied into
/// place slowly can be read half, and is then refused as damaged.
///
/// # Errors
/// [`FileError`].
pub fn read_file(path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    for round in 0..READS {
        if round > 0 {
            thread::sleep(PAUSE);
        }
        if let Some(bytes) = read_once(path, limit)? {
            return Ok(bytes);
        }
    }
    Err(FileError::Unstable)
}

/// `None` when the file changed meanwhile.
fn read_once(path: &Path, limit: usize) -> Result<Option<Vec<u8>>, FileError> {
    // Looked at before it is opened, because opening some devices does something, and
    // again after, because it may be another one by then.
    if !fs::metadata(path)?.is_file() {
        return Err(FileError::NotAFile);
    }
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let before = file.metadata()?;
    if !before.is_file() {
        return Err(FileError::NotAFile);
    }
    if before.len() > limit as u64 {
        return Err(FileError::TooLarge { limit });
    }
    let bytes = read_to_limit(&file, limit)?;
    let stable = same(&before, &file.metadata()?)
        && before.len() == bytes.len() as u64
        && same(&before, &fs::metadata(path)?);
    Ok(stable.then_some(bytes))
}

fn read_to_limit(file: &File, limit: usize) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit { Err(FileError::TooLarge { limit }) } else { Ok(bytes) }
}

fn same(one: &Metadata, other: &Metadata) -> bool {
    let identity = |seen: &Metadata| {
        (seen.dev(), seen.ino(), seen.len(), seen.mtime(), seen.mtime_nsec(), seen.ctime_nsec())
    };
    identity(one) == identity(other)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::process::Command;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_file_is_read_also_through_links() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("a");
        fs::write(&file, b"content").unwrap();
        // The way orchestrators mount: a link to a link that is swapped.
        symlink(root.path().join("a"), root.path().join("data")).unwrap();
        symlink("data", root.path().join("policy.wasm")).unwrap();
        assert_eq!(read_file(&root.path().join("policy.wasm"), 7).unwrap(), b"content");
        assert!(matches!(read_file(&file, 6), Err(FileError::TooLarge { limit: 6 })));
        assert!(matches!(read_file(&root.path().join("none"), 7), Err(FileError::Io(_))));
    }

    #[test]
    fn what_is_no_file_is_refused_without_waiting() {
        let root = tempfile::tempdir().unwrap();
        let pipe = root.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let socket = root.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        let link = root.path().join("link");
        symlink(&pipe, &link).unwrap();
        let started = Instant::now();
        for path in [&pipe, &socket, &link, root.path(), Path::new("/dev/zero")] {
            assert!(matches!(read_file(path, 100), Err(FileError::NotAFile)), "{path:?}");
        }
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_file_that_is_replaced_all_the_time_is_read_whole_or_not() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("a");
        let contents = [vec![b'a'; 300_000], vec![b'b'; 200_000]];
        fs::write(&file, &contents[0]).unwrap();
        let stop = std::sync::atomic::AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0.. {
                    if stop.load(std::sync::atomic::Ordering::Relaxed) {
                        break;
                    }
                    let aside = root.path().join("aside");
                    fs::write(&aside, &contents[round % 2]).unwrap();
                    fs::rename(&aside, &file).unwrap();
                }
            });
            for _ in 0..20 {
                match read_file(&file, 1 << 20) {
                    Ok(bytes) => assert!(contents.contains(&bytes)),
                    Err(error) => assert!(matches!(error, FileError::Unstable), "{error}"),
                }
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}
