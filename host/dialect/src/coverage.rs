//! Invariants of requests: every string is a segment, and nothing is lost.

use proptest::prelude::*;
use ringfence_chat::{Dialect, Kind, Place, Request};
use serde_json::{Map, Value, json};

use crate::{Malformed, PLACE_BYTES, SEGMENTS, decode_request, encode_request};

fn read(body: &Value) -> Result<Request, Malformed> {
    decode_request(Dialect::OpenAiChat, "r".into(), body.to_string().as_bytes())
}

/// Strings that no vocabulary has: whatever is left of them was not covered.
fn secret() -> impl Strategy<Value = String> {
    "[q-z]{4}Ω[~/\\\\\"a-z]{0,3}[0-9]{2}"
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        secret().prop_map(Value::from),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5i32..5).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::vec((secret(), inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Random members for an object that the dialect defines.
fn extra() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((secret(), tree()), 0..2)
        .prop_map(|members| members.into_iter().collect())
}

fn with(mut value: Value, extra: Map<String, Value>) -> Value {
    if let Value::Object(map) = &mut value {
        map.extend(extra);
    }
    value
}

fn part() -> impl Strategy<Value = Value> {
    let text = (secret(), extra())
        .prop_map(|(text, extra)| with(json!({ "type": "text", "text": text }), extra));
    let image = (secret(), extra(), extra()).prop_map(|(url, inner, outer)| {
        let url = with(json!({ "url": format!("https://{url}"), "detail": "low" }), inner);
        with(json!({ "type": "image_url", "image_url": url }), outer)
    });
    prop_oneof![3 => text, 1 => image]
}

fn foreign_part() -> impl Strategy<Value = Value> {
    let audio = (secret(), secret(), extra()).prop_map(|(data, format, extra)| {
        let audio = with(json!({ "data": data, "format": format }), extra);
        json!({ "type": "input_audio", "input_audio": audio })
    });
    let file = (secret(), secret(), extra()).prop_map(|(data, name, extra)| {
        json!({ "type": "file", "file": with(json!({ "file_data": data, "filename": name }), extra) })
    });
    let unknown =
        (secret(), extra()).prop_map(|(kind, extra)| with(json!({ "type": kind }), extra));
    prop_oneof![audio, file, unknown]
}

/// Messages that both dialects can carry, or (`foreign`) that only their own can.
fn messages(foreign: bool) -> impl Strategy<Value = Vec<Value>> {
    let parts = if foreign { prop_oneof![part(), foreign_part()].boxed() } else { part().boxed() };
    let said = (prop::sample::select(vec!["user", "assistant"]), secret(), parts, extra())
        .prop_map(|(role, name, part, extra)| {
            with(json!({ "role": role, "name": name, "content": [part] }), extra)
        });
    let system = (secret(), extra())
        .prop_map(|(text, extra)| with(json!({ "role": "developer", "content": text }), extra));
    let called = (secret(), secret(), secret(), secret(), extra(), extra()).prop_map(
        |(id, name, argument, result, inner, outer)| {
            let arguments = json!({ argument.clone(): argument }).to_string();
            let function = with(json!({ "name": name, "arguments": arguments }), inner);
            let call = json!({ "id": id, "type": "function", "function": function });
            vec![
                with(json!({ "role": "assistant", "tool_calls": [call] }), outer),
                json!({ "role": "tool", "tool_call_id": id, "content": result }),
            ]
        },
    );
    let one = prop_oneof![
        said.prop_map(|message| vec![message]),
        system.prop_map(|message| vec![message]),
        called,
    ];
    prop::collection::vec(one, 0..4).prop_map(|all| {
        let mut messages: Vec<Value> = all.into_iter().flatten().collect();
        messages.push(json!({ "role": "user", "content": "and" }));
        messages
    })
}

fn body(foreign: bool) -> impl Strategy<Value = Value> {
    let tool = (secret(), secret(), secret(), tree(), extra()).prop_map(
        |(name, description, property, default, extra)| {
            let schema = json!({
                "type": "object",
                "properties": { property.clone(): { "type": "string", "default": default } },
                "required": [property],
            });
            with(
                json!({ "type": "function", "function": {
                    "name": name, "description": description, "parameters": schema,
                } }),
                extra,
            )
        },
    );
    let format = (secret(), secret(), extra()).prop_map(move |(name, property, extra)| {
        let schema = json!({ "type": "object", "properties": { property: { "type": "null" } } });
        let format = json!({ "name": name, "schema": schema });
        if foreign {
            with(json!({ "type": "json_schema", "json_schema": format }), extra)
        } else {
            with(json!({ "type": "text" }), extra)
        }
    });
    let parameters = (secret(), tree(), secret(), prop::collection::vec(secret(), 0..4), tree());
    (messages(foreign), prop::collection::vec(tool, 0..2), format, parameters, extra()).prop_map(
        |(messages, tools, format, (user, metadata, effort, stop, prediction), extra)| {
            let body = json!({
                "model": "auto",
                "messages": messages,
                "tools": tools,
                "response_format": format,
                "user": user,
                "metadata": metadata,
                "reasoning_effort": effort,
                "stop": stop,
                "prediction": { "type": "content", "content": prediction },
            });
            with(body, extra)
        },
    )
}

/// Every segment's text becomes a word that no secret holds, keys each another one.
fn blank(request: &Request) -> Request {
    let texts = request.segments().iter().map(|segment| {
        let word = match (&segment.place, segment.kind) {
            (Place::Key(_), _) => format!("key{}", segment.id.0),
            (_, Kind::ToolCall) => "{}".to_owned(),
            (_, Kind::Attachment) => "https://blank".to_owned(),
            _ => format!("blank{}", segment.id.0),
        };
        (segment.id, word)
    });
    request.with_texts(texts).expect("every segment stands where it says")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_string_is_a_segment(body in body(true)) {
        let blank = blank(&read(&body).expect("well formed"));
        let sent = encode_request(Dialect::OpenAiChat, &blank, "m", None).expect("the same dialect");
        let sent = String::from_utf8(sent.body).expect("UTF-8");
        prop_assert!(!sent.contains('Ω'), "{sent}");
    }

    #[test]
    fn every_string_is_a_segment_for_the_other_dialect(body in body(false)) {
        let blank = blank(&read(&body).expect("well formed"));
        let sent = encode_request(Dialect::AnthropicMessages, &blank, "m", None);
        let sent = String::from_utf8(sent.expect("nothing foreign").body).expect("UTF-8");
        prop_assert!(!sent.contains('Ω'), "{sent}");
    }

    #[test]
    fn the_same_dialect_loses_nothing(body in body(true)) {
        let request = read(&body).expect("well formed");
        let sent = encode_request(Dialect::OpenAiChat, &request, "m", None).expect("the same");
        prop_assert!(sent.dropped.is_empty());
        let mut sent: Value = serde_json::from_slice(&sent.body).expect("JSON");
        sent["model"] = body["model"].clone();
        prop_assert_eq!(sent, body);
    }

    #[test]
    fn segments_hold_what_stands_at_their_place(body in body(true)) {
        let request = read(&body).expect("well formed");
        for segment in request.segments() {
            match &segment.place {
                Place::Value(at) => {
                    let found = request.body().pointer(at).and_then(Value::as_str);
                    prop_assert_eq!(found, Some(segment.text.as_str()));
                }
                Place::Key(at) => {
                    let (parent, _) = at.rsplit_once('/').expect("a member");
                    let parent = request.body().pointer(parent).and_then(Value::as_object);
                    prop_assert!(parent.is_some_and(|map| map.contains_key(&segment.text)));
                }
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), body in body(true), cut in any::<prop::sample::Index>()) {
        let _ = decode_request(Dialect::OpenAiChat, "r".into(), &bytes);
        let text = body.to_string();
        let cut = text.floor_char_boundary(cut.index(text.len()));
        prop_assert!(decode_request(Dialect::OpenAiChat, "r".into(), &text.as_bytes()[..cut]).is_err());
    }
}

#[test]
fn too_many_strings_are_refused() {
    let request = |count: usize| {
        let strings = vec![Value::from("x"); count];
        read(
            &json!({ "model": "m", "messages": [{ "role": "user", "content": "a" }], "metadata": strings }),
        )
    };
    assert!(request(SEGMENTS - 1).is_ok());
    let refused = request(SEGMENTS).expect_err("one too many");
    assert_eq!(refused.message, "the request holds too many strings");
}

/// A long name above many strings costs what it holds, and not a multiple of it.
#[test]
fn too_long_names_are_refused() {
    let say = json!([{ "role": "user", "content": "a" }]);
    let named = |bytes: usize| {
        let strings = vec![Value::from("x"); 1024];
        read(&json!({ "model": "m", "messages": say, "metadata": { "n".repeat(bytes): strings } }))
    };
    assert!(named(PLACE_BYTES / 2048).is_ok());
    let refused = named(PLACE_BYTES / 1024).expect_err("too long");
    assert_eq!(refused.message, "the names in the request are too long");

    let called = |bytes: usize| {
        let function = json!({ "name": "n".repeat(bytes), "arguments": "{}" });
        let parts = vec![json!({ "type": "text", "text": "x" }); 1024];
        read(&json!({ "model": "m", "messages": [
            { "role": "assistant", "tool_calls": [{ "id": "a", "type": "function", "function": function }] },
            { "role": "tool", "tool_call_id": "a", "content": parts },
        ] }))
    };
    assert!(called(PLACE_BYTES / 2048).is_ok());
    assert!(called(PLACE_BYTES / 1024).is_err());
}
