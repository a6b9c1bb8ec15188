//! What a client gets.

use ringfence_chat::{Chunk, Dialect, Request};
use serde_json::{Map, Value, json};

use crate::{anthropic, openai_chat, openai_embeddings, openai_responses};

/// What every part of one answer says alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The answer's id where the target gives none.
    pub id: String,
    /// The model that answers, where the target does not name it: never the name that
    /// the client asked for.
    pub model: String,
    /// Seconds since 1970-01-01T00:00Z, where the target says nothing.
    pub created: u64,
    /// True when a stream ends with a usage chunk.
    pub wants_usage: bool,
    /// What the answer repeats of the request.
    pub echo: Echo,
}

/// What an answer repeats of its request, in the dialects whose answers do.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Echo(pub(crate) Map<String, Value>);

impl Echo {
    /// What the answer to `request` repeats of it.
    pub fn of(request: &Request) -> Echo {
        match request.dialect {
            Dialect::OpenAiResponses => Echo(openai_responses::echo(request)),
            _ => Echo::default(),
        }
    }
}

/// Shows names and never text.
impl std::fmt::Debug for Echo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// Writes one answer in the client's dialect: either a stream, by [`Encoder::chunk`]
/// and then [`Encoder::end`] or [`Encoder::error`], or a whole answer by
/// [`Encoder::whole`].
///
/// A chunk that came in the client's dialect keeps its unknown fields; its texts are
/// those of its events, and a text that no event holds is emptied.
pub struct Encoder {
    writer: Writer,
}

enum Writer {
    OpenAiChat(Box<openai_chat::Writer>),
    Anthropic(Box<anthropic::Writer>),
    Embeddings(Box<openai_embeddings::Writer>),
    Responses(Box<openai_responses::Writer>),
}

impl Encoder {
    /// The media type of a stream.
    pub const STREAM_TYPE: &'static str = "text/event-stream; charset=utf-8";
    /// The media type of a whole answer.
    pub const WHOLE_TYPE: &'static str = "application/json";

    /// An encoder for one answer to a client of `dialect`.
    pub fn new(dialect: Dialect, envelope: Envelope) -> Encoder {
        let writer = match dialect {
            Dialect::OpenAiChat => Writer::OpenAiChat(Box::new(openai_chat::Writer::new(envelope))),
            Dialect::AnthropicMessages => {
                Writer::Anthropic(Box::new(anthropic::Writer::new(envelope)))
            }
            Dialect::OpenAiEmbeddings => {
                Writer::Embeddings(Box::new(openai_embeddings::Writer::new(envelope)))
            }
            Dialect::OpenAiResponses => {
                Writer::Responses(Box::new(openai_responses::Writer::new(envelope)))
            }
        };
        Encoder { writer }
    }

    /// Appends what the client gets for one chunk: complete events, or nothing.
    pub fn chunk(&mut self, chunk: Chunk, out: &mut Vec<u8>) {
        match &mut self.writer {
            Writer::OpenAiChat(writer) => writer.chunk(chunk, out),
            Writer::Anthropic(writer) => writer.chunk(chunk, out),
            Writer::Responses(writer) => writer.chunk(chunk, out),
            // They are never streamed.
            Writer::Embeddings(_) => {}
        }
    }

    /// Appends the end of a complete stream.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        match &mut self.writer {
            Writer::OpenAiChat(writer) => writer.end(out),
            Writer::Anthropic(writer) => writer.end(out),
            Writer::Responses(writer) => writer.end(out),
            // They are never streamed.
            Writer::Embeddings(_) => {}
        }
    }

    /// Appends the end of a stream that failed. Nothing may follow.
    pub fn error(&mut self, error: &ErrorBody, out: &mut Vec<u8>) {
        match &mut self.writer {
            Writer::OpenAiChat(writer) => writer.error(error, out),
            Writer::Anthropic(writer) => writer.error(error, out),
            Writer::Responses(writer) => writer.error(error, out),
            // They are never streamed.
            Writer::Embeddings(_) => {}
        }
    }

    /// Appends a comment that keeps the connection open and that every client skips.
    pub fn keepalive(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b": keepalive\n\n");
    }

    /// The body of a whole answer.
    pub fn whole(self, chunks: Vec<Chunk>) -> Vec<u8> {
        match self.writer {
            Writer::OpenAiChat(writer) => writer.whole(chunks),
            Writer::Anthropic(writer) => writer.whole(chunks),
            Writer::Embeddings(writer) => writer.whole(chunks),
            Writer::Responses(writer) => writer.whole(chunks),
        }
    }
}

