//! A request for a target of this dialect, from a client of another.

use ringfence_chat::{AnswerForm, Capability, Part, Request, Role, Sampling, ToolChoice, Turn};
use serde_json::{Map, Value, json};

use crate::Translated;
use crate::attachment::{Attached, attached};
use crate::carries::Carries;
use crate::draft::{Draft, number};
use crate::fault::Unsupported;

use super::parameters::STOPS;

/// What this dialect has words for in the house's view of a request.
pub(crate) const TRANSLATED: Carries = Carries {
    capabilities: &[
        Capability::Tools,
        Capability::Images,
        Capability::Files,
        Capability::JsonObject,
        Capability::JsonSchema,
    ],
    honours: Some(&["parallel_tool_calls"]),
};

/// Writes the request.
///
/// What differs from the client's own words: several texts of a system message become
/// one; results of tools come before what else their message says, each in a message of
/// its own; the limit of tokens is the one that this dialect has for all its models; of
/// the model's own reasoning nothing is sent back.
pub(crate) fn compose(draft: Draft<'_>, model: &str) -> Result<Translated, Unsupported> {
    let request = draft.request;
    let mut body = Map::new();
    let mut add = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    add("model", Value::from(model));
    let mut messages = Vec::new();
    for turn in &request.turns {
        message(&draft, turn, &mut messages)?;
    }
    if messages.is_empty() {
        return Err(Unsupported::new("messages"));
    }
    add("messages", Value::Array(messages));
    if !request.tools.is_empty() {
        add("tools", tools(request));
        if let Some(choice) = request.tool_choice {
            add("tool_choice", tool_choice(request, choice));
        }
        if let Some(parallel) = request.parallel_tool_calls
            && draft.takes("parallel_tool_calls")
        {
            add("parallel_tool_calls", Value::Bool(parallel));
        }
    }
    match &request.form {
        Some(form) => add("response_format", response_format(request, form)),
        None if request.needs.iter().any(|need| FORMS.contains(need)) => {
            return Err(Unsupported::new("response_format"));
        }
        None => {}
    }
    let Sampling { temperature, top_p, max_tokens, ref stop, seed: _, choices: _ } =
        request.sampling;
    if let Some(limit) = max_tokens {
        add("max_completion_tokens", Value::from(limit));
    }
    for (name, value) in [("temperature", temperature), ("top_p", top_p)] {
        if let Some(value) = value {
            add(name, number(value));
        }
    }
    if let Some(&first_too_many) = stop.get(STOPS) {
        return Err(draft.unsupported(first_too_many));
    }
    if !stop.is_empty() {
        add("stop", stop.iter().map(|&id| Value::from(request.text(id))).collect());
    }
    add("stream", Value::Bool(request.streamed));
    if request.streamed {
        add("stream_options", json!({ "include_usage": true }));
    }
    Ok(draft.done(body))
}

