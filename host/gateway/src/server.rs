//! The listener: connections, their bounds, and the way down.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;

use crate::config::Server;
use crate::house::House;
use crate::intake::Intake;
use crate::routes;

/// Bytes of a request's headers at most.
pub const HEADER_BYTES: usize = 64 * 1024;
/// Headers at most.
pub const HEADERS: usize = 100;
/// From a connection's opening to the end of a request's headers.
pub const HEADERS_WITHIN: Duration = Duration::from_secs(15);

/// A bound port that does not answer yet.
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    house: Arc<House>,
    server: Server,
}

/// Binds the address of `server`.
///
/// # Errors
/// The operating system's, when the address is taken or not ours.
pub async fn bind(house: Arc<House>, server: Server) -> io::Result<Bound> {
    let listener = TcpListener::bind(server.address).await?;
    let address = listener.local_addr()?;
    Ok(Bound { listener, address, house, server })
}

impl Bound {
    /// The address, with the port that the system chose for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`, then lets requests in flight end within the bound of
    /// the configuration.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Bound { listener, house, server, .. } = self;
        let places = Arc::new(Semaphore::new(server.connections));
        let intake = Arc::new(Intake::new(&server));
        let door = Door { house, intake, write_within: server.write_within };
        let (closing, closed) = watch::channel(false);
        let mut connections = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            // A place first: past the bound, clients wait in the system's backlog.
            let place = tokio::select! {
                place = Arc::clone(&places).acquire_owned() => place,
                () = &mut shutdown => break,
            };
            let stream = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        // Out of file descriptors: another moment may have some.
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
                () = &mut shutdown => break,
            };
            while connections.try_join_next().is_some() {}
            let connection = connection(stream, door.clone(), closed.clone());
            connections.spawn(async move {
                connection.await;
                drop(place);
            });
        }
        drop(listener);
        // Nobody listens any more when the last connection has ended.
        let _ = closing.send(true);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(server.drain_within, drained).await.is_err() {
            tracing::warn!("requests were still in flight at the end of the drain");
        }
    }
}

/// What every connection leads to.
#[derive(Clone)]
struct Door {
    house: Arc<House>,
    intake: Arc<Intake>,
    write_within: Duration,
}

async fn connection(stream: TcpStream, door: Door, mut closing: watch::Receiver<bool>) {
    let Door { house, intake, write_within } = door;
    // Small events of a stream go out at once; without it they wait for an answer to
    // the one before.
    let _ = stream.set_nodelay(true);
    // A client that does not read would keep its place for ever: what is written has no
    // time-out of hyper's.
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(write_within));
    let stream = Box::pin(stream);
    let service =
        service_fn(|request| routes::route(Arc::clone(&house), Arc::clone(&intake), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(HEADER_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => Some(ended),
        () = closes(&mut closing) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(kind = kind(&error), "a connection ended early");
    }
}

/// Waits until the server closes.
async fn closes(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Our word for it: the error's own text can repeat what the client sent.
fn kind(error: &hyper::Error) -> &'static str {
    if error.is_parse() {
        "not HTTP"
    } else if error.is_timeout() {
        "too slow"
    } else if error.is_incomplete_message() {
        "cut"
    } else {
        "closed"
    }
}
