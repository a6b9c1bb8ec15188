//! What an upstream does with one request.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

/// One step of an answer.
#[derive(Clone)]
pub enum Step {
    /// These bytes, flushed, as they are on the wire.
    Send(Vec<u8>),
    /// Nothing for so long.
    Wait(Duration),
    /// Nothing until the gate lets this answer pass.
    Pass(Gate),
    /// Nothing ever again.
    Stall,
    /// The connection is cut.
    Cut,
}

/// Holds answers back until the test lets them go.
#[derive(Clone)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// A gate that lets nothing pass.
    pub fn closed() -> Gate {
        Gate(Arc::new(Semaphore::new(0)))
    }

    /// Lets so many answers pass.
    pub fn open(&self, answers: usize) {
        self.0.add_permits(answers);
    }

    pub(super) async fn pass(&self) {
        if let Ok(permit) = self.0.acquire().await {
            permit.forget();
        }
    }
}

/// An answer, step by step.
#[derive(Clone)]
pub struct Play {
    pub(super) steps: Vec<Step>,
    chunked: bool,
}

impl Play {
    /// A whole answer.
    pub fn whole(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Play {
        let body = body.into();
        let mut head = format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\n", body.len());
        append(&mut head, headers);
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&body);
        Play { steps: vec![Step::Send(bytes)], chunked: false }
    }

    /// A JSON answer with status 200.
    pub fn json(body: &serde_json::Value) -> Play {
        Play::whole(200, &[("content-type", "application/json")], body.to_string())
    }

    /// A failure with a JSON body.
    pub fn failure(status: u16, body: impl Into<Vec<u8>>) -> Play {
        Play::whole(status, &[("content-type", "application/json")], body)
    }

    /// The head of an event stream; what follows comes by [`Play::send`].
    pub fn stream() -> Play {
        Play::stream_with(&[])
    }

    /// The same with more headers.
    pub fn stream_with(headers: &[(&str, &str)]) -> Play {
        let mut head = String::from(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n",
        );
        append(&mut head, headers);
        Play { steps: vec![Step::Send(head.into_bytes())], chunked: true }
    }

    /// Nothing at all, for ever.
    pub fn silence() -> Play {
        Play { steps: vec![Step::Stall], chunked: false }
    }

    /// The connection is closed without an answer.
    pub fn hang_up() -> Play {
        Play { steps: vec![Step::Cut], chunked: false }
    }

    /// A piece of the body, flushed by itself.
    pub fn send(mut self, piece: impl AsRef<[u8]>) -> Play {
        let piece = piece.as_ref();
        let bytes = if self.chunked {
            let mut bytes = format!("{:x}\r\n", piece.len()).into_bytes();
            bytes.extend_from_slice(piece);
            bytes.extend_from_slice(b"\r\n");
            bytes
        } else {
            piece.to_vec()
        };
        self.steps.push(Step::Send(bytes));
        self
    }

    /// A body cut into pieces at `cuts`, each flushed by itself with a pause between.
    pub fn send_split(mut self, body: &[u8], cuts: &[usize], pause: Duration) -> Play {
        let mut from = 0;
        for &to in cuts.iter().chain([&body.len()]) {
            if to > from {
                self = self.send(&body[from..to]).wait(pause);
                from = to;
            }
        }
        self
    }

    /// A pause.
    pub fn wait(mut self, pause: Duration) -> Play {
        self.steps.push(Step::Wait(pause));
        self
    }

    /// Waits for a gate before the rest.
    pub fn pass(mut self, gate: &Gate) -> Play {
        self.steps.push(Step::Pass(gate.clone()));
        self
    }

    /// Waits for a gate before anything.
    pub fn behind(mut self, gate: &Gate) -> Play {
        self.steps.insert(0, Step::Pass(gate.clone()));
        self
    }

    /// A pause before anything.
    pub fn after(mut self, pause: Duration) -> Play {
        self.steps.insert(0, Step::Wait(pause));
        self
    }

    /// The proper end of a chunked body.
    pub fn end(mut self) -> Play {
        self.steps.push(Step::Send(b"0\r\n\r\n".to_vec()));
        self
    }

    /// The connection is cut here.
    pub fn cut(mut self) -> Play {
        self.steps.push(Step::Cut);
        self
    }

    /// Nothing more comes, and the connection stays.
    pub fn stall(mut self) -> Play {
        self.steps.push(Step::Stall);
        self
    }
}

fn append(head: &mut String, headers: &[(&str, &str)]) {
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
}
