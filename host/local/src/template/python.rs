//! Where templates expect Python's ways.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, Output, State, Value};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};

/// Prints a value: `None`, `True` and `False` as Python spells them.
pub(super) fn print(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let word = match value.kind() {
        ValueKind::None => "None",
        ValueKind::Bool if value.is_true() => "True",
        ValueKind::Bool => "False",
        _ => return minijinja::escape_formatter(out, state, value),
    };
    out.write_str(word).map_err(Error::from)
}

/// `json.dumps(value, ensure_ascii=False, indent=indent)`.
pub(super) fn tojson(value: &Value, options: Kwargs) -> Result<Value, Error> {
    let indent: Option<usize> = options.get("indent")?;
    // What the reference writes anyway.
    for known in ["ensure_ascii", "separators", "sort_keys"] {
        let _: Option<Value> = options.get(known)?;
    }
    options.assert_all_used()?;
    let text = match indent {
        Some(indent) => {
            let indent = " ".repeat(indent.min(INDENT));
            dump(value, PrettyFormatter::with_indent(indent.as_bytes()))?
        }
        None => dump(value, Spaced)?,
    };
    Ok(Value::from_safe_string(text))
}

/// No template indents by more.
const INDENT: usize = 16;

fn dump(value: &Value, formatter: impl Formatter) -> Result<String, Error> {
    let failed = || Error::new(ErrorKind::BadSerialization, "tojson cannot write this value");
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    value.serialize(&mut serializer).map_err(|_| failed())?;
    String::from_utf8(bytes).map_err(|_| failed())
}

/// ", " between members and ": " after keys.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
    ) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}
