//! What clients of Anthropic's dialect depend on, checked on whatever a target says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use ringfence_chat::sse::{SseEvent, SseReader};
use ringfence_chat::{Chunk, Dialect, Event, FinishReason, TextKind};
use serde_json::{Value, json};

use crate::{Decoder, Echo, Encoder, Envelope, ErrorBody, error_body};

fn encoder() -> Encoder {
    let (id, model, echo) = ("msg_house".into(), "m".into(), Echo::default());
    let envelope = Envelope { id, model, created: 7, wants_usage: true, echo };
    Encoder::new(Dialect::AnthropicMessages, envelope)
}

/// What a client has put together.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    text: String,
    thinking: String,
    /// Names and arguments, in order.
    calls: Vec<(String, String)>,
    reason: String,
}

/// Reads a stream as the strictest clients do.
fn listen(bytes: &[u8]) -> Heard {
    let mut events: Vec<SseEvent> = Vec::new();
    SseReader::new(1 << 20).push(bytes, &mut events).expect("a stream of events");
    let mut heard = Heard::default();
    let mut open: Option<String> = None;
    let (mut blocks, mut started, mut told, mut stopped) = (0, false, false, false);
    for event in events {
        let body: Value = serde_json::from_str(&event.data).expect("JSON");
        assert_eq!(body["type"], event.name.as_str(), "every event bears its name");
        assert!(!stopped, "nothing follows the end: {body}");
        match event.name.as_str() {
            "message_start" => {
                assert!(!std::mem::replace(&mut started, true), "the message begins once");
                let message = &body["message"];
                assert_eq!(
                    (&message["role"], &message["content"]),
                    (&json!("assistant"), &json!([]))
                );
                assert!(message["id"].is_string() && message["model"].is_string(), "{body}");
                assert!(message["usage"]["input_tokens"].is_u64(), "{body}");
                assert!(message["usage"]["output_tokens"].is_u64(), "{body}");
            }
            "content_block_start" => {
                assert!(started && !told && open.is_none(), "{body}");
                assert_eq!(body["index"], blocks, "blocks are numbered without gaps");
                let block = &body["content_block"];
                let kind = block["type"].as_str().expect("a type").to_owned();
                if kind == "tool_use" {
                    assert!(block["id"].is_string() && block["input"] == json!({}), "{body}");
                    let name = block["name"].as_str().expect("a name").to_owned();
                    heard.calls.push((name, String::new()));
                }
                heard.text.push_str(block["text"].as_str().unwrap_or(""));
                heard.thinking.push_str(block["thinking"].as_str().unwrap_or(""));
                open = Some(kind);
            }
            "content_block_delta" => {
                assert_eq!(body["index"], blocks, "{body}");
                let delta = &body["delta"];
                match (open.as_deref(), delta["type"].as_str()) {
                    (Some("text"), Some("text_delta")) => {
                        heard.text.push_str(delta["text"].as_str().expect("a text"));
                    }
                    (Some("thinking"), Some("thinking_delta")) => {
                        heard.thinking.push_str(delta["thinking"].as_str().expect("a text"));
                    }
                    (Some("tool_use"), Some("input_json_delta")) => {
                        let json = delta["partial_json"].as_str().expect("a text");
                        heard.calls.last_mut().expect("a call").1.push_str(json);
                    }
                    (Some("thinking"), Some("signature_delta")) => {}
                    (kind, _) => panic!("a delta of {kind:?}: {body}"),
                }
            }
            "content_block_stop" => {
                assert!(open.take().is_some(), "{body}");
                assert_eq!(body["index"], blocks);
                blocks += 1;
            }
            "message_delta" => {
                assert!(started && open.is_none() && !std::mem::replace(&mut told, true), "{body}");
                assert!(body["usage"]["output_tokens"].is_u64(), "{body}");
                heard.reason = body["delta"]["stop_reason"].as_str().expect("a reason").to_owned();
            }
            "message_stop" => {
                assert!(told, "the reason comes before the end");
                stopped = true;
            }
            "ping" => {}
            other => panic!("an event {other}"),
        }
    }
    assert!(stopped);
    heard
}

