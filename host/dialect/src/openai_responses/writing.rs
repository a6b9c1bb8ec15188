//! An answer for a client of this dialect, written.

use std::collections::BTreeMap;

use ringfence_chat::{Chunk, Event, FinishReason, TextKind, Usage, sse};
use serde_json::{Map, Value, json};

use super::output::{Called, Item, Piece, PieceKind, Said};
use crate::encoder::{Envelope, ErrorBody, call_id, to_bytes};

/// Writes one answer.
///
/// Whatever order chunks come in: items are numbered in the order in which they begin,
/// each is ended once, and the last event tells how it all ended.
pub(crate) struct Writer {
    envelope: Envelope,
    model: Option<String>,
    /// False for a whole answer, of which only the end is written.
    streams: bool,
    sequence: u64,
    begun: bool,
    items: Vec<Item>,
    /// How each item that is over ended.
    ended: BTreeMap<usize, &'static str>,
    /// The item of each call.
    calls: BTreeMap<u32, usize>,
    reason: Option<FinishReason>,
    usage: Option<Usage>,
}

impl Writer {
    pub fn new(envelope: Envelope) -> Writer {
        Writer {
            envelope,
            model: None,
            streams: true,
            sequence: 0,
            begun: false,
            items: Vec::new(),
            ended: BTreeMap::new(),
            calls: BTreeMap::new(),
            reason: None,
            usage: None,
        }
    }

    /// Writes one chunk of a stream. No target speaks this dialect, so that there are
    /// events and no original.
    pub fn chunk(&mut self, chunk: Chunk, out: &mut Vec<u8>) {
        for event in &chunk.events {
            if let Event::Start { model, .. } = event {
                self.model = self.model.take().or_else(|| model.clone());
            }
        }
        for event in chunk.events {
            self.said(event, out);
        }
    }

