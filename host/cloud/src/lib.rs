//! The only crate that talks to providers.
//!
//! A [`Cloud`] is one service behind one [`Connection`]. What leaves is a departure's
//! bytes, the connection's own headers and its key, and nothing of the client's.
//! What comes back is chunks, a few validated headers, or a [`ringfence_fence::Failure`]
//! in the house's words: no text of a service ever stands in a failure.
//!
//! There is one attempt per departure: no redirect is followed and nothing is sent
//! again from here.

mod allowance;
mod answer;
mod anthropic;
mod client;
mod cloud;
mod connection;
mod failure;
mod openai;
mod secret;

#[cfg(test)]
mod calls;
#[cfg(test)]
mod script;

pub use answer::FIRST_ERROR_BYTES;
pub use cloud::Cloud;
pub use connection::{Connection, ConnectionError};
pub use failure::LONGEST_RETRY_AFTER;
pub use secret::Secret;
