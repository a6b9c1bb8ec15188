//! An answer on its way to the client: restored, inspected, then encoded.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use ringfence_chat::{Capability, Chunk, Request};
use ringfence_detect::Detector;
use ringfence_dialect::{Echo, Encoder, Envelope, ErrorBody, answer_id};
use ringfence_fence::Failure;
use ringfence_policy::{Following, Unfollowed};

use self::passing::{Flow, Passing};
use crate::attempts::Begun;
use crate::house;
use crate::limits::Permit;
use crate::masking::Restorer;
use crate::problem::Problem;

mod passing;

/// What goes to the client.
pub struct Reply {
    /// Headers besides the content type.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: ReplyBody,
}

/// The body of a reply.
pub enum ReplyBody {
    /// JSON.
    Whole(Bytes),
    /// Server-sent events.
    Stream(BoxStream<'static, Result<Bytes, Infallible>>),
}

/// Makes the reply of an answer that has begun.
///
/// # Errors
/// [`Problem::Withheld`]: a policy failed on a whole answer.
pub async fn reply(
    detector: &Arc<Detector>,
    request: &Request,
    begun: Begun,
    following: Following,
    permit: &Permit,
) -> Result<Reply, Problem> {
    let headers = headers(&begun, permit.headers(request.dialect, house::seconds()));
    let wants_json =
        request.needs.iter().any(|n| matches!(n, Capability::JsonObject | Capability::JsonSchema));
    let Begun { target, model, decision, hidden, chunks, rest, account, .. } = begun;
    let restorer = Restorer::new(&hidden, wants_json, request.dialect);
    let mut outgoing = Outgoing {
        passing: Passing::new(detector, restorer, following, &target.name, account),
        encoder: Encoder::new(
            request.dialect,
            Envelope {
                id: answer_id(request.dialect, &request.id),
                model,
                created: house::seconds(),
                wants_usage: request.wants_usage,
                echo: Echo::of(request),
            },
        ),
    };
    let body = if request.streamed {
        outgoing.passing.begins();
        ReplyBody::Stream(outgoing.stream(chunks, rest))
    } else {
        let withheld = |Unfollowed { policy, .. }| Problem::Withheld { policy, decision };
        ReplyBody::Whole(outgoing.whole(chunks).await.map_err(withheld)?)
    };
    Ok(Reply { headers, body })
}

fn headers(begun: &Begun, limits: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut headers = begun.headers.clone();
    if !limits.is_empty() {
        // How this house counts is what counts for its clients.
        headers.retain(|(name, _)| !name.starts_with("x-ratelimit-"));
        headers.extend(limits);
    }
    let mut add = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
    add("x-ringfence-target", &begun.target.name);
    add("x-ringfence-zone", begun.target.zone.name());
    add("x-ringfence-decision", &begun.decision);
    if !begun.dropped.is_empty() {
        add("x-ringfence-dropped", &begun.dropped.join(", "));
    }
    headers
}

/// An answer that goes out.
struct Outgoing {
    passing: Passing,
    encoder: Encoder,
}

type Chunks = BoxStream<'static, (bool, Result<Chunk, Failure>)>;

impl Outgoing {
    async fn whole(mut self, chunks: Vec<Chunk>) -> Result<Bytes, Unfollowed> {
        let mut passed = Vec::with_capacity(chunks.len());
        let flow = match self.all(chunks, &mut passed).await {
            Ok(flow) => flow,
            Err(failed) => {
                self.passing.withheld();
                return Err(failed);
            }
        };
        self.passing.begins();
        self.passing.ended(flow);
        Ok(Bytes::from(self.encoder.whole(passed)))
    }

    async fn all(
        &mut self,
        chunks: Vec<Chunk>,
        passed: &mut Vec<Chunk>,
    ) -> Result<Flow, Unfollowed> {
        for chunk in chunks {
            if self.passing.chunk(chunk, passed).await? == Flow::Stopped {
                return Ok(Flow::Stopped);
            }
        }
        self.passing.rest(passed).await
    }

    fn stream(
        self,
        begun: Vec<Chunk>,
        rest: BoxStream<'static, Result<Chunk, Failure>>,
    ) -> BoxStream<'static, Result<Bytes, Infallible>> {
        let chunks = stream::iter(begun.into_iter().map(|chunk| (true, Ok(chunk))))
            .chain(rest.map(|chunk| (false, chunk)));
        let next = |state: Option<(Outgoing, Chunks)>| async move {
            let (mut outgoing, mut chunks) = state?;
            loop {
                let mut bytes = Vec::new();
                if outgoing.next(&mut chunks, &mut bytes).await.is_none() {
                    return Some((Ok(Bytes::from(bytes)), None));
                }
                if !bytes.is_empty() {
                    return Some((Ok(Bytes::from(bytes)), Some((outgoing, chunks))));
                }
            }
        };
        stream::unfold(Some((self, chunks.boxed())), next).boxed()
    }

    /// Writes what comes next, if it is anything; `None` after the last.
    async fn next(&mut self, chunks: &mut Chunks, bytes: &mut Vec<u8>) -> Option<()> {
        let mut passed = Vec::with_capacity(1);
        let (flow, last) = match chunks.next().await {
            Some((seen, Ok(chunk))) => {
                if !seen {
                    self.passing.saw(&chunk);
                }
                (self.passing.chunk(chunk, &mut passed).await, false)
            }
            Some((_, Err(failure))) => {
                self.break_off(format!("The answer broke off: {failure}"), "answer_broken", bytes);
                self.passing.broke_off(&failure);
                return None;
            }
            None => (self.passing.rest(&mut passed).await, true),
        };
        let Ok(flow) = flow else {
            let told = "A policy failed on the answer, which ends here.".to_owned();
            self.break_off(told, "policy_failed", bytes);
            self.passing.withheld();
            return None;
        };
        for chunk in passed {
            self.encoder.chunk(chunk, bytes);
        }
        if !last && flow == Flow::On {
            return Some(());
        }
        self.encoder.end(bytes);
        self.passing.ended(flow);
        None
    }

    /// What was held back is not sent, and no end is feigned.
    fn break_off(&mut self, message: String, code: &str, bytes: &mut Vec<u8>) {
        let body = ErrorBody {
            message,
            kind: "server_error".to_owned(),
            param: None,
            code: Some(code.to_owned()),
        };
        self.encoder.error(&body, bytes);
    }
}
