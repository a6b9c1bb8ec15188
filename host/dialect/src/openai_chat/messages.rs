//! The conversation.

use std::collections::HashMap;

use ringfence_chat::{Arguments, Capability, Kind, Part, Role, Turn};
use serde_json::{Map, Value};

use super::parts::content;
use crate::asked::Asked;
use crate::cache_control::cache_control;
use crate::fault::Malformed;
use crate::members::object;
use crate::walk::Walk;

/// The conversation, as far as it was read.
#[derive(Default)]
pub(crate) struct Messages {
    /// One turn per message.
    pub turns: Vec<Turn>,
    /// Names of the tools that were called, by the call's id.
    called: HashMap<String, String>,
}

/// Reads the list of messages.
pub(crate) fn read(
    walk: &mut Walk,
    value: &Value,
    asked: &mut Asked,
) -> Result<Messages, Malformed> {
    let Value::Array(items) = value else { return Err(walk.wrong("must be a list")) };
    if items.is_empty() {
        return Err(walk.wrong("at least one message is required"));
    }
    let mut messages = Messages::default();
    let outside = (walk.turn, walk.role);
    for (index, item) in items.iter().enumerate() {
        walk.turn = u32::try_from(index).unwrap_or(u32::MAX);
        let turn = walk.item(index, |walk| messages.message(walk, item, asked))?;
        messages.turns.push(turn);
    }
    (walk.turn, walk.role) = outside;
    Ok(messages)
}

impl Messages {
    fn message(
        &mut self,
        walk: &mut Walk,
        value: &Value,
        asked: &mut Asked,
    ) -> Result<Turn, Malformed> {
        let message = object(walk, value)?;
        let role = walk.at("role", |walk| role(walk, message.get("role"), asked))?;
        walk.role = role;
        walk.cached = message.get("cache_control").is_some_and(|mark| !mark.is_null());
        walk.tool = self.answered(message);
        let mut turn = Turn { role, name: None, parts: Vec::new() };
        let (mut call, mut texts) = (None, Vec::new());
        for (name, value) in message {
            walk.at(name, |walk| {
                match (name.as_str(), value) {
                    ("role", _) => {}
                    (known, Value::Null) if NULLABLE.contains(&known) => {}
                    ("content", value) if role == Role::Tool => {
                        let mut parts = Vec::new();
                        content(walk, value, role, &mut parts, asked)?;
                        for part in parts {
                            match part {
                                Part::Text(id) => texts.push(id),
                                other => turn.parts.push(other),
                            }
                        }
                    }
                    ("content", value) => content(walk, value, role, &mut turn.parts, asked)?,
                    ("name", Value::String(text)) => {
                        turn.name = Some(walk.text(text, Kind::Name)?);
                        asked.may_ignore("name");
                    }
                    ("name", _) => return Err(walk.wrong("must be a string")),
                    ("refusal", Value::String(text)) if role == Role::Assistant => {
                        turn.parts.push(Part::Refusal(walk.text(text, Kind::Text)?));
                    }
                    ("reasoning_content" | "reasoning", Value::String(text))
                        if role == Role::Assistant =>
                    {
                        turn.parts.push(Part::Reasoning(walk.text(text, Kind::Reasoning)?));
                        asked.may_ignore(name);
                    }
                    ("tool_calls", value) if role == Role::Assistant => {
                        self.calls(walk, value, &mut turn.parts, asked)?;
                    }
                    ("tool_call_id", Value::String(text)) if role == Role::Tool => {
                        call = Some(walk.text(text, Kind::Metadata)?);
                    }
                    ("tool_call_id", _) if role == Role::Tool => {
                        return Err(walk.wrong("must be a string"));
                    }
                    ("cache_control", value) => cache_control(walk, value, asked)?,
                    ("function_call", Value::Object(_)) => {
                        asked.need(Capability::Tools);
                        asked.need(Capability::UnknownContent);
                        turn.parts.push(Part::Unknown);
                        walk.rest(value, Kind::ToolCall)?;
                    }
                    ("annotations", value) => {
                        walk.rest(value, Kind::Metadata)?;
                        asked.may_ignore(name);
                    }
                    ("audio", Value::Object(_)) => {
                        // A recording that the provider keeps: its id stands for it.
                        asked.need(Capability::Audio);
                        asked.need(Capability::UnknownContent);
                        turn.parts.push(Part::Unknown);
                        walk.readable = false;
                        let read = walk.rest(value, Kind::Attachment);
                        walk.readable = true;
                        read?;
                    }
                    (other, value) => {
                        asked.may_ignore(other);
                        walk.named(other, value, Kind::Metadata)?;
                    }
                }
                Ok(())
            })?;
        }
        (walk.cached, walk.tool) = (false, None);
        if role == Role::Tool && message.get("role").and_then(Value::as_str) == Some("tool") {
            asked.need(Capability::Tools);
            let Some(call) = call else {
                return Err(walk.at("tool_call_id", |walk| walk.wrong("a tool's result needs one")));
            };
            turn.parts.insert(0, Part::ToolResult { call, texts });
        } else {
            turn.parts.extend(texts.into_iter().map(Part::Text));
        }
        mark(&turn, message.get("cache_control"), asked);
        // The order of a message's members says nothing; what is said comes before calls.
        turn.parts.sort_by_key(|part| match part {
            Part::Reasoning(_) => 0,
            Part::ToolCall { .. } => 2,
            _ => 1,
        });
        if role != Role::Assistant && message.get("content").is_none_or(Value::is_null) {
            return Err(walk.at("content", |walk| walk.wrong("a message of this role needs one")));
        }
        Ok(turn)
    }

