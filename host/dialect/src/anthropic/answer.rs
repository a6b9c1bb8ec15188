//! A target's answer, read.

use std::collections::HashMap;

use ringfence_chat::sse::SseEvent;
use ringfence_chat::{Chunk, Dialect, Event, FinishReason, Original, TextKind, Usage};
use serde_json::{Map, Value};

use crate::fault::Fault;

/// Content blocks of one answer at most.
const BLOCKS: usize = 4096;

/// Types of failures that the house knows.
const KNOWN_CODES: &[&str] = &[
    "request_too_large",
    "rate_limit_error",
    "overloaded_error",
    "authentication_error",
    "permission_error",
    "billing_error",
    "not_found_error",
    "timeout_error",
    "invalid_request_error",
    "api_error",
];

/// The known type of an error body. A prompt that is too long has no type of its own.
pub(crate) fn known_code(body: &Value) -> Option<&'static str> {
    let error = body.get("error")?;
    let message = error.get("message").and_then(Value::as_str).unwrap_or("");
    if message.starts_with("prompt is too long") {
        return Some("prompt_too_long");
    }
    let code = error.get("type")?.as_str()?;
    KNOWN_CODES.iter().copied().find(|known| *known == code)
}

/// Reads the events of one stream. There is one choice; tool calls are numbered apart
/// from other blocks.
#[derive(Default)]
pub(crate) struct StreamReader {
    started: bool,
    finished: bool,
    done: bool,
    usage: Usage,
    /// Blocks that are open, by their index.
    blocks: HashMap<u64, Block>,
    opened: usize,
    calls: u32,
}

/// An open block, as far as it matters.
#[derive(Clone, Copy)]
enum Block {
    Call {
        index: u32,
        /// True once a piece of the arguments came.
        spoken: bool,
    },
    Other,
}

impl StreamReader {
    /// True after the event that ends the stream.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Reads one event.
    pub fn event(&mut self, event: SseEvent) -> Result<Option<Chunk>, Fault> {
        let body: Value = serde_json::from_str(&event.data).map_err(|_| Fault::Malformed)?;
        let kind = body.get("type").and_then(Value::as_str).ok_or(Fault::Malformed)?;
        let mut events = Vec::new();
        match kind {
            "error" => return Err(Fault::Reported(known_code(&body))),
            "message_start" if self.started => return Err(Fault::Malformed),
            "message_start" => {
                self.started = true;
                let message = body.get("message").ok_or(Fault::Malformed)?;
                events.push(start(message));
                events.extend(self.told(message));
            }
            "content_block_start" | "content_block_delta" | "content_block_stop"
                if !self.started || self.finished =>
            {
                return Err(Fault::Malformed);
            }
            "content_block_start" => events.extend(self.opened(&body)?),
            "content_block_delta" => events.extend(self.delta(&body)?),
            "content_block_stop" => self.closed(&body, &mut events)?,
            "message_delta" => {
                let reason = body.pointer("/delta/stop_reason").and_then(Value::as_str);
                if let Some(reason) = reason
                    && !std::mem::replace(&mut self.finished, true)
                {
                    events.push(Event::Finish { choice: 0, reason: finish_reason(reason) });
                }
                events.extend(self.told(&body));
            }
            "message_stop" if self.finished => self.done = true,
            "message_stop" => return Err(Fault::Truncated),
            // Pings, and what is newer than this reader.
            _ => {}
        }
        let original = Original {
            dialect: Dialect::AnthropicMessages,
            event: Some(kind.to_owned()),
            body,
            whole: false,
        };
        Ok(Some(Chunk { events, original: Some(original) }))
    }

    fn opened(&mut self, body: &Value) -> Result<Option<Event>, Fault> {
        let (index, block) = (block_index(body)?, body.get("content_block"));
        let block = block.and_then(Value::as_object).ok_or(Fault::Malformed)?;
        self.opened += 1;
        if self.opened > BLOCKS {
            return Err(Fault::TooLarge);
        }
        let (state, event) = match block.get("type").and_then(Value::as_str) {
            Some("tool_use") => {
                let call = self.calls;
                self.calls += 1;
                let place = Some("/content_block".to_owned());
                // Some servers say the whole input here.
                let input = block
                    .get("input")
                    .filter(|input| input.as_object().is_some_and(|members| !members.is_empty()));
                let arguments = input.map(Value::to_string).unwrap_or_default();
                let spoken = !arguments.is_empty();
                let event = call_event(block, call, arguments, place);
                (Block::Call { index: call, spoken }, Some(event))
            }
            Some("text") => (Block::Other, text(block, "text", TextKind::Answer, "/content_block")),
            // The signature comes last, when the text has long gone to the client.
            Some("thinking") => {
                let place = "/content_block";
                (Block::Other, text(block, "thinking", TextKind::SignedReasoning, place))
            }
            _ => (Block::Other, None),
        };
        self.blocks.insert(index, state);
        Ok(event)
    }

    fn delta(&mut self, body: &Value) -> Result<Option<Event>, Fault> {
        let index = block_index(body)?;
        let block = self.blocks.get_mut(&index).ok_or(Fault::Malformed)?;
        let delta = body.get("delta").and_then(Value::as_object).ok_or(Fault::Malformed)?;
        Ok(match (delta.get("type").and_then(Value::as_str), block) {
            (Some("text_delta"), _) => text(delta, "text", TextKind::Answer, "/delta"),
            (Some("thinking_delta"), _) => {
                text(delta, "thinking", TextKind::SignedReasoning, "/delta")
            }
            (Some("input_json_delta"), Block::Call { index, spoken }) => {
                let json = delta.get("partial_json").and_then(Value::as_str).unwrap_or("");
                *spoken |= !json.is_empty();
                Some(Event::ToolCall {
                    choice: 0,
                    index: *index,
                    id: None,
                    name: None,
                    arguments: json.to_owned(),
                    place: Some("/delta/partial_json".to_owned()),
                })
            }
            _ => None,
        })
    }

