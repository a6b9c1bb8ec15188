//! A target's answer, read as it arrives.

use ringfence_chat::sse::{SseError, SseEvent, SseReader};
use ringfence_chat::{Chunk, Dialect};

use crate::fault::Fault;
use crate::{anthropic, openai_chat, openai_embeddings};

/// Reads one answer from bytes that arrive in any pieces.
///
/// A whole answer becomes one chunk when it ends; each event of a stream becomes at
/// most one chunk as soon as it is complete. Bytes after the dialect's own end of a
/// stream are not looked at.
pub struct Decoder {
    form: Form,
    taken: usize,
    limit: usize,
}

enum Form {
    Whole { dialect: Dialect, choices: u32, body: Vec<u8> },
    Stream(Box<Streamed>),
}

struct Streamed {
    reader: SseReader,
    read: Vec<SseEvent>,
    stream: Stream,
}

enum Stream {
    OpenAiChat(openai_chat::StreamReader),
    Anthropic(anthropic::StreamReader),
}

impl Decoder {
    /// Bytes of a whole answer at most. Images and recordings come in base64.
    pub const WHOLE_BYTES: usize = 64 << 20;
    /// Bytes of one event of a stream at most.
    pub const EVENT_BYTES: usize = 16 << 20;
    /// Bytes of a stream at most.
    pub const STREAM_BYTES: usize = 256 << 20;

    /// A decoder for an answer with so many choices: 1 unless the request asked for more;
    /// one for each input where vectors are asked for, which are never streamed.
    pub fn new(dialect: Dialect, streamed: bool, choices: u32) -> Decoder {
        if !streamed || dialect == Dialect::OpenAiEmbeddings {
            let form = Form::Whole { dialect, choices, body: Vec::new() };
            return Decoder { form, taken: 0, limit: Self::WHOLE_BYTES };
        }
        let stream = match dialect {
            Dialect::OpenAiChat | Dialect::OpenAiEmbeddings | Dialect::OpenAiResponses => {
                Stream::OpenAiChat(openai_chat::StreamReader::new(choices))
            }
            Dialect::AnthropicMessages => Stream::Anthropic(anthropic::StreamReader::default()),
        };
        let reader = SseReader::new(Self::EVENT_BYTES);
        let form = Form::Stream(Box::new(Streamed { reader, read: Vec::new(), stream }));
        Decoder { form, taken: 0, limit: Self::STREAM_BYTES }
    }

    /// Takes more bytes and appends the chunks that they complete to `chunks`. What
    /// stands before a fault is appended too.
    ///
    /// # Errors
    /// [`Fault`]; the decoder must not be used afterwards.
    pub fn push(&mut self, bytes: &[u8], chunks: &mut Vec<Chunk>) -> Result<(), Fault> {
        if self.is_done() {
            return Ok(());
        }
        self.taken = self.taken.saturating_add(bytes.len());
        if self.taken > self.limit {
            return Err(Fault::TooLarge);
        }
        match &mut self.form {
            Form::Whole { body, .. } => {
                body.extend_from_slice(bytes);
                Ok(())
            }
            Form::Stream(streamed) => {
                let Streamed { reader, read, stream } = &mut **streamed;
                let pushed = reader.push(bytes, read);
                for event in read.drain(..) {
                    if stream.is_done() {
                        break;
                    }
                    if let Some(chunk) = stream.event(event)? {
                        chunks.push(chunk);
                    }
                }
                match pushed {
                    _ if stream.is_done() => Ok(()),
                    Ok(()) => Ok(()),
                    Err(SseError::TooLarge) => Err(Fault::TooLarge),
                    Err(SseError::NotUtf8) => Err(Fault::Malformed),
                }
            }
        }
    }

    /// Says that no more bytes come, and appends what is left to `chunks`.
    ///
    /// # Errors
    /// [`Fault::Truncated`] when the answer was not complete.
    pub fn end(&mut self, chunks: &mut Vec<Chunk>) -> Result<(), Fault> {
        match &mut self.form {
            Form::Whole { dialect, choices, body } => {
                let body = std::mem::take(body);
                chunks.push(match dialect {
                    Dialect::OpenAiChat | Dialect::OpenAiResponses => {
                        openai_chat::read_whole(&body, *choices)?
                    }
                    Dialect::AnthropicMessages => anthropic::read_whole(&body)?,
                    Dialect::OpenAiEmbeddings => openai_embeddings::read_whole(&body, *choices)?,
                });
                Ok(())
            }
            Form::Stream(streamed) => {
                let Streamed { reader, stream, .. } = &**streamed;
                let complete = stream.is_done() || (stream.may_end() && !reader.is_unfinished());
                if complete { Ok(()) } else { Err(Fault::Truncated) }
            }
        }
    }

