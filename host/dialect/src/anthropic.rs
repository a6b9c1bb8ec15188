//! Anthropic's messages.

mod answer;
mod blocks;
mod composing;
mod errors;
mod gathering;
mod listing;
mod messages;
mod outbound;
mod parameters;
mod request;
mod sources;
mod tools;
mod turns;
mod writing;

pub(crate) use answer::{StreamReader, known_code, read_whole};
pub(crate) use composing::{TRANSLATED, compose};
pub(crate) use errors::{error_json, error_status};
pub(crate) use listing::{model_json, models_json};
pub(crate) use outbound::pass_on;
pub(crate) use request::{decode_prompt, decode_request};
pub(crate) use writing::Writer;
