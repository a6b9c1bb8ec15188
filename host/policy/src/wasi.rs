//! The empty system interface: what toolchains link in without being asked.
//!
//! No arguments, no environment, no files, no sockets; input is at its end, output
//! goes nowhere. The clock stands still at the request's time and random numbers
//! follow from its seed, so that a judgement stays a function of its input.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings;
use wasmtime_wasi::random::{Deterministic, WasiRandom, WasiRandomView as _};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};

use crate::cell::Cell;

/// Handles that an instance may hold at once.
const HANDLES: usize = 1024;
/// Random bytes that it gets in one call.
const RANDOM_BYTES: u64 = 64 << 10;

/// Interfaces that are linked, without their versions. Sockets are not among them.
const LINKED: [&str; 20] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:clocks/wall-clock",
    "wasi:clocks/monotonic-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/random",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
];

/// The system interface of one instance.
pub(crate) struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
}

impl Wasi {
    fn new(now_ms: f64, seed: u32) -> Wasi {
        let noise = || Deterministic::new(Sha256::digest(seed.to_le_bytes()).to_vec());
        let now = Duration::try_from_secs_f64(now_ms / 1000.0).unwrap_or_default();
        let context = WasiCtx::builder()
            .wall_clock(Still(now))
            .monotonic_clock(Still(now))
            .secure_random(noise())
            .insecure_random(noise())
            .insecure_random_seed(u128::from(seed))
            .max_random_size(RANDOM_BYTES)
            .allow_tcp(false)
            .allow_udp(false)
            .build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        Wasi { context, table }
    }

    /// Whether the guest holds no handle: one that did could not be snapshotted.
    pub(crate) fn holds_nothing(&self) -> bool {
        self.table.is_empty()
    }
}

/// Whether an import of this name is served by [`link`].
pub(crate) fn serves(import: &str) -> bool {
    let Some((interface, version)) = import.split_once('@') else { return false };
    version.starts_with("0.2.") && LINKED.contains(&interface)
}

/// Links the empty system interface.
///
/// # Errors
/// When the linker has one already.
pub(crate) fn link(linker: &mut Linker<Cell>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(linker)?;
    bindings::random::insecure::add_to_linker::<Cell, WasiRandom>(linker, Cell::random)?;
    bindings::random::insecure_seed::add_to_linker::<Cell, WasiRandom>(linker, Cell::random)?;
    bindings::cli::exit::add_to_linker::<Cell, WasiCli>(linker, Cell::cli)?;
    bindings::cli::environment::add_to_linker::<Cell, WasiCli>(linker, Cell::cli)?;
    bindings::cli::terminal_input::add_to_linker::<Cell, WasiCli>(linker, Cell::cli)?;
    bindings::cli::terminal_output::add_to_linker::<Cell, WasiCli>(linker, Cell::cli)?;
    bindings::cli::terminal_stdin::add_to_linker::<Cell, WasiCli>(linker, Cell::cli)?;
    bindings::cli::terminal_stdout::add_to_linker::<Cell, WasiCli>(linker, Cell::cli)?;
    bindings::cli::terminal_stderr::add_to_linker::<Cell, WasiCli>(linker, Cell::cli)?;
    bindings::filesystem::types::add_to_linker::<Cell, WasiFilesystem>(linker, Cell::filesystem)?;
    bindings::filesystem::preopens::add_to_linker::<Cell, WasiFilesystem>(linker, Cell::filesystem)
}

impl WasiView for Cell {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        // Every call passes here. It cannot fail here; the next tick stops the policy.
        let _ = self.spend_call();
        let (now_ms, seed) = (self.now_ms, self.seed);
        let wasi = self.wasi.get_or_insert_with(|| Box::new(Wasi::new(now_ms, seed)));
        WasiCtxView { ctx: &mut wasi.context, table: &mut wasi.table }
    }
}

/// A clock that stands still.
struct Still(Duration);

impl HostWallClock for Still {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

impl HostMonotonicClock for Still {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        // While a policy is configured the time is nought, which no clock that counts from
        // the start of a machine says: Go's runtime does not begin then.
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wasmtime_wasi::HostMonotonicClock as _;

    use super::{Still, serves};

    #[test]
    fn a_clock_that_stands_still_has_begun() {
        for (millis, nanos) in [(0, 1), (1, 1_000_000), (u64::MAX, u64::MAX)] {
            assert_eq!(Still(Duration::from_millis(millis)).now(), nanos, "{millis}");
        }
    }

    #[test]
    fn sockets_and_strangers_are_not_served() {
        assert!(serves("wasi:cli/environment@0.2.6"));
        assert!(serves("wasi:filesystem/types@0.2.0"));
        for import in [
            "wasi:sockets/tcp@0.2.6",
            "wasi:http/outgoing-handler@0.2.6",
            "wasi:cli/environment@0.3.0",
            "wasi:cli/environment",
            "wasi:cli/run@0.2.6",
            "env",
        ] {
            assert!(!serves(import), "{import}");
        }
    }
}