    /// True when the stream said that it is complete: nothing more is worth reading.
    pub fn is_done(&self) -> bool {
        match &self.form {
            Form::Whole { .. } => false,
            Form::Stream(streamed) => streamed.stream.is_done(),
        }
    }
}

impl Stream {
    fn event(&mut self, event: SseEvent) -> Result<Option<Chunk>, Fault> {
        match self {
            Stream::OpenAiChat(stream) => stream.event(&event),
            Stream::Anthropic(stream) => stream.event(event),
        }
    }

    fn is_done(&self) -> bool {
        match self {
            Stream::OpenAiChat(stream) => stream.is_done(),
            Stream::Anthropic(stream) => stream.is_done(),
        }
    }

    /// True when the connection may end here although the stream did not say so.
    fn may_end(&self) -> bool {
        match self {
            Stream::OpenAiChat(stream) => stream.may_end(),
            Stream::Anthropic(_) => false,
        }
    }
}

/// What a target's error body says, in words that the house knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reported {
    /// The most telling code that is on the house's list.
    pub code: Option<&'static str>,
}

/// Looks for a known code in a target's error body. Nothing else of it is kept.
pub fn reported(dialect: Dialect, body: &[u8]) -> Reported {
    let Ok(body) = serde_json::from_slice(body) else { return Reported::default() };
    let code = match dialect {
        Dialect::OpenAiChat | Dialect::OpenAiEmbeddings | Dialect::OpenAiResponses => {
            openai_chat::known_code(&body)
        }
        Dialect::AnthropicMessages => anthropic::known_code(&body),
    };
    Reported { code }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoder(streamed: bool, taken: usize) -> Decoder {
        Decoder { taken, ..Decoder::new(Dialect::OpenAiChat, streamed, 1) }
    }

    #[test]
    fn bounds() {
        for (streamed, limit) in [(false, Decoder::WHOLE_BYTES), (true, Decoder::STREAM_BYTES)] {
            let mut chunks = Vec::new();
            assert_eq!(decoder(streamed, limit - 3).push(b":::", &mut chunks), Ok(()));
            let pushed = decoder(streamed, limit - 3).push(b"::::", &mut chunks);
            assert_eq!(pushed, Err(Fault::TooLarge), "streamed {streamed}");
        }
        let event = vec![b' '; Decoder::EVENT_BYTES + 1];
        assert_eq!(decoder(true, 0).push(&event, &mut Vec::new()), Err(Fault::TooLarge));
    }

    #[test]
    fn codes_are_the_houses_words_or_none() {
        use Dialect::*;
        for (dialect, body, code) in [
            (
                OpenAiChat,
                r#"{"error":{"code":"model_not_found","type":"x"}}"#,
                Some("model_not_found"),
            ),
            (OpenAiChat, r#"{"error":{"code":null,"type":"server_error"}}"#, Some("server_error")),
            (OpenAiChat, r#"{"error":{"code":"canary","type":"canary"}}"#, None),
            (OpenAiChat, r#"{"error":"canary"}"#, None),
            (
                OpenAiChat,
                r#"{"object":"error","message":"This model's maximum context length is 4 tokens","code":400}"#,
                Some("context_length_exceeded"),
            ),
            (
                AnthropicMessages,
                r#"{"type":"error","error":{"type":"overloaded_error"}}"#,
                Some("overloaded_error"),
            ),
            (
                AnthropicMessages,
                r#"{"error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}}"#,
                Some("prompt_too_long"),
            ),
            (AnthropicMessages, r#"{"error":{"type":"canary"}}"#, None),
            (AnthropicMessages, "<h1>canary</h1>", None),
        ] {
            assert_eq!(reported(dialect, body.as_bytes()).code, code, "{body}");
        }
    }

    #[test]
    fn what_follows_the_end_is_not_read() {
        let mut decoder = decoder(true, 0);
        let mut chunks = Vec::new();
        let stream = b"data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"b\"}}]}\n\n\xff";
        assert_eq!(decoder.push(stream, &mut chunks), Ok(()));
        assert_eq!((chunks.len(), decoder.is_done()), (1, true));
        assert_eq!(decoder.push(b"data: x\n\n", &mut chunks), Ok(()));
        assert_eq!(decoder.end(&mut chunks), Ok(()));
    }
}
