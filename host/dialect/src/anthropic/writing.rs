//! An answer for a client of this dialect, written.

mod put_back;

use std::collections::{BTreeSet, HashMap};

use ringfence_chat::{Chunk, Dialect, Event, FinishReason, Original, TextKind, Usage, sse};
use serde_json::{Map, Value, json};

use super::errors::error_json;
use super::gathering::{Block, gather, is_thinking};
use crate::encoder::{Envelope, ErrorBody, call_id, to_bytes};

/// Writes one answer.
///
/// Whatever order chunks come in: the message begins once and first, blocks are numbered
/// by their position without gaps, one is open at a time, a delta fits its block, and
/// the end bears the tokens that were written. There is one choice.
///
/// A call that has begun is streamed until the answer ends, since its pieces may go on
/// at any time; what other targets say meanwhile waits for that.
pub(crate) struct Writer {
    envelope: Envelope,
    id: Option<String>,
    model: Option<String>,
    usage: Usage,
    /// The message has begun.
    started: bool,
    /// The block in hand and its number.
    open: Option<(u32, Open)>,
    /// How many blocks have begun.
    blocks: u32,
    /// Our number of each block of a target of this dialect; none for one that is not
    /// passed on.
    theirs: HashMap<u64, Option<u32>>,
    /// Calls that have begun.
    calls: BTreeSet<u32>,
    /// What waits for the call in hand.
    waiting: Vec<Event>,
    refused: bool,
    reason: Option<FinishReason>,
    /// The end has been told with its reason.
    told: bool,
}

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thinking,
    Call(u32),
    /// What nobody here knows.
    Other,
}

impl Writer {
    pub fn new(envelope: Envelope) -> Writer {
        Writer {
            envelope,
            id: None,
            model: None,
            usage: Usage::default(),
            started: false,
            open: None,
            blocks: 0,
            theirs: HashMap::new(),
            calls: BTreeSet::new(),
            waiting: Vec::new(),
            refused: false,
            reason: None,
            told: false,
        }
    }

    /// Writes one chunk of a stream.
    pub fn chunk(&mut self, chunk: Chunk, out: &mut Vec<u8>) {
        self.hear(&chunk.events);
        match chunk.original {
            Some(Original { dialect: Dialect::AnthropicMessages, body, whole: false, .. }) => {
                self.original(body, chunk.events, out);
            }
            _ => chunk.events.into_iter().for_each(|event| self.made(event, out)),
        }
    }

