//! Declared tools and the choice among them.

use ringfence_chat::{Capability, Kind, Tool, ToolChoice};
use serde_json::{Map, Value};

use crate::asked::Asked;
use crate::fault::Malformed;
use crate::members::{flag, object};
use crate::walk::Walk;

/// Reads the list of tools: functions, which the client runs itself.
pub(super) fn read(
    walk: &mut Walk,
    value: &Value,
    asked: &mut Asked,
) -> Result<Vec<Tool>, Malformed> {
    let items = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) => items,
        _ => return Err(walk.wrong("must be a list")),
    };
    let mut tools = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        tools.push(walk.item(index, |walk| {
            let tool = object(walk, item)?;
            let message = match tool.get("type").and_then(Value::as_str) {
                Some("function") => return function(walk, tool, asked),
                Some("custom") => "no target has words for tools whose input is free text",
                Some(_) => {
                    "a tool that the provider runs reaches out of the fence, and is not passed on"
                }
                None => "must be a string",
            };
            Err(walk.at("type", |walk| walk.wrong(message)))
        })?);
    }
    Ok(tools)
}

fn function(
    walk: &mut Walk,
    tool: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<Tool, Malformed> {
    asked.need(Capability::Tools);
    let (mut tool_name, mut description, mut parameters) = (None, None, None);
    for (name, value) in tool {
        walk.at(name, |walk| {
            match (name.as_str(), value) {
                ("type", _) | ("description" | "parameters" | "strict", Value::Null) => {}
                ("name", Value::String(text)) => {
                    tool_name = Some(walk.text(text, Kind::ToolDefinition)?);
                }
                ("description", Value::String(text)) => {
                    description = Some(walk.text(text, Kind::ToolDefinition)?);
                }
                ("name" | "description", _) => return Err(walk.wrong("must be a string")),
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

/// Reads which tool is to be called, if any.
pub(super) fn choice(walk: &mut Walk, value: &Value, asked: &mut Asked) -> Result<(), Malformed> {
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
    if map.get("type").is_none_or(|kind| kind != "function") {
        return Err(walk.at("type", |walk| walk.wrong("must be function")));
    }
    asked.need(Capability::Tools);
    let mut found = None;
    map.iter().try_for_each(|(name, value)| {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("type", _) => Ok(()),
            ("name", Value::String(text)) => {
                found = Some(walk.text(text, Kind::Name)?);
                Ok(())
            }
            ("name", _) => Err(walk.wrong("must be a string")),
            (other, value) => walk.named(other, value, Kind::Metadata),
        })
    })?;
    let Some(name) = found else { return Err(walk.wrong("must name a function")) };
    asked.choice = Some(ToolChoice::One(name));
    Ok(())
}
