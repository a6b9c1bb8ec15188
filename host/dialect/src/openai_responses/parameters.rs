//! Everything of a request but its input and its tools.

use ringfence_chat::{AnswerForm, Capability, Kind, Sampling};
use serde_json::{Map, Value};

use crate::asked::Asked;
use crate::fault::Malformed;
use crate::members::{count, flag, members, object, within};
use crate::walk::Walk;

/// Tokens whose probabilities are told at most.
const TOP_LOGPROBS: f64 = 20.0;

/// The parameters, as far as they were read.
#[derive(Default)]
pub(super) struct Parameters {
    /// The name of the model.
    pub model: Option<String>,
    /// Whether the client wants a stream.
    pub streamed: bool,
    /// How to generate.
    pub sampling: Sampling,
}

/// Parameters that this dialect defines: `null` is as good as nothing.
const KNOWN: &[&str] = &[
    "background",
    "conversation",
    "include",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh"];
const INCLUDABLE: &[&str] = &[
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
    "web_search_call.results",
];
const SIZES: &[&str] = &["low", "medium", "high"];
const SUMMARIES: &[&str] = &["auto", "concise", "detailed"];
const TIERS: &[&str] = &["auto", "default", "flex", "priority", "scale"];

impl Parameters {
    /// Reads the parameter `name`, in whose value `walk` stands.
    pub fn read(
        &mut self,
        walk: &mut Walk,
        name: &str,
        value: &Value,
        asked: &mut Asked,
    ) -> Result<(), Malformed> {
        if value.is_null() && KNOWN.contains(&name) {
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
            "stream_options" => {
                members(walk, object(walk, value)?, &[("include_obfuscation", &[])])?;
            }
            "temperature" => sampling.temperature = Some(within(walk, value, 0.0, 2.0)? as f32),
            "top_p" => sampling.top_p = Some(within(walk, value, 0.0, 1.0)? as f32),
            "max_output_tokens" => sampling.max_tokens = Some(count(walk, value, 1, u32::MAX)?),
            "parallel_tool_calls" => {
                asked.parallel = Some(flag(walk, value)?);
                asked.may_ignore(name);
            }
            "top_logprobs" => {
                if within(walk, value, 0.0, TOP_LOGPROBS)? > 0.0 {
                    asked.need(Capability::Logprobs);
                }
            }
            // Stored state: none is kept here, and none is kept elsewhere for this client.
            "store" if !flag(walk, value)? => {}
            "store" => return Err(walk.wrong("answers are not stored: send false, or nothing")),
            "background" if !flag(walk, value)? => {}
            "background" => {
                return Err(walk.wrong("answers are not stored, so that none is made aside"));
            }
            "previous_response_id" | "conversation" => {
                return Err(walk.wrong("answers are not stored: send the whole conversation"));
            }
            "prompt" => {
                return Err(walk.wrong("a prompt that a provider stores cannot be read here"));
            }
            "text" => text(walk, object(walk, value)?, asked)?,
            "reasoning" => {
                let known: &[(&str, &[&str])] =
                    &[("effort", EFFORTS), ("generate_summary", SUMMARIES), ("summary", SUMMARIES)];
                let reasoning = object(walk, value)?;
                if reasoning.values().any(|value| !value.is_null()) {
                    asked.may_ignore(name);
                }
                members(walk, reasoning, known)?;
            }
            "include" => include(walk, value, asked)?,
            "truncation" => {
                if value != "disabled" {
                    asked.may_ignore(name);
                }
                walk.word(value, &["auto", "disabled"], Kind::Metadata)?;
            }
            "service_tier" => {
                walk.word(value, TIERS, Kind::Metadata)?;
                asked.may_ignore(name);
            }
            _ if KNOWN.contains(&name) => {
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

/// What is asked for on top of the answer. Everything but probabilities belongs to tools
/// that the provider runs, or is nothing but a copy.
fn include(walk: &mut Walk, value: &Value, asked: &mut Asked) -> Result<(), Malformed> {
    let Value::Array(items) = value else { return Err(walk.wrong("must be a list")) };
    for (index, item) in items.iter().enumerate() {
        if item == "message.output_text.logprobs" {
            asked.need(Capability::Logprobs);
            continue;
        }
        asked.may_ignore("include");
        walk.item(index, |walk| walk.word(item, INCLUDABLE, Kind::Metadata))?;
    }
    Ok(())
}

/// How the answer's text is to look.
fn text(walk: &mut Walk, text: &Map<String, Value>, asked: &mut Asked) -> Result<(), Malformed> {
    text.iter().try_for_each(|(name, value)| {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("format" | "verbosity", Value::Null) => Ok(()),
            ("format", value) => format(walk, object(walk, value)?, asked),
            ("verbosity", value) => {
                asked.may_ignore("verbosity");
                walk.word(value, SIZES, Kind::Metadata)
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
    let kind = format.get("type").and_then(Value::as_str);
    match kind {
        Some("text" | "json_schema") => {}
        Some("json_object") => {
            asked.need(Capability::JsonObject);
            asked.form = Some(AnswerForm::JsonObject);
        }
        Some(_) => {
            let message = "must be text, json_object or json_schema";
            return Err(walk.at("type", |walk| walk.wrong(message)));
        }
        None => return Err(walk.wrong("must have a type")),
    }
    let (mut named, mut description, mut schema, mut strict) = (None, None, None, None);
    for (name, value) in format {
        walk.at(name, |walk| {
            match (name.as_str(), value) {
                ("type", _) | ("description" | "strict", Value::Null) => {}
                ("name", Value::String(text)) => named = Some(walk.text(text, Kind::Name)?),
                ("description", Value::String(text)) => {
                    description = Some(walk.text(text, Kind::ToolDefinition)?);
                }
                ("schema", Value::Object(_)) => {
                    schema = Some(walk.pointer().to_owned());
                    walk.schema(value, Kind::ToolDefinition)?;
                }
                ("strict", value) => strict = Some(flag(walk, value)?),
                ("name" | "description", _) => return Err(walk.wrong("must be a string")),
                ("schema", _) => return Err(walk.wrong("must be an object")),
                (other, value) => walk.named(other, value, Kind::Metadata)?,
            }
            Ok(())
        })?;
    }
    if kind == Some("json_schema") {
        let Some(schema) = schema else { return Err(walk.wrong("must have a schema")) };
        asked.need(Capability::JsonSchema);
        asked.form = Some(AnswerForm::JsonSchema { name: named, description, schema, strict });
    }
    Ok(())
}
