//! Places in a chat completion.

use serde_json::{Value as Json, json};

use super::Holds::{self, Name, Named, Sealed, Text};
use super::{Dialect, Place, Planted, Random, Written};
use crate::planting::carriers::cell_name;
use crate::planting::coding::{base64, query};

pub(super) const PLACES: &[Place] = &[
    place("user text", Text, |planted, _| {
        Some(Written { body: asked(json!(planted.text)), spoken: Some(planted.text.to_owned()) })
    }),
    place("user part", Text, |planted, _| {
        let parts = json!([{"type": "text", "text": planted.text}]);
        Some(Written { body: asked(parts), spoken: Some(planted.text.to_owned()) })
    }),
    place("two parts", Text, |planted, random| {
        let (one, other) = planted.halves(random)?;
        let parts = json!([{"type": "text", "text": one}, {"type": "text", "text": other}]);
        Some(asked(parts).into())
    }),
    place("two messages", Text, |planted, random| {
        let (one, other) = planted.halves(random)?;
        Some(chat(json!([{"role": "user", "content": one}, {"role": "user", "content": other}])))
    }),
    place("system", Text, |planted, _| {
        Some(chat(json!([
            {"role": "system", "content": planted.text}, {"role": "user", "content": "Who is it?"},
        ])))
    }),
    place("developer", Text, |planted, _| {
        Some(chat(json!([
            {"role": "developer", "content": [{"type": "text", "text": planted.text}]},
            {"role": "user", "content": "Who is it?"},
        ])))
    }),
    place("assistant", Text, |planted, _| {
        Some(chat(json!([
            {"role": "user", "content": "Repeat it."},
            {"role": "assistant", "content": planted.text},
            {"role": "user", "content": "Thanks. Again?"},
        ])))
    }),
    place("refusal", Text, |planted, _| {
        Some(chat(json!([
            {"role": "user", "content": "Repeat it."},
            {"role": "assistant", "content": null, "refusal": planted.text},
            {"role": "user", "content": "Why?"},
        ])))
    }),
    place("reasoning", Text, |planted, _| {
        Some(chat(json!([
            {"role": "user", "content": "Repeat it."},
            {"role": "assistant", "content": "Done.", "reasoning_content": planted.text},
            {"role": "user", "content": "Why?"},
        ])))
    }),
    place("tool arguments, text", Text, |planted, _| {
        Some(called(&json!({"note": planted.text, "retries": 3}), "done"))
    }),
    place("tool arguments, named", Named, |planted, _| {
        Some(called(&json!({"retries": 3, cell_name(planted.label): planted.value}), "done"))
    }),
    place("tool arguments, deep", Named, |planted, _| {
        let inner = json!({cell_name(planted.label): [planted.value]}).to_string();
        Some(called(&json!({"query": {"filter": [{"raw": inner}]}}), "done"))
    }),
    place("tool arguments, key", Named, |planted, _| {
        Some(called(&json!({"rows": {planted.short(): "open"}}), "done"))
    }),
    place("tool result", Text, |planted, _| Some(called(&json!({"row": 1}), planted.text))),
    place("tool result, JSON", Named, |planted, _| {
        let result = json!({"rows": [{cell_name(planted.label): planted.value, "status": "open"}]});
        Some(called(&json!({"row": 1}), &result.to_string()))
    }),
    place("tool description", Text, |planted, _| {
        Some(tooled(json!({"name": "look_up", "description": planted.text,
            "parameters": {"type": "object", "properties": {}}})))
    }),
    place("schema description", Text, |planted, _| {
        Some(parameter("key", json!({"type": "string", "description": planted.text})))
    }),
    place("schema default", Named, |planted, _| {
        let schema = json!({"type": "string", "default": planted.value});
        Some(parameter(&cell_name(planted.label), schema))
    }),
    place("schema choices", Named, |planted, _| {
        let schema = json!({"type": "string", "enum": ["none", planted.value]});
        Some(parameter(&cell_name(planted.label), schema))
    }),
    place("schema examples", Named, |planted, _| {
        let schema = json!({"type": "string", "examples": [planted.short()]});
        Some(parameter("key", schema))
    }),
    place("schema key", Named, |planted, _| {
        Some(parameter(&planted.short(), json!({"type": "string"})))
    }),
    // Whoever makes a name writes its words in ASCII; an address with colons is in none.
    place("tool name", Name, |planted, _| {
        let name: String = planted
            .short()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
            .collect();
        let possible = planted.label.is_ascii() && !planted.value.contains(':');
        (name.len() <= 64 && possible && planted.value.is_ascii())
            .then(|| tooled(json!({"name": name, "parameters": {"type": "object"}})))
    }),
    place("schema of the answer", Text, |planted, _| {
        let mut body = asked(json!("hello"));
        body["response_format"] = json!({"type": "json_schema", "json_schema": {
            "name": "answer", "description": planted.text,
            "schema": {"type": "object", "properties": {"a": {"description": planted.short()}}},
        }});
        Some(body.into())
    }),
    place("metadata", Named, |planted, _| {
        let mut body = asked(json!("hello"));
        body["metadata"] = json!({cell_name(planted.label): planted.value});
        Some(body.into())
    }),
    place("metadata key", Named, |planted, _| {
        let mut body = asked(json!("hello"));
        body["metadata"] = json!({planted.short(): "open"});
        Some(body.into())
    }),
    place("user field", Name, |planted, _| {
        let mut body = asked(json!("hello"));
        body["user"] = json!(planted.short());
        Some(body.into())
    }),
    place("safety identifier", Name, |planted, _| {
        let mut body = asked(json!("hello"));
        body["safety_identifier"] = json!(planted.short());
        Some(body.into())
    }),
    place("participant's name", Name, |planted, _| {
        Some(chat(json!([{"role": "user", "name": planted.short(), "content": "hello"}])))
    }),
    place("stop", Name, |planted, _| {
        let mut body = asked(json!("hello"));
        body["stop"] = json!(["END", planted.short()]);
        Some(body.into())
    }),
    place("prediction", Text, |planted, _| {
        let mut body = asked(json!("hello"));
        body["prediction"] = json!({"type": "content", "content": planted.text});
        Some(body.into())
    }),
    place("a field nobody knows", Text, |planted, _| {
        let mut body = asked(json!("hello"));
        body["x_context"] = json!({"notes": [{"body": planted.text}]});
        Some(body.into())
    }),
    place("a field of a message that nobody knows", Text, |planted, _| {
        Some(chat(json!([{"role": "user", "content": "hello", "x_note": planted.text}])))
    }),
    place("query of an address in text", Named, |planted, _| {
        let text = format!(
            "Why does https://records.intranet.example/find?row=7&{}={}&page=2 fail?",
            query(&cell_name(planted.label)),
            query(planted.value)
        );
        Some(asked(json!(text)).into())
    }),
    place("query of an image's address", Named, |planted, _| {
        let url = format!(
            "https://img.intranet.example/scan.png?{}={}",
            query(&cell_name(planted.label)),
            query(planted.value)
        );
        Some(
            asked(json!([
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": url}},
            ]))
            .into(),
        )
    }),
    place("data: in text", Text, |planted, _| {
        let data = base64(planted.text.as_bytes());
        Some(asked(json!(format!("Read data:text/plain;base64,{data} please."))).into())
    }),
    place("data: with percent, in text", Text, |planted, _| {
        Some(asked(json!(format!("Read data:text/plain,{} please.", query(planted.text)))).into())
    }),
    place("file", Sealed, |planted, _| {
        let data = format!("data:text/plain;base64,{}", base64(planted.text.as_bytes()));
        Some(
            asked(json!([
                {"type": "text", "text": "What is in it?"},
                {"type": "file", "file": {"filename": "note.txt", "file_data": data}},
            ]))
            .into(),
        )
    }),
    place("file's name", Name, |planted, _| {
        Some(asked(json!([
            {"type": "text", "text": "What is in it?"},
            {"type": "file", "file": {"filename": format!("{}.txt", planted.short()), "file_id": "file-1"}},
        ])).into())
    }),
    place("old functions", Text, |planted, _| {
        let mut body = asked(json!("hello"));
        body["functions"] = json!([{"name": "f", "description": planted.text,
            "parameters": {"type": "object"}}]);
        Some(body.into())
    }),
];

const fn place(
    name: &'static str,
    holds: Holds,
    write: fn(&Planted, &mut Random) -> Option<Written>,
) -> Place {
    Place { name, dialect: Dialect::OpenAi, holds, write }
}

fn asked(content: Json) -> Json {
    json!({"messages": [{"role": "user", "content": content}]})
}

fn chat(messages: Json) -> Written {
    json!({"messages": messages}).into()
}

fn called(arguments: &Json, result: &str) -> Written {
    chat(json!([
        {"role": "user", "content": "Look it up."},
        {"role": "assistant", "content": null, "tool_calls": [{
            "id": "call_1", "type": "function",
            "function": {"name": "look_up", "arguments": arguments.to_string()},
        }]},
        {"role": "tool", "tool_call_id": "call_1", "content": result},
    ]))
}

fn tooled(function: Json) -> Written {
    let mut body = asked(json!("hello"));
    body["tools"] = json!([{"type": "function", "function": function}]);
    body.into()
}

fn parameter(name: &str, schema: Json) -> Written {
    tooled(json!({"name": "look_up", "parameters": {
        "type": "object", "properties": {name: schema}, "required": [],
    }}))
}
