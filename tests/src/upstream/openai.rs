//! Answers in the dialect of OpenAI's chat completions.

use serde_json::{Value, json};

use super::{Play, Received};

/// The model that the scripted answers name.
pub const MODEL: &str = "stand-in-1";

/// A whole answer.
pub fn whole(text: &str) -> Value {
    json!({
        "id": "chatcmpl-stand-in", "object": "chat.completion", "created": 1_700_000_000,
        "model": MODEL,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": text, "refusal": null},
            "logprobs": null, "finish_reason": "stop",
        }],
        "usage": usage(),
    })
}

/// A whole answer that calls one tool.
pub fn tool_call(name: &str, arguments: &str) -> Value {
    json!({
        "id": "chatcmpl-stand-in", "object": "chat.completion", "created": 1_700_000_000,
        "model": MODEL,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": null, "tool_calls": [{
                "id": "call_1", "type": "function",
                "function": {"name": name, "arguments": arguments},
            }]},
            "finish_reason": "tool_calls",
        }],
        "usage": usage(),
    })
}

/// The usage that every scripted answer reports.
pub fn usage() -> Value {
    json!({"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18})
}

/// One event with a delta.
pub fn delta(delta: Value, finish: Option<&str>) -> String {
    event(&json!({
        "id": "chatcmpl-stand-in", "object": "chat.completion.chunk", "created": 1_700_000_000,
        "model": MODEL,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }))
}

/// One event.
pub fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}

/// The first event of a stream.
pub fn first() -> String {
    delta(json!({"role": "assistant", "content": ""}), None)
}

/// An event with a piece of text.
pub fn piece(text: &str) -> String {
    delta(json!({"content": text}), None)
}

/// The usage chunk.
pub fn usage_event() -> String {
    event(&json!({
        "id": "chatcmpl-stand-in", "object": "chat.completion.chunk", "created": 1_700_000_000,
        "model": MODEL, "choices": [], "usage": usage(),
    }))
}

/// The end of a stream: the finish reason, the usage and `[DONE]`.
pub fn last(finish: &str) -> String {
    format!("{}{}data: [DONE]\n\n", delta(json!({}), Some(finish)), usage_event())
}

/// A whole stream of these pieces of text, as one string.
pub fn stream<'a>(pieces: impl IntoIterator<Item = &'a str>) -> String {
    let middle: String = pieces.into_iter().map(piece).collect();
    format!("{}{middle}{}", first(), last("stop"))
}

/// A whole stream of one tool call whose arguments come in these pieces.
pub fn tool_stream<'a>(name: &str, pieces: impl IntoIterator<Item = &'a str>) -> String {
    let opening = delta(
        json!({"role": "assistant", "content": null, "tool_calls": [{
            "index": 0, "id": "call_1", "type": "function",
            "function": {"name": name, "arguments": ""},
        }]}),
        None,
    );
    let middle: String = pieces
        .into_iter()
        .map(|piece| {
            delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}), None)
        })
        .collect();
    format!("{opening}{middle}{}", last("tool_calls"))
}

/// Whether the request asks for a stream.
pub fn is_streamed(received: &Received) -> bool {
    received.json()["stream"] == Value::Bool(true)
}

/// The text of the last user message.
pub fn last_user_text(received: &Received) -> String {
    let body = received.json();
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    let last = messages.iter().rev().find(|message| message["role"] == "user");
    match last.map(|message| &message["content"]) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    }
}

/// `text`, whole or streamed as the request asks, five bytes or so at a time.
pub fn reply(received: &Received, text: &str) -> Play {
    if !is_streamed(received) {
        return Play::json(&whole(text));
    }
    let pieces = pieces(text, 5);
    Play::stream().send(stream(pieces.iter().map(String::as_str))).end()
}

/// The last user's text behind `You wrote: `.
pub fn echo(received: &Received) -> Play {
    reply(received, &format!("You wrote: {}", last_user_text(received)))
}

/// `text` in pieces of so many characters.
pub fn pieces(text: &str, characters: usize) -> Vec<String> {
    let characters_of: Vec<char> = text.chars().collect();
    characters_of.chunks(characters).map(|piece| piece.iter().collect()).collect()
}
