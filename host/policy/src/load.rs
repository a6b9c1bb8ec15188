//! From bytes to a policy: looked at, compiled, configured, snapshotted.

use std::hash::{Hash, Hasher};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ringfence_fence::{Digest, PolicyFailure};
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, InstancePre, Linker};

use self::aside::{Aside, aside};
use self::checks::{check_entry, check_exports, check_imports, check_response};
pub use self::count::{Count, Counter};
pub use self::error::LoadError;
use crate::cache::Compiled;
use crate::cell::{Cell, Meter, Metered, Shared, failure};
use crate::contract::response::{Inspected, Window};
use crate::contract::{
    self, Configured, JUDGE, Judged, RESPONSE, VERSION, log, model, state, types,
};
use crate::declaration::Declaration;
use crate::entry::{Entry, Grants};
use crate::inspection::Inspection;
use crate::log::{Lines, escape};
use crate::policy::{Policy, Ready};
use crate::sandbox::Sandbox;
use crate::snapshot::{self, Snapshot};
use crate::state::State;
use crate::wasi;

mod aside;
mod checks;
mod count;
mod error;
mod trial;

/// Bytes of a message that a policy or the compiler gives.
const MESSAGE_BYTES: usize = 1024;

impl Sandbox {
    /// Loads a policy. Blocks, for tens of milliseconds up to
    /// [`crate::SandboxConfig::load_within`]; call it off the serving path. What is loaded
    /// already is not touched.
    ///
    /// # Errors
    /// [`LoadError`]: nothing of the policy runs.
    pub fn load(&self, entry: &Entry, bytes: &[u8]) -> Result<Policy, LoadError> {
        self.load_with(entry, bytes, self.state().clone())
    }

    /// Loads a policy that is to be watched beside the one of its name: its counters begin
    /// at that one's, as they are now, and are its own from then on.
    ///
    /// # Errors
    /// [`LoadError`]: nothing of the policy runs.
    pub fn load_beside(&self, entry: &Entry, bytes: &[u8]) -> Result<Policy, LoadError> {
        self.load_with(entry, bytes, Arc::new(self.state().fork(&entry.name)))
    }

    fn load_with(
        &self,
        entry: &Entry,
        bytes: &[u8],
        state: Arc<State>,
    ) -> Result<Policy, LoadError> {
        let limit = self.config().file_bytes;
        if bytes.len() > limit {
            return Err(LoadError::TooLarge { bytes: bytes.len(), limit });
        }
        check_entry(entry)?;
        let digest = Digest::of(bytes);
        if !self.admits(&digest) {
            return Err(LoadError::Busy);
        }
        let (sandbox, entry, bytes) = (self.clone(), entry.clone(), bytes.to_vec());
        let ended = Arc::new(AtomicBool::new(false));
        let load = move || Load { sandbox, entry, bytes, digest, state }.run();
        let within = self.config().load_within;
        match aside(load, within, ended.clone()) {
            Ok(loaded) => loaded,
            Err(Aside::Slow) => {
                self.abandon(digest, ended);
                Err(LoadError::Slow(within))
            }
            Err(Aside::Broke) => Err(LoadError::Damaged("reading it failed".to_owned())),
            Err(Aside::NoThread) => Err(LoadError::Sandbox("no thread to load in".to_owned())),
        }
    }
}

/// Looks at a policy file without compiling or running it.
///
/// # Errors
/// [`LoadError`]: it is no component, damaged, or too large or complex.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, LoadError> {
    let limit = crate::SandboxConfig::FILE_BYTES;
    if bytes.len() > limit {
        return Err(LoadError::TooLarge { bytes: bytes.len(), limit });
    }
    let bytes = bytes.to_vec();
    let within = crate::SandboxConfig::LOAD_WITHIN;
    match aside(move || Inspection::of(&bytes), within, Arc::default()) {
        Ok(inspection) => inspection,
        Err(Aside::Slow) => Err(LoadError::Slow(within)),
        Err(Aside::Broke) => Err(LoadError::Damaged("reading it failed".to_owned())),
        Err(Aside::NoThread) => Err(LoadError::Sandbox("no thread to inspect in".to_owned())),
    }
}

/// One load, on its own thread.
struct Load {
    sandbox: Sandbox,
    entry: Entry,
    bytes: Vec<u8>,
    digest: Digest,
    state: Arc<State>,
}

