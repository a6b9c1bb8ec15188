//! Python: componentize-py, from the project's own environment or the path.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Project, finish, missing, named, said};
use crate::cli::Trouble;
use crate::cli::policy::{about, read};

/// The tool, by its name on the path and in a virtual environment.
const TOOL: &str = "componentize-py";

/// Builds the project in `folder`.
pub(super) fn build(folder: &Path) -> Result<(Project, Vec<u8>), Trouble> {
    let project = named(&folder.join("pyproject.toml"), "project")?;
    let environment = folder.join(".venv");
    let own = environment.join("bin").join(TOOL);
    let tool = if own.exists() { own } else { PathBuf::from(TOOL) };
    if said(&tool.to_string_lossy(), &["--version"]).is_none() {
        let how = format!(
            "in {}, run `python3 -m venv .venv` and `.venv/bin/pip install -r requirements.txt`",
            folder.display()
        );
        return Err(missing(TOOL, &how));
    }
    let out = folder.join("build");
    fs::create_dir_all(&out).map_err(|error| about(&out, &error))?;
    let file = out.join(format!("{}.wasm", project.name));
    let mut command = Command::new(tool);
    command.current_dir(folder).args(["--quiet", "--wit-path", "wit", "--world", "policy"]);
    command.args(["componentize", "--stub-wasi", "--python-path", "src"]);
    command.args(["--python-path", "vendor", "policy", "--output"]).arg(&file);
    if environment.exists() {
        command.env("VIRTUAL_ENV", &environment);
    }
    finish(TOOL, &mut command)?;
    Ok((project, read(&file)?))
}
