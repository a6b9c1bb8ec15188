//! Rust: cargo, with rustup's library for WebAssembly or Debian's.

use std::path::{Path, PathBuf};
use std::process::Command;

use ringfence_policy::component_of;

use super::{Project, finish, missing, named, said};
use crate::cli::Trouble;
use crate::cli::policy::{about, read};

/// The target of Rust's compiler.
const WASM: &str = "wasm32-unknown-unknown";
/// Debian's compiler, and the library that it builds from source.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LIBRARY: &str = "/usr/lib/rustlib/src/rust/library/std";
/// Builds the project in `folder`.
pub(super) fn build(folder: &Path) -> Result<(Project, Vec<u8>), Trouble> {
    let manifest = folder.join("Cargo.toml");
    let project = named(&manifest, "package")?;
    if said("cargo", &["--version"]).is_none() {
        return Err(missing("cargo", "install Rust from https://rustup.rs"));
    }
    let target = folder.join("target");
    let mut cargo = Command::new("cargo");
    cargo.current_dir(folder).args(["build", "--release", "--lib", "--target", WASM]);
    cargo.arg("--target-dir").arg(&target);
    let library = said("rustc", &["--print", "target-libdir", "--target", WASM]);
    if !library.is_some_and(|library| Path::new(&library).exists()) {
        if !Path::new(DEBIAN_RUSTC).exists() || !Path::new(DEBIAN_LIBRARY).exists() {
            return Err(missing(
                "Rust's library for WebAssembly",
                &format!(
                    "run `rustup target add {WASM}`; where nothing can be downloaded from there, \
                     on Debian: `apt-get install --no-install-recommends rustc-web rust-web-src`"
                ),
            ));
        }
        cargo.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
        cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker()?);
        cargo.args(["-Z", "build-std=std,panic_abort"]);
    }
    finish("cargo build", &mut cargo)?;
    let module = format!("{}.wasm", project.name.replace('-', "_"));
    let module = target.join(WASM).join("release").join(module);
    let component = component_of(&read(&module)?).map_err(|error| about(&module, &error))?;
    Ok((project, component))
}

/// The linker of rustup's compiler, or Debian's.
fn linker() -> Result<PathBuf, Trouble> {
    let host = said("rustc", &["-vV"]).and_then(|told| {
        told.lines().find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
    });
    let own = said("rustc", &["--print", "sysroot"])
        .zip(host)
        .map(|(root, host)| Path::new(&root).join("lib/rustlib").join(host).join("bin/rust-lld"));
    let debian = || {
        let linkers = ["wasm-ld-19", "wasm-ld"].into_iter();
        linkers.filter(|linker| said(linker, &["--version"]).is_some()).map(PathBuf::from).next()
    };
    own.filter(|linker| linker.exists()).or_else(debian).ok_or_else(|| {
        missing(
            "a linker for WebAssembly",
            "on Debian: `apt-get install --no-install-recommends lld-19`",
        )
    })
}
