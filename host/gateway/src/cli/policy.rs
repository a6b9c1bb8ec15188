//! `ringfence policy`: what an author and an operator ask about one policy file.

mod bench;
mod build;
mod check;
mod inspect;
mod judge;
mod replay;
mod scaffold;
mod sign;
mod test;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use http::Method;
use ringfence_policy::{
    Cases, Entities, Entry, Grants, Policy as Loaded, Sandbox, SandboxConfig, Score, read_file,
};

use super::Trouble;
use super::running::Running;
use super::screen::{Screen, visible};

/// Policy files.
#[derive(Subcommand)]
pub enum Policy {
    /// Make a project that builds and passes its cases at once
    New {
        /// The policy's name: lower-case letters, digits and hyphens
        #[arg(value_parser = scaffold::name)]
        name: String,
        /// The language
        #[arg(long)]
        lang: scaffold::Language,
        /// Where; a folder of that name without this
        #[arg(long, value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
    /// Build a project and hold its cases against the component
    Build {
        /// The project's folder
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Say what a file exports, imports and needs; nothing of it is run
    Inspect {
        /// The component
        file: PathBuf,
    },
    /// Say everything that the loader would say, and hold the policy's own cases
    Check {
        /// The component
        file: PathBuf,
        /// What it is granted and configured with
        #[command(flatten)]
        terms: Terms,
        /// Refuse it without cases of its own
        #[arg(long)]
        require_cases: bool,
        /// Refuse it unless this public key signed it, or one of several: the key, or its file
        #[arg(long, value_name = "KEY")]
        signed_by: Vec<String>,
    },
    /// Hold cases against a policy in the sandbox
    Test {
        /// The component
        file: PathBuf,
        /// Requests and what the policy is to say of them, in JSON or YAML; without one,
        /// those beside the file and those that it carries
        cases: Option<PathBuf>,
        /// Show what the policy says instead, and write that into the file of cases
        #[arg(long, requires = "cases")]
        update: bool,
    },
    /// Make a key pair to sign policies with, in minisign's format
    Keygen {
        /// Where: NAME.key, which is secret, and NAME.pub
        #[arg(value_name = "NAME")]
        path: PathBuf,
        /// How the secret key is protected
        #[command(flatten)]
        password: sign::Password,
    },
    /// Sign a policy file: writes FILE.minisig beside it
    Sign(sign::Signing),
    /// Hold a policy file against its signature
    Verify {
        /// The component
        file: PathBuf,
        /// Whose signature counts
        #[command(flatten)]
        trust: verify::Trust,
    },
    /// Judge one request, with the detectors of the gateway, and send nothing; record it, or
    /// replay a recording
    Run(judge::Judging),
    /// Put a candidate in the live version's place, in a gateway that runs
    Promote(Moving),
    /// Put the live version back in the place of its promoted candidate
    Rollback(Moving),
    /// Measure a fresh call by the size of the prompt: its time, and its instructions, which
    /// are the same on every machine
    Bench(bench::Benching),
}

/// Which policy, of which gateway.
#[derive(Args)]
pub struct Moving {
    /// The name of its entry
    pub name: String,
    /// Which gateway
    #[command(flatten)]
    pub gateway: Running,
}

/// What a policy is granted and configured with.
#[derive(Args, Clone)]
pub struct Terms {
    /// What it may see and call; everything without this
    #[arg(long, value_name = "GRANT", value_delimiter = ',', value_parser = Grants::NAMES)]
    pub grants: Option<Vec<String>>,
    /// Its own table, as JSON
    #[arg(long, value_name = "JSON", default_value = "{}", value_parser = table)]
    pub settings: String,
    /// What a classifier says of the request, for policies that need its scores
    #[arg(long = "score", value_name = "NAME/LABEL=PROBABILITY", value_parser = score)]
    pub scores: Vec<(String, f32)>,
}

impl Terms {
    fn scores(&self) -> Result<Vec<Score>, Trouble> {
        Score::list(self.scores.iter().cloned())
            .map_err(|what| Trouble::Found(format!("--score: {what}")))
    }

    fn entry(&self, file: &Path) -> Entry {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let given = |grant: &str| {
            self.grants.as_ref().is_none_or(|grants| grants.iter().any(|one| one == grant))
        };
        let grants = Grants {
            text: given("text"),
            findings: if given("findings") { Entities::Everything } else { Entities::Nothing },
            caller: given("caller"),
            log: given("log"),
            state: given("state"),
            model: given("model"),
        };
        Entry { grants, config: self.settings.clone(), ..Entry::new(name) }
    }
}

/// Runs a command about a policy file.
///
/// # Errors
/// [`Trouble`].
pub fn run(command: &Policy, screen: &mut Screen) -> Result<(), Trouble> {
    match command {
        Policy::New { name, lang, folder } => {
            let folder = folder.clone().unwrap_or_else(|| PathBuf::from(name));
            scaffold::new(name, *lang, &folder, screen)
        }
        Policy::Build { folder } => build::build(folder, screen),
        Policy::Inspect { file } => inspect::inspect(file, screen),
        Policy::Check { file, terms, require_cases, signed_by } => {
            check::check(file, terms, *require_cases, signed_by, screen)
        }
        Policy::Keygen { path, password } => sign::keygen(path, password, screen),
        Policy::Sign(signing) => sign::sign(signing, screen),
        Policy::Verify { file, trust } => verify::verify(file, trust, screen),
        Policy::Test { file, cases, update } => test::test(file, cases.as_deref(), *update, screen),
        Policy::Promote(moving) => moved(moving, "promote", "promoted", screen),
        Policy::Rollback(moving) => moved(moving, "rollback", "rolled back", screen),
        Policy::Run(judging) => judge::run(judging, screen),
        Policy::Bench(benching) => bench::bench(benching, screen),
    }
}

fn about(path: &Path, what: &dyn std::fmt::Display) -> Trouble {
    Trouble::Found(format!("{}: {what}", path.display()))
}

fn read(file: &Path) -> Result<Vec<u8>, Trouble> {
    read_file(file, SandboxConfig::FILE_BYTES).map_err(|error| about(file, &error))
}

fn read_cases(file: &Path) -> Result<String, Trouble> {
    read_text(file, Cases::BYTES)
}

fn read_text(file: &Path, most: usize) -> Result<String, Trouble> {
    let bytes = read_file(file, most).map_err(|error| about(file, &error))?;
    String::from_utf8(bytes).map_err(|_| about(file, &"expected text in UTF-8"))
}

fn sandbox() -> Result<Sandbox, Trouble> {
    let config = SandboxConfig { instances: INSTANCES, ..SandboxConfig::default() };
    Sandbox::new(config).map_err(|error| Trouble::Found(error.to_string()))
}

/// Sandboxes at the same time: one is asked at a time.
const INSTANCES: u32 = 8;

fn load(sandbox: &Sandbox, file: &Path, terms: &Terms) -> Result<Arc<Loaded>, Trouble> {
    let loaded = sandbox.load(&terms.entry(file), &read(file)?);
    loaded.map(Arc::new).map_err(|error| about(file, &error))
}

fn executor() -> Result<tokio::runtime::Runtime, Trouble> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| Trouble::Found(format!("no thread to judge with: {error}")))
}

fn moved(moving: &Moving, action: &str, done: &str, screen: &mut Screen) -> Result<(), Trouble> {
    let name = &moving.name;
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if name.is_empty() || !name.chars().all(is_name) {
        return Err(Trouble::Found(format!("\"{}\" is no name of a policy", visible(name))));
    }
    let path = format!("/admin/policies/{name}/{action}");
    let answers = moving.gateway.ask(&[(Method::POST, &path)])?;
    let chain = answers.first().and_then(|answer| answer["chain"].as_str()).unwrap_or("");
    Ok(screen.line(&format!("{name}: {done}; chain {}", visible(chain)))?)
}

fn score(text: &str) -> Result<(String, f32), String> {
    let (name, probability) = text.rsplit_once('=').ok_or("expected NAME/LABEL=PROBABILITY")?;
    let probability = probability.parse().map_err(|_| "expected a number from 0 to 1")?;
    Score::list([(name.to_owned(), probability)])?;
    Ok((name.to_owned(), probability))
}

fn table(text: &str) -> Result<String, String> {
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text) {
        Ok(table) => Ok(serde_json::Value::Object(table).to_string()),
        Err(error) => Err(format!("expected a JSON object: {error}")),
    }
}
