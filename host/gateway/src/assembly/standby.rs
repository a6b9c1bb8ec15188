//! Candidates and promotions: what stands beside a live policy, and what has taken its
//! place.
//!
//! A promotion is a record in the state folder: the digest of the candidate that runs in
//! the entry's place. No file of the operator's is touched, so that it works where these
//! are read-only, and it is one write, so that a crash leaves the one or the other. It
//! counts while the entry names a candidate; once the entry's own file has the digest, it
//! says nothing more.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringfence_fence::Digest;
use ringfence_policy::{Entry, Policy, Predecessors, Sandbox};

use super::admission::{Admission, signature_of};
use super::read;
use crate::candidates::{Candidate, Candidates, Loaded};
use crate::config::{PolicyEntry, PolicySource};
use crate::proof;
use crate::signatures::Signatures;

/// Why a policy is not promoted or rolled back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unmoved {
    /// No entry has that name and a candidate.
    #[error("no entry of [[policies]] is named `{0}` and has a candidate")]
    Unknown(String),
    /// Its file is not there, or it was refused.
    #[error("the candidate of `{name}` cannot be promoted: {why}")]
    Refused {
        /// The entry's name.
        name: String,
        /// Why.
        why: String,
    },
    /// It runs already.
    #[error("the candidate of `{0}` runs already")]
    Running(String),
    /// Nothing was promoted.
    #[error("nothing is promoted in the place of `{0}`")]
    Nothing(String),
    /// The record cannot be written.
    #[error("the promotion of `{name}` cannot be recorded: {why}")]
    Unwritten {
        /// The entry's name.
        name: String,
        /// Why.
        why: String,
    },
}

/// The candidates of `entries`, loaded beside what is live. Blocks. Those that are the same
/// as before stay the same, with their tallies; one whose file is not there is none.
pub fn candidates(
    sandbox: &Sandbox,
    predecessors: &Predecessors,
    entries: &[PolicyEntry],
    signatures: &Signatures,
    before: &Candidates,
) -> Candidates {
    let admission = Admission { predecessors, signatures };
    let list = entries.iter().filter_map(|entry| {
        let file = &entry.candidate.as_ref()?.file;
        if !file.exists() {
            return None;
        }
        let next = standby(entry)?;
        let digest = read(file).map(|bytes| Digest::of(&bytes));
        // What runs in the entry's place is not its candidate as well.
        if digest.is_ok_and(|digest| promoted(predecessors, &entry.name) == Some(digest)) {
            return None;
        }
        let loaded = load(sandbox, &admission, &next, file, before);
        Some(Candidate { name: entry.name.clone(), loaded })
    });
    before.next(list.collect())
}

/// The entry as its candidate would have it.
pub(super) fn standby(entry: &PolicyEntry) -> Option<PolicyEntry> {
    let candidate = entry.candidate.as_ref()?;
    Some(PolicyEntry {
        source: PolicySource::File(candidate.file.clone()),
        absent: None,
        config: candidate.config.clone().unwrap_or_else(|| entry.config.clone()),
        digest: candidate.digest,
        ..entry.clone()
    })
}

/// The digest that runs in the place of an entry's own file.
pub(super) fn promoted(predecessors: &Predecessors, name: &str) -> Option<Digest> {
    let record = predecessors.recall(&promotion_of(name), |_| true)?;
    Some(Digest(record.try_into().ok()?))
}

