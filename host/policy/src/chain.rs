//! The policies in order, and what they are asked.

use std::collections::BTreeSet;
use std::sync::Arc;

use ringfence_chat::Request;
use ringfence_fence::{Caller, Digest, Finding, PolicyFailure, Target, Verdict, Vitals};

use crate::contract::Lists;
use crate::following::Following;
use crate::model::{Models, Score};
use crate::policy::Policy;

/// What the policies of a chain are told about one request. Each sees of it what its
/// entry grants.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The request.
    pub request: &'a Request,
    /// What the detectors found, ordered by segment and start.
    pub findings: &'a [Finding],
    /// Who asks.
    pub caller: Option<&'a Caller>,
    /// The same for every turn of one conversation of one tenant, and unguessable.
    pub conversation: &'a str,
    /// The places that nothing has ruled out so far, and how they do.
    pub targets: &'a [(Arc<Target>, Vitals)],
    /// Milliseconds since 1970-01-01T00:00Z.
    pub now_ms: f64,
    /// A random number of this request.
    pub seed: u32,
    /// How soon the client wants a first token, in milliseconds.
    pub latency_wanted_ms: Option<u32>,
    /// Dollars that the caller may still spend.
    pub budget_left: Option<f64>,
    /// The target that answered this conversation's previous turn.
    pub previous_target: Option<&'a str>,
    /// What the classifiers say that the chain needs: [`Chain::scores`].
    pub scores: &'a [Score],
    /// The models that policies may ask.
    pub models: Option<&'a Arc<dyn Models>>,
}

/// The policies in order. Immutable: a request that holds a chain sees one version of
/// it from beginning to end, whatever is loaded meanwhile.
#[derive(Debug)]
pub struct Chain {
    policies: Vec<Arc<Policy>>,
    digest: Digest,
}

impl Chain {
    /// The chain of these policies.
    pub fn new(policies: Vec<Arc<Policy>>) -> Chain {
        let mut identity = Vec::new();
        for policy in &policies {
            identity.extend_from_slice(&policy.identity().0);
        }
        Chain { policies, digest: Digest::of(&identity) }
    }

    /// Digest of everything that a verdict depends on: files, order, modes, failures,
    /// grants, limits and configurations.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The policies in order.
    pub fn policies(&self) -> &[Arc<Policy>] {
        &self.policies
    }

    /// The classifiers whose scores its policies need, without repetition.
    pub fn scores(&self) -> Vec<&str> {
        let needed: BTreeSet<&str> =
            self.policies.iter().flat_map(|policy| policy.declaration.scores()).collect();
        needed.into_iter().collect()
    }

    /// Asks every policy, in order, each in a fresh instance. One verdict for each, also
    /// for those that failed and those that only watch. Must run on a tokio runtime with
    /// its timer; dropping the future ends the policy that is running.
    pub async fn judge(&self, facts: &Facts<'_>) -> Vec<Verdict> {
        self.judge_and_follow(facts).await.0
    }

    /// Judges, and keeps the instances of those policies that inspect the answer.
    pub async fn judge_and_follow(&self, facts: &Facts<'_>) -> (Vec<Verdict>, Following) {
        let lists = Lists::of(facts);
        let targets = lists.targets(facts);
        let mut verdicts = Vec::with_capacity(self.policies.len());
        let mut followers = Vec::new();
        // A request that waited for a sandbox in vain does not wait for the next one too.
        let mut waits = true;
        for policy in &self.policies {
            let (verdict, follower) = policy.judge(facts, &lists, &targets, waits).await;
            waits &= !matches!(verdict.outcome, Err(PolicyFailure::Busy));
            verdicts.push(verdict);
            followers.extend(follower);
        }
        (verdicts, Following::of(followers))
    }
}