/// An error as clients read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorBody {
    /// For people.
    pub message: String,
    /// The type: `invalid_request_error`, ...
    pub kind: String,
    /// The parameter at fault.
    pub param: Option<String>,
    /// For programs.
    pub code: Option<String>,
}

/// The body of an error answer.
pub fn error_body(dialect: Dialect, error: &ErrorBody) -> Vec<u8> {
    let body = match dialect {
        Dialect::AnthropicMessages => anthropic::error_json(error),
        Dialect::OpenAiChat | Dialect::OpenAiEmbeddings | Dialect::OpenAiResponses => {
            openai_chat::error_json(error)
        }
    };
    to_bytes(&body)
}

/// The HTTP status that `dialect` has for this error alone; nothing where it is the usual
/// one.
pub fn error_status(dialect: Dialect, error: &ErrorBody) -> Option<u16> {
    match dialect {
        Dialect::OpenAiChat | Dialect::OpenAiEmbeddings | Dialect::OpenAiResponses => None,
        Dialect::AnthropicMessages => anthropic::error_status(error),
    }
}

/// A model in the list of models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelEntry {
    /// The name that clients ask for.
    pub id: String,
    /// Seconds since 1970-01-01T00:00Z.
    pub created: u64,
    /// Who serves it.
    pub owned_by: String,
}

/// The body of the list of models.
pub fn models_body(dialect: Dialect, models: &[ModelEntry]) -> Vec<u8> {
    let body = match dialect {
        Dialect::AnthropicMessages => anthropic::models_json(models),
        Dialect::OpenAiChat | Dialect::OpenAiEmbeddings | Dialect::OpenAiResponses => {
            openai_chat::models_json(models)
        }
    };
    to_bytes(&body)
}

/// The body of one model.
pub fn model_body(dialect: Dialect, model: &ModelEntry) -> Vec<u8> {
    let body = match dialect {
        Dialect::AnthropicMessages => anthropic::model_json(model),
        Dialect::OpenAiChat | Dialect::OpenAiEmbeddings | Dialect::OpenAiResponses => {
            openai_chat::model_json(model)
        }
    };
    to_bytes(&body)
}

/// The body of a count of tokens, for the dialects that have one.
pub fn tokens_body(tokens: u32) -> Vec<u8> {
    to_bytes(&json!({ "input_tokens": tokens }))
}

/// The id of an answer where the target gives none, from the request's own.
pub fn answer_id(dialect: Dialect, request: &str) -> String {
    let own = request.trim_start_matches("req_");
    match dialect {
        Dialect::OpenAiChat => format!("chatcmpl-{own}"),
        Dialect::AnthropicMessages => format!("msg_{own}"),
        Dialect::OpenAiEmbeddings => format!("embd-{own}"),
        Dialect::OpenAiResponses => format!("resp_{own}"),
    }
}

/// The id of a tool call whose target gave none: unlike those of other answers, since
/// clients send it back, and within the 40 bytes that OpenAI takes.
pub(crate) fn call_id(answer: &str, choice: u32, index: u32) -> String {
    let own: Vec<char> = answer.chars().filter(char::is_ascii_alphanumeric).collect();
    let own: String = own[own.len().saturating_sub(24)..].iter().collect();
    format!("call_{own}_{choice}_{index}")
}

/// The JSON as bytes.
pub(crate) fn to_bytes(body: &Value) -> Vec<u8> {
    body.to_string().into_bytes()
}

/// The member `name` of `map`, an object: made when it is missing or something else.
pub(crate) fn object_at<'a>(
    map: &'a mut Map<String, Value>,
    name: &str,
) -> &'a mut Map<String, Value> {
    let slot = map.entry(name).or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    match slot {
        Value::Object(object) => object,
        _ => unreachable!("it was just made an object"),
    }
}
