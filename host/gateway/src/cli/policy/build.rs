//! `ringfence policy build`: finds a project's toolchain, or says what to install.

mod c;
mod go;
mod js;
mod python;
mod rust;

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use ringfence_policy::{CASES_SECTION, Format, add_section};

use super::{about, read_cases, sandbox, test};
use crate::cli::Trouble;
use crate::cli::screen::Screen;

/// A project whose toolchain is there.
struct Project {
    name: String,
    version: String,
}

/// Builds the project in `folder` into `build/NAME.wasm`, puts its version and its cases
/// into the component, and holds them.
///
/// # Errors
/// [`Trouble`]: no project, a tool that is missing and how to install it, a build that
/// failed, or a case that does not hold.
pub fn build(folder: &Path, screen: &mut Screen) -> Result<(), Trouble> {
    let folder = &std::path::absolute(folder).map_err(|error| about(folder, &error))?;
    let (project, mut component) = if folder.join("Cargo.toml").exists() {
        rust::build(folder)?
    } else if folder.join("package.json").exists() {
        js::build(folder)?
    } else if folder.join("pyproject.toml").exists() {
        python::build(folder)?
    } else if folder.join("go.mod").exists() {
        go::build(folder)?
    } else if folder.join(c::MANIFEST).exists() {
        c::build(folder)?
    } else {
        let what = "no Cargo.toml, package.json, pyproject.toml, go.mod or policy.toml: \
                    `ringfence policy new` makes a project";
        return Err(about(folder, &what));
    };
    let file = folder.join("build").join(format!("{}.wasm", project.name));
    let cases = ["cases.json", "cases.yaml", "cases.yml"].map(|name| folder.join(name));
    let cases = cases.iter().find(|path| path.exists());
    let text = cases.map(|path| read_cases(path)).transpose()?;
    add_section(&mut component, "version", project.version.as_bytes());
    if let (Some(path), Some(text)) = (cases, &text) {
        if Format::of(path) == Format::Json {
            add_section(&mut component, CASES_SECTION, text.as_bytes());
        } else {
            let beside = file.with_extension("cases.yaml");
            fs::create_dir_all(folder.join("build")).map_err(|error| about(folder, &error))?;
            fs::write(&beside, text).map_err(|error| about(&beside, &error))?;
        }
    }
    fs::create_dir_all(folder.join("build")).map_err(|error| about(folder, &error))?;
    fs::write(&file, &component).map_err(|error| about(&file, &error))?;
    screen.line(&format!("{}: {} bytes", file.display(), component.len()))?;
    let (Some(path), Some(text)) = (cases, &text) else {
        return Ok(screen.line("there are no cases: write cases.json or cases.yaml")?);
    };
    let outcomes = test::hold(&sandbox()?, &file, &component, &test::parsed(path, text)?)?;
    test::report(&path.display().to_string(), &outcomes, screen)
}

/// What a program says, when it is there and succeeds.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

/// Runs a program whose own words go where ours go.
fn finish(what: &str, command: &mut Command) -> Result<(), Trouble> {
    let status = command.status().map_err(|error| {
        let program = command.get_program();
        about(Path::new::<OsStr>(program), &error)
    })?;
    match status.success() {
        true => Ok(()),
        false => Err(Trouble::Found(format!("{what} failed: see above"))),
    }
}

fn missing(what: &str, how: &str) -> Trouble {
    Trouble::Found(format!("{what} is missing: {how}"))
}

/// The name and the version in a table of a TOML file.
fn named(file: &Path, table: &str) -> Result<Project, Trouble> {
    let text = fs::read_to_string(file).map_err(|error| about(file, &error))?;
    let whole: toml::Table = text.parse().map_err(|error| about(file, &error))?;
    let value = |key: &str| whole.get(table)?.get(key)?.as_str().map(str::to_owned);
    let version = value("version").unwrap_or_else(|| "0.0.0".to_owned());
    match value("name") {
        Some(name) => project(file, name, version),
        None => Err(about(file, &format!("expected {table}.name"))),
    }
}

/// A project whose name can be that of a file.
fn project(file: &Path, name: String, version: String) -> Result<Project, Trouble> {
    if name.contains(['/', '\\']) || name.starts_with('.') || name.is_empty() {
        return Err(about(file, &"expected a name without slashes, and no scope"));
    }
    Ok(Project { name, version })
}
