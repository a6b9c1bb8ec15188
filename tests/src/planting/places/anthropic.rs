//! Places in a message of Anthropic's dialect.

use serde_json::{Value as Json, json};

use super::Holds::{self, Name, Named, Sealed, Text};
use super::{Dialect, Place, Planted, Random, Written};
use crate::planting::carriers::cell_name;
use crate::planting::coding::{base64, query};

pub(super) const PLACES: &[Place] = &[
    place("A: user text", Text, |planted, _| {
        Some(Written { body: asked(json!(planted.text)), spoken: Some(planted.text.to_owned()) })
    }),
    place("A: user block", Text, |planted, _| {
        let blocks = json!([{"type": "text", "text": planted.text,
            "cache_control": {"type": "ephemeral"}}]);
        Some(Written { body: asked(blocks), spoken: Some(planted.text.to_owned()) })
    }),
    place("A: two blocks", Text, |planted, random| {
        let (one, other) = planted.halves(random)?;
        let blocks = json!([{"type": "text", "text": one}, {"type": "text", "text": other}]);
        Some(asked(blocks).into())
    }),
    place("A: two messages", Text, |planted, random| {
        let (one, other) = planted.halves(random)?;
        Some(talk(json!([{"role": "user", "content": one}, {"role": "user", "content": other}])))
    }),
    place("A: system", Text, |planted, _| {
        let mut body = asked(json!("Who is it?"));
        body["system"] = json!(planted.text);
        Some(body.into())
    }),
    place("A: system block", Text, |planted, _| {
        let mut body = asked(json!("Who is it?"));
        body["system"] = json!([{"type": "text", "text": planted.text}]);
        Some(body.into())
    }),
    place("A: assistant", Text, |planted, _| {
        Some(talk(json!([
            {"role": "user", "content": "Repeat it."},
            {"role": "assistant", "content": [{"type": "text", "text": planted.text}]},
            {"role": "user", "content": "Again?"},
        ])))
    }),
    place("A: signed reasoning", Sealed, |planted, _| {
        Some(talk(json!([
            {"role": "user", "content": "Repeat it."},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": planted.text, "signature": "c2lnbmVkIGJ5IHRoZSBtb2RlbA=="},
                {"type": "text", "text": "Done."},
            ]},
            {"role": "user", "content": "Again?"},
        ])))
    }),
    place("A: tool input, text", Text, |planted, _| {
        Some(called(json!({"note": planted.text, "retries": 3}), json!("done")))
    }),
    place("A: tool input, named", Named, |planted, _| {
        Some(called(json!({cell_name(planted.label): planted.value, "retries": 3}), json!("done")))
    }),
    place("A: tool input, deep", Named, |planted, _| {
        let inner = json!({cell_name(planted.label): [planted.value]}).to_string();
        Some(called(json!({"query": {"filter": [{"raw": inner}]}}), json!("done")))
    }),
    place("A: tool input, key", Named, |planted, _| {
        Some(called(json!({"rows": {planted.short(): "open"}}), json!("done")))
    }),
    place("A: tool result", Text, |planted, _| {
        Some(called(json!({"row": 1}), json!(planted.text)))
    }),
    place("A: tool result block", Text, |planted, _| {
        Some(called(json!({"row": 1}), json!([{"type": "text", "text": planted.text}])))
    }),
    place("A: tool description", Text, |planted, _| {
        Some(tooled(json!({"name": "look_up", "description": planted.text,
            "input_schema": {"type": "object", "properties": {}}})))
    }),
    place("A: schema description", Text, |planted, _| {
        Some(parameter("key", json!({"type": "string", "description": planted.text})))
    }),
    place("A: schema choices", Named, |planted, _| {
        let schema = json!({"type": "string", "enum": ["none", planted.value]});
        Some(parameter(&cell_name(planted.label), schema))
    }),
    place("A: schema key", Named, |planted, _| {
        Some(parameter(&planted.short(), json!({"type": "string"})))
    }),
    place("A: metadata", Name, |planted, _| {
        let mut body = asked(json!("hello"));
        body["metadata"] = json!({"user_id": planted.short()});
        Some(body.into())
    }),
    place("A: stop sequence", Name, |planted, _| {
        let mut body = asked(json!("hello"));
        body["stop_sequences"] = json!(["END", planted.short()]);
        Some(body.into())
    }),
    place("A: document, text", Text, |planted, _| {
        Some(document(json!({"type": "text", "media_type": "text/plain", "data": planted.text})))
    }),
    place("A: document, base64", Sealed, |planted, _| {
        let data = base64(planted.text.as_bytes());
        Some(document(json!({"type": "base64", "media_type": "text/plain", "data": data})))
    }),
    place("A: document, blocks", Text, |planted, _| {
        Some(document(json!({"type": "content", "content": [
            {"type": "text", "text": planted.text},
        ]})))
    }),
    place("A: title of a document", Named, |planted, _| {
        Some(
            asked(json!([
                {"type": "document", "title": planted.short(), "context": planted.text,
                    "source": {"type": "text", "media_type": "text/plain", "data": "Nothing."}},
                {"type": "text", "text": "What is in it?"},
            ]))
            .into(),
        )
    }),
    place("A: search result", Text, |planted, _| {
        Some(
            asked(json!([
                {"type": "search_result", "source": "https://records.intranet.example/7",
                    "title": "A record", "content": [{"type": "text", "text": planted.text}]},
                {"type": "text", "text": "What is in it?"},
            ]))
            .into(),
        )
    }),
    place("A: query of an image's address", Named, |planted, _| {
        let url = format!(
            "https://img.intranet.example/scan.png?{}={}",
            query(&cell_name(planted.label)),
            query(planted.value)
        );
        Some(
            asked(json!([
                {"type": "image", "source": {"type": "url", "url": url}},
                {"type": "text", "text": "What is this?"},
            ]))
            .into(),
        )
    }),
    place("A: a field nobody knows", Text, |planted, _| {
        let mut body = asked(json!("hello"));
        body["x_context"] = json!({"notes": [{"body": planted.text}]});
        Some(body.into())
    }),
];

const fn place(
    name: &'static str,
    holds: Holds,
    write: fn(&Planted, &mut Random) -> Option<Written>,
) -> Place {
    Place { name, dialect: Dialect::Anthropic, holds, write }
}

fn asked(content: Json) -> Json {
    json!({"messages": [{"role": "user", "content": content}]})
}

fn talk(messages: Json) -> Written {
    json!({"messages": messages}).into()
}

fn called(input: Json, result: Json) -> Written {
    talk(json!([
        {"role": "user", "content": "Look it up."},
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": input},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": result},
        ]},
    ]))
}

fn tooled(tool: Json) -> Written {
    let mut body = asked(json!("hello"));
    body["tools"] = json!([tool]);
    body.into()
}

fn parameter(name: &str, schema: Json) -> Written {
    tooled(json!({"name": "look_up", "input_schema": {
        "type": "object", "properties": {name: schema},
    }}))
}

fn document(source: Json) -> Written {
    asked(json!([
        {"type": "document", "source": source}, {"type": "text", "text": "What is in it?"},
    ]))
    .into()
}
