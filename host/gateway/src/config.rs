//! The configuration, resolved: every name known, every file read, every unit a type.
//!
//! [`Config::load`] and [`Config::embedded`] are the ways to one, and they say
//! everything that is wrong before a port is bound. Variables of the environment, key
//! files and the configuration itself are read here and nowhere else.

mod admin;
mod caller_keys;
mod classifiers;
mod connections;
mod detection;
mod embedding;
mod floor;
mod limits;
mod mistake;
mod model;
mod policies;
mod raw;
mod reader;
mod resolve;
mod served;
mod signing;
mod surroundings;
mod targets;
#[cfg(test)]
mod tests;
mod tier;
mod words;

use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ringfence_cloud::Connection;
use ringfence_fence::{Caller, Digest, Floor, Mode, OnFailure, Shape, Target};
use ringfence_ledger::Durability;
use ringfence_local::{EncoderConfig, LocalConfig};
use ringfence_policy::{Grants, Limits};

pub use classifiers::ClassifierConfig;
pub use detection::{Allowance, Detection, List, Listed, OwnEntity};
pub use mistake::{Mistake, Mistakes};
pub use resolve::FILE_BYTES;
pub use signing::TRUSTED_KEYS;
pub use surroundings::{KEY_FILE_BYTES, KeyFile, NoKey, Surroundings};
pub use tier::TierConfig;
pub use words::{NAME_BYTES, is_name};

use crate::limits::Limit;
use crate::signatures::Signatures;
use resolve::{Cloud, Origin, resolve};

/// A configuration that can be served.
#[derive(Debug, Clone)]
pub struct Config {
    /// Digest of the file's bytes.
    pub digest: Digest,
    /// The file; absent for the embedded configuration.
    pub file: Option<PathBuf>,
    /// The listener.
    pub server: Server,
    /// The admin API; absent without `[admin]`.
    pub admin: Option<Admin>,
    /// A private folder for the ledger, the compiled cache, stored policies and keys.
    pub state: PathBuf,
    /// Who may call; empty when anyone on loopback may.
    pub callers: Vec<CallerKey>,
    /// Places that can answer, in order.
    pub targets: Vec<TargetEntry>,
    /// The chain, in order.
    pub policies: Vec<PolicyEntry>,
    /// Whose policy files run.
    pub signatures: Signatures,
    /// What is found besides what the detectors know.
    pub detection: Detection,
    /// Placeholders that have the shape of what they stand for.
    pub shapes: Vec<Shape>,
    /// How much callers may ask for.
    pub limits: Vec<Limit>,
    /// What the operator decides before any policy.
    pub floor: Floor,
    /// The local model; absent when no target is local.
    pub local: Option<LocalConfig>,
    /// Models that say what texts are, for policies.
    pub classifiers: Vec<ClassifierConfig>,
    /// The local model of vectors; absent when no target serves it.
    pub embedding: Option<EncoderConfig>,
    /// The books.
    pub ledger: Ledger,
    /// What is odd and not wrong.
    pub warnings: Vec<Mistake>,
}

/// The listener and its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where to listen.
    pub address: SocketAddr,
    /// Bytes of a request's body at most.
    pub body_bytes: usize,
    /// Bytes of all bodies in flight together at most.
    pub bodies_bytes: usize,
    /// Connections at most.
    pub connections: usize,
    /// From the first byte of a request to the first byte of its answer.
    pub answer_within: Duration,
    /// How long a client may leave what is written to it unread.
    pub write_within: Duration,
    /// For requests in flight at shutdown.
    pub drain_within: Duration,
}

/// The listener of the admin API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// Where to listen.
    pub address: SocketAddr,
    /// SHA-256 of its token.
    pub token: Digest,
}

/// A key that a client may present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerKey {
    /// SHA-256 of the key.
    pub hash: Digest,
    /// Whose key it is.
    pub caller: Caller,
}

/// A target and how to reach it.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetEntry {
    /// The target as the fence sees it.
    pub target: Arc<Target>,
    /// How to reach it.
    pub reach: Reach,
}

/// How to reach a target.
#[derive(Debug, Clone, PartialEq)]
pub enum Reach {
    /// The model in this process.
    Local,
    /// The model in this process that makes vectors.
    Embedder,
    /// A service over HTTP.
    Http(Connection),
    /// Nowhere until the operator gives what is missing; it is listed and never used.
    Lacking(String),
}

/// One entry of the chain.
#[derive(Debug, Clone)]
pub struct PolicyEntry {
    /// Unique; for a folder entry, the prefix of what lands in it.
    pub name: String,
    /// Where its bytes come from.
    pub source: PolicySource,
    /// The file is not there. That is a mistake, unless a stored predecessor runs on.
    pub absent: Option<Mistake>,
    /// Whether it counts.
    pub mode: Mode,
    /// What counts when it fails.
    pub on_failure: OnFailure,
    /// What it may see and call.
    pub grants: Grants,
    /// What it may use.
    pub limits: Limits,
    /// Its own table, as JSON.
    pub config: String,
    /// The only digest that it may have, when pinned.
    pub digest: Option<Digest>,
    /// Its next version, judged beside it and never enforced.
    pub candidate: Option<CandidateEntry>,
    /// Whether it goes live only with cases of its own.
    pub require_cases: bool,
    /// For a folder: stems of files whose policies leave the chain when they vanish.
    pub retired: Vec<String>,
}

