//! Tools: declared, chosen, called and answered.

use ringfence_chat::{Arguments, Capability, Kind, Part, Tool, ToolChoice};
use serde_json::{Map, Value};

use super::blocks::{Marked, content, usual};
use crate::asked::Asked;
use crate::cache_control::cache_control;
use crate::fault::Malformed;
use crate::members::{flag, object};
use crate::walk::Walk;

/// How the types of tools begin that Anthropic defines and the client runs.
const RUN_BY_CLIENTS: &[&str] = &["bash_", "computer_", "memory_", "text_editor_"];

/// Reads the list of tools.
///
/// Tools of the client's own become [`Tool`]s. Those that Anthropic defines and the
/// client runs exist in this dialect only; every other type is a tool that the provider
/// itself runs.
pub(crate) fn read(
    walk: &mut Walk,
    value: &Value,
    asked: &mut Asked,
) -> Result<Vec<Tool>, Malformed> {
    let items = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) => items,
        _ => return Err(walk.wrong("must be a list")),
    };
    let mut tools = Vec::new();
    for (index, item) in items.iter().enumerate() {
        walk.item(index, |walk| {
            let map = object(walk, item)?;
            let marked = Marked::begin(walk, map);
            let read = match map.get("type") {
                None | Some(Value::Null) => own(walk, map, asked).map(Some),
                Some(Value::String(kind)) if kind == "custom" => own(walk, map, asked).map(Some),
                Some(kind) => defined(walk, kind, map, asked).map(|()| None),
            };
            marked.end(walk);
            if let Some(tool) = read? {
                asked.mark(tool.name, map.get("cache_control"));
                tools.push(tool);
            }
            Ok(())
        })?;
    }
    Ok(tools)
}

fn own(walk: &mut Walk, map: &Map<String, Value>, asked: &mut Asked) -> Result<Tool, Malformed> {
    asked.need(Capability::Tools);
    let (mut tool_name, mut description, mut parameters) = (None, None, None);
    for (name, value) in map {
        walk.at(name, |walk| {
            match (name.as_str(), value) {
                ("name", Value::String(text)) => {
                    tool_name = Some(walk.text(text, Kind::ToolDefinition)?);
                }
                ("description", Value::Null) => {}
                ("description", Value::String(text)) => {
                    description = Some(walk.text(text, Kind::ToolDefinition)?);
                }
                ("name" | "description", _) => return Err(walk.wrong("must be a string")),
                ("input_schema", value) => {
                    object(walk, value)?;
                    parameters = Some(walk.pointer().to_owned());
                    walk.schema(value, Kind::ToolDefinition)?;
                }
                ("strict", value) => {
                    if !value.is_null() && flag(walk, value)? {
                        asked.may_ignore("strict");
                    }
                }
                (other, value) => usual(walk, other, value, asked)?,
            }
            Ok(())
        })?;
    }
    let Some(name) = tool_name else { return Err(walk.wrong("must have a name")) };
    if parameters.is_none() {
        return Err(walk.wrong("must have an input_schema"));
    }
    Ok(Tool { name, description, parameters })
}

