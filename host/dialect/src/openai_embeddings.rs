//! OpenAI's embeddings, and what is compatible with them.
//!
//! A client's dialect only: what an OpenAI target is asked for vectors in is the
//! client's own request, and no other dialect has words for it.

mod answer;
mod outbound;
mod request;
mod writing;

pub(crate) use answer::read_whole;
pub(crate) use outbound::pass_on;
pub(crate) use request::decode_request;
pub(crate) use writing::Writer;
