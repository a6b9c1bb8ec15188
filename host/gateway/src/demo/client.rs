//! The demonstration's client: one request, one connection.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ringfence_chat::sse::SseReader;
use serde_json::Value;
use tokio::net::TcpStream;

/// Bytes of one event of a stream.
const EVENT_BYTES: usize = 1 << 20;

/// What came back.
#[derive(Debug, Default)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The answer's text, put together if it was streamed; of an error its message.
    pub text: String,
    /// Of an error its code.
    pub code: Option<String>,
}

impl Answered {
    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Sends `body` with `key` and waits for the whole answer.
///
/// # Errors
/// In words: no connection, or no answer.
pub async fn ask(address: SocketAddr, key: &str, body: &Value) -> Result<Answered, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("the gateway did not answer: {error}");
    let stream = TcpStream::connect(address).await.map_err(|error| wrong(&error))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| wrong(&error))?;
    tokio::spawn(connection);
    let request = Request::post("/v1/chat/completions")
        .header(HOST, address.to_string())
        .header(CONTENT_TYPE, "application/json")
        .header(AUTHORIZATION, format!("Bearer {key}"))
        .body(Full::new(Bytes::from(body.to_string())))
        .map_err(|error| wrong(&error))?;
    let response = sender.send_request(request).await.map_err(|error| wrong(&error))?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| wrong(&error))?.to_bytes();
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let mut answered = Answered { status: parts.status.as_u16(), ..Answered::default() };
    if kind.starts_with("text/event-stream") {
        answered.text = streamed(&body)?;
    } else {
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let text = match &body["error"] {
            Value::Null => &body["choices"][0]["message"]["content"],
            error => &error["message"],
        };
        answered.text = text.as_str().unwrap_or("").to_owned();
        answered.code = body["error"]["code"].as_str().map(str::to_owned);
    }
    answered.headers = parts.headers;
    Ok(answered)
}

fn streamed(body: &[u8]) -> Result<String, String> {
    let mut events = Vec::new();
    let mut reader = SseReader::new(EVENT_BYTES);
    let read = reader.push(body, &mut events);
    if read.is_err() || events.last().is_none_or(|event| event.data != "[DONE]") {
        return Err("the stream broke off".into());
    }
    let mut text = String::new();
    for event in events {
        let chunk: Value = serde_json::from_str(&event.data).unwrap_or_default();
        text.push_str(chunk["choices"][0]["delta"]["content"].as_str().unwrap_or(""));
    }
    Ok(text)
}
