//! A chain from its entries: reads, checks and loads every policy, off the request path.

mod admission;
mod standby;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringfence_fence::Digest;
use ringfence_policy::{Chain, Entry, Policy, Predecessors, Sandbox, SandboxConfig, read_file};

pub use self::admission::AHEAD_SECONDS;
use self::admission::{Admission, Admitted, proof_of, signature_of};
pub use self::standby::{Undo, Unmoved, candidates, promote, roll_back};
use self::standby::{over, promoted, standby};
use crate::candidates::Candidates;
use crate::config::{PolicyEntry, PolicySource};
use crate::embedded;
use crate::house::BuildError;
use crate::proof;
use crate::signatures::Signatures;

/// A chain that can be put into force.
pub struct Assembly {
    /// The chain.
    pub chain: Chain,
    /// What stands beside it: [`candidates`].
    pub candidates: Candidates,
    /// Names of policies that run from their stored predecessors.
    pub degraded: Vec<String>,
    /// By policy, the name of the key that signed it.
    pub signed: BTreeMap<String, String>,
    /// By policy, the file that it was loaded from; none for what ships in the binary.
    pub files: BTreeMap<String, PathBuf>,
    /// What an operator should see to.
    pub troubles: Vec<String>,
}

impl Default for Assembly {
    fn default() -> Assembly {
        Assembly {
            chain: Chain::new(Vec::new()),
            candidates: Candidates::default(),
            degraded: Vec::new(),
            signed: BTreeMap::new(),
            files: BTreeMap::new(),
            troubles: Vec::new(),
        }
    }
}

/// Files of one folder entry at most.
pub const FOLDER_FILES: usize = 256;

/// Loads the policies of `entries`. Blocks.
///
/// `before` is the chain in force, when there is one. A policy that is the same stays
/// the same instance, and a file that vanished leaves its policy in the chain: only the
/// configuration takes one out. Without a chain in force, a broken or vanished file is
/// replaced by its stored predecessor, if today's pins and signatures admit it. A policy
/// whose signature or whose own cases do not hold counts as broken.
///
/// # Errors
/// Every entry that cannot be loaded; with a chain in force, that one should go on
/// serving.
pub fn assemble(
    sandbox: &Sandbox,
    predecessors: &Predecessors,
    entries: &[PolicyEntry],
    signatures: &Signatures,
    before: Option<&Chain>,
) -> Result<Assembly, Vec<BuildError>> {
    let mut building = Building {
        sandbox,
        predecessors,
        admission: Admission { predecessors, signatures },
        before,
        policies: Vec::new(),
        fresh: Vec::new(),
        signed: BTreeMap::new(),
        files: BTreeMap::new(),
        degraded: Vec::new(),
        troubles: Vec::new(),
        errors: Vec::new(),
    };
    for entry in entries {
        match &entry.source {
            PolicySource::Embedded(name) => {
                let bytes = embedded::policy(name).map(<[u8]>::to_vec);
                building.add(
                    entry,
                    entry.name.clone(),
                    bytes.ok_or_else(|| format!("no embedded policy is called `{name}`")),
                    None,
                );
            }
            PolicySource::File(file) => match promoted(predecessors, &entry.name) {
                Some(digest) => building.add_promoted(entry, file, digest),
                None => building.add_file(entry, file),
            },
            PolicySource::Folder(folder) => building.add_folder(entry, folder),
        }
    }
    building.finish()
}

struct Building<'a> {
    sandbox: &'a Sandbox,
    predecessors: &'a Predecessors,
    admission: Admission<'a>,
    before: Option<&'a Chain>,
    policies: Vec<Arc<Policy>>,
    /// What to keep once the whole chain is good: bytes by name, and the names of a
    /// folder's policies under its prefix.
    fresh: Vec<(String, Vec<u8>)>,
    signed: BTreeMap<String, String>,
    files: BTreeMap<String, PathBuf>,
    degraded: Vec<String>,
    troubles: Vec<String>,
    errors: Vec<BuildError>,
}

