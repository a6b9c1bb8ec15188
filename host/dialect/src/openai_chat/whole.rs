//! A target's whole answer, read.

use ringfence_chat::{Chunk, Dialect, Event, Original};
use serde_json::Value;

use super::reading::{finish_reason, is_error, known_code, start, texts, usage};
use super::stream::{Calls, index_of};
use crate::fault::Fault;

/// Reads a whole answer with at most so many choices.
pub(crate) fn read_whole(bytes: &[u8], choices: u32) -> Result<Chunk, Fault> {
    let mut body: Value = serde_json::from_slice(bytes)
        .map_err(|error| if error.is_eof() { Fault::Truncated } else { Fault::Malformed })?;
    if is_error(&body) {
        return Err(Fault::Reported(known_code(&body)));
    }
    let mut events = vec![start(&body)];
    let told = usage(&body);
    let Some(Value::Array(items)) = body.get_mut("choices") else { return Err(Fault::Malformed) };
    if items.is_empty() {
        return Err(Fault::Malformed);
    }
    let mut calls = Calls::of_whole();
    for (position, item) in items.iter_mut().enumerate() {
        let choice = index_of(item, position).filter(|&index| index < choices.max(1));
        let choice = choice.ok_or(Fault::Malformed)?;
        let reason = item.get("finish_reason").and_then(Value::as_str).unwrap_or("stop");
        let reason = finish_reason(reason);
        let Some(message @ Value::Object(_)) = item.get_mut("message") else {
            return Err(Fault::Malformed);
        };
        let pointer = format!("/choices/{position}/message");
        texts(message, choice, &pointer, &mut events);
        calls.read(message, choice, &pointer, &mut events)?;
        events.push(Event::Finish { choice, reason });
    }
    events.extend(told.map(Event::Usage));
    let original = Original { dialect: Dialect::OpenAiChat, event: None, body, whole: true };
    Ok(Chunk { events, original: Some(original) })
}
