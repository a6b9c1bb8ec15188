//! `ringfence policy new`: a project with everything in it that its build needs from here.

mod c;
mod go;

use std::fs;
use std::path::Path;

use clap::ValueEnum;

use super::about;
use crate::cli::Trouble;
use crate::cli::screen::Screen;

/// A language that a project can be made for.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Rust
    Rust,
    /// TypeScript; JavaScript works the same
    Ts,
    /// Python
    Python,
    /// Go
    Go,
    /// C
    C,
}

/// A file of a project: its path, and what it holds.
type File = (&'static str, &'static str);

const CONTRACT: File = ("wit/policy.wit", include_str!("../../../../../wit/policy.wit"));

/// The package's name in the templates.
const TEMPLATE_NAME: &str = "my-policy";

macro_rules! sdk {
    ($path:literal) => {
        include_str!(concat!("../../../../../sdk/", $path))
    };
}

const RUST: [File; 12] = [
    ("Cargo.toml", sdk!("rust/template/Cargo.toml")),
    ("src/lib.rs", sdk!("rust/template/src/lib.rs")),
    ("cases.json", sdk!("rust/template/cases.json")),
    (".gitignore", "/target/\n/build/\n"),
    ("vendor/ringfence-sdk/src/lib.rs", sdk!("rust/src/lib.rs")),
    ("vendor/ringfence-sdk/src/grants.rs", sdk!("rust/src/grants.rs")),
    ("vendor/ringfence-sdk/src/request.rs", sdk!("rust/src/request.rs")),
    ("vendor/ringfence-sdk/src/response.rs", sdk!("rust/src/response.rs")),
    ("vendor/ringfence-sdk/src/judgement.rs", sdk!("rust/src/judgement.rs")),
    ("vendor/ringfence-sdk/src/cases.rs", sdk!("rust/src/cases.rs")),
    ("vendor/ringfence-sdk/src/cases/asked.rs", sdk!("rust/src/cases/asked.rs")),
    ("vendor/ringfence-sdk/README.md", sdk!("rust/README.md")),
];

/// The package of the SDK, as it stands in this repository.
const RUST_SDK: File = ("vendor/ringfence-sdk/Cargo.toml", sdk!("rust/Cargo.toml"));

const TS: [File; 13] = [
    ("package.json", sdk!("js/template/package.json")),
    ("tsconfig.json", sdk!("js/template/tsconfig.json")),
    ("src/policy.ts", sdk!("js/template/src/policy.ts")),
    ("cases.json", sdk!("js/template/cases.json")),
    ("cases.test.mjs", sdk!("js/template/cases.test.mjs")),
    (".gitignore", sdk!("js/template/gitignore")),
    ("vendor/ringfence-sdk/package.json", sdk!("js/package.json")),
    ("vendor/ringfence-sdk/README.md", sdk!("js/README.md")),
    ("vendor/ringfence-sdk/src/index.js", sdk!("js/src/index.js")),
    ("vendor/ringfence-sdk/src/index.d.ts", sdk!("js/src/index.d.ts")),
    ("vendor/ringfence-sdk/src/spans.js", sdk!("js/src/spans.js")),
    ("vendor/ringfence-sdk/src/cases.js", sdk!("js/src/cases.js")),
    ("vendor/ringfence-sdk/src/cases.d.ts", sdk!("js/src/cases.d.ts")),
];

const PYTHON: [File; 14] = [
    ("pyproject.toml", sdk!("python/template/pyproject.toml")),
    ("requirements.txt", sdk!("python/template/requirements.txt")),
    ("src/policy.py", sdk!("python/template/src/policy.py")),
    ("cases.json", sdk!("python/template/cases.json")),
    ("test_cases.py", sdk!("python/template/test_cases.py")),
    (".gitignore", sdk!("python/template/gitignore")),
    ("vendor/ringfence_sdk/README.md", sdk!("python/README.md")),
    ("vendor/ringfence_sdk/__init__.py", sdk!("python/ringfence_sdk/__init__.py")),
    ("vendor/ringfence_sdk/_result.py", sdk!("python/ringfence_sdk/_result.py")),
    ("vendor/ringfence_sdk/_types.py", sdk!("python/ringfence_sdk/_types.py")),
    ("vendor/ringfence_sdk/cases.py", sdk!("python/ringfence_sdk/cases.py")),
    ("vendor/ringfence_sdk/contract.py", sdk!("python/ringfence_sdk/contract.py")),
    ("vendor/ringfence_sdk/spans.py", sdk!("python/ringfence_sdk/spans.py")),
    ("vendor/ringfence_sdk/py.typed", sdk!("python/ringfence_sdk/py.typed")),
];

/// Bytes of a name at most.
const NAME_BYTES: usize = 64;

/// A name that is one in every language's registry.
pub fn name(text: &str) -> Result<String, String> {
    let fits = text.len() <= NAME_BYTES
        && text.starts_with(|letter: char| letter.is_ascii_lowercase())
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    fits.then(|| text.to_owned()).ok_or_else(|| {
        format!("expected at most {NAME_BYTES} lower-case letters, digits and hyphens")
    })
}