    /// The name of the tool whose result `message` is.
    fn answered(&self, message: &Map<String, Value>) -> Option<String> {
        let call = message.get("tool_call_id")?.as_str()?;
        self.called.get(call).cloned()
    }

    fn calls(
        &mut self,
        walk: &mut Walk,
        value: &Value,
        parts: &mut Vec<Part>,
        asked: &mut Asked,
    ) -> Result<(), Malformed> {
        let Value::Array(items) = value else { return Err(walk.wrong("must be a list")) };
        for (index, item) in items.iter().enumerate() {
            asked.need(Capability::Tools);
            walk.item(index, |walk| {
                let call = object(walk, item)?;
                if call.get("type").is_none_or(|kind| kind == "function" || kind.is_null()) {
                    parts.push(self.call(walk, call, asked)?);
                    return Ok(());
                }
                asked.need(Capability::UnknownContent);
                parts.push(Part::Unknown);
                call.iter().try_for_each(|(name, value)| {
                    walk.at(name, |walk| match name.as_str() {
                        "type" => walk.word(value, &["custom"], Kind::ToolCall),
                        other => walk.named(other, value, Kind::ToolCall),
                    })
                })
            })?;
        }
        Ok(())
    }

    fn call(
        &mut self,
        walk: &mut Walk,
        call: &Map<String, Value>,
        asked: &mut Asked,
    ) -> Result<Part, Malformed> {
        let function = call.get("function").and_then(Value::as_object);
        let Some(function) = function else { return Err(walk.wrong("must have a function")) };
        let called = function.get("name").and_then(Value::as_str);
        walk.tool = called.map(str::to_owned);
        if let (Some(id), Some(called)) = (call.get("id").and_then(Value::as_str), called) {
            self.called.insert(id.to_owned(), called.to_owned());
        }
        let (mut id, mut tool, mut arguments) = (None, None, None);
        for (name, value) in call {
            walk.at(name, |walk| match (name.as_str(), value) {
                ("type", _) => Ok(()),
                ("id", Value::String(text)) => {
                    id = Some(walk.text(text, Kind::Metadata)?);
                    Ok(())
                }
                ("function", _) => function.iter().try_for_each(|(name, value)| {
                    walk.at(name, |walk| match (name.as_str(), value) {
                        ("name", Value::String(text)) => {
                            tool = Some(walk.text(text, Kind::Name)?);
                            Ok(())
                        }
                        ("arguments", Value::String(text)) => {
                            arguments = Some(walk.text(text, Kind::ToolCall)?);
                            Ok(())
                        }
                        ("name" | "arguments", _) => Err(walk.wrong("must be a string")),
                        (other, value) => {
                            asked.may_ignore(other);
                            walk.named(other, value, Kind::ToolCall)
                        }
                    })
                }),
                ("index", Value::Number(_)) => Ok(()),
                (other, value) => {
                    asked.may_ignore(other);
                    walk.named(other, value, Kind::Metadata)
                }
            })?;
        }
        walk.tool = None;
        match (id, tool, arguments) {
            (Some(id), Some(name), Some(arguments)) => {
                Ok(Part::ToolCall { id, name, arguments: Arguments::Text(arguments) })
            }
            _ => Err(walk.wrong("must have an id, and a function with a name and arguments")),
        }
    }
}

/// A mark on a message stands for one on its last part, where that has none of its own.
fn mark(turn: &Turn, mark: Option<&Value>, asked: &mut Asked) {
    let on = turn.parts.iter().rev().find_map(|part| match part {
        Part::Text(id) | Part::Refusal(id) | Part::Attachment(id) => Some(*id),
        Part::ToolResult { texts, .. } => texts.last().copied(),
        _ => None,
    });
    if let Some(on) = on.filter(|&on| asked.marks.iter().all(|known| known.on != on)) {
        asked.mark(on, mark);
    }
}

/// Members of a message that a client may send as `null`: assistants' messages come
/// back as they were received.
const NULLABLE: &[&str] = &[
    "annotations",
    "audio",
    "content",
    "function_call",
    "name",
    "reasoning",
    "reasoning_content",
    "refusal",
    "tool_calls",
];

fn role(walk: &Walk, value: Option<&Value>, asked: &mut Asked) -> Result<Role, Malformed> {
    let role = match value {
        Some(Value::String(role)) => role.as_str(),
        Some(_) => return Err(walk.wrong("must be a string")),
        None => return Err(walk.wrong("a message needs a role")),
    };
    Ok(match role {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        "function" => {
            asked.need(Capability::Tools);
            asked.need(Capability::UnknownContent);
            Role::Tool
        }
        _ => {
            let roles = "must be system, developer, user, assistant, tool or function";
            return Err(walk.wrong(roles));
        }
    })
}
