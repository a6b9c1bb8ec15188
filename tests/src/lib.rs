//! What a client, an operator and a provider see: a real gateway on port 0, scripted
//! upstreams that record every byte, and hostile guests.
//!
//! Nothing here links a room of the house. The gateway under test is the binary that
//! a user runs.

mod binary;
pub mod books;
pub mod client;
pub mod configuration;
mod gateway;
pub mod guests;
pub mod planting;
pub mod siege;
pub mod upstream;

pub use binary::{Ran, ringfence, ringfence_in};
pub use configuration::{Configuration, Policy, Target};
pub use gateway::{Gateway, Refused, replace};
pub use upstream::{Gate, Play, Received, Upstream};
