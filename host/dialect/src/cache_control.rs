//! Marks for a provider's prompt cache, which all dialects that have them write alike.

use ringfence_chat::{Keep, Kind};
use serde_json::{Value, json};

use crate::asked::Asked;
use crate::fault::Malformed;
use crate::walk::Walk;

/// Reads a mark for the provider's prompt cache, in whose value `walk` stands.
pub(crate) fn cache_control(
    walk: &mut Walk,
    value: &Value,
    asked: &mut Asked,
) -> Result<(), Malformed> {
    asked.may_ignore("cache_control");
    let Value::Object(map) = value else { return walk.rest(value, Kind::Metadata) };
    map.iter().try_for_each(|(name, value)| {
        walk.at(name, |walk| match name.as_str() {
            "type" => walk.word(value, &["ephemeral"], Kind::Metadata),
            "ttl" => walk.word(value, &["5m", "1h"], Kind::Metadata),
            other => walk.named(other, value, Kind::Metadata),
        })
    })
}

/// What a mark asks for; nothing when there is none that is known.
pub(crate) fn keep(mark: Option<&Value>) -> Option<Keep> {
    let mark = mark?.as_object()?;
    let word = |name: &str| mark.get(name).and_then(Value::as_str);
    (word("type") == Some("ephemeral")).then(|| match word("ttl") {
        Some("5m") => Keep::Minutes5,
        Some("1h") => Keep::Hour,
        _ => Keep::Usual,
    })
}

/// A mark as it is written.
pub(crate) fn written(keep: Keep) -> Value {
    match keep {
        Keep::Usual => json!({ "type": "ephemeral" }),
        Keep::Minutes5 => json!({ "type": "ephemeral", "ttl": "5m" }),
        Keep::Hour => json!({ "type": "ephemeral", "ttl": "1h" }),
    }
}
