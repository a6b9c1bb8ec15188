//! A gateway that runs, asked through its admin API.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ringfence::config::{Config, NoKey, Surroundings};
use ringfence::reload::Reloader;
use serde_json::Value;
use tokio::net::TcpStream;

use super::Trouble;

/// A gateway that runs.
#[derive(Args)]
pub struct Running {
    /// The configuration that it serves: its [admin] says where
    #[arg(long, value_name = "FILE", required_unless_present = "address")]
    pub config: Option<PathBuf>,
    /// Where its admin API listens
    #[arg(long, value_name = "IP:PORT")]
    pub address: Option<SocketAddr>,
    /// A file that holds the token; without it the variable RINGFENCE_ADMIN_TOKEN does
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

/// The variable that holds the token.
const TOKEN: &str = "RINGFENCE_ADMIN_TOKEN";
/// How long the gateway may take to tell something.
const TOLD_WITHIN: Duration = Duration::from_secs(10);
/// How long it may take to change something: it compiles, and says itself when it is late.
const CHANGED_WITHIN: Duration = Reloader::WITHIN.saturating_add(TOLD_WITHIN);
/// Bytes of an answer at most.
const ANSWER_BYTES: usize = 16 << 20;

impl Running {
    /// Asks in order, each in a connection of its own.
    ///
    /// # Errors
    /// [`Trouble`]: there is no gateway, the token is wrong, or it says no.
    pub fn ask(&self, paths: &[(Method, &str)]) -> Result<Vec<Value>, Trouble> {
        let address = address(self)?;
        let token = token(self)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Trouble::Found(format!("no thread to ask with: {error}")))?;
        runtime.block_on(async {
            let mut answers = Vec::new();
            for (method, path) in paths {
                answers.push(asked(address, &token, method, path).await?);
            }
            Ok(answers)
        })
    }
}

fn address(running: &Running) -> Result<SocketAddr, Trouble> {
    if let Some(address) = running.address {
        return Ok(address);
    }
    let file = running.config.as_deref().unwrap_or_else(|| std::path::Path::new("ringfence.toml"));
    let config = Config::load(file)?;
    let remedy = "add it with address and token_sha256, or give --address";
    let admin = config
        .admin
        .ok_or_else(|| Trouble::Found(format!("{} has no [admin]: {remedy}", file.display())))?;
    Ok(admin.address)
}

fn token(running: &Running) -> Result<HeaderValue, Trouble> {
    let surroundings = Surroundings::Process;
    let read = match &running.token_file {
        Some(file) => surroundings.key_file(file).map(|read| read.key),
        None => surroundings.key(TOKEN),
    };
    let wrong = |what: &str| {
        let place = match &running.token_file {
            Some(file) => format!("the token file {}", file.display()),
            None => format!("the variable {TOKEN}"),
        };
        Trouble::Found(format!("{place} {what}"))
    };
    let token = read.map_err(|none| match none {
        NoKey::Unset => wrong("is not set: set it to the admin token, or give --token-file"),
        NoKey::Unsendable => wrong("holds no token"),
        NoKey::Unreadable(why) => wrong(&format!("cannot be read: {why}")),
        NoKey::Size => wrong("is empty or too large"),
    })?;
    token.header("Bearer ").ok_or_else(|| wrong("holds no token"))
}

async fn asked(
    address: SocketAddr,
    token: &HeaderValue,
    method: &Method,
    path: &str,
) -> Result<Value, Trouble> {
    let asked = async {
        let nobody = |error: &dyn std::fmt::Display| {
            Trouble::Found(format!("no gateway answers at {address}: {error}"))
        };
        let stream = TcpStream::connect(address).await.map_err(|error| nobody(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| nobody(&error))?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, address.to_string())
            .header(AUTHORIZATION, token)
            .body(Full::<Bytes>::default())
            .map_err(|error| nobody(&error))?;
        let response = sender.send_request(request).await.map_err(|error| nobody(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| nobody(&error))?.to_bytes();
        match status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => {
                return Err(Trouble::Found(format!("{address} does not take this token")));
            }
            _ => return Err(said_no(address, status, &body)),
        }
        serde_json::from_slice(&body).map_err(|error| nobody(&error))
    };
    let within = if *method == Method::GET { TOLD_WITHIN } else { CHANGED_WITHIN };
    let seconds = within.as_secs();
    let late = || Trouble::Found(format!("nothing answers at {address} within {seconds} s"));
    tokio::time::timeout(within, asked).await.unwrap_or_else(|_| Err(late()))
}

/// What it was that the gateway did not do.
fn said_no(address: SocketAddr, status: StatusCode, body: &[u8]) -> Trouble {
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(message) = told["message"].as_str() else {
        return Trouble::Found(format!("{address} is no admin API: it says {status}"));
    };
    let errors = told["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let lines: Vec<&str> = std::iter::once(message).chain(errors).collect();
    Trouble::Found(lines.join("\n  "))
}
