//! What clients of OpenAI's dialect depend on, checked on whatever a target says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use ringfence_chat::sse::{SseEvent, SseReader};
use ringfence_chat::{Chunk, Dialect, Event, FinishReason, TextKind};
use serde_json::{Value, json};

use crate::{Decoder, Encoder, Envelope};

fn encoder(wants_usage: bool) -> Encoder {
    Encoder::new(
        Dialect::OpenAiChat,
        Envelope {
            id: "chatcmpl-house".into(),
            model: "m".into(),
            created: 7,
            wants_usage,
            echo: crate::Echo::default(),
        },
    )
}

/// What a client has put together.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    texts: BTreeMap<(u64, String), String>,
    calls: BTreeMap<(u64, u64), (String, String)>,
}

/// Reads a stream as the strictest clients do.
fn listen(bytes: &[u8], wants_usage: bool) -> Heard {
    let mut events: Vec<SseEvent> = Vec::new();
    SseReader::new(1 << 20).push(bytes, &mut events).expect("a stream of events");
    assert_eq!(events.pop().map(|event| event.data).as_deref(), Some("[DONE]"));
    let mut heard = Heard::default();
    let mut ends: BTreeMap<u64, u32> = BTreeMap::new();
    let mut ids: BTreeMap<(u64, u64), String> = BTreeMap::new();
    let mut same: Option<(Value, Value, Value)> = None;
    for (position, event) in events.iter().enumerate() {
        assert_eq!(event.name, "");
        let body: Value = serde_json::from_str(&event.data).expect("JSON");
        let frame = (body["id"].clone(), body["model"].clone(), body["created"].clone());
        assert!(frame.0.is_string() && frame.1.is_string() && frame.2.is_u64(), "{body}");
        assert_eq!(*same.get_or_insert(frame.clone()), frame);
        assert_eq!(body["object"], "chat.completion.chunk");
        let choices = body["choices"].as_array().expect("choices is a list");
        if body["usage"].is_object() {
            assert!(wants_usage && choices.is_empty() && position + 1 == events.len(), "{body}");
        }
        for choice in choices {
            let index = choice["index"].as_u64().expect("an index");
            let delta = choice["delta"].as_object().expect("a delta");
            assert_eq!(delta.get("role").is_some(), !ends.contains_key(&index), "{body}");
            let ended = ends.entry(index).or_default();
            if choice["finish_reason"].is_string() {
                *ended += 1;
            }
            for name in ["content", "reasoning_content", "refusal"] {
                if let Some(Value::String(text)) = delta.get(name) {
                    heard.texts.entry((index, name.into())).or_default().push_str(text);
                }
            }
            for call in delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
                let number = call["index"].as_u64().expect("every call has an index");
                let key = (index, number);
                let known = ids.keys().filter(|(choice, _)| *choice == index).count() as u64;
                if let Some(id) = call.get("id") {
                    assert!(!ids.contains_key(&key), "an id comes once: {body}");
                    assert_eq!(call["type"], "function");
                    assert!(call["function"]["name"].is_string(), "{body}");
                    assert_eq!(number, known, "calls are numbered without gaps");
                    ids.insert(key, id.as_str().expect("an id").to_owned());
                }
                assert!(ids.contains_key(&key), "a call begins with its id: {body}");
                let (name, arguments) = heard.calls.entry(key).or_default();
                name.push_str(call["function"]["name"].as_str().unwrap_or(""));
                arguments.push_str(call["function"]["arguments"].as_str().expect("arguments"));
            }
        }
    }
    assert!(!ends.is_empty(), "an answer has a choice");
    assert!(ends.values().all(|&count| count == 1), "each choice ends once: {ends:?}");
    heard.texts.retain(|_, text| !text.is_empty());
    heard
}

/// One event of a target's stream, with whatever servers leave out or repeat.
fn sloppy() -> impl Strategy<Value = Value> {
    let text = prop::option::of("[a-z]{0,3}");
    let call = (
        prop::option::of(0u64..3),
        prop::option::of("[ab]"),
        prop::option::of("[fg]"),
        prop_oneof![
            Just(Value::Null),
            "[a-z{}]{0,3}".prop_map(Value::from),
            Just(json!({ "a": 1 })),
        ],
    )
        .prop_map(|(index, id, name, arguments)| {
            json!({ "index": index, "id": id, "function": { "name": name, "arguments": arguments } })
        });
    let calls = prop::option::of(prop::collection::vec(call, 0..3));
    let delta = (text.clone(), text.clone(), text, calls, any::<bool>()).prop_map(
        |(content, reasoning, refusal, calls, role)| {
            json!({
                "role": role.then_some("assistant"),
                "content": content,
                "reasoning_content": reasoning,
                "refusal": refusal,
                "tool_calls": calls,
            })
        },
    );
    let finish =
        prop::option::weighted(0.2, prop::sample::select(vec!["stop", "length", "eos", ""]));
    let choice = (prop::option::of(0u64..3), prop::option::of(delta), finish).prop_map(
        |(index, delta, finish)| json!({ "index": index, "delta": delta, "finish_reason": finish }),
    );
    let usage = prop::option::of(Just(json!({ "prompt_tokens": 1, "completion_tokens": 2 })));
    let ids = (prop::option::of("[xy]"), prop::option::of("[mn]"), prop::option::of(1u64..3));
    (ids, prop::option::weighted(0.9, prop::collection::vec(choice, 0..3)), usage).prop_map(
        |((id, model, created), choices, usage)| {
            json!({ "id": id, "model": model, "created": created, "choices": choices, "usage": usage })
        },
    )
}

