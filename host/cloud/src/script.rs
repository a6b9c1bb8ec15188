//! A server that says what a test tells it to, down to the byte.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// One thing that the server does with a connection.
#[derive(Clone)]
pub(crate) enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Does nothing until the client closes.
    Stall,
    /// Closes at once.
    Close,
}

/// What a client sent.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    /// The request line and the headers.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

/// A server on this machine.
pub(crate) struct Script {
    /// `http://127.0.0.1:PORT`.
    pub address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: watch::Receiver<u32>,
    closed: watch::Receiver<u32>,
}

impl Script {
    /// A server that takes these steps for every request.
    pub async fn start(steps: Vec<Step>) -> Script {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (opening, connections) = watch::channel(0);
        let (closing, closed) = watch::channel(0);
        let all = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                opening.send_modify(|count| *count += 1);
                let (all, steps, closing) = (Arc::clone(&all), steps.clone(), closing.clone());
                tokio::spawn(async move {
                    serve(socket, &steps, &all).await;
                    closing.send_modify(|count| *count += 1);
                });
            }
        });
        Script { address, seen, connections, closed }
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test panicked").clone()
    }

    /// How many connections were opened.
    pub fn connections(&self) -> u32 {
        *self.connections.borrow()
    }

    /// Waits until a connection is closed by the client.
    pub async fn is_left(&mut self) -> bool {
        let left = self.closed.wait_for(|&count| count > 0);
        tokio::time::timeout(Duration::from_secs(10), left).await.is_ok()
    }
}

async fn serve(mut socket: TcpStream, steps: &[Step], all: &Mutex<Vec<Seen>>) {
    while let Some(seen) = request(&mut socket).await {
        all.lock().expect("no test panicked").push(seen);
        for step in steps {
            match step {
                Step::Send(bytes) => {
                    if socket.write_all(bytes).await.is_err() || socket.flush().await.is_err() {
                        return;
                    }
                }
                Step::Stall => {
                    let mut rest = [0; 1024];
                    while socket.read(&mut rest).await.is_ok_and(|count| count > 0) {}
                    return;
                }
                Step::Close => return,
            }
        }
    }
}

async fn request(socket: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
                })
                .unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                return Some(Seen { head, body: bytes[end + 4..end + 4 + length].to_vec() });
            }
        }
        let mut piece = [0; 4096];
        match socket.read(&mut piece).await {
            Ok(count) if count > 0 => bytes.extend_from_slice(&piece[..count]),
            _ => return None,
        }
    }
}

/// A whole message.
pub(crate) fn whole(status: u16, headers: &str, body: &str) -> Step {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Scripted\r\n{headers}content-length: {length}\r\n\r\n");
    Step::Send([head.as_bytes(), body.as_bytes()].concat())
}

/// The head of a stream.
pub(crate) fn head() -> Step {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";
    Step::Send(head.as_bytes().to_vec())
}

/// A piece of a stream.
pub(crate) fn piece(text: &str) -> Step {
    Step::Send(format!("{:x}\r\n{text}\r\n", text.len()).into_bytes())
}

/// The end of a stream.
pub(crate) fn end() -> Step {
    Step::Send(b"0\r\n\r\n".to_vec())
}
