//! The hostile and the merely peculiar policies of `tests/guests`.

use std::path::PathBuf;

// A guest that cannot be made is a mistake of the test.
#[allow(clippy::unwrap_used)]
#[path = "../guests/by_hand.rs"]
pub mod by_hand;

/// The component of that name in `tests/guests/dist`.
pub fn path(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("guests/dist");
    folder.join(format!("{name}.wasm"))
}

/// Its bytes.
pub fn bytes(name: &str) -> Vec<u8> {
    let path = path(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
