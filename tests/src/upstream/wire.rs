//! HTTP/1.1 by hand, so that every byte is known and every answer may be cut short.

use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::{Play, Received, Script, Seen, Step, lock};

/// Serves one connection until it ends.
pub(super) async fn converse(stream: TcpStream, script: Arc<Script>, seen: Arc<Mutex<Seen>>) {
    // Splits are part of the script: nothing may wait for more.
    stream.set_nodelay(true).ok();
    let (mut reader, mut writer) = stream.into_split();
    let mut buffer = Vec::new();
    while let Some(received) = receive(&mut reader, &mut buffer, &seen).await {
        let received = {
            let mut seen = lock(&seen);
            let received = Received { number: seen.requests.len(), ..received };
            if !seen.forgetful {
                seen.requests.push(received.clone());
            }
            received
        };
        match perform(script(&received), &mut reader, &mut writer, &mut buffer, &seen).await {
            Ended::Complete => {}
            Ended::Cut => return,
            Ended::Left => {
                lock(&seen).left += 1;
                return;
            }
        }
    }
}

enum Ended {
    Complete,
    Cut,
    Left,
}

async fn perform(
    play: Play,
    reader: &mut OwnedReadHalf,
    writer: &mut OwnedWriteHalf,
    buffer: &mut Vec<u8>,
    seen: &Mutex<Seen>,
) -> Ended {
    for step in play.steps {
        let pause = async {
            match &step {
                Step::Wait(pause) => tokio::time::sleep(*pause).await,
                Step::Pass(gate) => gate.pass().await,
                Step::Stall => std::future::pending().await,
                Step::Send(_) | Step::Cut => {}
            }
        };
        tokio::select! {
            biased;
            () = pause => {}
            () = until_closed(reader, buffer, seen) => return Ended::Left,
        }
        match step {
            Step::Cut => return Ended::Cut,
            Step::Send(bytes) => {
                if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
                    return Ended::Left;
                }
            }
            Step::Wait(_) | Step::Pass(_) | Step::Stall => {}
        }
    }
    Ended::Complete
}

/// Returns when the other side closes; what it still says is recorded.
async fn until_closed(reader: &mut OwnedReadHalf, buffer: &mut Vec<u8>, seen: &Mutex<Seen>) {
    while more(reader, buffer, seen).await {}
}

async fn more(reader: &mut OwnedReadHalf, buffer: &mut Vec<u8>, seen: &Mutex<Seen>) -> bool {
    let from = buffer.len();
    match reader.read_buf(buffer).await {
        Ok(count) if count > 0 => {
            let mut seen = lock(seen);
            if !seen.forgetful {
                seen.bytes.extend_from_slice(&buffer[from..]);
            }
            true
        }
        _ => false,
    }
}

/// Reads one request; nothing at the end of the connection.
async fn receive(
    reader: &mut OwnedReadHalf,
    buffer: &mut Vec<u8>,
    seen: &Mutex<Seen>,
) -> Option<Received> {
    let end = loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            break end + 4;
        }
        if !more(reader, buffer, seen).await {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    buffer.drain(..end);
    let field = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let mut body = Vec::new();
    if field("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        loop {
            let line = loop {
                if let Some(end) = find(buffer, b"\r\n") {
                    break buffer.drain(..end + 2).collect::<Vec<u8>>();
                }
                if !more(reader, buffer, seen).await {
                    return None;
                }
            };
            let size = String::from_utf8_lossy(&line);
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let piece = take(reader, buffer, seen, size + 2).await?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&piece[..size]);
        }
    } else if let Some(length) = field("content-length") {
        body = take(reader, buffer, seen, length.parse().ok()?).await?;
    }
    Some(Received { number: 0, head, body, at: Instant::now(), at_wall: SystemTime::now() })
}

async fn take(
    reader: &mut OwnedReadHalf,
    buffer: &mut Vec<u8>,
    seen: &Mutex<Seen>,
    count: usize,
) -> Option<Vec<u8>> {
    while buffer.len() < count {
        if !more(reader, buffer, seen).await {
            return None;
        }
    }
    Some(buffer.drain(..count).collect())
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}
