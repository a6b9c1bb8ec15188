//! A client's request, read.

use ringfence_chat::{Dialect, Request, Role, Sampling, Turn};
use serde_json::Value;

use super::blocks::content;
use super::messages::Messages;
use super::parameters::{self, Parameters};
use super::tools;
use crate::asked::Asked;
use crate::body::{missing, parse};
use crate::estimate::estimate;
use crate::fault::Malformed;
use crate::walk::Walk;

/// Reads a request.
pub(crate) fn decode_request(id: String, bytes: &[u8]) -> Result<Request, Malformed> {
    let request = read(id, bytes)?;
    if request.sampling.max_tokens.is_none() {
        return Err(missing("max_tokens", "a limit of tokens is required"));
    }
    Ok(request)
}

/// Reads a request that nobody is to answer: it may lack what only says how.
pub(crate) fn decode_prompt(bytes: &[u8]) -> Result<Request, Malformed> {
    read(String::new(), bytes)
}

/// System prompts stand outside the messages, and before them: there they are the first
/// turn, so that each message is one later.
fn read(id: String, bytes: &[u8]) -> Result<Request, Malformed> {
    let body = parse(bytes)?;
    let Value::Object(map) = &body else {
        return Err(Malformed::new("the body must be a JSON object"));
    };
    let first = usize::from(map.get("system").is_some_and(|system| !system.is_null()));
    let count = map.get("messages").and_then(Value::as_array).map_or(0, Vec::len) + first;
    let mut walk = Walk::new(u32::try_from(count).unwrap_or(u32::MAX));
    let mut asked = Asked::default();
    let mut parameters = Parameters::default();
    let mut turns = Vec::new();
    let mut heard = Messages::default();
    let mut declared = Vec::new();
    let mut stop = Vec::new();
    for (name, value) in map {
        walk.at(name, |walk| match name.as_str() {
            "messages" => heard.read(walk, value, first, &mut asked),
            "system" if first == 1 => {
                turns.push(system(walk, value, &mut asked)?);
                Ok(())
            }
            "tools" => {
                declared = tools::read(walk, value, &mut asked)?;
                Ok(())
            }
            "tool_choice" => tools::choice(walk, value, &mut asked),
            "stop_sequences" => {
                stop = parameters::stop(walk, value)?;
                Ok(())
            }
            other => parameters.read(walk, other, value, &mut asked),
        })?;
    }
    if heard.turns.is_empty() {
        return Err(missing("messages", "at least one message is required"));
    }
    turns.append(&mut heard.turns);
    let Some(model) = parameters.model else {
        return Err(missing("model", "the name of a model is required"));
    };
    let input_tokens = estimate(&walk, turns.len());
    let mut request = Request::new(id, Dialect::AnthropicMessages, body, walk.into_segments());
    request.model = model;
    request.streamed = parameters.streamed;
    request.wants_usage = true;
    request.turns = turns;
    request.tools = declared;
    request.sampling = Sampling { stop, choices: 1, ..parameters.sampling };
    asked.into_request(&mut request);
    request.input_tokens = input_tokens;
    Ok(request)
}

/// The system prompt: a string, or blocks of text.
fn system(walk: &mut Walk, value: &Value, asked: &mut Asked) -> Result<Turn, Malformed> {
    let outside = (walk.turn, walk.role);
    (walk.turn, walk.role) = (0, Role::System);
    let mut turn = Turn { role: Role::System, name: None, parts: Vec::new() };
    let read = content(walk, value, &mut turn.parts, asked);
    (walk.turn, walk.role) = outside;
    read.map(|()| turn)
}

#[cfg(test)]
mod tests;
