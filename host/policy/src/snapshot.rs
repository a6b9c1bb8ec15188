//! Configured once: the memories of a configured instance become the component that
//! every request starts from.

use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use wasmtime::component::Component;
use wasmtime_wizer::{WasmtimeWizerComponent, Wizer};

use crate::cell::{Cell, Meter, Metered, Shared};
use crate::contract::{Configured, JUDGE};
use crate::declaration::Declaration;
use crate::entry::Entry;
use crate::load::{export, linker};
use crate::sandbox::Sandbox;

/// Bytes that may be lifted while a snapshot is taken: whole memories.
const LIFTED_BYTES: usize = 2 << 30;
/// Instances and memories that the instrumentation may add.
const ADDED: usize = 8;
/// Ticks until a deadline that never comes.
const NEVER: u64 = 1 << 40;

/// What came of it.
pub(crate) enum Snapshot {
    /// A component that is configured.
    Taken {
        /// The component's bytes.
        bytes: Vec<u8>,
        /// What it declared.
        declaration: Declaration,
    },
    /// Its `configure` returned an error.
    Refused(String),
    /// The component's form does not allow one, its `configure` failed, or it holds
    /// something of the host's that would be gone.
    Impossible,
}

/// Configures an instance of the component and takes its snapshot. Runs on an engine of
/// its own, within the entry's limits.
pub(crate) async fn take(
    sandbox: &Sandbox,
    entry: &Entry,
    shared: &Arc<Shared>,
    bytes: &[u8],
) -> Snapshot {
    let engine = sandbox.snapshots();
    let mut wizer = Wizer::new();
    wizer.keep_init_func(true);
    let Ok(instrumented) = std::panic::catch_unwind(|| wizer.instrument_component(bytes)) else {
        return Snapshot::Impossible;
    };
    let Ok((context, instrumented)) = instrumented else { return Snapshot::Impossible };
    let Ok(component) = Component::new(engine, &instrumented) else { return Snapshot::Impossible };
    let Ok(linker) = linker(engine, &entry.grants) else { return Snapshot::Impossible };
    let Ok(index) = export(&component, JUDGE, "configure") else { return Snapshot::Impossible };

    // Instances and memories that the instrumentation adds do not count against the
    // policy.
    let mut limits = entry.limits.clone();
    limits.instances += ADDED;
    limits.memories += ADDED;
    let meter = Meter::new();
    let cell = Cell::new(shared.clone(), &limits);
    let mut store = cell.into_store(engine, &limits, limits.configure_deadline, &meter);
    let patience = limits.configure_deadline + limits.patience;
    let configured = {
        let future = pin!(async {
            let instance = linker.instantiate_async(&mut store, &component).await?;
            let configure = instance.get_typed_func::<(&str,), Configured>(&mut store, &index)?;
            let (declared,) = configure.call_async(&mut store, (&entry.config,)).await?;
            Ok::<_, wasmtime::Error>((instance, declared))
        });
        tokio::time::timeout(patience, Metered { meter: &meter, future }).await
    };
    let (instance, declared) = match configured {
        Ok(Ok((instance, Ok(declared)))) => (instance, declared),
        Ok(Ok((_, Err(text)))) => return Snapshot::Refused(text),
        Ok(Err(_)) | Err(_) => return Snapshot::Impossible,
    };
    // A handle that the guest remembers would name nothing in a fresh instance.
    if store.data().wasi.as_ref().is_some_and(|wasi| !wasi.holds_nothing()) {
        return Snapshot::Impossible;
    }

    // What runs from here on is the instrumentation's own code, over whole memories.
    store.set_epoch_deadline(NEVER);
    store.set_hostcall_fuel(LIFTED_BYTES);
    let mut state = WasmtimeWizerComponent { store: &mut store, instance };
    let snapshot = pin!(wizer.snapshot_component(&context, &mut state));
    match (Caught { future: snapshot }).await {
        Some(Ok(bytes)) => Snapshot::Taken { bytes, declaration: declared.into() },
        Some(Err(_)) | None => Snapshot::Impossible,
    }
}

/// A future that is `None` when it panics: the code that takes snapshots expects
/// well-behaved components.
struct Caught<'a, F> {
    future: Pin<&'a mut F>,
}

impl<F: Future> Future for Caught<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Option<F::Output>> {
        let poll = AssertUnwindSafe(|| self.future.as_mut().poll(cx));
        match std::panic::catch_unwind(poll) {
            Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(None),
        }
    }
}
