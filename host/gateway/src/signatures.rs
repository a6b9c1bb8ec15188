//! Signatures of policy files, in minisign's format: `FILE.minisig` beside the file.
//!
//! What is held against a key are bytes that were read before, and those bytes are what
//! runs: no file is read twice.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ct_codecs::{Base64, Decoder as _};
use minisign_verify::{Error, PublicKey};
use ringfence_policy::{FileError, read_file};

/// Whose signatures count, and whether there has to be one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signatures {
    /// Refuses a policy file that has neither a signature nor a pinned digest.
    pub required: bool,
    /// Any of them is enough, so that keys can change one after the other.
    pub trusted: Vec<TrustedKey>,
}

/// A public key and what the operator calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    /// The operator's word.
    pub name: String,
    id: KeyId,
    key: PublicKey,
}

/// What minisign tells keys apart by. It is no secret and proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId([u8; 8]);

/// A signature as it lies beside a file. Nothing of it is true until
/// [`Signatures::hold`] says so.
#[derive(Clone)]
pub struct Signature {
    text: String,
    key: KeyId,
    parsed: minisign_verify::Signature,
}

/// A signature that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The name of the key.
    pub by: String,
    /// When, in seconds since 1970; absent when the signer did not say.
    pub at: Option<u64>,
}

/// Why a file is not taken for signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is none, and one is required.
    #[error(
        "it is not signed, and require_signed asks for it: sign it with `ringfence policy sign`, \
         or pin its SHA-256 as digest in its entry"
    )]
    Absent,
    /// What lies beside the file is no signature.
    #[error("its signature is damaged: sign it anew with `ringfence policy sign`")]
    Damaged,
    /// It was made the old way, over the file and not over its hash.
    #[error("its signature has minisign's legacy form: sign it anew, without -l")]
    Legacy,
    /// Nobody whose signatures count made it.
    #[error("it is signed with the key {0}, which is none of those that are trusted")]
    Stranger(KeyId),
    /// It does not belong to these bytes.
    #[error(
        "its signature does not hold: the file, its signature or the comment was changed after \
         it was signed with the key \"{0}\""
    )]
    Broken(String),
    /// It belongs to a file of another name.
    #[error(
        "it was signed as `{signed}` and lies here as `{found}`: one policy must not pass for \
         another, so sign it under the name that it has"
    )]
    OtherName {
        /// The name in the signature.
        signed: String,
        /// The name of the file.
        found: String,
    },
    /// Something newer ran before it.
    #[error(
        "it was signed before the version that ran last: to go back to it, sign it anew and with \
         a timestamp"
    )]
    Older,
    /// It was made at a time that has not come.
    #[error(
        "it was signed at a time that has not come: the signer's clock or this machine's is wrong"
    )]
    Early,
    /// The file of the signature cannot be read.
    #[error("its signature: {0}")]
    Unreadable(String),
}

impl Signatures {
    /// Whether any signature is looked at.
    pub fn count(&self) -> bool {
        self.required || !self.trusted.is_empty()
    }

    /// Holds the signature of a file against the trusted keys. `None` when nothing is
    /// signed and nothing has to be. One that lies beside a file has to hold, also where
    /// none is required; without trusted keys nobody looks at it.
    ///
    /// `name` is the file's own name, without folders.
    ///
    /// # Errors
    /// [`SignatureError`]: the bytes must not run.
    pub fn hold(
        &self,
        name: &str,
        bytes: &[u8],
        signature: Option<&Signature>,
    ) -> Result<Option<Signed>, SignatureError> {
        let signature = match signature {
            Some(signature) if self.count() => signature,
            _ if self.required => return Err(SignatureError::Absent),
            _ => return Ok(None),
        };
        let mut candidates = self.trusted.iter().filter(|trusted| trusted.id == signature.key);
        let Some(first) = candidates.next() else {
            return Err(SignatureError::Stranger(signature.key));
        };
        // Ids are eight bytes that anybody can copy: two keys may share one.
        let mut wrong = None;
        for trusted in std::iter::once(first).chain(candidates) {
            match trusted.key.verify(bytes, &signature.parsed, false) {
                Ok(()) => {
                    signature.is_for(name)?;
                    return Ok(Some(Signed { by: trusted.name.clone(), at: signature.at() }));
                }
                Err(Error::UnexpectedAlgorithm) => wrong = Some(SignatureError::Legacy),
                Err(_) => wrong = Some(SignatureError::Broken(trusted.name.clone())),
            }
        }
        Err(wrong.unwrap_or(SignatureError::Stranger(signature.key)))
    }

