//! Words and shapes that whole and streamed answers share.

use ringfence_chat::{Event, FinishReason, TextKind, Usage};
use serde_json::Value;

/// Codes of failures that the house knows, the most telling ones first. Only these
/// words leave this room, never what stood in the body.
const KNOWN_CODES: &[&str] = &[
    "context_length_exceeded",
    "content_policy_violation",
    "content_filter",
    "insufficient_quota",
    "billing_hard_limit_reached",
    "rate_limit_exceeded",
    "tokens_limit_reached",
    "invalid_api_key",
    "invalid_organization",
    "account_deactivated",
    "model_not_found",
    "model_not_available",
    "DeploymentNotFound",
    "string_above_max_length",
    "unsupported_parameter",
    "unsupported_value",
    "unknown_parameter",
    "missing_required_parameter",
    "invalid_value",
    "invalid_type",
    "invalid_image",
    "invalid_image_url",
    "invalid_prompt",
    "server_overloaded",
    "overloaded",
    "engine_overloaded",
    "internal_error",
    "server_error",
    "timeout",
    "authentication_error",
    "permission_error",
    "not_found_error",
    "rate_limit_error",
    "invalid_request_error",
    "api_error",
    "BadRequestError",
    "NotFoundError",
];

/// The most telling known code of an error body: its `code` before its `type`.
pub(crate) fn known_code(body: &Value) -> Option<&'static str> {
    let error = match body.get("error") {
        Some(error) if error.is_object() => error,
        _ => body,
    };
    // Compatible servers say it in these words and give no code.
    let message = error.get("message").and_then(Value::as_str).unwrap_or("");
    if message.contains("maximum context length") {
        return Some("context_length_exceeded");
    }
    ["code", "type"].into_iter().find_map(|name| {
        let code = error.get(name)?.as_str()?;
        KNOWN_CODES.iter().copied().find(|known| *known == code)
    })
}

/// True when the JSON is an error and no answer.
pub(crate) fn is_error(body: &Value) -> bool {
    body.get("error").is_some_and(|error| !error.is_null())
        || body.get("object").is_some_and(|object| object == "error")
}

/// Why a choice ended. A word that nobody here knows counts as the usual end.
pub(crate) fn finish_reason(word: &str) -> FinishReason {
    match word {
        "length" => FinishReason::Length,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        _ => FinishReason::Stop,
    }
}

/// The tokens that an answer says it took.
pub(crate) fn usage(body: &Value) -> Option<Usage> {
    let usage = body.get("usage")?.as_object()?;
    let number = |value: Option<&Value>| {
        let number = value.and_then(Value::as_u64).unwrap_or(0);
        u32::try_from(number).unwrap_or(u32::MAX)
    };
    let detail = |details: &str, name: &str| {
        number(usage.get(details).and_then(|details| details.get(name)))
    };
    Some(Usage {
        input: number(usage.get("prompt_tokens")),
        cached: detail("prompt_tokens_details", "cached_tokens"),
        output: number(usage.get("completion_tokens")),
        reasoning: detail("completion_tokens_details", "reasoning_tokens"),
    })
}

/// The answer's own id and its model.
pub(crate) fn start(body: &Value) -> Event {
    let text = |name: &str| {
        let text = body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.map(str::to_owned)
    };
    Event::Start { id: text("id"), model: text("model") }
}

/// Names of the members that hold text, with the kind of text.
pub(crate) const TEXTS: [(&str, TextKind); 4] = [
    ("reasoning_content", TextKind::Reasoning),
    ("reasoning", TextKind::Reasoning),
    ("content", TextKind::Answer),
    ("refusal", TextKind::Refusal),
];

/// The texts of a message or a delta that stands at `pointer`.
///
/// Some servers give the same reasoning under two names; it is said once, and the
/// writer keeps both alike.
pub(crate) fn texts(said: &Value, choice: u32, pointer: &str, events: &mut Vec<Event>) {
    let twice = is_said_twice(said);
    for (name, kind) in TEXTS {
        if twice && name == "reasoning" {
            continue;
        }
        let place = format!("{pointer}/{name}");
        let mut add = |text: &str, place: String| {
            events.push(Event::Text { choice, kind, text: text.to_owned(), place: Some(place) });
        };
        match said.get(name) {
            Some(Value::String(text)) => add(text, place),
            Some(Value::Array(parts)) => {
                for (index, part) in parts.iter().enumerate() {
                    for member in ["text", "refusal"] {
                        if let Some(Value::String(text)) = part.get(member) {
                            add(text, format!("{place}/{index}/{member}"));
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

/// True when reasoning stands under both names that servers have for it.
pub(crate) fn is_said_twice(said: &Value) -> bool {
    match (said.get("reasoning_content"), said.get("reasoning")) {
        (Some(Value::String(one)), Some(Value::String(other))) => one == other,
        _ => false,
    }
}
