//! A client's request, read.

use std::collections::BTreeSet;

use ringfence_chat::{Capability, Dialect, Kind, Request, Sampling};
use serde_json::Value;

use super::messages::{self, Messages};
use super::parameters::{self, Parameters};
use super::tools;
use crate::fault::Malformed;
use crate::walk::Walk;

/// What a request turned out to ask for, gathered while it is read.
#[derive(Default)]
pub(crate) struct Asked {
    /// What a target must be able to do.
    pub needs: BTreeSet<Capability>,
    /// Parameters that a target may ignore.
    pub optional: BTreeSet<String>,
}

impl Asked {
    /// A target must be able to do this.
    pub fn need(&mut self, capability: Capability) {
        self.needs.insert(capability);
    }

    /// A target may ignore the parameter `name`. A name that is not fit for a header,
    /// or that is as long as a text, counts as `unknown`.
    pub fn may_ignore(&mut self, name: &str) {
        self.optional.insert(header_name(name));
    }
}

/// The name of a parameter as it may stand in a header.
pub(crate) fn header_name(name: &str) -> String {
    let fits = !name.is_empty()
        && name.len() <= NAME_BYTES
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    if fits { name.to_owned() } else { "unknown".to_owned() }
}

/// Bytes of a parameter's name in a header at most.
const NAME_BYTES: usize = 64;

pub(crate) fn decode_request(id: String, bytes: &[u8]) -> Result<Request, Malformed> {
    let body = parse(bytes)?;
    let Value::Object(map) = &body else {
        return Err(Malformed::new("the body must be a JSON object"));
    };
    let count = map.get("messages").and_then(Value::as_array).map_or(0, Vec::len);
    let mut walk = Walk::new(u32::try_from(count).unwrap_or(u32::MAX));
    let mut asked = Asked::default();
    let mut parameters = Parameters::default();
    let mut heard = Messages::default();
    let mut declared = Vec::new();
    let mut stop = Vec::new();
    for (name, value) in map {
        walk.at(name, |walk| match name.as_str() {
            "messages" => {
                heard = messages::read(walk, value, &mut asked)?;
                Ok(())
            }
            "tools" => {
                declared = tools::read(walk, value, &mut asked)?;
                Ok(())
            }
            "tool_choice" => tools::choice(walk, value, &mut asked),
            "functions" | "function_call" => tools::legacy(walk, value, &mut asked),
            "stop" => {
                stop = parameters::stop(walk, value)?;
                Ok(())
            }
            other => parameters.read(walk, other, value, &mut asked),
        })?;
    }
    if heard.turns.is_empty() {
        return Err(missing("messages", "at least one message is required"));
    }
    let Some(model) = parameters.model else {
        return Err(missing("model", "the name of a model is required"));
    };
    let input_tokens = estimate(&walk, heard.turns.len());
    let mut request = Request::new(id, Dialect::OpenAiChat, body, walk.into_segments());
    request.model = model;
    request.streamed = parameters.streamed;
    request.wants_usage = parameters.wants_usage;
    request.turns = heard.turns;
    request.tools = declared;
    let choices = parameters.sampling.choices.max(1);
    request.sampling = Sampling { stop, choices, ..parameters.sampling };
    request.needs = asked.needs.into_iter().collect();
    request.optional = asked.optional.into_iter().collect();
    request.input_tokens = input_tokens;
    Ok(request)
}

/// Reads JSON, and says where it is not any in words that repeat nothing of it.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Malformed> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Malformed::new(format!("the body is not UTF-8 from byte {}", error.valid_up_to()))
    })?;
    // Each takes a byte at least: a usual body is not looked at twice.
    if bytes.len() > VALUES && values(bytes) > VALUES {
        return Err(Malformed::new("the body holds too many values"));
    }
    serde_json::from_str(text).map_err(|error| {
        let what = if error.to_string().starts_with("recursion limit") {
            "the body is nested too deep"
        } else if error.is_eof() {
            "the body ends before its JSON is complete"
        } else {
            "the body is not JSON"
        };
        Malformed::new(format!("{what}: line {}, column {}", error.line(), error.column()))
    })
}

/// Values of a body at most. Each takes some eighty bytes in memory, and two on the wire.
pub const VALUES: usize = 1 << 20;

