//! Blocks of content: text, images, documents, reasoning.

use ringfence_chat::{Capability, Kind, Part, Role, SegmentId};
use serde_json::{Map, Value};

use super::sources::{document, image};
use crate::asked::Asked;
use crate::cache_control::cache_control;
use crate::fault::Malformed;
use crate::members::object;
use crate::walk::Walk;

/// What somebody says: a string, or a list of blocks.
pub(crate) fn content(
    walk: &mut Walk,
    value: &Value,
    parts: &mut Vec<Part>,
    asked: &mut Asked,
) -> Result<(), Malformed> {
    match value {
        Value::String(text) => {
            parts.push(Part::Text(walk.text(text, text_kind(walk))?));
            Ok(())
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| walk.item(index, |walk| block(walk, item, parts, asked))),
        _ => Err(walk.wrong("must be a string or a list of blocks")),
    }
}

/// One block that may stand in a message, in a tool's result or in a document.
pub(crate) fn block(
    walk: &mut Walk,
    value: &Value,
    parts: &mut Vec<Part>,
    asked: &mut Asked,
) -> Result<(), Malformed> {
    let map = object(walk, value)?;
    let kind = match map.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(_) => return Err(walk.at("type", |walk| walk.wrong("must be a string"))),
        None => return Err(walk.at("type", |walk| walk.wrong("a block needs a type"))),
    };
    let marked = Marked::begin(walk, map);
    let read = match kind {
        "text" => text(walk, map, asked).map(|id| Some((Part::Text(id), Some(id)))),
        "image" => image(walk, map, asked).map(attached),
        "document" => document(walk, map, asked).map(attached),
        "thinking" if walk.role == Role::Assistant => {
            thinking(walk, map, asked).map(|id| Some((Part::Reasoning(id), None)))
        }
        "redacted_thinking" if walk.role == Role::Assistant => {
            redacted(walk, map, asked).map(|()| None)
        }
        _ => foreign(walk, kind, map, asked).map(|()| Some((Part::Unknown, None))),
    };
    marked.end(walk);
    if let Some((part, on)) = read? {
        if let Some(on) = on {
            asked.mark(on, map.get("cache_control"));
        }
        parts.push(part);
    }
    Ok(())
}

fn attached(id: Option<SegmentId>) -> Option<(Part, Option<SegmentId>)> {
    Some((id.map_or(Part::Unknown, Part::Attachment), id))
}

/// Whether what is read stands below a mark for the provider's cache.
pub(crate) struct Marked {
    outer: bool,
}

impl Marked {
    /// Goes into a block.
    pub fn begin(walk: &mut Walk, block: &Map<String, Value>) -> Marked {
        let outer = walk.cached;
        walk.cached |= block.get("cache_control").is_some_and(|mark| !mark.is_null());
        Marked { outer }
    }

    /// Comes out of it.
    pub fn end(self, walk: &mut Walk) {
        walk.cached = self.outer;
    }
}

/// What text is for where `walk` stands.
pub(crate) fn text_kind(walk: &Walk) -> Kind {
    if walk.role == Role::Tool { Kind::ToolResult } else { Kind::Text }
}

/// A member that every block may have, or that nobody here knows.
pub(crate) fn usual(
    walk: &mut Walk,
    name: &str,
    value: &Value,
    asked: &mut Asked,
) -> Result<(), Malformed> {
    match name {
        "type" => Ok(()),
        "cache_control" if value.is_null() => Ok(()),
        "cache_control" => cache_control(walk, value, asked),
        other => {
            asked.may_ignore(other);
            walk.named(other, value, Kind::Metadata)
        }
    }
}

fn text(
    walk: &mut Walk,
    block: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<SegmentId, Malformed> {
    let mut found = None;
    for (name, value) in block {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("text", Value::String(text)) => {
                found = Some(walk.text(text, text_kind(walk))?);
                Ok(())
            }
            ("text", _) => Err(walk.wrong("must be a string")),
            ("citations", Value::Null) => Ok(()),
            // What an earlier answer quoted comes back word for word.
            ("citations", value) => {
                asked.may_ignore("citations");
                walk.rest(value, Kind::Metadata)
            }
            (other, value) => usual(walk, other, value, asked),
        })?;
    }
    found.ok_or_else(|| walk.wrong("the block lacks what its type says"))
}

/// The model's reasoning of an earlier turn. Signed, it goes back as it came or not at
/// all: whoever signed it refuses it otherwise.
fn thinking(
    walk: &mut Walk,
    block: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<SegmentId, Malformed> {
    asked.may_ignore("thinking");
    let before = walk.segments().len();
    let (mut found, mut signed) = (None, false);
    for (name, value) in block {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("thinking", Value::String(text)) => {
                found = Some(walk.text(text, Kind::Reasoning)?);
                Ok(())
            }
            ("thinking", _) => Err(walk.wrong("must be a string")),
            ("signature", Value::String(text)) => {
                signed = !text.is_empty();
                walk.rest(value, Kind::Metadata)
            }
            ("signature", Value::Null) => Ok(()),
            ("signature", _) => Err(walk.wrong("must be a string")),
            (other, value) => usual(walk, other, value, asked),
        })?;
    }
    if signed {
        seal(walk, before, asked);
    }
    found.ok_or_else(|| walk.wrong("the block lacks what its type says"))
}

/// Reasoning that only its issuer can read.
fn redacted(
    walk: &mut Walk,
    block: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<(), Malformed> {
    asked.may_ignore("redacted_thinking");
    let before = walk.segments().len();
    for (name, value) in block {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("data", Value::String(_)) => walk.rest(value, Kind::Metadata),
            ("data", _) => Err(walk.wrong("must be a string")),
            (other, value) => usual(walk, other, value, asked),
        })?;
    }
    seal(walk, before, asked);
    Ok(())
}

fn seal(walk: &Walk, from: usize, asked: &mut Asked) {
    asked.sealed.extend(walk.segments()[from..].iter().map(|segment| segment.id));
}

/// A block that only this dialect carries. Results of a search that the client made are
/// text; of everything else nobody knows what it stands for.
fn foreign(
    walk: &mut Walk,
    kind: &str,
    block: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<(), Malformed> {
    asked.need(Capability::UnknownContent);
    let readable = kind == "search_result";
    let strings = if readable { text_kind(walk) } else { Kind::Attachment };
    let outer = std::mem::replace(&mut walk.readable, readable);
    let read = block.iter().try_for_each(|(name, value)| {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("type", value) => walk.word(value, &["search_result"], strings),
            ("cache_control", value) => usual(walk, name, value, asked),
            ("content" | "source" | "title", value) if readable => walk.rest(value, strings),
            (other, value) => walk.named(other, value, strings),
        })
    });
    walk.readable = outer;
    read
}