    /// A call without a piece of arguments is one with none: `{}`.
    fn closed(&mut self, body: &Value, events: &mut Vec<Event>) -> Result<(), Fault> {
        let closed = self.blocks.remove(&block_index(body)?).ok_or(Fault::Malformed)?;
        if let Block::Call { index, spoken: false } = closed {
            events.push(Event::ToolCall {
                choice: 0,
                index,
                id: None,
                name: None,
                arguments: "{}".to_owned(),
                place: None,
            });
        }
        events.push(Event::Pause { choice: 0 });
        Ok(())
    }

    /// Usage comes in parts: what was read with the first event, what was written with
    /// the last.
    fn told(&mut self, body: &Value) -> Option<Event> {
        let usage = body.get("usage")?.as_object()?;
        add(&mut self.usage, usage);
        Some(Event::Usage(self.usage))
    }
}

/// Reads a whole answer.
pub(crate) fn read_whole(bytes: &[u8]) -> Result<Chunk, Fault> {
    let body: Value = serde_json::from_slice(bytes)
        .map_err(|error| if error.is_eof() { Fault::Truncated } else { Fault::Malformed })?;
    if body.get("type").is_some_and(|kind| kind == "error") {
        return Err(Fault::Reported(known_code(&body)));
    }
    let blocks = body.get("content").and_then(Value::as_array).ok_or(Fault::Malformed)?;
    if blocks.len() > BLOCKS {
        return Err(Fault::TooLarge);
    }
    let mut events = vec![start(&body)];
    let mut calls = 0;
    for (position, block) in blocks.iter().enumerate() {
        let Value::Object(block) = block else { return Err(Fault::Malformed) };
        let pointer = format!("/content/{position}");
        match block.get("type").and_then(Value::as_str) {
            Some("text") => events.extend(text(block, "text", TextKind::Answer, &pointer)),
            Some("thinking") => {
                let signature = block.get("signature").and_then(Value::as_str).unwrap_or("");
                let kind = match signature {
                    "" => TextKind::Reasoning,
                    _ => TextKind::SignedReasoning,
                };
                events.extend(text(block, "thinking", kind, &pointer));
            }
            Some("tool_use") => {
                let input = block.get("input").filter(|input| !input.is_null());
                let arguments = input.map_or_else(|| "{}".to_owned(), Value::to_string);
                let place = Some(format!("{pointer}/input"));
                events.push(call_event(block, calls, arguments, place));
                calls += 1;
            }
            _ => {}
        }
    }
    let reason = body.get("stop_reason").and_then(Value::as_str).ok_or(Fault::Malformed)?;
    events.push(Event::Finish { choice: 0, reason: finish_reason(reason) });
    if let Some(told) = body.get("usage").and_then(Value::as_object) {
        let mut usage = Usage::default();
        add(&mut usage, told);
        events.push(Event::Usage(usage));
    }
    let original = Original { dialect: Dialect::AnthropicMessages, event: None, body, whole: true };
    Ok(Chunk { events, original: Some(original) })
}

fn start(message: &Value) -> Event {
    let text = |name: &str| {
        let text = message.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.map(str::to_owned)
    };
    Event::Start { id: text("id"), model: text("model") }
}

fn block_index(body: &Value) -> Result<u64, Fault> {
    body.get("index").and_then(Value::as_u64).ok_or(Fault::Malformed)
}

fn text(block: &Map<String, Value>, name: &str, kind: TextKind, pointer: &str) -> Option<Event> {
    let text = block.get(name)?.as_str().filter(|text| !text.is_empty())?;
    let place = Some(format!("{pointer}/{name}"));
    Some(Event::Text { choice: 0, kind, text: text.to_owned(), place })
}

fn call_event(
    block: &Map<String, Value>,
    index: u32,
    arguments: String,
    place: Option<String>,
) -> Event {
    let text = |name: &str| block.get(name).and_then(Value::as_str).map(str::to_owned);
    Event::ToolCall { choice: 0, index, id: text("id"), name: text("name"), arguments, place }
}

/// Why an answer ended. A word that nobody here knows counts as the usual end.
pub(crate) fn finish_reason(word: &str) -> FinishReason {
    match word {
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::ContentFilter,
        _ => FinishReason::Stop,
    }
}

/// Puts what `told` holds into `usage`. Anthropic counts tokens from and for its cache
/// apart from other input; the house counts them in.
fn add(usage: &mut Usage, told: &Map<String, Value>) {
    let number = |name: &str| {
        let number = told.get(name).and_then(Value::as_u64)?;
        Some(u32::try_from(number).unwrap_or(u32::MAX))
    };
    if let Some(fresh) = number("input_tokens") {
        let read = number("cache_read_input_tokens").unwrap_or(0);
        let written = number("cache_creation_input_tokens").unwrap_or(0);
        usage.input = fresh.saturating_add(read).saturating_add(written);
        usage.cached = read;
    }
    if let Some(output) = number("output_tokens") {
        usage.output = output;
    }
}
