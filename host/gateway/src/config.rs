//! The configuration, resolved: every name known, every file read, every unit a type.
//!
//! [`Config::load`] is the only way to one, and it says everything that is wrong
//! before a port is bound.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ringfence_cloud::Connection;
use ringfence_fence::{Caller, Digest, Floor, Mode, OnFailure, Target};
use ringfence_ledger::Durability;
use ringfence_local::LocalConfig;
use ringfence_policy::{Grants, Limits};

/// A configuration that can be served.
#[derive(Debug, Clone)]
pub struct Config {
    /// Digest of the file's bytes.
    pub digest: Digest,
    /// The file; absent for the embedded configuration.
    pub file: Option<PathBuf>,
    /// The listener.
    pub server: Server,
    /// A private folder for the ledger, the compiled cache, stored policies and keys.
    pub state: PathBuf,
    /// Who may call; empty when anyone on loopback may.
    pub callers: Vec<CallerKey>,
    /// Places that can answer, in order.
    pub targets: Vec<TargetEntry>,
    /// The chain, in order.
    pub policies: Vec<PolicyEntry>,
    /// What the operator decides before any policy.
    pub floor: Floor,
    /// The local model; absent when no target is local.
    pub local: Option<LocalConfig>,
    /// The books.
    pub ledger: Ledger,
}

/// The listener and its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where to listen.
    pub address: SocketAddr,
    /// Bytes of a request's body at most.
    pub body_bytes: usize,
    /// Connections at most.
    pub connections: usize,
    /// From the first byte of a request to the first byte of its answer.
    pub answer_within: Duration,
    /// For requests in flight at shutdown.
    pub drain_within: Duration,
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
#[derive(Debug, Clone)]
pub struct TargetEntry {
    /// The target as the fence sees it.
    pub target: Arc<Target>,
    /// How to reach it.
    pub reach: Reach,
}

/// How to reach a target.
#[derive(Debug, Clone)]
pub enum Reach {
    /// The model in this process.
    Local,
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
#[derive(Debug, Clone)]
pub struct Ledger {
    /// The file.
    pub file: PathBuf,
    /// When a record counts as written.
    pub durability: Durability,
}
