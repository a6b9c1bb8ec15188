//! Messages of this dialect from the turns of a request.

use ringfence_chat::{Part, Role, SegmentId, Turn};
use serde_json::{Map, Value, json};

use super::outbound::Draft;
use crate::fault::Unsupported;
use crate::openai_chat::split_data_url;
use crate::walk::param;

/// Everything but system messages: users and tools on one side, the model on the
/// other, in turn.
pub(crate) fn messages(draft: &mut Draft<'_>) -> Result<Vec<Value>, Unsupported> {
    let request = draft.request;
    let mut sides: Vec<(&'static str, Vec<Value>)> = Vec::new();
    for (index, turn) in request.turns.iter().enumerate() {
        let side = match turn.role {
            Role::System => continue,
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        let blocks = blocks(draft, index, turn)?;
        if blocks.is_empty() {
            continue;
        }
        match sides.last_mut() {
            Some((last, all)) if *last == side => all.extend(blocks),
            _ => sides.push((side, blocks)),
        }
    }
    if sides.is_empty() {
        return Err(Unsupported::new("messages"));
    }
    if let Some(("assistant", blocks)) = sides.last_mut() {
        trim_end(blocks);
    }
    Ok(sides
        .into_iter()
        .map(|(role, blocks)| json!({ "role": role, "content": plain(blocks) }))
        .collect())
}

/// A mark for the cache on the part that holds this text, or on its message.
pub(crate) fn mark(draft: &Draft<'_>, message: usize, text: SegmentId) -> Option<Value> {
    let segment = draft.request.segments().get(text.index())?;
    if !segment.cached {
        return None;
    }
    let pointer = segment.place.pointer();
    let part = pointer.strip_suffix("/text").or_else(|| pointer.strip_suffix("/image_url/url"));
    part.and_then(|part| draft.cache_mark(part))
        .or_else(|| draft.cache_mark(&format!("/messages/{message}")))
}

fn blocks(draft: &mut Draft<'_>, index: usize, turn: &Turn) -> Result<Vec<Value>, Unsupported> {
    let request = draft.request;
    let unsupported = |id: SegmentId| {
        let place = request.segments().get(id.index()).map(|segment| segment.place.pointer());
        Unsupported::new(param(place.unwrap_or("/messages")))
    };
    let mut blocks = Vec::new();
    for part in &turn.parts {
        let (mut block, marked) = match part {
            Part::Text(id) | Part::Refusal(id) => {
                let text = request.text(*id);
                if text.trim().is_empty() {
                    continue;
                }
                (json!({ "type": "text", "text": text }), Some(*id))
            }
            // Reasoning needs its issuer's signature, which this dialect's own answers
            // bear and others do not. Its name is among what was dropped already.
            Part::Reasoning(_) => continue,
            Part::ToolCall { id, name, arguments } => {
                let text = request.text(*arguments);
                let text = if text.trim().is_empty() { "{}" } else { text };
                let input: Map<String, Value> =
                    serde_json::from_str(text).map_err(|_| unsupported(*arguments))?;
                let id = call_id(request.text(*id));
                let name = request.text(*name);
                (json!({ "type": "tool_use", "id": id, "name": name, "input": input }), None)
            }
            Part::ToolResult { call, texts } => {
                let content: Vec<Value> = (texts.iter().map(|&id| request.text(id)))
                    .filter(|text| !text.trim().is_empty())
                    .map(|text| json!({ "type": "text", "text": text }))
                    .collect();
                let id = call_id(request.text(*call));
                let mut block = json!({ "type": "tool_result", "tool_use_id": id });
                if !content.is_empty() {
                    block["content"] = plain(content);
                }
                (block, texts.last().copied())
            }
            Part::Attachment(id) => {
                (attachment(request.text(*id)).ok_or_else(|| unsupported(*id))?, Some(*id))
            }
            Part::Unknown => return Err(Unsupported::new(format!("messages[{index}]"))),
        };
        if let Some(mark) = marked.and_then(|id| mark(draft, index, id)) {
            block["cache_control"] = mark;
        }
        blocks.push(block);
    }
    Ok(blocks)
}

/// An image or a document. Data has to say what it is; an address is fetched by the
/// provider as an image.
fn attachment(text: &str) -> Option<Value> {
    if let Some((media, data)) = split_data_url(text) {
        let kind = match media.as_str() {
            "image/jpeg" | "image/png" | "image/gif" | "image/webp" => "image",
            "application/pdf" => "document",
            _ => return None,
        };
        let source = json!({ "type": "base64", "media_type": media, "data": data });
        return Some(json!({ "type": kind, "source": source }));
    }
    let is_address = text.starts_with("https://") || text.starts_with("http://");
    let source = json!({ "type": "url", "url": text });
    is_address.then(|| json!({ "type": "image", "source": source }))
}

/// The id of a call as this dialect takes it: letters, digits, `_` and `-`. A call and
/// its result change alike.
fn call_id(id: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    id.chars().map(|letter| if fits(letter) { letter } else { '_' }).collect()
}

/// One text without a mark is written as a string.
fn plain(mut blocks: Vec<Value>) -> Value {
    if let [Value::Object(block)] = &mut blocks[..]
        && block.len() == 2
        && let Some(text) = block.remove("text")
    {
        return text;
    }
    Value::Array(blocks)
}

/// This dialect refuses a last message of the model's that ends in white space.
fn trim_end(blocks: &mut [Value]) {
    if let Some(Value::Object(block)) = blocks.last_mut()
        && let Some(Value::String(text)) = block.get_mut("text")
    {
        text.truncate(text.trim_end().len());
    }
}
