//! Messages of this dialect from the turns of a request.

use ringfence_chat::{Part, Role, Segment, Turn};
use serde_json::{Map, Value, json};

use crate::attachment::{Attached, attached};
use crate::cache_control::written;
use crate::draft::Draft;
use crate::fault::Unsupported;

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

fn blocks(draft: &mut Draft<'_>, index: usize, turn: &Turn) -> Result<Vec<Value>, Unsupported> {
    let request = draft.request;
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
                let text = request.arguments(arguments);
                let text = if text.trim().is_empty() { "{}" } else { &*text };
                let input: Map<String, Value> = serde_json::from_str(text)
                    .map_err(|_| draft.unsupported(arguments.segment().unwrap_or(*id)))?;
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
                let segment = request.segments().get(id.index());
                let block = segment.and_then(attachment);
                (block.ok_or_else(|| draft.unsupported(*id))?, Some(*id))
            }
            Part::Unknown => return Err(Unsupported::new(format!("messages[{index}]"))),
        };
        if let Some(keep) = marked.and_then(|id| draft.cache_mark(id)) {
            block["cache_control"] = written(keep);
        }
        blocks.push(block);
    }
    Ok(blocks)
}

/// An image or a document. Data has to say what it is; an address is fetched by the
/// provider.
fn attachment(segment: &Segment) -> Option<Value> {
    let (kind, source) = match attached(segment)? {
        Attached::Data { media, data } => {
            let kind = match media.as_str() {
                "image/jpeg" | "image/png" | "image/gif" | "image/webp" => "image",
                "application/pdf" => "document",
                _ => return None,
            };
            (kind, json!({ "type": "base64", "media_type": media, "data": data }))
        }
        Attached::Address(url) => {
            let is_document = segment.media_type.as_deref() == Some("application/pdf");
            let kind = if is_document { "document" } else { "image" };
            (kind, json!({ "type": "url", "url": url }))
        }
    };
    Some(json!({ "type": kind, "source": source }))
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
