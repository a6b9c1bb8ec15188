//! A request for a target of this dialect, from a client of the same.

use std::borrow::Cow;
use std::collections::BTreeSet;

use ringfence_chat::Request;
use serde_json::Value;

use super::parameters::is_ignorable;
use crate::Translated;
use crate::asked::header_name;
use crate::fault::Unsupported;
use crate::object_writer::ObjectWriter;

/// The client's own JSON with the target's name of the model, so that every other field
/// arrives as it was written.
///
/// Optional parameters that `honours` leaves out are removed at the top level. So is
/// reasoning with an empty signature, which is how the house gives an answer of another
/// dialect: this dialect's own models refuse what they did not sign.
pub(crate) fn pass_on(
    request: &Request,
    model: &str,
    honours: Option<&[String]>,
) -> Result<Translated, Unsupported> {
    let Value::Object(map) = request.body() else { return Err(Unsupported::new("body")) };
    let mut dropped = BTreeSet::new();
    let mut body = Vec::with_capacity(1024);
    let mut members = ObjectWriter::begin(&mut body);
    members.add("model", &Value::from(model));
    for (name, value) in map {
        let honoured = honours.is_none_or(|names| names.iter().any(|one| one == name));
        match name.as_str() {
            "model" => {}
            "messages" => {
                let messages = signed(value);
                if matches!(messages, Cow::Owned(_)) {
                    dropped.insert("thinking".to_owned());
                }
                members.add(name, &messages);
            }
            other if honoured || !is_ignorable(other) => members.add(name, value),
            other => {
                dropped.insert(header_name(other));
            }
        }
    }
    members.end();
    Ok(Translated { body, dropped: dropped.into_iter().collect() })
}

/// The messages without reasoning that nobody signed, and without those that are empty
/// then.
fn signed(messages: &Value) -> Cow<'_, Value> {
    let blocks = |message: &Value| message.get("content").and_then(Value::as_array).cloned();
    let Some(items) = messages.as_array() else { return Cow::Borrowed(messages) };
    if !items.iter().filter_map(|item| item.get("content")?.as_array()).flatten().any(is_unsigned) {
        return Cow::Borrowed(messages);
    }
    let mut kept = Vec::new();
    for message in items {
        let Some(mut blocks) = blocks(message) else {
            kept.push(message.clone());
            continue;
        };
        let before = blocks.len();
        blocks.retain(|block| !is_unsigned(block));
        if blocks.is_empty() && before > 0 {
            continue;
        }
        let mut message = message.clone();
        message["content"] = Value::Array(blocks);
        kept.push(message);
    }
    Cow::Owned(Value::Array(kept))
}

fn is_unsigned(block: &Value) -> bool {
    block.get("type").is_some_and(|kind| kind == "thinking")
        && block.get("signature").is_some_and(|signature| signature == "")
}
