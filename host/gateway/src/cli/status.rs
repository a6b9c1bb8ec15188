//! `ringfence status`: how a running gateway and its policies do.

use clap::Args;
use http::Method;
use serde_json::{Value, json};

use super::Trouble;
use super::running::Running;
use super::screen::{Cell, Row, Screen, Style, visible};

/// Which gateway, and how to show it.
#[derive(Args)]
pub struct Asking {
    /// Which gateway
    #[command(flatten)]
    pub gateway: Running,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Asks and prints. What is refused or fails makes it fail.
///
/// # Errors
/// [`Trouble`]: there is no gateway, the token is wrong, or something needs an operator.
pub fn status(asking: &Asking, screen: &mut Screen) -> Result<(), Trouble> {
    let mut asked =
        asking.gateway.ask(&[(Method::GET, "/admin/status"), (Method::GET, "/admin/policies")])?;
    let policies = asked.pop().unwrap_or_default();
    let status = asked.pop().unwrap_or_default();
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
    candidates(list, screen)?;

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

/// How those that stand beside live policies compare with them.
fn candidates(policies: &[Value], screen: &mut Screen) -> Result<(), Trouble> {
    let with = policies.iter().filter(|policy| policy["candidate"].is_object());
    let mut rows: Vec<Row> = Vec::new();
    for policy in with {
        let candidate = &policy["candidate"];
        let compared = candidate["compared"].as_object().into_iter().flatten();
        let words: Vec<String> =
            compared.map(|(kind, count)| format!("{} {count}", visible(kind))).collect();
        let state = visible(candidate["state"].as_str().unwrap_or(""));
        let style = if state == "watching" { Style::Good } else { Style::Bad };
        let judged = candidate["judged"].as_u64().unwrap_or(0);
        let time = |key: &str| candidate[key].as_u64().map_or("-".to_owned(), microseconds);
        let words = if words.is_empty() { "-".to_owned() } else { words.join(", ") };
        rows.push(vec![
            visible(policy["name"].as_str().unwrap_or("")).into(),
            Cell::styled(style, state),
            judged.to_string().into(),
            time("p50_us").into(),
            time("p99_us").into(),
            words.into(),
        ]);
    }
    if rows.is_empty() {
        return Ok(());
    }
    rows.insert(
        0,
        ["name", "state", "judged", "p50", "p99", "beside the live version"].map(Into::into).into(),
    );
    screen.heading("Candidates")?;
    Ok(screen.rows(&rows)?)
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
