//! Everything that a request needs, built from a configuration.
//!
//! What can be reloaded stands in [`InForce`], and a request takes one version of it
//! for its whole life. What cannot (the ledger, the keys, the local model, the sandbox)
//! stands in [`House`].

mod build;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use ringfence_chat::{Request, Role};
use ringfence_detect::Reading;
use ringfence_fence::{
    Caller, Clearance, Decision, Digest, Finding, Floor, Placeholders, Shape, Target, Vitals,
};
use ringfence_ledger::Ledger;
use ringfence_local::{Description, Embedder, Local};
use ringfence_policy::{Chain, Facts, Following, Predecessors, Sandbox, Score};

use crate::books;
use crate::callers::Callers;
use crate::candidates::Candidates;
use crate::classifiers::Classifiers;
use crate::conversations::Conversations;
use crate::detection::Sight;
use crate::ids;
use crate::keys::Keys;
use crate::limits::{Keeper, Limits, Permit};
use crate::metrics::Metrics;
use crate::places::Place;
use crate::signatures::Signatures;
use crate::tier::Tier;

/// What lives as long as the process.
pub struct House {
    /// The books.
    pub ledger: Ledger,
    /// What `GET /metrics` shows.
    pub metrics: Metrics,
    /// Loads and runs policies.
    pub sandbox: Sandbox,
    /// The last good bytes of every policy.
    pub predecessors: Predecessors,
    /// When the process began, in seconds since 1970.
    pub began: u64,
    /// The model in this process.
    pub local: Option<Arc<Local>>,
    /// The model in this process that makes vectors.
    pub embedder: Option<Arc<Embedder>>,
    /// The model that finds names, when there is one.
    pub tier: Option<Tier>,
    /// The models that policies may ask.
    pub classifiers: Arc<Classifiers>,
    /// Keeps the counts of the limits.
    pub keeper: Arc<Keeper>,
    keys: Keys,
    conversations: Conversations,
    in_force: ArcSwap<InForce>,
    troubles: Mutex<Vec<String>>,
    refused: Mutex<Vec<Refusal>>,
}

/// A policy whose newest version was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its name.
    pub policy: String,
    /// Why.
    pub why: String,
    /// Since when, in seconds since 1970.
    pub since: u64,
}

/// One version of everything that can be reloaded.
pub struct InForce {
    /// Digest of the configuration.
    pub configuration: Digest,
    /// The policies.
    pub chain: Chain,
    /// What stands beside them.
    pub candidates: Candidates,
    /// Names of policies that run from their stored predecessors.
    pub degraded: Vec<String>,
    /// By policy, the name of the key that signed what runs.
    pub signed: BTreeMap<String, String>,
    /// By policy, the file that it was loaded from.
    pub files: BTreeMap<String, PathBuf>,
    /// By policy, since when this version of it is live, in seconds since 1970.
    pub live_since: BTreeMap<String, u64>,
    /// Whose policy files run.
    pub signatures: Signatures,
    /// Places that can answer, in the configuration's order.
    pub places: Vec<Place>,
    /// Targets that lack something, and what.
    pub lacking: Vec<(Arc<Target>, String)>,
    /// Who may call.
    pub callers: Callers,
    /// What finds entities.
    pub sight: Sight,
    /// Shapes of placeholders.
    pub shapes: Vec<Shape>,
    /// What the operator decided.
    pub floor: Floor,
    /// How much callers may ask for.
    pub limits: Limits,
    /// From a request's first byte to its answer's.
    pub answer_within: Duration,
    /// When it came into force.
    pub since: Instant,
}

/// A request and what is known about it.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The request.
    pub request: &'a Request,
    /// Who asks.
    pub caller: &'a Caller,
    /// What the detectors found.
    pub findings: &'a [Finding],
    /// The id of its conversation: [`House::conversation`].
    pub conversation: &'a str,
    /// How soon the client wants a first token.
    pub latency_wanted_ms: Option<u32>,
    /// Its place in the limits.
    pub permit: &'a Arc<Permit>,
}

/// Something that keeps a house from being built: what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError {
    /// What is wrong, and what to do.
    pub text: String,
    /// The policy that it is about, by its name.
    pub policy: Option<String>,
}

impl BuildError {
    /// One that is about no single policy.
    pub fn new(text: impl Into<String>) -> BuildError {
        BuildError { text: text.into(), policy: None }
    }

    /// What is wrong with a policy.
    pub fn of_policy(name: &str, wrong: &str) -> BuildError {
        BuildError { text: format!("the policy `{name}`: {wrong}"), policy: Some(name.to_owned()) }
    }
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for BuildError {}

impl House {
    /// Puts another version into force: whole, for every request that begins now.
    pub fn put_in_force(&self, next: InForce, troubles: Vec<String>) {
        self.in_force.store(Arc::new(next));
        self.set_troubles(troubles);
    }

    /// What is in force.
    pub fn in_force(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }

    /// What an operator should see to.
    pub fn troubles(&self) -> Vec<String> {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone();
        troubles.extend(self.ledger_trouble());
        troubles
    }

