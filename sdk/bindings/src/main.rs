//! Writes the bindings that an SDK keeps in the repository: `cargo run -- c go`.

mod c;
mod contract;
mod go;

use std::path::Path;

fn main() -> anyhow::Result<()> {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let languages: Vec<String> = std::env::args().skip(1).collect();
    anyhow::ensure!(!languages.is_empty(), "usage: cargo run -- [c] [go]");
    for language in &languages {
        match language.as_str() {
            "c" => c::write(&sdk)?,
            "go" => go::write(&sdk)?,
            other => anyhow::bail!("there are no bindings for {other}: expected c or go"),
        }
    }
    Ok(())
}
