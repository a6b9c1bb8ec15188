//! What the admin API tells: names, digests, counts and times; no text, no key, no setting.

use ringfence_policy::Policy;
use serde_json::{Value, json};

use crate::candidates::{Candidate, Loaded};
use crate::house::{House, InForce, Refusal, seconds};

/// How the gateway does.
pub(super) fn status(house: &House) -> Value {
    let in_force = house.in_force();
    let head = house.ledger.head();
    let troubles = house.troubles();
    let mut targets: Vec<Value> = Vec::new();
    for place in &in_force.places {
        let vitals = place.vitals();
        targets.push(json!({
            "name": place.target.name,
            "zone": place.target.zone.name(),
            "state": if vitals.healthy { "ready" } else { "failing" },
            "in_flight": vitals.in_flight,
            "queued": vitals.queued,
            "capacity": place.target.capacity,
            "first_token_ms": vitals.first_token_ms,
            "p50_ms": vitals.p50_ms,
            "p99_ms": vitals.p99_ms,
            "error_rate": vitals.error_rate,
        }));
    }
    for (target, lacks) in &in_force.lacking {
        targets.push(json!({
            "name": target.name, "zone": target.zone.name(), "state": "lacking", "lacks": lacks,
        }));
    }
    json!({
        "status": if troubles.is_empty() { "ok" } else { "degraded" },
        "version": env!("CARGO_PKG_VERSION"),
        "began": house.began,
        "uptime_seconds": seconds().saturating_sub(house.began),
        "configuration": in_force.configuration.to_string(),
        "chain": in_force.chain.digest().to_string(),
        "chain_age_seconds": in_force.since.elapsed().as_secs(),
        "ready": house.not_ready().is_empty(),
        "ledger": { "sequence": head.sequence, "head": head.digest.to_string() },
        "targets": targets,
        "troubles": troubles,
    })
}

/// How each policy does, in the chain's order; then those that were refused and never ran.
pub(super) fn policies(house: &House) -> Value {
    let in_force = house.in_force();
    let refused = house.refused();
    let running = in_force.chain.policies();
    let told = running.iter().map(|policy| {
        let of_it = refused.iter().find(|refusal| refusal.policy == policy.name);
        told(house, &in_force, policy, of_it)
    });
    let absent = refused
        .iter()
        .filter(|refusal| !running.iter().any(|policy| policy.name == refusal.policy));
    let absent = absent.map(
        |refusal| json!({ "name": refusal.policy, "state": "refused", "refused": words(refusal) }),
    );
    let policies: Vec<Value> = told.chain(absent).collect();
    json!({ "chain": in_force.chain.digest().to_string(), "policies": policies })
}

fn told(house: &House, in_force: &InForce, policy: &Policy, refusal: Option<&Refusal>) -> Value {
    let tally = house.metrics.tallies.of(&policy.name);
    let microseconds =
        |hundredths| tally.percentile(hundredths).map(|time| time.as_micros() as u64);
    let is_degraded = in_force.degraded.contains(&policy.name);
    let state = match (refusal.is_some(), is_degraded) {
        (true, _) => "refused",
        (false, true) => "degraded",
        (false, false) => "live",
    };
    json!({
        "name": policy.name,
        "file": in_force.files.get(&policy.name).map(|file| file.display().to_string()),
        "digest": policy.digest.to_string(),
        "version": policy.version,
        "contract": format!("{}@{}", ringfence_policy::PACKAGE, ringfence_policy::VERSION),
        "mode": policy.mode.name(),
        "on_failure": policy.on_failure.name(),
        "inspects": policy.inspects(),
        "signed_by": in_force.signed.get(&policy.name),
        // The last good version serves on while a newer one is refused.
        "state": state,
        "live_since": in_force.live_since.get(&policy.name),
        "refused": refusal.map(words),
        "candidate": in_force.candidates.of(&policy.name).map(candidate),
        "calls": tally.calls,
        "refusals": tally.refusals,
        "failures": tally.failures,
        "p50_us": microseconds(50),
        "p99_us": microseconds(99),
    })
}

fn candidate(candidate: &Candidate) -> Value {
    let Loaded { policy, tally } = match &candidate.loaded {
        Ok(loaded) => loaded,
        Err(why) => return json!({ "state": "refused", "refused": { "why": why } }),
    };
    let counts: serde_json::Map<String, Value> =
        tally.counts().into_iter().map(|(kind, n)| (kind.name().to_owned(), json!(n))).collect();
    let judged = tally.tally(&candidate.name);
    let microseconds =
        |hundredths| judged.percentile(hundredths).map(|time| time.as_micros() as u64);
    json!({
        "state": "watching",
        "digest": policy.digest.to_string(),
        "version": policy.version,
        "judged": judged.calls,
        "compared": counts,
        "failures": judged.failures,
        "p50_us": microseconds(50),
        "p99_us": microseconds(99),
    })
}

fn words(refusal: &Refusal) -> Value {
    json!({ "why": refusal.why, "since": refusal.since })
}