/// How many values there are at least: commas and brackets outside of strings.
fn values(bytes: &[u8]) -> usize {
    let (mut count, mut quoted, mut escaped) = (0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' | b'[' | b'{' if !quoted => count += 1,
            _ => {}
        }
    }
    count
}

pub(crate) fn missing(param: &str, message: &'static str) -> Malformed {
    Malformed { message: message.into(), param: Some(param.to_owned()) }
}

/// Bytes of text that count as one token. English takes about four, Chinese three for
/// a character that is about one token; a target with a tokenizer counts for itself.
const BYTES_PER_TOKEN: usize = 4;
/// Tokens that a message takes at least, for its role and its borders.
const TOKENS_PER_MESSAGE: usize = 4;
/// Tokens of an image: what OpenAI counts for one of 1024 pixels square.
const TOKENS_PER_IMAGE: usize = 765;
/// Bytes of other attachments, in base64, that count as one token.
const ATTACHED_BYTES_PER_TOKEN: usize = 64;

/// A cheap estimate of the whole prompt: a quarter of its bytes, and something for each
/// message and attachment. Names of parameters and other metadata count nothing.
fn estimate(walk: &Walk, messages: usize) -> u32 {
    let mut tokens = messages.saturating_mul(TOKENS_PER_MESSAGE);
    let mut bytes = 0usize;
    for segment in walk.segments() {
        match segment.kind {
            Kind::Metadata | Kind::Link => {}
            Kind::Attachment => {
                let media = segment.media_type.as_deref().unwrap_or("");
                tokens = tokens.saturating_add(if media.starts_with("image/") {
                    TOKENS_PER_IMAGE
                } else {
                    segment.text.len() / ATTACHED_BYTES_PER_TOKEN
                });
            }
            _ => bytes = bytes.saturating_add(segment.text.len()),
        }
    }
    u32::try_from(tokens.saturating_add(bytes.div_ceil(BYTES_PER_TOKEN))).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parameter and the message of what is wrong.
    fn wrong(body: &str) -> (Option<String>, String) {
        let error = decode_request("r".into(), body.as_bytes()).expect_err(body);
        (error.param, error.message.into_owned())
    }

    #[test]
    fn what_is_no_json_says_where() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for (body, message) in [
            ("", "the body ends before its JSON is complete: line 1, column 0"),
            ("{\"model\":", "the body ends before its JSON is complete: line 1, column 9"),
            ("{\n  \"canary\" 1}", "the body is not JSON: line 2, column 12"),
            ("{} canary", "the body is not JSON: line 1, column 4"),
            ("[1]", "the body must be a JSON object"),
            (&deep, "the body is nested too deep: line 1, column 128"),
        ] {
            let (param, got) = wrong(body);
            assert_eq!((param, got.as_str()), (None, message), "{body}");
        }
        let error = decode_request("r".into(), b"{\"a\":\"\xff\"}").expect_err("not UTF-8");
        assert_eq!(error.message, "the body is not UTF-8 from byte 6");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let say = r#"{"role":"user","content":"a"}"#;
        let with = |more: &str| format!(r#"{{"model":"m","messages":[{say}],{more}}}"#);
        let message = |message: &str| format!(r#"{{"model":"m","messages":[{say},{message}]}}"#);
        let part = |part: &str| message(&format!(r#"{{"role":"user","content":[{part}]}}"#));
        for (body, param) in [
            (format!(r#"{{"messages":[{say}]}}"#), "model"),
            (format!(r#"{{"model":null,"messages":[{say}]}}"#), "model"),
            (format!(r#"{{"model":"","messages":[{say}]}}"#), "model"),
            (format!(r#"{{"model":7,"messages":[{say}]}}"#), "model"),
            (r#"{"model":"m"}"#.into(), "messages"),
            (r#"{"model":"m","messages":[]}"#.into(), "messages"),
            (r#"{"model":"m","messages":null}"#.into(), "messages"),
            (r#"{"model":"m","messages":{}}"#.into(), "messages"),
            (message("7"), "messages[1]"),
            (message("{}"), "messages[1].role"),
            (message(r#"{"role":"king","content":"a"}"#), "messages[1].role"),
            (message(r#"{"role":"user"}"#), "messages[1].content"),
            (message(r#"{"role":"user","content":null}"#), "messages[1].content"),
            (message(r#"{"role":"user","content":7}"#), "messages[1].content"),
            (message(r#"{"role":"user","content":[]}"#), "messages[1].content"),
            (message(r#"{"role":"user","content":"a","name":7}"#), "messages[1].name"),
            (message(r#"{"role":"tool","content":"a"}"#), "messages[1].tool_call_id"),
            (message(r#"{"role":"assistant","tool_calls":{}}"#), "messages[1].tool_calls"),
            (message(r#"{"role":"assistant","tool_calls":[{}]}"#), "messages[1].tool_calls[0]"),
            (
                message(
                    r#"{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":{}}}]}"#,
                ),
                "messages[1].tool_calls[0].function.arguments",
            ),
            (part("7"), "messages[1].content[0]"),
            (part("{}"), "messages[1].content[0].type"),
            (part(r#"{"type":7}"#), "messages[1].content[0].type"),
            (part(r#"{"type":"text"}"#), "messages[1].content[0]"),
            (part(r#"{"type":"text","text":7}"#), "messages[1].content[0].text"),
            (part(r#"{"type":"image_url","image_url":"x"}"#), "messages[1].content[0].image_url"),
            (part(r#"{"type":"image_url","image_url":{}}"#), "messages[1].content[0].image_url"),
            (
                part(
                    r#"{"type":"image_url","image_url":{"url":"DATA:application/pdf;base64,JVBERi0="}}"#,
                ),
                "messages[1].content[0].image_url.url",
            ),
            (
                part(r#"{"type":"image_url","image_url":{"url":"data:,x"}}"#),
                "messages[1].content[0].image_url.url",
            ),
            (
                part(r#"{"type":"input_audio","input_audio":{"data":7}}"#),
                "messages[1].content[0].input_audio.data",
            ),
            (part(r#"{"type":"file","file":{}}"#), "messages[1].content[0].file"),
            (with(r#""temperature":2.1"#), "temperature"),
            (with(r#""temperature":"hot""#), "temperature"),
            (with(r#""top_p":-0.1"#), "top_p"),
            (with(r#""max_tokens":0"#), "max_tokens"),
            (with(r#""max_tokens":1.5"#), "max_tokens"),
            (with(r#""max_completion_tokens":-1"#), "max_completion_tokens"),
            (with(r#""n":0"#), "n"),
            (with(r#""n":129"#), "n"),
            (with(r#""seed":1.5"#), "seed"),
            (with(r#""stream":"yes""#), "stream"),
            (with(r#""stream_options":7"#), "stream_options"),
            (with(r#""stream_options":{"include_usage":1}"#), "stream_options.include_usage"),
            (with(r#""stop":["a","b","c","d","e"]"#), "stop"),
            (with(r#""stop":[7]"#), "stop[0]"),
            (with(r#""presence_penalty":3"#), "presence_penalty"),
            (with(r#""top_logprobs":21"#), "top_logprobs"),
            (with(r#""logit_bias":[]"#), "logit_bias"),
            (with(r#""tools":{}"#), "tools"),
            (with(r#""tools":[{}]"#), "tools[0]"),
            (with(r#""tools":[{"type":"function"}]"#), "tools[0]"),
            (with(r#""tools":[{"type":"function","function":{}}]"#), "tools[0].function"),
            (
                with(r#""tools":[{"type":"function","function":{"name":"f","parameters":[]}}]"#),
                "tools[0].function.parameters",
            ),
            (with(r#""tool_choice":"some""#), "tool_choice"),
            (with(r#""tool_choice":{"type":"function"}"#), "tool_choice"),
            (with(r#""response_format":{}"#), "response_format"),
            (
                with(r#""response_format":{"type":"json_schema","json_schema":7}"#),
                "response_format.json_schema",
            ),
            (with(r#""modalities":"text""#), "modalities"),
        ] {
            let (got, message) = wrong(&body);
            assert_eq!(got.as_deref(), Some(param), "{body}: {message}");
            assert!(!message.is_empty());
        }
    }

    #[test]
    fn null_is_as_good_as_nothing() {
        let null: Vec<String> = [
            "temperature",
            "top_p",
            "max_tokens",
            "n",
            "seed",
            "stop",
            "stream",
            "stream_options",
            "tools",
            "tool_choice",
            "response_format",
            "logit_bias",
            "logprobs",
            "user",
            "metadata",
            "modalities",
            "audio",
            "web_search_options",
            "functions",
            "function_call",
        ]
        .iter()
        .map(|name| format!("\"{name}\":null"))
        .collect();
        let body = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"a"}}],{}}}"#,
            null.join(",")
        );
        let request = decode_request("r".into(), body.as_bytes()).expect(&body);
        assert_eq!(request.needs, []);
        assert_eq!(request.optional, [""; 0]);
        assert_eq!(request.segments().len(), 1);
        assert_eq!(request.sampling, Sampling { choices: 1, ..Sampling::default() });
        assert!(!request.streamed && !request.wants_usage);
    }

    #[test]
    fn a_name_in_a_header_is_short_and_plain() {
        for (name, expected) in [
            ("top_k", "top_k"),
            ("a b", "unknown"),
            ("a\r\nb", "unknown"),
            ("ä", "unknown"),
            ("", "unknown"),
            (&"x".repeat(NAME_BYTES), &"x".repeat(NAME_BYTES)),
            (&"x".repeat(NAME_BYTES + 1), "unknown"),
        ] {
            assert_eq!(header_name(name), expected);
        }
    }
}
