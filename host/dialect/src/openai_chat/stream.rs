//! A target's streamed answer, read.

use std::collections::{BTreeSet, HashMap};

use ringfence_chat::sse::SseEvent;
use ringfence_chat::{Chunk, Dialect, Event, Original};
use serde_json::{Map, Value};

use super::reading::{finish_reason, is_error, known_code, start, texts, usage};
use crate::encoder::object_at;
use crate::fault::Fault;

/// Tool calls of one choice at most.
pub(crate) const TOOL_CALLS: u32 = 1024;

/// Reads the events of one stream.
///
/// What servers get wrong is put right in the original too, so that a client of the
/// same dialect sees it right: tool calls are numbered from 0 without gaps in the order
/// in which they appear, and each has text for arguments.
pub(crate) struct StreamReader {
    choices: u32,
    started: bool,
    /// True once a choice appeared: an end without any is no answer.
    spoken: bool,
    done: bool,
    finished: BTreeSet<u32>,
    calls: Calls,
}

impl StreamReader {
    pub fn new(choices: u32) -> StreamReader {
        StreamReader {
            choices: choices.max(1),
            started: false,
            spoken: false,
            done: false,
            finished: BTreeSet::new(),
            calls: Calls::default(),
        }
    }

    /// True after the event that ends the stream.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// True when every choice has ended: some servers then just close the connection.
    pub fn may_end(&self) -> bool {
        self.finished.len() >= self.choices as usize
    }

    /// Reads one event.
    pub fn event(&mut self, event: &SseEvent) -> Result<Option<Chunk>, Fault> {
        if event.data.trim() == "[DONE]" {
            if !self.spoken {
                return Err(Fault::Malformed);
            }
            self.done = true;
            return Ok(None);
        }
        let mut body: Value = serde_json::from_str(&event.data).map_err(|_| Fault::Malformed)?;
        if event.name == "error" || is_error(&body) {
            return Err(Fault::Reported(known_code(&body)));
        }
        if !body.is_object() {
            return Err(Fault::Malformed);
        }
        let mut events = Vec::new();
        // Some servers begin with a chunk that bears neither id nor model.
        if !self.started {
            let said = start(&body);
            self.started = !matches!(said, Event::Start { id: None, model: None });
            events.extend(self.started.then_some(said));
        }
        let told = usage(&body);
        match body.get_mut("choices") {
            Some(Value::Array(choices)) => {
                for (position, choice) in choices.iter_mut().enumerate() {
                    self.choice(position, choice, &mut events)?;
                }
            }
            None | Some(Value::Null) if told.is_some() => {}
            // Neither text nor numbers: nothing that the format defines.
            None | Some(Value::Null) => return Ok(None),
            Some(_) => return Err(Fault::Malformed),
        }
        events.extend(told.map(Event::Usage));
        let original = Original { dialect: Dialect::OpenAiChat, event: None, body, whole: false };
        Ok(Some(Chunk { events, original: Some(original) }))
    }

    fn choice(
        &mut self,
        position: usize,
        value: &mut Value,
        events: &mut Vec<Event>,
    ) -> Result<(), Fault> {
        let choice = index_of(value, position).filter(|&index| index < self.choices);
        let choice = choice.ok_or(Fault::Malformed)?;
        self.spoken = true;
        let pointer = format!("/choices/{position}/delta");
        match value.get_mut("delta") {
            Some(delta @ Value::Object(_)) => {
                texts(delta, choice, &pointer, events);
                self.calls.read(delta, choice, &pointer, events)?;
            }
            None | Some(Value::Null) => {}
            Some(_) => return Err(Fault::Malformed),
        }
        if let Some(word) = value.get("finish_reason").and_then(Value::as_str)
            && !word.is_empty()
            && self.finished.insert(choice)
        {
            events.push(Event::Finish { choice, reason: finish_reason(word) });
        }
        Ok(())
    }
}

