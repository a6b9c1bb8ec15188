//! Failures in the house's words.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use ringfence_dialect::Fault;
use ringfence_fence::{Failure, FailureKind};

/// The longest pause that a service can ask for.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The failure that an answer with this status and this known code amounts to.
pub(crate) fn of_status(
    status: StatusCode,
    code: Option<&'static str>,
    headers: &HeaderMap,
) -> Failure {
    let kind = code.and_then(of_code).unwrap_or_else(|| of_number(status));
    Failure {
        status: Some(status.as_u16()),
        code,
        retry_after: retry_after(headers),
        ..Failure::new(kind, words(kind, status))
    }
}

/// The failure of a connection, before or within an answer. An error's own text may
/// hold an address, so none of it is kept.
pub(crate) fn of_transport(error: &reqwest::Error) -> Failure {
    if error.is_connect() {
        let message = "The target cannot be reached.";
        return Failure::new(FailureKind::Unreachable, message);
    }
    if error.is_timeout() {
        return Failure::new(FailureKind::TimedOut, "The target did not answer in time.");
    }
    Failure::new(FailureKind::Broken, "The connection to the target broke off.")
}

/// The failure of an answer that cannot be read.
pub(crate) fn of_fault(fault: Fault) -> Failure {
    match fault {
        Fault::Truncated => Failure::new(FailureKind::Broken, "The target's answer broke off."),
        Fault::TooLarge => Failure::new(FailureKind::Broken, "The target's answer is too large."),
        Fault::Malformed => {
            let message = "The target's answer is not in its dialect.";
            Failure::new(FailureKind::Broken, message)
        }
        Fault::Reported(code) => Failure {
            code,
            ..Failure::new(
                code.and_then(of_code).unwrap_or(FailureKind::Broken),
                "The target reported a failure within its answer.",
            )
        },
    }
}

/// What a code says more exactly than a status does.
fn of_code(code: &str) -> Option<FailureKind> {
    Some(match code {
        "context_length_exceeded"
        | "prompt_too_long"
        | "request_too_large"
        | "tokens_limit_reached" => FailureKind::TooLong,
        // Waiting does not help: somebody has to pay, or to change the entry.
        "insufficient_quota"
        | "billing_hard_limit_reached"
        | "billing_error"
        | "account_deactivated"
        | "invalid_api_key"
        | "invalid_organization"
        | "authentication_error"
        | "permission_error"
        | "model_not_found"
        | "model_not_available"
        | "DeploymentNotFound"
        | "not_found_error"
        | "NotFoundError" => FailureKind::Misconfigured,
        "rate_limit_exceeded" | "rate_limit_error" => FailureKind::RateLimited,
        "overloaded_error" | "overloaded" | "engine_overloaded" | "server_overloaded"
        | "api_error" | "internal_error" | "server_error" => FailureKind::Unwell,
        "timeout" | "timeout_error" => FailureKind::TimedOut,
        "content_policy_violation" | "content_filter" | "invalid_prompt" => FailureKind::Rejected,
        _ => return None,
    })
}

fn of_number(status: StatusCode) -> FailureKind {
    match status.as_u16() {
        // A redirect is not followed: the address in the configuration is wrong.
        300..=399 | 401..=405 | 407 | 410 => FailureKind::Misconfigured,
        408 | 504 => FailureKind::TimedOut,
        413 => FailureKind::TooLong,
        409 | 425 => FailureKind::Unwell,
        429 => FailureKind::RateLimited,
        400..=499 => FailureKind::Rejected,
        500..=599 => FailureKind::Unwell,
        _ => FailureKind::Broken,
    }
}

fn words(kind: FailureKind, status: StatusCode) -> &'static str {
    match kind {
        FailureKind::Misconfigured if status.is_redirection() => {
            "The target redirects elsewhere, which is not followed."
        }
        FailureKind::Misconfigured => {
            "The target does not accept the gateway's key, model or address."
        }
        FailureKind::Rejected => "The target does not accept this request.",
        FailureKind::TooLong => "The request is too long for the target.",
        FailureKind::RateLimited => "The target limits the gateway's rate.",
        FailureKind::TimedOut => "The target did not answer in time.",
        FailureKind::Unwell => "The target is at fault or overloaded.",
        FailureKind::Unreachable | FailureKind::Full | FailureKind::Broken => {
            "The target's answer is not one of its dialect."
        }
    }
}

/// How long the service asks to wait, in milliseconds or seconds. A date is not read:
/// it would need the service's clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| {
        let number: f64 = headers.get(name)?.to_str().ok()?.trim().parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(number)
    };
    let seconds =
        number("retry-after-ms").map(|ms| ms / 1000.0).or_else(|| number("retry-after"))?;
    Some(Duration::from_secs_f64(seconds.min(LONGEST_RETRY_AFTER.as_secs_f64())))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn codes_say_more_than_statuses() {
        use FailureKind::*;
        for (status, code, kind) in [
            (400, None, Rejected),
            (400, Some("context_length_exceeded"), TooLong),
            (400, Some("prompt_too_long"), TooLong),
            (400, Some("invalid_value"), Rejected),
            (302, None, Misconfigured),
            (401, None, Misconfigured),
            (402, None, Misconfigured),
            (403, None, Misconfigured),
            (404, Some("model_not_found"), Misconfigured),
            (408, None, TimedOut),
            (413, None, TooLong),
            (422, None, Rejected),
            (429, None, RateLimited),
            (429, Some("insufficient_quota"), Misconfigured),
            (500, None, Unwell),
            (503, None, Unwell),
            (504, None, TimedOut),
            (529, Some("overloaded_error"), Unwell),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            let failure = of_status(status, code, &HeaderMap::new());
            assert_eq!((failure.kind, failure.code), (kind, code), "{status} {code:?}");
        }
    }

    #[test]
    fn pauses_are_capped_and_nonsense_is_none() {
        for (name, value, millis) in [
            ("retry-after", "2", Some(2000)),
            ("retry-after", "1.5", Some(1500)),
            ("retry-after-ms", "250", Some(250)),
            ("retry-after", "99999999", Some(3_600_000)),
            ("retry-after", "1e308", Some(3_600_000)),
            ("retry-after", "-1", None),
            ("retry-after", "NaN", None),
            ("retry-after", "inf", None),
            ("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            let got = retry_after(&headers).map(|pause| pause.as_millis());
            assert_eq!(got, millis, "{name}: {value}");
        }
    }
}
