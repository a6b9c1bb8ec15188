//! An answer: a stream of chunks.

use serde_json::Value;

use crate::request::Dialect;

/// One piece of an answer as it arrived.
///
/// A streamed answer is many chunks, a whole answer is one. `events` is what every
/// room works on; `original` is what a client of the same dialect gets, with the
/// texts of `events` put back at their places, so that unknown fields survive.
#[derive(Clone, PartialEq)]
pub struct Chunk {
    /// What it says, in order.
    pub events: Vec<Event>,
    /// The JSON it came in; absent for answers that were made in this process.
    pub original: Option<Original>,
}

/// The JSON a chunk came in.
#[derive(Clone, PartialEq)]
pub struct Original {
    /// Whose format.
    pub dialect: Dialect,
    /// The name of the server-sent event, where the dialect names them.
    pub event: Option<String>,
    /// The JSON.
    pub body: Value,
    /// True for a whole answer, false for an event of a stream.
    pub whole: bool,
}

/// One thing that an answer says.
#[derive(Clone, PartialEq)]
pub enum Event {
    /// The answer begins.
    Start {
        /// The target's own id of the answer.
        id: Option<String>,
        /// The model as the target names it.
        model: Option<String>,
    },
    /// More text of a choice.
    Text {
        /// Which choice.
        choice: u32,
        /// What kind of text.
        kind: TextKind,
        /// The text to append.
        text: String,
        /// JSON pointer of the string in the original.
        place: Option<String>,
    },
    /// A tool call begins or goes on.
    ToolCall {
        /// Which choice.
        choice: u32,
        /// Which call of that choice.
        index: u32,
        /// The call's id, once.
        id: Option<String>,
        /// The tool's name, once.
        name: Option<String>,
        /// JSON text to append to the arguments.
        arguments: String,
        /// JSON pointer of the arguments' string in the original.
        place: Option<String>,
    },
    /// A block of a choice is complete: no text that follows belongs to one before it.
    Pause {
        /// Which choice.
        choice: u32,
    },
    /// A choice ends.
    Finish {
        /// Which choice.
        choice: u32,
        /// Why.
        reason: FinishReason,
    },
    /// What it took. The last one counts.
    Usage(Usage),
    /// The vector of one input.
    Vector {
        /// Which input.
        index: u32,
        /// The vector.
        vector: Vector,
    },
}

/// A vector that stands for a text, as the target wrote it.
#[derive(Clone, PartialEq)]
pub enum Vector {
    /// Numbers.
    Numbers(Vec<f64>),
    /// 32-bit floats, little-endian, in base64.
    Packed(String),
}

/// What kind of text a model wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextKind {
    /// The answer.
    Answer,
    /// Its reasoning.
    Reasoning,
    /// Its reasoning, which its issuer has signed or may yet sign: whoever gives it back
    /// has to give it back as it was.
    SignedReasoning,
    /// A refusal.
    Refusal,
}

/// Why a choice ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FinishReason {
    /// The model was done, or a stop text came.
    Stop,
    /// The limit of tokens was reached.
    Length,
    /// The model wants tools called.
    ToolCalls,
    /// A filter of the provider, or a policy, ended it.
    ContentFilter,
}

impl FinishReason {
    /// The name that records and metrics use; OpenAI's word.
    pub fn name(self) -> &'static str {
        match self {
            FinishReason::Stop => "stop",
            FinishReason::Length => "length",
            FinishReason::ToolCalls => "tool_calls",
            FinishReason::ContentFilter => "content_filter",
        }
    }
}

/// Tokens that an answer took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read, cached ones included.
    pub input: u32,
    /// Of those, tokens from a prompt cache.
    pub cached: u32,
    /// Tokens written, reasoning included.
    pub output: u32,
    /// Of those, tokens of reasoning.
    pub reasoning: u32,
}

impl Chunk {
    /// A chunk that was made in this process.
    pub fn made(events: Vec<Event>) -> Chunk {
        Chunk { events, original: None }
    }
}

/// Shows shapes and never text.
impl std::fmt::Debug for Chunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chunk")
            .field("events", &self.events)
            .field("original", &self.original.as_ref().map(|original| original.dialect))
            .finish()
    }
}

/// Shows shapes and never text.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Event::Start { .. } => write!(f, "Start"),
            Event::Text { choice, kind, text, .. } => {
                write!(f, "Text({choice}, {kind:?}, {} bytes)", text.len())
            }
            Event::ToolCall { choice, index, arguments, .. } => {
                write!(f, "ToolCall({choice}, {index}, {} bytes)", arguments.len())
            }
            Event::Pause { choice } => write!(f, "Pause({choice})"),
            Event::Finish { choice, reason } => write!(f, "Finish({choice}, {reason:?})"),
            Event::Usage(usage) => write!(f, "{usage:?}"),
            Event::Vector { index, .. } => write!(f, "Vector({index})"),
        }
    }
}
