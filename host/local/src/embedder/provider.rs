//! The embedder behind the fence's trait.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream;
use ringfence_chat::{Capability, Chunk, Event, Part, Request, Turn, Usage, Vector};
use ringfence_fence::{Answer, Departure, Encoded, Failure, FailureKind, Masked, Provider};

use super::{EmbedFault, Embedder, normalise};
use crate::encoder::{EncoderConfig, ReadFault};

impl Provider for Embedder {
    /// The texts, as a list in JSON.
    fn encode(&self, masked: &Masked) -> Result<Encoded, Failure> {
        let request = masked.request();
        if !request.embeds() {
            return Err(rejected("this model makes vectors and writes no answers"));
        }
        if let Some(need) = request.needs.iter().find(|need| **need != Capability::Embeddings) {
            return Err(rejected(format!("this model has no {}", need.name())));
        }
        let texts = texts(request)?;
        if texts.len() > Embedder::TEXTS {
            let (many, most) = (texts.len(), Embedder::TEXTS);
            return Err(rejected(format!("{many} inputs, and this model takes {most} at once")));
        }
        self.width(request)?;
        let body = serde_json::to_vec(&texts)
            .map_err(|_| rejected("the inputs cannot be written as JSON"))?;
        Ok(Encoded { body: Bytes::from(body), dropped: request.optional.clone() })
    }

    /// Joins the queue and waits for all vectors.
    fn send(&self, departure: Departure) -> BoxFuture<'_, Result<Answer, Failure>> {
        Box::pin(async move {
            let request = departure.request();
            let form = Form {
                width: self.width(request)?,
                packed: request.vectors.packed,
                normalised: self.is_normalised,
            };
            let texts = texts(request)?.into_iter().map(Arc::from).collect();
            let vectors = self.embed(texts, EncoderConfig::WITHIN).await.map_err(failure)?;
            let model = departure.model().to_owned();
            // Millions of numbers take a while to write.
            let chunk = tokio::task::spawn_blocking(move || form.chunk(model, vectors));
            let chunk = chunk.await.map_err(|_| failure(ReadFault::Failed.into()))?;
            Ok(Answer { headers: Vec::new(), chunks: stream::iter([Ok(chunk)]).boxed() })
        })
    }
}

impl Embedder {
    fn width(&self, request: &Request) -> Result<usize, Failure> {
        let asked = request.vectors.dimensions;
        self.description.widths.of(asked).map_err(|wrong| rejected(wrong.to_string()))
    }
}

/// How a client wants its vectors.
struct Form {
    width: usize,
    packed: bool,
    normalised: bool,
}

impl Form {
    fn chunk(&self, model: String, vectors: Vec<super::Vector>) -> Chunk {
        let input = vectors.iter().map(|vector| vector.tokens).fold(0, u32::saturating_add);
        let mut events = vec![Event::Start { id: None, model: Some(model) }];
        events.extend((0..).zip(vectors).map(|(index, vector)| {
            let mut values = vector.values;
            if self.width < values.len() {
                values.truncate(self.width);
                // What was of length one shall be so again.
                if self.normalised {
                    normalise(&mut values);
                }
            }
            let vector = if self.packed { packed(&values) } else { numbers(&values) };
            Event::Vector { index, vector }
        }));
        events.push(Event::Usage(Usage { input, ..Usage::default() }));
        Chunk::made(events)
    }
}

fn packed(values: &[f32]) -> Vector {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Vector::Packed(BASE64_STANDARD.encode(bytes))
}

/// The shortest numbers that are these: `0.1` and not `0.10000000149011612`.
fn numbers(values: &[f32]) -> Vector {
    let numbers = values.iter();
    let numbers = numbers.map(|value| value.to_string().parse().unwrap_or(f64::from(*value)));
    Vector::Numbers(numbers.collect())
}

/// One text for each turn.
fn texts(request: &Request) -> Result<Vec<&str>, Failure> {
    let text = |turn: &Turn| match turn.parts.as_slice() {
        [Part::Text(id)] => Ok(request.text(*id)),
        _ => Err(rejected("this model reads text and nothing else")),
    };
    request.turns.iter().map(text).collect()
}

fn failure(fault: EmbedFault) -> Failure {
    match fault {
        EmbedFault::TooLong(long) => {
            let mut failure = Failure::new(FailureKind::TooLong, long.to_string());
            failure.code = Some("context_length_exceeded");
            failure
        }
        EmbedFault::Read(ReadFault::Full) => {
            let message = "as many requests wait for the local model of vectors as may";
            Failure::new(FailureKind::Full, message)
        }
        EmbedFault::Read(ReadFault::Late) => {
            Failure::new(FailureKind::TimedOut, "the local model of vectors is late")
        }
        EmbedFault::Read(ReadFault::Failed) => {
            Failure::new(FailureKind::Unwell, "the local model of vectors failed")
        }
    }
}

fn rejected(message: impl Into<std::borrow::Cow<'static, str>>) -> Failure {
    Failure::new(FailureKind::Rejected, message)
}
