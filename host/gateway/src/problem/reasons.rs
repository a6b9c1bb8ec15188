//! What the client is told of refusals, limits and failures.

use std::time::Duration;

use http::StatusCode;
use ringfence_fence::{Failure, FailureKind, Refusal, Remover};

use super::{Problem, Told, denied, invalid, tell};
use crate::limits::{Counted, Exceeded};

pub(super) fn refused(refusal: &Refusal) -> Told {
    let Refusal::Removed(removal) = refusal else {
        return tell(
            StatusCode::SERVICE_UNAVAILABLE,
            "server_error",
            refusal.code(),
            "No target is configured and ready.",
        );
    };
    match &removal.by {
        Remover::Model => Problem::Model(String::new()).told(),
        Remover::Capability(missing) => invalid(
            StatusCode::BAD_REQUEST,
            "unsupported",
            format!(
                "No target that this request may use can do what it needs: {}.",
                missing.join(", ")
            ),
        ),
        Remover::Context => invalid(
            StatusCode::BAD_REQUEST,
            "context_length_exceeded",
            "The prompt is longer than the context of every target that it may use.",
        ),
        Remover::Caller => {
            denied("target_not_permitted", "This key may not use any target that could answer.")
        }
        Remover::Floor => {
            denied(&removal.code, "The operator's floor lets this request go to no target.")
        }
        // An OpenAI client that reads this code does not try again.
        Remover::Budget => {
            let mut told = tell(
                StatusCode::TOO_MANY_REQUESTS,
                "insufficient_quota",
                "insufficient_quota",
                "The budget of this key does not cover an answer of any target that it may use.",
            );
            told.headers.push(("x-should-retry", "false".to_owned()));
            told
        }
        Remover::Policy(policy) => denied(
            &removal.code,
            format!("The policy `{policy}` lets this request go to no target."),
        ),
        Remover::Failure(policy) if removal.code == "policy_busy" => {
            let mut told = tell(
                StatusCode::SERVICE_UNAVAILABLE,
                "server_error",
                &removal.code,
                format!("No sandbox was free for the policy `{policy}`, so nothing was sent."),
            );
            told.headers.push(("retry-after", FULL_WAIT.as_secs().to_string()));
            told
        }
        Remover::Failure(policy) => denied(
            &removal.code,
            format!("The policy `{policy}` failed, and so the request was refused."),
        ),
    }
}

pub(super) fn failed(failure: &Failure) -> Told {
    let (status, kind, code) = match failure.kind {
        FailureKind::Full => (StatusCode::SERVICE_UNAVAILABLE, "server_error", "queue_full"),
        FailureKind::RateLimited => {
            (StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "rate_limit_exceeded")
        }
        FailureKind::TimedOut => (StatusCode::GATEWAY_TIMEOUT, "server_error", "upstream_timeout"),
        FailureKind::Unreachable => {
            (StatusCode::BAD_GATEWAY, "server_error", "upstream_unreachable")
        }
        FailureKind::Unwell => (StatusCode::BAD_GATEWAY, "server_error", "upstream_unwell"),
        FailureKind::Misconfigured => {
            (StatusCode::BAD_GATEWAY, "server_error", "upstream_misconfigured")
        }
        FailureKind::Broken => (StatusCode::BAD_GATEWAY, "server_error", "upstream_broken"),
        FailureKind::Rejected => {
            (StatusCode::BAD_REQUEST, "invalid_request_error", "upstream_rejected")
        }
        FailureKind::TooLong => {
            (StatusCode::BAD_REQUEST, "invalid_request_error", "context_length_exceeded")
        }
    };
    let mut told = tell(status, kind, failure.code.unwrap_or(code), failure.message.clone());
    let wait = failure.retry_after.or((failure.kind == FailureKind::Full).then_some(FULL_WAIT));
    if let Some(wait) = wait {
        told.headers.push(("retry-after", wait.as_secs().max(1).to_string()));
    }
    told
}

/// What a client is asked to wait when a queue is full and nobody knows better.
pub(super) const FULL_WAIT: Duration = Duration::from_secs(1);

/// More than a limit allows. Waiting helps, unless the request alone is too much.
pub(super) fn limited(exceeded: &Exceeded) -> Told {
    let Exceeded { limit, counted, retry_after } = exceeded;
    let (kind, code) = match counted {
        Counted::Dollars => ("insufficient_quota", "insufficient_quota"),
        _ => ("rate_limit_error", "rate_limit_exceeded"),
    };
    let what = counted.name();
    let message = match retry_after {
        Some(wait) => format!(
            "The limit `{limit}` has no room ({what}): try again in {} s.",
            wait.as_secs().max(1)
        ),
        None => format!("This request alone is more than the limit `{limit}` allows ({what})."),
    };
    let mut told = tell(StatusCode::TOO_MANY_REQUESTS, kind, code, message);
    match retry_after {
        Some(wait) => {
            told.headers.push(("retry-after", wait.as_secs().max(1).to_string()));
            // Nobody waits for a day in a loop.
            if *wait > LONGEST_WAIT {
                told.headers.push(("x-should-retry", "false".to_owned()));
            }
        }
        None => told.headers.push(("x-should-retry", "false".to_owned())),
    }
    told
}

/// A client that is asked to wait longer is told not to try again by itself.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
