//! Everything that can end a request without an answer, and what the client is told.
//! The only place that maps errors to HTTP.

use http::StatusCode;
use ringfence_dialect::{ErrorBody, Malformed};
use ringfence_fence::{Failure, Refusal};

use self::reasons::{FULL_WAIT, failed, limited, refused};
use crate::callers::Unknown;
use crate::limits::Exceeded;

mod reasons;

/// Why a request has no answer.
#[derive(Debug)]
pub enum Problem {
    /// No such path.
    Path,
    /// The path exists, for these methods.
    Method(&'static str),
    /// The client is nobody that the configuration knows.
    Caller(Unknown),
    /// The body has more bytes than this.
    TooLarge(usize),
    /// All bodies in flight together have as many bytes as may be.
    Crowded,
    /// The body is compressed or otherwise encoded.
    Encoding,
    /// The body's length is said in two ways, or in a way that is not undone here.
    Framing,
    /// The body did not arrive whole.
    Interrupted,
    /// The body is not a request of its dialect.
    Malformed(Malformed),
    /// No target serves this model.
    Model(String),
    /// No target serves this very model, of which vectors are wanted.
    VectorModel(String),
    /// The request would pass a limit.
    Limited(Exceeded),
    /// The request may go nowhere.
    Refused {
        /// Why.
        refusal: Refusal,
        /// The decision, found again in the ledger.
        decision: String,
    },
    /// Every target that it may go to failed; the last failure.
    Failed {
        /// How.
        failure: Failure,
        /// The decision, found again in the ledger.
        decision: String,
    },
    /// An edit could not be applied, so nothing left.
    Unmaskable {
        /// The decision, found again in the ledger.
        decision: String,
    },
    /// A policy failed while it inspected the answer, which is not given.
    Withheld {
        /// The policy's name.
        policy: String,
        /// The decision, found again in the ledger.
        decision: String,
    },
    /// The books cannot be written, so nothing leaves.
    Ledger,
    /// No answer began within the server's bound.
    Late,
    /// The gateway is going down.
    Closing,
}

/// What the client is told.
pub struct Told {
    /// The status.
    pub status: StatusCode,
    /// Headers besides the usual ones.
    pub headers: Vec<(&'static str, String)>,
    /// The body, before a dialect writes it.
    pub body: ErrorBody,
}

impl Problem {
    /// Whether the request's body is not read to its end when this is answered.
    pub fn leaves_body(&self) -> bool {
        match self {
            Problem::Path
            | Problem::Method(_)
            | Problem::Caller(_)
            | Problem::TooLarge(_)
            | Problem::Crowded
            | Problem::Encoding
            | Problem::Framing
            | Problem::Interrupted => true,
            Problem::Malformed(_)
            | Problem::Model(_)
            | Problem::VectorModel(_)
            | Problem::Limited(_)
            | Problem::Refused { .. }
            | Problem::Failed { .. }
            | Problem::Unmaskable { .. }
            | Problem::Withheld { .. }
            | Problem::Ledger
            | Problem::Late
            | Problem::Closing => false,
        }
    }

    /// How the request ended, for metrics.
    pub fn outcome(&self) -> &'static str {
        match self {
            Problem::Refused { .. } => "refused",
            Problem::Limited(_) => "limited",
            Problem::Withheld { .. } => "withheld",
            Problem::Failed { .. } | Problem::Late => "failed",
            Problem::Crowded | Problem::Ledger | Problem::Closing | Problem::Unmaskable { .. } => {
                "unavailable"
            }
            _ => "invalid",
        }
    }

    /// The id of the decision, where one was made.
    pub fn decision(&self) -> Option<&str> {
        match self {
            Problem::Refused { decision, .. }
            | Problem::Failed { decision, .. }
            | Problem::Unmaskable { decision }
            | Problem::Withheld { decision, .. } => Some(decision),
            _ => None,
        }
    }

