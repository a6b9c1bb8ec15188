//! The texts of events, put back into the JSON that they came in.

use std::collections::{BTreeMap, HashMap};

use ringfence_chat::{Event, FinishReason};
use serde_json::{Map, Value};

use super::reading::{finish_reason, is_said_twice, texts};
use super::stream::index_of;
use super::writing::Choice;
use crate::encoder::call_id;

/// Where a choice says what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// In an event of a stream.
    Delta,
    /// In a whole answer.
    Message,
}

impl Said {
    fn member(self) -> &'static str {
        match self {
            Said::Delta => "delta",
            Said::Message => "message",
        }
    }
}

/// Makes `body` say what `events` say and nothing else: a text, a call or an end that
/// no event holds is taken out. Gives back the events that have no place in it.
///
/// `choices` tells what the client knows already; `answer` makes ids of calls.
pub(crate) fn put_back(
    body: &mut Value,
    events: Vec<Event>,
    said: Said,
    choices: &mut BTreeMap<u32, Choice>,
    answer: &str,
) -> Vec<Event> {
    let mut placed: HashMap<String, Event> = HashMap::new();
    let mut ends: BTreeMap<u32, FinishReason> = BTreeMap::new();
    for event in events {
        match event {
            Event::Start { .. } | Event::Pause { .. } | Event::Usage(_) | Event::Vector { .. } => {}
            Event::Finish { choice, reason } => {
                ends.insert(choice, reason);
            }
            Event::Text { place: Some(ref place), .. }
            | Event::ToolCall { place: Some(ref place), .. } => {
                placed.insert(place.clone(), event);
            }
            Event::Text { .. } | Event::ToolCall { .. } => {}
        }
    }
    let items = body.get_mut("choices").and_then(Value::as_array_mut);
    for (position, item) in items.into_iter().flatten().enumerate() {
        let Some(choice) = index_of(item, position) else { continue };
        let Value::Object(item) = item else { continue };
        item.insert("index".to_owned(), Value::from(choice));
        let state = choices.entry(choice).or_default();
        let member = said.member();
        let pointer = format!("/choices/{position}/{member}");
        let message = item.entry(member).or_insert(Value::Null);
        if !message.is_object() {
            *message = Value::Object(Map::new());
        }
        let mut take = |place: String| placed.remove(&place);
        put_texts(message, choice, &pointer, &mut take);
        if let Value::Object(message) = message {
            let ids = |index| call_id(answer, choice, index);
            put_calls(message, said, &pointer, state, ids, &mut take);
            put_role(message, said, state);
        }
        put_end(item, said, state, ends.remove(&choice));
    }
    let ends = ends.into_iter().map(|(choice, reason)| Event::Finish { choice, reason });
    placed.into_values().chain(ends).collect()
}

fn put_texts(
    message: &mut Value,
    choice: u32,
    pointer: &str,
    take: &mut impl FnMut(String) -> Option<Event>,
) {
    let twice = is_said_twice(message);
    let mut places = Vec::new();
    texts(message, choice, "", &mut places);
    for event in places {
        let Event::Text { place: Some(place), .. } = event else { continue };
        let text = match take(format!("{pointer}{place}")) {
            Some(Event::Text { text, .. }) => text,
            _ => String::new(),
        };
        if let Some(slot) = message.pointer_mut(&place) {
            *slot = Value::from(text);
        }
    }
    if twice {
        message["reasoning"] = message["reasoning_content"].clone();
    }
}

fn put_calls(
    message: &mut Map<String, Value>,
    said: Said,
    pointer: &str,
    state: &mut Choice,
    ids: impl Fn(u32) -> String,
    take: &mut impl FnMut(String) -> Option<Event>,
) {
    if let Some(Value::Array(calls)) = message.get_mut("tool_calls") {
        let mut position = 0;
        calls.retain_mut(|call| {
            let place = format!("{pointer}/tool_calls/{position}");
            position += 1;
            let Value::Object(call) = call else { return false };
            for (what, text) in [("function", "arguments"), ("custom", "input")] {
                if let Some(event) = take(format!("{place}/{what}/{text}")) {
                    return put_call(call, said, what, text, event, state, &ids);
                }
            }
            false
        });
        if calls.is_empty() {
            message.shift_remove("tool_calls");
        }
    }
    if let Some(call) = message.get_mut("function_call").filter(|call| call.is_object()) {
        state.legacy = true;
        let text = match take(format!("{pointer}/function_call/arguments")) {
            Some(Event::ToolCall { arguments, .. }) => arguments,
            _ => String::new(),
        };
        call["arguments"] = Value::from(text);
    }
}

/// Writes one call. In a stream its id, its type and its name stand in its first delta
/// and nowhere else: clients append what comes twice.
fn put_call(
    call: &mut Map<String, Value>,
    said: Said,
    what: &str,
    text: &str,
    event: Event,
    state: &mut Choice,
    ids: &impl Fn(u32) -> String,
) -> bool {
    let Event::ToolCall { index, id, name, arguments, .. } = event else { return false };
    let is_new = state.begin_call(index);
    if is_new {
        let id = id.unwrap_or_else(|| ids(index));
        call.insert("id".to_owned(), Value::from(id));
        call.insert("type".to_owned(), Value::from(what));
    } else {
        call.shift_remove("id");
        call.shift_remove("type");
    }
    if said == Said::Delta {
        call.insert("index".to_owned(), Value::from(index));
    }
    if let Some(Value::Object(body)) = call.get_mut(what) {
        match name.or(is_new.then(String::new)) {
            Some(name) => body.insert("name".to_owned(), Value::from(name)),
            None => body.shift_remove("name"),
        };
        body.insert(text.to_owned(), Value::from(arguments));
    }
    true
}

/// The role stands in a choice's first delta and nowhere else.
fn put_role(message: &mut Map<String, Value>, said: Said, state: &mut Choice) {
    if std::mem::replace(&mut state.begun, true) && said == Said::Delta {
        message.shift_remove("role");
    } else {
        message.insert("role".to_owned(), Value::from("assistant"));
    }
}

/// A choice ends once, in the target's own word where it means the same.
fn put_end(
    item: &mut Map<String, Value>,
    said: Said,
    state: &mut Choice,
    reason: Option<FinishReason>,
) {
    let word = item.get("finish_reason").and_then(Value::as_str).filter(|word| !word.is_empty());
    let reason = match reason {
        Some(_) if std::mem::replace(&mut state.finished, true) => None,
        None if said == Said::Message => Some(FinishReason::Stop),
        other => other,
    };
    let word = match (reason, word) {
        (None, _) => Value::Null,
        (Some(reason), Some(word)) if finish_reason(word) == reason => Value::from(word),
        (Some(reason), _) => Value::from(reason.name()),
    };
    item.insert("finish_reason".to_owned(), word);
}
