//! How many instructions of the guest a judgement takes: the same number on every machine
//! and at every load, where a time is another one each time.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ringfence_fence::{Digest, Nonsense, PolicyFailure};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};
use wasmtime::{Engine, Store};

use super::aside::{Aside, aside};
use super::checks::{check_entry, check_exports, check_imports};
use super::{Load, LoadError, export, linker, words};
use crate::cell::{Cell, Shared, failure};
use crate::chain::Facts;
use crate::contract::{self, Configured, JUDGE, Judged, Lists, types};
use crate::entry::Entry;
use crate::inspection::Inspection;
use crate::sandbox::{Sandbox, counting};
use crate::state::State;

/// Instructions until the executor may look whether the time is over.
const INSTRUCTIONS_BEFORE_YIELD: u64 = 10_000_000;
/// How long one count may take.
const WITHIN: Duration = Duration::from_secs(60);

/// A policy on an engine that counts and does not serve.
pub struct Counter {
    sandbox: Sandbox,
    entry: Entry,
    engine: Engine,
    instance: InstancePre<Cell>,
    configure: ComponentExportIndex,
    judge: ComponentExportIndex,
}

/// Instructions of the guest, as the runtime weighs them: most weigh one, and those that
/// only mark a place nothing. What the host does for it is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Those of a fresh instance and its `configure`: once at the load where a snapshot is
    /// taken, and in each call where there can be none.
    pub configure: u64,
    /// Those of `judge`, what takes the request in included.
    pub judge: u64,
}

impl Sandbox {
    /// Compiles a policy for counting. Blocks, as [`Sandbox::load`] does.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn counter(&self, entry: &Entry, bytes: &[u8]) -> Result<Counter, LoadError> {
        check_entry(entry)?;
        let digest = Digest::of(bytes);
        if !self.admits(&digest) {
            return Err(LoadError::Busy);
        }
        let (sandbox, entry, bytes) = (self.clone(), entry.clone(), bytes.to_vec());
        let state = self.state().clone();
        let load = Load { sandbox, entry, bytes, digest, state };
        let ended = Arc::new(AtomicBool::new(false));
        let within = self.config().load_within;
        match aside(move || load.counter(), within, ended.clone()) {
            Ok(counter) => counter,
            Err(Aside::Slow) => {
                self.abandon(digest, ended);
                Err(LoadError::Slow(within))
            }
            Err(Aside::Broke) => Err(LoadError::Damaged("reading it failed".to_owned())),
            Err(Aside::NoThread) => Err(LoadError::Sandbox("no thread to load in".to_owned())),
        }
    }
}

impl Load {
    fn counter(self) -> Result<Counter, LoadError> {
        let inspection = Inspection::of(&self.bytes)?;
        check_exports(&inspection)?;
        check_imports(&inspection, &self.entry.grants)?;
        let engine = Engine::new(&counting()).map_err(|error| LoadError::Sandbox(words(&error)))?;
        let component = Component::new(&engine, &self.bytes)
            .map_err(|error| LoadError::Compile(words(&error)))?;
        let instance = linker(&engine, &self.entry.grants)
            .and_then(|linker| linker.instantiate_pre(&component))
            .map_err(|error| LoadError::Contract(words(&error)))?;
        let configure = export(&component, JUDGE, "configure")?;
        let judge = export(&component, JUDGE, "judge")?;
        let Load { sandbox, entry, .. } = self;
        Ok(Counter { sandbox, entry, engine, instance, configure, judge })
    }
}

impl Counter {
    /// Instructions that `configure` may take, and again `judge`.
    pub const INSTRUCTIONS: u64 = 1_000_000_000;

    /// Configures a fresh instance, asks it once, and counts. Counters (`state`) start
    /// empty each time.
    ///
    /// # Errors
    /// How the policy failed; [`PolicyFailure::Deadline`] when it took more than
    /// [`Counter::INSTRUCTIONS`]. What it answered is not looked at.
    pub async fn count(&self, facts: &Facts<'_>) -> Result<Count, PolicyFailure> {
        let limits = &self.entry.limits;
        let shared = Arc::new(Shared {
            name: self.entry.name.clone(),
            lines: None,
            state: Arc::new(State::new(&[0; 32])),
            clock: self.sandbox.clock().clone(),
        });
        let mut cell = Cell::new(shared, limits);
        cell.now_ms = facts.now_ms;
        cell.seed = facts.seed;
        let mut store = Store::new(&self.engine, cell);
        store.limiter(|cell| cell);
        store.set_hostcall_fuel(limits.answer_bytes);
        let counted = pin!(self.run(&mut store, facts));
        tokio::time::timeout(WITHIN, counted).await.unwrap_or(Err(PolicyFailure::Deadline))
    }

    async fn run(
        &self,
        store: &mut Store<Cell>,
        facts: &Facts<'_>,
    ) -> Result<Count, PolicyFailure> {
        let fail = |error: wasmtime::Error| failure(&error);
        store.set_fuel(Counter::INSTRUCTIONS).map_err(fail)?;
        store.fuel_async_yield_interval(Some(INSTRUCTIONS_BEFORE_YIELD)).map_err(fail)?;
        let instance = self.instance.instantiate_async(&mut *store).await.map_err(fail)?;
        let configure = instance
            .get_typed_func::<(&str,), Configured>(&mut *store, &self.configure)
            .map_err(fail)?;
        let config = self.entry.config.as_str();
        let (declared,) = configure.call_async(&mut *store, (config,)).await.map_err(fail)?;
        let declared = declared.map_err(|_| PolicyFailure::Error)?;
        let left = store.get_fuel().map_err(fail)?;
        let configured = Counter::INSTRUCTIONS.saturating_sub(left);

        let Entry { grants, limits, .. } = &self.entry;
        let lists = Lists::of(facts);
        let targets = lists.targets(facts);
        let segments = contract::segments(facts, grants);
        let findings = contract::findings(facts, grants);
        if findings.as_ref().is_some_and(|findings| findings.len() > limits.findings) {
            return Err(PolicyFailure::Nonsense(Nonsense::TooMuch));
        }
        let scores = contract::scores(facts, &declared.into())?;
        let request = contract::request(
            facts,
            grants,
            &lists,
            &targets,
            &segments,
            findings.as_deref(),
            &scores,
        );
        store.data_mut().models = facts.models.filter(|_| grants.model).cloned();
        store.set_fuel(Counter::INSTRUCTIONS).map_err(fail)?;
        let judge = instance
            .get_typed_func::<(&types::Request<'_>,), Judged>(&mut *store, &self.judge)
            .map_err(fail)?;
        let (judged,) = judge.call_async(&mut *store, (&request,)).await.map_err(fail)?;
        judged.map_err(|_| PolicyFailure::Error)?;
        let left = store.get_fuel().map_err(fail)?;
        Ok(Count { configure: configured, judge: Counter::INSTRUCTIONS.saturating_sub(left) })
    }
}
