//! Everything of a request but its messages and its tools.

use ringfence_chat::{AnswerForm, Capability, Kind, Sampling, SegmentId};
use serde_json::{Map, Value};

use crate::asked::Asked;
use crate::cache_control::cache_control;
use crate::fault::Malformed;
use crate::members::{count, flag, members, object, within};
use crate::walk::Walk;

/// Stop texts at most.
pub(crate) const STOPS: usize = 64;

/// The parameters, as far as they were read.
#[derive(Default)]
pub(crate) struct Parameters {
    /// The name of the model.
    pub model: Option<String>,
    /// Whether the client wants a stream.
    pub streamed: bool,
    /// How to generate, without the stop texts.
    pub sampling: Sampling,
}

/// Parameters that change nothing of what the answer means.
const IGNORABLE: &[&str] =
    &["cache_control", "context_management", "metadata", "service_tier", "thinking", "top_k"];

/// Parameters that say what is asked: none of them is ever left out.
const DEFINING: &[&str] = &[
    "container",
    "inference_geo",
    "max_tokens",
    "mcp_servers",
    "messages",
    "model",
    "output_config",
    "output_format",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "tool_choice",
    "tools",
    "top_p",
];

/// Whether a target may leave out the parameter `name`: the words above and every name
/// that this dialect does not define.
pub(crate) fn is_ignorable(name: &str) -> bool {
    !DEFINING.contains(&name)
}

impl Parameters {
    /// Reads the parameter `name`, in whose value `walk` stands.
    pub fn read(
        &mut self,
        walk: &mut Walk,
        name: &str,
        value: &Value,
        asked: &mut Asked,
    ) -> Result<(), Malformed> {
        let known = IGNORABLE.contains(&name) || DEFINING.contains(&name);
        if known && value.is_null() && name != "model" {
            return Ok(());
        }
        let sampling = &mut self.sampling;
        match name {
            "model" => match value {
                Value::String(model) if !model.is_empty() => self.model = Some(model.clone()),
                Value::String(_) => return Err(walk.wrong("the model's name must not be empty")),
                _ => return Err(walk.wrong("the model's name must be a string")),
            },
            "stream" => self.streamed = flag(walk, value)?,
            "max_tokens" => sampling.max_tokens = Some(count(walk, value, 1, u32::MAX)?),
            "temperature" => sampling.temperature = Some(within(walk, value, 0.0, 1.0)? as f32),
            "top_p" => sampling.top_p = Some(within(walk, value, 0.0, 1.0)? as f32),
            "top_k" => {
                count(walk, value, 0, u32::MAX)?;
                asked.may_ignore(name);
            }
            "thinking" => {
                let thinking = object(walk, value)?;
                if thinking.get("type").is_none_or(|kind| kind != "disabled") {
                    asked.may_ignore(name);
                }
                let known: &[(&str, &[&str])] = &[
                    ("type", &["adaptive", "disabled", "enabled"]),
                    ("budget_tokens", &[]),
                    ("display", &["omitted", "summarized"]),
                ];
                members(walk, thinking, known)?;
            }
            "metadata" => {
                members(walk, object(walk, value)?, &[("user_id", &[])])?;
                asked.may_ignore(name);
            }
            "service_tier" => {
                walk.word(value, &["auto", "standard_only"], Kind::Metadata)?;
                asked.may_ignore(name);
            }
            "cache_control" => cache_control(walk, value, asked)?,
            "output_format" => format(walk, object(walk, value)?, asked)?,
            "output_config" => output(walk, object(walk, value)?, asked)?,
            // Both reach out of the fence: to servers that the client names, and to a
            // machine at the provider's that keeps what it is given.
            "mcp_servers" | "container" => {
                if value.as_array().is_none_or(|servers| !servers.is_empty()) {
                    asked.need(Capability::HostedTools);
                }
                walk.rest(value, Kind::Metadata)?;
            }
            // Where the answer is made is not for anybody to leave out.
            "inference_geo" => {
                asked.need(Capability::UnknownContent);
                walk.rest(value, Kind::Metadata)?;
            }
            _ if known => {
                asked.may_ignore(name);
                walk.rest(value, Kind::Metadata)?;
            }
            _ => {
                asked.may_ignore(name);
                walk.named(name, value, Kind::Metadata)?;
            }
        }
        Ok(())
    }
}

/// How the answer is to look, and how much effort it is worth.
fn output(
    walk: &mut Walk,
    config: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<(), Malformed> {
    config.iter().try_for_each(|(name, value)| {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("format" | "effort", Value::Null) => Ok(()),
            ("format", value) => format(walk, object(walk, value)?, asked),
            ("effort", value) => {
                asked.may_ignore("effort");
                walk.word(value, &["low", "medium", "high", "max", "xhigh"], Kind::Metadata)
            }
            (other, value) => {
                asked.may_ignore(other);
                walk.named(other, value, Kind::Metadata)
            }
        })
    })
}

fn format(
    walk: &mut Walk,
    format: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<(), Malformed> {
    match format.get("type").and_then(Value::as_str) {
        Some("json_schema") => {
            asked.need(Capability::JsonSchema);
            if format.get("schema").is_some_and(Value::is_object) {
                let schema = format!("{}/schema", walk.pointer());
                let (name, description, strict) = (None, None, None);
                asked.form = Some(AnswerForm::JsonSchema { name, description, schema, strict });
            }
        }
        Some(_) => asked.need(Capability::UnknownContent),
        None => return Err(walk.wrong("must have a type")),
    }
    format.iter().try_for_each(|(name, value)| {
        walk.at(name, |walk| match name.as_str() {
            "type" => walk.word(value, &["json_schema"], Kind::Metadata),
            "schema" => walk.schema(value, Kind::ToolDefinition),
            other => walk.named(other, value, Kind::Metadata),
        })
    })
}

/// The texts that end an answer.
pub(crate) fn stop(walk: &mut Walk, value: &Value) -> Result<Vec<SegmentId>, Malformed> {
    let texts = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(texts) => texts,
        _ => return Err(walk.wrong("must be a list of strings")),
    };
    if texts.len() > STOPS {
        return Err(walk.wrong("must hold at most 64 texts"));
    }
    let mut ids = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        walk.item(index, |walk| match text {
            Value::String(text) => {
                ids.push(walk.text(text, Kind::Metadata)?);
                Ok(())
            }
            _ => Err(walk.wrong("must be a string")),
        })?;
    }
    Ok(ids)
}
