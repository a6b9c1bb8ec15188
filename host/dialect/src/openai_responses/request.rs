//! A client's request, read.

use ringfence_chat::{Dialect, Kind, Part, Request, Role, Sampling, Turn};
use serde_json::Value;

use super::items::{Items, turns_of};
use super::parameters::Parameters;
use super::tools;
use crate::asked::Asked;
use crate::body::{missing, parse};
use crate::estimate::estimate;
use crate::fault::Malformed;
use crate::walk::Walk;

/// Reads a request. Instructions stand outside the input, and before it: there they are
/// the first turn.
pub(crate) fn decode_request(id: String, bytes: &[u8]) -> Result<Request, Malformed> {
    let body = parse(bytes)?;
    let Value::Object(map) = &body else {
        return Err(Malformed::new("the body must be a JSON object"));
    };
    let first = u32::from(map.get("instructions").is_some_and(|text| !text.is_null()));
    let places = map.get("input").map(|input| turns_of(input, first)).unwrap_or_default();
    let count = places.last().map_or(first, |last| last + 1);
    let mut walk = Walk::new(count);
    let mut asked = Asked::default();
    let mut parameters = Parameters::default();
    let mut items = Items::default();
    let (mut turns, mut declared) = (Vec::new(), Vec::new());
    for (name, value) in map {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("input", value) => items.read(walk, value, &places, &mut asked),
            ("instructions", Value::Null) => Ok(()),
            ("instructions", Value::String(text)) => {
                turns.push(instructions(walk, text)?);
                Ok(())
            }
            ("instructions", _) => Err(walk.wrong("must be a string")),
            ("tools", value) => {
                declared = tools::read(walk, value, &mut asked)?;
                Ok(())
            }
            ("tool_choice", value) => tools::choice(walk, value, &mut asked),
            (other, value) => parameters.read(walk, other, value, &mut asked),
        })?;
    }
    if items.turns.is_empty() {
        return Err(missing("input", "a text or at least one item is required"));
    }
    let Some(model) = parameters.model else {
        return Err(missing("model", "the name of a model is required"));
    };
    turns.append(&mut items.turns);
    let input_tokens = estimate(&walk, turns.len());
    let mut request = Request::new(id, Dialect::OpenAiResponses, body, walk.into_segments());
    request.model = model;
    request.streamed = parameters.streamed;
    request.wants_usage = true;
    request.turns = turns;
    request.tools = declared;
    request.sampling = Sampling { choices: 1, ..parameters.sampling };
    asked.into_request(&mut request);
    request.input_tokens = input_tokens;
    Ok(request)
}

fn instructions(walk: &mut Walk, text: &str) -> Result<Turn, Malformed> {
    let outside = std::mem::replace(&mut walk.turn, 0);
    let read = walk.text(text, Kind::Text);
    walk.turn = outside;
    Ok(Turn { role: Role::System, name: None, parts: vec![Part::Text(read?)] })
}

#[cfg(test)]
mod tests;
