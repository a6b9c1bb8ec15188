//! Everything of a request but its messages and its tools.

use ringfence_chat::{Capability, Kind, Sampling, SegmentId};
use serde_json::{Map, Value};

use crate::asked::Asked;
use crate::fault::Malformed;
use crate::members::{count, flag, members, members_of_kind, object, within};
use crate::walk::Walk;

/// Stop texts at most.
pub(crate) const STOPS: usize = 4;
/// Choices at most.
const CHOICES: u32 = 128;
/// Tokens whose probabilities are told at most.
const TOP_LOGPROBS: f64 = 20.0;

/// The parameters, as far as they were read.
#[derive(Default)]
pub(crate) struct Parameters {
    /// The name of the model.
    pub model: Option<String>,
    /// Whether the client wants a stream.
    pub streamed: bool,
    /// Whether it wants a usage chunk.
    pub wants_usage: bool,
    /// How to generate, without the stop texts.
    pub sampling: Sampling,
    /// `max_completion_tokens` was given: it counts more than `max_tokens`.
    newer_limit: bool,
}

/// What parameters may change without changing what the answer means: they are read
/// as far as their type goes, and a target that does not know them leaves them out.
const IGNORABLE: &[&str] = &[
    "frequency_penalty",
    "metadata",
    "moderation",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning_effort",
    "safety_identifier",
    "seed",
    "service_tier",
    "store",
    "user",
    "verbosity",
];

/// Whether a target may leave out the parameter `name`: the words above and every
/// name that this dialect does not define.
pub(crate) fn is_ignorable(name: &str) -> bool {
    IGNORABLE.contains(&name) || !DEFINING.contains(&name)
}

/// Parameters that say what is asked: none of them is ever left out.
const DEFINING: &[&str] = &[
    "audio",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "modalities",
    "model",
    "n",
    "response_format",
    "stop",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "web_search_options",
];

impl Parameters {
    /// Reads the parameter `name`, in whose value `walk` stands.
    pub fn read(
        &mut self,
        walk: &mut Walk,
        name: &str,
        value: &Value,
        asked: &mut Asked,
    ) -> Result<(), Malformed> {
        if name != "model" && name != "messages" && value.is_null() {
            return if is_known(name) { Ok(()) } else { self.foreign(walk, name, value, asked) };
        }
        let sampling = &mut self.sampling;
        match name {
            "model" => match value {
                Value::String(model) if !model.is_empty() => self.model = Some(model.clone()),
                Value::String(_) => return Err(walk.wrong("the model's name must not be empty")),
                _ => return Err(walk.wrong("the model's name must be a string")),
            },
            "stream" => self.streamed = flag(walk, value)?,
            "stream_options" => self.stream_options(walk, object(walk, value)?, asked)?,
            "temperature" => sampling.temperature = Some(within(walk, value, 0.0, 2.0)? as f32),
            "top_p" => sampling.top_p = Some(within(walk, value, 0.0, 1.0)? as f32),
            "max_completion_tokens" => {
                self.newer_limit = true;
                sampling.max_tokens = Some(count(walk, value, 1, u32::MAX)?);
            }
            "max_tokens" => {
                let limit = count(walk, value, 1, u32::MAX)?;
                if !self.newer_limit {
                    sampling.max_tokens = Some(limit);
                }
            }
            "n" => {
                sampling.choices = count(walk, value, 1, CHOICES)?;
                if sampling.choices > 1 {
                    asked.need(Capability::Choices);
                }
            }
            "seed" => {
                let seed = value.as_i64().ok_or_else(|| walk.wrong("must be a whole number"))?;
                sampling.seed = Some(seed);
                asked.may_ignore(name);
            }
            "presence_penalty" | "frequency_penalty" => {
                within(walk, value, -2.0, 2.0)?;
                asked.may_ignore(name);
            }
            "store" => {
                flag(walk, value)?;
                asked.may_ignore(name);
            }
            "parallel_tool_calls" => {
                asked.parallel = Some(flag(walk, value)?);
                asked.may_ignore(name);
            }
            "logprobs" => {
                if flag(walk, value)? {
                    asked.need(Capability::Logprobs);
                }
            }
            "top_logprobs" => {
                if within(walk, value, 0.0, TOP_LOGPROBS)? > 0.0 {
                    asked.need(Capability::Logprobs);
                }
            }
            "logit_bias" => {
                let biases = object(walk, value)?;
                if !biases.is_empty() {
                    asked.need(Capability::LogitBias);
                }
                walk.rest(value, Kind::Metadata)?;
            }
            "response_format" => response_format(walk, object(walk, value)?, asked)?,
            "modalities" => modalities(walk, value, asked)?,
            "audio" => {
                let audio = object(walk, value)?;
                asked.need(Capability::Audio);
                members(walk, audio, &[("format", AUDIO_FORMATS), ("voice", &[])])?;
            }
            "web_search_options" => {
                let options = object(walk, value)?;
                asked.need(Capability::HostedTools);
                members(walk, options, &[("search_context_size", SIZES)])?;
            }
            "reasoning_effort" => {
                walk.word(value, EFFORTS, Kind::Metadata)?;
                asked.may_ignore(name);
            }
            "verbosity" => {
                walk.word(value, SIZES, Kind::Metadata)?;
                asked.may_ignore(name);
            }
            "service_tier" => {
                walk.word(value, TIERS, Kind::Metadata)?;
                asked.may_ignore(name);
            }
            "prediction" => {
                // The text that the answer is expected to repeat.
                members_of_kind(
                    walk,
                    object(walk, value)?,
                    &[("type", &["content"]), ("content", &[])],
                    Kind::Text,
                )?;
                asked.may_ignore(name);
            }
            known if is_known(known) => {
                walk.rest(value, Kind::Metadata)?;
                asked.may_ignore(name);
            }
            _ => self.foreign(walk, name, value, asked)?,
        }
        Ok(())
    }

