//! A client's request, read.

use std::collections::BTreeSet;

use ringfence_chat::{Capability, Dialect, Kind, Request, Sampling};
use serde_json::Value;

use super::messages::{self, Messages};
use super::parameters::{self, Parameters};
use super::tools;
use crate::fault::Malformed;
use crate::walk::Walk;

/// What a request turned out to ask for, gathered while it is read.
#[derive(Default)]
pub(crate) struct Asked {
    /// What a target must be able to do.
    pub needs: BTreeSet<Capability>,
    /// Parameters that a target may ignore.
    pub optional: BTreeSet<String>,
}

impl Asked {
    /// A target must be able to do this.
    pub fn need(&mut self, capability: Capability) {
        self.needs.insert(capability);
    }

    /// A target may ignore the parameter `name`. A name that is not fit for a header,
    /// or that is as long as a text, counts as `unknown`.
    pub fn may_ignore(&mut self, name: &str) {
        self.optional.insert(header_name(name));
    }
}

/// The name of a parameter as it may stand in a header.
pub(crate) fn header_name(name: &str) -> String {
    let fits = !name.is_empty()
        && name.len() <= NAME_BYTES
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    if fits { name.to_owned() } else { "unknown".to_owned() }
}

/// Bytes of a parameter's name in a header at most.
const NAME_BYTES: usize = 64;

pub(crate) fn decode_request(id: String, bytes: &[u8]) -> Result<Request, Malformed> {
    let body = parse(bytes)?;
    let Value::Object(map) = &body else {
        return Err(Malformed::new("the body must be a JSON object"));
    };
    let count = map.get("messages").and_then(Value::as_array).map_or(0, Vec::len);
    let mut walk = Walk::new(u32::try_from(count).unwrap_or(u32::MAX));
    let mut asked = Asked::default();
    let mut parameters = Parameters::default();
    let mut heard = Messages::default();
    let mut declared = Vec::new();
    let mut stop = Vec::new();
    for (name, value) in map {
        walk.at(name, |walk| match name.as_str() {
            "messages" => {
                heard = messages::read(walk, value, &mut asked)?;
                Ok(())
            }
            "tools" => {
                declared = tools::read(walk, value, &mut asked)?;
                Ok(())
            }
            "tool_choice" => tools::choice(walk, value, &mut asked),
            "functions" | "function_call" => tools::legacy(walk, value, &mut asked),
            "stop" => {
                stop = parameters::stop(walk, value)?;
                Ok(())
            }
            other => parameters.read(walk, other, value, &mut asked),
        })?;
    }
    if heard.turns.is_empty() {
        return Err(missing("messages", "at least one message is required"));
    }
    let Some(model) = parameters.model else {
        return Err(missing("model", "the name of a model is required"));
    };
    let input_tokens = estimate(&walk, heard.turns.len());
    let mut request = Request::new(id, Dialect::OpenAiChat, body, walk.into_segments());
    request.model = model;
    request.streamed = parameters.streamed;
    request.wants_usage = parameters.wants_usage;
    request.turns = heard.turns;
    request.tools = declared;
    let choices = parameters.sampling.choices.max(1);
    request.sampling = Sampling { stop, choices, ..parameters.sampling };
    request.needs = asked.needs.into_iter().collect();
    request.optional = asked.optional.into_iter().collect();
    request.input_tokens = input_tokens;
    Ok(request)
}

/// Reads JSON, and says where it is not any in words that repeat nothing of it.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Malformed> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Malformed::new(format!("the body is not UTF-8 from byte {}", error.valid_up_to()))
    })?;
    serde_json::from_str(text).map_err(|error| {
        let what = if error.to_string().starts_with("recursion limit") {
            "the body is nested too deep"
        } else if error.is_eof() {
            "the body ends before its JSON is complete"
        } else {
            "the body is not JSON"
        };
        Malformed::new(format!("{what}: line {}, column {}", error.line(), error.column()))
    })
}

pub(crate) fn missing(param: &str, message: &'static str) -> Malformed {
    Malformed { message: message.into(), param: Some(param.to_owned()) }
}

/// Bytes of text that count as one token. English takes about four, Chinese three for
/// a character that is about one token; a target with a tokenizer counts for itself.
const BYTES_PER_TOKEN: usize = 4;
/// Tokens that a message takes at least, for its role and its borders.
const TOKENS_PER_MESSAGE: usize = 4;
/// Tokens of an image: what OpenAI counts for one of 1024 pixels square.
const TOKENS_PER_IMAGE: usize = 765;
/// Bytes of other attachments, in base64, that count as one token.
const ATTACHED_BYTES_PER_TOKEN: usize = 64;

/// A cheap estimate of the whole prompt: a quarter of its bytes, and something for each
/// message and attachment. Names of parameters and other metadata count nothing.
fn estimate(walk: &Walk, messages: usize) -> u32 {
    let mut tokens = messages.saturating_mul(TOKENS_PER_MESSAGE);
    let mut bytes = 0usize;
    for segment in walk.segments() {
        match segment.kind {
            Kind::Metadata | Kind::Link => {}
            Kind::Attachment => {
                let media = segment.media_type.as_deref().unwrap_or("");
                tokens = tokens.saturating_add(if media.starts_with("image/") {
                    TOKENS_PER_IMAGE
                } else {
                    segment.text.len() / ATTACHED_BYTES_PER_TOKEN
                });
            }
            _ => bytes = bytes.saturating_add(segment.text.len()),
        }
    }
    u32::try_from(tokens.saturating_add(bytes.div_ceil(BYTES_PER_TOKEN))).unwrap_or(u32::MAX)
}
