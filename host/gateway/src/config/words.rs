//! Words that a configuration may hold: names, one of several words, free words.

use std::collections::BTreeMap;

use super::reader::{At, Reader};

/// Whether `name` may stand in headers, records and metrics.
pub fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Bytes of a name at most.
pub const NAME_BYTES: usize = 64;

/// What is said of a name that [`is_name`] refuses.
pub(super) const NAME_REMEDY: &str = "use 1 to 64 letters, digits, dots, hyphens and underscores";

/// The value of a word, or a mistake that lists the words.
pub(super) fn word<T: Copy>(
    reader: &mut Reader<'_>,
    key: &str,
    given: Option<&At<String>>,
    default: T,
    words: &[(&str, T)],
) -> T {
    let Some(given) = given else { return default };
    if let Some((_, value)) = words.iter().find(|(word, _)| word == given.get_ref()) {
        return *value;
    }
    let known: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    reader.mistake(
        &given.span(),
        format!("{key} is \"{}\"", given.get_ref()),
        format!("use {}", known.join(" or ")),
    );
    default
}

/// Whether a name is written as entities and variables are: `PAYMENT_CARD`.
pub(super) fn is_in_capitals(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Free words of the operator, as policies see them: `quality = 3` is `"3"`.
pub(super) fn words(
    reader: &mut Reader<'_>,
    what: &str,
    given: &BTreeMap<String, At<toml::Value>>,
) -> Vec<(String, String)> {
    let mut words = Vec::new();
    for (key, value) in given {
        let word = match value.get_ref() {
            toml::Value::String(text) => text.clone(),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(truth) => truth.to_string(),
            _ => {
                let what = format!("{what} `{}` is no word", key.escape_debug());
                reader.mistake(&value.span(), what, "give text, a number, true or false");
                continue;
            }
        };
        words.push((key.clone(), word));
    }
    words
}
