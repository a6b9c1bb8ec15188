//! `ringfence policy bench`: what each request pays for a policy.

use std::path::Path;
use std::time::{Duration, Instant};

use ringfence::ids;
use ringfence_chat::{Dialect, Kind, Place, Request, Role, Segment, SegmentId};
use ringfence_detect::Detector;
use ringfence_fence::Caller;
use ringfence_policy::{Chain, Facts, three_targets};

use super::{Terms, about, executor, load, sandbox};
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

/// Measures fresh calls on this thread: a new instance, the request copied in, the
/// judgement checked.
///
/// # Errors
/// [`Trouble`]: the policy does not load, or fails.
pub fn bench(file: &Path, terms: &Terms, screen: &mut Screen) -> Result<(), Trouble> {
    let policy = load(&sandbox()?, file, terms)?;
    let starts = if policy.snapshot { "configured" } else { "unconfigured" };
    screen.line(&format!("fresh calls, in us; an instance starts {starts}"))?;
    let chain = Chain::new(vec![policy]);
    let executor = executor()?;
    let targets = three_targets();
    let caller = Caller {
        tenant: "bench".to_owned(),
        key: "bench".to_owned(),
        labels: Vec::new(),
        targets: None,
    };
    let scores = terms.scores()?;
    let mut rows: Vec<Row> =
        vec![["prompt", "findings", "median", "p99", "calls"].map(Into::into).into()];
    for (name, bytes, addresses) in PROMPTS {
        let request = prompt(bytes, addresses);
        let reading = Detector::new().read(&request);
        let facts = Facts {
            request: &request,
            findings: &reading.findings,
            caller: Some(&caller),
            conversation: "c-1",
            targets: &targets,
            now_ms: 1.7e12,
            seed: 7,
            latency_wanted_ms: None,
            budget_left: None,
            previous_target: None,
            scores: &scores,
            models: None,
        };
        let mut times = Vec::with_capacity(CALLS);
        let begun = Instant::now();
        for call in 0..CALLS + WARM {
            let started = Instant::now();
            let verdicts = executor.block_on(chain.judge(&facts));
            let took = started.elapsed();
            if let Some(Err(failure)) = verdicts.first().map(|verdict| verdict.outcome.as_ref()) {
                let what = format!("the policy failed on {name}: {}", failure.name());
                return Err(about(file, &what));
            }
            if call >= WARM {
                times.push(took);
            }
            if !times.is_empty() && begun.elapsed() > PATIENCE {
                break;
            }
        }
        times.sort_unstable();
        let at = |share: usize| {
            let index = (times.len() * share / 100).min(times.len().saturating_sub(1));
            times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e6)
        };
        rows.push(vec![
            name.into(),
            reading.findings.len().to_string().into(),
            format!("{:.1}", at(50)).into(),
            format!("{:.1}", at(99)).into(),
            times.len().to_string().into(),
        ]);
    }
    Ok(screen.rows(&rows)?)
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
    let mut request = Request::new(ids::request(), Dialect::OpenAiChat, body, vec![segment]);
    request.input_tokens = u32::try_from(bytes / 4).unwrap_or(u32::MAX);
    request
}
