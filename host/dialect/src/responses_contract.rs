//! What clients of OpenAI's responses depend on, whatever a target says.

use proptest::prelude::*;
use ringfence_chat::{Chunk, Dialect, Event, FinishReason, Place, TextKind, Usage};
use serde_json::{Value, json};

use crate::{Echo, Encoder, Envelope, ErrorBody, decode_request, encode_request};

fn encoder() -> Encoder {
    let (id, model) = ("resp_house".to_owned(), "m".to_owned());
    let envelope = Envelope { id, model, created: 7, wants_usage: true, echo: Echo::default() };
    Encoder::new(Dialect::OpenAiResponses, envelope)
}

/// Anything that a room may say, in any order.
fn event() -> impl Strategy<Value = Event> {
    let kinds =
        vec![TextKind::Answer, TextKind::Reasoning, TextKind::SignedReasoning, TextKind::Refusal];
    let reasons = vec![
        FinishReason::Stop,
        FinishReason::Length,
        FinishReason::ToolCalls,
        FinishReason::ContentFilter,
    ];
    let text = (0u32..2, prop::sample::select(kinds), "[a-z]{0,3}")
        .prop_map(|(choice, kind, text)| Event::Text { choice, kind, text, place: None });
    let call = (0u32..3, prop::option::of("[ab]"), prop::option::of("[fg]"), "[a-z{}]{0,3}")
        .prop_map(|(index, id, name, arguments)| Event::ToolCall {
            choice: 0,
            index,
            id,
            name,
            arguments,
            place: None,
        });
    let usage = Usage { input: 3, output: 4, ..Usage::default() };
    prop_oneof![
        6 => text,
        4 => call,
        1 => Just(Event::Pause { choice: 0 }),
        1 => Just(Event::Usage(usage)),
        1 => Just(Event::Start { id: Some("x".into()), model: Some("theirs".into()) }),
        1 => prop::sample::select(reasons).prop_map(|reason| Event::Finish { choice: 0, reason }),
    ]
}

