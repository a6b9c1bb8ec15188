//! Invariants of requests in Anthropic's dialect: every string is a segment, and nothing
//! is lost.

use proptest::prelude::*;
use ringfence_chat::{Dialect, Kind, Place, Request};
use serde_json::{Value, json};

use crate::{Malformed, decode_request, encode_request};

fn read(body: &Value) -> Result<Request, Malformed> {
    decode_request(Dialect::AnthropicMessages, "r".into(), body.to_string().as_bytes())
}

/// Strings that no vocabulary has: whatever is left of them was not covered.
fn secret() -> impl Strategy<Value = String> {
    "[q-z]{4}Ω[~/\\\\\"a-z]{0,3}[0-9]{2}"
}

/// An object that nobody here knows.
fn extra() -> impl Strategy<Value = Value> {
    (secret(), secret(), any::<bool>()).prop_map(|(key, value, some)| {
        if some { json!({ key: [value, { "known": null }] }) } else { json!({}) }
    })
}

fn with(mut value: Value, extra: Value) -> Value {
    if let (Value::Object(map), Value::Object(extra)) = (&mut value, extra) {
        map.extend(extra);
    }
    value
}

/// A block that a user may send; `foreign` ones only their own dialect carries.
fn block(foreign: bool) -> BoxedStrategy<Value> {
    let text = (secret(), extra())
        .prop_map(|(text, extra)| with(json!({ "type": "text", "text": text }), extra));
    let image = (secret(), extra()).prop_map(|(url, extra)| {
        let source = with(json!({ "type": "url", "url": format!("https://{url}") }), extra);
        json!({ "type": "image", "source": source })
    });
    if !foreign {
        return prop_oneof![3 => text, 1 => image].boxed();
    }
    let document =
        (secret(), secret(), secret(), extra()).prop_map(|(data, title, context, extra)| {
            let source =
                with(json!({ "type": "text", "media_type": "text/plain", "data": data }), extra);
            json!({ "type": "document", "source": source, "title": title, "context": context,
            "citations": { "enabled": true } })
        });
    let nested = (secret(), extra()).prop_map(|(text, extra)| {
        let inner = with(json!({ "type": "text", "text": text }), extra);
        json!({ "type": "document", "source": { "type": "content", "content": [inner] } })
    });
    let pdf = (secret(), secret()).prop_map(|(data, media)| {
        json!({ "type": "document", "source": { "type": "base64", "media_type": media, "data": data } })
    });
    let stored = (secret(), secret()).prop_map(|(id, kind)| {
        json!({ "type": "image", "source": { "type": "file", "file_id": id, "kind": kind } })
    });
    let found = (secret(), secret(), secret()).prop_map(|(source, title, text)| {
        json!({ "type": "search_result", "source": source, "title": title,
            "content": [{ "type": "text", "text": text }] })
    });
    let unknown =
        (secret(), extra()).prop_map(|(kind, extra)| with(json!({ "type": kind }), extra));
    prop_oneof![3 => text, 1 => image, 1 => document, 1 => nested, 1 => pdf, 1 => stored, 1 => found, 1 => unknown].boxed()
}

