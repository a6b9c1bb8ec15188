//! A policy that is loaded: compiled, configured, ready to judge.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_fence::{
    Digest, Judgement, Mode, Nonsense, OnFailure, PolicyFailure, Target, Verdict,
};
use wasmtime::Store;
use wasmtime::component::{ComponentExportIndex, Instance, InstancePre, TypedFunc};

use crate::cell::{Cell, Meter, Metered, Shared, failure};
use crate::chain::Facts;
use crate::contract::{self, Configured, Judged, Lists, types};
use crate::declaration::Declaration;
use crate::entry::{Entry, Grants, Limits};
use crate::following::{Follower, Live};
use crate::model::Models;
use crate::sandbox::Sandbox;
use crate::tape::Tape;

/// A policy that is loaded. Judges through [`crate::Chain`].
pub struct Policy {
    /// The entry's name.
    pub name: String,
    /// The version that the file says it has.
    pub version: Option<String>,
    /// The version of the contract that it was built for.
    pub contract: String,
    /// Digest of the file.
    pub digest: Digest,
    /// Whether its answers count.
    pub mode: Mode,
    /// What counts when it fails.
    pub on_failure: OnFailure,
    /// True when every instance starts configured; false when the component's form did
    /// not allow a snapshot, so that `configure` runs in every fresh instance.
    pub snapshot: bool,
    /// What it declared.
    pub declaration: Declaration,
    /// What it may see and call.
    pub grants: Grants,
    /// How much it may take.
    pub limits: Limits,
    pub(crate) ready: Ready,
}

/// What a policy needs to judge.
pub(crate) struct Ready {
    pub(crate) sandbox: Sandbox,
    pub(crate) shared: Arc<Shared>,
    pub(crate) instance: InstancePre<Cell>,
    pub(crate) judge: ComponentExportIndex,
    /// Present when it inspects answers.
    pub(crate) inspect: Option<ComponentExportIndex>,
    /// Present when `configure` runs in every fresh instance.
    pub(crate) configure: Option<(ComponentExportIndex, String)>,
    /// Digest of the entry's configuration.
    pub(crate) config: Digest,
    /// Slots of the pool that one instance takes.
    pub(crate) weight: u32,
}

/// How a policy is asked.
pub(crate) struct Asking {
    /// What notes or answers its calls to the host.
    pub(crate) tape: Option<Box<Tape>>,
    /// Whether it waits for a sandbox when none is free.
    pub(crate) waits: bool,
}

impl Policy {
    /// Digest of everything that its verdicts depend on.
    pub fn identity(&self) -> Digest {
        let Policy { name, digest, mode, on_failure, grants, limits, .. } = self;
        // `Debug` of these types shows every field; the names cannot run into each
        // other because it quotes strings.
        let config = self.ready.config;
        let identity =
            format!("{name:?} {digest} {mode:?} {on_failure:?} {grants:?} {limits:?} {config}");
        Digest::of(identity.as_bytes())
    }

    /// Whether this is the policy that `entry` and a file of this digest would make, so
    /// that it need not be loaded again.
    pub fn runs(&self, entry: &Entry, digest: &Digest) -> bool {
        let Policy { name, mode, on_failure, grants, limits, .. } = self;
        self.digest == *digest
            && self.ready.config == Digest::of(entry.config.as_bytes())
            && (name, mode, on_failure, grants, limits)
                == (&entry.name, &entry.mode, &entry.on_failure, &entry.grants, &entry.limits)
    }

    /// Whether `other` has the same configuration, grants and limits.
    pub fn is_configured_as(&self, other: &Policy) -> bool {
        (self.ready.config, &self.grants, &self.limits)
            == (other.ready.config, &other.grants, &other.limits)
    }

    /// Whether it inspects answers.
    pub fn inspects(&self) -> bool {
        self.ready.inspect.is_some()
    }

