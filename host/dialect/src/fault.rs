//! What can be wrong with a request or with an answer.

use std::borrow::Cow;
use std::fmt;

/// A client's request that cannot be read. The texts are ours and repeat nothing of
/// the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong.
    pub message: Cow<'static, str>,
    /// The parameter, as the client writes it: `messages[0].content`.
    pub param: Option<String>,
}

impl Malformed {
    /// Something is wrong with the request as a whole.
    pub(crate) fn new(message: impl Into<Cow<'static, str>>) -> Malformed {
        Malformed { message: message.into(), param: None }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.param {
            Some(param) => write!(f, "{param}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Malformed {}

/// A part of a request that a dialect has no words for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// The part, as the client writes it: `messages[2].content[0]`. Holds nothing of
    /// the client's own but positions.
    pub param: String,
}

impl Unsupported {
    /// This part cannot be carried.
    pub(crate) fn new(param: impl Into<String>) -> Unsupported {
        Unsupported { param: param.into() }
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the target's dialect cannot carry {}", self.param)
    }
}

impl std::error::Error for Unsupported {}

/// Why an answer cannot be read. Holds nothing that the target said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It ended before it was complete.
    Truncated,
    /// It is larger than the reader takes.
    TooLarge,
    /// It is not what the dialect says it should be.
    Malformed,
    /// The target said that it failed, with this code where the house knows it.
    Reported(Option<&'static str>),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Truncated => "the answer broke off",
            Fault::TooLarge => "the answer is too large",
            Fault::Malformed => "the answer is not in the expected format",
            Fault::Reported(_) => "the target reported a failure within its answer",
        })
    }
}

impl std::error::Error for Fault {}
