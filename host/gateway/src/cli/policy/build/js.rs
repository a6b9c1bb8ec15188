//! TypeScript and JavaScript: npm, with the project's own packages.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Project, finish, missing, project, said};
use crate::cli::Trouble;
use crate::cli::policy::{about, read};

/// The oldest Node.js that the packages run on.
const NODE: u32 = 18;

/// Builds the project in `folder`.
pub(super) fn build(folder: &Path) -> Result<(Project, Vec<u8>), Trouble> {
    let package = folder.join("package.json");
    let text = fs::read_to_string(&package).map_err(|error| about(&package, &error))?;
    let json: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| about(&package, &error))?;
    let value = |key: &str| json.get(key)?.as_str().map(str::to_owned);
    let name = value("name").ok_or_else(|| about(&package, &"expected a name"))?;
    let version = value("version").unwrap_or_else(|| "0.0.0".to_owned());
    let project = project(&package, name, version)?;
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
    let component = read(&folder.join("build").join(format!("{}.wasm", project.name)))?;
    Ok((project, component))
}