/// One event of Anthropic's stream, in any order and with any block.
fn spoken_block() -> impl Strategy<Value = Value> {
    let kinds = vec![
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
        "error",
        "other",
    ];
    let blocks = vec!["text", "thinking", "tool_use", "text_delta", "input_json_delta", "other"];
    (prop::sample::select(kinds), 0u64..3, prop::sample::select(blocks), "[a-z{}]{0,3}").prop_map(
        |(kind, index, block, text)| {
            let part = json!({
                "type": block, "text": text, "thinking": text, "partial_json": text, "id": text,
                "name": text, "input": { "a": text }, "stop_reason": text,
            });
            json!({
                "type": kind, "index": index, "content_block": part, "delta": part,
                "message": { "id": text, "usage": { "input_tokens": index } },
                "content": [part], "stop_reason": text, "usage": { "output_tokens": index },
            })
        },
    )
}

fn said(events: &[Event]) -> Heard {
    let mut heard = Heard::default();
    for event in events {
        match event {
            Event::Text { choice, kind, text, .. } if !text.is_empty() => {
                let name = match kind {
                    TextKind::Answer => "content",
                    TextKind::Reasoning | TextKind::SignedReasoning => "reasoning_content",
                    TextKind::Refusal => "refusal",
                };
                let key = (u64::from(*choice), name.to_owned());
                heard.texts.entry(key).or_default().push_str(text);
            }
            Event::ToolCall { choice, index, name, arguments, .. } => {
                let key = (u64::from(*choice), u64::from(*index));
                let call = heard.calls.entry(key).or_default();
                call.0.push_str(name.as_deref().unwrap_or(""));
                call.1.push_str(arguments);
            }
            _ => {}
        }
    }
    heard
}

