//! The items of an answer.

use serde_json::{Value, json};

/// One item of an answer.
pub(super) enum Item {
    /// What the model says.
    Message(Said),
    /// What it thought before.
    Reasoning(Said),
    /// A tool that it wants called.
    Call(Called),
}

/// Text in parts.
#[derive(Default)]
pub(super) struct Said {
    pub parts: Vec<Piece>,
    /// True while the last part may go on.
    pub open: bool,
}

/// One part of what is said.
pub(super) struct Piece {
    pub kind: PieceKind,
    pub text: String,
}

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PieceKind {
    Text,
    Refusal,
    Reasoning,
}

/// A call of a tool.
pub(super) struct Called {
    /// The id by which the client sends its result.
    pub call: String,
    pub name: String,
    pub arguments: String,
}

impl Item {
    /// The first letters of its id.
    pub fn prefix(&self) -> &'static str {
        match self {
            Item::Message(_) => "msg",
            Item::Reasoning(_) => "rs",
            Item::Call(_) => "fc",
        }
    }

    /// The item as it is written.
    pub fn json(&self, id: &str, status: &str) -> Value {
        match self {
            Item::Message(said) => json!({
                "type": "message", "id": id, "status": status, "role": "assistant",
                "content": said.json(),
            }),
            Item::Reasoning(said) => json!({
                "type": "reasoning", "id": id, "status": status, "summary": [],
                "content": said.json(),
            }),
            Item::Call(Called { call, name, arguments }) => json!({
                "type": "function_call", "id": id, "status": status, "call_id": call,
                "name": name, "arguments": arguments,
            }),
        }
    }
}

impl Said {
    fn json(&self) -> Vec<Value> {
        self.parts.iter().map(|part| part.kind.json(&part.text)).collect()
    }
}

impl PieceKind {
    /// A part with this text.
    pub fn json(self, text: &str) -> Value {
        match self {
            PieceKind::Text => {
                json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
            }
            PieceKind::Refusal => json!({ "type": "refusal", "refusal": text }),
            PieceKind::Reasoning => json!({ "type": "reasoning_text", "text": text }),
        }
    }

    /// What its events are called, and the member that holds its text at the end.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            PieceKind::Text => ("output_text", "text"),
            PieceKind::Refusal => ("refusal", "refusal"),
            PieceKind::Reasoning => ("reasoning_text", "text"),
        }
    }
}
