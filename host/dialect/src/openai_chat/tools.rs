//! Declared tools and the choice among them.

use ringfence_chat::{Capability, Kind, Tool, ToolChoice};
use serde_json::{Map, Value};

use crate::asked::Asked;
use crate::cache_control::cache_control;
use crate::fault::Malformed;
use crate::members::{flag, object};
use crate::walk::Walk;

/// Reads the list of tools.
///
/// Functions become [`Tool`]s. Custom tools exist in this dialect only; every other
/// type is a tool that the provider itself runs.
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
            let tool = object(walk, item)?;
            match tool.get("type").and_then(Value::as_str) {
                Some("function") => {
                    asked.need(Capability::Tools);
                    walk.cached = tool.get("cache_control").is_some_and(|mark| !mark.is_null());
                    let read = function(walk, tool, asked);
                    walk.cached = false;
                    let read = read?;
                    asked.mark(read.name, tool.get("cache_control"));
                    tools.push(read);
                    return Ok(());
                }
                Some("custom") => {
                    asked.need(Capability::Tools);
                    asked.need(Capability::UnknownContent);
                }
                Some(_) => asked.need(Capability::HostedTools),
                None => return Err(walk.wrong("must have a type")),
            }
            tool.iter().try_for_each(|(name, value)| {
                walk.at(name, |walk| match name.as_str() {
                    "type" => walk.word(value, &["custom"], Kind::ToolDefinition),
                    "custom" => custom(walk, value),
                    other => walk.named(other, value, Kind::ToolDefinition),
                })
            })
        })?;
    }
    Ok(tools)
}

fn function(
    walk: &mut Walk,
    tool: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<Tool, Malformed> {
    let mut found = None;
    for (name, value) in tool {
        walk.at(name, |walk| match name.as_str() {
            "type" => walk.word(value, &["function"], Kind::ToolDefinition),
            "function" => {
                found = Some(definition(walk, object(walk, value)?, asked)?);
                Ok(())
            }
            "cache_control" => cache_control(walk, value, asked),
            other => {
                asked.may_ignore(other);
                walk.named(other, value, Kind::Metadata)
            }
        })?;
    }
    found.ok_or_else(|| walk.wrong("must have a function"))
}

fn definition(
    walk: &mut Walk,
    function: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<Tool, Malformed> {
    let (mut tool_name, mut description, mut parameters) = (None, None, None);
    for (name, value) in function {
        walk.at(name, |walk| {
            match (name.as_str(), value) {
                ("name", Value::String(text)) => {
                    tool_name = Some(walk.text(text, Kind::ToolDefinition)?);
                }
                ("name", _) => return Err(walk.wrong("must be a string")),
                ("description" | "parameters" | "strict", Value::Null) => {}
                ("description", Value::String(text)) => {
                    description = Some(walk.text(text, Kind::ToolDefinition)?);
                }
                ("description", _) => return Err(walk.wrong("must be a string")),
                ("parameters", value) => {
                    object(walk, value)?;
                    parameters = Some(walk.pointer().to_owned());
                    walk.schema(value, Kind::ToolDefinition)?;
                }
                ("strict", value) => {
                    if flag(walk, value)? {
                        asked.may_ignore("strict");
                    }
                }
                (other, value) => {
                    asked.may_ignore(other);
                    walk.named(other, value, Kind::ToolDefinition)?;
                }
            }
            Ok(())
        })?;
    }
    let Some(name) = tool_name else { return Err(walk.wrong("must have a name")) };
    Ok(Tool { name, description, parameters })
}

/// A tool whose input is free text or follows a grammar.
fn custom(walk: &mut Walk, value: &Value) -> Result<(), Malformed> {
    let Value::Object(tool) = value else { return walk.rest(value, Kind::ToolDefinition) };
    tool.iter().try_for_each(|(name, value)| {
        walk.at(name, |walk| match name.as_str() {
            "name" | "description" | "format" => walk.rest(value, Kind::ToolDefinition),
            other => walk.named(other, value, Kind::ToolDefinition),
        })
    })
}

/// Reads which tool is to be called, if any.
pub(crate) fn choice(walk: &mut Walk, value: &Value, asked: &mut Asked) -> Result<(), Malformed> {
    let map = match value {
        Value::Null => return Ok(()),
        Value::String(word) => {
            asked.choice = Some(match word.as_str() {
                "none" => ToolChoice::None,
                "auto" => ToolChoice::Auto,
                "required" => ToolChoice::Required,
                _ => return Err(walk.wrong("must be none, auto, required or an object")),
            });
            return Ok(());
        }
        Value::Object(map) => map,
        _ => return Err(walk.wrong("must be none, auto, required or an object")),
    };
    asked.need(Capability::Tools);
    let known = map.get("type").and_then(Value::as_str);
    match known {
        Some("function") => {
            let name = map.get("function").and_then(|function| function.get("name"));
            if !name.is_some_and(Value::is_string) {
                return Err(walk.wrong("must name a function"));
            }
        }
        Some(_) => asked.need(Capability::UnknownContent),
        None => return Err(walk.wrong("must have a type")),
    }
    map.iter().try_for_each(|(name, value)| {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("type", value) => {
                walk.word(value, &["function", "custom", "allowed_tools"], Kind::Metadata)
            }
            ("function" | "custom", Value::Object(named)) => {
                named.iter().try_for_each(|(name, value)| {
                    walk.at(name, |walk| match (name.as_str(), value) {
                        ("name", Value::String(text)) => {
                            let id = walk.text(text, Kind::Name)?;
                            if known == Some("function") {
                                asked.choice = Some(ToolChoice::One(id));
                            }
                            Ok(())
                        }
                        ("name", value) => walk.rest(value, Kind::Name),
                        (other, value) => walk.named(other, value, Kind::Metadata),
                    })
                })
            }
            ("function" | "custom" | "allowed_tools", value) => walk.rest(value, Kind::Metadata),
            (other, value) => walk.named(other, value, Kind::Metadata),
        })
    })
}

/// The forms that tools had before 2023-11: only their own dialect carries them.
pub(crate) fn legacy(walk: &mut Walk, value: &Value, asked: &mut Asked) -> Result<(), Malformed> {
    if value.is_null() {
        return Ok(());
    }
    asked.need(Capability::Tools);
    asked.need(Capability::UnknownContent);
    match value {
        Value::String(word) if matches!(word.as_str(), "none" | "auto") => Ok(()),
        Value::Array(_) | Value::Object(_) => walk.schema(value, Kind::ToolDefinition),
        _ => Err(walk.wrong("must be a list or an object")),
    }
}
