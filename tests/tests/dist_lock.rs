//! What `policies/dist` and `tests/guests/dist` hold is what their sources build.
//!
//! Needs no toolchain for WebAssembly: it holds the committed locks against the
//! committed files. `policies/build --check` builds them again and compares the bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The workspaces of guests.
const WORKSPACES: [&str; 2] = ["policies", "tests/guests"];

/// What every guest is built from, beside its own folder and its workspace's manifest.
const SHARED: [&str; 7] = [
    "wit",
    "sdk/rust/src",
    "sdk/rust/Cargo.toml",
    "policies/build",
    "policies/componentize/src",
    "policies/componentize/Cargo.toml",
    "policies/componentize/Cargo.lock",
];

#[test]
fn every_component_is_the_one_that_its_lock_names() {
    for workspace in WORKSPACES {
        let lock = lock(workspace);
        for guest in guests(workspace) {
            let component = root().join(workspace).join("dist").join(format!("{guest}.wasm"));
            let bytes = read(&component);
            assert!(bytes.starts_with(b"\0asm\x0d\0\x01\0"), "{}", component.display());
            assert_eq!(lock[&guest]["artifact"], hex(&bytes), "{workspace}/dist/{guest}.wasm");
        }
    }
}

#[test]
fn every_component_is_built_from_these_sources() {
    for workspace in WORKSPACES {
        let lock = lock(workspace);
        for guest in guests(workspace) {
            assert_eq!(
                lock[&guest]["sources"],
                sources(workspace, &guest),
                "{workspace}/{guest} has changed since it was built: run policies/build",
            );
        }
    }
}

#[test]
fn no_component_is_without_sources() {
    for workspace in WORKSPACES {
        let guests = guests(workspace);
        assert!(!guests.is_empty(), "{workspace}");
        let mut built: Vec<String> = files(&root().join(workspace).join("dist"))
            .iter()
            .filter(|file| file.extension().is_some_and(|extension| extension == "wasm"))
            .filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()))
            .collect();
        built.sort();
        assert_eq!(built, guests, "{workspace}/dist");
        let locked: Vec<String> =
            lock(workspace).into_keys().filter(|name| name != "toolchain").collect();
        assert_eq!(locked, guests, "{workspace}/dist/lock.toml");
    }
}

/// The digest that `policies/build` writes, by the same rule: SHA-256 over a line
/// `DIGEST  PATH` for each file, in the order of the paths' bytes.
fn sources(workspace: &str, guest: &str) -> String {
    let own = ["src", "wit", "Cargo.toml"].map(|part| format!("{workspace}/{guest}/{part}"));
    let workspace = ["Cargo.toml", "Cargo.lock"].map(|part| format!("{workspace}/{part}"));
    let mut paths: Vec<String> = SHARED
        .map(str::to_owned)
        .into_iter()
        .chain(workspace)
        .chain(own)
        .flat_map(|path| files(&root().join(path)))
        .map(|file| {
            let path = file.strip_prefix(root()).expect("a path below the root");
            path.to_str().expect("a path in UTF-8").to_owned()
        })
        .collect();
    paths.sort();
    let lines: String =
        paths.iter().map(|path| format!("{}  {path}\n", hex(&read(&root().join(path))))).collect();
    hex(lines.as_bytes())
}

/// The folders of a workspace that hold a guest.
fn guests(workspace: &str) -> Vec<String> {
    let folders = fs::read_dir(root().join(workspace)).expect("a workspace of guests");
    let mut guests: Vec<String> = folders
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("Cargo.toml").exists())
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .filter(|name| name != "componentize")
        .collect();
    guests.sort();
    guests
}

/// The tables of a lock: names to keys to values. Every value is a string.
fn lock(workspace: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let file = root().join(workspace).join("dist/lock.toml");
    let text = String::from_utf8(read(&file)).expect("a lock in UTF-8");
    let mut tables: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut table = String::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            table = name.to_owned();
            continue;
        }
        let (key, value) = line.split_once(" = ").unwrap_or_else(|| panic!("{line}"));
        tables
            .entry(table.clone())
            .or_default()
            .insert(key.to_owned(), value.trim_matches('"').to_owned());
    }
    tables
}

/// The file, or every file below the folder; nothing where there is neither.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("a folder");
        return entries.flat_map(|entry| files(&entry.expect("an entry").path())).collect();
    }
    path.exists().then(|| path.to_owned()).into_iter().collect()
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
