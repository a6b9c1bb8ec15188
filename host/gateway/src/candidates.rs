//! Candidates: the next version of a policy, judged beside the live one on real traffic
//! and never enforced.
//!
//! A candidate sees what the live version saw, on counters of its own that begin at the
//! live one's. It is asked when the live version has answered, off the request's path:
//! whatever it says or does, and however long it takes, the request is not touched. All of
//! them share a thread of their own, so that one that spins takes none of those that serve.
//! More than [`AT_ONCE`] at a time are dropped and counted.

mod aside;
mod tally;

use std::sync::Arc;

use ringfence_chat::Request;
use ringfence_fence::{Caller, Finding, Target, Verdict, Vitals};
use ringfence_policy::{Chain, Facts, Models, Policy, Score};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::aside::Aside;
pub use self::tally::{Agreement, CandidateTally};
use crate::metrics::Watched;

/// Judgements of candidates that run at a time.
pub const AT_ONCE: usize = 8;

/// The candidates of one version of the configuration.
#[derive(Clone)]
pub struct Candidates {
    list: Vec<Candidate>,
    places: Arc<Semaphore>,
    aside: Aside,
}

/// What stands at the place of a candidate.
#[derive(Clone)]
pub struct Candidate {
    /// The entry's name: the live policy's.
    pub name: String,
    /// The candidate, or why it was refused. That takes nothing from the live one.
    pub loaded: Result<Loaded, String>,
}

/// A candidate that is asked.
#[derive(Clone)]
pub struct Loaded {
    /// The policy.
    pub policy: Arc<Policy>,
    /// How it does.
    pub tally: Arc<CandidateTally>,
}

impl Default for Candidates {
    fn default() -> Candidates {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        Candidates { list: Vec::new(), places, aside: Aside::default() }
    }
}

impl Candidates {
    /// These candidates, with the bound that `before` had.
    pub fn next(&self, list: Vec<Candidate>) -> Candidates {
        Candidates { list, places: Arc::clone(&self.places), aside: self.aside.clone() }
    }

    /// The candidates, in the chain's order.
    pub fn list(&self) -> &[Candidate] {
        &self.list
    }

    /// The candidate of that entry.
    pub fn of(&self, name: &str) -> Option<&Candidate> {
        self.list.iter().find(|candidate| candidate.name == name)
    }

    /// Asks every candidate what the live chain was asked, and does not wait for it.
    pub fn watch(&self, facts: &Facts<'_>, verdicts: &[Verdict], watched: &Watched) {
        let mut seen = None;
        for Candidate { name, loaded } in &self.list {
            let (Ok(loaded), Some(live)) =
                (loaded, verdicts.iter().find(|verdict| verdict.policy == *name))
            else {
                continue;
            };
            let given = Arc::clone(&self.places).try_acquire_owned().is_ok_and(|place| {
                let seen = Arc::clone(seen.get_or_insert_with(|| Arc::new(Seen::of(facts))));
                self.aside.give(judged(seen, loaded.clone(), live.clone(), watched.clone(), place))
            });
            if !given {
                watched.note(name, loaded.tally.dropped(), None);
            }
        }
    }
}

/// One candidate's judgement, compared and counted.
async fn judged(
    seen: Arc<Seen>,
    Loaded { policy, tally }: Loaded,
    live: Verdict,
    watched: Watched,
    place: OwnedSemaphorePermit,
) {
    let verdict = Chain::new(vec![policy]).judge(&seen.facts()).await.pop();
    if let Some(verdict) = verdict {
        let agreement = tally.note(&live, &verdict, &seen.targets);
        watched.note(&verdict.policy, agreement, Some(verdict.spent));
    }
    drop(place);
}

/// What the live chain was asked, kept for those who are asked later.
struct Seen {
    request: Request,
    findings: Vec<Finding>,
    caller: Option<Caller>,
    conversation: String,
    targets: Vec<(Arc<Target>, Vitals)>,
    now_ms: f64,
    seed: u32,
    latency_wanted_ms: Option<u32>,
    budget_left: Option<f64>,
    previous_target: Option<String>,
    scores: Vec<Score>,
    models: Option<Arc<dyn Models>>,
}

impl Seen {
    fn of(facts: &Facts<'_>) -> Seen {
        Seen {
            request: facts.request.clone(),
            findings: facts.findings.to_vec(),
            caller: facts.caller.cloned(),
            conversation: facts.conversation.to_owned(),
            targets: facts.targets.to_vec(),
            now_ms: facts.now_ms,
            seed: facts.seed,
            latency_wanted_ms: facts.latency_wanted_ms,
            budget_left: facts.budget_left,
            previous_target: facts.previous_target.map(str::to_owned),
            scores: facts.scores.to_vec(),
            models: facts.models.cloned(),
        }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            request: &self.request,
            findings: &self.findings,
            caller: self.caller.as_ref(),
            conversation: &self.conversation,
            targets: &self.targets,
            now_ms: self.now_ms,
            seed: self.seed,
            latency_wanted_ms: self.latency_wanted_ms,
            budget_left: self.budget_left,
            previous_target: self.previous_target.as_deref(),
            scores: &self.scores,
            models: self.models.as_ref(),
        }
    }
}
