//! A scripted provider on loopback that records every byte that reaches it.

pub mod anthropic;
pub mod embeddings;
pub mod openai;
mod play;
mod wire;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use play::{Gate, Play, Step};

/// One request as it reached an upstream.
#[derive(Debug, Clone)]
pub struct Received {
    /// Which one it is, from 0.
    pub number: usize,
    /// The request line and the headers, as they came.
    pub head: String,
    /// The body, without its transfer coding.
    pub body: Vec<u8>,
    /// When it was complete.
    pub at: Instant,
    /// When it was complete, by the wall clock.
    pub at_wall: std::time::SystemTime,
}

impl Received {
    /// The body as JSON; `null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The value of a header, or nothing.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The path of the request line.
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or("")
    }
}

type Script = dyn Fn(&Received) -> Play + Send + Sync;

#[derive(Default)]
struct Seen {
    bytes: Vec<u8>,
    requests: Vec<Received>,
    left: usize,
    connections: usize,
    /// Nothing is kept: for load, where the record would outgrow the test.
    forgetful: bool,
}

/// A scripted provider. It stops when it is dropped.
pub struct Upstream {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Upstream {
    /// An upstream that does what `script` says for each request.
    pub async fn start(script: impl Fn(&Received) -> Play + Send + Sync + 'static) -> Upstream {
        Upstream::start_with(Seen::default(), script).await
    }

    async fn start_with(
        seen: Seen,
        script: impl Fn(&Received) -> Play + Send + Sync + 'static,
    ) -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(seen));
        let script: Arc<Script> = Arc::new(script);
        let task = tokio::spawn(accept(listener, script, Arc::clone(&seen)));
        Upstream { address, seen, task }
    }

    /// An upstream that answers every request of the OpenAI dialect with the last
    /// user's text behind `You wrote: `, whole or streamed as asked.
    pub async fn echo() -> Upstream {
        Upstream::start(openai::echo).await
    }

    /// The same, without a record of what it received.
    pub async fn forgetful_echo() -> Upstream {
        Upstream::start_with(Seen { forgetful: true, ..Seen::default() }, openai::echo).await
    }

    /// An upstream that answers every request with `text`, whole or streamed.
    pub async fn says(text: &'static str) -> Upstream {
        Upstream::start(move |received| openai::reply(received, text)).await
    }

    /// An address of which nothing listens.
    pub async fn absent() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        listener.local_addr().expect("an address")
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL of its OpenAI dialect.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Every request so far.
    pub fn received(&self) -> Vec<Received> {
        self.seen().requests.clone()
    }

    /// The last request; panics when there was none.
    pub fn last(&self) -> Received {
        self.seen().requests.last().cloned().expect("the upstream was asked")
    }

    /// How many requests came.
    pub fn count(&self) -> usize {
        self.seen().requests.len()
    }

    /// How many requests were left by their sender before the answer was complete.
    pub fn left(&self) -> usize {
        self.seen().left
    }

    /// Everything that reached it, complete or not, headers included.
    pub fn bytes(&self) -> Vec<u8> {
        self.seen().bytes.clone()
    }

    /// Panics if `needle` is in anything that reached it, in its case or another.
    pub fn assert_never_saw(&self, needle: &str) {
        let text = String::from_utf8_lossy(&self.bytes()).to_lowercase();
        assert!(!text.contains(&needle.to_lowercase()), "{needle:?} reached the upstream:\n{text}");
    }

    /// Panics if a single byte, or a connection, reached it.
    pub fn assert_untouched(&self) {
        let seen = self.seen();
        assert!(
            seen.bytes.is_empty() && seen.connections == 0,
            "{} connections, and this reached the upstream:\n{}",
            seen.connections,
            String::from_utf8_lossy(&seen.bytes)
        );
    }

    /// Waits until `count` senders have left, for at most `within`.
    pub async fn wait_until_left(&self, count: usize, within: Duration) -> bool {
        self.wait(within, |seen| seen.left >= count).await
    }

    /// Waits until `count` requests have come, for at most `within`.
    pub async fn wait_until_asked(&self, count: usize, within: Duration) -> bool {
        self.wait(within, |seen| seen.requests.len() >= count).await
    }

    async fn wait(&self, within: Duration, done: impl Fn(&Seen) -> bool) -> bool {
        let end = Instant::now() + within;
        loop {
            if done(&self.seen()) {
                return true;
            }
            if Instant::now() > end {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, script: Arc<Script>, seen: Arc<Mutex<Seen>>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        lock(&seen).connections += 1;
        let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
        connections.spawn(wire::converse(stream, script, seen));
        while connections.try_join_next().is_some() {}
    }
}
