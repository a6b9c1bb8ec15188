//! `ringfence policy run`: one request, judged by one policy.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use ringfence::ids;
use ringfence_chat::Dialect;
use ringfence_detect::Detector;
use ringfence_fence::Caller;
use ringfence_policy::{Facts, Said, read_file, three_targets};

use super::{Terms, about, executor, load, replay, sandbox};
use crate::cli::Trouble;
use crate::cli::screen::{Cell, Screen, Style, visible};

/// What to judge.
#[derive(Args)]
pub struct Judging {
    /// The component
    pub file: PathBuf,
    /// The body of a chat completions request
    #[arg(value_name = "REQUEST.json", required_unless_present = "replay")]
    pub request: Option<PathBuf>,
    /// What it is granted and configured with
    #[command(flatten)]
    pub terms: Terms,
    /// Whose request it is
    #[arg(long, default_value = "anonymous")]
    pub tenant: String,
    /// A label of the caller
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    pub label: Vec<(String, String)>,
    /// How soon the client wants a first token
    #[arg(long, value_name = "MS")]
    pub latency_ms: Option<u32>,
    /// Dollars that the caller may still spend
    #[arg(long, value_name = "DOLLARS")]
    pub budget_left: Option<f64>,
    /// Print the judgement alone, as a case would expect it
    #[arg(long)]
    pub json: bool,
    /// Write down all that the judgement is made from, in a new file with mode 0600. It
    /// holds the texts of the request: keep it as you keep those
    #[arg(long, value_name = "RECORDING.json")]
    pub record: Option<PathBuf>,
    /// Judge a recorded request again, without the world: its calls to the host have the
    /// answers that were recorded. Fails when the policy asks or says something else
    #[arg(long, value_name = "RECORDING.json", conflicts_with_all =
        ["record", "request", "grants", "settings", "scores", "budget_left", "tenant", "label", "latency_ms"])]
    pub replay: Option<PathBuf>,
}

/// Bytes of a request at most: the default of the gateway.
const REQUEST_BYTES: usize = 32 << 20;

/// Judges one request. The targets are those of a case that names none: `local`,
/// `premises` and `cloud`.
///
/// # Errors
/// [`Trouble`]: the policy does not load or fails, or the request cannot be read.
pub fn run(judging: &Judging, screen: &mut Screen) -> Result<(), Trouble> {
    if let Some(recording) = &judging.replay {
        return replay::replay(&judging.file, recording, judging.json, screen);
    }
    let Some(file) = &judging.request else {
        return Err(about(&judging.file, &"there is no request to judge"));
    };
    if let Some(path) = &judging.record {
        replay::is_free(path)?;
    }
    let bytes = read_file(file, REQUEST_BYTES).map_err(|error| about(file, &error))?;
    let mut request =
        ringfence_dialect::decode_request(Dialect::OpenAiChat, ids::request(), &bytes)
            .map_err(|malformed| about(file, &format!("no request: {}", malformed.message)))?;
    let policy = load(&sandbox()?, &judging.file, &judging.terms)?;
    let reading = Detector::new().read(&request);
    request.mark_unreadable(reading.unreadable.iter().copied());
    let caller = Caller {
        tenant: judging.tenant.clone(),
        key: "anonymous".to_owned(),
        labels: judging.label.clone(),
        targets: None,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let targets = three_targets();
    let scores = judging.terms.scores()?;
    let facts = Facts {
        request: &request,
        findings: &reading.findings,
        caller: Some(&caller),
        conversation: "c-1",
        targets: &targets,
        now_ms: now.as_millis() as f64,
        seed: ids::seed(),
        latency_wanted_ms: judging.latency_ms,
        budget_left: judging.budget_left,
        previous_target: None,
        scores: &scores,
        models: None,
    };
    let executor = executor()?;
    let started = Instant::now();
    let (verdict, recording) = executor.block_on(policy.record(&judging.terms.settings, &facts));
    let took = started.elapsed();
    let said = match &verdict.outcome {
        Ok(judgement) => Said::of(judgement, &request),
        Err(failure) => Said::failed(*failure),
    };
    if let Some(path) = &judging.record {
        replay::write(path, &recording)?;
    }
    let json = visible(&serde_json::to_string(&said).unwrap_or_default());
    if judging.json {
        screen.line(&json)?;
    } else {
        let mut found: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in &reading.findings {
            *found.entry(&finding.entity).or_default() += 1;
        }
        let found: Vec<String> =
            found.iter().map(|(entity, count)| format!("{entity} {count}")).collect();
        let row = |name: &str, text: String| vec![Cell::styled(Style::Faint, name), text.into()];
        screen.rows(&[
            row("segments", request.segments().len().to_string()),
            row("found", if found.is_empty() { "nothing".into() } else { found.join(", ") }),
            row("said", json),
            row("took", format!("{:.0} us", took.as_secs_f64() * 1e6)),
        ])?;
    }
    match verdict.outcome {
        Err(failure) => {
            Err(about(&judging.file, &format!("the policy failed: {}", failure.name())))
        }
        Ok(_) => Ok(()),
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = pair.ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
