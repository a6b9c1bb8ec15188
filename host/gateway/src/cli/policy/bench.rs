//! `ringfence policy bench`: what each request pays for a policy, in time and in
//! instructions, which are the same on every machine.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use ringfence_chat::{Dialect, Kind, Place, Request, Role, Segment, SegmentId};
use ringfence_detect::Detector;
use ringfence_fence::{Caller, PolicyFailure};
use ringfence_policy::{Chain, Count, Counter, Facts, Score, three_targets};

use super::{Terms, about, executor, read, sandbox};
use crate::cli::Trouble;
use crate::cli::screen::{Row, Screen};

/// Name and bytes of the prompts, and addresses in them.
const PROMPTS: [(&str, usize, usize); 3] =
    [("1 KB", 1 << 10, 2), ("32 KB", 32 << 10, 20), ("256 KB", 256 << 10, 100)];
/// Calls before the clock counts.
const WARM: usize = 20;
/// For one size of prompt.
const PATIENCE: Duration = Duration::from_secs(2);
/// Calls for one size of prompt at most.
const CALLS: usize = 5_000;

/// What to measure.
#[derive(Args)]
pub struct Benching {
    /// The component
    pub file: PathBuf,
    /// What it is granted and configured with
    #[command(flatten)]
    pub terms: Terms,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Fail when a call takes more instructions of the guest: a number for the prompt of
    /// 1KB, or SIZE=NUMBER with 1KB, 32KB or 256KB; may be given several times
    #[arg(long, value_name = "[SIZE=]NUMBER", value_parser = bound)]
    pub at_most: Vec<Bound>,
}

/// How many instructions a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Index of the prompt.
    prompt: usize,
    instructions: u64,
}

/// What one size of prompt costs.
struct Measured {
    findings: usize,
    count: Count,
    /// Sorted.
    times: Vec<Duration>,
}

/// Measures fresh calls on this thread: a new instance, the request copied in, the
/// judgement checked; and counts the instructions of one.
///
/// # Errors
/// [`Trouble`]: the policy does not load, or fails, or takes more than it may.
pub fn bench(benching: &Benching, screen: &mut Screen) -> Result<(), Trouble> {
    let Benching { file, terms, json, at_most } = benching;
    let (sandbox, entry, bytes) = (sandbox()?, terms.entry(file), read(file)?);
    let policy = sandbox.load(&entry, &bytes).map_err(|error| about(file, &error))?;
    let counter = sandbox.counter(&entry, &bytes).map_err(|error| about(file, &error))?;
    let configured = policy.snapshot;
    let chain = Chain::new(vec![Arc::new(policy)]);
    let executor = executor()?;
    let scores = terms.scores()?;
    let mut measured = Vec::with_capacity(PROMPTS.len());
    for prompt in PROMPTS {
        measured.push(measure(&chain, &counter, prompt, &scores, &executor).map_err(
            |failure| {
                let what = match failure {
                    PolicyFailure::Deadline => format!(
                        "the policy failed on {}: {}, or it took more than {} instructions",
                        prompt.0,
                        failure.name(),
                        Counter::INSTRUCTIONS
                    ),
                    failure => format!("the policy failed on {}: {}", prompt.0, failure.name()),
                };
                about(file, &what)
            },
        )?);
    }
    if *json {
        screen.line(&in_json(&measured, configured).to_string())?;
    } else {
        show(&measured, configured, screen)?;
    }
    let over: Vec<String> = at_most
        .iter()
        .filter_map(|bound| {
            let (name, ..) = PROMPTS[bound.prompt];
            let taken = each_call(measured[bound.prompt].count, configured);
            (taken > bound.instructions).then(|| {
                format!(
                    "{name} takes {taken} instructions, and --at-most says {}",
                    bound.instructions
                )
            })
        })
        .collect();
    if over.is_empty() { Ok(()) } else { Err(about(file, &over.join("; "))) }
}

/// What every request pays: `configure` too, where no snapshot can be taken.
fn each_call(count: Count, configured: bool) -> u64 {
    if configured { count.judge } else { count.configure + count.judge }
}

fn measure(
    chain: &Chain,
    counter: &Counter,
    (_, bytes, addresses): (&str, usize, usize),
    scores: &[Score],
    executor: &tokio::runtime::Runtime,
) -> Result<Measured, PolicyFailure> {
    let request = prompt(bytes, addresses);
    let findings = Detector::new().read(&request).findings;
    let targets = three_targets();
    let caller = Caller {
        tenant: "bench".to_owned(),
        key: "bench".to_owned(),
        labels: Vec::new(),
        targets: None,
    };
    let facts = Facts {
        request: &request,
        findings: &findings,
        caller: Some(&caller),
        conversation: "c-1",
        targets: &targets,
        now_ms: 1.7e12,
        seed: 7,
        latency_wanted_ms: None,
        budget_left: None,
        previous_target: None,
        scores,
        models: None,
    };
    let count = executor.block_on(counter.count(&facts))?;
    let mut times = Vec::with_capacity(CALLS);
    let begun = Instant::now();
    for call in 0..CALLS + WARM {
        let started = Instant::now();
        let mut verdicts = executor.block_on(chain.judge(&facts));
        let took = started.elapsed();
        if let Some(verdict) = verdicts.pop() {
            verdict.outcome?;
        }
        if call >= WARM {
            times.push(took);
        }
        if !times.is_empty() && begun.elapsed() > PATIENCE {
            break;
        }
    }
    times.sort_unstable();
    Ok(Measured { findings: findings.len(), count, times })
}

