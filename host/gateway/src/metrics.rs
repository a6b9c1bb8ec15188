//! What `GET /metrics` shows. Every label is a name of the configuration or one of
//! our own words, so no client can make a series.

mod watched;

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use ringfence_chat::Usage;
use ringfence_fence::{Decision, Failure, Refusal, Remover, Verdict};
use ringfence_policy::Seen;

pub use self::watched::Watched;
use crate::classifiers::Scored;
use crate::house::House;
use crate::limits::Exceeded;
use crate::tally::Tallies;
use crate::tier::TierRead;

/// The content type of the exposition.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Every metric of the gateway.
pub struct Metrics {
    /// How each policy does.
    pub tallies: Tallies,
    /// How candidates compare with them.
    pub watched: Watched,
    registry: Registry,
    requests: Family<Outcome, Counter>,
    refusals: Family<Refused, Counter>,
    policy_failures: Family<Failed, Counter>,
    policy_seconds: Family<Policy, Histogram>,
    answer_cuts: Family<Policy, Counter>,
    answer_stops: Family<Policy, Counter>,
    departures: Family<Target, Counter>,
    target_failures: Family<TargetFailed, Counter>,
    first_token_seconds: Family<Target, Histogram>,
    answer_seconds: Family<Target, Histogram>,
    tokens: Family<Tokens, Counter>,
    restored: Counter,
    reloads: Family<Reload, Counter>,
    tier_reads: Family<TierOutcome, Counter>,
    tier_seconds: Histogram,
    limited: Family<Full, Counter>,
    scores: Family<ScoreOutcome, Counter>,
    score_seconds: Family<Classifier, Histogram>,
    /// Set when scraped.
    queued: Family<Target, Gauge>,
    in_flight: Family<Target, Gauge>,
    healthy: Family<Target, Gauge>,
    chain: Family<Chain, Gauge>,
    chain_age: Gauge<f64, AtomicU64>,
    troubles: Gauge,
    ledger: Family<Head, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
    target: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    by: &'static str,
    policy: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    policy: String,
    mode: &'static str,
    failure: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Policy {
    policy: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Target {
    target: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TargetFailed {
    target: String,
    failure: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tokens {
    target: String,
    direction: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reload {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Full {
    limit: String,
    counted: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ScoreOutcome {
    classifier: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Classifier {
    classifier: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TierOutcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Chain {
    digest: String,
    configuration: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Head {
    digest: String,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Metrics {
        let mut metrics = Metrics {
            tallies: Tallies::default(),
            watched: Watched::new(),
            registry: Registry::with_prefix("ringfence"),
            requests: Family::default(),
            refusals: Family::default(),
            policy_failures: Family::default(),
            policy_seconds: Family::new_with_constructor(policy_seconds),
            answer_cuts: Family::default(),
            answer_stops: Family::default(),
            departures: Family::default(),
            target_failures: Family::default(),
            first_token_seconds: Family::new_with_constructor(seconds),
            answer_seconds: Family::new_with_constructor(seconds),
            tokens: Family::default(),
            restored: Counter::default(),
            tier_reads: Family::default(),
            tier_seconds: Histogram::new(exponential_buckets(0.001, 2.0, 14)),
            limited: Family::default(),
            scores: Family::default(),
            score_seconds: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.001, 2.0, 14))
            }),
            reloads: Family::default(),
            queued: Family::default(),
            in_flight: Family::default(),
            healthy: Family::default(),
            chain: Family::default(),
            chain_age: Gauge::default(),
            troubles: Gauge::default(),
            ledger: Family::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let r = &mut self.registry;
        self.watched.register(r);
        r.register(
            "requests",
            "Chat requests by how they ended and who answered",
            self.requests.clone(),
        );
        r.register(
            "refusals",
            "Requests that may go nowhere, by who refused them",
            self.refusals.clone(),
        );
        r.register(
            "policy_failures",
            "Policies that failed, by kind",
            self.policy_failures.clone(),
        );
        r.register("policy_seconds", "Time of one policy call", self.policy_seconds.clone());
        r.register("answer_cuts", "Changes to answers, by policy", self.answer_cuts.clone());
        r.register("answer_stops", "Answers that a policy ended", self.answer_stops.clone());
        r.register("departures", "Attempts that left, by target", self.departures.clone());
        r.register(
            "target_failures",
            "Attempts that failed, by target and kind",
            self.target_failures.clone(),
        );
        r.register(
            "first_token_seconds",
            "Time to the first token",
            self.first_token_seconds.clone(),
        );
        r.register("answer_seconds", "Time of a whole answer", self.answer_seconds.clone());
        r.register("tokens", "Tokens by target and direction", self.tokens.clone());
        r.register("restored", "Placeholders restored in answers", self.restored.clone());
        r.register("model_detections", "Readings of the model", self.tier_reads.clone());
        r.register("model_detection_seconds", "Time of a reading", self.tier_seconds.clone());
        r.register("limited", "Requests that a limit had no room for", self.limited.clone());
        r.register("scores", "Readings of requests by classifiers", self.scores.clone());
        r.register("score_seconds", "Time of such a reading", self.score_seconds.clone());
        r.register("reloads", "Reloads by result", self.reloads.clone());
        r.register(
            "queued",
            "Requests that wait for a target in this process",
            self.queued.clone(),
        );
        r.register("in_flight", "Requests that a target is answering", self.in_flight.clone());
        r.register("healthy", "1 unless recent calls of a target fail", self.healthy.clone());
        r.register("chain", "The chain in force", self.chain.clone());
        r.register(
            "chain_age_seconds",
            "Since the chain in force was loaded",
            self.chain_age.clone(),
        );
        r.register("troubles", "Things that need an operator", self.troubles.clone());
        r.register(
            "ledger_sequence",
            "Number of the ledger's last record, by the head's digest",
            self.ledger.clone(),
        );
    }

    /// What the chain made of a request.
    pub fn decided(&self, decision: &Decision) {
        decision.verdicts().iter().for_each(|verdict| self.tallies.note(verdict));
        for Verdict { policy, mode, outcome, spent, .. } in decision.verdicts() {
            let label = Policy { policy: policy.clone() };
            self.policy_seconds.get_or_create(&label).observe(spent.as_secs_f64());
            if let Err(failure) = outcome {
                let mode = mode.name();
                let failed = Failed { policy: policy.clone(), mode, failure: failure.name() };
                self.policy_failures.get_or_create(&failed).inc();
            }
        }
        if let Some(refusal) = decision.refusal() {
            self.refusals.get_or_create(&refused(refusal)).inc();
        }
    }

    /// What a policy made of an answer.
    pub fn inspected(&self, seen: &Seen) {
        let label = Policy { policy: seen.policy.clone() };
        self.answer_cuts.get_or_create(&label).inc_by(u64::from(seen.cuts));
        self.answer_stops.get_or_create(&label).inc_by(u64::from(seen.stopped.is_some()));
        if let Some(failure) = seen.failed {
            let (policy, mode) = (seen.policy.clone(), seen.mode.name());
            let failed = Failed { policy, mode, failure: failure.name() };
            self.policy_failures.get_or_create(&failed).inc();
        }
    }

    /// An attempt left.
    pub fn departed(&self, target: &str) {
        self.departures.get_or_create(&Target { target: target.to_owned() }).inc();
    }

    /// An attempt failed.
    pub fn failed(&self, target: &str, failure: &Failure) {
        let label = TargetFailed { target: target.to_owned(), failure: failure.kind.name() };
        self.target_failures.get_or_create(&label).inc();
    }

    /// A request ended. `target` is empty when none answered.
    pub fn ended(&self, outcome: &'static str, target: &str) {
        self.requests.get_or_create(&Outcome { outcome, target: target.to_owned() }).inc();
    }

    /// An answer ended well.
    pub fn answered(
        &self,
        target: &str,
        first_token: Option<Duration>,
        total: Duration,
        usage: Usage,
        restored: u32,
    ) {
        let label = Target { target: target.to_owned() };
        if let Some(first) = first_token {
            self.first_token_seconds.get_or_create(&label).observe(first.as_secs_f64());
        }
        self.answer_seconds.get_or_create(&label).observe(total.as_secs_f64());
        for (direction, count) in [("input", usage.input), ("output", usage.output)] {
            let tokens = Tokens { target: target.to_owned(), direction };
            self.tokens.get_or_create(&tokens).inc_by(u64::from(count));
        }
        self.restored.inc_by(u64::from(restored));
    }

    /// The model that finds names read a request, or could not.
    pub fn tier_read(&self, read: &TierRead) {
        self.tier_reads.get_or_create(&TierOutcome { outcome: read.outcome }).inc();
        self.tier_seconds.observe(read.took.as_secs_f64());
    }

    /// A classifier read a request, or could not.
    pub fn scored(&self, scored: &Scored) {
        let classifier = scored.classifier.clone();
        let outcome = ScoreOutcome { classifier: classifier.clone(), outcome: scored.outcome };
        self.scores.get_or_create(&outcome).inc();
        let took = scored.took.as_secs_f64();
        self.score_seconds.get_or_create(&Classifier { classifier }).observe(took);
    }

    /// A limit had no room.
    pub fn limited(&self, exceeded: &Exceeded) {
        let full = Full { limit: exceeded.limit.clone(), counted: exceeded.counted.name() };
        self.limited.get_or_create(&full).inc();
    }

    /// A reload ended.
    pub fn reloaded(&self, result: &'static str) {
        self.reloads.get_or_create(&Reload { result }).inc();
    }

    /// The exposition in the OpenMetrics text format.
    pub fn expose(&self, house: &House) -> String {
        let in_force = house.in_force();
        for family in [&self.queued, &self.in_flight, &self.healthy] {
            family.clear();
        }
        for place in &in_force.places {
            let label = Target { target: place.target.name.clone() };
            let vitals = place.vitals();
            self.queued.get_or_create(&label).set(i64::from(vitals.queued));
            self.in_flight.get_or_create(&label).set(i64::from(vitals.in_flight));
            self.healthy.get_or_create(&label).set(i64::from(vitals.healthy));
        }
        self.chain.clear();
        let chain = Chain {
            digest: in_force.chain.digest().to_string(),
            configuration: in_force.configuration.to_string(),
        };
        self.chain.get_or_create(&chain).set(1);
        self.chain_age.set(in_force.since.elapsed().as_secs_f64());
        self.troubles.set(i64::try_from(house.troubles().len()).unwrap_or(i64::MAX));
        self.ledger.clear();
        let head = house.ledger.head();
        self.ledger
            .get_or_create(&Head { digest: head.digest.to_string() })
            .set(i64::try_from(head.sequence).unwrap_or(i64::MAX));
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(std::fmt::Error) => String::new(),
        }
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

fn policy_seconds() -> Histogram {
    Histogram::new(exponential_buckets(5e-6, 2.0, 16))
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.005, 2.0, 16))
}

fn refused(refusal: &Refusal) -> Refused {
    let (by, policy) = match refusal {
        Refusal::NoTargets => ("configuration", ""),
        Refusal::Removed(removal) => match &removal.by {
            Remover::Model => ("model", ""),
            Remover::Capability(_) => ("capability", ""),
            Remover::Context => ("context", ""),
            Remover::Caller => ("caller", ""),
            Remover::Floor => ("floor", ""),
            Remover::Budget => ("budget", ""),
            Remover::Policy(policy) => ("policy", policy.as_str()),
            Remover::Failure(policy) => ("policy_failure", policy.as_str()),
        },
    };
    Refused { by, policy: policy.to_owned() }
}