    /// Writes the end of a complete stream.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        self.start(out);
        self.finish(out);
        if !self.told {
            let delta = json!({ "stop_reason": self.stop_reason(), "stop_sequence": null });
            let usage = self.usage_json();
            event("message_delta", json!({ "delta": delta, "usage": usage }), out);
        }
        event("message_stop", json!({}), out);
    }

    /// Writes the end of a stream that failed.
    pub fn error(&mut self, error: &ErrorBody, out: &mut Vec<u8>) {
        sse::write(Some("error"), &error_json(error).to_string(), out);
    }

    /// Writes a whole answer.
    pub fn whole(mut self, mut chunks: Vec<Chunk>) -> Vec<u8> {
        chunks.iter().for_each(|chunk| self.hear(&chunk.events));
        chunks.retain(|chunk| !chunk.events.is_empty());
        let body = match chunks.pop() {
            Some(Chunk { events, original: Some(original) })
                if chunks.is_empty()
                    && original.whole
                    && original.dialect == Dialect::AnthropicMessages =>
            {
                self.whole_original(original.body, events)
            }
            last => {
                chunks.extend(last);
                self.folded(chunks.into_iter().flat_map(|chunk| chunk.events))
            }
        };
        to_bytes(&body)
    }

    fn folded(mut self, events: impl Iterator<Item = Event>) -> Value {
        let blocks = gather(events);
        let numbers = blocks.iter().filter_map(|block| match block {
            Block::Call { index, .. } => Some(*index),
            _ => None,
        });
        self.calls.extend(numbers);
        let content: Vec<Value> =
            blocks.into_iter().map(|block| block.json(|index| self.call_id(index))).collect();
        let mut body = self.frame();
        body.insert("content".to_owned(), Value::Array(content));
        body.insert("stop_reason".to_owned(), Value::from(self.stop_reason()));
        body.insert("usage".to_owned(), self.usage_json());
        Value::Object(body)
    }

    /// An event that has no JSON of this dialect.
    fn made(&mut self, said: Event, out: &mut Vec<u8>) {
        match said {
            Event::Text { choice: 0, ref text, kind, .. } if !text.is_empty() => {
                let what = if is_thinking(kind) { Open::Thinking } else { Open::Text };
                match self.open {
                    Some((_, Open::Call(_))) => self.waiting.push(said),
                    Some((index, open)) if open == what => delta(index, what, text, out),
                    _ => {
                        let index = self.begin(what, block_of(what), out);
                        delta(index, what, text, out);
                    }
                }
            }
            Event::ToolCall { choice: 0, index: call, ref id, ref name, ref arguments, .. } => {
                match self.open {
                    Some((index, Open::Call(open))) if open == call => {
                        delta(index, Open::Call(call), arguments, out);
                    }
                    Some((_, Open::Call(_))) => self.waiting.push(said),
                    _ => {
                        let id = id.clone().unwrap_or_else(|| self.call_id(call));
                        let name = name.as_deref().unwrap_or("");
                        let block = json!({
                            "type": "tool_use", "id": id, "name": name, "input": {},
                        });
                        let index = self.begin(Open::Call(call), block, out);
                        delta(index, Open::Call(call), arguments, out);
                    }
                }
            }
            Event::Finish { choice: 0, .. } => self.finish(out),
            _ => {}
        }
    }

    /// Closes what is open, and writes what waited.
    fn finish(&mut self, out: &mut Vec<u8>) {
        self.close(out);
        for block in gather(std::mem::take(&mut self.waiting)) {
            let (what, text) = match &block {
                Block::Text(text) => (Open::Text, text),
                Block::Thinking(text) => (Open::Thinking, text),
                Block::Call { index, arguments, .. } => (Open::Call(*index), arguments),
            };
            let text = text.clone();
            let begun = match what {
                Open::Call(_) => {
                    let mut begun = block.json(|index| self.call_id(index));
                    begun["input"] = json!({});
                    begun
                }
                _ => block_of(what),
            };
            let index = self.begin(what, begun, out);
            delta(index, what, &text, out);
            self.close(out);
        }
    }

    /// Begins a block after the one that is open, and gives its number.
    fn begin(&mut self, what: Open, block: Value, out: &mut Vec<u8>) -> u32 {
        self.start(out);
        self.close(out);
        let index = self.number(what);
        event("content_block_start", json!({ "index": index, "content_block": block }), out);
        index
    }

    /// Opens a block and gives its number.
    fn number(&mut self, what: Open) -> u32 {
        let index = self.blocks;
        self.blocks += 1;
        self.open = Some((index, what));
        if let Open::Call(call) = what {
            self.calls.insert(call);
        }
        index
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if let Some((index, _)) = self.open.take() {
            event("content_block_stop", json!({ "index": index }), out);
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let mut message = self.frame();
        message.insert("stop_reason".to_owned(), Value::Null);
        message.insert("usage".to_owned(), self.usage_json());
        event("message_start", json!({ "message": message }), out);
    }

    /// Remembers what the whole answer says.
    fn hear(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::Start { id, model } => {
                    self.id = self.id.take().or_else(|| id.clone());
                    self.model = self.model.take().or_else(|| model.clone());
                }
                Event::Usage(usage) => self.usage = *usage,
                Event::Text { choice: 0, kind: TextKind::Refusal, text, .. } => {
                    self.refused |= !text.is_empty();
                }
                Event::Finish { choice: 0, reason } => {
                    self.reason.get_or_insert(*reason);
                }
                _ => {}
            }
        }
    }

    /// Why the answer ended, in this dialect's word.
    fn stop_reason(&self) -> &'static str {
        match self.reason {
            Some(FinishReason::Length) => "max_tokens",
            Some(FinishReason::ContentFilter) => "refusal",
            _ if self.refused => "refusal",
            Some(FinishReason::ToolCalls) => "tool_use",
            _ if !self.calls.is_empty() => "tool_use",
            Some(FinishReason::Stop) | None => "end_turn",
        }
    }

    /// What an answer begins with.
    fn frame(&self) -> Map<String, Value> {
        let frame = json!({
            "id": self.id.as_deref().unwrap_or(&self.envelope.id),
            "type": "message",
            "role": "assistant",
            "model": self.model.as_deref().unwrap_or(&self.envelope.model),
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
        });
        match frame {
            Value::Object(frame) => frame,
            _ => Map::new(),
        }
    }

    /// Tokens as this dialect counts them: what came from the cache is counted apart.
    fn usage_json(&self) -> Value {
        json!({
            "input_tokens": self.usage.input.saturating_sub(self.usage.cached),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": self.usage.cached,
            "output_tokens": self.usage.output,
        })
    }

    fn call_id(&self, index: u32) -> String {
        call_id(&self.envelope.id, 0, index)
    }
}

/// A block of text as it begins.
fn block_of(what: Open) -> Value {
    match what {
        Open::Thinking => json!({ "type": "thinking", "thinking": "", "signature": "" }),
        _ => json!({ "type": "text", "text": "" }),
    }
}

/// More of a block.
fn delta(index: u32, what: Open, text: &str, out: &mut Vec<u8>) {
    if text.is_empty() {
        return;
    }
    let delta = match what {
        Open::Text | Open::Other => json!({ "type": "text_delta", "text": text }),
        Open::Thinking => json!({ "type": "thinking_delta", "thinking": text }),
        Open::Call(_) => json!({ "type": "input_json_delta", "partial_json": text }),
    };
    event("content_block_delta", json!({ "index": index, "delta": delta }), out);
}

/// One event; its name is its data's type too.
fn event(kind: &str, data: Value, out: &mut Vec<u8>) {
    let mut body = Map::new();
    body.insert("type".to_owned(), Value::from(kind));
    if let Value::Object(data) = data {
        body.extend(data);
    }
    sse::write(Some(kind), &Value::Object(body).to_string(), out);
}
