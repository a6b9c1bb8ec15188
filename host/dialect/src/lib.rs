//! The only crate that knows a vendor's JSON.
//!
//! A dialect is a folder: what comes from a client ([`decode_request`]), what goes to
//! a target ([`encode_request`]), what comes back ([`Decoder`]) and what the client
//! gets ([`Encoder`]). No room but this one names a field of anybody's wire format.
//!
//! Two promises hold for every dialect:
//! - every string of a request, keys and unknown fields included, is a segment, except
//!   words of a closed vocabulary that was checked, and the model's name, which is
//!   never sent on;
//! - an answer in the client's own dialect keeps the fields that nobody here knows,
//!   and never shows a text that its events no longer hold.
//!
//! No I/O, no clock, no knowledge of targets or permissions.

mod anthropic;
mod carries;
mod decoder;
mod encoder;
mod fault;
mod openai_chat;
mod vocabulary;
mod walk;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod golden;

use ringfence_chat::{Dialect, Request};

pub use carries::{Carries, carries, carries_from};
pub use decoder::{Decoder, Reported, reported};
pub use encoder::{Encoder, Envelope, ErrorBody, ModelEntry, error_body, model_body, models_body};
pub use fault::{Fault, Malformed, Unsupported};
pub use walk::{PLACE_BYTES, SEGMENTS};

/// A request as the bytes that a target takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translated {
    /// JSON in the target's dialect.
    pub body: Vec<u8>,
    /// Names of optional parameters that were left out; sorted, without repetition,
    /// each fit for a header.
    pub dropped: Vec<String>,
}

/// Reads a client's request.
///
/// # Errors
/// [`Malformed`]: the client has to change it.
pub fn decode_request(dialect: Dialect, id: String, bytes: &[u8]) -> Result<Request, Malformed> {
    match dialect {
        Dialect::OpenAiChat => openai_chat::decode_request(id, bytes),
        Dialect::AnthropicMessages => Err(Malformed::new("this dialect is not served")),
    }
}

/// Writes a request for a target of `dialect`, which knows the model as `model`.
///
/// `honours` lists the optional parameters that the target takes; `None` means all
/// of them. Others are left out and named. A target of another dialect takes at most
/// what [`carries_from`] says.
///
/// # Errors
/// [`Unsupported`]: the dialect has no words for a part of it.
pub fn encode_request(
    dialect: Dialect,
    request: &Request,
    model: &str,
    honours: Option<&[String]>,
) -> Result<Translated, Unsupported> {
    match (request.dialect, dialect) {
        (Dialect::OpenAiChat, Dialect::OpenAiChat) => {
            openai_chat::encode_request(request, model, honours)
        }
        (_, Dialect::AnthropicMessages) => anthropic::encode_request(request, model, honours),
        (Dialect::AnthropicMessages, Dialect::OpenAiChat) => Err(Unsupported::new("dialect")),
    }
}
