//! A stand-in for two clouds: it speaks the wire format of one, repeats what it was
//! asked, and keeps the bytes that reached it.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ringfence_chat::sse;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Bytes of a request that it takes.
const BODY_BYTES: usize = 1 << 20;
/// Requests that it keeps between two looks.
const KEPT: usize = 64;
/// Characters in a piece of a streamed answer: less than a placeholder, so that the
/// stream cuts through them.
const PIECE: usize = 7;

/// The clouds, on one port of loopback.
pub struct StandIn {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

/// What reached a cloud.
#[derive(Debug, Clone)]
pub struct Received {
    /// Which one: the first part of the path.
    pub cloud: String,
    /// The key that came along.
    pub authorization: String,
    /// The bytes.
    pub body: Bytes,
    /// The status that it answered with.
    pub status: u16,
}

#[derive(Default)]
struct Seen {
    received: Vec<Received>,
    down: BTreeSet<String>,
}

impl StandIn {
    /// Starts it.
    ///
    /// # Errors
    /// The operating system's, when there is no port.
    pub async fn start() -> io::Result<StandIn> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(&shared, request));
                    let connection =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                    // A client that goes away is none of its business.
                    let _ = connection.await;
                });
            }
        });
        Ok(StandIn { address, seen })
    }

    /// Takes what reached it since the last look.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut lock(&self.seen).received)
    }

    /// Makes these clouds answer that they are unavailable, and no other.
    pub fn set_down(&self, clouds: &[&str]) {
        lock(&self.seen).down = clouds.iter().map(|&cloud| cloud.to_owned()).collect();
    }
}

async fn answer(
    seen: &Mutex<Seen>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let cloud = request.uri().path().split('/').nth(1).unwrap_or("").to_owned();
    let authorization = (request.headers().get(AUTHORIZATION))
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
        .to_owned();
    let Ok(body) = Limited::new(request.into_body(), BODY_BYTES).collect().await else {
        return Ok(respond(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", Vec::new()));
    };
    let body = body.to_bytes();
    let mut seen = lock(seen);
    let down = seen.down.contains(&cloud);
    let status = if down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    if seen.received.len() < KEPT {
        let (cloud, body) = (cloud, body.clone());
        seen.received.push(Received { cloud, authorization, body, status: status.as_u16() });
    }
    if down {
        let error = json!({ "error": { "message": "unavailable", "type": "server_error" } });
        return Ok(respond(status, "application/json", error.to_string().into_bytes()));
    }
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = format!("You wrote: {}", last_message(&asked));
    Ok(match asked["stream"].as_bool() {
        Some(true) => respond(status, "text/event-stream", streamed(&asked, &text)),
        _ => respond(status, "application/json", whole(&asked, &text)),
    })
}

fn last_message(asked: &Value) -> &str {
    let messages = asked["messages"].as_array().map_or(&[][..], Vec::as_slice);
    messages.last().and_then(|message| message["content"].as_str()).unwrap_or("")
}

fn whole(asked: &Value, text: &str) -> Vec<u8> {
    let message = json!({ "role": "assistant", "content": text });
    let mut body = envelope(asked, "chat.completion");
    body["choices"] = json!([{ "index": 0, "message": message, "finish_reason": "stop" }]);
    body["usage"] = json!({ "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 });
    body.to_string().into_bytes()
}

fn streamed(asked: &Value, text: &str) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut event = |delta: Value, finish: Value| {
        let mut body = envelope(asked, "chat.completion.chunk");
        body["choices"] = json!([{ "index": 0, "delta": delta, "finish_reason": finish }]);
        sse::write(None, &body.to_string(), &mut stream);
    };
    event(json!({ "role": "assistant", "content": "" }), Value::Null);
    let letters: Vec<char> = text.chars().collect();
    for piece in letters.chunks(PIECE) {
        event(json!({ "content": piece.iter().collect::<String>() }), Value::Null);
    }
    event(json!({}), json!("stop"));
    sse::write(None, "[DONE]", &mut stream);
    stream
}

fn envelope(asked: &Value, object: &str) -> Value {
    json!({ "id": "chatcmpl-stand-in", "object": object, "created": 0, "model": asked["model"] })
}

fn respond(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    // What was kept before a panic is still what was received.
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