impl Load {
    fn run(self) -> Result<Policy, LoadError> {
        let inspection = Inspection::of(&self.bytes)?;
        check_exports(&inspection)?;
        check_response(&inspection, &self.entry)?;
        check_imports(&inspection, &self.entry.grants)?;
        let shared = Arc::new(Shared {
            name: self.entry.name.clone(),
            lines: self.entry.grants.log.then(Lines::default),
            state: self.state.clone(),
            clock: self.sandbox.clock().clone(),
        });
        let key = self.cache_key();
        let cached = self.sandbox.cache().and_then(|cache| cache.get(self.sandbox.engine(), &key));
        let fresh = cached.is_none();
        let executor = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| LoadError::Sandbox(error.to_string()))?;
        let compiled = match cached {
            Some(compiled) => compiled,
            None => executor.block_on(self.compile(&shared))?,
        };
        let missing: Vec<String> = compiled
            .declaration
            .needs
            .iter()
            .filter(|need| !self.entry.grants.holds(need))
            .cloned()
            .collect();
        if !missing.is_empty() {
            return Err(LoadError::Needs(missing));
        }
        let ready = self.link(&compiled, shared, inspection.inspects)?;
        executor.block_on(self.try_out(&ready, &compiled.declaration))?;
        if fresh && let Some(cache) = self.sandbox.cache() {
            cache.put(&key, &compiled);
        }
        let Entry { name, mode, on_failure, grants, limits, .. } = self.entry;
        Ok(Policy {
            name,
            version: inspection.version,
            contract: inspection.contract.unwrap_or_default(),
            digest: self.digest,
            mode,
            on_failure,
            snapshot: compiled.snapshot,
            declaration: compiled.declaration,
            grants,
            limits,
            ready,
        })
    }

    /// What a compiled policy depends on.
    fn cache_key(&self) -> Digest {
        let mut engine = Sha256Hasher(Sha256::new());
        self.sandbox.engine().precompile_compatibility_hash().hash(&mut engine);
        // What it may call, and how much it may take, while it is configured.
        let allowed = format!("{:?}", (&self.entry.grants, &self.entry.limits));
        let parts: [&[u8]; 6] = [
            &self.digest.0,
            &engine.0.finalize(),
            self.entry.config.as_bytes(),
            VERSION.as_bytes(),
            env!("CARGO_PKG_VERSION").as_bytes(),
            allowed.as_bytes(),
        ];
        let mut key = Sha256::new();
        for part in parts {
            key.update((part.len() as u64).to_be_bytes());
            key.update(part);
        }
        Digest(key.finalize().into())
    }

    /// Compiles the configured snapshot, or the file as it is where there can be none.
    async fn compile(&self, shared: &Arc<Shared>) -> Result<Compiled, LoadError> {
        match snapshot::take(&self.sandbox, &self.entry, shared, &self.bytes).await {
            Snapshot::Taken { bytes, declaration } => {
                let declaration = declaration.check().map_err(LoadError::Declaration)?;
                let component = self.component(&bytes)?;
                Ok(Compiled { component, snapshot: true, declaration })
            }
            Snapshot::Refused(message) => Err(LoadError::Refused(escape(&message, MESSAGE_BYTES))),
            // Whatever the reason, the file itself gives the answer that counts.
            Snapshot::Impossible => {
                let component = self.component(&self.bytes)?;
                let declaration = self.configure(&component, shared).await?;
                Ok(Compiled { component, snapshot: false, declaration })
            }
        }
    }

    fn component(&self, bytes: &[u8]) -> Result<Component, LoadError> {
        Component::new(self.sandbox.engine(), bytes)
            .map_err(|error| LoadError::Compile(escape(&format!("{error:#}"), MESSAGE_BYTES)))
    }

    /// Configures a fresh instance, for what it declares.
    async fn configure(
        &self,
        component: &Component,
        shared: &Arc<Shared>,
    ) -> Result<Declaration, LoadError> {
        let pre = self.pre(component)?;
        let index = export(component, JUDGE, "configure")?;
        let limits = &self.entry.limits;
        let meter = Meter::new();
        let cell = Cell::new(shared.clone(), limits);
        let deadline = limits.configure_deadline;
        let mut store = cell.into_store(self.sandbox.engine(), limits, deadline, &meter);
        let called = async {
            let instance = pre.instantiate_async(&mut store).await.map_err(failed)?;
            let configure = instance
                .get_typed_func::<(&str,), Configured>(&mut store, &index)
                .map_err(|error| LoadError::Contract(words(&error)))?;
            let (declared,) =
                configure.call_async(&mut store, (&self.entry.config,)).await.map_err(failed)?;
            Ok(declared)
        };
        let future = pin!(called);
        let metered = Metered { meter: &meter, future };
        let patience = deadline + limits.patience;
        let declared = tokio::time::timeout(patience, metered)
            .await
            .map_err(|_| LoadError::Configure(PolicyFailure::Deadline))??;
        let declared = declared.map_err(|text| LoadError::Refused(escape(&text, MESSAGE_BYTES)))?;
        Declaration::from(declared).check().map_err(LoadError::Declaration)
    }

    fn link(
        &self,
        compiled: &Compiled,
        shared: Arc<Shared>,
        inspects: bool,
    ) -> Result<Ready, LoadError> {
        let component = &compiled.component;
        let instance = self.pre(component)?;
        let limits = &self.entry.limits;
        let required = component
            .resources_required()
            .ok_or_else(|| LoadError::Limits("it imports modules".to_owned()))?;
        if required.max_initial_memory_size.is_some_and(|size| size > limits.memory_bytes as u64) {
            return Err(LoadError::Limits(format!(
                "a memory of more than {} bytes to start with",
                limits.memory_bytes
            )));
        }
        if required.num_memories as usize > limits.memories
            || required.num_tables as usize > limits.instances
        {
            return Err(LoadError::Limits(format!(
                "{} memories and {} tables",
                required.num_memories, required.num_tables
            )));
        }
        let weight = self
            .sandbox
            .weight(required.num_memories, required.num_tables)
            .ok_or_else(|| LoadError::Limits("more than the whole pool".to_owned()))?;
        let configure = match compiled.snapshot {
            true => None,
            false => Some((export(component, JUDGE, "configure")?, self.entry.config.clone())),
        };
        Ok(Ready {
            sandbox: self.sandbox.clone(),
            shared,
            instance,
            judge: export(component, JUDGE, "judge")?,
            inspect: inspects.then(|| export(component, RESPONSE, "inspect")).transpose()?,
            configure,
            config: Digest::of(self.entry.config.as_bytes()),
            weight,
        })
    }

    fn pre(&self, component: &Component) -> Result<InstancePre<Cell>, LoadError> {
        linker(self.sandbox.engine(), &self.entry.grants)
            .and_then(|linker| linker.instantiate_pre(component))
            .map_err(|error| LoadError::Contract(words(&error)))
    }

    /// Makes one instance as every request will, and checks the types of what it exports.
    async fn try_out(&self, ready: &Ready, declaration: &Declaration) -> Result<(), LoadError> {
        let limits = &self.entry.limits;
        let meter = Meter::new();
        let cell = Cell::new(ready.shared.clone(), limits);
        let deadline = limits.configure_deadline;
        let mut store = cell.into_store(self.sandbox.engine(), limits, deadline, &meter);
        let tried = async {
            let instance = ready.instance.instantiate_async(&mut store).await.map_err(failed)?;
            instance
                .get_typed_func::<(&types::Request<'_>,), Judged>(&mut store, &ready.judge)
                .map_err(|error| LoadError::Contract(words(&error)))?;
            if let Some(inspect) = &ready.inspect {
                instance
                    .get_typed_func::<(&Window<'_>,), Inspected>(&mut store, inspect)
                    .map_err(|error| LoadError::Contract(words(&error)))?;
            }
            let Some((configure, config)) = &ready.configure else { return Ok(()) };
            let configure = instance
                .get_typed_func::<(&str,), Configured>(&mut store, configure)
                .map_err(|error| LoadError::Contract(words(&error)))?;
            let (declared,) = configure.call_async(&mut store, (config,)).await.map_err(failed)?;
            let declared =
                declared.map_err(|text| LoadError::Refused(escape(&text, MESSAGE_BYTES)))?;
            if Declaration::from(declared).check().as_ref() != Ok(declaration) {
                return Err(LoadError::Declaration("it differs from call to call".to_owned()));
            }
            Ok(())
        };
        let future = pin!(tried);
        let patience = deadline + limits.patience;
        tokio::time::timeout(patience, Metered { meter: &meter, future })
            .await
            .map_err(|_| LoadError::Configure(PolicyFailure::Deadline))?
    }
}

/// A linker with what an entry grants and the empty system interface, and nothing else.
pub(crate) fn linker(engine: &Engine, grants: &Grants) -> wasmtime::Result<Linker<Cell>> {
    let mut linker = Linker::new(engine);
    wasi::link(&mut linker)?;
    linker.instance(&format!("{}/types@{VERSION}", contract::PACKAGE))?;
    if grants.log {
        log::add_to_linker::<Cell, HasSelf<Cell>>(&mut linker, |cell| cell)?;
    }
    if grants.state {
        state::add_to_linker::<Cell, HasSelf<Cell>>(&mut linker, |cell| cell)?;
    }
    if grants.model {
        model::add_to_linker::<Cell, HasSelf<Cell>>(&mut linker, |cell| cell)?;
    }
    Ok(linker)
}

/// The index of a function of one of the interfaces that a policy exports.
pub(crate) fn export(
    component: &Component,
    interface: &str,
    function: &str,
) -> Result<wasmtime::component::ComponentExportIndex, LoadError> {
    component
        .get_export_index(None, interface)
        .and_then(|instance| component.get_export_index(Some(&instance), function))
        .ok_or_else(|| LoadError::Contract(format!("{interface} has no function `{function}`")))
}

fn failed(error: wasmtime::Error) -> LoadError {
    LoadError::Configure(failure(&error))
}

fn words(error: &wasmtime::Error) -> String {
    escape(&format!("{error:#}"), MESSAGE_BYTES)
}

/// Collects what a value hashes.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