/// Records that the candidate of `name` takes the live version's place, from the next
/// reload on. Gives what to undo it with, when that reload is refused.
///
/// # Errors
/// [`Unmoved`].
pub fn promote(
    predecessors: &Predecessors,
    entries: &[PolicyEntry],
    candidates: &Candidates,
    name: &str,
) -> Result<Undo, Unmoved> {
    let entry = entries.iter().find(|entry| entry.name == name && entry.candidate.is_some());
    let entry = entry.ok_or_else(|| Unmoved::Unknown(name.to_owned()))?;
    let refused = |why: String| Unmoved::Refused { name: name.to_owned(), why };
    let Some(candidate) = candidates.of(name) else {
        let file = entry.candidate.as_ref().map(|candidate| candidate.file.clone());
        let file = file.unwrap_or_default();
        return Err(match promoted(predecessors, name) {
            Some(_) => Unmoved::Running(name.to_owned()),
            None => refused(format!("there is no file {}", file.display())),
        });
    };
    let loaded = candidate.loaded.as_ref().map_err(|why| refused(why.clone()))?;
    let standing = entry.candidate.as_ref().map(|candidate| &candidate.file);
    let is_judged =
        |file: &PathBuf| read(file).is_ok_and(|bytes| Digest::of(&bytes) == loaded.policy.digest);
    if !standing.is_some_and(is_judged) {
        let why = "its file has changed since it was loaded: look at it again, and repeat";
        return Err(refused(why.to_owned()));
    }
    if entry.digest.is_some() && entry.candidate.as_ref().is_some_and(|next| next.digest.is_none())
    {
        let why = "the entry pins its digest: pin the candidate's too, as candidate_digest";
        return Err(refused(why.to_owned()));
    }
    let undo = Undo::of(predecessors, name);
    // Rolling back leads to the entry's own file, however many candidates came after it.
    let first = promoted(predecessors, name).is_none();
    let kept = if first { signature_of(name) } else { former_signature_of(name) };
    let former = predecessors.recall(&kept, |_| true).unwrap_or_default();
    let written = (predecessors.keep(&former_signature_of(name), &former))
        .and_then(|()| predecessors.keep(&promotion_of(name), &loaded.policy.digest.0));
    written.map_err(|error| unwritten(name, &error))?;
    Ok(undo)
}

/// Records that the entry's own file runs again, from the next reload on.
///
/// # Errors
/// [`Unmoved`].
pub fn roll_back(predecessors: &Predecessors, name: &str) -> Result<Undo, Unmoved> {
    if promoted(predecessors, name).is_none() {
        return Err(Unmoved::Nothing(name.to_owned()));
    }
    let undo = Undo::of(predecessors, name);
    // The older signature counts again: going back was asked for.
    let former = predecessors.recall(&former_signature_of(name), |_| true).unwrap_or_default();
    let written = (predecessors.keep(&signature_of(name), &former))
        .and_then(|()| predecessors.keep(&promotion_of(name), &[]));
    written.map_err(|error| unwritten(name, &error))?;
    Ok(undo)
}

/// The records as they were.
pub struct Undo {
    records: Vec<(String, Vec<u8>)>,
}

impl Undo {
    fn of(predecessors: &Predecessors, name: &str) -> Undo {
        let names = [promotion_of(name), signature_of(name), former_signature_of(name)];
        let record = |name: String| {
            let kept = predecessors.recall(&name, |_| true).unwrap_or_default();
            (name, kept)
        };
        Undo { records: names.map(record).into() }
    }

    /// Puts them back.
    ///
    /// # Errors
    /// The operating system's.
    pub fn undo(self, predecessors: &Predecessors) -> std::io::Result<()> {
        self.records.iter().try_for_each(|(name, record)| predecessors.keep(name, record))
    }
}

fn load(
    sandbox: &Sandbox,
    admission: &Admission<'_>,
    next: &PolicyEntry,
    file: &Path,
    before: &Candidates,
) -> Result<Loaded, String> {
    let bytes = read(file)?;
    let digest = Digest::of(&bytes);
    if let Some(pin) = next.digest.filter(|pin| *pin != digest) {
        return Err(format!("its digest is {digest}, and the configuration pins {pin}"));
    }
    let name = &next.name;
    admission.of_file(next, name, file, &bytes).map_err(|error| error.to_string())?;
    let entry = Entry {
        name: name.clone(),
        mode: next.mode,
        on_failure: next.on_failure,
        grants: next.grants.clone(),
        limits: next.limits.clone(),
        config: next.config.clone(),
    };
    let same = before.of(name).and_then(|candidate| candidate.loaded.as_ref().ok());
    if let Some(same) = same.filter(|loaded| loaded.policy.runs(&entry, &digest)) {
        return Ok(same.clone());
    }
    let policy: Policy = sandbox.load_beside(&entry, &bytes).map_err(|error| error.to_string())?;
    proof::prove(sandbox, file, &bytes, &next.limits, next.require_cases)?;
    Ok(Loaded { policy: Arc::new(policy), tally: Arc::default() })
}

/// The record of a promotion that is over.
pub(super) fn over(name: &str) -> (String, Vec<u8>) {
    (promotion_of(name), Vec::new())
}

fn unwritten(name: &str, error: &std::io::Error) -> Unmoved {
    Unmoved::Unwritten { name: name.to_owned(), why: error.to_string() }
}

/// The name under which a promotion is recorded. No entry has such a name.
fn promotion_of(name: &str) -> String {
    format!("{name}\0promoted")
}

/// The same for the signature that counted before.
fn former_signature_of(name: &str) -> String {
    format!("{name}\0former signature")
}
