//! A whole answer from the pieces of one.

use std::collections::BTreeMap;

use ringfence_chat::{Chunk, Event, FinishReason, TextKind};
use serde_json::{Map, Value, json};

use super::writing::field;
use crate::encoder::call_id;

/// One choice, gathered.
#[derive(Default)]
struct Folded {
    texts: BTreeMap<&'static str, String>,
    calls: BTreeMap<u32, Call>,
    reason: Option<FinishReason>,
}

#[derive(Default)]
struct Call {
    id: Option<String>,
    name: String,
    arguments: String,
}

/// The answer that `chunks` amount to, within what `frame` holds already.
pub(crate) fn fold(
    frame: Map<String, Value>,
    chunks: Vec<Chunk>,
    usage: Option<Value>,
    answer: &str,
) -> Value {
    let mut choices: BTreeMap<u32, Folded> = BTreeMap::new();
    for event in chunks.into_iter().flat_map(|chunk| chunk.events) {
        match event {
            Event::Start { .. } | Event::Pause { .. } | Event::Usage(_) | Event::Vector { .. } => {}
            Event::Text { choice, kind, text, .. } => {
                let texts = &mut choices.entry(choice).or_default().texts;
                texts.entry(field(kind)).or_default().push_str(&text);
            }
            Event::ToolCall { choice, index, id, name, arguments, .. } => {
                let calls = &mut choices.entry(choice).or_default().calls;
                let call = calls.entry(index).or_default();
                call.id = call.id.take().or(id);
                call.name.push_str(&name.unwrap_or_default());
                call.arguments.push_str(&arguments);
            }
            Event::Finish { choice, reason } => {
                choices.entry(choice).or_default().reason.get_or_insert(reason);
            }
        }
    }
    if choices.is_empty() {
        choices.insert(0, Folded::default());
    }
    let choices: Vec<Value> =
        choices.into_iter().map(|(choice, folded)| folded.json(choice, answer)).collect();
    let mut body = frame;
    body.insert("choices".to_owned(), Value::Array(choices));
    if let Some(usage) = usage {
        body.insert("usage".to_owned(), usage);
    }
    Value::Object(body)
}

impl Folded {
    fn json(mut self, choice: u32, answer: &str) -> Value {
        let called = !self.calls.is_empty();
        let refusal = self.texts.remove(field(TextKind::Refusal));
        let content = self.texts.remove(field(TextKind::Answer));
        // An answer without text has an empty one, unless something else stands for it.
        let content = content.or((!called && refusal.is_none()).then(String::new));
        let mut message = Map::new();
        message.insert("role".to_owned(), Value::from("assistant"));
        message.insert("content".to_owned(), Value::from(content));
        message.insert("refusal".to_owned(), Value::from(refusal));
        message.extend(self.texts.into_iter().map(|(name, text)| (name.to_owned(), text.into())));
        if called {
            let calls: Vec<Value> = (self.calls.into_iter())
                .map(|(index, call)| {
                    let id = call.id.unwrap_or_else(|| call_id(answer, choice, index));
                    let function = json!({ "name": call.name, "arguments": call.arguments });
                    json!({ "id": id, "type": "function", "function": function })
                })
                .collect();
            message.insert("tool_calls".to_owned(), Value::Array(calls));
        }
        let usual = if called { FinishReason::ToolCalls } else { FinishReason::Stop };
        json!({
            "index": choice,
            "message": message,
            "logprobs": null,
            "finish_reason": self.reason.unwrap_or(usual).name(),
        })
    }
}