/// What events say, with the calls in the order of their numbers.
fn said(events: &[Event]) -> Heard {
    let mut heard = Heard::default();
    let mut calls: BTreeMap<u32, (String, String)> = BTreeMap::new();
    for event in events {
        match event {
            Event::Text { choice: 0, kind, text, .. } => match kind {
                TextKind::Answer | TextKind::Refusal => heard.text.push_str(text),
                TextKind::Reasoning | TextKind::SignedReasoning => heard.thinking.push_str(text),
            },
            Event::ToolCall { choice: 0, index, name, arguments, .. } => {
                let call = calls.entry(*index).or_default();
                call.0.push_str(name.as_deref().unwrap_or(""));
                call.1.push_str(arguments);
            }
            _ => {}
        }
    }
    heard.calls = calls.into_values().collect();
    heard
}

/// The same but for the reason and for the order of calls.
fn assert_alike(mut got: Heard, mut expected: Heard) {
    got.reason.clear();
    expected.reason.clear();
    for heard in [&mut got, &mut expected] {
        heard.calls.sort();
    }
    assert_eq!(got, expected);
}

fn encode(chunks: Vec<Chunk>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = encoder();
    chunks.into_iter().for_each(|chunk| encoder.chunk(chunk, &mut out));
    encoder.end(&mut out);
    out
}

fn decode(bodies: &[Value]) -> Option<Vec<Chunk>> {
    let mut bytes = Vec::new();
    for body in bodies {
        let name = body["type"].as_str();
        ringfence_chat::sse::write(name, &body.to_string(), &mut bytes);
    }
    let mut decoder = Decoder::new(Dialect::AnthropicMessages, true, 1);
    let mut chunks = Vec::new();
    decoder.push(&bytes, &mut chunks).ok()?;
    decoder.end(&mut chunks).ok()?;
    Some(chunks)
}

/// What any target may say, in any order, of one choice.
fn spoken() -> impl Strategy<Value = Event> {
    let kinds = vec![TextKind::Answer, TextKind::Reasoning, TextKind::Refusal];
    let text = (prop::sample::select(kinds), "[a-z]{0,3}").prop_map(|(kind, text)| Event::Text {
        choice: 0,
        kind,
        text,
        place: None,
    });
    let call = (0u32..3, "[a-z{}]{0,3}").prop_map(|(index, arguments)| Event::ToolCall {
        choice: 0,
        index,
        id: None,
        name: None,
        arguments,
        place: None,
    });
    prop_oneof![3 => text, 3 => call]
}

