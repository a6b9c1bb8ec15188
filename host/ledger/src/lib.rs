//! The books: what was decided, what left, and how it ended.
//!
//! A ledger is a file of JSON lines. Every line holds the SHA-256 of the line before
//! it (`previous`, over the bytes without the line feed), so that anyone can check it
//! with `sha256sum`, and whoever knows the digest of the last line knows that nothing
//! before it was changed, taken out or put in. A cut tail shows only against a digest
//! that was noted elsewhere: [`Ledger::head`] gives it to health and metrics.
//!
//! Records hold counts, names and keyed digests, and never content. [`Ledger::write`]
//! resolves when the record is as durable as configured; after a failure every write
//! fails until the ledger is opened again, so that whoever waits sends nothing.
//!
//! No HTTP, no knowledge of providers or policies beyond their names.

mod chain;
mod clock;
mod ledger;
mod pen;
mod queue;
mod record;
mod recovery;
mod verify;
mod word;
mod writer;

pub use ledger::{Durability, Head, Ledger, LedgerError, Pulse, Written, keyed_digest};
pub use record::{
    Bytes, Chain, Decided, Departure, Ending, Inspected, Judged, Outcome, PolicyInForce, Record,
    Refusal, Start, actions, entities,
};
pub use recovery::Recovered;
pub use verify::{Fault, Report, verify};
pub use word::Word;

#[cfg(test)]
mod tests;
