//! The conversation.

use std::collections::HashMap;

use ringfence_chat::{Kind, Part, Role, Turn};
use serde_json::{Map, Value};

use super::blocks::{Marked, block, content};
use super::tools::{answered, called};
use crate::asked::Asked;
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

impl Messages {
    /// Reads the list of messages, the first of which is the turn `first`.
    pub fn read(
        &mut self,
        walk: &mut Walk,
        value: &Value,
        first: usize,
        asked: &mut Asked,
    ) -> Result<(), Malformed> {
        let Value::Array(items) = value else { return Err(walk.wrong("must be a list")) };
        if items.is_empty() {
            return Err(walk.wrong("at least one message is required"));
        }
        let outside = (walk.turn, walk.role);
        for (index, item) in items.iter().enumerate() {
            walk.turn = u32::try_from(index + first).unwrap_or(u32::MAX);
            let turn = walk.item(index, |walk| self.message(walk, item, asked))?;
            self.turns.push(turn);
        }
        (walk.turn, walk.role) = outside;
        Ok(())
    }

    fn message(
        &mut self,
        walk: &mut Walk,
        value: &Value,
        asked: &mut Asked,
    ) -> Result<Turn, Malformed> {
        let message = object(walk, value)?;
        let role = walk.at("role", |walk| role(walk, message.get("role")))?;
        walk.role = role;
        let mut turn = Turn { role, name: None, parts: Vec::new() };
        if !message.contains_key("content") {
            return Err(walk.at("content", |walk| walk.wrong("a message needs one")));
        }
        for (name, value) in message {
            walk.at(name, |walk| match (name.as_str(), value) {
                ("role", _) => Ok(()),
                ("content", Value::Array(items)) if items.is_empty() && role != Role::Assistant => {
                    Err(walk.wrong("at least one block is required"))
                }
                ("content", Value::Array(items)) => {
                    items.iter().enumerate().try_for_each(|(index, item)| {
                        walk.item(index, |walk| self.block(walk, item, &mut turn.parts, asked))
                    })
                }
                ("content", value) => content(walk, value, &mut turn.parts, asked),
                (other, value) => {
                    asked.may_ignore(other);
                    walk.named(other, value, Kind::Metadata)
                }
            })?;
        }
        Ok(turn)
    }

    /// A block of a message: a call, its result, or what may stand elsewhere too.
    fn block(
        &mut self,
        walk: &mut Walk,
        value: &Value,
        parts: &mut Vec<Part>,
        asked: &mut Asked,
    ) -> Result<(), Malformed> {
        let map = object(walk, value)?;
        let kind = map.get("type").and_then(Value::as_str);
        match (kind, walk.role) {
            (Some("tool_use"), Role::Assistant) => {
                self.remember(map);
                let marked = Marked::begin(walk, map);
                let part = called(walk, map, asked);
                marked.end(walk);
                parts.push(part?);
                Ok(())
            }
            (Some("tool_result"), Role::User) => {
                let name = map.get("tool_use_id").and_then(Value::as_str);
                walk.tool = name.and_then(|id| self.called.get(id)).cloned();
                let marked = Marked::begin(walk, map);
                walk.role = Role::Tool;
                let read = answered(walk, map, parts, asked);
                walk.role = Role::User;
                marked.end(walk);
                walk.tool = None;
                read
            }
            _ => block(walk, value, parts, asked),
        }
    }

    fn remember(&mut self, call: &Map<String, Value>) {
        let text = |name: &str| call.get(name).and_then(Value::as_str).map(str::to_owned);
        if let (Some(id), Some(name)) = (text("id"), text("name")) {
            self.called.insert(id, name);
        }
    }
}

fn role(walk: &Walk, value: Option<&Value>) -> Result<Role, Malformed> {
    match value.map(Value::as_str) {
        Some(Some("user")) => Ok(Role::User),
        Some(Some("assistant")) => Ok(Role::Assistant),
        Some(Some("system")) => Ok(Role::System),
        Some(_) => Err(walk.wrong("must be user, assistant or system")),
        None => Err(walk.wrong("a message needs a role")),
    }
}
