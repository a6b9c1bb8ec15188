//! The vocabulary of the house: what a chat request and its answer are, whoever's
//! JSON they came in.
//!
//! A [`Request`] keeps the client's JSON whole and names every string in it as a
//! [`Segment`]; the structured view ([`Turn`], [`Part`]) holds ids of segments and
//! never text of its own, so that an edit of a segment is an edit of everything.
//! An answer is a stream of [`Chunk`]s; a whole answer is a folded stream.
//!
//! No I/O, no vendor's field names, no knowledge of targets.

mod answer;
mod request;
mod segment;
pub mod sse;
mod turn;

pub use answer::{Chunk, Event, FinishReason, Original, TextKind, Usage, Vector};
pub use request::{Capability, Dialect, Request, Sampling, VectorForm};
pub use segment::{Kind, Place, Role, Segment, SegmentId};
pub use turn::{AnswerForm, Arguments, CacheMark, Keep, Part, Tool, ToolChoice, Turn};
