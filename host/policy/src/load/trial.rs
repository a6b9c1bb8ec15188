//! Cases, held against a component in the sandbox.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use ringfence_fence::Digest;
use wasmtime::component::Component;

use super::aside::{Aside, aside};
use super::checks::{check_entry, check_exports, check_imports};
use super::{Load, LoadError};
use crate::cache::Compiled;
use crate::cases::{Case, Cases, Outcome, Said};
use crate::cell::Shared;
use crate::chain::Chain;
use crate::declaration::Declaration;
use crate::entry::{Entry, Limits};
use crate::inspection::Inspection;
use crate::policy::Policy;
use crate::sandbox::Sandbox;
use crate::state::State;

/// How much longer a case may take than a request: it stands behind what serves, and tells
/// what a policy says and not how fast.
const SLACK: u32 = 10;
/// Marks compiled code that is no snapshot of any configuration.
const UNCONFIGURED: &str = "unconfigured";

impl Sandbox {
    /// Holds `cases` against a component: each in a fresh instance within `limits`, with
    /// the configuration and the grants that it names, and with counters of its own.
    /// Blocks, as [`Sandbox::load`] does; the component is compiled once.
    ///
    /// # Errors
    /// [`LoadError`]: the component does not load at all, whatever the case.
    pub fn hold(
        &self,
        bytes: &[u8],
        cases: &Arc<Cases>,
        limits: &Limits,
    ) -> Result<Vec<Outcome>, LoadError> {
        let mut entry = Entry { limits: limits.clone(), ..Entry::new("case") };
        check_entry(&entry)?;
        entry.limits.deadline *= SLACK;
        entry.limits.patience *= SLACK;
        let digest = Digest::of(bytes);
        if !self.admits(&digest) {
            return Err(LoadError::Busy);
        }
        let (sandbox, state) = (self.clone(), self.state().clone());
        let load = Load { sandbox, entry, bytes: bytes.to_vec(), digest, state };
        let cases = cases.clone();
        let ended = Arc::new(AtomicBool::new(false));
        let within = self.config().load_within;
        match aside(move || load.hold(&cases), within, ended.clone()) {
            Ok(held) => held,
            Err(Aside::Slow) => {
                self.abandon(digest, ended);
                Err(LoadError::Slow(within))
            }
            Err(Aside::Broke) => Err(LoadError::Damaged("holding cases failed".to_owned())),
            Err(Aside::NoThread) => Err(LoadError::Sandbox("no thread for cases".to_owned())),
        }
    }
}

impl Load {
    fn hold(mut self, cases: &Cases) -> Result<Vec<Outcome>, LoadError> {
        let inspection = Inspection::of(&self.bytes)?;
        check_exports(&inspection)?;
        let component = self.unconfigured()?;
        self.bytes = Vec::new();
        let executor = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| LoadError::Sandbox(error.to_string()))?;
        let mut outcomes = Vec::with_capacity(cases.count());
        let begun = Instant::now();
        let within = self.sandbox.config().load_within;
        for case in cases.list() {
            // Nobody waits any more.
            if begun.elapsed() > within {
                return Err(LoadError::Slow(within));
            }
            self.entry.config.clone_from(&case.config);
            self.entry.grants = case.grants.clone();
            let said = executor.block_on(self.say(case, &inspection, &component))?;
            outcomes.push(Outcome {
                name: case.name.clone(),
                line: case.line,
                said,
                expected: case.expected.clone(),
            });
        }
        Ok(outcomes)
    }

    /// The component as it is, compiled, from the cache where it is kept.
    fn unconfigured(&mut self) -> Result<Component, LoadError> {
        UNCONFIGURED.clone_into(&mut self.entry.config);
        let key = self.cache_key();
        let cache = self.sandbox.cache();
        if let Some(kept) = cache.and_then(|cache| cache.get(self.sandbox.engine(), &key)) {
            return Ok(kept.component);
        }
        let component = self.component(&self.bytes)?;
        if let Some(cache) = cache {
            let declaration = Declaration::default();
            let compiled = Compiled { component: component.clone(), snapshot: false, declaration };
            cache.put(&key, &compiled);
        }
        Ok(component)
    }

    /// What the policy says of one case.
    async fn say(
        &self,
        case: &Case,
        inspection: &Inspection,
        component: &Component,
    ) -> Result<Said, LoadError> {
        match check_imports(inspection, &self.entry.grants) {
            Err(LoadError::Imports { ungranted, unknown }) if unknown.is_empty() => {
                return Ok(Said::ungranted(ungranted));
            }
            checked => checked?,
        }
        let shared = Arc::new(Shared {
            name: self.entry.name.clone(),
            // A case's lines are nobody's to read.
            lines: None,
            state: Arc::new(State::new(&[0; 32])),
            clock: self.sandbox.clock().clone(),
        });
        let declaration = match self.configure(component, &shared).await {
            Ok(declaration) => declaration,
            Err(LoadError::Refused(_)) => return Ok(Said::refused()),
            // This case's own table may be why, so the case is what does not hold.
            Err(LoadError::Configure(failure)) => return Ok(Said::failed(failure)),
            Err(error) => return Err(error),
        };
        let needs = declaration.needs.iter();
        let missing: Vec<String> =
            needs.filter(|need| !self.entry.grants.holds(need)).cloned().collect();
        if !missing.is_empty() {
            return Ok(Said::ungranted(missing));
        }
        let compiled = Compiled { component: component.clone(), snapshot: false, declaration };
        // A case ends with the judgement.
        let ready = self.link(&compiled, shared, false)?;
        self.try_out(&ready, &compiled.declaration).await?;
        let entry = &self.entry;
        let policy = Policy {
            name: entry.name.clone(),
            version: None,
            contract: inspection.contract.clone().unwrap_or_default(),
            digest: self.digest,
            mode: entry.mode,
            on_failure: entry.on_failure,
            snapshot: false,
            declaration: compiled.declaration,
            grants: entry.grants.clone(),
            limits: entry.limits.clone(),
            ready,
        };
        let scene = &case.scene;
        let mut verdicts = Chain::new(vec![Arc::new(policy)]).judge(&scene.facts()).await;
        Ok(match verdicts.pop().map(|verdict| verdict.outcome) {
            Some(Ok(judgement)) => Said::of(&judgement, &scene.request),
            Some(Err(failure)) => Said::failed(failure),
            None => return Err(LoadError::Sandbox("nothing was judged".to_owned())),
        })
    }
}
