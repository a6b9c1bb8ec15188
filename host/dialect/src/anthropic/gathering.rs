//! Blocks from the events that say them piece by piece.

use std::collections::BTreeMap;

use ringfence_chat::{Event, TextKind};
use serde_json::{Map, Value, json};

/// One block of content, complete.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// Text.
    Text(String),
    /// Reasoning that nobody signed.
    Thinking(String),
    /// A call.
    Call {
        /// Which call of the answer.
        index: u32,
        /// Its id, where the target gave one.
        id: Option<String>,
        /// The tool's name.
        name: String,
        /// JSON.
        arguments: String,
    },
}

/// The blocks that `events` amount to: texts in the order in which they came, and then
/// the calls by their numbers.
pub(crate) fn gather(events: impl IntoIterator<Item = Event>) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut calls: BTreeMap<u32, (Option<String>, String, String)> = BTreeMap::new();
    for event in events {
        match event {
            Event::Text { choice: 0, kind, text, .. } if !text.is_empty() => {
                match (is_thinking(kind), blocks.last_mut()) {
                    (false, Some(Block::Text(said))) | (true, Some(Block::Thinking(said))) => {
                        said.push_str(&text);
                    }
                    (false, _) => blocks.push(Block::Text(text)),
                    (true, _) => blocks.push(Block::Thinking(text)),
                }
            }
            Event::ToolCall { choice: 0, index, id, name, arguments, .. } => {
                let call = calls.entry(index).or_default();
                call.0 = call.0.take().or(id);
                call.1.push_str(&name.unwrap_or_default());
                call.2.push_str(&arguments);
            }
            _ => {}
        }
    }
    let calls = calls.into_iter();
    blocks.extend(calls.map(|(index, (id, name, arguments))| Block::Call {
        index,
        id,
        name,
        arguments,
    }));
    blocks
}

/// Whether text of this kind stands in a block of its own sort.
pub(crate) fn is_thinking(kind: TextKind) -> bool {
    match kind {
        TextKind::Reasoning | TextKind::SignedReasoning => true,
        TextKind::Answer | TextKind::Refusal => false,
    }
}

/// What a call is made with. JSON that is none (a model wrote it) is passed on as the
/// text that it is.
pub(crate) fn input(arguments: &str) -> Value {
    if arguments.trim().is_empty() {
        return Value::Object(Map::new());
    }
    serde_json::from_str(arguments).unwrap_or_else(|_| Value::from(arguments))
}

impl Block {
    /// The block as it stands in a whole answer; `ids` makes ids of calls.
    pub fn json(self, ids: impl Fn(u32) -> String) -> Value {
        match self {
            Block::Text(text) => json!({ "type": "text", "text": text }),
            Block::Thinking(text) => {
                json!({ "type": "thinking", "thinking": text, "signature": "" })
            }
            Block::Call { index, id, name, arguments } => json!({
                "type": "tool_use",
                "id": id.unwrap_or_else(|| ids(index)),
                "name": name,
                "input": input(&arguments),
            }),
        }
    }
}
