//! The contract, and the worlds that bindings are made for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use sha2::{Digest, Sha256};
use wit_bindgen_core::wit_parser::{Resolve, UnresolvedPackageGroup, WorldId};

/// What a world exports. Each but the last imports everything that a policy can be granted:
/// an import that nobody calls is in no component.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Exports {
    /// `judge`.
    Judge,
    /// `response`.
    Response,
    /// Both.
    All,
    /// `judge`, with nothing imported.
    JudgeAlone,
}

/// Interfaces that are exported and not imported, and the one without functions.
const NOT_IMPORTED: [&str; 3] = ["judge", "response", "types"];

/// The contract with a world that exports this.
pub fn world(sdk: &Path, exports: Exports) -> anyhow::Result<(Resolve, WorldId)> {
    let mut resolve = Resolve::default();
    let (contract, _) = resolve.push_dir(sdk.join("../wit")).context("wit/ cannot be read")?;
    let package = &resolve.packages[contract];
    let named = |name: &str| package.name.interface_id(name);
    let imports = package.interfaces.keys().filter(|name| !NOT_IMPORTED.contains(&name.as_str()));
    let mut text = "package ringfence:sdk;\nworld made {\n".to_owned();
    for name in imports.filter(|_| exports != Exports::JudgeAlone) {
        text += &format!("import {};\n", named(name));
    }
    if exports != Exports::Response {
        text += &format!("export {};\n", named("judge"));
    }
    if !matches!(exports, Exports::Judge | Exports::JudgeAlone) {
        text += &format!("export {};\n", named("response"));
    }
    text += "}\n";
    let group = UnresolvedPackageGroup::parse("made.wit", &text).map_err(|(_, error)| error)?;
    let made = resolve.push_group(group)?;
    let world = resolve.select_world(&[made], Some("made"))?;
    Ok((resolve, world))
}

/// The lock of bindings in `folder`, which tests/tests/bindings.rs holds: `contract` is the
/// SHA-256 over a line `DIGEST  PATH` for each file of `wit/`, and `made` over one for each of
/// `files`; DIGEST is the file's SHA-256 in hexadecimal, PATH is relative to the folder, and
/// the lines are in the order of the paths' bytes.
pub fn lock(sdk: &Path, folder: &Path, files: &BTreeSet<String>) -> anyhow::Result<String> {
    let wit = sdk.join("../wit");
    let mut contract = BTreeSet::new();
    for entry in fs::read_dir(&wit)? {
        contract.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(format!(
        "# Written by sdk/bindings: how both are computed stands there.\n\
         contract = \"{}\"\nmade = \"{}\"\n",
        digest(&wit, &contract)?,
        digest(folder, files)?
    ))
}

fn digest(folder: &Path, files: &BTreeSet<String>) -> anyhow::Result<String> {
    let mut lines = String::new();
    for file in files {
        let bytes = fs::read(folder.join(file)).with_context(|| file.clone())?;
        lines += &format!("{}  {file}\n", hex(&bytes));
    }
    Ok(hex(lines.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
