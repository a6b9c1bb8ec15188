//! A decision in words, and as JSON. Shows places, kinds and lengths of what was
//! found, and never the values.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use ringfence_chat::{Place, Segment};
use ringfence_fence::{
    Decision, Edit, Mode, Permission, PolicyFailure, Removal, Remover, Scope, Verdict,
};
use serde_json::{Value, json};

use super::Explained;
use crate::cli::screen::{Cell, Row, Screen, Style};

/// Edits that are listed; the others are counted.
const EDITS_SHOWN: usize = 40;

/// Shows it.
pub(super) fn show(explained: &Explained<'_>, screen: &mut Screen) -> io::Result<()> {
    let Explained { request, caller, decision, .. } = explained;
    let row = |name: &str, text: Cell| vec![Cell::styled(Style::Faint, name), text];
    screen.rows(&[
        row("decision", outcome(decision)),
        row(
            "request",
            format!(
                "model {}, segments {}, about {} tokens",
                request.model,
                request.segments().len(),
                request.input_tokens
            )
            .into(),
        ),
        row("caller", format!("{} of tenant {}", caller.key, caller.tenant).into()),
        row("findings", found(explained).into()),
        row("labels", joined(decision.labels().iter().map(String::as_str)).into()),
        row(
            "time",
            format!("detectors {}, policies {}", ms(explained.read_in), ms(explained.decided_in))
                .into(),
        ),
    ])?;

    screen.heading("Targets")?;
    screen.rows(&targets(explained))?;
    screen.heading("Policies")?;
    let mut policies: Vec<Row> = decision.verdicts().iter().map(verdict).collect();
    if policies.is_empty() {
        policies.push(vec!["not asked: no target was left for them".into()]);
    }
    screen.rows(&policies)?;
    screen.heading("Edits")?;
    screen.rows(&edits(explained))?;
    if let Some(refusal) = decision.refusal() {
        let text = format!("Refused with the code `{}`; nothing would be sent.", refusal.code());
        let text = screen.style(Style::Bad, &text);
        screen.line(&format!("\n{text}"))?;
    }
    Ok(())
}

/// The same as JSON.
pub(super) fn json(explained: &Explained<'_>) -> Value {
    let Explained { request, caller, decision, in_force, .. } = explained;
    let standings = decision.standings().iter().map(|standing| {
        json!({
            "target": standing.target.name,
            "zone": standing.target.zone.name(),
            "region": standing.target.region,
            "permitted": standing.is_open(),
            "removals": standing.removals.iter().map(|removal| json!({
                "by": by(&removal.by),
                "code": removal.code,
            })).collect::<Vec<_>>(),
        })
    });
    let verdicts = decision.verdicts().iter().map(|verdict| {
        json!({
            "policy": verdict.policy,
            "digest": verdict.digest.to_string(),
            "mode": verdict.mode.name(),
            "on_failure": verdict.on_failure.name(),
            "failure": verdict.outcome.as_ref().err().map(|failure| failure.name()),
            "permits": permission(&verdict.permission()),
            "code": verdict.outcome.as_ref().map_or("", |judgement| judgement.code()),
            "labels": verdict.outcome.as_ref().map_or(&[][..], |judgement| judgement.labels()),
            "prefers": verdict.outcome.as_ref().map_or(&[][..], |judgement| judgement.prefer()),
            "edits": verdict.outcome.as_ref().map_or(0, |judgement| judgement.edits().len()),
            "ms": verdict.spent.as_secs_f64() * 1000.0,
        })
    });
    let edits = decision.edits().iter().map(|edit| {
        json!({
            "path": path(explained, edit),
            "entity": edit.entity,
            "action": edit.action.name(),
            "scope": scope(&edit.scope),
            "start": edit.start,
            "end": edit.end,
        })
    });
    json!({
        "decision": decision.id(),
        "chain": in_force.chain.digest().to_string(),
        "configuration": in_force.configuration.to_string(),
        "model": request.model,
        "caller": { "tenant": caller.tenant, "key": caller.key },
        "segments": request.segments().len(),
        "input_tokens": request.input_tokens,
        "permitted": decision.permitted().map(|target| &target.name).collect::<Vec<_>>(),
        "refusal": decision.refusal().map(|refusal| refusal.code()),
        "targets": standings.collect::<Vec<_>>(),
        "lacking": in_force.lacking.iter().map(|(target, what)| {
            json!({ "target": target.name, "lacks": what })
        }).collect::<Vec<_>>(),
        "policies": verdicts.collect::<Vec<_>>(),
        "edits": edits.collect::<Vec<_>>(),
        "labels": decision.labels(),
        "findings": counts(explained),
        "detect_ms": explained.read_in.as_secs_f64() * 1000.0,
        "decide_ms": explained.decided_in.as_secs_f64() * 1000.0,
    })
}

fn outcome(decision: &Decision) -> Cell {
    let names: Vec<String> = (decision.permitted())
        .map(|target| format!("{} ({})", target.name, target.zone.name()))
        .collect();
    match decision.refusal() {
        None => Cell::styled(Style::Good, format!("goes to {}", names.join(", then to "))),
        Some(refusal) => Cell::styled(Style::Bad, format!("refused: {}", refusal.code())),
    }
}

