//! A request for a target of this dialect, from a client of another.

use ringfence_chat::{Capability, Part, Role, ToolChoice};
use serde_json::{Map, Value, json};

use super::turns;
use crate::Translated;
use crate::cache_control::written;
use crate::carries::Carries;
use crate::draft::{Draft, number};
use crate::fault::Unsupported;

/// Tokens of an answer at most, where the client sets no limit: this dialect demands
/// one, and every model that speaks it can write so many.
pub(crate) const MAX_TOKENS: u32 = 4096;

/// The highest temperature that this dialect knows.
const MAX_TEMPERATURE: f32 = 1.0;

/// What this dialect has words for in the house's view of a request.
pub(crate) const TRANSLATED: Carries = Carries {
    capabilities: &[Capability::Tools, Capability::Images, Capability::Files],
    honours: Some(&["cache_control", "parallel_tool_calls"]),
};

/// Writes the request.
///
/// What differs from the client's own words: system messages stand together before the
/// others; messages of one side that follow each other become one; a temperature above
/// 1 is 1 and `top_p` gives way to `temperature` (newer models refuse both), and both
/// are named among what was dropped; texts of white space only are left out, since this
/// dialect refuses them.
pub(crate) fn compose(mut draft: Draft<'_>, model: &str) -> Result<Translated, Unsupported> {
    let request = draft.request;
    let mut body = Map::new();
    body.insert("model".to_owned(), Value::from(model));
    let limit = request.sampling.max_tokens.unwrap_or(MAX_TOKENS);
    body.insert("max_tokens".to_owned(), Value::from(limit));
    if let Some(system) = system(&mut draft)? {
        body.insert("system".to_owned(), system);
    }
    body.insert("messages".to_owned(), Value::Array(turns::messages(&mut draft)?));
    if !request.tools.is_empty() {
        body.insert("tools".to_owned(), tools(&mut draft));
        if let Some(choice) = tool_choice(&draft) {
            body.insert("tool_choice".to_owned(), choice);
        }
    }
    sampling(&mut draft, &mut body)?;
    body.insert("stream".to_owned(), Value::Bool(request.streamed));
    Ok(draft.done(body))
}

/// All system messages: one text, or blocks where one of them is marked for the cache.
fn system(draft: &mut Draft<'_>) -> Result<Option<Value>, Unsupported> {
    let mut blocks = Vec::new();
    let mut texts = Vec::new();
    for (index, turn) in draft.request.turns.iter().enumerate() {
        if turn.role != Role::System {
            continue;
        }
        for part in &turn.parts {
            let Part::Text(id) = *part else {
                return Err(Unsupported::new(format!("messages[{index}].content")));
            };
            let text = draft.request.text(id);
            if text.trim().is_empty() {
                continue;
            }
            texts.push(text);
            let mut block = json!({ "type": "text", "text": text });
            if let Some(keep) = draft.cache_mark(id) {
                block["cache_control"] = written(keep);
            }
            blocks.push(block);
        }
    }
    let marked = blocks.iter().any(|block| block.get("cache_control").is_some());
    Ok(match (texts.is_empty(), marked) {
        (true, _) => None,
        (false, true) => Some(Value::Array(blocks)),
        (false, false) => Some(Value::from(texts.join("\n\n"))),
    })
}

fn tools(draft: &mut Draft<'_>) -> Value {
    let request = draft.request;
    let mut tools = Vec::new();
    for tool in &request.tools {
        let mut made = Map::new();
        made.insert("name".to_owned(), Value::from(request.text(tool.name)));
        if let Some(description) = tool.description {
            made.insert("description".to_owned(), Value::from(request.text(description)));
        }
        let schema = tool.parameters.as_ref().and_then(|at| request.body().pointer(at));
        let mut schema = schema.and_then(Value::as_object).cloned().unwrap_or_default();
        // A function without parameters may say nothing at all; here it must be an object.
        schema.entry("type").or_insert_with(|| Value::from("object"));
        made.insert("input_schema".to_owned(), Value::Object(schema));
        if let Some(keep) = draft.cache_mark(tool.name) {
            made.insert("cache_control".to_owned(), written(keep));
        }
        tools.push(Value::Object(made));
    }
    Value::Array(tools)
}

fn tool_choice(draft: &Draft<'_>) -> Option<Value> {
    let request = draft.request;
    let one_at_a_time =
        request.parallel_tool_calls == Some(false) && draft.takes("parallel_tool_calls");
    let mut choice = match request.tool_choice {
        Some(ToolChoice::One(name)) => json!({ "type": "tool", "name": request.text(name) }),
        Some(ToolChoice::None) => return Some(json!({ "type": "none" })),
        Some(ToolChoice::Required) => json!({ "type": "any" }),
        Some(ToolChoice::Auto) => json!({ "type": "auto" }),
        None if one_at_a_time => json!({ "type": "auto" }),
        None => return None,
    };
    if one_at_a_time {
        choice["disable_parallel_tool_use"] = Value::Bool(true);
    }
    Some(choice)
}

fn sampling(draft: &mut Draft<'_>, body: &mut Map<String, Value>) -> Result<(), Unsupported> {
    let request = draft.request;
    let sampling = &request.sampling;
    if let Some(temperature) = sampling.temperature {
        if temperature > MAX_TEMPERATURE {
            draft.dropped.insert("temperature".to_owned());
        }
        body.insert("temperature".to_owned(), number(temperature.min(MAX_TEMPERATURE)));
    }
    match sampling.top_p {
        Some(_) if sampling.temperature.is_some() => {
            draft.dropped.insert("top_p".to_owned());
        }
        Some(top_p) => {
            body.insert("top_p".to_owned(), number(top_p));
        }
        None => {}
    }
    let mut stops = Vec::new();
    for &id in &sampling.stop {
        let text = request.text(id);
        if text.trim().is_empty() {
            return Err(draft.unsupported(id));
        }
        stops.push(Value::from(text));
    }
    if !stops.is_empty() {
        body.insert("stop_sequences".to_owned(), Value::Array(stops));
    }
    Ok(())
}