fn decode(bodies: &[Value]) -> Option<Vec<Chunk>> {
    let mut bytes = Vec::new();
    for body in bodies {
        ringfence_chat::sse::write(None, &body.to_string(), &mut bytes);
    }
    ringfence_chat::sse::write(None, "[DONE]", &mut bytes);
    let mut decoder = Decoder::new(Dialect::OpenAiChat, true, 3);
    let mut chunks = Vec::new();
    decoder.push(&bytes, &mut chunks).ok()?;
    decoder.end(&mut chunks).ok()?;
    Some(chunks)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_target_says(bodies in prop::collection::vec(sloppy(), 0..6), wants_usage: bool) {
        let Some(chunks) = decode(&bodies) else { return Ok(()) };
        let events: Vec<Event> = chunks.iter().flat_map(|chunk| chunk.events.clone()).collect();
        let mut out = Vec::new();
        let mut encoder = encoder(wants_usage);
        chunks.into_iter().for_each(|chunk| encoder.chunk(chunk, &mut out));
        encoder.end(&mut out);
        prop_assert_eq!(listen(&out, wants_usage), said(&events));
    }

    /// Nothing that a target says brings the reader down.
    #[test]
    fn no_answer_panics(
        bodies in prop::collection::vec(prop_oneof![sloppy(), spoken_block()], 0..6),
        noise in prop::collection::vec(any::<u8>(), 0..60),
        streamed: bool,
        openai: bool,
    ) {
        let dialect = if openai { Dialect::OpenAiChat } else { Dialect::AnthropicMessages };
        let mut bytes = noise;
        for body in &bodies {
            if streamed {
                ringfence_chat::sse::write(None, &body.to_string(), &mut bytes);
            } else {
                bytes = body.to_string().into_bytes();
            }
        }
        let mut decoder = Decoder::new(dialect, streamed, 2);
        let mut chunks = Vec::new();
        let result = decoder.push(&bytes, &mut chunks).and_then(|()| decoder.end(&mut chunks));
        let mut out = Vec::new();
        let mut one = encoder(true);
        chunks.clone().into_iter().for_each(|chunk| one.chunk(chunk, &mut out));
        if result.is_ok() {
            one.end(&mut out);
        }
        let whole = encoder(true).whole(chunks);
        prop_assert!(serde_json::from_slice::<Value>(&whole).is_ok());
    }

    /// The same without the originals, as for a client of another dialect.
    #[test]
    fn whatever_is_made_here(bodies in prop::collection::vec(sloppy(), 0..6), wants_usage: bool) {
        let Some(chunks) = decode(&bodies) else { return Ok(()) };
        let events: Vec<Event> = chunks.into_iter().flat_map(|chunk| chunk.events).collect();
        let mut out = Vec::new();
        let mut encoder = encoder(wants_usage);
        for event in events.clone() {
            encoder.chunk(Chunk::made(vec![event]), &mut out);
        }
        encoder.end(&mut out);
        prop_assert_eq!(listen(&out, wants_usage), said(&events));
    }

    /// Events that were changed are what the client hears; those that were taken out
    /// are not heard.
    #[test]
    fn events_count_and_not_the_original(
        bodies in prop::collection::vec(sloppy(), 0..6),
        fates in prop::collection::vec(0u8..4, 40),
    ) {
        let Some(mut chunks) = decode(&bodies) else { return Ok(()) };
        let mut fates = fates.into_iter().cycle();
        for chunk in &mut chunks {
            let mut kept = Vec::new();
            for mut event in std::mem::take(&mut chunk.events) {
                match (&mut event, fates.next()) {
                    (Event::Text { .. }, Some(0)) => continue,
                    (Event::Text { text, .. }, Some(1)) => *text = "CHANGED".into(),
                    (Event::ToolCall { arguments, .. }, Some(1)) => *arguments = "CHANGED".into(),
                    // As if it had been held back and come out again.
                    (Event::Text { place, .. }, Some(2)) => *place = None,
                    _ => {}
                }
                kept.push(event);
            }
            chunk.events = kept;
        }
        let events: Vec<Event> = chunks.iter().flat_map(|chunk| chunk.events.clone()).collect();
        let mut out = Vec::new();
        let mut encoder = encoder(false);
        chunks.into_iter().for_each(|chunk| encoder.chunk(chunk, &mut out));
        encoder.end(&mut out);
        let (mut got, mut expected) = (listen(&out, false), said(&events));
        // A text that lost its place may change places with its neighbours.
        for heard in [&mut got, &mut expected] {
            for text in heard.texts.values_mut() {
                let mut letters: Vec<char> = text.chars().collect();
                letters.sort_unstable();
                *text = letters.into_iter().collect();
            }
        }
        prop_assert_eq!(got, expected);
    }
}

#[test]
fn an_answer_that_a_policy_ends() {
    let mut chunks = decode(&[
        json!({ "id": "x", "choices": [{ "delta": { "content": "first" } }] }),
        json!({ "id": "x", "choices": [{ "delta": { "content": "second" }, "finish_reason": "stop" }] }),
    ])
    .expect("well formed");
    let mut out = Vec::new();
    let mut encoder = encoder(false);
    encoder.chunk(chunks.remove(0), &mut out);
    let reason = FinishReason::ContentFilter;
    encoder.chunk(Chunk::made(vec![Event::Finish { choice: 0, reason }]), &mut out);
    encoder.end(&mut out);
    let text = String::from_utf8_lossy(&out).into_owned();
    assert!(text.contains("\"finish_reason\":\"content_filter\""), "{text}");
    listen(&out, false);
}

#[test]
fn a_whole_answer_says_what_its_events_say() {
    let body = json!({
        "id": "x", "model": "told", "choices": [{ "message": {
            "role": "assistant", "content": "canary", "reasoning": "canary", "reasoning_content": "canary",
            "tool_calls": [{ "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" } }],
        }, "finish_reason": "stop" }],
    });
    let mut decoder = Decoder::new(Dialect::OpenAiChat, false, 1);
    let mut chunks = Vec::new();
    decoder.push(body.to_string().as_bytes(), &mut chunks).expect("well formed");
    decoder.end(&mut chunks).expect("complete");
    for event in &mut chunks[0].events {
        if let Event::Text { text, .. } = event {
            *text = "restored".into();
        }
    }
    let got: Value = serde_json::from_slice(&encoder(false).whole(chunks)).expect("JSON");
    let message = &got["choices"][0]["message"];
    for name in ["content", "reasoning", "reasoning_content"] {
        assert_eq!(message[name], "restored");
    }
    assert_eq!(message["tool_calls"][0]["function"]["arguments"], "{}");
    assert_eq!(got["model"], "told");
}