    /// A parameter that this dialect does not define. `walk` stands in its value.
    fn foreign(
        &mut self,
        walk: &mut Walk,
        name: &str,
        value: &Value,
        asked: &mut Asked,
    ) -> Result<(), Malformed> {
        asked.may_ignore(name);
        walk.named(name, value, Kind::Metadata)
    }

    fn stream_options(
        &mut self,
        walk: &mut Walk,
        options: &Map<String, Value>,
        asked: &mut Asked,
    ) -> Result<(), Malformed> {
        for (name, value) in options {
            walk.at(name, |walk| match (name.as_str(), value) {
                ("include_usage" | "include_obfuscation", Value::Null) => Ok(()),
                ("include_usage", value) => {
                    self.wants_usage = flag(walk, value)?;
                    Ok(())
                }
                ("include_obfuscation", value) => flag(walk, value).map(drop),
                (name, value) => {
                    asked.may_ignore("stream_options");
                    walk.named(name, value, Kind::Metadata)
                }
            })?;
        }
        Ok(())
    }
}

const AUDIO_FORMATS: &[&str] = &["aac", "flac", "mp3", "opus", "pcm16", "wav"];
const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh"];
const SIZES: &[&str] = &["low", "medium", "high"];
const TIERS: &[&str] = &["auto", "default", "flex", "priority", "scale"];

fn is_known(name: &str) -> bool {
    IGNORABLE.contains(&name) || DEFINING.contains(&name)
}

/// The texts that end an answer: one, or a list of up to four.
pub(crate) fn stop(walk: &mut Walk, value: &Value) -> Result<Vec<SegmentId>, Malformed> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => {
            let id = walk.text(text, Kind::Metadata)?;
            Ok(if text.is_empty() { Vec::new() } else { vec![id] })
        }
        Value::Array(texts) if texts.len() > STOPS => Err(walk.wrong("must hold at most 4 texts")),
        Value::Array(texts) => {
            let mut ids = Vec::new();
            for (index, text) in texts.iter().enumerate() {
                walk.item(index, |walk| match text {
                    Value::String(text) => {
                        let id = walk.text(text, Kind::Metadata)?;
                        if !text.is_empty() {
                            ids.push(id);
                        }
                        Ok(())
                    }
                    _ => Err(walk.wrong("must be a string")),
                })?;
            }
            Ok(ids)
        }
        _ => Err(walk.wrong("must be a string or a list of strings")),
    }
}

fn response_format(
    walk: &mut Walk,
    format: &Map<String, Value>,
    asked: &mut Asked,
) -> Result<(), Malformed> {
    match format.get("type").and_then(Value::as_str) {
        Some("text") => {}
        Some("json_object") => asked.need(Capability::JsonObject),
        Some("json_schema") => asked.need(Capability::JsonSchema),
        Some(_) => asked.need(Capability::UnknownContent),
        None => return Err(walk.wrong("must have a type")),
    }
    for (name, value) in format {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("type", value) => {
                walk.word(value, &["text", "json_object", "json_schema"], Kind::Metadata)
            }
            ("json_schema", Value::Object(schema)) => schema_format(walk, schema),
            ("json_schema", _) => Err(walk.wrong("must be an object")),
            (name, value) => walk.named(name, value, Kind::Metadata),
        })?;
    }
    Ok(())
}

fn schema_format(walk: &mut Walk, format: &Map<String, Value>) -> Result<(), Malformed> {
    format.iter().try_for_each(|(name, value)| {
        walk.at(name, |walk| match name.as_str() {
            "name" => walk.rest(value, Kind::Name),
            "description" => walk.rest(value, Kind::ToolDefinition),
            "schema" => walk.schema(value, Kind::ToolDefinition),
            "strict" => walk.rest(value, Kind::Metadata),
            other => walk.named(other, value, Kind::Metadata),
        })
    })
}

fn modalities(walk: &mut Walk, value: &Value, asked: &mut Asked) -> Result<(), Malformed> {
    let Value::Array(items) = value else { return Err(walk.wrong("must be a list")) };
    for (index, item) in items.iter().enumerate() {
        match item.as_str() {
            Some("text") => {}
            Some("audio") => asked.need(Capability::Audio),
            _ => asked.need(Capability::UnknownContent),
        }
        walk.item(index, |walk| walk.word(item, &["text", "audio"], Kind::Metadata))?;
    }
    Ok(())
}