/// The messages that one turn becomes.
fn message(draft: &Draft<'_>, turn: &Turn, out: &mut Vec<Value>) -> Result<(), Unsupported> {
    let request = draft.request;
    let (mut said, mut calls, mut refusals) = (Vec::new(), Vec::new(), Vec::new());
    for part in &turn.parts {
        match part {
            Part::Text(id) if request.text(*id).is_empty() => {}
            Part::Text(id) => said.push(json!({ "type": "text", "text": request.text(*id) })),
            Part::Refusal(id) => refusals.push(request.text(*id)),
            // Its name is among what was dropped already.
            Part::Reasoning(_) => {}
            Part::ToolCall { id, name, arguments } => calls.push(json!({
                "id": request.text(*id),
                "type": "function",
                "function": {
                    "name": request.text(*name),
                    "arguments": request.arguments(arguments),
                },
            })),
            Part::ToolResult { call, texts } => {
                let texts: Vec<&str> = texts.iter().map(|&id| request.text(id)).collect();
                out.push(json!({
                    "role": "tool",
                    "tool_call_id": request.text(*call),
                    "content": texts.join("\n"),
                }));
            }
            Part::Attachment(id) => {
                let segment = request.segments().get(id.index());
                let part = segment.filter(|_| turn.role != Role::Assistant).and_then(|segment| {
                    attachment(attached(segment)?, segment.media_type.as_deref().unwrap_or(""))
                });
                said.push(part.ok_or_else(|| draft.unsupported(*id))?);
            }
            Part::Unknown => return Err(Unsupported::new("messages")),
        }
    }
    let role = match turn.role {
        Role::System => "system",
        Role::User | Role::Tool => "user",
        Role::Assistant => "assistant",
    };
    if said.is_empty() && calls.is_empty() && refusals.is_empty() && turn.role != Role::Assistant {
        return Ok(());
    }
    let mut message = Map::new();
    message.insert("role".to_owned(), Value::from(role));
    message.insert("content".to_owned(), plain(said, turn.role == Role::System));
    if !refusals.is_empty() {
        message.insert("refusal".to_owned(), Value::from(refusals.join("\n")));
    }
    if !calls.is_empty() {
        message.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    out.push(Value::Object(message));
    Ok(())
}

/// One text is written as a string, and so are all of a system message.
fn plain(mut parts: Vec<Value>, joined: bool) -> Value {
    let text = |part: &Value| part.get("text").and_then(Value::as_str).map(str::to_owned);
    match &mut parts[..] {
        [] => Value::from(""),
        [one] if one.get("text").is_some() => one["text"].take(),
        many if joined => {
            let texts: Vec<String> = many.iter().filter_map(text).collect();
            Value::from(texts.join("\n\n"))
        }
        _ => Value::Array(parts),
    }
}

/// An image, or a document as data: this dialect fetches images only.
fn attachment(attached: Attached<'_>, media_type: &str) -> Option<Value> {
    match attached {
        Attached::Data { media, data } if media.starts_with("image/") => {
            let url = format!("data:{media};base64,{data}");
            Some(json!({ "type": "image_url", "image_url": { "url": url } }))
        }
        Attached::Data { media, data } if media == "application/pdf" => {
            let data = format!("data:{media};base64,{data}");
            let file = json!({ "filename": "document.pdf", "file_data": data });
            Some(json!({ "type": "file", "file": file }))
        }
        Attached::Address(url) if media_type.starts_with("image/") => {
            Some(json!({ "type": "image_url", "image_url": { "url": url } }))
        }
        Attached::Data { .. } | Attached::Address(_) => None,
    }
}

fn tools(request: &Request) -> Value {
    let tools = request.tools.iter().map(|tool| {
        let mut function = Map::new();
        function.insert("name".to_owned(), Value::from(request.text(tool.name)));
        if let Some(description) = tool.description {
            function.insert("description".to_owned(), Value::from(request.text(description)));
        }
        if let Some(schema) = tool.parameters.as_ref().and_then(|at| request.body().pointer(at)) {
            function.insert("parameters".to_owned(), schema.clone());
        }
        json!({ "type": "function", "function": function })
    });
    tools.collect()
}

/// Needs that the house's view of a request holds as a form of the answer.
const FORMS: [Capability; 2] = [Capability::JsonObject, Capability::JsonSchema];

/// A schema's name where the client gave none: this dialect demands one.
const SCHEMA_NAME: &str = "answer";

fn response_format(request: &Request, form: &AnswerForm) -> Value {
    let AnswerForm::JsonSchema { name, description, schema, strict } = form else {
        return json!({ "type": "json_object" });
    };
    let mut format = Map::new();
    let name = name.map_or(SCHEMA_NAME, |id| request.text(id));
    format.insert("name".to_owned(), Value::from(name));
    if let Some(description) = description {
        format.insert("description".to_owned(), Value::from(request.text(*description)));
    }
    if let Some(schema) = request.body().pointer(schema) {
        format.insert("schema".to_owned(), schema.clone());
    }
    if let Some(strict) = strict {
        format.insert("strict".to_owned(), Value::Bool(*strict));
    }
    json!({ "type": "json_schema", "json_schema": format })
}

fn tool_choice(request: &Request, choice: ToolChoice) -> Value {
    match choice {
        ToolChoice::None => Value::from("none"),
        ToolChoice::Auto => Value::from("auto"),
        ToolChoice::Required => Value::from("required"),
        ToolChoice::One(name) => {
            json!({ "type": "function", "function": { "name": request.text(name) } })
        }
    }
}