/// A stream of this dialect as servers write it: blocks of any kind, one after another.
fn stream() -> impl Strategy<Value = Vec<Value>> {
    let text = "[a-z]{0,4}";
    let block = prop_oneof![
        prop::collection::vec(text, 0..3).prop_map(|texts| ("text", texts)),
        prop::collection::vec(text, 0..3).prop_map(|texts| ("thinking", texts)),
        prop::collection::vec("[a-z{}]{0,4}", 0..3).prop_map(|texts| ("tool_use", texts)),
    ];
    prop::collection::vec(block, 0..5).prop_map(|blocks| {
        let message = json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "c", "content": [],
            "stop_reason": null, "usage": { "input_tokens": 3, "output_tokens": 1 },
        });
        let mut bodies = vec![json!({ "type": "message_start", "message": message })];
        for (index, (kind, texts)) in blocks.into_iter().enumerate() {
            let (block, delta, name) = match kind {
                "text" => (json!({ "type": kind, "text": "" }), "text_delta", "text"),
                "thinking" => {
                    let block = json!({ "type": kind, "thinking": "", "signature": "" });
                    (block, "thinking_delta", "thinking")
                }
                _ => {
                    let id = format!("toolu_{index}");
                    let block = json!({ "type": kind, "id": id, "name": "f", "input": {} });
                    (block, "input_json_delta", "partial_json")
                }
            };
            bodies.push(
                json!({ "type": "content_block_start", "index": index, "content_block": block }),
            );
            for text in texts {
                let delta = json!({ "type": delta, name: text });
                bodies
                    .push(json!({ "type": "content_block_delta", "index": index, "delta": delta }));
            }
            bodies.push(json!({ "type": "content_block_stop", "index": index }));
        }
        let delta = json!({ "stop_reason": "end_turn", "stop_sequence": null });
        bodies.push(
            json!({ "type": "message_delta", "delta": delta, "usage": { "output_tokens": 5 } }),
        );
        bodies.push(json!({ "type": "message_stop" }));
        bodies
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_made_here(events in prop::collection::vec(spoken(), 0..12), finish: bool) {
        let mut chunks: Vec<Chunk> =
            events.iter().map(|event| Chunk::made(vec![event.clone()])).collect();
        if finish {
            let reason = FinishReason::Stop;
            chunks.push(Chunk::made(vec![Event::Finish { choice: 0, reason }]));
        }
        assert_alike(listen(&encode(chunks)), said(&events));
    }

    #[test]
    fn a_target_of_the_same_dialect(bodies in stream()) {
        let chunks = decode(&bodies).expect("well formed");
        let events: Vec<Event> = chunks.iter().flat_map(|chunk| chunk.events.clone()).collect();
        assert_alike(listen(&encode(chunks)), said(&events));
    }

    /// Events that were changed are what the client hears; those that were held back
    /// come out before their block ends, and those that were taken out are not heard.
    #[test]
    fn events_count_and_not_the_original(
        bodies in stream(),
        fates in prop::collection::vec(0u8..4, 40),
    ) {
        let mut fates = fates.into_iter().cycle();
        let mut held: Vec<Event> = Vec::new();
        let mut chunks = Vec::new();
        for mut chunk in decode(&bodies).expect("well formed") {
            if chunk.events.iter().any(|event| matches!(event, Event::Pause { .. })) && !held.is_empty() {
                chunks.push(Chunk::made(std::mem::take(&mut held)));
            }
            for event in &mut chunk.events {
                let (Event::Text { text, .. } | Event::ToolCall { arguments: text, place: Some(_), .. }) = event
                else { continue };
                match fates.next() {
                    Some(0) => text.clear(),
                    Some(1) => *text = "CHANGED".into(),
                    Some(2) if !text.is_empty() => {
                        let mut late = event.clone();
                        if let Event::Text { place, .. } = &mut late { *place = None; }
                        if let Event::ToolCall { place, id, name, .. } = &mut late {
                            (*place, *id, *name) = (None, None, None);
                        }
                        held.push(late);
                        if let Event::Text { text, .. } | Event::ToolCall { arguments: text, .. } = event {
                            text.clear();
                        }
                    }
                    _ => {}
                }
            }
            chunks.push(chunk);
        }
        let events: Vec<Event> = chunks.iter().flat_map(|chunk| chunk.events.clone()).collect();
        // A block that begins with its whole text says it in its beginning.
        let bytes = encode(chunks);
        let text = String::from_utf8(bytes).expect("UTF-8").replace("\"input\":\"CHANGED\"", "\"input\":{}");
        let (got, expected) = (listen(text.as_bytes()), said(&events));
        assert_eq!((got.text.len(), got.thinking.len()), (expected.text.len(), expected.thinking.len()));
        assert_eq!(got.calls.len(), expected.calls.len());
    }

    /// Whole answers say what their events say.
    #[test]
    fn whole_answers(events in prop::collection::vec(spoken(), 0..8)) {
        let chunks = events.iter().map(|event| Chunk::made(vec![event.clone()])).collect();
        let body: Value = serde_json::from_slice(&encoder().whole(chunks)).expect("JSON");
        let mut heard = Heard::default();
        for block in body["content"].as_array().expect("a list") {
            heard.text.push_str(block["text"].as_str().unwrap_or(""));
            heard.thinking.push_str(block["thinking"].as_str().unwrap_or(""));
            if block["type"] == "tool_use" {
                let input = match &block["input"] {
                    Value::String(text) => text.clone(),
                    Value::Object(map) if map.is_empty() => String::new(),
                    other => other.to_string(),
                };
                heard.calls.push((block["name"].as_str().expect("a name").into(), input));
            }
        }
        let mut expected = said(&events);
        let empty = expected.calls.iter_mut().filter(|(_, arguments)| arguments == "{}");
        empty.for_each(|(_, arguments)| arguments.clear());
        assert_alike(heard, expected);
    }
}

