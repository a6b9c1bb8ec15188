//! `ringfence explain`: the decision for one request, and nothing sent.

mod report;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use ringfence::config::Config;
use ringfence::house::{Asked, InForce};
use ringfence::ids;
use ringfence_chat::{Dialect, Request};
use ringfence_fence::{Caller, Decision, Finding};

use super::rehearsal::Rehearsal;
use super::screen::Screen;
use super::{Choice, Trouble};

/// What to explain.
#[derive(Args)]
pub struct Explaining {
    /// The body of a chat completions request; `-` reads the standard input
    #[arg(value_name = "REQUEST.json")]
    pub request: PathBuf,
    /// Which configuration.
    #[command(flatten)]
    pub choice: Choice,
    /// Who asks: the name of a caller in the configuration
    #[arg(long, value_name = "NAME")]
    pub caller: Option<String>,
    /// How soon the client wants a first token
    #[arg(long, value_name = "MS")]
    pub latency_ms: Option<u32>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A decision and what it was made from.
struct Explained<'a> {
    in_force: &'a InForce,
    request: &'a Request,
    caller: &'a Caller,
    findings: &'a [Finding],
    decision: &'a Decision,
    /// Finding entities.
    read_in: Duration,
    /// Judging.
    decided_in: Duration,
}

/// Explains one request.
///
/// # Errors
/// [`Trouble`]: it cannot be read, or there is no such caller.
pub fn explain(explaining: &Explaining, screen: &mut Screen) -> Result<(), Trouble> {
    let config = explaining.choice.config()?;
    let bytes = read(&explaining.request, config.server.body_bytes)?;
    let rehearsal = Rehearsal::build(&config).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Trouble::Found(lines.join("\nringfence: "))
    })?;
    let house = &rehearsal.house;
    let in_force = house.in_force();
    let caller = caller(&config, &in_force, explaining.caller.as_deref())?;

    let mut request =
        ringfence_dialect::decode_request(Dialect::OpenAiChat, ids::request(), &bytes).map_err(
            |malformed| {
                let place = malformed.param.as_ref().map(|param| format!(" (at {param})"));
                let place = place.unwrap_or_default();
                let file = explaining.request.display();
                Trouble::Found(format!("{file} is no request: {}{place}", malformed.message))
            },
        )?;
    let started = Instant::now();
    let mut reading = in_force.sight.detector.read(&request);
    let runtime = runtime()?;
    runtime.block_on(house.look_closer(&request, &mut reading));
    let read_in = started.elapsed();
    request.mark_unreadable(reading.unreadable.iter().copied());

    let conversation = house.conversation(&request, caller);
    let permit = in_force.limits.admit(caller, &request, ringfence::house::seconds()).map_err(
        |exceeded| {
            let (limit, what) = (exceeded.limit, exceeded.counted.name());
            Trouble::Found(format!(
                "the request alone is more than the limit `{limit}` allows ({what})"
            ))
        },
    )?;
    let asked = Asked {
        request: &request,
        caller,
        findings: &reading.findings,
        conversation: &conversation,
        latency_wanted_ms: explaining.latency_ms,
        permit: &permit,
    };
    let started = Instant::now();
    let decision = runtime.block_on(house.decide(&in_force, &asked)).0;
    let explained = Explained {
        in_force: &in_force,
        request: &request,
        caller,
        findings: &reading.findings,
        decision: &decision,
        read_in,
        decided_in: started.elapsed(),
    };
    if explaining.json {
        return Ok(screen.line(&report::json(&explained).to_string())?);
    }
    Ok(report::show(&explained, screen)?)
}

fn runtime() -> Result<tokio::runtime::Runtime, Trouble> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Trouble::Found(format!("no threads to judge with: {error}")))
}

fn read(file: &Path, limit: usize) -> Result<Vec<u8>, Trouble> {
    let wrong =
        |what: &dyn std::fmt::Display| Trouble::Found(format!("{}: {what}", file.display()));
    let mut bytes = Vec::new();
    let most = limit as u64 + 1;
    if file == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(most)
            .read_to_end(&mut bytes)
            .map_err(|error| wrong(&error))?;
    } else {
        let opened = File::open(file).map_err(|error| wrong(&error))?;
        opened.take(most).read_to_end(&mut bytes).map_err(|error| wrong(&error))?;
    }
    if bytes.len() > limit {
        return Err(wrong(&format!("more than {limit} bytes (server.body_bytes)")));
    }
    Ok(bytes)
}

fn caller<'a>(
    config: &Config,
    in_force: &'a InForce,
    name: Option<&str>,
) -> Result<&'a Caller, Trouble> {
    let known: Vec<&str> = config.callers.iter().map(|entry| entry.caller.key.as_str()).collect();
    match name {
        None if known.is_empty() => {
            in_force.callers.named("anonymous").ok_or_else(|| Trouble::Found("no caller".into()))
        }
        None => Err(Trouble::Found(format!("name a caller: --caller {}", known.join(" | ")))),
        Some(name) => in_force.callers.named(name).ok_or_else(|| {
            let name = name.escape_debug();
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            Trouble::Found(format!("there is no caller \"{name}\"; the configuration has {known}"))
        }),
    }
}