    /// Judges one request in a fresh instance. One that inspects answers goes on with it.
    /// One that does not wait takes a sandbox that is free, or none.
    pub(crate) async fn judge(
        self: &Arc<Policy>,
        facts: &Facts<'_>,
        lists: &Lists<'_>,
        targets: &[types::Target<'_>],
        waits: bool,
    ) -> (Verdict, Option<Follower>) {
        let mut asking = Asking { tape: None, waits };
        let (verdict, live) = self.judge_with(facts, lists, targets, &mut asking).await;
        (verdict, live.map(|live| Follower::new(self.clone(), live)))
    }

    /// Judges one request; the tape, if there is one, comes back with what became of it.
    pub(crate) async fn judge_with(
        &self,
        facts: &Facts<'_>,
        lists: &Lists<'_>,
        targets: &[types::Target<'_>],
        asking: &mut Asking,
    ) -> (Verdict, Option<Live>) {
        let started = Instant::now();
        let (outcome, live) = match self.answer(facts, lists, targets, asking).await {
            Ok((judgement, live)) => (Ok(judgement), live),
            Err(failure) => (Err(failure), None),
        };
        let verdict = Verdict {
            policy: self.name.clone(),
            digest: self.digest,
            mode: self.mode,
            on_failure: self.on_failure,
            outcome,
            spent: started.elapsed(),
        };
        (verdict, live)
    }

    async fn answer(
        &self,
        facts: &Facts<'_>,
        lists: &Lists<'_>,
        targets: &[types::Target<'_>],
        asking: &mut Asking,
    ) -> Result<(Judgement, Option<Live>), PolicyFailure> {
        let segments = contract::segments(facts, &self.grants);
        let findings = contract::findings(facts, &self.grants);
        if findings.as_ref().is_some_and(|findings| findings.len() > self.limits.findings) {
            // A shortened list would hide the rest from the policy.
            return Err(PolicyFailure::Nonsense(Nonsense::TooMuch));
        }
        let scores = contract::scores(facts, &self.declaration)?;
        let request = contract::request(
            facts,
            &self.grants,
            lists,
            targets,
            &segments,
            findings.as_deref(),
            &scores,
        );
        let ready = &self.ready;
        let patience = if asking.waits { self.limits.patience } else { Duration::ZERO };
        let slots = ready.sandbox.slots(ready.weight, patience).await?;
        let meter = Meter::serving(ready.sandbox.lane());
        let mut cell = Cell::new(ready.shared.clone(), &self.limits);
        cell.now_ms = facts.now_ms;
        cell.seed = facts.seed;
        cell.tape = asking.tape.take();
        if let Some(caller) = facts.caller.filter(|_| self.grants.state) {
            cell.tenant.clone_from(&caller.tenant);
        }
        let limits = &self.limits;
        let mut store = cell.into_store(ready.sandbox.engine(), limits, limits.deadline, &meter);
        // The clock that interrupts computing does not run while the policy sleeps.
        let called = {
            let models = facts.models.filter(|_| self.grants.model).cloned();
            let future = pin!(self.call(&mut store, &request, models));
            let metered = Metered { meter: &meter, future };
            tokio::time::timeout(limits.patience, metered)
                .await
                .unwrap_or(Err(PolicyFailure::Deadline))
        };
        asking.tape = store.data_mut().tape.take();
        let (judgement, instance) = match called {
            Ok((Ok(judgement), instance)) => (judgement, instance),
            Ok((Err(text), _)) => {
                store.data_mut().say("failed", &text);
                return Err(PolicyFailure::Error);
            }
            Err(failure) => return Err(failure),
        };
        let live = match ready.inspect {
            Some(inspect) => {
                store.data_mut().rest();
                Some(Live { store, instance, inspect, meter, _slots: slots })
            }
            None => {
                // The slots of the pool go back before the rest is looked at.
                drop(store);
                drop(slots);
                None
            }
        };
        Ok((self.check(judgement, facts)?, live))
    }

    async fn call(
        &self,
        store: &mut Store<Cell>,
        request: &types::Request<'_>,
        models: Option<Arc<dyn Models>>,
    ) -> Result<(Result<types::Judgement, String>, Instance), PolicyFailure> {
        let ready = &self.ready;
        let fail = |error: wasmtime::Error| failure(&error);
        let instance = ready.instance.instantiate_async(&mut *store).await.map_err(fail)?;
        if let Some((configure, config)) = &ready.configure {
            let configure = instance
                .get_typed_func::<(&str,), Configured>(&mut *store, configure)
                .map_err(fail)?;
            let (declared,) = configure.call_async(&mut *store, (config,)).await.map_err(fail)?;
            let declared = declared.map_err(|_| PolicyFailure::Error)?;
            // One file and one configuration are one policy: what was checked when it
            // was loaded must still be what it is.
            if Declaration::from(declared).check().as_ref() != Ok(&self.declaration) {
                return Err(PolicyFailure::Nonsense(Nonsense::Contract));
            }
        }
        // While it is configured it has none: what it is must not depend on them.
        store.data_mut().models = models;
        let judge = instance.get_func(&mut *store, ready.judge);
        let judge = judge.ok_or(PolicyFailure::Trap)?;
        // SAFETY: the types were checked when the policy was loaded, on an instance of
        // this same pre-instance, whose types never change; checking them again takes a
        // tenth of a small judgement.
        let judge: TypedFunc<(&types::Request<'_>,), Judged> =
            unsafe { TypedFunc::new_unchecked(judge) };
        let (answer,) = judge.call_async(&mut *store, (request,)).await.map_err(fail)?;
        Ok((answer, instance))
    }

    fn check(
        &self,
        judgement: types::Judgement,
        facts: &Facts<'_>,
    ) -> Result<Judgement, PolicyFailure> {
        let draft = contract::draft(judgement, &self.limits).map_err(PolicyFailure::Nonsense)?;
        let declared = |names: &[String], name: &String| names.binary_search(name).is_ok();
        if !draft.code.is_empty() && !declared(&self.declaration.codes, &draft.code) {
            return Err(PolicyFailure::Nonsense(Nonsense::Code));
        }
        if !draft.labels.iter().all(|label| declared(&self.declaration.labels, label)) {
            return Err(PolicyFailure::Nonsense(Nonsense::Label));
        }
        let shown: Vec<&str> = facts
            .targets
            .iter()
            .map(|(target, _): &(Arc<Target>, _)| target.name.as_str())
            .collect();
        Judgement::check(draft, facts.request, &shown).map_err(PolicyFailure::Nonsense)
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("digest", &self.digest)
            .field("mode", &self.mode)
            .field("on_failure", &self.on_failure)
            .field("snapshot", &self.snapshot)
            .finish_non_exhaustive()
    }
}