/// What the stream's events amount to, put together as the official clients do it.
fn put_together(stream: &str) -> (Vec<Value>, Value) {
    let (mut items, mut last, mut done) = (Vec::<Value>::new(), Value::Null, Vec::new());
    for (number, block) in stream.split_terminator("\n\n").enumerate() {
        let (name, data) = block.split_once("\ndata: ").expect("a name and data");
        let event: Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(name.strip_prefix("event: "), event["type"].as_str());
        assert_eq!(event["sequence_number"], number);
        let index = event["output_index"].as_u64().unwrap_or(0) as usize;
        let part = event["content_index"].as_u64().unwrap_or(0) as usize;
        let join = |slot: &mut Value| {
            let texts = [&*slot, &event["delta"]].map(|text| text.as_str().expect("a text"));
            *slot = json!(texts.concat());
        };
        match event["type"].as_str().expect("a type") {
            "response.output_item.added" => {
                assert_eq!(index, items.len());
                items.push(event["item"].clone());
            }
            "response.content_part.added" => {
                let parts = items[index]["content"].as_array_mut().expect("parts");
                assert_eq!(part, parts.len());
                parts.push(event["part"].clone());
            }
            "response.output_text.delta" | "response.reasoning_text.delta" => {
                join(&mut items[index]["content"][part]["text"]);
            }
            "response.refusal.delta" => join(&mut items[index]["content"][part]["refusal"]),
            "response.function_call_arguments.delta" => join(&mut items[index]["arguments"]),
            "response.content_part.done" => {
                assert_eq!(event["part"], items[index]["content"][part]);
            }
            "response.output_item.done" => {
                done.push(index);
                items[index]["status"] = event["item"]["status"].clone();
                items[index]["name"] = event["item"]["name"].clone();
                if items[index]["name"].is_null() {
                    items[index].as_object_mut().expect("an item").remove("name");
                }
                assert_eq!(event["item"], items[index]);
            }
            _ => {}
        }
        if event["item_id"].is_string() {
            assert_eq!(event["item_id"], items[index]["id"]);
            assert!(!done.contains(&index), "nothing comes behind an item's end");
        }
        last = event;
    }
    done.sort_unstable();
    assert_eq!(done, (0..items.len()).collect::<Vec<_>>(), "each item ends once");
    (items, last)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_amounts_to_its_whole_answer(
        chunks in prop::collection::vec(prop::collection::vec(event(), 0..4), 0..8),
    ) {
        let chunks: Vec<Chunk> = chunks.into_iter().map(Chunk::made).collect();
        let (mut streaming, mut out) = (encoder(), Vec::new());
        chunks.iter().cloned().for_each(|chunk| streaming.chunk(chunk, &mut out));
        streaming.end(&mut out);
        let (items, last) = put_together(std::str::from_utf8(&out).expect("UTF-8"));
        let whole: Value = serde_json::from_slice(&encoder().whole(chunks)).expect("JSON");
        prop_assert_eq!(&last["response"], &whole);
        prop_assert_eq!(&whole["output"], &json!(items));
        let ended = format!("response.{}", whole["status"].as_str().unwrap_or(""));
        prop_assert_eq!(&last["type"], &json!(ended));
    }

    #[test]
    fn every_string_is_a_segment(words in prop::collection::vec("[q-z]{4}Ω[~/\\\\\"a-z]{0,3}[0-9]{2}", 24)) {
        let w = |index: usize| words[index].as_str();
        let body = json!({
            "model": "m", "instructions": w(0),
            "input": [
                { "role": "developer", "content": w(1), w(2): [w(3)] },
                { "role": "user", "content": [
                    { "type": "input_text", "text": w(4), w(5): { w(6): w(7) } },
                    { "type": "input_image", "image_url": format!("https://{}", w(8)) },
                ] },
                { "type": "function_call", "id": w(9), "call_id": w(10), "name": w(11),
                  "arguments": json!({ w(12): w(12) }).to_string() },
                { "type": "function_call_output", "call_id": w(10), "output": w(13) },
                { "role": "assistant", "content": [{ "type": "refusal", "refusal": w(14) }] },
            ],
            "tools": [{ "type": "function", "name": w(15), "description": w(16),
                "parameters": { "type": "object", "properties": { w(17): { "default": w(18) } } } }],
            "tool_choice": { "type": "function", "name": w(15) },
            "user": w(19), "metadata": { w(20): w(21) }, w(22): w(23),
        });
        let request = decode_request(Dialect::OpenAiResponses, "r".into(), body.to_string().as_bytes());
        let request = request.expect("well formed");
        let texts = request.segments().iter().map(|one| {
            let word = match &one.place {
                Place::Key(_) => format!("key{}", one.id.0),
                Place::Value(at) if at.ends_with("image_url") => "https://blank".to_owned(),
                Place::Value(_) => format!("blank{}", one.id.0),
            };
            (one.id, word)
        });
        let blank = request.with_texts(texts).expect("every segment stands where it says");
        prop_assert!(!blank.body().to_string().contains('Ω'));
        for target in Dialect::TARGETS {
            // What is blanked is no JSON any more, which one of them needs.
            let Ok(sent) = encode_request(target, &blank, "m", None) else { continue };
            prop_assert!(!String::from_utf8_lossy(&sent.body).contains('Ω'));
        }
        prop_assert!(encode_request(Dialect::OpenAiChat, &blank, "m", None).is_ok());
    }
}

/// A failure comes behind a beginning, whatever was said before, and is the end.
#[test]
fn a_failure_is_the_last_word() {
    let error = ErrorBody {
        message: "broke".into(),
        kind: "server_error".into(),
        param: None,
        code: Some("answer_broken".into()),
    };
    for text in ["", "half"] {
        let (mut encoder, mut out) = (encoder(), Vec::new());
        let said =
            Event::Text { choice: 0, kind: TextKind::Answer, text: text.into(), place: None };
        encoder.chunk(Chunk::made(vec![said]), &mut out);
        encoder.error(&error, &mut out);
        let stream = String::from_utf8(out).expect("UTF-8");
        assert!(stream.starts_with("event: response.created\n"), "{stream}");
        let last = stream.trim_end().rsplit_once("data: ").expect("an event").1;
        let last: Value = serde_json::from_str(last).expect("JSON");
        assert_eq!(
            (&last["type"], &last["response"]["status"]),
            (&json!("response.failed"), &json!("failed"))
        );
        assert_eq!(
            last["response"]["error"],
            json!({ "code": "answer_broken", "message": "broke" })
        );
        assert!(stream.contains("event: error\ndata: {\"code\":\"answer_broken\""), "{stream}");
    }
}
