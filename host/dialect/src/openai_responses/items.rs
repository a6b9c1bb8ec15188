//! The input: a text, or items of a conversation.

use std::collections::HashMap;

use ringfence_chat::{Arguments, Capability, Kind, Part, Role, Turn};
use serde_json::{Map, Value};

use super::parts::content;
use crate::asked::Asked;
use crate::fault::Malformed;
use crate::members::object;
use crate::walk::Walk;

/// The conversation, as far as it was read.
#[derive(Default)]
pub(super) struct Items {
    /// What one side says until another one speaks is one turn: a model's reasoning, its
    /// words and its calls are items of their own here, and one message elsewhere.
    pub turns: Vec<Turn>,
    /// Names of the tools that were called, by the call's id.
    called: HashMap<String, String>,
}

/// Where an item may have been in its life.
const STATUSES: &[&str] = &["completed", "in_progress", "incomplete"];

/// Who speaks in an item; nothing for one of a kind that is not known.
fn role_of(item: &Value) -> Option<Role> {
    let word = |name: &str| item.get(name).and_then(Value::as_str);
    match word("type").unwrap_or("message") {
        "message" => match word("role")? {
            "user" => Some(Role::User),
            "assistant" => Some(Role::Assistant),
            "system" | "developer" => Some(Role::System),
            _ => None,
        },
        "function_call" | "reasoning" => Some(Role::Assistant),
        "function_call_output" => Some(Role::Tool),
        _ => None,
    }
}

/// The turn of each item, where the first one is `first`.
pub(super) fn turns_of(input: &Value, first: u32) -> Vec<u32> {
    let Some(items) = input.as_array() else { return vec![first] };
    let (mut turn, mut last) = (first, None);
    let place = |item: &Value| {
        let role = role_of(item);
        let goes_on = role == last && matches!(role, Some(Role::Assistant | Role::Tool));
        if last.is_some() && !goes_on {
            turn = turn.saturating_add(1);
        }
        last = role;
        turn
    };
    items.iter().map(place).collect()
}

impl Items {
    /// Reads the input, of whose items `places` tells the turns.
    pub fn read(
        &mut self,
        walk: &mut Walk,
        value: &Value,
        places: &[u32],
        asked: &mut Asked,
    ) -> Result<(), Malformed> {
        let outside = (walk.turn, walk.role);
        match value {
            Value::String(text) => {
                (walk.turn, walk.role) = (places.first().copied().unwrap_or(0), Role::User);
                let id = walk.text(text, Kind::Text)?;
                self.turns.push(Turn { role: Role::User, name: None, parts: vec![Part::Text(id)] });
            }
            Value::Array(items) => {
                let mut before = None;
                for (index, (item, &place)) in items.iter().zip(places).enumerate() {
                    walk.turn = place;
                    let (role, parts) = walk.item(index, |walk| self.item(walk, item, asked))?;
                    match self.turns.last_mut() {
                        Some(turn) if before == Some(place) => turn.parts.extend(parts),
                        _ => self.turns.push(Turn { role, name: None, parts }),
                    }
                    before = Some(place);
                }
            }
            _ => return Err(walk.wrong("must be a string or a list of items")),
        }
        (walk.turn, walk.role) = outside;
        // What is said stands before calls, whatever order the items came in.
        for turn in &mut self.turns {
            turn.parts.sort_by_key(|part| match part {
                Part::Reasoning(_) => 0,
                Part::ToolResult { .. } => 0,
                Part::ToolCall { .. } => 2,
                _ => 1,
            });
        }
        Ok(())
    }

    fn item(
        &mut self,
        walk: &mut Walk,
        value: &Value,
        asked: &mut Asked,
    ) -> Result<(Role, Vec<Part>), Malformed> {
        let item = object(walk, value)?;
        let kind = match item.get("type") {
            Some(Value::String(kind)) => kind.as_str(),
            None | Some(Value::Null) => "message",
            Some(_) => return Err(walk.at("type", |walk| walk.wrong("must be a string"))),
        };
        let Some(role) = role_of(value) else {
            let message = match kind {
                "message" => return Err(walk.at("role", |walk| walk.wrong(ROLES))),
                "item_reference" => {
                    "nothing is stored here to refer to: send the item itself instead"
                }
                _ => {
                    "items of this type belong to tools that a provider runs, or that no target \
                     has words for"
                }
            };
            return Err(walk.at("type", |walk| walk.wrong(message)));
        };
        walk.role = role;
        let parts = match kind {
            "message" => message(walk, item, role, asked)?,
            "reasoning" => reasoning(walk, item, asked)?,
            "function_call" => vec![self.call(walk, item, asked)?],
            _ => self.result(walk, item, asked)?,
        };
        Ok((role, parts))
    }

