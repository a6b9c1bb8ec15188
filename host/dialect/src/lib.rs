//! The only crate that knows a vendor's JSON.
//!
//! A dialect is a folder: what comes from a client ([`decode_request`]), what goes to
//! a target ([`encode_request`]), what comes back ([`Decoder`]) and what the client
//! gets ([`Encoder`]). No room but this one names a field of anybody's wire format.
//!
//! No dialect knows another. A request is two things at once: the client's own JSON,
//! which is what a target of the same dialect gets, and the house's view of it (turns,
//! tools, sampling), which is all that a target of another dialect is written from. What
//! the view does not hold is either a need, and then such a target is not asked, or an
//! optional parameter, and then it is named among what was dropped. So n dialects are n
//! folders, and there is no pair of dialects that nobody thought of.
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
mod asked;
mod attachment;
mod body;
mod cache_control;
mod carries;
mod decoder;
mod draft;
mod encoder;
mod estimate;
mod fault;
mod headers;
mod members;
mod object_writer;
mod openai_chat;
mod openai_embeddings;
mod openai_responses;
mod vocabulary;
mod walk;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod messages_contract;
#[cfg(test)]
mod messages_coverage;
#[cfg(test)]
mod responses_contract;

use ringfence_chat::{Dialect, Request};

pub use carries::{Carries, carries, carries_from};
pub use decoder::{Decoder, Reported, reported};
use draft::Draft;
pub use encoder::{
    Echo, Encoder, Envelope, ErrorBody, ModelEntry, answer_id, error_body, error_status,
    model_body, models_body, tokens_body,
};
pub use fault::{Fault, Malformed, Unsupported};
pub use headers::{HEADER_BYTES, passed_on};
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
        Dialect::AnthropicMessages => anthropic::decode_request(id, bytes),
        Dialect::OpenAiEmbeddings => openai_embeddings::decode_request(id, bytes),
        Dialect::OpenAiResponses => openai_responses::decode_request(id, bytes),
    }
}

/// What is spoken with a target of `target` for a client of `client`: its own dialect, or
/// the client's, where that belongs to the same service.
pub fn spoken(client: Dialect, target: Dialect) -> Dialect {
    match (client, target) {
        (Dialect::OpenAiEmbeddings, Dialect::OpenAiChat) => client,
        _ => target,
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
    let carried = carries_from(request.dialect, dialect);
    if let Some(need) = request.needs.iter().find(|need| !carried.capabilities.contains(need)) {
        return Err(Unsupported::new(need.name()));
    }
    let same = request.dialect == dialect;
    match spoken(request.dialect, dialect) {
        Dialect::OpenAiEmbeddings => openai_embeddings::pass_on(request, model, honours),
        Dialect::OpenAiResponses => Err(Unsupported::new("input")),
        Dialect::OpenAiChat if same => openai_chat::pass_on(request, model, honours),
        Dialect::OpenAiChat => openai_chat::compose(Draft::new(request, &carried, honours), model),
        Dialect::AnthropicMessages if same => anthropic::pass_on(request, model, honours),
        Dialect::AnthropicMessages => {
            anthropic::compose(Draft::new(request, &carried, honours), model)
        }
    }
}

/// How many tokens the prompt of a request has, for a client that wants to know before
/// it asks: an estimate from its length, since no model is asked.
///
/// # Errors
/// [`Malformed`]: the client has to change it.
pub fn count_tokens(dialect: Dialect, bytes: &[u8]) -> Result<Request, Malformed> {
    match dialect {
        Dialect::OpenAiChat => openai_chat::decode_request(String::new(), bytes),
        Dialect::AnthropicMessages => anthropic::decode_prompt(bytes),
        Dialect::OpenAiEmbeddings => openai_embeddings::decode_request(String::new(), bytes),
        Dialect::OpenAiResponses => openai_responses::decode_request(String::new(), bytes),
    }
}