#[test]
fn reasons_are_this_dialects_words() {
    let text = |kind| Event::Text { choice: 0, kind, text: "x".into(), place: None };
    let call = Event::ToolCall {
        choice: 0,
        index: 0,
        id: None,
        name: Some("f".into()),
        arguments: "{}".into(),
        place: None,
    };
    use FinishReason::*;
    for (event, reason, word) in [
        (text(TextKind::Answer), Some(Stop), "end_turn"),
        (text(TextKind::Answer), None, "end_turn"),
        (text(TextKind::Answer), Some(Length), "max_tokens"),
        (text(TextKind::Answer), Some(ContentFilter), "refusal"),
        (text(TextKind::Refusal), Some(Stop), "refusal"),
        (call.clone(), Some(ToolCalls), "tool_use"),
        (call.clone(), Some(Stop), "tool_use"),
        (call, None, "tool_use"),
    ] {
        let finish = reason.map(|reason| Event::Finish { choice: 0, reason });
        let events: Vec<Event> = std::iter::once(event).chain(finish).collect();
        assert_eq!(listen(&encode(vec![Chunk::made(events.clone())])).reason, word);
        let body = encoder().whole(vec![Chunk::made(events)]);
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["stop_reason"], word);
    }
}

/// A policy that ends a stream of the same dialect: the client reads a refusal.
#[test]
fn an_answer_that_a_policy_ends() {
    let message = json!({ "id": "msg_1", "usage": {} });
    let bytes = [
        json!({ "type": "message_start", "message": message }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "first" } }),
    ];
    let mut out = Vec::new();
    for body in &bytes {
        ringfence_chat::sse::write(None, &body.to_string(), &mut out);
    }
    let mut decoder = Decoder::new(Dialect::AnthropicMessages, true, 1);
    let mut chunks = Vec::new();
    decoder.push(&out, &mut chunks).expect("well formed so far");
    let reason = FinishReason::ContentFilter;
    chunks.push(Chunk::made(vec![Event::Finish { choice: 0, reason }]));
    let text = String::from_utf8(encode(chunks)).expect("UTF-8");
    assert!(text.contains("\"stop_reason\":\"refusal\""), "{text}");
    assert!(text.contains("first") && text.ends_with("\"message_stop\"}\n\n"), "{text}");
}

#[test]
fn errors_are_this_dialects_types() {
    for (kind, code, expected) in [
        ("invalid_request_error", "invalid_request", "invalid_request_error"),
        ("invalid_request_error", "model_not_found", "not_found_error"),
        ("invalid_request_error", "request_too_large", "request_too_large"),
        ("authentication_error", "invalid_api_key", "authentication_error"),
        ("permission_error", "no_patients", "permission_error"),
        ("rate_limit_error", "rate_limit_exceeded", "rate_limit_error"),
        ("server_error", "queue_full", "overloaded_error"),
        ("server_error", "upstream_timeout", "timeout_error"),
        ("server_error", "ledger_unavailable", "api_error"),
    ] {
        let error = ErrorBody {
            message: "m".into(),
            kind: kind.into(),
            param: None,
            code: Some(code.into()),
        };
        let body = error_body(Dialect::AnthropicMessages, &error);
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(
            body,
            json!({
                "type": "error", "error": { "type": expected, "message": "m", "code": code },
            })
        );
        let status = crate::error_status(Dialect::AnthropicMessages, &error);
        assert_eq!(status, (expected == "overloaded_error").then_some(529));
    }
}