    fn call(
        &mut self,
        walk: &mut Walk,
        item: &Map<String, Value>,
        asked: &mut Asked,
    ) -> Result<Part, Malformed> {
        asked.need(Capability::Tools);
        let word = |name: &str| item.get(name).and_then(Value::as_str);
        if let (Some(id), Some(tool)) = (word("call_id"), word("name")) {
            self.called.insert(id.to_owned(), tool.to_owned());
        }
        walk.tool = word("name").map(str::to_owned);
        let (mut id, mut tool, mut arguments) = (None, None, None);
        for (name, value) in item {
            walk.at(name, |walk| {
                match (name.as_str(), value) {
                    ("call_id", Value::String(text)) => id = Some(walk.text(text, Kind::Metadata)?),
                    ("name", Value::String(text)) => tool = Some(walk.text(text, Kind::Name)?),
                    ("arguments", Value::String(text)) => {
                        arguments = Some(walk.text(text, Kind::ToolCall)?);
                    }
                    ("call_id" | "name" | "arguments", _) => {
                        return Err(walk.wrong("must be a string"));
                    }
                    (other, value) => usual(walk, other, value, asked)?,
                }
                Ok(())
            })?;
        }
        walk.tool = None;
        match (id, tool, arguments) {
            (Some(id), Some(name), Some(arguments)) => {
                Ok(Part::ToolCall { id, name, arguments: Arguments::Text(arguments) })
            }
            _ => Err(walk.wrong("must have a call_id, a name and arguments")),
        }
    }

    fn result(
        &mut self,
        walk: &mut Walk,
        item: &Map<String, Value>,
        asked: &mut Asked,
    ) -> Result<Vec<Part>, Malformed> {
        asked.need(Capability::Tools);
        let call = item.get("call_id").and_then(Value::as_str);
        walk.tool = call.and_then(|call| self.called.get(call).cloned());
        let (mut call, mut said) = (None, None);
        for (name, value) in item {
            walk.at(name, |walk| {
                match (name.as_str(), value) {
                    ("call_id", Value::String(text)) => {
                        call = Some(walk.text(text, Kind::Metadata)?);
                    }
                    ("call_id", _) => return Err(walk.wrong("must be a string")),
                    ("output", value) => said = Some(content(walk, value, Role::Tool, asked)?),
                    (other, value) => usual(walk, other, value, asked)?,
                }
                Ok(())
            })?;
        }
        walk.tool = None;
        let (Some(call), Some(said)) = (call, said) else {
            return Err(walk.wrong("must have a call_id and an output"));
        };
        let (mut texts, mut parts) = (Vec::new(), Vec::new());
        for part in said {
            match part {
                Part::Text(id) => texts.push(id),
                other => parts.push(other),
            }
        }
        parts.insert(0, Part::ToolResult { call, texts });
        Ok(parts)
    }
}

const ROLES: &str = "must be user, assistant, system or developer";

fn message(
    walk: &mut Walk,
    item: &Map<String, Value>,
    role: Role,
    asked: &mut Asked,
) -> Result<Vec<Part>, Malformed> {
    let mut parts = None;
    for (name, value) in item {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("role", _) => Ok(()),
            ("content", value) => {
                parts = Some(content(walk, value, role, asked)?);
                Ok(())
            }
            (other, value) => usual(walk, other, value, asked),
        })?;
    }
    parts.ok_or_else(|| walk.at("content", |walk| walk.wrong("a message needs one")))
}

/// The model's reasoning of an earlier turn. No target of another dialect takes it back.
fn reasoning(
    walk: &mut Walk,
    item: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<Vec<Part>, Malformed> {
    asked.may_ignore("reasoning");
    let mut parts = Vec::new();
    for (name, value) in item {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("summary" | "content" | "encrypted_content", Value::Null) => Ok(()),
            ("summary" | "content", Value::Array(items)) => {
                items.iter().enumerate().try_for_each(|(index, item)| {
                    walk.item(index, |walk| {
                        object(walk, item)?.iter().try_for_each(|(name, value)| {
                            walk.at(name, |walk| match (name.as_str(), value) {
                                ("type", value) => walk.word(value, REASONED, Kind::Metadata),
                                ("text", Value::String(text)) => {
                                    let id = walk.text(text, Kind::Reasoning)?;
                                    parts.push(Part::Reasoning(id));
                                    Ok(())
                                }
                                (other, value) => walk.named(other, value, Kind::Reasoning),
                            })
                        })
                    })
                })
            }
            ("summary" | "content", _) => Err(walk.wrong("must be a list")),
            ("encrypted_content", value) => walk.rest(value, Kind::Metadata),
            (other, value) => usual(walk, other, value, asked),
        })?;
    }
    Ok(parts)
}

const REASONED: &[&str] = &["summary_text", "reasoning_text"];

/// A member that every item may have, or that nobody here knows. Its own id means
/// something only where it is stored.
fn usual(walk: &mut Walk, name: &str, value: &Value, asked: &mut Asked) -> Result<(), Malformed> {
    match name {
        "type" => Ok(()),
        "id" => walk.rest(value, Kind::Metadata),
        "status" => walk.word(value, STATUSES, Kind::Metadata),
        other => {
            asked.may_ignore(other);
            walk.named(other, value, Kind::Metadata)
        }
    }
}
