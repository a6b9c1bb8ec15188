//! The bindings that SDKs keep are those of the contract.
//!
//! Needs no toolchain: it holds their locks, whose rule stands in `sdk/bindings`, against
//! the committed files.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Folders of bindings, and what in each was written by hand.
const BINDINGS: [(&str, &[&str]); 2] = [
    (
        "sdk/go/internal/bindings",
        &["exports/export_ringfence_policy_judge", "exports/export_ringfence_policy_response"],
    ),
    ("sdk/c/src/bindings", &[]),
];

#[test]
fn bindings_are_those_of_the_contract() {
    let contract = digest(&root().join("wit"), &[]);
    for (folder, by_hand) in BINDINGS {
        let folder = root().join(folder);
        let lock = fs::read_to_string(folder.join("lock.toml")).expect("a lock");
        for (key, found) in [("contract", &contract), ("made", &digest(&folder, by_hand))] {
            let line = lock.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
            assert_eq!(
                line.map(|value| value.trim_matches('"')),
                Some(found.as_str()),
                "{key} of {}: run `cargo run --manifest-path sdk/bindings/Cargo.toml -- c go`",
                folder.display(),
            );
        }
    }
}

/// SHA-256 over a line `DIGEST  PATH` for each file, in the order of the paths' bytes.
fn digest(folder: &Path, without: &[&str]) -> String {
    let mut paths: Vec<String> = files(folder)
        .iter()
        .map(|file| file.strip_prefix(folder).expect("a path below the folder"))
        .filter(|path| !path.ends_with("lock.toml"))
        .filter(|path| !without.iter().any(|hand| path.starts_with(hand)))
        .map(|path| path.to_str().expect("a path in UTF-8").to_owned())
        .collect();
    paths.sort();
    let read = |path: &String| fs::read(folder.join(path)).expect("a file");
    let lines: String =
        paths.iter().map(|path| format!("{}  {path}\n", hex(&read(path)))).collect();
    assert!(!lines.is_empty(), "{}", folder.display());
    hex(lines.as_bytes())
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("a folder");
        return entries.flat_map(|entry| files(&entry.expect("an entry").path())).collect();
    }
    vec![path.to_owned()]
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