impl Building<'_> {
    fn add_file(&mut self, entry: &PolicyEntry, file: &Path) {
        let bytes = match &entry.absent {
            Some(mistake) => Err(mistake.to_string()),
            None => read(file),
        };
        self.add(entry, entry.name.clone(), bytes, Some(file));
    }

    /// What runs is the candidate of that digest, unless the entry's own file has it by
    /// now: then the promotion is over. Without a candidate it says nothing.
    fn add_promoted(&mut self, entry: &PolicyEntry, file: &Path, digest: Digest) {
        let Some(next) = standby(entry) else { return self.add_file(entry, file) };
        let is_it = |bytes: &Result<Vec<u8>, String>| {
            bytes.as_ref().is_ok_and(|bytes| Digest::of(bytes) == digest)
        };
        let own = read(file);
        // The same file with other settings is another version.
        if is_it(&own) && next.config == entry.config {
            // Kept, it would take the place of whatever the file holds one day.
            self.fresh.push(over(&entry.name));
            return self.add(entry, entry.name.clone(), own, Some(file));
        }
        if let PolicySource::File(candidate) = &next.source {
            let bytes = read(candidate);
            if is_it(&bytes) {
                return self.add(&next, entry.name.clone(), bytes, Some(candidate));
            }
        }
        if is_it(&own) {
            return self.add(&next, entry.name.clone(), own, Some(file));
        }
        self.add_stored(&next, digest);
    }

    /// The promoted version has no file any more, and its stored bytes run on, if today's
    /// pins and signatures admit them.
    fn add_stored(&mut self, next: &PolicyEntry, digest: Digest) {
        let name = next.name.clone();
        let stored =
            self.admission.stored(next, &name).filter(|(bytes, _)| Digest::of(bytes) == digest);
        let loaded = match stored {
            Some((bytes, by)) => self.load(next, &name, &bytes).map(|policy| (policy, by)),
            None => Err("nothing that may run is stored of it".to_owned()),
        };
        match loaded {
            Ok((policy, by)) => {
                self.signed.extend(by.map(|by| (name.clone(), by)));
                self.troubles.push(format!(
                    "the promoted version {} of the policy `{name}` runs from the state folder, \
                     since its candidate's file holds another one: put it in the policy's own file",
                    digest.short()
                ));
                self.policies.push(policy);
                self.degraded.push(name);
            }
            Err(wrong) => {
                let wrong = format!(
                    "its promoted version {} is neither in its file nor in its candidate's, and \
                     {wrong}: put it in one of them, roll it back, or take the candidate out",
                    digest.short()
                );
                self.errors.push(BuildError::of_policy(&name, &wrong));
            }
        }
    }

    /// `file` is absent for what ships in the binary: its cases are held where it is built.
    fn add(
        &mut self,
        entry: &PolicyEntry,
        name: String,
        bytes: Result<Vec<u8>, String>,
        file: Option<&Path>,
    ) {
        let tried = bytes.as_deref().ok().map(Digest::of);
        let loaded = bytes.and_then(|bytes| {
            // Before anything of it is compiled.
            let admitted = match file {
                Some(file) => (self.admission.of_file(entry, &name, file, &bytes))
                    .map_err(|error| error.to_string())?,
                None => None,
            };
            let policy = self.load(entry, &name, &bytes).map_err(|wrong| match file {
                Some(file) => format!("{}: {wrong}", file.display()),
                None => wrong,
            })?;
            let is_new = self.before.is_none_or(|before| {
                !before.policies().iter().any(|running| Arc::ptr_eq(running, &policy))
            });
            let held = match file.filter(|_| is_new || entry.require_cases) {
                Some(file) => {
                    proof::prove(self.sandbox, file, &bytes, &entry.limits, entry.require_cases)?
                }
                None => false,
            };
            Ok((policy, bytes, held, admitted))
        });
        match (loaded, self.before) {
            (Ok((policy, bytes, held, admitted)), _) => {
                if let Some(Admitted { by, record }) = admitted {
                    self.signed.insert(name.clone(), by);
                    self.fresh.push((signature_of(&name), record));
                }
                if held {
                    self.fresh.push((proof_of(&name), policy.digest.0.to_vec()));
                }
                self.policies.push(policy);
                self.files.extend(file.map(|file| (name.clone(), file.to_owned())));
                self.fresh.push((name, bytes));
            }
            (Err(wrong), Some(_)) => {
                self.errors.push(BuildError::of_policy(&name, &wrong));
            }
            (Err(wrong), None) => self.fall_back(entry, name, tried, &wrong),
        }
    }

    /// Loads the policy, unless the one in force is the same.
    fn load(&self, entry: &PolicyEntry, name: &str, bytes: &[u8]) -> Result<Arc<Policy>, String> {
        let digest = Digest::of(bytes);
        if let Some(pin) = entry.digest.filter(|pin| *pin != digest) {
            return Err(format!("its digest is {digest}, and the configuration pins {pin}"));
        }
        let entry = Entry {
            name: name.to_owned(),
            mode: entry.mode,
            on_failure: entry.on_failure,
            grants: entry.grants.clone(),
            limits: entry.limits.clone(),
            config: entry.config.clone(),
        };
        let same = self.before.and_then(|before| {
            (before.policies().iter()).find(|policy| policy.runs(&entry, &digest))
        });
        match same {
            Some(policy) => Ok(Arc::clone(policy)),
            None => {
                self.sandbox.load(&entry, bytes).map(Arc::new).map_err(|error| error.to_string())
            }
        }
    }

    /// `tried` is the digest of the file that must not run: it is no predecessor of itself.
    fn fall_back(&mut self, entry: &PolicyEntry, name: String, tried: Option<Digest>, wrong: &str) {
        let loaded = (self.admission.stored(entry, &name))
            .filter(|(bytes, _)| tried != Some(Digest::of(bytes)))
            .and_then(|(bytes, by)| Some((self.load(entry, &name, &bytes).ok()?, by)));
        match loaded {
            Some((policy, by)) => {
                self.signed.extend(by.map(|by| (name.clone(), by)));
                self.troubles.push(format!(
                    "the policy `{name}`: {wrong}; its stored predecessor {} runs instead",
                    policy.digest.short()
                ));
                self.policies.push(policy);
                self.degraded.push(name);
            }
            None => self.errors.push(BuildError::of_policy(&name, wrong)),
        }
    }

    fn add_folder(&mut self, entry: &PolicyEntry, folder: &Path) {
        let files = match list(folder) {
            Ok(files) => files,
            Err(wrong) => {
                let text = format!("the folder of `{}`: {wrong}", entry.name);
                self.errors.push(BuildError::new(text));
                return;
            }
        };
        let prefix = format!("{}/", entry.name);
        let mut found: Vec<(String, Option<PathBuf>)> =
            files.into_iter().map(|(stem, file)| (format!("{prefix}{stem}"), Some(file))).collect();
        // What ran last, also across a restart: a policy leaves only by configuration.
        let roster = self.predecessors.recall(&prefix, |_| true).unwrap_or_default();
        let ran = self.before.iter().flat_map(|before| before.policies()).map(|one| &*one.name);
        for name in ran.chain(std::str::from_utf8(&roster).unwrap_or("").lines()) {
            let Some(stem) = name.strip_prefix(&prefix) else { continue };
            let retired = entry.retired.iter().any(|retired| retired == stem);
            if !retired && !found.iter().any(|(present, _)| present == name) {
                found.push((name.to_owned(), None));
            }
        }
        found.sort();
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        self.fresh.push((prefix, names.join("\n").into_bytes()));
        for (name, file) in found {
            match (file, self.before) {
                (Some(file), _) => self.add(entry, name, read(&file), Some(&file)),
                (None, None) => self.fall_back(entry, name, None, "its file vanished"),
                (None, Some(before)) => self.keep(entry, before, name),
            }
        }
    }

    /// The file is gone and its policy stays, under the entry as it is today.
    fn keep(&mut self, entry: &PolicyEntry, before: &Chain, name: String) {
        let policy = match self.admission.stored(entry, &name) {
            Some((bytes, by)) => {
                self.signed.extend(by.map(|by| (name.clone(), by)));
                self.load(entry, &name, &bytes)
            }
            None if entry.require_cases || self.admission.signatures.count() => {
                Err("its file vanished, and what ran last does not meet require_cases and \
                 [signatures] as they are today"
                    .to_owned())
            }
            None => (before.policies().iter())
                .find(|policy| policy.name == name)
                .map(Arc::clone)
                .ok_or_else(|| "its file vanished".to_owned()),
        };
        match policy {
            Ok(policy) => {
                self.policies.push(policy);
                self.troubles.push(format!(
                    "the file of the policy `{name}` vanished, and the policy runs on; to take it \
                     out, name it in `retired` of its entry"
                ));
                self.degraded.push(name);
            }
            Err(wrong) => {
                self.errors.push(BuildError::of_policy(&name, &wrong));
            }
        }
    }

    fn finish(mut self) -> Result<Assembly, Vec<BuildError>> {
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        for (name, bytes) in self.fresh {
            if let Err(error) = self.predecessors.keep(&name, &bytes) {
                self.troubles.push(format!("the policy `{name}` could not be stored: {error}"));
            }
        }
        Ok(Assembly {
            chain: Chain::new(self.policies),
            candidates: Candidates::default(),
            degraded: self.degraded,
            signed: self.signed,
            files: self.files,
            troubles: self.troubles,
        })
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    read_file(file, SandboxConfig::FILE_BYTES)
        .map_err(|error| format!("{}: {error}", file.display()))
}

/// Stems and paths of the `*.wasm` files.
fn list(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for file in fs::read_dir(folder).map_err(wrong)? {
        let file = file.map_err(wrong)?.path();
        if file.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        let stem = file.file_stem().and_then(|stem| stem.to_str());
        let Some(stem) = stem.filter(|stem| !stem.is_empty() && !stem.starts_with('.')) else {
            continue;
        };
        files.push((stem.to_owned(), file.clone()));
        if files.len() > FOLDER_FILES {
            return Err(format!("{} holds more than {FOLDER_FILES} policies", folder.display()));
        }
    }
    Ok(files)
}
