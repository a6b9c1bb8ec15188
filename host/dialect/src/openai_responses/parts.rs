//! The parts of a message or of a tool's output: text, images, files, recordings.

use ringfence_chat::{Capability, Kind, Part, Role, SegmentId};
use serde_json::{Map, Value};

use crate::asked::Asked;
use crate::attachment::split_data_url;
use crate::fault::Malformed;
use crate::members::object;
use crate::walk::Walk;

/// What is said: a string, or a list of parts.
pub(super) fn content(
    walk: &mut Walk,
    value: &Value,
    role: Role,
    asked: &mut Asked,
) -> Result<Vec<Part>, Malformed> {
    match value {
        Value::String(text) => Ok(vec![Part::Text(walk.text(text, text_kind(role))?)]),
        Value::Array(items) if items.is_empty() && role != Role::Assistant => {
            Err(walk.wrong("at least one part is required"))
        }
        Value::Array(items) => (items.iter().enumerate())
            .map(|(index, item)| walk.item(index, |walk| part(walk, item, role, asked)))
            .collect(),
        _ => Err(walk.wrong("must be a string or a list of parts")),
    }
}

fn text_kind(role: Role) -> Kind {
    if role == Role::Tool { Kind::ToolResult } else { Kind::Text }
}

fn part(walk: &mut Walk, value: &Value, role: Role, asked: &mut Asked) -> Result<Part, Malformed> {
    let part = object(walk, value)?;
    let kind = match part.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(_) => return Err(walk.at("type", |walk| walk.wrong("must be a string"))),
        None => return Err(walk.at("type", |walk| walk.wrong("a part needs a type"))),
    };
    match kind {
        "input_text" | "output_text" | "text" => {
            said(walk, part, "text", text_kind(role), asked).map(Part::Text)
        }
        "refusal" if role == Role::Assistant => {
            said(walk, part, "refusal", Kind::Text, asked).map(Part::Refusal)
        }
        "input_image" => image(walk, part, asked).map(Part::Attachment),
        "input_file" => file(walk, part, asked).map(Part::Attachment),
        "input_audio" => audio(walk, part, asked).map(Part::Attachment),
        _ => Err(walk.at("type", |walk| walk.wrong("no target has words for parts of this type"))),
    }
}

fn said(
    walk: &mut Walk,
    part: &Map<String, Value>,
    payload: &str,
    kind: Kind,
    asked: &mut Asked,
) -> Result<SegmentId, Malformed> {
    let mut found = None;
    for (name, value) in part {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("type", _) => Ok(()),
            (name, Value::String(text)) if name == payload => {
                found = Some(walk.text(text, kind)?);
                Ok(())
            }
            (name, _) if name == payload => Err(walk.wrong("must be a string")),
            // An earlier answer comes back as it was received.
            ("annotations" | "logprobs", Value::Null) => Ok(()),
            ("annotations" | "logprobs", Value::Array(items)) if items.is_empty() => Ok(()),
            (other, value) => unknown(walk, other, value, asked),
        })?;
    }
    found.ok_or_else(|| walk.wrong("the part lacks what its type says"))
}

fn image(
    walk: &mut Walk,
    part: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<SegmentId, Malformed> {
    asked.need(Capability::Images);
    let mut found = None;
    for (name, value) in part {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("type", _) | ("image_url" | "file_id" | "detail", Value::Null) => Ok(()),
            ("image_url", Value::String(url)) => {
                let is_data = url.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("data:"));
                let media = match split_data_url(url) {
                    Some((media, _)) => media,
                    None => if is_data { "" } else { "image/*" }.to_owned(),
                };
                // A document that says it is an image would leave under the floor's rule
                // for images.
                if !media.starts_with("image/") {
                    let message = "must be an image; other files are parts of type `input_file`";
                    return Err(walk.wrong(message));
                }
                found = Some(walk.attachment(url, Some(media))?);
                Ok(())
            }
            ("image_url", _) => Err(walk.wrong("must be a string")),
            ("file_id", _) => Err(walk.wrong(STORED)),
            ("detail", value) => {
                walk.word(value, &["auto", "low", "high", "original"], Kind::Metadata)
            }
            (other, value) => unknown(walk, other, value, asked),
        })?;
    }
    found.ok_or_else(|| walk.wrong("must have an image_url"))
}

const STORED: &str = "a file that a provider stores cannot be read here, and is not passed on: \
                      send it as data";

fn file(
    walk: &mut Walk,
    part: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<SegmentId, Malformed> {
    asked.need(Capability::Files);
    let mut found = None;
    for (name, value) in part {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("type", _) => Ok(()),
            ("file_data" | "file_id" | "file_url" | "filename" | "detail", Value::Null) => Ok(()),
            ("file_data", Value::String(text)) => {
                let declared = split_data_url(text).map(|(media, _)| media);
                // The floor has rules of its own for images and recordings; what comes as a
                // file stays one, whatever it calls itself.
                let media = declared
                    .filter(|media| !media.starts_with("image/") && !media.starts_with("audio/"))
                    .unwrap_or_else(|| "application/octet-stream".to_owned());
                found = Some(walk.attachment(text, Some(media))?);
                Ok(())
            }
            ("filename", Value::String(text)) => walk.text(text, Kind::Name).map(drop),
            ("file_data" | "filename", _) => Err(walk.wrong("must be a string")),
            ("file_id", _) => Err(walk.wrong(STORED)),
            ("file_url", _) => {
                Err(walk.wrong("a file elsewhere is not fetched from here: send it as data"))
            }
            (other, value) => unknown(walk, other, value, asked),
        })?;
    }
    found.ok_or_else(|| walk.wrong("must have file_data"))
}

fn audio(
    walk: &mut Walk,
    part: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<SegmentId, Malformed> {
    asked.need(Capability::Audio);
    let mut found = None;
    for (name, value) in part {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("type", _) => Ok(()),
            ("input_audio", Value::Object(audio)) => audio.iter().try_for_each(|(name, value)| {
                walk.at(name, |walk| match (name.as_str(), value) {
                    ("data", Value::String(data)) => {
                        found = Some(walk.attachment(data, Some("audio/*".to_owned()))?);
                        Ok(())
                    }
                    ("format", value) => walk.word(value, &["wav", "mp3"], Kind::Metadata),
                    (other, value) => walk.named(other, value, Kind::Metadata),
                })
            }),
            (other, value) => unknown(walk, other, value, asked),
        })?;
    }
    found.ok_or_else(|| walk.wrong("must have input_audio with data"))
}

fn unknown(walk: &mut Walk, name: &str, value: &Value, asked: &mut Asked) -> Result<(), Malformed> {
    asked.may_ignore(name);
    walk.named(name, value, Kind::Metadata)
}
