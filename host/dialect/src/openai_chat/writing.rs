//! An answer for a client of this dialect, written.

use std::collections::BTreeMap;

use ringfence_chat::{Chunk, Dialect, Event, FinishReason, Original, TextKind, Usage, sse};
use serde_json::{Map, Value, json};

use super::folding::fold;
use super::put_back::{Said, put_back};
use crate::encoder::{Envelope, ErrorBody, ModelEntry, call_id, to_bytes};

/// Writes one answer.
///
/// Whatever order chunks come in: the first delta of each choice bears the role, each
/// choice ends once, the first delta of each tool call bears its id, type and name, and
/// id, model and time are the same throughout.
pub(crate) struct Writer {
    envelope: Envelope,
    id: Option<String>,
    model: Option<String>,
    created: Option<u64>,
    choices: BTreeMap<u32, Choice>,
    usage: Option<Value>,
}

/// What of a choice has been written.
#[derive(Default)]
pub(crate) struct Choice {
    pub begun: bool,
    pub finished: bool,
    /// Numbers of the calls that have begun.
    pub calls: Vec<u32>,
    /// The call is in the form of before 2023-11.
    pub legacy: bool,
}

impl Writer {
    pub fn new(envelope: Envelope) -> Writer {
        Writer {
            envelope,
            id: None,
            model: None,
            created: None,
            choices: BTreeMap::new(),
            usage: None,
        }
    }

    /// Writes one chunk of a stream.
    pub fn chunk(&mut self, chunk: Chunk, out: &mut Vec<u8>) {
        self.hear(&chunk.events);
        match chunk.original {
            Some(Original { dialect: Dialect::OpenAiChat, body, whole: false, .. }) => {
                self.original(body, chunk.events, out);
            }
            _ => chunk.events.into_iter().for_each(|event| self.made(event, out)),
        }
    }

