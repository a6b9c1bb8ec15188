//! A request's body, before anybody knows what it says.

use serde_json::Value;

use crate::fault::Malformed;

/// Reads JSON, and says where it is not any in words that repeat nothing of it.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Malformed> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Malformed::new(format!("the body is not UTF-8 from byte {}", error.valid_up_to()))
    })?;
    // Each takes a byte at least: a usual body is not looked at twice.
    if bytes.len() > VALUES && values(bytes) > VALUES {
        return Err(Malformed::new("the body holds too many values"));
    }
    serde_json::from_str(text).map_err(|error| {
        let what = if error.to_string().starts_with("recursion limit") {
            "the body is nested too deep"
        } else if error.is_eof() {
            "the body ends before its JSON is complete"
        } else {
            "the body is not JSON"
        };
        Malformed::new(format!("{what}: line {}, column {}", error.line(), error.column()))
    })
}

/// Values of a body at most. Each takes some eighty bytes in memory, and two on the wire.
pub const VALUES: usize = 1 << 20;

/// How many values there are at least: commas and brackets outside of strings.
fn values(bytes: &[u8]) -> usize {
    let (mut count, mut quoted, mut escaped) = (0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' | b'[' | b'{' if !quoted => count += 1,
            _ => {}
        }
    }
    count
}

/// A member is missing.
pub(crate) fn missing(param: &str, message: &'static str) -> Malformed {
    Malformed { message: message.into(), param: Some(param.to_owned()) }
}