/// The next version of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateEntry {
    /// Its file; there may be none yet.
    pub file: PathBuf,
    /// Its own table, as JSON; the live one's without.
    pub config: Option<String>,
    /// The only digest that it may have, when pinned.
    pub digest: Option<Digest>,
}

/// Where the bytes of a policy come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySource {
    /// One that ships in the binary, by name.
    Embedded(String),
    /// A file.
    File(PathBuf),
    /// Every `*.wasm` of a folder, in the order of their names.
    Folder(PathBuf),
}

/// The books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// The file.
    pub file: PathBuf,
    /// When a record counts as written.
    pub durability: Durability,
}

impl Config {
    /// The embedded configuration, as it is written.
    pub const EMBEDDED: &'static str = include_str!("config/embedded.toml");

    /// The configuration in `file`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(file: &Path) -> Result<Config, Mistakes> {
        let text = read(file)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        resolve(
            &text,
            &Origin {
                file: Some(file),
                // An absolute folder keeps meaning the same.
                folder: &std::path::absolute(folder_or_here(folder)).unwrap_or(folder.into()),
                surroundings: &Surroundings::Process,
                cloud: Cloud::On,
            },
        )
    }

    /// The embedded configuration. With `cloud`, targets in the cloud whose keys are
    /// set are on.
    ///
    /// # Errors
    /// Nothing but a missing folder for its state.
    pub fn embedded(cloud: bool) -> Result<Config, Mistakes> {
        resolve(
            Self::EMBEDDED,
            &Origin {
                file: None,
                folder: &std::env::current_dir().unwrap_or_default(),
                surroundings: &Surroundings::Process,
                cloud: if cloud { Cloud::WhereKeysAreSet } else { Cloud::Off },
            },
        )
    }

    /// The configuration in `text`, with paths relative to `folder`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_text(
        text: &str,
        folder: &Path,
        surroundings: &Surroundings,
    ) -> Result<Config, Mistakes> {
        resolve(text, &Origin { file: None, folder, surroundings, cloud: Cloud::On })
    }

    /// The same, listening at `address`.
    ///
    /// # Errors
    /// The address can be reached from outside, and anyone may call.
    pub fn at(mut self, address: SocketAddr) -> Result<Config, Mistakes> {
        if self.callers.is_empty() && !address.ip().is_loopback() {
            return Err(Mistakes(vec![Mistake {
                file: self.file,
                line: None,
                what: format!(
                    "{address} can be reached from outside this machine, and there are no callers"
                ),
                remedy: "add [[callers]] to a configuration file (`ringfence key new` prints an \
                         entry), or listen on 127.0.0.1"
                    .into(),
            }]));
        }
        self.server.address = address;
        Ok(self)
    }
}

impl Server {
    /// Bounds of `body_bytes`.
    pub const BODY_BYTES: RangeInclusive<u64> = 1024..=1 << 30;
    /// Bounds of `bodies_bytes`, which is at least `body_bytes`.
    pub const BODIES_BYTES: RangeInclusive<u64> = 1024..=1 << 40;
    /// Bounds of `connections`.
    pub const CONNECTIONS: RangeInclusive<u64> = 1..=1_000_000;
    /// Bounds of `answer_within_seconds`, `write_within_seconds` and
    /// `drain_within_seconds`.
    pub const SECONDS: RangeInclusive<u64> = 1..=86_400;
}

impl Default for Server {
    fn default() -> Server {
        Server {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            // Coding agents send tens of MiB.
            body_bytes: 32 << 20,
            // A body's JSON takes several times its bytes while it is judged.
            bodies_bytes: 512 << 20,
            connections: 1024,
            answer_within: Duration::from_secs(600),
            write_within: Duration::from_secs(60),
            drain_within: Duration::from_secs(30),
        }
    }
}

impl Ledger {
    /// The file's name in the state folder.
    pub const FILE: &'static str = "ledger.jsonl";
    /// Milliseconds between two syncs, unless the configuration says otherwise.
    pub const GROUP_MS: u64 = 5;
    /// Bounds of `group_ms`.
    pub const GROUPS_MS: RangeInclusive<u64> = 0..=1000;
}

fn read(file: &Path) -> Result<String, Mistakes> {
    let wrong = |what: String, remedy: &str| {
        let remedy = remedy.to_owned();
        Mistakes(vec![Mistake { file: Some(file.to_owned()), line: None, what, remedy }])
    };
    let unreadable = |error: std::io::Error| {
        wrong(format!("cannot be read: {error}"), "give an existing file to --config")
    };
    // A pipe or a device would block or never end.
    if !fs::metadata(file).map_err(unreadable)?.is_file() {
        return Err(wrong("is no regular file".into(), "give an existing file to --config"));
    }
    let mut bytes = Vec::new();
    fs::File::open(file)
        .and_then(|opened| opened.take(FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(wrong(format!("is larger than {FILE_BYTES} bytes"), "make it smaller"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..valid].iter().filter(|&&byte| byte == b'\n').count();
        wrong(format!("line {line} is not UTF-8"), "save the file as UTF-8")
    })
}

fn folder_or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}
