//! One policy that inspects an answer, in the instance that judged the request.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_fence::{Digest, Finding, Mode, Nonsense, PolicyFailure};
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::Store;
use wasmtime::component::{ComponentExportIndex, Instance, TypedFunc};

use super::Readable;
use super::lane::{Lane, Passage};
use super::strand::Strand;
use crate::cell::{Cell, Meter, Metered, arm, failure};
use crate::contract::response::{Inspected, Outcome, Pane, Said, Shown, Window, said};
use crate::entry::Entities;
use crate::policy::Policy;

/// One policy that inspects an answer.
pub(crate) struct Follower {
    policy: Arc<Policy>,
    /// Gone when the policy failed: no instance is used again after that.
    live: Option<Live>,
    lanes: HashMap<Strand, Lane>,
    seen: Seen,
}

/// An instance that judged a request and now inspects its answer.
pub(crate) struct Live {
    pub(crate) store: Store<Cell>,
    pub(crate) instance: Instance,
    pub(crate) inspect: ComponentExportIndex,
    pub(crate) meter: Arc<Meter>,
    /// Its slots of the pool. Behind the store, so that they are given back after it.
    pub(crate) _slots: OwnedSemaphorePermit,
}

/// What became of one policy's inspection of one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The entry's name.
    pub policy: String,
    /// Digest of the policy's file.
    pub digest: Digest,
    /// Whether it counts.
    pub mode: Mode,
    /// Windows that it was shown.
    pub windows: u32,
    /// Changes that it made.
    pub cuts: u32,
    /// The declared code with which it ended the answer; may be empty.
    pub stopped: Option<String>,
    /// How it failed.
    pub failed: Option<PolicyFailure>,
    /// How long it took.
    pub spent: Duration,
}

/// What comes of a window.
pub(crate) enum Passed {
    /// This much goes on.
    On(Passage),
    /// The answer ends.
    Stop,
}

impl Follower {
    pub(crate) fn new(policy: Arc<Policy>, live: Live) -> Follower {
        let seen = Seen {
            policy: policy.name.clone(),
            digest: policy.digest,
            mode: policy.mode,
            windows: 0,
            cuts: 0,
            stopped: None,
            failed: None,
            spent: Duration::ZERO,
        };
        Follower { policy, live: Some(live), lanes: HashMap::new(), seen }
    }

    /// What it did so far.
    pub(crate) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Whether its answers count.
    pub(crate) fn counts(&self) -> bool {
        self.policy.mode == Mode::Protect
    }

    /// Shows it what is new of a strand, `pane.passage`, behind what it held.
    ///
    /// # Errors
    /// [`PolicyFailure`], in the mode `protect`; what was held is lost. One that only
    /// watches never fails and never changes anything.
    pub(crate) async fn pass(
        &mut self,
        pane: Pane<'_>,
        readable: &Readable<'_>,
    ) -> Result<Passed, PolicyFailure> {
        let new = pane.passage;
        if self.live.is_none() || (new.text.is_empty() && !pane.last && !pane.opens) {
            // Without an instance it is one that watches, and that failed.
            return Ok(Passed::On(new.clone()));
        }
        let begun = Instant::now();
        let passed = self.show(pane, readable).await;
        self.seen.spent += begun.elapsed();
        if pane.last {
            self.lanes.remove(&pane.strand);
        }
        match passed {
            Ok(passed) if self.counts() => Ok(passed),
            // It has seen what it wanted to see: more would only pile up in its lanes.
            Ok(Passed::Stop) => {
                self.live = None;
                self.lanes.clear();
                Ok(Passed::On(new.clone()))
            }
            Ok(Passed::On(_)) => Ok(Passed::On(new.clone())),
            Err(failure) => {
                self.live = None;
                self.seen.failed = Some(failure);
                if self.counts() { Err(failure) } else { Ok(Passed::On(new.clone())) }
            }
        }
    }

    async fn show(
        &mut self,
        pane: Pane<'_>,
        readable: &Readable<'_>,
    ) -> Result<Passed, PolicyFailure> {
        let Some(live) = &mut self.live else { return Err(PolicyFailure::Trap) };
        let too_much = || PolicyFailure::Nonsense(Nonsense::TooMuch);
        let grants = &self.policy.grants;
        let lane = self.lanes.entry(pane.strand).or_default();
        lane.take(pane.passage);
        let found = match grants.findings {
            Entities::Nothing => None,
            _ => Some(lane.findings(readable).map_err(PolicyFailure::Nonsense)?),
        };
        let shown: Option<Vec<Finding>> = found.map(|found| {
            found.into_iter().filter(|found| grants.findings.shows(&found.entity)).collect()
        });
        if shown.as_ref().is_some_and(|shown| shown.len() > self.policy.limits.findings) {
            return Err(too_much());
        }
        let pane = Pane { passage: lane.window(), ..pane };
        let lists = Shown::of(pane.passage, shown.as_deref());
        self.seen.windows = self.seen.windows.saturating_add(1);
        let outcome = live.inspect(&self.policy, &lists.window(&pane, grants)).await?;
        let said = said(outcome, &pane.passage.text, &self.policy.limits)
            .map_err(PolicyFailure::Nonsense)?;
        match said {
            Said::Stop(code) => {
                if !code.is_empty() && self.policy.declaration.codes.binary_search(&code).is_err() {
                    return Err(PolicyFailure::Nonsense(Nonsense::Code));
                }
                self.seen.stopped.get_or_insert(code);
                Ok(Passed::Stop)
            }
            Said::Wish(wish) => {
                let settled = lane.settle(&wish, shown.as_deref(), pane.last);
                let (passage, cuts) = settled.map_err(PolicyFailure::Nonsense)?;
                self.seen.cuts = self.seen.cuts.saturating_add(cuts);
                Ok(Passed::On(passage))
            }
        }
    }
}

impl Live {
    /// One call, with a deadline and a budget of its own.
    async fn inspect(
        &mut self,
        policy: &Policy,
        window: &Window<'_>,
    ) -> Result<Outcome, PolicyFailure> {
        let limits = &policy.limits;
        self.store.data_mut().wake(limits);
        self.meter.reset();
        arm(&mut self.store, limits, limits.deadline, &self.meter);
        let called = {
            let (store, instance) = (&mut self.store, &self.instance);
            let future = pin!(async {
                let inspect = instance.get_func(&mut *store, self.inspect);
                let inspect = inspect.ok_or(PolicyFailure::Trap)?;
                // SAFETY: the types were checked when the policy was loaded, on an
                // instance of this same pre-instance, whose types never change.
                let inspect: TypedFunc<(&Window<'_>,), Inspected> =
                    unsafe { TypedFunc::new_unchecked(inspect) };
                let (answer,) = (inspect.call_async(&mut *store, (window,)).await)
                    .map_err(|error| failure(&error))?;
                Ok(answer)
            });
            let metered = Metered { meter: &self.meter, future };
            tokio::time::timeout(limits.patience, metered)
                .await
                .unwrap_or(Err(PolicyFailure::Deadline))
        };
        self.store.data_mut().rest();
        match called? {
            Ok(outcome) => Ok(outcome),
            Err(text) => {
                self.store.data_mut().say("failed", &text);
                Err(PolicyFailure::Error)
            }
        }
    }
}
