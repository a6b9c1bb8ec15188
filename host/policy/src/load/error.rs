//! Why a file is not loaded.

use std::time::Duration;

use ringfence_fence::PolicyFailure;

use crate::contract::VERSION;

/// Why a file is not loaded. Split by what the operator can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The file is larger than the sandbox takes.
    #[error("the file has {bytes} bytes, more than the limit of {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// It is something else than a component.
    #[error("not a WebAssembly component: {0}")]
    NotComponent(&'static str),
    /// It is cut off or does not follow the format.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// Compiling it could take too long or too much.
    #[error("the file is too complex to compile within bounds: too many or too large {0}")]
    TooComplex(&'static str),
    /// It was built for another version of the contract.
    #[error(
        "the policy was built for version {needs} of ringfence:policy, and this host serves \
         {VERSION}: build it again with version {} of the SDK (ringfence-sdk for Rust and \
         Python, @ringfence/sdk for JavaScript)",
        sdk()
    )]
    Version {
        /// The version that it needs.
        needs: String,
    },
    /// It does not export `judge`.
    #[error(
        "the component exports no ringfence:policy/judge@{VERSION}; it exports: {}",
        list(exports)
    )]
    NoJudge {
        /// What it exports.
        exports: Vec<String>,
    },
    /// It inspects answers, and its entry lets requests go on without it.
    #[error(
        "the policy inspects answers, so its entry must say on_failure = \"deny\": a request \
         that it failed on would be answered, and nobody would look at the answer"
    )]
    Unattended,
    /// It imports what it must not.
    #[error("the policy imports what its entry does not give: {}", imports(ungranted, unknown))]
    Imports {
        /// Grants that would serve some of its imports.
        ungranted: Vec<String>,
        /// Imports that no grant serves.
        unknown: Vec<String>,
    },
    /// Its interface has the right name and other types.
    #[error("the policy does not fit version {VERSION} of the contract: {0}")]
    Contract(String),
    /// It declares that it cannot work without these grants.
    #[error("the policy needs grants that its entry does not give: add {} to its grants", list(.0))]
    Needs(Vec<String>),
    /// It wants more memory or more tables than its limits allow from the start.
    #[error("the policy needs more memory or tables than its limits allow: {0}")]
    Limits(String),
    /// The entry itself is out of range.
    #[error("the entry is not valid: {0}")]
    Entry(String),
    /// The compiler does not take it.
    #[error("the file does not compile: {0}")]
    Compile(String),
    /// Its `configure` failed.
    #[error("the policy failed while it was configured: {}", .0.name())]
    Configure(PolicyFailure),
    /// Its `configure` refused the configuration.
    #[error("the policy refuses its configuration: {0}")]
    Refused(String),
    /// What it declared is not usable.
    #[error("the policy's declaration is not usable: {0}")]
    Declaration(String),
    /// It took too long. The compiler cannot be stopped, so it goes on in the background.
    #[error("loading took more than {} s", .0.as_secs())]
    Slow(Duration),
    /// Earlier loads that took too long still go on.
    #[error("an earlier load that took too long is still going on: try again later")]
    Busy,
    /// Something is wrong with the host.
    #[error("the sandbox failed: {0}")]
    Sandbox(String),
}

/// The versions of the SDKs that fit: their first two numbers are the contract's.
fn sdk() -> &'static str {
    VERSION.rsplit_once('.').map_or(VERSION, |(fits, _)| fits)
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

fn imports(ungranted: &[String], unknown: &[String]) -> String {
    let mut parts = Vec::new();
    if !ungranted.is_empty() {
        parts.push(format!("not granted: {}", list(ungranted)));
    }
    if !unknown.is_empty() {
        parts.push(format!("served to no policy: {}", list(unknown)));
    }
    parts.join("; ")
}
