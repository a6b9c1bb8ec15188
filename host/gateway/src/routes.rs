//! Paths, and the only place that turns a problem into a response.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use ringfence_chat::Dialect;
use ringfence_dialect::ModelEntry;
use ringfence_fence::{Caller, Model};
use serde_json::json;

use futures_util::StreamExt;

use crate::exchange::{self, Call};
use crate::house::House;
use crate::ids;
use crate::intake::Intake;
use crate::metrics;
use crate::problem::Problem;
use crate::reply::{Reply, ReplyBody};

/// The body of every response.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Answers one HTTP request.
///
/// # Errors
/// None: a problem is a response too.
pub async fn route(
    house: Arc<House>,
    intake: Arc<Intake>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let id = ids::request();
    let has_body = !request.body().is_end_stream();
    let is_post = request.method() == Method::POST;
    let dialect = dialect_of(&request);
    let response = match (request.method(), request.uri().path()) {
        (
            &Method::POST,
            "/v1/chat/completions" | "/v1/responses" | "/v1/embeddings" | "/v1/messages",
        ) => chat(&house, &intake, &id, dialect, request).await,
        (&Method::POST, "/v1/messages/count_tokens") => {
            tokens(&house, &intake, dialect, request).await
        }
        (&Method::GET, "/v1/models") => models(&house, dialect, request.headers()),
        (&Method::GET, "/healthz") => Ok(healthz(&house, request.headers())),
        (&Method::GET, "/readyz") => Ok(readyz(&house)),
        (&Method::GET, "/metrics") => Ok(exposition(&house)),
        (
            _,
            "/v1/chat/completions"
            | "/v1/responses"
            | "/v1/embeddings"
            | "/v1/messages"
            | "/v1/messages/count_tokens",
        ) => Err(Problem::Method("POST")),
        (_, "/v1/models" | "/healthz" | "/readyz" | "/metrics") => Err(Problem::Method("GET")),
        (&Method::GET, path) => match path.strip_prefix("/v1/models/") {
            Some(name) => model(&house, dialect, request.headers(), name),
            None => Err(Problem::Path),
        },
        _ => Err(Problem::Path),
    };
    let leaves_body = has_body && (!is_post || response.as_ref().is_err_and(Problem::leaves_body));
    let mut response = response.unwrap_or_else(|problem| told(dialect, &problem));
    if leaves_body {
        // The connection ends with this answer: a client that is not told would send its
        // next request into it.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    // Ids are made of letters and digits.
    if let Ok(id) = HeaderValue::from_str(&id) {
        if dialect == Dialect::AnthropicMessages {
            response.headers_mut().insert("request-id", id.clone());
        }
        response.headers_mut().insert("x-request-id", id);
    }
    Ok(response)
}

/// The dialect that a client speaks: its path says so, and where two share a path, the
/// header that only Anthropic's clients send.
fn dialect_of<B>(request: &Request<B>) -> Dialect {
    let path = request.uri().path();
    let below = |parent: &str| {
        path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let shared = below("/v1/models") && request.headers().contains_key("anthropic-version");
    if shared || below("/v1/messages") {
        Dialect::AnthropicMessages
    } else if below("/v1/embeddings") {
        Dialect::OpenAiEmbeddings
    } else if below("/v1/responses") {
        Dialect::OpenAiResponses
    } else {
        Dialect::OpenAiChat
    }
}

async fn chat(
    house: &Arc<House>,
    intake: &Intake,
    id: &str,
    dialect: Dialect,
    request: Request<Incoming>,
) -> Result<Response<Body>, Problem> {
    let received = Instant::now();
    let result = async {
        let caller = caller(house, request.headers())?;
        let latency_wanted_ms = (request.headers().get("x-ringfence-latency-ms"))
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let headers = ringfence_dialect::passed_on(dialect, |name| {
            request.headers().get(name).map(HeaderValue::as_bytes)
        });
        let body = intake.take(request).await?;
        let headers = headers.map_err(Problem::Malformed)?;
        let id = id.to_owned();
        let call = Call { id, dialect, caller, headers, body, latency_wanted_ms, received };
        exchange::answer(house, call).await
    };
    match result.await {
        Ok(reply) => Ok(answered(reply)),
        Err(problem) => {
            house.metrics.ended(problem.outcome(), "");
            if let Problem::Limited(exceeded) = &problem {
                house.metrics.limited(exceeded);
            }
            Err(problem)
        }
    }
}

/// Counts tokens, for the callers that may ask for an answer.
async fn tokens(
    house: &House,
    intake: &Intake,
    dialect: Dialect,
    request: Request<Incoming>,
) -> Result<Response<Body>, Problem> {
    caller(house, request.headers())?;
    let body = intake.take(request).await?;
    let counted = exchange::count(house, dialect, &body.bytes)?;
    let body = ringfence_dialect::tokens_body(counted);
    Ok(with(StatusCode::OK, "application/json", whole(Bytes::from(body))))
}

fn caller(house: &House, headers: &HeaderMap) -> Result<Caller, Problem> {
    house.in_force().callers.identify(headers).cloned().map_err(Problem::Caller)
}

fn answered(reply: Reply) -> Response<Body> {
    let (kind, body) = match reply.body {
        ReplyBody::Whole(bytes) => ("application/json", whole(bytes)),
        ReplyBody::Stream(stream) => {
            let frames = stream.map(|bytes| bytes.map(Frame::data));
            ("text/event-stream; charset=utf-8", StreamBody::new(frames).boxed_unsync())
        }
    };
    let mut response = with(StatusCode::OK, kind, body);
    for (name, value) in &reply.headers {
        header(&mut response, name, value);
    }
    header(&mut response, CACHE_CONTROL.as_str(), "no-cache");
    response
}

fn told(dialect: Dialect, problem: &Problem) -> Response<Body> {
    let told = problem.told();
    let body = ringfence_dialect::error_body(dialect, &told.body);
    let own = ringfence_dialect::error_status(dialect, &told.body);
    let status = own.and_then(|own| StatusCode::from_u16(own).ok()).unwrap_or(told.status);
    let mut response = with(status, "application/json", whole(Bytes::from(body)));
    for (name, value) in &told.headers {
        header(&mut response, name, value);
    }
    if let Some(decision) = problem.decision() {
        header(&mut response, "x-ringfence-decision", decision);
    }
    response
}

fn models(house: &House, dialect: Dialect, headers: &HeaderMap) -> Result<Response<Body>, Problem> {
    let listed = listed(house, headers)?;
    let body = ringfence_dialect::models_body(dialect, &listed);
    Ok(with(StatusCode::OK, "application/json", whole(Bytes::from(body))))
}

fn model(
    house: &House,
    dialect: Dialect,
    headers: &HeaderMap,
    name: &str,
) -> Result<Response<Body>, Problem> {
    let listed = listed(house, headers)?;
    let entry = listed.iter().find(|entry| entry.id == name);
    let entry = entry.ok_or_else(|| Problem::Model(name.to_owned()))?;
    let body = ringfence_dialect::model_body(dialect, entry);
    Ok(with(StatusCode::OK, "application/json", whole(Bytes::from(body))))
}

/// Model names that this caller may ask for, with the target that serves them.
fn listed(house: &House, headers: &HeaderMap) -> Result<Vec<ModelEntry>, Problem> {
    let caller = caller(house, headers)?;
    let in_force = house.in_force();
    let entry = |id: &str, owned_by: &str| ModelEntry {
        id: id.to_owned(),
        created: house.began,
        owned_by: owned_by.to_owned(),
    };
    let mut listed = vec![entry(Model::AUTO, "ringfence")];
    for place in &in_force.places {
        let target = &place.target;
        if caller.targets.as_ref().is_some_and(|names| !names.contains(&target.name)) {
            continue;
        }
        for model in &target.models {
            for name in std::iter::once(&model.name).chain(&model.aliases) {
                if !listed.iter().any(|known| known.id == *name) {
                    listed.push(entry(name, &target.name));
                }
            }
        }
    }
    Ok(listed)
}

/// Whether all is well, for everybody; what is in force and what is not well, for who
/// may call: it names files and policies.
fn healthz(house: &House, headers: &HeaderMap) -> Response<Body> {
    let in_force = house.in_force();
    let head = house.ledger.head();
    let troubles = house.troubles();
    let status = if troubles.is_empty() { "ok" } else { "degraded" };
    let body = match in_force.callers.identify(headers) {
        Ok(_) => json!({
            "status": status,
            "version": env!("CARGO_PKG_VERSION"),
            "chain": in_force.chain.digest().to_string(),
            "configuration": in_force.configuration.to_string(),
            "policies": in_force.chain.policies().len(),
            "ledger": { "sequence": head.sequence, "head": head.digest.to_string() },
            "troubles": troubles,
        }),
        Err(_) => json!({ "status": status }),
    };
    with(StatusCode::OK, "application/json", whole(Bytes::from(body.to_string())))
}

fn readyz(house: &House) -> Response<Body> {
    let lacking = house.not_ready();
    let status = if lacking.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({ "ready": lacking.is_empty(), "lacking": lacking });
    with(status, "application/json", whole(Bytes::from(body.to_string())))
}

fn exposition(house: &House) -> Response<Body> {
    let text = house.metrics.expose(house);
    with(StatusCode::OK, metrics::CONTENT_TYPE, whole(Bytes::from(text)))
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).boxed_unsync()
}

fn with(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Adds a header, unless its value is none: a line break in a configured name or in
/// a provider's header never reaches the wire.
fn header(response: &mut Response<Body>, name: &str, value: &str) {
    let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
        return;
    };
    response.headers_mut().insert(name, value);
}