    /// What the client is told.
    pub fn told(&self) -> Told {
        match self {
            Problem::Path => invalid(
                StatusCode::NOT_FOUND,
                "unknown_url",
                "Ringfence serves POST /v1/chat/completions, POST /v1/responses, POST \
                 /v1/embeddings, POST /v1/messages, POST /v1/messages/count_tokens, GET \
                 /v1/models, GET /healthz, GET /readyz and GET /metrics; nothing else is passed \
                 on.",
            ),
            Problem::Method(allowed) => {
                let mut told = invalid(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "method_not_allowed",
                    format!("This path takes {allowed}."),
                );
                told.headers.push(("allow", (*allowed).to_owned()));
                told
            }
            Problem::Caller(unknown) => {
                let message = match unknown {
                    Unknown::Missing => {
                        "This gateway wants a key: send `Authorization: Bearer KEY` or `x-api-key: \
                         KEY`."
                    }
                    Unknown::Wrong => "This gateway does not know the key that was sent.",
                };
                let mut told = tell(
                    StatusCode::UNAUTHORIZED,
                    "authentication_error",
                    "invalid_api_key",
                    message,
                );
                told.headers.push(("www-authenticate", "Bearer".to_owned()));
                told
            }
            Problem::TooLarge(limit) => invalid(
                StatusCode::PAYLOAD_TOO_LARGE,
                "request_too_large",
                format!("The body has more than {limit} bytes (server.body_bytes)."),
            ),
            Problem::Crowded => {
                let mut told = tell(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "server_error",
                    "too_many_bytes",
                    "The requests in flight have as many bytes as may be (server.bodies_bytes).",
                );
                told.headers.push(("retry-after", FULL_WAIT.as_secs().to_string()));
                told
            }
            Problem::Encoding => invalid(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_content_encoding",
                "Send the body as plain JSON, without a Content-Encoding.",
            ),
            Problem::Framing => {
                let mut told = invalid(
                    StatusCode::BAD_REQUEST,
                    "invalid_framing",
                    "Send the body with one Content-Length, or with Transfer-Encoding: chunked.",
                );
                // What follows on this connection is nobody's request.
                told.headers.push(("connection", "close".to_owned()));
                told
            }
            Problem::Interrupted => invalid(
                StatusCode::BAD_REQUEST,
                "incomplete_body",
                "The body did not arrive whole.",
            ),
            Problem::Malformed(malformed) => {
                let mut told = invalid(
                    StatusCode::BAD_REQUEST,
                    "invalid_request",
                    malformed.message.clone().into_owned(),
                );
                told.body.param = malformed.param.clone();
                told
            }
            Problem::Model(asked) => {
                let mut told = invalid(
                    StatusCode::NOT_FOUND,
                    "model_not_found",
                    format!(
                        "No target serves the model `{}`: GET /v1/models lists what there is, and \
                         `auto` lets the policies choose.",
                        shortened(asked)
                    ),
                );
                told.body.param = Some("model".to_owned());
                told
            }
            Problem::VectorModel(asked) => {
                let mut told = invalid(
                    StatusCode::NOT_FOUND,
                    "model_not_found",
                    format!(
                        "No target serves the model `{}` under this very name. Vectors of \
                         different models do not compare, so that embeddings take neither `auto` \
                         nor an alias.",
                        shortened(asked)
                    ),
                );
                told.body.param = Some("model".to_owned());
                told
            }
            Problem::Limited(exceeded) => limited(exceeded),
            Problem::Refused { refusal, .. } => refused(refusal),
            Problem::Failed { failure, .. } => failed(failure),
            Problem::Unmaskable { .. } => denied(
                "unmaskable",
                "A policy hides something that cannot be hidden in this place, so the request \
                 was not sent.",
            ),
            Problem::Withheld { policy, .. } => denied(
                "policy_failed",
                format!("The policy `{policy}` failed on the answer, so it is not given."),
            ),
            Problem::Ledger => tell(
                StatusCode::SERVICE_UNAVAILABLE,
                "server_error",
                "ledger_unavailable",
                "The ledger cannot be written, so nothing is sent.",
            ),
            Problem::Late => tell(
                StatusCode::GATEWAY_TIMEOUT,
                "server_error",
                "timeout",
                "No target began to answer in time (server.answer_within_seconds).",
            ),
            Problem::Closing => tell(
                StatusCode::SERVICE_UNAVAILABLE,
                "server_error",
                "shutting_down",
                "The gateway is going down.",
            ),
        }
    }
}

/// A refusal by policy. The clients' own retries would only send the sensitive text
/// again, so they are told not to.
fn denied(code: &str, message: impl Into<String>) -> Told {
    let mut told = tell(StatusCode::FORBIDDEN, "permission_error", code, message);
    told.headers.push(("x-should-retry", "false".to_owned()));
    told
}

fn invalid(status: StatusCode, code: &str, message: impl Into<String>) -> Told {
    tell(status, "invalid_request_error", code, message)
}

fn tell(status: StatusCode, kind: &str, code: &str, message: impl Into<String>) -> Told {
    Told {
        status,
        headers: Vec::new(),
        body: ErrorBody {
            message: message.into(),
            kind: kind.to_owned(),
            param: None,
            code: Some(code.to_owned()),
        },
    }
}

/// A client's own word, in a message to the same client.
fn shortened(word: &str) -> String {
    word.chars().filter(|letter| !letter.is_control()).take(64).collect()
}
