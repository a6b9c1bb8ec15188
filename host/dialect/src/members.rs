//! Members of JSON objects, as what they should be.

use ringfence_chat::Kind;
use serde_json::{Map, Value};

use crate::fault::Malformed;
use crate::walk::Walk;

/// Known members with the words that they may hold, and all others.
pub(crate) fn members(
    walk: &mut Walk,
    map: &Map<String, Value>,
    known: &[(&str, &[&str])],
) -> Result<(), Malformed> {
    members_of_kind(walk, map, known, Kind::Metadata)
}

/// The same for members of another kind.
pub(crate) fn members_of_kind(
    walk: &mut Walk,
    map: &Map<String, Value>,
    known: &[(&str, &[&str])],
    kind: Kind,
) -> Result<(), Malformed> {
    map.iter().try_for_each(|(name, value)| {
        walk.at(name, |walk| match known.iter().find(|(word, _)| word == name) {
            Some((_, words)) => walk.word(value, words, kind),
            None => walk.named(name, value, kind),
        })
    })
}

/// An object.
pub(crate) fn object<'a>(
    walk: &Walk,
    value: &'a Value,
) -> Result<&'a Map<String, Value>, Malformed> {
    value.as_object().ok_or_else(|| walk.wrong("must be an object"))
}

/// True or false.
pub(crate) fn flag(walk: &Walk, value: &Value) -> Result<bool, Malformed> {
    value.as_bool().ok_or_else(|| walk.wrong("must be true or false"))
}

/// A number from `low` to `high`.
pub(crate) fn within(walk: &Walk, value: &Value, low: f64, high: f64) -> Result<f64, Malformed> {
    let number = value.as_f64().ok_or_else(|| walk.wrong("must be a number"))?;
    if (low..=high).contains(&number) {
        return Ok(number);
    }
    Err(Malformed {
        message: format!("must be from {low} to {high}").into(),
        param: walk.wrong("").param,
    })
}

/// A whole number from `low` to `high`.
pub(crate) fn count(walk: &Walk, value: &Value, low: u32, high: u32) -> Result<u32, Malformed> {
    let whole = value.as_u64().ok_or_else(|| walk.wrong("must be a whole number above zero"))?;
    (u32::try_from(whole).ok()).filter(|number| (low..=high).contains(number)).ok_or_else(|| {
        Malformed {
            message: format!("must be from {low} to {high}").into(),
            param: walk.wrong("").param,
        }
    })
}
