//! The bindings of the Go SDK, and the runtime that they need.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use wit_bindgen_core::Files;
use wit_bindgen_go::{Format, Opts};

use crate::contract::{self, Exports};

/// Where they are, in `sdk/go`.
const FOLDER: &str = "internal/bindings";
/// Their package.
const PACKAGE: &str = "github.com/ringfence/ringfence/sdk/go/internal/bindings";
/// Where the generator's authors publish the runtime, which is kept here instead.
const RUNTIME: &str = "go.bytecodealliance.org/pkg/wit";
/// What of the runtime is needed: streams and futures are not.
const RUNTIME_FILES: [&str; 7] = [
    "LICENSE",
    "wit/runtime/runtime.go",
    "wit/runtime/empty.s",
    "wit/types/option.go",
    "wit/types/result.go",
    "wit/types/tuple.go",
    "wit/types/unit.go",
];

/// Writes the bindings into `sdk/go`. What each half exports has a package of its own, so
/// that a policy exports `response` only if it imports it.
pub fn write(sdk: &Path) -> anyhow::Result<()> {
    let folder = sdk.join("go").join(FOLDER);
    for made in ["imports", "exports/wit_exports", "exports/wit_response", "wit"] {
        let made = folder.join(made);
        if made.exists() {
            fs::remove_dir_all(&made)?;
        }
    }
    let mut made = BTreeSet::new();
    let mut put = |name: String, bytes: &[u8]| {
        let to = folder.join(&name);
        made.insert(name);
        fs::create_dir_all(to.parent().unwrap_or(&folder))?;
        fs::write(&to, bytes).with_context(|| to.display().to_string())
    };
    let sources = runtime()?;
    for name in RUNTIME_FILES {
        let bytes = fs::read(sources.join(name)).with_context(|| name.to_owned())?;
        put(format!("wit/{}", name.strip_prefix("wit/").unwrap_or(name)), &bytes)?;
    }
    for (exports, part, package) in [
        (Exports::All, "imports/", None),
        (Exports::Judge, "exports/wit_exports/", None),
        (Exports::Response, "exports/wit_exports/", Some("wit_response")),
    ] {
        let (mut resolve, world) = contract::world(sdk, exports)?;
        let mut files = Files::default();
        let opts = Opts {
            format: Format::True,
            pkg_name: Some(PACKAGE.to_owned()),
            quiet: true,
            ..Opts::default()
        };
        opts.build().generate(&mut resolve, world, &mut files)?;
        for (name, bytes) in files.iter().filter(|(name, _)| name.starts_with(part)) {
            let mut text = std::str::from_utf8(bytes)?.replace(RUNTIME, &format!("{PACKAGE}/wit"));
            let mut name = name.to_owned();
            if let Some(package) = package {
                text = text.replace("package wit_exports", &format!("package {package}"));
                name = name.replace("wit_exports", package);
            }
            put(name, text.as_bytes())?;
        }
    }
    // The generator takes the imports as they come.
    let status = Command::new("gofmt").arg("-l").arg("-w").arg(&folder).status();
    anyhow::ensure!(status.is_ok_and(|status| status.success()), "gofmt is missing, or failed");
    fs::write(folder.join("lock.toml"), contract::lock(sdk, &folder, &made)?)?;
    Ok(())
}

/// The folder of the runtime, in the sources of the generator's package.
fn runtime() -> anyhow::Result<PathBuf> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path", manifest])
        .output()?;
    let told: serde_json::Value = serde_json::from_slice(&told.stdout)?;
    let packages = told["packages"].as_array().context("cargo metadata names no packages")?;
    let path = packages
        .iter()
        .find(|package| package["name"] == "wit-bindgen-go")
        .and_then(|package| package["manifest_path"].as_str())
        .context("cargo metadata names no wit-bindgen-go")?;
    Ok(Path::new(path).with_file_name("src").join("pkg"))
}