fn body(foreign: bool) -> impl Strategy<Value = Value> {
    let said = (block(foreign), extra()).prop_map(|(block, extra)| {
        vec![with(json!({ "role": "user", "content": [block] }), extra)]
    });
    let called = (secret(), secret(), secret(), secret(), block(foreign), extra()).prop_map(
        |(id, name, argument, thought, result, extra)| {
            let input = json!({ argument.clone(): [argument, 12345678901234u64] });
            let call = with(json!({ "type": "tool_use", "id": id, "name": name, "input": input }), extra);
            let result = json!({ "type": "tool_result", "tool_use_id": id, "content": [result] });
            vec![
                json!({ "role": "assistant", "content": [{ "type": "thinking", "thinking": thought }, call] }),
                json!({ "role": "user", "content": [result] }),
            ]
        },
    );
    let messages = prop::collection::vec(prop_oneof![said, called], 1..4);
    let tool = (secret(), secret(), secret(), extra()).prop_map(
        move |(name, description, property, extra)| {
            let schema = json!({ "type": "object", "properties": { property.clone(): { "type": "string" } },
                "required": [property] });
            with(json!({ "name": name, "description": description, "input_schema": schema }), extra)
        },
    );
    let hosted = (secret(), secret(), extra())
        .prop_map(|(kind, name, extra)| with(json!({ "type": kind, "name": name }), extra));
    let tools = if foreign { prop_oneof![tool, hosted].boxed() } else { tool.boxed() };
    let system = (secret(), secret(), extra()).prop_map(|(one, other, extra)| {
        json!([with(json!({ "type": "text", "text": one }), extra), { "type": "text", "text": other }])
    });
    (messages, prop::collection::vec(tools, 0..3), system, secret(), secret(), extra()).prop_map(
        move |(messages, tools, system, user, stop, extra)| {
            let mut body = json!({
                "model": "auto", "max_tokens": 9, "system": system, "tools": tools,
                "messages": messages.into_iter().flatten().collect::<Vec<Value>>(),
                "metadata": { "user_id": user, "more": user }, "stop_sequences": [stop],
                "thinking": { "type": "enabled", "budget_tokens": 1024 },
                "context_management": { "edits": [{ "type": user }] },
            });
            if foreign {
                body["mcp_servers"] =
                    json!([{ "type": "url", "url": user, "authorization_token": stop }]);
                body["container"] = json!(user);
                body["output_format"] =
                    json!({ "type": "json_schema", "schema": { "const": stop } });
            }
            with(body, extra)
        },
    )
}

/// Every segment's text becomes a word that no secret holds, keys each another one.
fn blank(request: &Request) -> Request {
    let texts = request.segments().iter().map(|segment| {
        let word = match (&segment.place, segment.kind) {
            (Place::Key(_), _) => format!("key{}", segment.id.0),
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
        let sent = encode_request(Dialect::AnthropicMessages, &blank, "m", None).expect("the same");
        let sent = String::from_utf8(sent.body).expect("UTF-8");
        prop_assert!(!sent.contains('Ω') && !sent.contains("12345678901234"), "{sent}");
    }

    #[test]
    fn every_string_is_a_segment_for_the_other_dialect(body in body(false)) {
        let blank = blank(&read(&body).expect("well formed"));
        let sent = encode_request(Dialect::OpenAiChat, &blank, "m", None);
        let sent = String::from_utf8(sent.expect("nothing foreign").body).expect("UTF-8");
        prop_assert!(!sent.contains('Ω') && !sent.contains("12345678901234"), "{sent}");
    }

    #[test]
    fn the_same_dialect_loses_nothing(body in body(true)) {
        let request = read(&body).expect("well formed");
        let sent = encode_request(Dialect::AnthropicMessages, &request, "m", None).expect("the same");
        prop_assert!(sent.dropped.is_empty());
        let mut sent: Value = serde_json::from_slice(&sent.body).expect("JSON");
        sent["model"] = body["model"].clone();
        prop_assert_eq!(sent, body);
    }

    /// What the other dialect is not told stands among what was dropped: no text of a
    /// message, of a call or of a tool is missing.
    #[test]
    fn nothing_that_is_said_is_lost_on_the_way_to_the_other_dialect(body in body(false)) {
        let request = read(&body).expect("well formed");
        let sent = encode_request(Dialect::OpenAiChat, &request, "m", None).expect("nothing foreign");
        let text = String::from_utf8(sent.body).expect("UTF-8");
        for segment in request.segments() {
            let said = matches!(segment.kind, Kind::Text | Kind::ToolResult | Kind::ToolDefinition | Kind::Attachment);
            let quoted = Value::from(segment.text.as_str()).to_string();
            let inner = &quoted[1..quoted.len() - 1];
            prop_assert!(!said || text.contains(inner), "{inner} is missing in {text}");
        }
        for name in ["context_management", "metadata", "thinking"] {
            prop_assert!(sent.dropped.iter().any(|dropped| dropped == name), "{name}");
        }
    }

    #[test]
    fn no_bytes_panic(body in body(true), cut in any::<prop::sample::Index>()) {
        let text = body.to_string();
        let cut = text.floor_char_boundary(cut.index(text.len()));
        let bytes = &text.as_bytes()[..cut];
        prop_assert!(decode_request(Dialect::AnthropicMessages, "r".into(), bytes).is_err());
    }
}