impl Measured {
    /// Microseconds that so many in a hundred calls stay below.
    fn at(&self, share: usize) -> f64 {
        let index = (self.times.len() * share / 100).min(self.times.len().saturating_sub(1));
        self.times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    }
}

fn show(measured: &[Measured], configured: bool, screen: &mut Screen) -> Result<(), Trouble> {
    let starts = if configured { "configured" } else { "unconfigured" };
    screen.line(&format!("fresh calls, in us; an instance starts {starts}"))?;
    let titles = ["prompt", "findings", "instructions", "median", "p99", "calls"];
    let mut rows: Vec<Row> = vec![titles.map(Into::into).into()];
    for ((name, ..), one) in PROMPTS.iter().zip(measured) {
        rows.push(vec![
            (*name).into(),
            one.findings.to_string().into(),
            each_call(one.count, configured).to_string().into(),
            format!("{:.1}", one.at(50)).into(),
            format!("{:.1}", one.at(99)).into(),
            one.times.len().to_string().into(),
        ]);
    }
    screen.rows(&rows)?;
    let configure = measured.first().map_or(0, |one| one.count.configure);
    let when = if configured { "once, when it is loaded" } else { "in every call, counted above" };
    Ok(screen.line(&format!("configure takes {configure} instructions, {when}"))?)
}

fn in_json(measured: &[Measured], configured: bool) -> serde_json::Value {
    let prompts: Vec<serde_json::Value> = PROMPTS
        .iter()
        .zip(measured)
        .map(|((name, bytes, _), one)| {
            serde_json::json!({
                "prompt": name,
                "bytes": bytes,
                "findings": one.findings,
                "instructions": each_call(one.count, configured),
                "judge_instructions": one.count.judge,
                "configure_instructions": one.count.configure,
                "median_us": one.at(50),
                "p99_us": one.at(99),
                "calls": one.times.len(),
            })
        })
        .collect();
    serde_json::json!({ "starts_configured": configured, "prompts": prompts })
}

/// Reads `NUMBER` or `SIZE=NUMBER`.
fn bound(text: &str) -> Result<Bound, String> {
    let (size, number) = text.split_once('=').unwrap_or(("1KB", text));
    let plain = |name: &str| name.replace(' ', "").to_ascii_lowercase();
    let prompt = PROMPTS.iter().position(|(name, ..)| plain(name) == plain(size));
    let prompt = prompt.ok_or("expected a size of 1KB, 32KB or 256KB before =")?;
    let number = number.replace(['_', ','], "");
    let instructions = number.parse().map_err(|_| "expected a number of instructions")?;
    Ok(Bound { prompt, instructions })
}

/// One user's message of this size with so many addresses in it.
fn prompt(bytes: usize, addresses: usize) -> Request {
    let step = bytes / addresses;
    let mut text = String::with_capacity(bytes + step);
    for address in 0..addresses {
        let end = text.len() + step;
        text.push_str(&format!("jane{address}@example.com"));
        while text.len() < end {
            text.push_str(" the quick brown fox jumps over the lazy dog");
        }
    }
    text.truncate(bytes);
    let segment = Segment {
        id: SegmentId(0),
        turn: 0,
        role: Role::User,
        kind: Kind::Text,
        place: Place::Value("/messages/0/content".to_owned()),
        tool: None,
        media_type: None,
        readable: true,
        cached: false,
        text,
    };
    let body = serde_json::Value::Null;
    // The same id each time: a policy may count differently over another one.
    let id = "req_bench".to_owned();
    let mut request = Request::new(id, Dialect::OpenAiChat, body, vec![segment]);
    request.input_tokens = u32::try_from(bytes / 4).unwrap_or(u32::MAX);
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_name_a_prompt_and_a_number() {
        for (text, prompt, instructions) in
            [("20000", 0, 20_000), ("1KB=20_000", 0, 20_000), ("32kb=1", 1, 1), ("256 KB=7", 2, 7)]
        {
            assert_eq!(bound(text), Ok(Bound { prompt, instructions }), "{text}");
        }
        for text in ["", "many", "-1", "2KB=5", "1KB=", "=5", "1KB=5=6"] {
            assert!(bound(text).is_err(), "{text}");
        }
    }
}