fn targets(explained: &Explained<'_>) -> Vec<Row> {
    let order: Vec<&str> =
        explained.decision.permitted().map(|target| target.name.as_str()).collect();
    let mut rows: Vec<Row> = Vec::new();
    for standing in explained.decision.standings() {
        let target = &standing.target;
        let place = order.iter().position(|name| *name == target.name);
        let why = match place {
            Some(place) => {
                Cell::styled(Style::Good, format!("permitted, tried as number {}", place + 1))
            }
            None => Cell::styled(Style::Bad, removals(&standing.removals)),
        };
        rows.push(vec![
            target.name.clone().into(),
            target.zone.name().into(),
            region(&target.region),
            why,
        ]);
    }
    for (target, what) in &explained.in_force.lacking {
        rows.push(vec![
            target.name.clone().into(),
            target.zone.name().into(),
            region(&target.region),
            Cell::styled(Style::Faint, format!("not a target: {what}")),
        ]);
    }
    if rows.is_empty() {
        rows.push(vec!["none".into()]);
    }
    rows
}

fn region(region: &str) -> Cell {
    if region.is_empty() { "-".into() } else { region.into() }
}

fn removals(removals: &[Removal]) -> String {
    let each: Vec<String> =
        removals.iter().map(|removal| format!("{}: {}", by(&removal.by), removal.code)).collect();
    format!("taken away by {}", each.join("; "))
}

fn by(remover: &Remover) -> String {
    match remover {
        Remover::Model => "the model's name".into(),
        Remover::Capability(missing) => format!("what it cannot do ({})", missing.join(", ")),
        Remover::Context => "its context".into(),
        Remover::Caller => "the caller's targets".into(),
        Remover::Floor => "the floor".into(),
        Remover::Budget => "the caller's budget".into(),
        Remover::Policy(name) => format!("policy {name}"),
        Remover::Failure(name) => format!("the failure of policy {name}"),
    }
}

fn verdict(verdict: &Verdict) -> Row {
    let mut row: Row = vec![verdict.policy.clone().into(), verdict.mode.name().into()];
    match &verdict.outcome {
        Ok(judgement) => {
            row.push(format!("permits {}", permission(judgement.permit())).into());
            let mut said = Vec::new();
            if !judgement.code().is_empty() {
                said.push(format!("code {}", judgement.code()));
            }
            if !judgement.labels().is_empty() {
                said.push(format!("labels {}", judgement.labels().join(", ")));
            }
            if !judgement.prefer().is_empty() {
                said.push(format!("prefers {}", judgement.prefer().join(", ")));
            }
            said.push(match judgement.edits().len() {
                1 => "1 edit".into(),
                edits => format!("{edits} edits"),
            });
            row.push(said.join("; ").into());
        }
        Err(failure) => {
            let permits = permission(&verdict.on_failure.permission());
            row.push(Cell::styled(Style::Bad, format!("failed: {}", failed(failure))));
            row.push(format!("so it permits {permits}").into());
        }
    }
    row.push(ms(verdict.spent).into());
    if verdict.mode == Mode::Monitor {
        row.push(Cell::styled(Style::Faint, "recorded, changes nothing"));
    }
    row
}

fn failed(failure: &PolicyFailure) -> String {
    match failure {
        PolicyFailure::Nonsense(what) => format!("{} ({what:?})", failure.name()).to_lowercase(),
        other => other.name().to_owned(),
    }
}

fn permission(permission: &Permission) -> String {
    match permission {
        Permission::Any => "any".into(),
        Permission::Within(zone) => format!("within {}", zone.name()),
        Permission::Only(names) => format!("only {}", names.join(", ")),
        Permission::Nowhere => "nowhere".into(),
    }
}

fn scope(scope: &Scope) -> String {
    match scope {
        Scope::Always => "always".into(),
        Scope::Outside(zone) => format!("outside {}", zone.name()),
        Scope::Towards(names) => format!("towards {}", names.join(", ")),
    }
}

fn edits(explained: &Explained<'_>) -> Vec<Row> {
    let edits = explained.decision.edits();
    if edits.is_empty() {
        return vec![vec!["none".into()]];
    }
    let mut rows: Vec<Row> = (edits.iter().take(EDITS_SHOWN))
        .map(|edit| {
            vec![
                path(explained, edit).into(),
                edit.entity.clone().into(),
                edit.action.name().into(),
                scope(&edit.scope).into(),
                format!("{} bytes", edit.end - edit.start).into(),
            ]
        })
        .collect();
    if let Some(more) = edits.len().checked_sub(EDITS_SHOWN).filter(|more| *more > 0) {
        rows.push(vec![format!("and {more} more; --json lists all").into()]);
    }
    rows
}

fn path(explained: &Explained<'_>, edit: &Edit) -> String {
    let place = |segment: &Segment| match &segment.place {
        Place::Value(pointer) => pointer.clone(),
        Place::Key(pointer) => format!("name of {pointer}"),
    };
    explained.request.segments().get(edit.segment.index()).map_or_else(String::new, place)
}

fn found(explained: &Explained<'_>) -> String {
    let counts = counts(explained);
    let each: Vec<String> =
        counts.iter().map(|(entity, count)| format!("{entity} {count}")).collect();
    let unreadable =
        explained.request.segments().iter().filter(|segment| !segment.readable).count();
    let mut text = joined(each.iter().map(String::as_str));
    if unreadable > 0 {
        text.push_str(&format!("; {unreadable} segments that nobody can read"));
    }
    text
}

fn counts(explained: &Explained<'_>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for finding in explained.findings {
        *counts.entry(finding.entity.to_string()).or_insert(0) += 1;
    }
    counts
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}