    /// Policies whose newest version was refused, since the last reload.
    pub fn refused(&self) -> Vec<Refusal> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes what a reload was refused for; nothing, when it was not.
    pub fn set_refused(&self, errors: &[BuildError]) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *refused);
        *refused = errors
            .iter()
            .filter_map(|error| {
                let policy = error.policy.clone()?;
                let same = before.iter().find(|old| old.policy == policy && old.why == error.text);
                let since = same.map_or_else(seconds, |old| old.since);
                Some(Refusal { policy, why: error.text.clone(), since })
            })
            .collect();
    }

    /// Replaces what an operator should see to.
    pub fn set_troubles(&self, troubles: Vec<String>) {
        *self.troubles.lock().unwrap_or_else(PoisonError::into_inner) = troubles;
    }

    /// Why requests cannot be answered; empty when they can.
    pub fn not_ready(&self) -> Vec<String> {
        let mut lacking = Vec::new();
        if self.in_force().places.is_empty() {
            lacking.push("no target is ready".to_owned());
        }
        lacking.extend(self.ledger_trouble());
        lacking
    }

    fn ledger_trouble(&self) -> Option<String> {
        let failed = self.ledger.pulse().failed;
        failed.then(|| {
            "the ledger cannot be written, so nothing is sent; restart to open it again".to_owned()
        })
    }

    /// The placeholders of a tenant, in the shapes that are in force.
    pub fn placeholders(&self, in_force: &InForce, tenant: &str) -> Placeholders {
        Placeholders::new(&self.keys.placeholders, tenant).shaped(&in_force.shapes)
    }

    /// Adds what the model finds to what the detectors found.
    pub async fn look_closer(&self, request: &Request, reading: &mut Reading) {
        if let Some(tier) = &self.tier {
            let read = tier.read(request, reading).await;
            self.metrics.tier_read(&read);
        }
    }

    /// Judges a request: where it may go, in which order, and what is hidden; and keeps
    /// the policies that will inspect its answer.
    pub async fn decide(&self, in_force: &InForce, asked: &Asked<'_>) -> (Decision, Following) {
        let targets = in_force.places.iter().map(|place| Arc::clone(&place.target));
        let mut clearance = Clearance::open(asked.request, asked.caller, &in_force.floor, targets);
        let budget_left = asked.permit.budget_left(seconds());
        if let Some(left) = budget_left {
            clearance.afford(asked.request, asked.permit.output_tokens(), left);
        }
        let shown: Vec<(Arc<Target>, Vitals)> = (clearance.remaining())
            .filter_map(|target| Some((Arc::clone(target), in_force.place(&target.name)?.vitals())))
            .collect();
        let (verdicts, following) = if shown.is_empty() {
            (Vec::new(), Following::default())
        } else {
            let previous = self.conversations.previous(asked.conversation);
            let scores = self.scores(&in_force.chain, asked.request).await;
            let models = Classifiers::models(&self.classifiers);
            let facts = Facts {
                request: asked.request,
                findings: asked.findings,
                caller: Some(asked.caller),
                conversation: asked.conversation,
                targets: &shown,
                now_ms: now_ms(),
                seed: ids::seed(),
                latency_wanted_ms: asked.latency_wanted_ms,
                budget_left,
                previous_target: previous.as_deref(),
                scores: &scores,
                models: Some(&models),
            };
            let (verdicts, following) = in_force.chain.judge_and_follow(&facts).await;
            in_force.candidates.watch(&facts, &verdicts, &self.metrics.watched);
            (verdicts, following)
        };
        (clearance.decide(ids::decision(), verdicts), following)
    }

    /// What the classifiers say that the chain needs.
    async fn scores(&self, chain: &Chain, request: &Request) -> Vec<Score> {
        let needed = chain.scores();
        if needed.is_empty() {
            return Vec::new();
        }
        let scores = self.classifiers.score(&needed, request).await;
        let noted = scores.into_iter().map(|(score, scored)| {
            self.metrics.scored(&scored);
            score
        });
        noted.collect()
    }

    /// Notes which target answered a turn of a conversation.
    pub fn answered(&self, conversation: String, target: &str) {
        self.conversations.note(conversation, target);
    }

    /// The id of the request's conversation: its beginning, up to the first thing that
    /// the user said, which every later turn repeats.
    pub fn conversation(&self, request: &Request, caller: &Caller) -> String {
        let turns = &request.turns;
        let first = turns.iter().position(|turn| turn.role == Role::User).unwrap_or(turns.len());
        let texts = (request.segments().iter())
            .filter(|segment| {
                (segment.turn as usize) <= first && (segment.turn as usize) < turns.len()
            })
            .map(|segment| segment.text.as_str());
        self.keys.conversation(&caller.tenant, texts)
    }

    /// The local model, when there is one.
    pub fn model(&self) -> Option<&Description> {
        self.local.as_ref().map(|local| local.description())
    }

    /// Writes that the gateway began, and what is in force.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn open_books(&self) -> Result<(), ringfence_ledger::LedgerError> {
        books::began(self).await
    }
}

impl InForce {
    /// The place of that name.
    pub fn place(&self, name: &str) -> Option<&Place> {
        self.places.iter().find(|place| place.target.name == name)
    }

    /// Whether some target serves the model that a request asks for.
    pub fn serves(&self, request: &Request) -> bool {
        // With no place at all it is not the model that is missing.
        self.places.is_empty()
            || self.places.iter().any(|place| place.target.model_of(request).is_some())
    }
}

/// Seconds since 1970.
pub fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_millis() as f64)
}
