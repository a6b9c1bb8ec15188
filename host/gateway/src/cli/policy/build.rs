//! `ringfence policy build`: finds a project's toolchain, or says what to install.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ringfence_policy::{CASES_SECTION, Format, add_section, component_of};

use super::{about, read, read_cases, sandbox, test};
use crate::cli::Trouble;
use crate::cli::screen::Screen;

/// The target of Rust's compiler.
const WASM: &str = "wasm32-unknown-unknown";
/// Debian's compiler, and the library that it builds from source.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LIBRARY: &str = "/usr/lib/rustlib/src/rust/library/std";
/// The oldest Node.js that the packages run on.
const NODE: u32 = 18;

/// A project whose toolchain is there.
struct Project {
    folder: PathBuf,
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
        rust(folder)?
    } else if folder.join("package.json").exists() {
        js(folder)?
    } else {
        let what = "no Cargo.toml and no package.json: `ringfence policy new` makes a project";
        return Err(about(folder, &what));
    };
    let file = folder.join("build").join(format!("{}.wasm", project.name));
    let cases = ["cases.json", "cases.yaml", "cases.yml"].map(|name| project.folder.join(name));
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

fn rust(folder: &Path) -> Result<(Project, Vec<u8>), Trouble> {
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|error| about(&manifest, &error))?;
    let table: toml::Table = text.parse().map_err(|error| about(&manifest, &error))?;
    let value = |key: &str| table.get("package")?.get(key)?.as_str().map(str::to_owned);
    let name = value("name").ok_or_else(|| about(&manifest, &"expected package.name"))?;
    let project = Project {
        folder: folder.to_owned(),
        version: value("version").unwrap_or_else(|| "0.0.0".to_owned()),
        name,
    };
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

fn js(folder: &Path) -> Result<(Project, Vec<u8>), Trouble> {
    let package = folder.join("package.json");
    let text = fs::read_to_string(&package).map_err(|error| about(&package, &error))?;
    let json: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| about(&package, &error))?;
    let value = |key: &str| json.get(key)?.as_str().map(str::to_owned);
    let name = value("name").ok_or_else(|| about(&package, &"expected a name"))?;
    if name.contains(['/', '\\']) || name.starts_with('.') {
        return Err(about(&package, &"expected a name without a scope"));
    }
    let version = value("version").unwrap_or_else(|| "0.0.0".to_owned());
    let node = said("node", &["--version"]);
    let major = node
        .as_deref()
        .and_then(|told| told.trim().strip_prefix('v')?.split('.').next()?.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE) {
        return Err(missing(
            &format!("Node.js {NODE} or later"),
            "install it from https://nodejs.org; on Debian: `apt-get install nodejs npm`",
        ));
    }
    if said("npm", &["--version"]).is_none() {
        return Err(missing("npm", "on Debian: `apt-get install npm`"));
    }
    for tool in ["esbuild", "componentize-qjs"] {
        if !folder.join("node_modules/.bin").join(tool).exists() {
            let how = format!("run `npm install` in {}", folder.display());
            return Err(missing(&format!("the project's own {tool}"), &how));
        }
    }
    let mut npm = Command::new("npm");
    finish("npm run build", npm.current_dir(folder).args(["run", "--silent", "build"]))?;
    let component = read(&folder.join("build").join(format!("{name}.wasm")))?;
    Ok((Project { folder: folder.to_owned(), name, version }, component))
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