    /// Writes the end of a complete stream.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        self.begin(out);
        self.close_all(out);
        let kind = match self.status() {
            "incomplete" => "response.incomplete",
            _ => "response.completed",
        };
        let response = self.response(self.status());
        self.event(kind, json!({ "response": response }), out);
    }

    /// Writes the end of a stream that failed.
    pub fn error(&mut self, error: &ErrorBody, out: &mut Vec<u8>) {
        self.begin(out);
        let ErrorBody { message, param, code, .. } = error;
        self.event("error", json!({ "code": code, "message": message, "param": param }), out);
        let mut response = self.response("failed");
        let code = code.as_deref().unwrap_or("server_error");
        response.insert("error".to_owned(), json!({ "code": code, "message": message }));
        self.event("response.failed", json!({ "response": response }), out);
    }

    /// Writes a whole answer.
    pub fn whole(mut self, chunks: Vec<Chunk>) -> Vec<u8> {
        self.streams = false;
        let mut nothing = Vec::new();
        chunks.into_iter().for_each(|chunk| self.chunk(chunk, &mut nothing));
        self.close_all(&mut nothing);
        to_bytes(&Value::Object(self.response(self.status())))
    }

    fn said(&mut self, said: Event, out: &mut Vec<u8>) {
        match said {
            Event::Text { choice: 0, kind, text, .. } if !text.is_empty() => {
                self.begin(out);
                let kind = match kind {
                    TextKind::Answer => PieceKind::Text,
                    TextKind::Refusal => PieceKind::Refusal,
                    TextKind::Reasoning | TextKind::SignedReasoning => PieceKind::Reasoning,
                };
                self.text(kind, &text, out);
            }
            Event::ToolCall { choice: 0, index, id, name, arguments, .. } => {
                self.begin(out);
                self.call(index, id, name, &arguments, out);
            }
            Event::Pause { choice: 0 } => {
                if let Some(index) = self.speaking() {
                    self.close_part(index, out);
                }
            }
            Event::Finish { choice: 0, reason } => {
                self.begin(out);
                self.reason.get_or_insert(reason);
                self.close_all(out);
            }
            Event::Usage(usage) => self.usage = Some(usage),
            // There is one choice, and no vectors.
            _ => {}
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        for kind in ["response.created", "response.in_progress"] {
            let response = self.response("in_progress");
            self.event(kind, json!({ "response": response }), out);
        }
    }

    fn text(&mut self, kind: PieceKind, text: &str, out: &mut Vec<u8>) {
        let reasons = kind == PieceKind::Reasoning;
        let open = self
            .speaking()
            .filter(|&index| matches!(self.items[index], Item::Reasoning(_)) == reasons);
        let index = match open {
            Some(index) => index,
            None => {
                self.hush(out);
                let said = Said::default();
                self.add(if reasons { Item::Reasoning(said) } else { Item::Message(said) }, out)
            }
        };
        let goes_on = self.said_in(index).is_some_and(|said| {
            said.open && said.parts.last().is_some_and(|part| part.kind == kind)
        });
        if !goes_on {
            self.close_part(index, out);
            self.open_part(index, kind, out);
        }
        let id = self.id(index);
        let Some(said) = self.said_in(index) else { return };
        let content = said.parts.len().saturating_sub(1);
        if let Some(part) = said.parts.last_mut() {
            part.text.push_str(text);
        }
        let mut delta = json!({
            "item_id": id, "output_index": index, "content_index": content, "delta": text,
        });
        if kind == PieceKind::Text {
            delta["logprobs"] = json!([]);
        }
        self.event(&format!("response.{}.delta", kind.words().0), delta, out);
    }

    fn call(
        &mut self,
        number: u32,
        id: Option<String>,
        name: Option<String>,
        arguments: &str,
        out: &mut Vec<u8>,
    ) {
        let index = match self.calls.get(&number) {
            // What comes behind the end of a call belongs to none.
            Some(index) if self.ended.contains_key(index) => return,
            Some(&index) => {
                if let (Item::Call(called), Some(more)) = (&mut self.items[index], name) {
                    called.name.push_str(&more);
                }
                index
            }
            None => {
                self.hush(out);
                let call = id.unwrap_or_else(|| call_id(&self.envelope.id, 0, number));
                let name = name.unwrap_or_default();
                let called = Called { call, name, arguments: String::new() };
                let index = self.add(Item::Call(called), out);
                self.calls.insert(number, index);
                index
            }
        };
        if arguments.is_empty() {
            return;
        }
        let id = self.id(index);
        if let Item::Call(called) = &mut self.items[index] {
            called.arguments.push_str(arguments);
        }
        let delta = json!({ "item_id": id, "output_index": index, "delta": arguments });
        self.event("response.function_call_arguments.delta", delta, out);
    }

    /// The message or the reasoning that may still go on: calls may all go on at once,
    /// and only the last one that speaks does.
    fn speaking(&self) -> Option<usize> {
        let spoken = |item: &Item| !matches!(item, Item::Call(_));
        let last = self.items.iter().rposition(spoken)?;
        (!self.ended.contains_key(&last)).then_some(last)
    }

    /// Ends what speaks.
    fn hush(&mut self, out: &mut Vec<u8>) {
        if let Some(index) = self.speaking() {
            self.close(index, "completed", out);
        }
    }

    fn add(&mut self, item: Item, out: &mut Vec<u8>) -> usize {
        let index = self.items.len();
        self.items.push(item);
        let item = self.items[index].json(&self.id(index), "in_progress");
        self.event(
            "response.output_item.added",
            json!({ "output_index": index, "item": item }),
            out,
        );
        index
    }

    fn open_part(&mut self, index: usize, kind: PieceKind, out: &mut Vec<u8>) {
        let id = self.id(index);
        let Some(said) = self.said_in(index) else { return };
        let content = said.parts.len();
        said.parts.push(Piece { kind, text: String::new() });
        said.open = true;
        let data = json!({
            "item_id": id, "output_index": index, "content_index": content, "part": kind.json(""),
        });
        self.event("response.content_part.added", data, out);
    }

    fn close_part(&mut self, index: usize, out: &mut Vec<u8>) {
        let id = self.id(index);
        let Some(said) = self.said_in(index) else { return };
        if !std::mem::replace(&mut said.open, false) {
            return;
        }
        let content = said.parts.len().saturating_sub(1);
        let Some(Piece { kind, text }) = said.parts.last() else { return };
        let (word, member) = kind.words();
        let place = json!({ "item_id": id, "output_index": index, "content_index": content });
        let (mut done, mut part) = (place.clone(), place);
        done[member] = Value::from(text.as_str());
        if *kind == PieceKind::Text {
            done["logprobs"] = json!([]);
        }
        part["part"] = kind.json(text);
        self.event(&format!("response.{word}.done"), done, out);
        self.event("response.content_part.done", part, out);
    }

    fn close(&mut self, index: usize, status: &'static str, out: &mut Vec<u8>) {
        if self.ended.contains_key(&index) {
            return;
        }
        self.close_part(index, out);
        self.ended.insert(index, status);
        let id = self.id(index);
        if let Item::Call(Called { name, arguments, .. }) = &self.items[index] {
            let done = json!({
                "item_id": id, "output_index": index, "name": name, "arguments": arguments,
            });
            self.event("response.function_call_arguments.done", done, out);
        }
        let item = self.items[index].json(&id, status);
        self.event(
            "response.output_item.done",
            json!({ "output_index": index, "item": item }),
            out,
        );
    }

    fn close_all(&mut self, out: &mut Vec<u8>) {
        for index in 0..self.items.len() {
            self.close(index, self.status(), out);
        }
    }

    /// How the answer ended.
    fn status(&self) -> &'static str {
        match self.reason {
            Some(FinishReason::Length | FinishReason::ContentFilter) => "incomplete",
            _ => "completed",
        }
    }

    fn said_in(&mut self, index: usize) -> Option<&mut Said> {
        match self.items.get_mut(index)? {
            Item::Message(said) | Item::Reasoning(said) => Some(said),
            Item::Call(_) => None,
        }
    }

    /// The id of an item: of this answer and of no other.
    fn id(&self, index: usize) -> String {
        let own = self.envelope.id.trim_start_matches("resp_");
        let prefix = self.items.get(index).map_or("item", Item::prefix);
        format!("{prefix}_{own}_{index}")
    }

    /// The answer as it stands.
    fn response(&self, status: &str) -> Map<String, Value> {
        let mut response = self.envelope.echo.0.clone();
        let mut add = |name: &str, value: Value| drop(response.insert(name.to_owned(), value));
        add("id", Value::from(self.envelope.id.as_str()));
        add("object", Value::from("response"));
        add("created_at", Value::from(self.envelope.created));
        add("status", Value::from(status));
        add("error", Value::Null);
        let why = match self.reason {
            Some(FinishReason::Length) => json!({ "reason": "max_output_tokens" }),
            Some(FinishReason::ContentFilter) => json!({ "reason": "content_filter" }),
            _ => Value::Null,
        };
        add("incomplete_details", if status == "incomplete" { why } else { Value::Null });
        add("model", Value::from(self.model.as_deref().unwrap_or(&self.envelope.model)));
        // Before the end it is the items' own events that tell of them.
        let items = self.items.iter().enumerate().filter(|_| status != "in_progress");
        let items = items.map(|(index, item)| {
            let status = self.ended.get(&index).copied().unwrap_or("incomplete");
            item.json(&self.id(index), status)
        });
        add("output", items.collect());
        let usage = self.usage.as_ref().filter(|_| status != "in_progress");
        add("usage", usage.map_or(Value::Null, usage_json));
        response
    }

    fn event(&mut self, kind: &str, mut data: Value, out: &mut Vec<u8>) {
        if !self.streams {
            return;
        }
        data["type"] = Value::from(kind);
        data["sequence_number"] = Value::from(self.sequence);
        self.sequence += 1;
        sse::write(Some(kind), &data.to_string(), out);
    }
}

fn usage_json(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.input,
        "input_tokens_details": { "cached_tokens": usage.cached },
        "output_tokens": usage.output,
        "output_tokens_details": { "reasoning_tokens": usage.reasoning },
        "total_tokens": u64::from(usage.input) + u64::from(usage.output),
    })
}
