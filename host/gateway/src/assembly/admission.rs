//! Which bytes today's configuration lets run: by their pin, by a signature, and stored
//! ones by the cases that they held.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use ringfence_fence::Digest;
use ringfence_policy::Predecessors;

use crate::config::{PolicyEntry, PolicySource};
use crate::signatures::{Signature, SignatureError, Signatures, Signed};

/// Seconds by which a signature may be ahead of this machine's clock.
pub const AHEAD_SECONDS: u64 = 24 * 3600;

/// Bytes of a digest, with which the record of a signature begins.
const DIGEST_BYTES: usize = 32;

/// What decides it.
pub(super) struct Admission<'a> {
    pub(super) predecessors: &'a Predecessors,
    pub(super) signatures: &'a Signatures,
}

/// A signature that holds, and what to keep of it.
pub(super) struct Admitted {
    /// The name of the key.
    pub(super) by: String,
    /// For the predecessors, under [`signature_of`].
    pub(super) record: Vec<u8>,
}

impl Admission<'_> {
    /// Whether bytes that were read from `file` may run. A pin needs no signature; whoever
    /// loads the bytes compares it.
    ///
    /// # Errors
    /// Why they must not.
    pub(super) fn of_file(
        &self,
        entry: &PolicyEntry,
        name: &str,
        file: &Path,
        bytes: &[u8],
    ) -> Result<Option<Admitted>, SignatureError> {
        if entry.digest.is_some() || !self.signatures.count() {
            return Ok(None);
        }
        let own_name = file.file_name().unwrap_or_default().to_string_lossy();
        let signature = Signature::read(file)?;
        let signed = self.signatures.hold(&own_name, bytes, signature.as_ref())?;
        let (Some(signature), Some(signed)) = (signature, signed) else { return Ok(None) };
        let digest = Digest::of(bytes);
        self.is_no_step_back(name, &digest, &signed)?;
        let record = [&digest.0, signature.text().as_bytes()].concat();
        Ok(Some(Admitted { by: signed.by, record }))
    }

    /// What ran last and may run again, with the key that signed it.
    pub(super) fn stored(
        &self,
        entry: &PolicyEntry,
        name: &str,
    ) -> Option<(Vec<u8>, Option<String>)> {
        let is_proved = |digest: &Digest| {
            let proof = self.predecessors.recall(&proof_of(name), |_| true);
            proof.is_some_and(|proof| proof == digest.0)
        };
        let bytes = self.predecessors.recall(name, |digest| {
            entry.digest.is_none_or(|pin| pin == *digest)
                && (!entry.require_cases || is_proved(digest))
        })?;
        if entry.digest.is_some() || matches!(entry.source, PolicySource::Embedded(_)) {
            return Some((bytes, None));
        }
        let digest = Digest::of(&bytes);
        let signature =
            self.last(name).filter(|(signed, _)| *signed == digest).map(|(_, signature)| signature);
        let own_name = own_name(entry, name)?;
        let signed = self.signatures.hold(&own_name, &bytes, signature.as_ref()).ok()?;
        Some((bytes, signed.map(|signed| signed.by)))
    }

    /// Whoever can write the folder must not bring back an old version with its old
    /// signature. Only a key that is still trusted bars the way.
    fn is_no_step_back(
        &self,
        name: &str,
        digest: &Digest,
        signed: &Signed,
    ) -> Result<(), SignatureError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if signed.at.is_some_and(|at| at > now.saturating_add(AHEAD_SECONDS)) {
            return Err(SignatureError::Early);
        }
        match self.last(name) {
            Some((ran, last))
                if ran != *digest && self.signatures.knows(&last) && signed.at < last.at() =>
            {
                Err(SignatureError::Older)
            }
            _ => Ok(()),
        }
    }

    /// The digest that was signed last under a name, and its signature.
    fn last(&self, name: &str) -> Option<(Digest, Signature)> {
        let record = self.predecessors.recall(&signature_of(name), |_| true)?;
        let (digest, text) = record.split_first_chunk::<DIGEST_BYTES>()?;
        Some((Digest(*digest), Signature::parse(text).ok()?))
    }
}

/// The name of the file that a policy of an entry comes from.
fn own_name(entry: &PolicyEntry, name: &str) -> Option<String> {
    match &entry.source {
        PolicySource::Embedded(_) => None,
        PolicySource::File(file) => Some(file.file_name()?.to_string_lossy().into_owned()),
        PolicySource::Folder(_) => {
            let stem = name.strip_prefix(&entry.name)?.strip_prefix('/')?;
            Some(format!("{stem}.wasm"))
        }
    }
}

/// The name under which the digest of a policy is kept whose own cases held. No entry has
/// such a name.
pub(super) fn proof_of(name: &str) -> String {
    format!("{name}\0proof")
}

/// The same for the digest that was signed last, and its signature.
pub(super) fn signature_of(name: &str) -> String {
    format!("{name}\0signature")
}
