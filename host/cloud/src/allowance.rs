//! What a service says of our allowance, for the client to see.

use http::{HeaderMap, HeaderValue};

/// Bytes of such a header's value at most: `12m34.567s` is a long one.
const VALUE_BYTES: usize = 32;

/// The headers of an answer that the client gets, by the names that clients know.
pub(crate) fn allowance(headers: &HeaderMap) -> Vec<(String, String)> {
    (headers.iter())
        .filter_map(|(name, value)| {
            Some((passing(name.as_str())?.to_owned(), number(value)?.to_owned()))
        })
        .collect()
}

/// What the client sees a service's header as. Anthropic's times of reset are dates and
/// not durations: they do not pass under a name that means the other.
fn passing(name: &str) -> Option<&'static str> {
    Some(match name {
        "x-ratelimit-limit-requests" | "anthropic-ratelimit-requests-limit" => {
            "x-ratelimit-limit-requests"
        }
        "x-ratelimit-remaining-requests" | "anthropic-ratelimit-requests-remaining" => {
            "x-ratelimit-remaining-requests"
        }
        "x-ratelimit-reset-requests" => "x-ratelimit-reset-requests",
        "x-ratelimit-limit-tokens" | "anthropic-ratelimit-tokens-limit" => {
            "x-ratelimit-limit-tokens"
        }
        "x-ratelimit-remaining-tokens" | "anthropic-ratelimit-tokens-remaining" => {
            "x-ratelimit-remaining-tokens"
        }
        "x-ratelimit-reset-tokens" => "x-ratelimit-reset-tokens",
        "retry-after" => "retry-after",
        "retry-after-ms" => "retry-after-ms",
        _ => return None,
    })
}

/// A number or a duration. Anything else could carry a text.
fn number(value: &HeaderValue) -> Option<&str> {
    let text = value.to_str().ok()?;
    let fits = !text.is_empty()
        && text.len() <= VALUE_BYTES
        && text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || b".dhms".contains(&byte));
    fits.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_durations_pass_and_nothing_else() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-reset-requests", "6m0.5s"),
            ("x-ratelimit-reset-tokens", "canary"),
            ("x-ratelimit-limit-tokens", "1234567890123456789012345678901234567890"),
            ("anthropic-ratelimit-tokens-remaining", "149"),
            ("anthropic-ratelimit-requests-remaining", "7"),
            ("retry-after", "2"),
            ("set-cookie", "1"),
            ("openai-organization", "1"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let pairs = allowance(&headers);
        let mut seen: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        seen.sort_unstable();
        assert_eq!(
            seen,
            [
                ("retry-after", "2"),
                ("x-ratelimit-limit-requests", "60"),
                ("x-ratelimit-remaining-requests", "7"),
                ("x-ratelimit-remaining-tokens", "149"),
                ("x-ratelimit-reset-requests", "6m0.5s"),
            ]
        );
    }
}
