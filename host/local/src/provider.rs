//! The local model behind the fence's trait.

use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use ringfence_chat::{Chunk, Event, Part, Request, Role, Turn};
use ringfence_fence::{Answer, Departure, Encoded, Failure, FailureKind, Masked, Provider};
use tokio::sync::mpsc;

use crate::generate::Wish;
use crate::local::Local;
use crate::queue::{Job, NotTaken};
use crate::runner::{self, FURTHER_CHUNKS};
use crate::template::Message;

impl Provider for Local {
    /// Renders the conversation through the model's chat template.
    fn encode(&self, masked: &Masked) -> Result<Encoded, Failure> {
        let request = masked.request();
        check(request)?;
        let model = &self.shared.model;
        let messages: Vec<Message> =
            request.turns.iter().map(|turn| message(request, turn)).collect::<Result<_, _>>()?;
        let prompt = model.template.render(&messages).map_err(|_| {
            rejected(
                "the model's chat template does not accept these messages: it may want \
                      roles that alternate, or no system message",
            )
        })?;
        let at_least = model.tokenizer.at_least(prompt.len());
        if model.room_for_answer(at_least.max(1), None).is_none() {
            return Err(runner::too_long(model, at_least));
        }
        let tokens = model.tokenizer.encode(&prompt);
        let tokens = tokens.map_err(|_| rejected("the prompt cannot be tokenised"))?.len();
        if tokens == 0 {
            return Err(rejected("the prompt is empty"));
        }
        if model.room_for_answer(tokens, None).is_none() {
            return Err(runner::too_long(model, tokens));
        }
        let dropped = (request.optional.iter())
            .filter(|name| !Local::HONOURS.contains(&name.as_str()))
            .cloned()
            .collect();
        Ok(Encoded { body: Bytes::from(prompt), dropped })
    }

    /// Joins the queue and waits for the first token.
    fn send(&self, departure: Departure) -> BoxFuture<'_, Result<Answer, Failure>> {
        Box::pin(async move {
            let model = &self.shared.model;
            let (replies, receiver) = mpsc::channel(model.context as usize + FURTHER_CHUNKS);
            let job = Job {
                prompt: departure.body().clone(),
                model: departure.model().to_owned(),
                wish: wish(departure.request()),
                replies,
                since: Instant::now(),
            };
            self.shared.queue.push(job).map_err(|reason| match reason {
                NotTaken::Full => {
                    let message = "as many requests wait for the local model as may";
                    let mut failure = Failure::new(FailureKind::Full, message);
                    failure.retry_after = Some(self.shared.gauge.retry_after());
                    failure
                }
                NotTaken::Closed => ended(),
            })?;
            let mut receiver = receiver;
            let first = receiver.recv().await.unwrap_or_else(|| Err(ended()))?;
            Ok(Answer { headers: Vec::new(), chunks: chunks(first, receiver) })
        })
    }
}

/// What the clearance leaves to this provider, once more, and the bounds of its own.
fn check(request: &Request) -> Result<(), Failure> {
    if let Some(need) = request.needs.first() {
        return Err(rejected(format!("the local model has no {}", need.name())));
    }
    let sampling = &request.sampling;
    if sampling.choices > 1 {
        return Err(rejected("the local model gives one choice"));
    }
    if sampling.temperature.is_some_and(|value| !(0.0..=100.0).contains(&value)) {
        return Err(rejected("temperature must not be negative"));
    }
    if sampling.top_p.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
        return Err(rejected("top_p must be between 0 and 1"));
    }
    if sampling.stop.len() > Local::STOPS {
        return Err(rejected(format!("more than {} stop texts", Local::STOPS)));
    }
    if sampling.stop.iter().any(|&stop| request.text(stop).len() > Local::STOP_BYTES) {
        return Err(rejected(format!("a stop text of more than {} bytes", Local::STOP_BYTES)));
    }
    Ok(())
}

fn message(request: &Request, turn: &Turn) -> Result<Message, Failure> {
    let role = match turn.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => return Err(rejected("the local model has no tools")),
    };
    let mut texts = Vec::new();
    let mut reasoning = Vec::new();
    for part in &turn.parts {
        match part {
            Part::Text(id) | Part::Refusal(id) => texts.push(request.text(*id)),
            Part::Reasoning(id) => reasoning.push(request.text(*id)),
            Part::ToolCall { .. } | Part::ToolResult { .. } => {
                return Err(rejected("the local model has no tools"));
            }
            Part::Attachment(_) | Part::Unknown => {
                return Err(rejected("the local model reads text and nothing else"));
            }
        }
    }
    let reasoning = (!reasoning.is_empty()).then(|| reasoning.join("\n"));
    Ok(Message { role, content: texts.join("\n"), reasoning })
}

fn wish(request: &Request) -> Wish {
    let sampling = &request.sampling;
    Wish {
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        seed: sampling.seed,
        max_tokens: sampling.max_tokens,
        stops: sampling.stop.iter().map(|&id| request.text(id).to_owned()).collect(),
    }
}

type Receiver = mpsc::Receiver<Result<Chunk, Failure>>;

/// The answer as a stream. Dropping it drops the receiver, which cancels the job. A
/// channel that ends without the usage is an answer that broke off.
fn chunks(first: Chunk, receiver: Receiver) -> BoxStream<'static, Result<Chunk, Failure>> {
    let rest = stream::unfold(Some(receiver), |state| async {
        let mut receiver = state?;
        match receiver.recv().await {
            Some(Ok(chunk)) => {
                let last = matches!(chunk.events.last(), Some(Event::Usage(_)));
                Some((Ok(chunk), (!last).then_some(receiver)))
            }
            Some(Err(failure)) => Some((Err(failure), None)),
            None => Some((Err(ended()), None)),
        }
    });
    stream::iter([Ok(first)]).chain(rest).boxed()
}

fn ended() -> Failure {
    Failure::new(FailureKind::Unwell, "the local model is shutting down")
}

fn rejected(message: impl Into<std::borrow::Cow<'static, str>>) -> Failure {
    Failure::new(FailureKind::Rejected, message)
}
