//! A client of the gateway.

use std::net::SocketAddr;
use std::sync::Once;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A client that follows nothing and retries nothing.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    http: reqwest::Client,
    headers: HeaderMap,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
    /// True when the body came to its proper end.
    pub complete: bool,
    /// Each piece of the body as it arrived, and how long after the request.
    pub pieces: Vec<(Duration, usize)>,
}

/// The request that asks `auto` for an answer to `text`.
pub fn ask(text: &str) -> Value {
    json!({"model": "auto", "messages": [{"role": "user", "content": text}]})
}

/// The same, streamed.
pub fn ask_streamed(text: &str) -> Value {
    json!({"model": "auto", "stream": true, "messages": [{"role": "user", "content": text}]})
}

impl Client {
    /// A client of the gateway at `address`.
    pub fn new(address: SocketAddr) -> Client {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            rustls::crypto::ring::default_provider().install_default().ok();
        });
        // The tests' own client, which is no way out of the house.
        #[allow(clippy::disallowed_methods)]
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .build()
            .expect("a client");
        Client { address, http, headers: HeaderMap::new() }
    }

    /// The same client with one more header.
    pub fn with(&self, name: &'static str, value: &str) -> Client {
        let mut headers = self.headers.clone();
        let value = HeaderValue::from_str(value).expect("a header value");
        headers.insert(HeaderName::from_static(name), value);
        Client { headers, ..self.clone() }
    }

    /// The same client with a key.
    pub fn with_key(&self, key: &str) -> Client {
        self.with("authorization", &format!("Bearer {key}"))
    }

    /// Sends a chat completion and reads its answer to the end, whole or streamed.
    pub async fn chat(&self, body: &Value) -> Answer {
        self.post("/v1/chat/completions", body.to_string()).await
    }

    /// Sends a body of JSON.
    pub async fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        let request = self
            .http
            .post(format!("http://{}{path}", self.address))
            .header("content-type", "application/json")
            .headers(self.headers.clone())
            .body(body.into());
        self.read(request).await
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Answer {
        let url = format!("http://{}{path}", self.address);
        self.read(self.http.get(url).headers(self.headers.clone())).await
    }

    /// Sends any method with a body.
    pub async fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let url = format!("http://{}{path}", self.address);
        let request = self.http.request(method, url).headers(self.headers.clone());
        self.read(request.body(body.to_owned())).await
    }

    /// Begins a streamed chat completion and gives the answer as it arrives, for
    /// tests that leave before its end.
    pub async fn begin(&self, body: &Value) -> reqwest::Response {
        self.http
            .post(format!("http://{}/v1/chat/completions", self.address))
            .header("content-type", "application/json")
            .headers(self.headers.clone())
            .body(body.to_string())
            .send()
            .await
            .expect("the gateway answers")
    }

    /// Sends bytes as they are and reads until the gateway closes, or for `within`.
    pub async fn raw(&self, bytes: &[u8], within: Duration) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("the gateway listens");
        stream.write_all(bytes).await.ok();
        let mut answer = Vec::new();
        tokio::time::timeout(within, stream.read_to_end(&mut answer)).await.ok();
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn read(&self, request: reqwest::RequestBuilder) -> Answer {
        let start = Instant::now();
        let response = request.send().await.expect("the gateway answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut answer =
            Answer { status, headers, body: Vec::new(), complete: true, pieces: Vec::new() };
        let mut stream = response.bytes_stream();
        while let Some(piece) = stream.next().await {
            match piece {
                Ok(piece) => {
                    answer.pieces.push((start.elapsed(), piece.len()));
                    answer.body.extend_from_slice(&piece);
                }
                Err(_) => answer.complete = false,
            }
        }
        answer
    }
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{} and no JSON: {}", self.status, self.text()))
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The target that answered.
    #[track_caller]
    pub fn target(&self) -> &str {
        self.header("x-ringfence-target")
            .unwrap_or_else(|| panic!("{} without a target: {}", self.status, self.text()))
    }

    /// The text of the first choice, of a whole or of a streamed answer.
    #[track_caller]
    pub fn content(&self) -> String {
        if self.is_stream() {
            let deltas = self.deltas();
            return deltas.iter().filter_map(|delta| delta["content"].as_str()).collect();
        }
        let json = self.json();
        let content = json["choices"][0]["message"]["content"].as_str();
        content.unwrap_or_else(|| panic!("{}: {json}", self.status)).to_owned()
    }

    /// The arguments of the first tool call, of a whole or of a streamed answer.
    #[track_caller]
    pub fn arguments(&self) -> String {
        if self.is_stream() {
            let deltas = self.deltas();
            return deltas
                .iter()
                .filter_map(|delta| delta["tool_calls"][0]["function"]["arguments"].as_str())
                .collect();
        }
        let json = self.json();
        let call = &json["choices"][0]["message"]["tool_calls"][0];
        call["function"]["arguments"].as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
    }

    /// The error object of an error.
    #[track_caller]
    pub fn error(&self) -> Value {
        let error = self.json()["error"].clone();
        assert!(error.is_object(), "{} without an error: {}", self.status, self.text());
        error
    }

    /// Whether it is a stream of events.
    pub fn is_stream(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"))
    }

    /// The data of each event, `[DONE]` included. Panics on an event without data.
    #[track_caller]
    pub fn events(&self) -> Vec<String> {
        let text = self.text();
        assert!(!text.contains('\r'), "carriage returns in {text:?}");
        let blocks = text.split("\n\n").filter(|block| !block.is_empty());
        blocks
            .filter(|block| !block.lines().all(|line| line.starts_with(':')))
            .map(|block| {
                let data = block.strip_prefix("data: ").unwrap_or_else(|| panic!("{block:?}"));
                assert!(!data.is_empty() && !data.contains('\n'), "{block:?}");
                data.to_owned()
            })
            .collect()
    }

    /// The JSON of each event but `[DONE]`.
    #[track_caller]
    pub fn chunks(&self) -> Vec<Value> {
        let events = self.events();
        let chunks = events.iter().filter(|data| *data != "[DONE]");
        chunks
            .map(|data| serde_json::from_str(data).unwrap_or_else(|_| panic!("no JSON: {data}")))
            .collect()
    }

    /// Whether the last event is `[DONE]`.
    #[track_caller]
    pub fn is_done(&self) -> bool {
        self.events().last().is_some_and(|data| data == "[DONE]")
    }

    fn deltas(&self) -> Vec<Value> {
        let chunks = self.chunks();
        chunks.iter().map(|chunk| chunk["choices"][0]["delta"].clone()).collect()
    }
}
