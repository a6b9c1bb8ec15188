//! The sandbox: one per process. Engines, pool, clock, and what all policies share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringfence_fence::{Digest, PolicyFailure};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    RegallocAlgorithm, Strategy,
};

use crate::cache::Cache;
use crate::clock::Clock;
use crate::entry::Limits;
use crate::private::{PrivateFolder, PrivateFolderError};
use crate::state::State;

/// Loads that may go on after their time was over, until no further load is taken.
const ABANDONED_LOADS: usize = 2;
/// Core instances of the pool for each slot: interpreted languages link dozens.
const CORE_INSTANCES_PER_SLOT: u32 = 64;
/// Tables of the pool for each slot.
const TABLES_PER_SLOT: u32 = 2;
/// Policies that compute for longer than most, at the same time: for each so many cores, and
/// one at the least.
const CORES_PER_LANE: usize = 2;
/// Bytes of the runtime's own records of one instance.
const INSTANCE_RECORD_BYTES: usize = 4 << 20;
/// Bytes of WebAssembly stack. Deeper recursion traps.
const WASM_STACK_BYTES: usize = 512 << 10;
/// Bytes of a stack that policies run on: the above and the host's own calls.
const STACK_BYTES: usize = 1 << 20;

/// How the sandbox is built.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// The private folder of compiled policies; nothing is kept without one. Made with
    /// mode 0700 when it does not exist.
    pub cache: Option<PathBuf>,
    /// Policies that run at the same time; more wait for their turn. At most
    /// [`SandboxConfig::INSTANCES_MOST`].
    pub instances: u32,
    /// Bytes of each linear memory that stay resident between two requests.
    pub keep_resident_bytes: usize,
    /// The largest policy file.
    pub file_bytes: usize,
    /// How long one load may take.
    pub load_within: Duration,
}

impl SandboxConfig {
    /// Default of [`SandboxConfig::instances`].
    pub const INSTANCES: u32 = 256;
    /// The most instances: each reserves address space of a few GiB.
    pub const INSTANCES_MOST: u32 = 4_096;
    /// Default of [`SandboxConfig::keep_resident_bytes`].
    pub const KEEP_RESIDENT_BYTES: usize = 2 << 20;
    /// Default of [`SandboxConfig::file_bytes`]. A Python interpreter takes 18 MB.
    pub const FILE_BYTES: usize = 32 << 20;
    /// Default of [`SandboxConfig::load_within`].
    pub const LOAD_WITHIN: Duration = Duration::from_secs(120);
}

impl Default for SandboxConfig {
    fn default() -> SandboxConfig {
        SandboxConfig {
            cache: None,
            instances: SandboxConfig::INSTANCES,
            keep_resident_bytes: SandboxConfig::KEEP_RESIDENT_BYTES,
            file_bytes: SandboxConfig::FILE_BYTES,
            load_within: SandboxConfig::LOAD_WITHIN,
        }
    }
}

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The configuration asks for more than there can be.
    #[error("instances must be between 1 and {}", SandboxConfig::INSTANCES_MOST)]
    Instances,
    /// The runtime does not start: this machine does not give what it needs.
    #[error("the WebAssembly runtime does not start: {0}")]
    Runtime(String),
    /// The cache's folder is not usable.
    #[error("the policy cache is not usable: {0}")]
    Cache(#[from] PrivateFolderError),
}

/// The sandbox. Cloning shares it.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    config: SandboxConfig,
    engine: Engine,
    snapshots: Engine,
    slots: Arc<Semaphore>,
    lane: Arc<Semaphore>,
    cache: Option<Cache>,
    state: Arc<State>,
    abandoned: Mutex<Vec<(Digest, Arc<AtomicBool>)>>,
    clock: Arc<Clock>,
}