    /// Whether a key of that id is trusted today.
    pub fn knows(&self, signature: &Signature) -> bool {
        self.trusted.iter().any(|trusted| trusted.id == signature.key)
    }
}

impl TrustedKey {
    /// Reads a public key: the second line of minisign's file.
    pub fn parse(name: impl Into<String>, text: &str) -> Option<TrustedKey> {
        let text = text.trim();
        let key = PublicKey::from_base64(text).ok()?;
        Some(TrustedKey { name: name.into(), id: KeyId::of(text)?, key })
    }

    /// What minisign calls it.
    pub fn id(&self) -> KeyId {
        self.id
    }
}

impl Signature {
    /// Bytes of the file at most. Comments are a few hundred.
    pub const BYTES: usize = 8 << 10;
    /// Bytes of a comment that is shown.
    const COMMENT_BYTES: usize = 512;

    /// The file that holds the signature of `file`.
    pub fn beside(file: &Path) -> PathBuf {
        let mut name = OsString::from(file);
        name.push(".minisig");
        PathBuf::from(name)
    }

    /// Reads what lies beside `file`; `None` when there is nothing.
    ///
    /// # Errors
    /// [`SignatureError::Unreadable`] and [`SignatureError::Damaged`].
    pub fn read(file: &Path) -> Result<Option<Signature>, SignatureError> {
        let path = Signature::beside(file);
        match read_file(&path, Signature::BYTES) {
            Ok(bytes) => Signature::parse(&bytes).map(Some),
            Err(FileError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(SignatureError::Unreadable(format!("{}: {error}", path.display()))),
        }
    }

    /// Reads a signature's text.
    ///
    /// # Errors
    /// [`SignatureError::Damaged`].
    pub fn parse(bytes: &[u8]) -> Result<Signature, SignatureError> {
        let damaged = || SignatureError::Damaged;
        if bytes.len() > Signature::BYTES {
            return Err(damaged());
        }
        let text = std::str::from_utf8(bytes).map_err(|_| damaged())?;
        let parsed = minisign_verify::Signature::decode(text).map_err(|_| damaged())?;
        let key = text.lines().nth(1).and_then(KeyId::of).ok_or_else(damaged)?;
        Ok(Signature { text: text.to_owned(), key, parsed })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The key that it says it was made with.
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// What the signer said about it, on one line and without control characters.
    pub fn comment(&self) -> String {
        let mut shown = String::new();
        for letter in self.parsed.trusted_comment().chars() {
            if shown.len() > Signature::COMMENT_BYTES {
                shown.push_str("...");
                break;
            }
            match letter {
                '\t' => shown.push(' '),
                letter if letter.is_control() => {
                    let _ = write!(shown, "{}", letter.escape_default());
                }
                letter => shown.push(letter),
            }
        }
        shown
    }

    /// When it was made, as the signer said.
    pub fn at(&self) -> Option<u64> {
        self.said("timestamp:")?.parse().ok()
    }

    /// A member of the trusted comment, which minisign parts with tabs.
    fn said(&self, key: &str) -> Option<&str> {
        self.parsed.trusted_comment().split('\t').find_map(|part| part.trim().strip_prefix(key))
    }

    fn is_for(&self, name: &str) -> Result<(), SignatureError> {
        let Some(signed) = self.said("file:") else { return Ok(()) };
        let signed = signed.rsplit('/').next().unwrap_or(signed);
        if signed == name {
            return Ok(());
        }
        let signed = signed.escape_debug().to_string();
        Err(SignatureError::OtherName { signed, found: name.to_owned() })
    }
}

impl KeyId {
    /// The id in a key or a signature, which both begin with an algorithm and the id.
    fn of(base64: &str) -> Option<KeyId> {
        let bytes = Base64::decode_to_vec(base64.trim(), None).ok()?;
        Some(KeyId(bytes.get(2..10)?.try_into().ok()?))
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016X}", u64::from_le_bytes(self.0))
    }
}

#[cfg(test)]
mod tests;
