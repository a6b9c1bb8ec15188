//! What an answer repeats of its request, as this dialect's answers do.

use ringfence_chat::Request;
use serde_json::{Map, Value, json};

/// Members of a request that its answer repeats, as far as they were said.
const REPEATED: &[&str] = &[
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_p",
    "truncation",
    "user",
];

/// What the answer to `request` repeats of it, and what it says of what was not said.
pub(crate) fn echo(request: &Request) -> Map<String, Value> {
    let mut echo = Map::new();
    for (name, usual) in [
        ("background", json!(false)),
        ("instructions", Value::Null),
        ("max_output_tokens", Value::Null),
        ("metadata", json!({})),
        ("parallel_tool_calls", json!(true)),
        ("previous_response_id", Value::Null),
        ("reasoning", json!({ "effort": null, "summary": null })),
        // Nothing is stored, whether or not the client said so.
        ("store", json!(false)),
        ("temperature", Value::Null),
        ("text", json!({ "format": { "type": "text" } })),
        ("tool_choice", json!("auto")),
        ("tools", json!([])),
        ("top_p", Value::Null),
        ("truncation", json!("disabled")),
    ] {
        echo.insert(name.to_owned(), usual);
    }
    for &name in REPEATED {
        if let Some(value) = request.body().get(name).filter(|value| !value.is_null()) {
            echo.insert(name.to_owned(), value.clone());
        }
    }
    echo
}
