//! C: zig's compiler, which brings a C library for WebAssembly.

use std::path::{Path, PathBuf};
use std::process::Command;

use ringfence_policy::component_of_wasi;

use super::{Project, finish, missing, project, said};
use crate::cli::Trouble;
use crate::cli::policy::{about, read, read_text};

/// What says the project's name and version.
pub(super) const MANIFEST: &str = "policy.toml";
/// Bytes of a manifest.
const TEXT_BYTES: usize = 1 << 20;
/// The SDK's own sources, in the project.
const SDK: [&str; 3] = [
    "vendor/ringfence/ringfence.c",
    "vendor/ringfence/vendor/cJSON.c",
    "vendor/ringfence/bindings/made.c",
];

/// Builds the project in `folder`.
pub(super) fn build(folder: &Path) -> Result<(Project, Vec<u8>), Trouble> {
    let manifest = folder.join(MANIFEST);
    let text = read_text(&manifest, TEXT_BYTES)?;
    let whole: toml::Table = text.parse().map_err(|error| about(&manifest, &error))?;
    let value = |key: &str| whole.get(key)?.as_str().map(str::to_owned);
    let name = value("name").ok_or_else(|| about(&manifest, &"expected a name"))?;
    let version = value("version").unwrap_or_else(|| "0.0.0".to_owned());
    let project = project(&manifest, name, version)?;
    let mut zig = compiler(folder).ok_or_else(|| {
        missing(
            "zig",
            &format!(
                "in {}, run `python3 -m venv .venv` and `.venv/bin/pip install ziglang==0.17.1`, \
                 or install it from https://ziglang.org/download",
                folder.display()
            ),
        )
    })?;
    let out = folder.join("build");
    std::fs::create_dir_all(&out).map_err(|error| about(&out, &error))?;
    let module = PathBuf::from("build").join(format!("{}.core.wasm", project.name));
    zig.current_dir(folder).args(["cc", "--target=wasm32-wasi", "-mexec-model=reactor"]);
    // No path of this machine goes into the component: the same sources make the same bytes.
    zig.args(["-Oz", "-flto", "-s", "-Wall", "-Wextra", "-Ivendor/ringfence", "-o"]).arg(&module);
    zig.arg("policy.c").args(SDK);
    finish("zig cc", &mut zig)?;
    let module = folder.join(module);
    let contract = read_text(&folder.join("wit").join("policy.wit"), TEXT_BYTES)?;
    let component =
        component_of_wasi(&read(&module)?, &contract).map_err(|error| about(&module, &error))?;
    Ok((project, component))
}

/// Zig on the path, from the project's own environment, or from Python's packages.
fn compiler(folder: &Path) -> Option<Command> {
    if said("zig", &["version"]).is_some() {
        return Some(Command::new("zig"));
    }
    let own = folder.join(".venv/bin/python");
    let pythons = [own.to_string_lossy().into_owned(), "python3".to_owned()];
    let python =
        pythons.into_iter().find(|python| said(python, &["-m", "ziglang", "version"]).is_some())?;
    let mut command = Command::new(python);
    command.args(["-m", "ziglang"]);
    Some(command)
}