/// The `index` of a choice or a call; its position where it has none.
pub(crate) fn index_of(value: &Value, position: usize) -> Option<u32> {
    let index = match value.get("index") {
        None | Some(Value::Null) => position as u64,
        Some(index) => index.as_u64()?,
    };
    u32::try_from(index).ok()
}

/// The tool calls of an answer so far.
#[derive(Default)]
pub(crate) struct Calls {
    /// By choice and by the number that the server gives.
    known: HashMap<(u32, u32), Call>,
    /// How many each choice has.
    counts: HashMap<u32, u32>,
    /// True for a whole answer, in which calls bear no numbers.
    whole: bool,
}

struct Call {
    index: u32,
    id: Option<String>,
    named: bool,
}

impl Calls {
    /// The calls of a whole answer.
    pub fn of_whole() -> Calls {
        Calls { whole: true, ..Calls::default() }
    }

    /// Reads the calls of a message or a delta that stands at `pointer`.
    pub fn read(
        &mut self,
        said: &mut Value,
        choice: u32,
        pointer: &str,
        events: &mut Vec<Event>,
    ) -> Result<(), Fault> {
        if let Some(Value::Array(calls)) = said.get_mut("tool_calls") {
            for (position, call) in calls.iter_mut().enumerate() {
                let pointer = format!("{pointer}/tool_calls/{position}");
                events.push(self.call(call, choice, position, &pointer)?);
            }
        }
        // The form that calls had before 2023-11: one call, without an id.
        if let Some(Value::Object(call)) = said.get_mut("function_call") {
            let arguments = text_of(call, "arguments");
            events.push(Event::ToolCall {
                choice,
                index: 0,
                id: None,
                name: call.get("name").and_then(Value::as_str).map(str::to_owned),
                arguments,
                place: Some(format!("{pointer}/function_call/arguments")),
            });
        }
        Ok(())
    }

    fn call(
        &mut self,
        value: &mut Value,
        choice: u32,
        position: usize,
        pointer: &str,
    ) -> Result<Event, Fault> {
        let given = index_of(value, position).ok_or(Fault::Malformed)?;
        let Value::Object(call) = value else { return Err(Fault::Malformed) };
        let id = call.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
        let id = id.map(str::to_owned);
        let (what, text) = if call.contains_key("custom") {
            ("custom", "input")
        } else {
            ("function", "arguments")
        };
        let body = object_at(call, what);
        let arguments = text_of(body, text);
        let name = body.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        let name = name.map(str::to_owned);
        let known = self.known.get(&(choice, given));
        // A server that numbers every call 0 tells them apart by their ids.
        let is_new = match known.map(|call| &call.id) {
            None => true,
            Some(Some(old)) => id.as_ref().is_some_and(|id| id != old),
            Some(None) => false,
        };
        if is_new {
            let count = self.counts.entry(choice).or_default();
            if *count >= TOOL_CALLS {
                return Err(Fault::TooLarge);
            }
            let fresh = Call { index: *count, id: None, named: false };
            *count += 1;
            self.known.insert((choice, given), fresh);
        }
        let Some(known) = self.known.get_mut(&(choice, given)) else {
            return Err(Fault::Malformed);
        };
        if !self.whole {
            call.insert("index".to_owned(), Value::from(known.index));
        }
        let id = if known.id.is_none() { id } else { None };
        if id.is_some() {
            known.id.clone_from(&id);
        }
        let name = name.filter(|_| !std::mem::replace(&mut known.named, true));
        Ok(Event::ToolCall {
            choice,
            index: known.index,
            id,
            name,
            arguments,
            place: Some(format!("{pointer}/{what}/{text}")),
        })
    }
}

/// The text of the member `name`, which becomes a string if it was none: some servers
/// leave arguments out, or give them as JSON and not as text.
fn text_of(body: &mut Map<String, Value>, name: &str) -> String {
    let text = match body.get(name) {
        Some(Value::String(text)) => return text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    };
    body.insert(name.to_owned(), Value::from(text.as_str()));
    text
}
