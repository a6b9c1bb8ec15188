//! An answer on its way to the client: restored, then encoded.

use std::convert::Infallible;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use ringfence_chat::{Capability, Chunk, Request};
use ringfence_dialect::{Encoder, Envelope, ErrorBody};
use ringfence_fence::Failure;

use crate::account::Account;
use crate::attempts::Begun;
use crate::masking::Restorer;

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
pub fn reply(request: &Request, begun: Begun) -> Reply {
    let headers = headers(&begun);
    let wants_json =
        request.needs.iter().any(|n| matches!(n, Capability::JsonObject | Capability::JsonSchema));
    let Begun { model, hidden, chunks, rest, mut account, .. } = begun;
    account.begins();
    let outgoing = Outgoing {
        restorer: Restorer::new(&hidden, wants_json),
        encoder: Encoder::new(
            request.dialect,
            Envelope {
                id: format!("chatcmpl-{}", request.id.trim_start_matches("req_")),
                model,
                created: seconds(),
                wants_usage: request.wants_usage,
            },
        ),
        account,
    };
    let body = if request.streamed {
        ReplyBody::Stream(outgoing.stream(chunks, rest))
    } else {
        ReplyBody::Whole(outgoing.whole(chunks))
    };
    Reply { headers, body }
}

fn headers(begun: &Begun) -> Vec<(String, String)> {
    let mut headers = begun.headers.clone();
    let mut add = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
    add("x-ringfence-target", &begun.target.name);
    add("x-ringfence-zone", begun.target.zone.name());
    add("x-ringfence-decision", &begun.decision);
    if !begun.dropped.is_empty() {
        add("x-ringfence-dropped", &begun.dropped.join(", "));
    }
    headers
}

/// What an answer passes through.
struct Outgoing {
    restorer: Option<Restorer>,
    encoder: Encoder,
    account: Account,
}

impl Outgoing {
    fn whole(mut self, chunks: Vec<Chunk>) -> Bytes {
        let mut restored = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            self.restore(chunk, &mut restored);
        }
        self.count();
        self.account.completed();
        Bytes::from(self.encoder.whole(restored))
    }

    fn stream(
        self,
        begun: Vec<Chunk>,
        rest: BoxStream<'static, Result<Chunk, Failure>>,
    ) -> BoxStream<'static, Result<Bytes, Infallible>> {
        let chunks = stream::iter(begun.into_iter().map(|chunk| (true, Ok(chunk))))
            .chain(rest.map(|chunk| (false, chunk)));
        stream::unfold(Some((self, chunks.boxed())), |state| async move {
            let (mut outgoing, mut chunks) = state?;
            loop {
                let mut bytes = Vec::new();
                match chunks.next().await {
                    Some((seen, Ok(chunk))) => {
                        if !seen {
                            outgoing.account.saw(&chunk);
                        }
                        outgoing.encode(chunk, &mut bytes);
                        if bytes.is_empty() {
                            continue;
                        }
                        return Some((Ok(Bytes::from(bytes)), Some((outgoing, chunks))));
                    }
                    Some((_, Err(failure))) => {
                        outgoing.break_off(&failure, &mut bytes);
                        return Some((Ok(Bytes::from(bytes)), None));
                    }
                    None => {
                        outgoing.end(&mut bytes);
                        return Some((Ok(Bytes::from(bytes)), None));
                    }
                }
            }
        })
        .boxed()
    }

    fn restore(&mut self, chunk: Chunk, out: &mut Vec<Chunk>) {
        match &mut self.restorer {
            Some(restorer) => restorer.chunk(chunk, out),
            None => out.push(chunk),
        }
    }

    fn encode(&mut self, chunk: Chunk, bytes: &mut Vec<u8>) {
        let mut restored = Vec::new();
        self.restore(chunk, &mut restored);
        for chunk in restored {
            self.encoder.chunk(chunk, bytes);
        }
    }

    /// The answer ended as it should.
    fn end(mut self, bytes: &mut Vec<u8>) {
        self.encoder.end(bytes);
        self.count();
        self.account.completed();
    }

    fn count(&mut self) {
        if let Some(restorer) = &self.restorer {
            self.account.restored(restorer.restored(), restorer.altered());
        }
    }

    /// The answer broke off. What was held back is not sent, and no end is feigned.
    fn break_off(mut self, failure: &Failure, bytes: &mut Vec<u8>) {
        let body = ErrorBody {
            message: format!("The answer broke off: {failure}"),
            kind: "server_error".to_owned(),
            param: None,
            code: Some("answer_broken".to_owned()),
        };
        self.encoder.error(&body, bytes);
        self.count();
        self.account.failed(failure);
    }
}

/// Seconds since 1970.
fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
