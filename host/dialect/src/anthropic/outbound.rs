//! A request for a target of this dialect, from a request of any.

use std::collections::BTreeSet;

use ringfence_chat::{Dialect, Part, Request, Role};
use serde_json::{Map, Value, json};

use super::turns;
use crate::Translated;
use crate::carries::carries_from;
use crate::encoder::to_bytes;
use crate::fault::Unsupported;
use crate::walk::param;

/// Tokens of an answer at most, where the client sets no limit: this dialect demands
/// one, and every model that speaks it can write so many.
pub(crate) const MAX_TOKENS: u32 = 4096;

/// The highest temperature that this dialect knows.
const MAX_TEMPERATURE: f32 = 1.0;

/// What is being written, and what had to be left out.
pub(crate) struct Draft<'a> {
    /// The request as the target may see it.
    pub request: &'a Request,
    /// Names of optional parameters that the target takes; `None` means all.
    honours: Option<&'a [String]>,
    /// Names of what was left out.
    pub dropped: BTreeSet<String>,
}

/// Writes the request.
///
/// What differs from the client's own words: system messages stand together before the
/// others; messages of one side that follow each other become one; a temperature above
/// 1 is 1 and `top_p` gives way to `temperature` (newer models refuse both), and both
/// are named among what was dropped; texts of white space only are left out, since this
/// dialect refuses them.
pub(crate) fn encode_request(
    request: &Request,
    model: &str,
    honours: Option<&[String]>,
) -> Result<Translated, Unsupported> {
    let carried = carries_from(request.dialect, Dialect::AnthropicMessages);
    if let Some(need) = request.needs.iter().find(|need| !carried.capabilities.contains(need)) {
        return Err(Unsupported::new(need.name()));
    }
    let mut draft = Draft { request, honours, dropped: BTreeSet::new() };
    for name in &request.optional {
        if !draft.takes(name) || carried.honours.is_some_and(|all| !all.contains(&name.as_str())) {
            draft.dropped.insert(name.clone());
        }
    }
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
    Ok(Translated {
        body: to_bytes(&Value::Object(body)),
        dropped: draft.dropped.into_iter().collect(),
    })
}

impl Draft<'_> {
    /// Whether the target takes the optional parameter `name`.
    pub fn takes(&self, name: &str) -> bool {
        self.honours.is_none_or(|names| names.iter().any(|one| one == name))
    }

    /// The mark for the prompt cache on the object at `pointer` of the client's JSON.
    pub fn cache_mark(&self, pointer: &str) -> Option<Value> {
        if !self.takes("cache_control") {
            return None;
        }
        let mark = self.request.body().pointer(pointer)?.get("cache_control")?.as_object()?;
        let word = |name: &str, words: &[&'static str]| {
            let word = mark.get(name)?.as_str()?;
            words.iter().copied().find(|known| *known == word)
        };
        let kind = word("type", &["ephemeral"])?;
        Some(match word("ttl", &["5m", "1h"]) {
            Some(ttl) => json!({ "type": kind, "ttl": ttl }),
            None => json!({ "type": kind }),
        })
    }
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
            if let Some(mark) = turns::mark(draft, index, id) {
                block["cache_control"] = mark;
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
        let name = request.segments()[tool.name.index()].place.pointer();
        let pointer = name.strip_suffix("/function/name").unwrap_or(name);
        if let Some(mark) = draft.cache_mark(pointer) {
            made.insert("cache_control".to_owned(), mark);
        }
        tools.push(Value::Object(made));
    }
    Value::Array(tools)
}

fn tool_choice(draft: &Draft<'_>) -> Option<Value> {
    let body = draft.request.body();
    let one_at_a_time = body.get("parallel_tool_calls") == Some(&Value::Bool(false))
        && draft.takes("parallel_tool_calls");
    let mut choice = match body.get("tool_choice") {
        Some(Value::Object(choice)) => {
            json!({ "type": "tool", "name": choice.get("function")?.get("name")? })
        }
        Some(Value::String(word)) if word == "none" => return Some(json!({ "type": "none" })),
        Some(Value::String(word)) if word == "required" => json!({ "type": "any" }),
        Some(Value::String(_)) => json!({ "type": "auto" }),
        _ if one_at_a_time => json!({ "type": "auto" }),
        _ => return None,
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
            return Err(Unsupported::new(param(request.segments()[id.index()].place.pointer())));
        }
        stops.push(Value::from(text));
    }
    if !stops.is_empty() {
        body.insert("stop_sequences".to_owned(), Value::Array(stops));
    }
    Ok(())
}

/// The number as it was written: 0.7 and not 0.699999988.
fn number(value: f32) -> Value {
    value.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}