impl Sandbox {
    /// Builds the sandbox. One per process: it reserves address space, and starts a
    /// thread that lives until the last clone and the last policy are gone.
    ///
    /// # Errors
    /// [`SandboxError`]: a configuration out of range, a machine without the means, or a
    /// folder that others may write.
    pub fn new(config: SandboxConfig) -> Result<Sandbox, SandboxError> {
        if !(1..=SandboxConfig::INSTANCES_MOST).contains(&config.instances) {
            return Err(SandboxError::Instances);
        }
        let runtime = |error: wasmtime::Error| SandboxError::Runtime(format!("{error:#}"));
        let engine = Engine::new(&serving(&config)).map_err(runtime)?;
        let snapshots = Engine::new(&snapshotting()).map_err(runtime)?;
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| SandboxError::Runtime(error.to_string()))?;
        let cache = match &config.cache {
            Some(path) => Some(Cache::new(PrivateFolder::open(path)?)),
            None => None,
        };
        let clock = Clock::start([engine.clone(), snapshots.clone()])
            .map_err(|error| SandboxError::Runtime(error.to_string()))?;
        Ok(Sandbox {
            inner: Arc::new(Inner {
                slots: Arc::new(Semaphore::new(config.instances as usize)),
                lane: Arc::new(Semaphore::new(lanes())),
                config,
                engine,
                snapshots,
                cache,
                state: Arc::new(State::new(&key)),
                abandoned: Mutex::default(),
                clock: Arc::new(clock),
            }),
        })
    }

    /// How it was built.
    pub fn config(&self) -> &SandboxConfig {
        &self.inner.config
    }

    /// The engine that serves.
    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// The engine that makes snapshots, off the serving path and without the pool.
    pub(crate) fn snapshots(&self) -> &Engine {
        &self.inner.snapshots
    }

    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.inner.cache.as_ref()
    }

    pub(crate) fn clock(&self) -> &Arc<Clock> {
        &self.inner.clock
    }

    /// Where policies take turns that compute for long.
    pub(crate) fn lane(&self) -> Arc<Semaphore> {
        self.inner.lane.clone()
    }

    pub(crate) fn state(&self) -> &Arc<State> {
        &self.inner.state
    }

    /// Waits for so many slots of the pool, in turn.
    ///
    /// # Errors
    /// [`PolicyFailure::Busy`] when there were none for so long.
    pub(crate) async fn slots(
        &self,
        weight: u32,
        patience: Duration,
    ) -> Result<OwnedSemaphorePermit, PolicyFailure> {
        let slots = Arc::clone(&self.inner.slots);
        match tokio::time::timeout(patience, slots.acquire_many_owned(weight)).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(PolicyFailure::Busy),
        }
    }

    /// Slots of the pool that a component with so many memories and tables takes; absent
    /// when it does not fit the pool at all.
    pub(crate) fn weight(&self, memories: u32, tables: u32) -> Option<u32> {
        let weight = memories.max(tables.div_ceil(TABLES_PER_SLOT)).max(1);
        (weight <= self.inner.config.instances).then_some(weight)
    }

    /// Whether a load of this file may start: not while the same file, or too many
    /// others, still compile after their time was over.
    pub(crate) fn admits(&self, digest: &Digest) -> bool {
        let mut abandoned = self.abandoned();
        abandoned.retain(|(_, ended)| !ended.load(Relaxed));
        abandoned.len() < ABANDONED_LOADS && abandoned.iter().all(|(other, _)| other != digest)
    }

    /// Notes that the load of this file goes on after its time was over, until `ended`
    /// says otherwise.
    pub(crate) fn abandon(&self, digest: Digest, ended: Arc<AtomicBool>) {
        self.abandoned().push((digest, ended));
    }

    fn abandoned(&self) -> MutexGuard<'_, Vec<(Digest, Arc<AtomicBool>)>> {
        self.inner.abandoned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("config", &self.inner.config).finish_non_exhaustive()
    }
}

/// So many policies may compute for long at the same time: the other half of the cores is
/// for everybody else.
fn lanes() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores / CORES_PER_LANE).max(1)
}

/// What both engines agree on.
fn house_rules() -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .wasm_component_model(true)
        .concurrency_support(false)
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(STACK_BYTES)
        .wasm_memory64(false)
        .wasm_custom_page_sizes(false)
        .wasm_relaxed_simd(true)
        .relaxed_simd_deterministic(true)
        // A decision that is replayed elsewhere must not differ in the bits of a NaN.
        .cranelift_nan_canonicalization(true)
        // Backtraces carry names from the file and cost time at every trap.
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false)
        // The compiler's own threads would stand in the way of requests, and of the
        // local model on the CPU.
        .parallel_compilation(false);
    config
}

fn serving(sandbox: &SandboxConfig) -> Config {
    let instances = sandbox.instances;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES_PER_SLOT))
        .total_memories(instances)
        .total_tables(instances.saturating_mul(TABLES_PER_SLOT))
        .total_stacks(instances)
        .max_core_instances_per_component(Limits::INSTANCES as u32)
        .max_memories_per_component(Limits::MEMORIES as u32)
        .max_tables_per_component(Limits::INSTANCES as u32)
        .max_memories_per_module(1)
        .max_tables_per_module(4)
        .max_component_instance_size(INSTANCE_RECORD_BYTES)
        .max_core_instance_size(INSTANCE_RECORD_BYTES)
        .max_memory_size(Limits::MEMORY_BYTES_MOST)
        .table_elements(Limits::TABLE_ELEMENTS)
        .linear_memory_keep_resident(sandbox.keep_resident_bytes)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut config = house_rules();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .memory_init_cow(true)
        // Components inside a component, as JavaScript's toolchain makes them, pass data
        // from one memory to another. A module has one memory of its own: see the pool.
        .wasm_multi_memory(true)
        .cranelift_opt_level(OptLevel::Speed);
    config
}

/// Snapshots run once on their own engine: the code that reads the memories out brings
/// memories of its own, and there is no pool to fill.
fn snapshotting() -> Config {
    let mut config = house_rules();
    config
        .wasm_multi_memory(true)
        .cranelift_opt_level(OptLevel::None)
        .cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass);
    config
}

/// Counts instructions and never serves: no pool and no clock. Compiled as what serves:
/// without optimisation the frames of an interpreter outgrow the stack.
pub(crate) fn counting() -> Config {
    let mut config = house_rules();
    config
        .epoch_interruption(false)
        .consume_fuel(true)
        .wasm_multi_memory(true)
        .cranelift_opt_level(OptLevel::Speed);
    config
}
