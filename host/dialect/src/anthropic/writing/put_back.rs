//! What a target of the same dialect said, with the texts of its events put back.
//!
//! A text or a call that no event holds is taken out; everything that nobody here knows
//! stays.

use std::collections::HashMap;

use ringfence_chat::Event;
use serde_json::{Map, Value};

use super::{Open, Writer, sse};
use crate::anthropic::answer::finish_reason;
use crate::anthropic::gathering::input;
use crate::encoder::object_at;

impl Writer {
    /// An event of a stream that came in this dialect.
    pub(super) fn original(&mut self, mut body: Value, events: Vec<Event>, out: &mut Vec<u8>) {
        let kind = body.get("type").and_then(Value::as_str).unwrap_or("").to_owned();
        let Value::Object(map) = &mut body else { return };
        let finished = events.iter().any(|event| matches!(event, Event::Finish { choice: 0, .. }));
        // What was added to a chunk comes before it: it may hold the block's end.
        let (mut placed, added) = split(events);
        for event in added {
            self.made(event, out);
        }
        let written = match kind.as_str() {
            "message_start" => {
                self.started = true;
                true
            }
            // The end is written when the stream is known to be complete.
            "message_stop" => false,
            _ if !self.started => false,
            "content_block_start" => self.opened(map, &mut placed, out),
            "content_block_delta" => self.went_on(map, &mut placed, out),
            "content_block_stop" => self.closed(map),
            "message_delta" => {
                self.ended(map, finished, out);
                true
            }
            _ => true,
        };
        if written {
            sse::write(Some(&kind), &body.to_string(), out);
        }
    }

    fn opened(
        &mut self,
        map: &mut Map<String, Value>,
        placed: &mut HashMap<String, Event>,
        out: &mut Vec<u8>,
    ) -> bool {
        let Some(theirs) = map.get("index").and_then(Value::as_u64) else { return false };
        let block = object_at(map, "content_block");
        let what = match block.get("type").and_then(Value::as_str) {
            Some("text") => {
                put(block, "text", placed.remove("/content_block/text"));
                Open::Text
            }
            Some("thinking") => {
                put(block, "thinking", placed.remove("/content_block/thinking"));
                Open::Thinking
            }
            Some("tool_use") => match placed.remove(CALL) {
                Some(Event::ToolCall { index, arguments, .. }) => {
                    block.insert("input".to_owned(), input(&arguments));
                    Open::Call(index)
                }
                _ => {
                    self.theirs.insert(theirs, None);
                    return false;
                }
            },
            _ => Open::Other,
        };
        self.close(out);
        let index = self.number(what);
        self.theirs.insert(theirs, Some(index));
        map.insert("index".to_owned(), Value::from(index));
        true
    }

    fn went_on(
        &mut self,
        map: &mut Map<String, Value>,
        placed: &mut HashMap<String, Event>,
        out: &mut Vec<u8>,
    ) -> bool {
        let Some(index) = self.numbered(map) else { return false };
        map.insert("index".to_owned(), Value::from(index));
        let open = self.open.filter(|(open, _)| *open == index).map(|(_, what)| what);
        let delta = object_at(map, "delta");
        let name = match (delta.get("type").and_then(Value::as_str), open) {
            (Some("text_delta"), _) => "text",
            (Some("thinking_delta"), _) => "thinking",
            // What the provider's own tools are called with is nobody's text.
            (Some("input_json_delta"), Some(Open::Other)) => return true,
            (Some("input_json_delta"), _) => "partial_json",
            _ => return open.is_some(),
        };
        let event = placed.remove(&format!("/delta/{name}"));
        if open.is_none() {
            // Its block was closed for another one.
            event.into_iter().for_each(|event| self.made(event, out));
            return false;
        }
        put(delta, name, event);
        delta.get(name).is_some_and(|text| text != "")
    }

    fn closed(&mut self, map: &mut Map<String, Value>) -> bool {
        let Some(index) = self.numbered(map) else { return false };
        map.insert("index".to_owned(), Value::from(index));
        // A block that was closed for another one is not closed again.
        let open = self.open.is_some_and(|(open, _)| open == index);
        if open {
            self.open = None;
        }
        open
    }

    fn ended(&mut self, map: &mut Map<String, Value>, finished: bool, out: &mut Vec<u8>) {
        self.finish(out);
        let words = self.stop_reason();
        let reason = self.reason;
        let delta = object_at(map, "delta");
        let told = delta.get("stop_reason").and_then(Value::as_str);
        let word = match (finished && !self.told, told) {
            (false, _) => Value::Null,
            (true, Some(word)) if reason == Some(finish_reason(word)) => Value::from(word),
            (true, _) => Value::from(words),
        };
        self.told |= !word.is_null();
        delta.insert("stop_reason".to_owned(), word);
        let output = Value::from(self.usage.output);
        object_at(map, "usage").entry("output_tokens").or_insert(output);
    }

    /// Our number of the block that an event is about.
    fn numbered(&self, map: &Map<String, Value>) -> Option<u32> {
        self.theirs.get(&map.get("index")?.as_u64()?).copied().flatten()
    }

    /// A whole answer that came in this dialect.
    pub(super) fn whole_original(mut self, mut body: Value, events: Vec<Event>) -> Value {
        let (mut placed, added) = split(events);
        self.calls.extend(placed.values().chain(&added).filter_map(|event| match event {
            Event::ToolCall { index, .. } => Some(*index),
            _ => None,
        }));
        let mut position = 0;
        if let Some(Value::Array(blocks)) = body.get_mut("content") {
            blocks.retain_mut(|block| {
                let place = format!("/content/{position}");
                position += 1;
                let Value::Object(block) = block else { return false };
                let name = match block.get("type").and_then(Value::as_str) {
                    Some("text") => "text",
                    Some("thinking") => "thinking",
                    Some("tool_use") => {
                        let call = placed.remove(&format!("{place}/input"));
                        let Some(Event::ToolCall { arguments, .. }) = call else { return false };
                        block.insert("input".to_owned(), input(&arguments));
                        return true;
                    }
                    _ => return true,
                };
                put(block, name, placed.remove(&format!("{place}/{name}")));
                true
            });
        }
        let reason = self.stop_reason();
        let same = |word: &str| self.reason == Some(finish_reason(word));
        if let Value::Object(map) = &mut body {
            if !map.get("stop_reason").and_then(Value::as_str).is_some_and(same) {
                map.insert("stop_reason".to_owned(), Value::from(reason));
            }
            for (name, value) in self.frame() {
                map.entry(name).or_insert(value);
            }
            let usage = self.usage_json();
            map.entry("usage").or_insert(usage);
        }
        body
    }
}

/// Where the beginning of a call stands, which has no text of its own.
const CALL: &str = "/content_block";

/// Events by their places, and those without one.
fn split(events: Vec<Event>) -> (HashMap<String, Event>, Vec<Event>) {
    let (mut placed, mut added) = (HashMap::new(), Vec::new());
    for event in events {
        match &event {
            Event::Text { place: Some(place), .. } | Event::ToolCall { place: Some(place), .. } => {
                placed.insert(place.clone(), event);
            }
            Event::Text { .. } | Event::ToolCall { .. } => added.push(event),
            _ => {}
        }
    }
    (placed, added)
}

/// The text of an event as the member `name`; an empty one where there is none.
fn put(map: &mut Map<String, Value>, name: &str, event: Option<Event>) {
    let text = match event {
        Some(Event::Text { text, .. }) => text,
        Some(Event::ToolCall { arguments, .. }) => arguments,
        _ => String::new(),
    };
    map.insert(name.to_owned(), Value::from(text));
}
