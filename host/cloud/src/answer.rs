//! An answer, read from the wire within its times.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use http::{HeaderMap, header};
use reqwest::Response;
use ringfence_chat::{Chunk, Dialect};
use ringfence_dialect::{Decoder, reported};
use ringfence_fence::{Failure, FailureKind};
use tokio::time::{Instant, timeout, timeout_at};

use crate::failure::{of_fault, of_status, of_transport};

/// Bytes of an error body that are looked at: known codes stand at its beginning.
pub const FIRST_ERROR_BYTES: usize = 64 << 10;

/// For what is left on the wire after the end of a stream, so that the connection can
/// be used again.
const DRAIN_WITHIN: Duration = Duration::from_secs(1);

/// The media type of the answer that is asked for.
pub(crate) fn media_type(streamed: bool) -> &'static str {
    if streamed { "text/event-stream" } else { "application/json" }
}

/// Refuses an answer that says it is something else: a stream that comes as JSON, or a
/// page of a proxy. One that says nothing is read.
pub(crate) fn check_media_type(headers: &HeaderMap, streamed: bool) -> Result<(), Failure> {
    let Some(told) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let told = told.to_str().unwrap_or("").to_ascii_lowercase();
    let told = told.split(';').next().unwrap_or("").trim();
    let fits = if streamed {
        told == "text/event-stream"
    } else {
        told == "application/json" || told.ends_with("+json")
    };
    if fits {
        return Ok(());
    }
    Err(Failure::new(FailureKind::Broken, "The target's answer is of another media type."))
}

/// No first byte in time.
pub(crate) fn late() -> Failure {
    Failure::new(FailureKind::TimedOut, "The target did not begin to answer in time.")
}

/// The failure that an answer without success amounts to. Its body is read as far as
/// [`FIRST_ERROR_BYTES`], looked through for known codes, and forgotten.
pub(crate) async fn refusal(
    mut response: Response,
    dialect: Dialect,
    deadline: Instant,
) -> Failure {
    let mut body = Vec::new();
    while body.len() < FIRST_ERROR_BYTES {
        let Ok(Ok(Some(piece))) = timeout_at(deadline, response.chunk()).await else { break };
        let room = FIRST_ERROR_BYTES - body.len();
        body.extend_from_slice(&piece[..piece.len().min(room)]);
    }
    of_status(response.status(), reported(dialect, &body).code, response.headers())
}

/// What is being read.
struct Reading {
    response: Response,
    decoder: Decoder,
    ready: VecDeque<Chunk>,
    /// For the first piece of the body.
    deadline: Option<Instant>,
    idle_within: Duration,
    /// What ended it, after what is ready.
    end: Option<Result<(), Failure>>,
}

/// The chunks of an answer as they arrive. Dropping the stream closes the connection.
pub(crate) fn chunks(
    response: Response,
    decoder: Decoder,
    deadline: Instant,
    idle_within: Duration,
) -> BoxStream<'static, Result<Chunk, Failure>> {
    let reading = Reading {
        response,
        decoder,
        ready: VecDeque::new(),
        deadline: Some(deadline),
        idle_within,
        end: None,
    };
    stream::unfold(Some(reading), |reading| async move {
        let mut reading = reading?;
        loop {
            if let Some(chunk) = reading.ready.pop_front() {
                return Some((Ok(chunk), Some(reading)));
            }
            match reading.end.take() {
                Some(Ok(())) => {
                    reading.leave();
                    return None;
                }
                Some(Err(failure)) => return Some((Err(failure), None)),
                None => reading.advance().await,
            }
        }
    })
    .boxed()
}

impl Reading {
    /// Reads one more piece.
    async fn advance(&mut self) {
        let piece = match self.deadline.take() {
            Some(deadline) => {
                let piece = timeout_at(deadline, self.response.chunk()).await;
                piece.map_err(|_| late())
            }
            None => timeout(self.idle_within, self.response.chunk()).await.map_err(|_| {
                Failure::new(FailureKind::TimedOut, "The target's answer came to a standstill.")
            }),
        };
        let mut chunks = Vec::new();
        self.end = match piece {
            Err(late) => Some(Err(late)),
            Ok(Err(error)) => Some(Err(of_transport(&error))),
            Ok(Ok(Some(bytes))) => match self.decoder.push(&bytes, &mut chunks) {
                Ok(()) if self.decoder.is_done() => Some(Ok(())),
                Ok(()) => None,
                Err(fault) => Some(Err(of_fault(fault))),
            },
            Ok(Ok(None)) => Some(self.decoder.end(&mut chunks).map_err(of_fault)),
        };
        self.ready.extend(chunks);
    }

    /// Reads what follows a stream's own end, which is nothing but the end of the HTTP
    /// message: a connection with something left on it cannot serve the next request.
    fn leave(mut self) {
        if !self.decoder.is_done() {
            return;
        }
        tokio::spawn(timeout(DRAIN_WITHIN, async move {
            while let Ok(Some(_)) = self.response.chunk().await {}
        }));
    }
}