    /// Writes the end of a complete stream.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        if self.choices.is_empty() {
            self.choices.insert(0, Choice::default());
        }
        // Clients wait for each choice's end; a server that only closed said no reason.
        let open: Vec<(u32, FinishReason)> = (self.choices.iter())
            .filter(|(_, state)| !state.finished)
            .map(|(&choice, state)| {
                let called = !state.calls.is_empty() || state.legacy;
                (choice, if called { FinishReason::ToolCalls } else { FinishReason::Stop })
            })
            .collect();
        for (choice, reason) in open {
            self.made(Event::Finish { choice, reason }, out);
        }
        if let Some(usage) = self.usage.take().filter(|_| self.envelope.wants_usage) {
            let mut body = self.frame("chat.completion.chunk");
            body.insert("choices".to_owned(), Value::Array(Vec::new()));
            body.insert("usage".to_owned(), usage);
            event(&Value::Object(body), out);
        }
        sse::write(None, "[DONE]", out);
    }

    /// Writes the end of a stream that failed.
    pub fn error(&mut self, error: &ErrorBody, out: &mut Vec<u8>) {
        event(&error_json(error), out);
    }

    /// Writes a whole answer.
    pub fn whole(mut self, mut chunks: Vec<Chunk>) -> Vec<u8> {
        chunks.iter().for_each(|chunk| self.hear(&chunk.events));
        chunks.retain(|chunk| !chunk.events.is_empty());
        match chunks.pop() {
            Some(Chunk { events, original: Some(original) })
                if chunks.is_empty()
                    && original.whole
                    && original.dialect == Dialect::OpenAiChat =>
            {
                self.whole_original(original.body, events)
            }
            last => {
                chunks.extend(last);
                let frame = self.frame("chat.completion");
                to_bytes(&fold(frame, chunks, self.usage, &self.envelope.id))
            }
        }
    }

    fn whole_original(mut self, mut body: Value, events: Vec<Event>) -> Vec<u8> {
        self.created = body.get("created").and_then(Value::as_u64);
        let frame = self.frame("chat.completion");
        put_back(&mut body, events, Said::Message, &mut self.choices, &self.envelope.id);
        if let Value::Object(map) = &mut body {
            map.extend(frame);
        }
        to_bytes(&body)
    }

    /// A chunk that came in this dialect.
    fn original(&mut self, mut body: Value, events: Vec<Event>, out: &mut Vec<u8>) {
        let Value::Object(map) = &mut body else { return };
        if self.created.is_none() {
            self.created = map.get("created").and_then(Value::as_u64);
        }
        let told = map.shift_remove("usage").filter(Value::is_object);
        let tells = told.is_some();
        self.usage = told.or(self.usage.take());
        let silent = match map.get("choices") {
            // Before the model is known there is nothing to say that with.
            Some(Value::Array(choices)) => choices.is_empty() && (tells || self.model.is_none()),
            _ => true,
        };
        // What was added to a chunk comes before it: it may hold the choice's end.
        let (added, events): (Vec<Event>, Vec<Event>) =
            events.into_iter().partition(|event| match event {
                Event::Text { place, .. } | Event::ToolCall { place, .. } => place.is_none(),
                _ => false,
            });
        added.into_iter().for_each(|event| self.made(event, out));
        if silent {
            return events.into_iter().for_each(|event| self.made(event, out));
        }
        map.extend(self.frame("chat.completion.chunk"));
        if self.envelope.wants_usage {
            map.insert("usage".to_owned(), Value::Null);
        }
        let id = &self.envelope.id;
        let left = put_back(&mut body, events, Said::Delta, &mut self.choices, id);
        event(&body, out);
        left.into_iter().for_each(|event| self.made(event, out));
    }

    /// An event that has no JSON of this dialect.
    fn made(&mut self, said: Event, out: &mut Vec<u8>) {
        let mut delta = Map::new();
        let (choice, reason) = match said {
            Event::Start { .. } | Event::Pause { .. } | Event::Usage(_) | Event::Vector { .. } => {
                return;
            }
            Event::Text { text, .. } if text.is_empty() => return,
            Event::Text { choice, kind, text, .. } => {
                delta.insert(field(kind).to_owned(), Value::from(text));
                (choice, None)
            }
            Event::ToolCall { choice, index, id, name, arguments, .. } => {
                let state = self.choices.entry(choice).or_default();
                let (name, value) = if state.legacy {
                    ("function_call", json!({ "arguments": arguments }))
                } else {
                    let is_new = state.begin_call(index);
                    let mut function = Map::new();
                    if let Some(name) = name.or(is_new.then(String::new)) {
                        function.insert("name".to_owned(), Value::from(name));
                    }
                    function.insert("arguments".to_owned(), Value::from(arguments));
                    let mut call = Map::new();
                    call.insert("index".to_owned(), Value::from(index));
                    if is_new {
                        let id = id.unwrap_or_else(|| call_id(&self.envelope.id, choice, index));
                        call.insert("id".to_owned(), Value::from(id));
                        call.insert("type".to_owned(), Value::from("function"));
                    }
                    call.insert("function".to_owned(), Value::Object(function));
                    ("tool_calls", json!([call]))
                };
                delta.insert(name.to_owned(), value);
                (choice, None)
            }
            Event::Finish { choice, reason } => (choice, Some(reason)),
        };
        let state = self.choices.entry(choice).or_default();
        if reason.is_some() && std::mem::replace(&mut state.finished, true) {
            return;
        }
        if !std::mem::replace(&mut state.begun, true) {
            let mut first = Map::new();
            first.insert("role".to_owned(), Value::from("assistant"));
            if delta.is_empty() {
                first.insert("content".to_owned(), Value::from(""));
            }
            first.append(&mut delta);
            delta = first;
        }
        let mut body = self.frame("chat.completion.chunk");
        let reason = reason.map_or(Value::Null, |reason| Value::from(reason.name()));
        let choice =
            json!({ "index": choice, "delta": delta, "logprobs": null, "finish_reason": reason });
        body.insert("choices".to_owned(), json!([choice]));
        if self.envelope.wants_usage {
            body.insert("usage".to_owned(), Value::Null);
        }
        event(&Value::Object(body), out);
    }

    /// Remembers what is the same throughout the answer.
    fn hear(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::Start { id, model } => {
                    self.id = self.id.take().or_else(|| id.clone());
                    self.model = self.model.take().or_else(|| model.clone());
                }
                Event::Usage(usage) => self.usage = Some(usage_json(usage)),
                _ => {}
            }
        }
    }

    /// What every chunk and a whole answer begin with. From the first call on it is
    /// the same.
    fn frame(&mut self, object: &str) -> Map<String, Value> {
        let id = self.id.get_or_insert_with(|| self.envelope.id.clone());
        let model = self.model.get_or_insert_with(|| self.envelope.model.clone());
        let created = *self.created.get_or_insert(self.envelope.created);
        let mut frame = Map::new();
        frame.insert("id".to_owned(), Value::from(id.as_str()));
        frame.insert("object".to_owned(), Value::from(object));
        frame.insert("created".to_owned(), Value::from(created));
        frame.insert("model".to_owned(), Value::from(model.as_str()));
        frame
    }
}

impl Choice {
    /// Notes a tool call. True when it is its first delta.
    pub fn begin_call(&mut self, index: u32) -> bool {
        let is_new = !self.calls.contains(&index);
        if is_new {
            self.calls.push(index);
        }
        is_new
    }
}

/// The name of the member that holds text of this kind.
pub(crate) fn field(kind: TextKind) -> &'static str {
    match kind {
        TextKind::Answer => "content",
        TextKind::Reasoning | TextKind::SignedReasoning => "reasoning_content",
        TextKind::Refusal => "refusal",
    }
}

fn usage_json(usage: &Usage) -> Value {
    json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": u64::from(usage.input) + u64::from(usage.output),
        "prompt_tokens_details": { "cached_tokens": usage.cached },
        "completion_tokens_details": { "reasoning_tokens": usage.reasoning },
    })
}

/// An error as this dialect says it.
pub(crate) fn error_json(error: &ErrorBody) -> Value {
    json!({ "error": {
        "message": error.message,
        "type": error.kind,
        "param": error.param,
        "code": error.code,
    } })
}

/// The list of models as this dialect says it.
pub(crate) fn models_json(models: &[ModelEntry]) -> Value {
    let data: Vec<Value> = models.iter().map(model_json).collect();
    json!({ "object": "list", "data": data })
}

/// A model as this dialect says it.
pub(crate) fn model_json(model: &ModelEntry) -> Value {
    json!({
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": model.owned_by,
    })
}

fn event(body: &Value, out: &mut Vec<u8>) {
    sse::write(None, &body.to_string(), out);
}
