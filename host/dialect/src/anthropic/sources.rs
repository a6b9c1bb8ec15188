//! Images and documents, and where their bytes come from.

use ringfence_chat::{Capability, Kind, SegmentId};
use serde_json::{Map, Value};

use super::blocks::{content, text_kind, usual};
use crate::asked::Asked;
use crate::fault::Malformed;
use crate::members::object;
use crate::walk::Walk;

/// The images that this dialect takes.
const IMAGES: &[&str] = &["image/jpeg", "image/png", "image/gif", "image/webp"];
/// The documents that it takes as data.
const DOCUMENTS: &[&str] = &["application/pdf"];
/// Both.
const MEDIA: &[&str] = &["image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf"];
/// What is stored at the provider's is of any kind.
const STORED: &str = "application/octet-stream";

/// An image. Nothing for one that only this dialect can name.
pub(crate) fn image(
    walk: &mut Walk,
    block: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<Option<SegmentId>, Malformed> {
    asked.need(Capability::Images);
    of_source(walk, block, asked, |walk, kind, source, asked| match kind {
        "base64" => {
            let media = source.get("media_type").and_then(Value::as_str).unwrap_or("");
            // A document that says it is an image would leave under the floor's rule for
            // images.
            if !IMAGES.contains(&media) {
                return Err(walk.at("media_type", |walk| {
                    walk.wrong("must be an image; other files are blocks of type `document`")
                }));
            }
            one(walk, source, "data", media)
        }
        "url" => {
            let url = source.get("url").and_then(Value::as_str).unwrap_or("");
            if url.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("data:")) {
                return Err(walk.at("url", |walk| walk.wrong("must be an address")));
            }
            one(walk, source, "url", "image/*")
        }
        _ => stored(walk, kind, source, asked),
    })
}

/// A document. Nothing for one that only this dialect can name.
pub(crate) fn document(
    walk: &mut Walk,
    block: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<Option<SegmentId>, Malformed> {
    asked.need(Capability::Files);
    of_source(walk, block, asked, |walk, kind, source, asked| match kind {
        "base64" => {
            let media = source.get("media_type").and_then(Value::as_str).unwrap_or("");
            let known = DOCUMENTS.iter().find(|known| **known == media);
            one(walk, source, "data", known.copied().unwrap_or(STORED))
        }
        "url" => one(walk, source, "url", "application/pdf"),
        "text" => {
            asked.need(Capability::UnknownContent);
            let kind = text_kind(walk);
            source.iter().try_for_each(|(name, value)| {
                walk.at(name, |walk| match name.as_str() {
                    "type" => Ok(()),
                    "media_type" => walk.word(value, &["text/plain"], Kind::Metadata),
                    "data" => walk.rest(value, kind),
                    other => walk.named(other, value, Kind::Metadata),
                })
            })?;
            Ok(None)
        }
        "content" => {
            asked.need(Capability::UnknownContent);
            source.iter().try_for_each(|(name, value)| {
                walk.at(name, |walk| match name.as_str() {
                    "type" => Ok(()),
                    "content" => content(walk, value, &mut Vec::new(), asked),
                    other => walk.named(other, value, Kind::Metadata),
                })
            })?;
            Ok(None)
        }
        _ => stored(walk, kind, source, asked),
    })
}

/// Reads a block with a source, by what `read` makes of that.
fn of_source(
    walk: &mut Walk,
    block: &Map<String, Value>,
    asked: &mut Asked,
    read: impl Fn(
        &mut Walk,
        &str,
        &Map<String, Value>,
        &mut Asked,
    ) -> Result<Option<SegmentId>, Malformed>,
) -> Result<Option<SegmentId>, Malformed> {
    let mut found = None;
    for (name, value) in block {
        walk.at(name, |walk| match name.as_str() {
            "source" => {
                let source = object(walk, value)?;
                let Some(kind) = source.get("type").and_then(Value::as_str) else {
                    return Err(walk.at("type", |walk| walk.wrong("a source needs a type")));
                };
                found = Some(read(walk, kind, source, asked)?);
                Ok(())
            }
            "title" | "context" if value.is_null() => Ok(()),
            "title" | "context" => {
                asked.may_ignore(name);
                walk.rest(value, text_kind(walk))
            }
            "citations" => {
                if value.get("enabled") == Some(&Value::Bool(true)) {
                    asked.may_ignore("citations");
                }
                of_citations(walk, value)
            }
            other => usual(walk, other, value, asked),
        })?;
    }
    found.ok_or_else(|| walk.at("source", |walk| walk.wrong("the block needs a source")))
}

fn of_citations(walk: &mut Walk, value: &Value) -> Result<(), Malformed> {
    let Value::Object(map) = value else { return walk.rest(value, Kind::Metadata) };
    map.iter().try_for_each(|(name, value)| match name.as_str() {
        "enabled" => walk.at(name, |walk| walk.rest(value, Kind::Metadata)),
        other => walk.unknown(other, value, Kind::Metadata),
    })
}

/// A source whose member `payload` holds data or an address of `media`.
fn one(
    walk: &mut Walk,
    source: &Map<String, Value>,
    payload: &str,
    media: &str,
) -> Result<Option<SegmentId>, Malformed> {
    let mut found = None;
    for (name, value) in source {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("type", _) => Ok(()),
            ("media_type", value) => {
                walk.word(value, if payload == "data" { MEDIA } else { &[] }, Kind::Metadata)
            }
            (name, Value::String(text)) if name == payload => {
                found = Some(walk.attachment(text, Some(media.to_owned()))?);
                Ok(())
            }
            (name, _) if name == payload => Err(walk.wrong("must be a string")),
            (other, value) => walk.named(other, value, Kind::Metadata),
        })?;
    }
    if found.is_none() {
        return Err(walk.wrong("the source lacks what its type says"));
    }
    Ok(found)
}

/// A file that the provider keeps, or a source of a kind that nobody here knows. No
/// detector can read either.
fn stored(
    walk: &mut Walk,
    kind: &str,
    source: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<Option<SegmentId>, Malformed> {
    asked.need(Capability::UnknownContent);
    if kind == "file" {
        return one(walk, source, "file_id", STORED);
    }
    let outer = std::mem::replace(&mut walk.readable, false);
    let read = source.iter().try_for_each(|(name, value)| {
        walk.at(name, |walk| match name.as_str() {
            "type" => walk.rest(value, Kind::Attachment),
            other => walk.named(other, value, Kind::Attachment),
        })
    });
    walk.readable = outer;
    read.map(|()| None)
}
