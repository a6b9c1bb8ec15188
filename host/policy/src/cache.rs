//! Compiled policies, so that the second start is fast.

use std::fs;
use std::time::SystemTime;

use ringfence_fence::Digest;
use serde::{Deserialize, Serialize};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::declaration::Declaration;
use crate::private::PrivateFolder;

/// Compiled policies that are kept; the oldest go.
pub(crate) const ENTRIES: usize = 64;
/// Ends the names of compiled policies.
const SUFFIX: &str = ".compiled";

/// A private folder of compiled policies.
pub(crate) struct Cache {
    folder: PrivateFolder,
}

/// A compiled policy, and what was learnt while it was made.
pub(crate) struct Compiled {
    pub(crate) component: Component,
    /// Whether the component is a configured snapshot.
    pub(crate) snapshot: bool,
    /// What the policy declared.
    pub(crate) declaration: Declaration,
}

#[derive(Serialize, Deserialize)]
struct Header {
    snapshot: bool,
    declaration: Declaration,
}

impl Cache {
    pub(crate) fn new(folder: PrivateFolder) -> Cache {
        Cache { folder }
    }

    /// The policy compiled from this file with this configuration by this engine, if
    /// this host kept it.
    pub(crate) fn get(&self, engine: &Engine, key: &Digest) -> Option<Compiled> {
        let bytes = self.folder.read(&name(key))?;
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let (header, compiled) =
            rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        let Header { snapshot, declaration } = serde_json::from_slice(header).ok()?;
        // SAFETY: these bytes are what `Component::serialize` gave to this host: the
        // folder checked their code under a key that only this host can read, and they
        // were not read again after the check. An engine that differs in settings or
        // version is told by the key and refused by the call itself.
        let component = unsafe { Component::deserialize(engine, compiled) }.ok()?;
        Some(Compiled { component, snapshot, declaration })
    }

    /// Keeps a compiled policy. What cannot be kept is compiled again next time.
    pub(crate) fn put(&self, key: &Digest, compiled: &Compiled) {
        let header =
            Header { snapshot: compiled.snapshot, declaration: compiled.declaration.clone() };
        let (Ok(header), Ok(code)) = (serde_json::to_vec(&header), compiled.component.serialize())
        else {
            return;
        };
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(&code);
        if let Err(error) = self.folder.write(&name(key), &bytes) {
            tracing::warn!(folder = %self.folder.path().display(), %error, "a compiled policy was not kept");
        }
        self.prune();
    }

    fn prune(&self) {
        let Ok(entries) = fs::read_dir(self.folder.path()) else { return };
        let mut kept: Vec<_> = entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().ends_with(SUFFIX))
            .map(|entry| {
                let age = entry.metadata().and_then(|seen| seen.modified());
                (age.unwrap_or(SystemTime::UNIX_EPOCH), entry.path())
            })
            .collect();
        kept.sort();
        let excess = kept.len().saturating_sub(ENTRIES);
        for (_, path) in kept.drain(..excess) {
            let _ = fs::remove_file(path);
        }
    }
}

fn name(key: &Digest) -> String {
    format!("{key}{SUFFIX}")
}
