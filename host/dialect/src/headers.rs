//! Headers of a client's that mean something to targets of its own dialect.

use ringfence_chat::Dialect;

use crate::fault::Malformed;

/// Bytes of such a header at most.
pub const HEADER_BYTES: usize = 1024;
/// Bytes of one name in it at most.
const NAME_BYTES: usize = 64;
/// Digits of one name in it at most: a version and a date. An account has more.
const NAME_DIGITS: usize = 12;

/// Names of the headers that go on, byte for byte, to targets of `dialect` and of no
/// other.
fn names(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::OpenAiChat | Dialect::OpenAiEmbeddings | Dialect::OpenAiResponses => &[],
        Dialect::AnthropicMessages => &["anthropic-version", "anthropic-beta"],
    }
}

/// The headers of a request that go on to targets of its own dialect; `value` finds one
/// by its name.
///
/// No detector reads them, so they hold nothing but names of versions and features.
///
/// # Errors
/// [`Malformed`], for one that holds anything else.
pub fn passed_on<'a>(
    dialect: Dialect,
    value: impl Fn(&str) -> Option<&'a [u8]>,
) -> Result<Vec<(&'static str, Vec<u8>)>, Malformed> {
    let mut headers = Vec::new();
    for &name in names(dialect) {
        let Some(value) = value(name) else { continue };
        if value.len() > HEADER_BYTES || !value.split(|byte| *byte == b',').all(is_name) {
            let message = "must be names of letters, digits, dots and dashes, with commas between";
            return Err(Malformed { message: message.into(), param: Some(name.to_owned()) });
        }
        headers.push((name, value.to_vec()));
    }
    Ok(headers)
}

fn is_name(bytes: &[u8]) -> bool {
    let name = bytes.trim_ascii();
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    name.len() <= NAME_BYTES
        && name.iter().all(fits)
        && name.iter().filter(|byte| byte.is_ascii_digit()).count() <= NAME_DIGITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_pass_byte_for_byte_and_nothing_else_does() {
        let long = "a,".repeat(HEADER_BYTES / 2);
        for (value, passes) in [
            ("2023-06-01", true),
            ("", true),
            ("context-1m-2025-08-07,interleaved-thinking-2025-05-14", true),
            ("claude-code-20250219, max-tokens-3-5-sonnet-2024-07-15", true),
            (&long, true),
            (&format!("{long}a"), false),
            (&"a".repeat(NAME_BYTES), true),
            (&"a".repeat(NAME_BYTES + 1), false),
            ("123456789012", true),
            ("1234567890123", false),
            ("ann@example.org", false),
            ("Ann of Example Street", false),
            ("ä", false),
        ] {
            let dialect = Dialect::AnthropicMessages;
            let find = |name: &str| (name == "anthropic-beta").then_some(value.as_bytes());
            let got = passed_on(dialect, find);
            let expected = vec![("anthropic-beta", value.as_bytes().to_vec())];
            assert_eq!(got.ok(), passes.then_some(expected), "{value}");
            assert_eq!(passed_on(Dialect::OpenAiChat, find), Ok(Vec::new()));
        }
    }
}
