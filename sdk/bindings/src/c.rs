//! The bindings of the C SDK.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use wit_bindgen_c::Opts;
use wit_bindgen_core::Files;

use crate::contract::{self, Exports};

/// Where they are, in `sdk/c`.
const FOLDER: &str = "src/bindings";

/// Writes the bindings into `sdk/c`: what every policy exports, and nothing that is imported.
pub fn write(sdk: &Path) -> anyhow::Result<()> {
    let folder = sdk.join("c").join(FOLDER);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let (mut resolve, world) = contract::world(sdk, Exports::JudgeAlone)?;
    let mut files = Files::default();
    let mut generator = Opts::default().build();
    generator.generate(&mut resolve, world, &mut files)?;
    let mut made = BTreeSet::new();
    // The contract goes into the component when it is made: no object is kept.
    for (name, content) in files.iter().filter(|(name, _)| !name.ends_with(".o")) {
        fs::write(folder.join(name), content)?;
        made.insert(name.to_owned());
    }
    fs::write(folder.join("lock.toml"), contract::lock(sdk, &folder, &made)?)?;
    Ok(())
}
