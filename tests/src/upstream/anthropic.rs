//! Answers in the dialect of Anthropic's messages.

use serde_json::{Value, json};

use super::{Play, Received};

/// A whole answer.
pub fn whole(text: &str) -> Value {
    json!({
        "id": "msg_stand_in", "type": "message", "role": "assistant", "model": "stand-in-claude",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 11, "output_tokens": 7},
    })
}

/// A whole stream of these pieces of text, as one string.
pub fn stream<'a>(pieces: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = event(
        "message_start",
        json!({"message": {
            "id": "msg_stand_in", "type": "message", "role": "assistant",
            "model": "stand-in-claude", "content": [], "stop_reason": null,
            "stop_sequence": null, "usage": {"input_tokens": 11, "output_tokens": 1},
        }}),
    );
    text += &event(
        "content_block_start",
        json!({"index": 0, "content_block": {"type": "text", "text": ""}}),
    );
    text += &event("ping", json!({}));
    for piece in pieces {
        text += &event(
            "content_block_delta",
            json!({"index": 0, "delta": {"type": "text_delta", "text": piece}}),
        );
    }
    text += &event("content_block_stop", json!({"index": 0}));
    text += &event(
        "message_delta",
        json!({
            "delta": {"stop_reason": "end_turn", "stop_sequence": null},
            "usage": {"output_tokens": 7},
        }),
    );
    text + &event("message_stop", json!({}))
}

/// One event; its type is added to its data.
pub fn event(kind: &str, mut data: Value) -> String {
    data["type"] = json!(kind);
    format!("event: {kind}\ndata: {data}\n\n")
}

/// The text of the last user message.
pub fn last_user_text(received: &Received) -> String {
    let body = received.json();
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    match messages.last().map(|message| &message["content"]) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    }
}

/// The last user's text behind `You wrote: `, whole or streamed as asked.
pub fn echo(received: &Received) -> Play {
    let text = format!("You wrote: {}", last_user_text(received));
    if received.json()["stream"] != Value::Bool(true) {
        return Play::json(&whole(&text));
    }
    let pieces = super::openai::pieces(&text, 5);
    Play::stream().send(stream(pieces.iter().map(String::as_str))).end()
}
