//! Errors as this dialect says them.

use serde_json::{Map, Value, json};

use crate::encoder::ErrorBody;

/// The house's codes that this dialect has a type of its own for.
const TYPES: &[(&str, &str)] = &[
    ("unknown_url", "not_found_error"),
    ("model_not_found", "not_found_error"),
    ("not_found_error", "not_found_error"),
    ("request_too_large", "request_too_large"),
    ("queue_full", "overloaded_error"),
    ("overloaded", "overloaded_error"),
    ("overloaded_error", "overloaded_error"),
    ("engine_overloaded", "overloaded_error"),
    ("server_overloaded", "overloaded_error"),
    ("timeout", "timeout_error"),
    ("upstream_timeout", "timeout_error"),
    ("timeout_error", "timeout_error"),
];

/// The types that this dialect shares with others.
const SHARED: &[&str] =
    &["authentication_error", "invalid_request_error", "permission_error", "rate_limit_error"];

/// The type of an error.
pub(crate) fn kind(error: &ErrorBody) -> &'static str {
    let code = error.code.as_deref().unwrap_or("");
    let own = TYPES.iter().find(|(known, _)| *known == code).map(|(_, kind)| *kind);
    own.or_else(|| SHARED.iter().copied().find(|known| *known == error.kind)).unwrap_or("api_error")
}

/// The status of an error that has one of its own.
pub(crate) fn error_status(error: &ErrorBody) -> Option<u16> {
    (kind(error) == "overloaded_error").then_some(529)
}

/// An error. This dialect has neither codes nor parameters; programs that look for the
/// house's own find them beside what it has.
pub(crate) fn error_json(error: &ErrorBody) -> Value {
    let mut said = Map::new();
    said.insert("type".to_owned(), Value::from(kind(error)));
    said.insert("message".to_owned(), Value::from(error.message.as_str()));
    for (name, value) in [("code", &error.code), ("param", &error.param)] {
        if let Some(value) = value {
            said.insert(name.to_owned(), Value::from(value.as_str()));
        }
    }
    json!({ "type": "error", "error": said })
}
