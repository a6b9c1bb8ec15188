//! The only room that knows wasmtime: it loads policies, keeps them confined and asks
//! them.
//!
//! # How a policy is loaded
//!
//! [`read_file`] takes a file's bytes once. [`Sandbox::load`] then does, on a thread of
//! its own and behind everything that serves:
//!
//! 1. *Look.* The bytes are a component, not cut off, and within static bounds on size,
//!    functions, types and joins, which is what compiling costs. Nothing is compiled yet.
//! 2. *Match.* It exports `judge` of a version that this host serves. One that exports
//!    `response` too is taken only where its failure denies, so that no answer goes out
//!    without it. Every import is granted by the entry, or belongs to the empty system interface. The whole
//!    list of what is not is in the error. Other exports are tolerated.
//! 3. *Compile and configure.* `configure` runs once. What the instance then has in its
//!    memories becomes a component, a snapshot, and that is compiled. Where the
//!    component's form does not allow it, the file itself is compiled and `configure` runs
//!    in every fresh instance, on the policy's time; [`Policy::snapshot`] tells. A guest
//!    that holds handles of the host after it was configured is such a form.
//! 4. *Try.* One instance is made as every request will make it, and the types of its
//!    functions are checked. What it needs is granted.
//! 5. *Keep.* The compiled code goes to a private folder, if there is one, under a code
//!    that only this host can make.
//!
//! Any step may fail with a [`LoadError`]; nothing that is loaded is touched by that.
//! [`Sandbox::hold`] holds a policy's own cases against the same file, each in an instance
//! of its own; the gateway asks for that before a policy goes live.
//!
//! # How it judges
//!
//! [`Chain::judge`] asks every policy in order. Each gets a fresh instance from the pool,
//! which starts configured; the request as data, narrowed to the entry's grants; and a
//! deadline. What it answers is lifted within a bound on bytes, checked against the
//! entry's limits, its declaration, and the request ([`ringfence_fence::Judgement::check`]).
//! Whatever goes wrong is a [`ringfence_fence::PolicyFailure`], told by the types of the
//! runtime's errors and never by their words; the fence makes of it what the entry says.
//!
//! Policies run on the caller's own threads. A policy that computes yields at every tick
//! of a clock of 1 ms, so that one that spins shares its thread with the others until its
//! deadline; one that sleeps is ended by a timer of the executor.
//!
//! # How a judgement is made again
//!
//! [`Policy::record`] keeps the request as data and every call to the host with its answer,
//! and [`Policy::replay`] judges that again: no counter is read, no line is written, and a
//! call that was not recorded ends the policy. [`Counter`] counts instructions on an engine
//! that serves nobody.
//!
//! # How it follows an answer
//!
//! A policy that exports `response` keeps its instance, and its slots of the pool, until
//! the answer ends. [`Following`] shows it the answer in windows, each call with a deadline
//! and a budget of its own, and lets go what it lets go; the bounds on what is held stand
//! in [`TAIL_BYTES`], [`WORD_BYTES`], [`HOLD_BYTES`] and [`HELD_BYTES`]. A failure ends the
//! answer. One that only watches sees the same windows and changes nothing.
//!
//! # Invariants
//!
//! - No instance sees two requests, and none is used again after a trap.
//! - Nothing of an answer goes on that a policy which protects has not let go.
//! - Nothing of a policy's own words leaves this room, but codes and labels that it
//!   declared when it was loaded, before it had seen a request; and lines to the log, for
//!   which its entry needs the grant `log`, at the level debug, capped and escaped.
//! - What is not granted is absent in the request and not linked in the instance.
//! - No call of a policy reads a clock, a file, a socket, the environment or a source of
//!   randomness: its clock stands at the request's time and its randomness follows from
//!   the request's seed. Counters (`state`) are the one thing that outlives a request, and
//!   the [`Models`] of this process the one thing that it may wait for.
//! - No compiled code is taken from the disk unless this host wrote it there.
//! - A chain never changes. A new version is a new chain, and a request keeps the one that
//!   it began with.
//!
//! Bounds are the constants of [`Limits`], [`SandboxConfig`], [`Declaration`] and
//! [`Entry`], and those that `log`, `state`, `wasi` and `inspection` name.

mod cache;
mod cases;
mod cell;
mod chain;
mod clock;
mod component;
mod contract;
mod declaration;
mod entry;
mod file;
mod following;
mod inspection;
mod load;
mod log;
mod model;
mod policy;
mod predecessors;
mod private;
mod recording;
mod sandbox;
mod snapshot;
mod state;
mod tape;
mod wasi;

pub use cases::{CASES_SECTION, Cases, CasesError, Format, Outcome, Said, three_targets};
pub use chain::{Chain, Facts};
pub use component::{add_section, component_of, component_of_wasi};
pub use contract::{PACKAGE, VERSION};
pub use declaration::Declaration;
pub use entry::{Entities, Entry, Grants, Limits};
pub use file::{FileError, read_file};
pub use following::{
    Followed, Following, HELD_BYTES, HOLD_BYTES, Passage, Readable, Restored, Seen, TAIL_BYTES,
    Unfollowed, WORD_BYTES,
};
pub use inspection::Inspection;
pub use load::{Count, Counter, LoadError, inspect};
pub use model::{Label, MODEL_TEXT_BYTES, ModelFault, Models, Reading, Score};
pub use policy::Policy;
pub use predecessors::Predecessors;
pub use private::PrivateFolderError;
pub use recording::{Recording, RecordingError, Replayed};
pub use sandbox::{Sandbox, SandboxConfig, SandboxError};
pub use tape::Departed;