/// Writes a project into a folder that is empty or not there yet.
///
/// # Errors
/// [`Trouble`]: something is there already, or cannot be written.
pub fn new(
    name: &str,
    language: Language,
    folder: &Path,
    screen: &mut Screen,
) -> Result<(), Trouble> {
    let taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        return Err(about(folder, &"there is something in it already: name an empty folder"));
    }
    for (path, content) in files(name, language) {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| about(parent, &error))?;
        fs::write(&path, content).map_err(|error| about(&path, &error))?;
    }
    screen.line(&format!("{} is there. Next:", folder.display()))?;
    screen.line(&format!("  cd {}", folder.display()))?;
    for step in match language {
        Language::Rust => ["cargo test                # its cases, natively"].as_slice(),
        Language::Ts => &["npm install", "npm test                  # its cases, natively"],
        Language::Python => &[
            "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
            "python3 -m unittest       # its cases, natively",
        ],
        Language::Go => &["go test                   # its cases, natively"],
        Language::C => &[
            "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
            "sh test.sh                # its cases, natively",
        ],
    } {
        screen.line(&format!("  {step}"))?;
    }
    Ok(screen.line("  ringfence policy build    # the component, and its cases in the sandbox")?)
}

/// The files of a project of that name.
fn files(name: &str, language: Language) -> Vec<(&'static str, String)> {
    let mut files: Vec<(&'static str, String)> = vec![(CONTRACT.0, CONTRACT.1.to_owned())];
    let template: &[File] = match language {
        Language::Rust => &RUST,
        Language::Ts => &TS,
        Language::Python => &PYTHON,
        Language::Go => go::FILES,
        Language::C => c::FILES,
    };
    files.extend(template.iter().map(|(path, content)| (*path, (*content).to_owned())));
    match language {
        Language::Rust => {
            files.push((RUST_SDK.0, apart(RUST_SDK.1)));
            change(&mut files, "Cargo.toml", "path = \"..\"", "path = \"vendor/ringfence-sdk\"");
            change(&mut files, "Cargo.toml", TEMPLATE_NAME, name);
        }
        Language::Ts => change(&mut files, "package.json", TEMPLATE_NAME, name),
        Language::Python => change(&mut files, "pyproject.toml", TEMPLATE_NAME, name),
        Language::Go => {
            change(&mut files, "go.mod", TEMPLATE_NAME, name);
            change(&mut files, "go.mod", "=> ../", "=> ./sdk");
        }
        Language::C => change(&mut files, "policy.toml", TEMPLATE_NAME, name),
    }
    files
}

fn change(files: &mut [(&'static str, String)], path: &str, before: &str, after: &str) {
    for (_, content) in files.iter_mut().filter(|(known, _)| *known == path) {
        *content = content.replace(before, after);
    }
}

/// The package of the Rust SDK without what ties it to this repository.
fn apart(manifest: &str) -> String {
    let tied = ["workspace = ", "# Its tests run", "[lints]"];
    let lines = manifest.lines().filter(|line| !tied.iter().any(|start| line.starts_with(start)));
    lines.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file<'a>(files: &'a [(&'static str, String)], path: &str) -> &'a str {
        files.iter().find(|(known, _)| *known == path).map_or("", |(_, content)| content)
    }

    #[test]
    fn projects_have_their_name_and_stand_alone() {
        let rust = files("night-shift", Language::Rust);
        let manifest = file(&rust, "Cargo.toml");
        assert!(manifest.contains("name = \"night-shift\""), "{manifest}");
        assert_eq!(manifest.matches("path = \"vendor/ringfence-sdk\"").count(), 2, "{manifest}");
        let sdk = file(&rust, RUST_SDK.0);
        assert!(sdk.contains("wit-bindgen") && !sdk.contains("workspace"), "{sdk}");
        let ts = files("night-shift", Language::Ts);
        let package = file(&ts, "package.json");
        assert!(package.contains("build/night-shift.wasm"), "{package}");
        assert!(!package.contains(TEMPLATE_NAME), "{package}");
        let python = files("night-shift", Language::Python);
        assert!(file(&python, "pyproject.toml").contains("name = \"night-shift\""));
        let go = files("night-shift", Language::Go);
        let module = file(&go, "go.mod");
        assert!(module.starts_with("module night-shift\n"), "{module}");
        assert!(module.contains("sdk/go => ./sdk\n"), "{module}");
        assert!(file(&go, "sdk/go.mod").starts_with("module github.com/ringfence/"));
        let c = files("night-shift", Language::C);
        assert!(file(&c, "policy.toml").contains("name = \"night-shift\""));
        for files in [&rust, &ts, &python, &go, &c] {
            assert!(file(files, CONTRACT.0).contains("package ringfence:policy@"));
        }
    }

    #[test]
    fn names_fit_every_registry() {
        for good in ["a", "night-shift", "p2"] {
            assert!(name(good).is_ok(), "{good}");
        }
        let long = "x".repeat(NAME_BYTES + 1);
        for bad in ["", "-a", "a-", "Night", "a_b", "a/b", "..", "2a", "\u{e9}", &long] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
