//! Code that talks to one kind of target.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use ringfence_chat::Chunk;

use crate::departure::{Departure, Masked};

/// Talks to one target: the local model, or a service by its wire format.
pub trait Provider: Send + Sync {
    /// Turns a masked request into the bytes that will leave: the body of an HTTP
    /// request, or the prompt of a model in this process. Sends nothing.
    ///
    /// # Errors
    /// [`FailureKind::Rejected`] or [`FailureKind::TooLong`]: the target cannot take it.
    fn encode(&self, masked: &Masked) -> Result<Encoded, Failure>;

    /// Sends a departure's bytes and gives its answer as it arrives. Dropping the
    /// future or the stream cancels the call.
    ///
    /// # Errors
    /// [`Failure`], before the first chunk or in the stream.
    fn send(&self, departure: Departure) -> BoxFuture<'_, Result<Answer, Failure>>;
}

/// The bytes that will leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The bytes.
    pub body: Bytes,
    /// Optional parameters that the target does not know and that were left out.
    pub dropped: Vec<String>,
}

/// An answer that has begun.
pub struct Answer {
    /// Headers for the client: rate limits and `retry-after`, nothing else.
    pub headers: Vec<(String, String)>,
    /// The answer as it arrives. Ends after the last chunk, or with a failure.
    pub chunks: BoxStream<'static, Result<Chunk, Failure>>,
}

/// Why a target gave no answer, or no whole answer.
///
/// Carries nothing that the target said: an error text can repeat the prompt or a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind.
    pub kind: FailureKind,
    /// The status that the target answered with.
    pub status: Option<u16>,
    /// The target's own code, when it is one that the house knows.
    pub code: Option<&'static str>,
    /// How long the target asks to wait.
    pub retry_after: Option<Duration>,
    /// What happened, in our words.
    pub message: Cow<'static, str>,
}

/// Kinds of failure, split by what can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// No connection.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// The queue in front of the target is full.
    Full,
    /// The target limits our rate.
    RateLimited,
    /// The target is at fault (5xx) or overloaded.
    Unwell,
    /// The target does not accept our key, our model or our address.
    Misconfigured,
    /// The target does not accept this request.
    Rejected,
    /// The prompt is too long for it.
    TooLong,
    /// The answer broke off or was not in the expected format.
    Broken,
}

impl Failure {
    /// A failure with nothing but a kind and our words.
    pub fn new(kind: FailureKind, message: impl Into<Cow<'static, str>>) -> Failure {
        Failure { kind, status: None, code: None, retry_after: None, message: message.into() }
    }
}

impl FailureKind {
    /// The name in records and metrics.
    pub fn name(self) -> &'static str {
        match self {
            FailureKind::Unreachable => "unreachable",
            FailureKind::TimedOut => "timed_out",
            FailureKind::Full => "full",
            FailureKind::RateLimited => "rate_limited",
            FailureKind::Unwell => "unwell",
            FailureKind::Misconfigured => "misconfigured",
            FailureKind::Rejected => "rejected",
            FailureKind::TooLong => "too_long",
            FailureKind::Broken => "broken",
        }
    }

    /// Whether the same target may do better after a while.
    pub fn is_passing(self) -> bool {
        use FailureKind::*;
        matches!(self, Unreachable | TimedOut | RateLimited | Unwell | Broken)
    }

    /// Whether another target may do better. What the request itself is to blame for
    /// would fail there too.
    pub fn may_move_on(self) -> bool {
        self != FailureKind::Rejected
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
