//! The parts of a message: text, images, recordings, files.

use ringfence_chat::{Capability, Kind, Part, Role, SegmentId};
use serde_json::{Map, Value};

use crate::asked::Asked;
use crate::attachment::split_data_url;
use crate::cache_control::cache_control;
use crate::fault::Malformed;
use crate::members::object;
use crate::walk::Walk;

/// What a message says: a string, or a list of parts.
pub(crate) fn content(
    walk: &mut Walk,
    value: &Value,
    role: Role,
    parts: &mut Vec<Part>,
    asked: &mut Asked,
) -> Result<(), Malformed> {
    match value {
        Value::String(text) => {
            parts.push(Part::Text(walk.text(text, text_kind(role))?));
            Ok(())
        }
        Value::Array(items) if items.is_empty() && role != Role::Assistant => {
            Err(walk.wrong("at least one part is required"))
        }
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
            walk.item(index, |walk| {
                let part = object(walk, item)?;
                let outer = walk.cached;
                walk.cached |= part.get("cache_control").is_some_and(|mark| !mark.is_null());
                let read = one_part(walk, part, role, asked);
                walk.cached = outer;
                let read = read?;
                if let Part::Text(id) | Part::Refusal(id) | Part::Attachment(id) = read {
                    asked.mark(id, part.get("cache_control"));
                }
                parts.push(read);
                Ok(())
            })
        }),
        _ => Err(walk.wrong("must be a string or a list of parts")),
    }
}

fn text_kind(role: Role) -> Kind {
    if role == Role::Tool { Kind::ToolResult } else { Kind::Text }
}

fn one_part(
    walk: &mut Walk,
    part: &Map<String, Value>,
    role: Role,
    asked: &mut Asked,
) -> Result<Part, Malformed> {
    let kind = match part.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(_) => return Err(walk.at("type", |walk| walk.wrong("must be a string"))),
        None => return Err(walk.at("type", |walk| walk.wrong("a part needs a type"))),
    };
    let payload = match kind {
        "text" | "refusal" | "image_url" | "input_audio" | "file" => kind,
        _ => {
            asked.need(Capability::UnknownContent);
            walk.readable = false;
            let read = part.iter().try_for_each(|(name, value)| {
                walk.at(name, |walk| match name.as_str() {
                    "type" => walk.rest(value, Kind::Attachment),
                    other => walk.named(other, value, Kind::Attachment),
                })
            });
            walk.readable = true;
            return read.map(|()| Part::Unknown);
        }
    };
    let mut found: Option<SegmentId> = None;
    for (name, value) in part {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("type", _) => Ok(()),
            ("cache_control", value) => cache_control(walk, value, asked),
            (name, value) if name == payload => {
                found = match (kind, value) {
                    ("text", Value::String(text)) => Some(walk.text(text, text_kind(role))?),
                    ("refusal", Value::String(text)) => Some(walk.text(text, Kind::Text)?),
                    ("text" | "refusal", _) => return Err(walk.wrong("must be a string")),
                    ("image_url", value) => Some(image(walk, value, asked)?),
                    ("input_audio", value) => Some(audio(walk, value, asked)?),
                    (_, value) => Some(file(walk, value, asked)?),
                };
                Ok(())
            }
            (other, value) => {
                asked.may_ignore(other);
                walk.named(other, value, Kind::Metadata)
            }
        })?;
    }
    let Some(id) = found else {
        return Err(walk.wrong("the part lacks what its type says"));
    };
    Ok(match kind {
        "text" => Part::Text(id),
        "refusal" => Part::Refusal(id),
        _ => Part::Attachment(id),
    })
}

fn image(walk: &mut Walk, value: &Value, asked: &mut Asked) -> Result<SegmentId, Malformed> {
    asked.need(Capability::Images);
    let image = object(walk, value)?;
    let mut found = None;
    for (name, value) in image {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("url", Value::String(url)) => {
                let is_data = url.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("data:"));
                let media = match split_data_url(url) {
                    Some((media, _)) => media,
                    None => if is_data { "" } else { "image/*" }.to_owned(),
                };
                // A document that says it is an image would leave under the floor's rule
                // for images.
                if !media.starts_with("image/") {
                    return Err(
                        walk.wrong("must be an image; other files are parts of type `file`")
                    );
                }
                found = Some(walk.attachment(url, Some(media))?);
                Ok(())
            }
            ("url", _) => Err(walk.wrong("must be a string")),
            ("detail", value) => {
                walk.word(value, &["auto", "low", "high", "original"], Kind::Metadata)
            }
            (other, value) => walk.named(other, value, Kind::Metadata),
        })?;
    }
    found.ok_or_else(|| walk.wrong("must have a url"))
}

fn audio(walk: &mut Walk, value: &Value, asked: &mut Asked) -> Result<SegmentId, Malformed> {
    asked.need(Capability::Audio);
    let audio = object(walk, value)?;
    let format = audio.get("format").and_then(Value::as_str);
    let media = format.filter(|format| AUDIO_INPUTS.contains(format)).unwrap_or("*");
    let mut found = None;
    for (name, value) in audio {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("data", Value::String(data)) => {
                found = Some(walk.attachment(data, Some(format!("audio/{media}")))?);
                Ok(())
            }
            ("data", _) => Err(walk.wrong("must be a string")),
            ("format", value) => walk.word(value, AUDIO_INPUTS, Kind::Metadata),
            (other, value) => walk.named(other, value, Kind::Metadata),
        })?;
    }
    found.ok_or_else(|| walk.wrong("must have data"))
}

const AUDIO_INPUTS: &[&str] = &["wav", "mp3"];

fn file(walk: &mut Walk, value: &Value, asked: &mut Asked) -> Result<SegmentId, Malformed> {
    asked.need(Capability::Files);
    let file = object(walk, value)?;
    let (mut data, mut stored) = (None, None);
    for (name, value) in file {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("file_data", Value::String(text)) => {
                let declared = split_data_url(text).map(|(media, _)| media);
                // The floor has rules of its own for images and recordings; what comes as a
                // file stays one, whatever it calls itself.
                let media = declared
                    .filter(|media| !media.starts_with("image/") && !media.starts_with("audio/"))
                    .unwrap_or_else(|| "application/octet-stream".to_owned());
                data = Some(walk.attachment(text, Some(media))?);
                Ok(())
            }
            ("file_id", Value::String(text)) => {
                let media = "application/octet-stream".to_owned();
                stored = Some(walk.attachment(text, Some(media))?);
                Ok(())
            }
            ("filename", Value::String(text)) => walk.text(text, Kind::Name).map(drop),
            ("file_data" | "file_id" | "filename", _) => Err(walk.wrong("must be a string")),
            (other, value) => walk.named(other, value, Kind::Metadata),
        })?;
    }
    data.or(stored).ok_or_else(|| walk.wrong("must have file_data or file_id"))
}
