//! An answer for a client of this dialect, written.

use std::collections::BTreeMap;

use ringfence_chat::{Chunk, Event, Vector};
use serde_json::{Map, Value, json};

use crate::encoder::Envelope;
use crate::object_writer::ObjectWriter;

/// Writes one answer, which is whole: vectors are not streamed.
pub(crate) struct Writer {
    envelope: Envelope,
}

impl Writer {
    pub fn new(envelope: Envelope) -> Writer {
        Writer { envelope }
    }

    /// Writes a whole answer.
    pub fn whole(self, chunks: Vec<Chunk>) -> Vec<u8> {
        let mut vectors = BTreeMap::new();
        let (mut model, mut tokens, mut rest) = (None, 0, Map::new());
        for chunk in chunks {
            if let Some(Value::Object(body)) = chunk.original.map(|original| original.body) {
                rest = body;
            }
            for event in chunk.events {
                match event {
                    Event::Vector { index, vector } => drop(vectors.insert(index, vector)),
                    Event::Start { model: Some(told), .. } => model = Some(told),
                    Event::Usage(usage) => tokens = usage.input,
                    _ => {}
                }
            }
        }
        let mut out = Vec::new();
        let mut members = ObjectWriter::begin(&mut out);
        members.add("object", &Value::from("list"));
        members.add_with("data", |out| data(&vectors, out));
        members.add("model", &Value::from(model.unwrap_or(self.envelope.model)));
        for (name, value) in rest.iter().filter(|(name, _)| *name != "object") {
            members.add(name, value);
        }
        members.add("usage", &json!({ "prompt_tokens": tokens, "total_tokens": tokens }));
        members.end();
        out
    }
}

fn data(vectors: &BTreeMap<u32, Vector>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (position, (index, vector)) in vectors.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        let mut members = ObjectWriter::begin(out);
        members.add("object", &Value::from("embedding"));
        members.add("index", &Value::from(*index));
        match vector {
            Vector::Numbers(numbers) => members.add("embedding", numbers),
            Vector::Packed(text) => members.add("embedding", text),
        }
        members.end();
    }
    out.push(b']');
}
