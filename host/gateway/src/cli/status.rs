//! `ringfence status`: how a running gateway and its policies do.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ringfence::config::{Config, NoKey, Surroundings};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::Trouble;
use super::screen::{Cell, Row, Screen, Style, visible};

/// Which gateway.
#[derive(Args)]
pub struct Asking {
    /// The configuration that it serves: its [admin] says where
    #[arg(long, value_name = "FILE", required_unless_present = "address")]
    pub config: Option<PathBuf>,
    /// Where its admin API listens
    #[arg(long, value_name = "IP:PORT")]
    pub address: Option<SocketAddr>,
    /// A file that holds the token; without it the variable RINGFENCE_ADMIN_TOKEN does
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The variable that holds the token.
const TOKEN: &str = "RINGFENCE_ADMIN_TOKEN";
/// How long the gateway may take.
const WITHIN: Duration = Duration::from_secs(10);
/// Bytes of an answer at most.
const ANSWER_BYTES: usize = 16 << 20;

/// Asks and prints. What is refused or fails makes it fail.
///
/// # Errors
/// [`Trouble`]: there is no gateway, the token is wrong, or something needs an operator.
pub fn status(asking: &Asking, screen: &mut Screen) -> Result<(), Trouble> {
    let address = address(asking)?;
    let token = token(asking)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Trouble::Found(format!("no thread to ask with: {error}")))?;
    let (status, policies) = runtime.block_on(async {
        let status = get(address, &token, "/admin/status").await?;
        Ok::<_, Trouble>((status, get(address, &token, "/admin/policies").await?))
    })?;
    if asking.json {
        let all = json!({ "status": status, "policies": policies["policies"] });
        screen.line(&all.to_string())?;
    } else {
        show(&status, &policies, screen)?;
    }
    match status["status"].as_str() {
        Some("ok") => Ok(()),
        _ => Err(Trouble::Found("the gateway needs an operator".to_owned())),
    }
}

fn address(asking: &Asking) -> Result<SocketAddr, Trouble> {
    if let Some(address) = asking.address {
        return Ok(address);
    }
    let file = asking.config.as_deref().unwrap_or_else(|| std::path::Path::new("ringfence.toml"));
    let config = Config::load(file)?;
    let remedy = "add it with address and token_sha256, or give --address";
    let admin = config
        .admin
        .ok_or_else(|| Trouble::Found(format!("{} has no [admin]: {remedy}", file.display())))?;
    Ok(admin.address)
}

fn token(asking: &Asking) -> Result<HeaderValue, Trouble> {
    let surroundings = Surroundings::Process;
    let read = match &asking.token_file {
        Some(file) => surroundings.key_file(file).map(|read| read.key),
        None => surroundings.key(TOKEN),
    };
    let wrong = |what: &str| {
        let place = match &asking.token_file {
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

async fn get(address: SocketAddr, token: &HeaderValue, path: &str) -> Result<Value, Trouble> {
    let asked = async {
        let nobody = |error: &dyn std::fmt::Display| {
            Trouble::Found(format!("no gateway answers at {address}: {error}"))
        };
        let stream = TcpStream::connect(address).await.map_err(|error| nobody(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| nobody(&error))?;
        tokio::spawn(connection);
        let request = Request::get(path)
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
            _ => {
                return Err(Trouble::Found(format!("{address} is no admin API: it says {status}")));
            }
        }
        serde_json::from_slice(&body).map_err(|error| nobody(&error))
    };
    let late = || Trouble::Found(format!("nothing answers at {address} within 10 s"));
    tokio::time::timeout(WITHIN, asked).await.unwrap_or_else(|_| Err(late()))
}

fn show(status: &Value, policies: &Value, screen: &mut Screen) -> Result<(), Trouble> {
    let text = |value: &Value| visible(value.as_str().unwrap_or(""));
    let short = |value: &Value| text(value).chars().take(12).collect::<String>();
    let uptime = status["uptime_seconds"].as_u64().unwrap_or(0);
    screen.line(&format!(
        "ringfence {}, up {}, chain {}, configuration {}",
        text(&status["version"]),
        lasting(uptime),
        short(&status["chain"]),
        short(&status["configuration"]),
    ))?;

    screen.heading("Policies")?;
    let mut rows: Vec<Row> = Vec::new();
    let list = policies["policies"].as_array().map_or(&[][..], Vec::as_slice);
    if !list.is_empty() {
        let head = ["name", "state", "digest", "calls", "refused", "failed", "p50", "p99"];
        rows.push(head.map(Into::into).into());
    }
    for policy in list {
        let state = text(&policy["state"]);
        let style = if state == "live" { Style::Good } else { Style::Bad };
        let failures = policy["failures"].as_object();
        let failed: u64 = failures.into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum();
        let count = |key: &str| policy[key].as_u64().unwrap_or(0).to_string();
        let time = |key: &str| policy[key].as_u64().map_or("-".to_owned(), microseconds);
        rows.push(vec![
            text(&policy["name"]).into(),
            Cell::styled(style, state),
            short(&policy["digest"]).into(),
            count("calls").into(),
            count("refusals").into(),
            failed.to_string().into(),
            time("p50_us").into(),
            time("p99_us").into(),
        ]);
    }
    screen.rows(&rows)?;
    if list.is_empty() {
        screen.line("none")?;
    }

    screen.heading("Targets")?;
    let mut rows: Vec<Row> =
        vec![["name", "zone", "state", "in flight", "p50", "p99", "errors"].map(Into::into).into()];
    for target in status["targets"].as_array().into_iter().flatten() {
        let state = text(&target["state"]);
        let style = if state == "ready" { Style::Good } else { Style::Bad };
        let milliseconds =
            |key: &str| target[key].as_u64().map_or("-".to_owned(), |ms| format!("{ms} ms"));
        let rate = target["error_rate"].as_f64().unwrap_or(0.0);
        rows.push(vec![
            text(&target["name"]).into(),
            text(&target["zone"]).into(),
            Cell::styled(style, state),
            target["in_flight"].as_u64().unwrap_or(0).to_string().into(),
            milliseconds("p50_ms").into(),
            milliseconds("p99_ms").into(),
            format!("{:.0} %", rate * 100.0).into(),
        ]);
    }
    screen.rows(&rows)?;

    let troubles = status["troubles"].as_array().map_or(&[][..], Vec::as_slice);
    if !troubles.is_empty() {
        screen.heading("Troubles")?;
        for trouble in troubles {
            screen.line(&text(trouble))?;
        }
    }
    Ok(())
}

/// `3 d 4 h`, `4 h 5 min`, `5 min 6 s`.
fn lasting(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min {} s", seconds % 60),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

fn microseconds(time: u64) -> String {
    if time < 1_000 { format!("{time} us") } else { format!("{:.1} ms", time as f64 / 1_000.0) }
}