fn defined(
    walk: &mut Walk,
    kind: &Value,
    map: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<(), Malformed> {
    let Value::String(kind) = kind else {
        return Err(walk.at("type", |walk| walk.wrong("must be a string")));
    };
    if RUN_BY_CLIENTS.iter().any(|head| kind.starts_with(head)) {
        asked.need(Capability::Tools);
        asked.need(Capability::UnknownContent);
    } else {
        asked.need(Capability::HostedTools);
    }
    map.iter().try_for_each(|(name, value)| {
        walk.at(name, |walk| match name.as_str() {
            "type" | "name" => walk.rest(value, Kind::ToolDefinition),
            "cache_control" if value.is_null() => Ok(()),
            "cache_control" => cache_control(walk, value, asked),
            other => walk.named(other, value, Kind::ToolDefinition),
        })
    })
}

/// Reads which tool is to be called, if any.
pub(crate) fn choice(walk: &mut Walk, value: &Value, asked: &mut Asked) -> Result<(), Malformed> {
    if value.is_null() {
        return Ok(());
    }
    let map = object(walk, value)?;
    asked.need(Capability::Tools);
    let kind = map.get("type").and_then(Value::as_str);
    let mut named = None;
    for (name, value) in map {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("type", value) => walk.word(value, &["auto", "any", "tool", "none"], Kind::Metadata),
            ("name", Value::String(text)) => {
                named = Some(walk.text(text, Kind::Name)?);
                Ok(())
            }
            ("name", _) => Err(walk.wrong("must be a string")),
            ("disable_parallel_tool_use", Value::Null) => Ok(()),
            ("disable_parallel_tool_use", value) => {
                asked.parallel = Some(!flag(walk, value)?);
                asked.may_ignore("parallel_tool_calls");
                Ok(())
            }
            (other, value) => walk.named(other, value, Kind::Metadata),
        })?;
    }
    asked.choice = match (kind, named) {
        (Some("auto"), _) => Some(ToolChoice::Auto),
        (Some("any"), _) => Some(ToolChoice::Required),
        (Some("none"), _) => Some(ToolChoice::None),
        (Some("tool"), Some(name)) => Some(ToolChoice::One(name)),
        (Some("tool"), None) => return Err(walk.wrong("must name a tool")),
        (Some(_), _) => {
            asked.need(Capability::UnknownContent);
            None
        }
        (None, _) => return Err(walk.wrong("must have a type")),
    };
    Ok(())
}

/// Reads a call of an earlier turn.
pub(crate) fn called(
    walk: &mut Walk,
    block: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<Part, Malformed> {
    asked.need(Capability::Tools);
    walk.tool = block.get("name").and_then(Value::as_str).map(str::to_owned);
    let (mut id, mut tool, mut input) = (None, None, None);
    let read = block.iter().try_for_each(|(name, value)| {
        walk.at(name, |walk| {
            match (name.as_str(), value) {
                ("id", Value::String(text)) => id = Some(walk.text(text, Kind::Metadata)?),
                ("name", Value::String(text)) => tool = Some(walk.text(text, Kind::Name)?),
                ("id" | "name", _) => return Err(walk.wrong("must be a string")),
                ("input", value) => {
                    object(walk, value)?;
                    input = Some(Arguments::Json(walk.pointer().to_owned()));
                    walk.rest(value, Kind::ToolCall)?;
                }
                (other, value) => usual(walk, other, value, asked)?,
            }
            Ok(())
        })
    });
    walk.tool = None;
    read?;
    match (id, tool, input) {
        (Some(id), Some(name), Some(arguments)) => {
            asked.mark(id, block.get("cache_control"));
            Ok(Part::ToolCall { id, name, arguments })
        }
        _ => Err(walk.wrong("must have an id, a name and an input")),
    }
}

/// Reads the result of a call. What of it is no text follows it.
pub(crate) fn answered(
    walk: &mut Walk,
    block: &Map<String, Value>,
    parts: &mut Vec<Part>,
    asked: &mut Asked,
) -> Result<(), Malformed> {
    asked.need(Capability::Tools);
    let (mut call, mut said) = (None, Vec::new());
    for (name, value) in block {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("tool_use_id", Value::String(text)) => {
                call = Some(walk.text(text, Kind::Metadata)?);
                Ok(())
            }
            ("tool_use_id", _) => Err(walk.wrong("must be a string")),
            ("content", Value::Null) => Ok(()),
            ("content", value) => content(walk, value, &mut said, asked),
            ("is_error", Value::Null) => Ok(()),
            ("is_error", value) => {
                if flag(walk, value)? {
                    asked.may_ignore("is_error");
                }
                Ok(())
            }
            (other, value) => usual(walk, other, value, asked),
        })?;
    }
    let Some(call) = call else {
        return Err(walk.at("tool_use_id", |walk| walk.wrong("a tool's result needs one")));
    };
    let (mut texts, mut others) = (Vec::new(), Vec::new());
    for part in said {
        match part {
            Part::Text(id) => texts.push(id),
            other => others.push(other),
        }
    }
    asked.mark(texts.last().copied().unwrap_or(call), block.get("cache_control"));
    parts.push(Part::ToolResult { call, texts });
    parts.append(&mut others);
    Ok(())
}
