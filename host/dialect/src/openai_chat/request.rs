//! A client's request, read.

use ringfence_chat::{Dialect, Request, Sampling};
use serde_json::Value;

use super::messages::{self, Messages};
use super::parameters::{self, Parameters};
use super::tools;
use crate::asked::Asked;
use crate::body::{missing, parse};
use crate::estimate::estimate;
use crate::fault::Malformed;
use crate::walk::Walk;

/// Reads a request.
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
    asked.into_request(&mut request);
    request.input_tokens = input_tokens;
    Ok(request)
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
}
