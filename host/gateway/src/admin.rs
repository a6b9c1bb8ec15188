//! The admin API: a listener of its own, for who has its token and nobody else.

mod report;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ringfence_fence::Digest;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::assembly::Unmoved;
use crate::config::Admin;
use crate::house::House;
use crate::reload::{Change, Reloaded, Reloader};

/// Connections at most.
pub const CONNECTIONS: usize = 16;
/// How long a connection may last.
pub const CONNECTION_WITHIN: Duration = Duration::from_secs(300);
/// What somebody without the token waits for the answer.
pub const STRANGERS_WAIT: Duration = Duration::from_millis(250);

/// A bound port that does not answer yet.
pub struct AdminPort {
    listener: TcpListener,
    address: SocketAddr,
    desk: Desk,
}

#[derive(Clone)]
struct Desk {
    house: Arc<House>,
    reloader: Reloader,
    token: Digest,
}

impl AdminPort {
    /// Binds the address of `[admin]`.
    ///
    /// # Errors
    /// The operating system's, when the address is taken or not ours.
    pub async fn bind(
        house: Arc<House>,
        reloader: Reloader,
        admin: &Admin,
    ) -> io::Result<AdminPort> {
        let listener = TcpListener::bind(admin.address).await?;
        let address = listener.local_addr()?;
        Ok(AdminPort { listener, address, desk: Desk { house, reloader, token: admin.token } })
    }

    /// The address, with the port that the system chose for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until the process ends.
    pub async fn run(self) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let desk = self.desk.clone();
                    tokio::spawn(async move {
                        // Whoever is late comes again.
                        let _ =
                            tokio::time::timeout(CONNECTION_WITHIN, connection(stream, desk)).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "an admin connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

async fn connection(stream: TcpStream, desk: Desk) {
    let service = service_fn(|request| {
        let desk = desk.clone();
        async move { Ok::<_, Infallible>(desk.answer(&request).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(crate::server::HEADERS_WITHIN)
        .max_buf_size(crate::server::HEADER_BYTES)
        .max_headers(crate::server::HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    if served.await.is_err() {
        tracing::debug!("an admin connection ended early");
    }
}

impl Desk {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if !self.knows(request.headers()) {
            tokio::time::sleep(STRANGERS_WAIT).await;
            let told = error("invalid_token", "Show the token as `authorization: Bearer TOKEN`.");
            return json_of(StatusCode::UNAUTHORIZED, &told);
        }
        let path = request.uri().path();
        match (request.method(), path) {
            (&Method::GET, "/admin/status") => {
                json_of(StatusCode::OK, &report::status(&self.house))
            }
            (&Method::GET, "/admin/policies") => {
                json_of(StatusCode::OK, &report::policies(&self.house))
            }
            (&Method::POST, "/admin/reload") => reloaded(self.reloader.reload(Change::Files).await),
            (_, "/admin/status" | "/admin/policies") => wrong_method("GET"),
            (_, "/admin/reload") => wrong_method("POST"),
            (method, path) => match change_of(path) {
                Some(change) if method == Method::POST => {
                    reloaded(self.reloader.reload(change).await)
                }
                Some(_) => wrong_method("POST"),
                None => {
                    let told = error(
                        "unknown_url",
                        "There are GET /admin/status and /admin/policies, POST /admin/reload, and \
                         POST /admin/policies/NAME/promote and /rollback.",
                    );
                    json_of(StatusCode::NOT_FOUND, &told)
                }
            },
        }
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.as_bytes().split_at_checked(7)?;
            scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
        });
        // Digests are compared, and in full, so that time tells nothing.
        let shown = Digest::of(shown.unwrap_or_default());
        let difference = self.token.0.iter().zip(shown.0).fold(0u8, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(difference) == 0
    }
}

/// `/admin/policies/NAME/promote` and `/rollback`.
fn change_of(path: &str) -> Option<Change> {
    let (name, action) = path.strip_prefix("/admin/policies/")?.rsplit_once('/')?;
    match action {
        "promote" => Some(Change::Promote(name.to_owned())),
        "rollback" => Some(Change::RollBack(name.to_owned())),
        _ => None,
    }
}

fn reloaded(reloaded: Reloaded) -> Response<Full<Bytes>> {
    match reloaded {
        Reloaded::InForce { chain } => {
            json_of(StatusCode::OK, &json!({ "chain": chain.to_string() }))
        }
        Reloaded::Refused(errors) => {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            let mut told = error("reload_refused", "What was in force stays in force.");
            told["errors"] = json!(errors);
            json_of(StatusCode::UNPROCESSABLE_ENTITY, &told)
        }
        Reloaded::Unmoved(unmoved) => {
            let status = match unmoved {
                Unmoved::Unknown(_) => StatusCode::NOT_FOUND,
                Unmoved::Unwritten { .. } => StatusCode::INTERNAL_SERVER_ERROR,
                Unmoved::Refused { .. } | Unmoved::Running(_) | Unmoved::Nothing(_) => {
                    StatusCode::CONFLICT
                }
            };
            json_of(status, &error("unmoved", &unmoved.to_string()))
        }
        Reloaded::Busy => {
            let told = error("reload_busy", "Too many changes wait; this one was not made.");
            json_of(StatusCode::SERVICE_UNAVAILABLE, &told)
        }
        Reloaded::Late => {
            let told = error("reload_late", "The reload goes on; GET /admin/policies tells.");
            json_of(StatusCode::GATEWAY_TIMEOUT, &told)
        }
    }
}

fn wrong_method(method: &str) -> Response<Full<Bytes>> {
    let told = error("method_not_allowed", &format!("Use {method}."));
    json_of(StatusCode::METHOD_NOT_ALLOWED, &told)
}

fn error(code: &str, message: &str) -> Value {
    json!({ "code": code, "message": message })
}

fn json_of(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
