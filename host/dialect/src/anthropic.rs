//! Anthropic's messages.

mod answer;
mod outbound;
mod turns;

pub(crate) use answer::{StreamReader, known_code, read_whole};
pub(crate) use outbound::encode_request;
