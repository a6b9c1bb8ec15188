//! One string of a request, with its place.

use std::collections::HashMap;

use serde_json::Value;

/// Index of a segment in [`crate::Request::segments`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub u32);

impl SegmentId {
    /// The index as such.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The application: system and developer messages, and what stands outside messages.
    System,
    /// The person or program that asks.
    User,
    /// The model, in an earlier turn.
    Assistant,
    /// A tool's result.
    Tool,
}

/// What a piece of text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text that the model reads as such.
    Text,
    /// A model's reasoning.
    Reasoning,
    /// The arguments of a tool call: JSON in a string.
    ToolCall,
    /// What a tool answered.
    ToolResult,
    /// Name, description or schema of a declared tool.
    ToolDefinition,
    /// The name of a participant, a tool or a schema.
    Name,
    /// Any other string or key.
    Metadata,
    /// An address that somebody may fetch.
    Link,
    /// An image, a recording, a file.
    Attachment,
}

/// Where a segment's string stands in the client's JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The string value at this JSON pointer (RFC 6901).
    Value(String),
    /// The name of the member at this JSON pointer.
    Key(String),
}

impl Place {
    /// The JSON pointer.
    pub fn pointer(&self) -> &str {
        match self {
            Place::Value(pointer) | Place::Key(pointer) => pointer,
        }
    }
}

/// One string of a request.
#[derive(Clone, PartialEq)]
pub struct Segment {
    /// Its own index.
    pub id: SegmentId,
    /// Index of its message; the number of messages for what stands outside them.
    pub turn: u32,
    /// Who speaks there.
    pub role: Role,
    /// What it is for.
    pub kind: Kind,
    /// Where it stands.
    pub place: Place,
    /// For tool calls and results: the tool's name, where known.
    pub tool: Option<String>,
    /// For attachments: the declared media type.
    pub media_type: Option<String>,
    /// False when no detector can read what it stands for.
    pub readable: bool,
    /// True when the client marked it for the provider's prompt cache.
    pub cached: bool,
    /// The string itself. For an attachment its address or data.
    pub text: String,
}

/// Shows shapes and never text: a segment may stand in a panic message or a log.
impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segment")
            .field("id", &self.id.0)
            .field("turn", &self.turn)
            .field("role", &self.role)
            .field("kind", &self.kind)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// Puts `text` at the value at `pointer`, a string or a number. False when neither stands
/// there.
pub(crate) fn put(body: &mut Value, pointer: &str, text: &str) -> bool {
    match body.pointer_mut(pointer) {
        Some(slot @ (Value::String(_) | Value::Number(_))) => {
            *slot = Value::from(text);
            true
        }
        _ => false,
    }
}

/// The pointer of the object that holds the member at `pointer`, and the member's name.
pub(crate) fn member(pointer: &str) -> Option<(&str, String)> {
    let (parent, key) = pointer.rsplit_once('/')?;
    Some((parent, key.replace("~1", "/").replace("~0", "~")))
}

/// Renames members of the object at `pointer`, and keeps their order. False when one is
/// missing, or when two would have one name: one of them would be lost.
pub(crate) fn rename(body: &mut Value, pointer: &str, names: &HashMap<String, &str>) -> bool {
    let Some(Value::Object(map)) = body.pointer_mut(pointer) else { return false };
    if !names.keys().all(|key| map.contains_key(key)) {
        return false;
    }
    let members = map.len();
    *map = std::mem::take(map)
        .into_iter()
        .map(|(key, value)| match names.get(&key) {
            Some(name) => ((*name).to_owned(), value),
            None => (key, value),
        })
        .collect();
    map.len() == members
}
