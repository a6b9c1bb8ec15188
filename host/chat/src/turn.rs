//! The conversation and the tools of a request, as every dialect understands them.

use crate::segment::{Role, SegmentId};

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// The participant's name.
    pub name: Option<SegmentId>,
    /// What is said, in order.
    pub parts: Vec<Part>,
}

/// One part of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Text.
    Text(SegmentId),
    /// The model's reasoning of an earlier turn.
    Reasoning(SegmentId),
    /// The model's refusal of an earlier turn.
    Refusal(SegmentId),
    /// A call that the model made.
    ToolCall {
        /// The call's id.
        id: SegmentId,
        /// The tool's name.
        name: SegmentId,
        /// What it is called with.
        arguments: Arguments,
    },
    /// What a tool answered.
    ToolResult {
        /// The id of the call.
        call: SegmentId,
        /// The answer's texts.
        texts: Vec<SegmentId>,
    },
    /// An image, a recording, a file: `media_type` of the segment tells.
    Attachment(SegmentId),
    /// Content of a kind that only its own dialect carries.
    Unknown,
}

/// A declared tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: SegmentId,
    /// What it is for.
    pub description: Option<SegmentId>,
    /// JSON pointer of its parameters' schema in the body.
    pub parameters: Option<String>,
}

/// Where the arguments of a tool call stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// JSON in a string.
    Text(SegmentId),
    /// JSON as such, at this JSON pointer of the body.
    Json(String),
}

impl Arguments {
    /// The segment that holds them, where there is one.
    pub fn segment(&self) -> Option<SegmentId> {
        match self {
            Arguments::Text(id) => Some(*id),
            Arguments::Json(_) => None,
        }
    }
}

/// Which tools the model may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolChoice {
    /// None.
    None,
    /// Whichever it likes, or none.
    Auto,
    /// At least one.
    Required,
    /// The one of this name.
    One(SegmentId),
}

/// The form that an answer must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerForm {
    /// Any JSON object.
    JsonObject,
    /// JSON that fits a schema.
    JsonSchema {
        /// The schema's name, where it has one.
        name: Option<SegmentId>,
        /// What it is for.
        description: Option<SegmentId>,
        /// JSON pointer of the schema in the body.
        schema: String,
        /// Whether the target must enforce it; absent means the target's own default.
        strict: Option<bool>,
    },
}

/// A mark for the provider's prompt cache: everything up to here is worth keeping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheMark {
    /// The segment that stands for the part that bears it: a text, an attachment, the id
    /// of an answered call, the name of a tool.
    pub on: SegmentId,
    /// How long it is worth keeping.
    pub keep: Keep,
}

/// How long a provider's prompt cache is asked to keep something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// As long as the provider usually does.
    Usual,
    /// Five minutes.
    Minutes5,
    /// One hour.
    Hour,
}
