//! OpenAI's chat completions, and what is compatible with them.

mod composing;
mod folding;
mod messages;
mod outbound;
mod parameters;
mod parts;
mod put_back;
mod reading;
mod request;
mod stream;
mod tools;
mod whole;
mod writing;

pub(crate) use composing::{TRANSLATED, compose};
pub(crate) use outbound::pass_on;
pub(crate) use reading::known_code;
pub(crate) use request::decode_request;
pub(crate) use stream::StreamReader;
pub(crate) use whole::read_whole;
pub(crate) use writing::{Writer, error_json, model_json, models_json};
