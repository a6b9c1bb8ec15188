//! The headers by which clients know how a limit stands.

use jiff::Timestamp;
use ringfence_chat::Dialect;

use super::Counted;
use super::counts::Rate;

/// The headers of a dialect for these rates: of each kind the one with the least left.
pub(super) fn of(rates: &[Rate], dialect: Dialect, now: u64) -> Vec<(String, String)> {
    let tightest = |kinds: &[Counted]| {
        let among = rates.iter().filter(|rate| kinds.contains(&rate.counted));
        among.min_by_key(|rate| rate.remaining)
    };
    let mut headers = Vec::new();
    if dialect == Dialect::AnthropicMessages {
        for (kind, name) in [
            (Counted::Requests, "requests"),
            (Counted::InputTokens, "input-tokens"),
            (Counted::OutputTokens, "output-tokens"),
        ] {
            let Some(rate) = tightest(&[kind]) else { continue };
            for (what, value) in [
                ("limit", rate.limit.to_string()),
                ("remaining", rate.remaining.to_string()),
                ("reset", moment(rate.reset)),
            ] {
                headers.push((format!("anthropic-ratelimit-{name}-{what}"), value));
            }
        }
        return headers;
    }
    let tokens = [Counted::InputTokens, Counted::OutputTokens];
    for (kinds, name) in [(&[Counted::Requests][..], "requests"), (&tokens[..], "tokens")] {
        let Some(rate) = tightest(kinds) else { continue };
        for (what, value) in [
            ("limit", rate.limit.to_string()),
            ("remaining", rate.remaining.to_string()),
            ("reset", wait(rate.reset.saturating_sub(now))),
        ] {
            headers.push((format!("x-ratelimit-{what}-{name}"), value));
        }
    }
    headers
}

/// `2026-02-14T13:08:00Z`.
fn moment(second: u64) -> String {
    let second = i64::try_from(second).unwrap_or(i64::MAX);
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX).to_string()
}

/// `2h3m4s`, without the parts that are nothing in front.
fn wait(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_has_its_own() {
        let now = 1_771_074_429;
        let rate = |counted, limit, remaining| Rate { counted, limit, remaining, reset: now + 51 };
        let rates = [
            rate(Counted::Requests, 60, 59),
            rate(Counted::Requests, 1_000, 12),
            rate(Counted::InputTokens, 5_000, 4_000),
            rate(Counted::OutputTokens, 900, 800),
        ];
        let text = |dialect| {
            let headers = of(&rates, dialect, now);
            let lines = headers.iter().map(|(name, value)| format!("{name}: {value}"));
            lines.collect::<Vec<_>>().join("\n")
        };
        assert_eq!(
            text(Dialect::OpenAiChat),
            "x-ratelimit-limit-requests: 1000\nx-ratelimit-remaining-requests: 12\n\
             x-ratelimit-reset-requests: 51s\nx-ratelimit-limit-tokens: 900\n\
             x-ratelimit-remaining-tokens: 800\nx-ratelimit-reset-tokens: 51s"
        );
        let anthropic = text(Dialect::AnthropicMessages);
        for line in [
            "anthropic-ratelimit-requests-remaining: 12",
            "anthropic-ratelimit-input-tokens-limit: 5000",
            "anthropic-ratelimit-output-tokens-reset: 2026-02-14T13:08:00Z",
        ] {
            assert!(anthropic.contains(line), "{anthropic}");
        }
        assert!(of(&[], Dialect::OpenAiChat, now).is_empty());
    }

    #[test]
    fn waits_are_written_as_clients_read_them() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (60, "1m0s"), (7_384, "2h3m4s")] {
            assert_eq!(wait(seconds), text);
        }
    }
}
