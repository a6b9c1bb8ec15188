//! Cases: requests and what a policy is to say of them, in JSON or YAML.
//!
//! The format is the one that the SDKs read, so that a file which holds natively is the
//! file that is held against the component in the sandbox:
//!
//! ```yaml
//! - name: an address is hidden
//!   config: {default: mask}
//!   request:
//!     segments: [Write to bob@example.org]
//!     findings: [{segment: 0, text: bob@example.org, entity: EMAIL}]
//!   expect:
//!     edits:
//!       - {segment: 0, text: bob@example.org, entity: EMAIL, action: mask, scope: outside process}
//!     labels: [pii]
//! ```
//!
//! Everything is compared: what `expect` leaves out is `permit: any`, an empty list or an
//! empty code. `refused: true` expects that `configure` refuses the configuration,
//! `error: true` that `judge` does, and `ungranted: [text]` that the policy needs these
//! grants and the case's `grants` do not give them. `permit` is `any`, `nowhere`, a zone,
//! or a list of targets. `action` is `mask`, `pseudonymise`, `remove` or
//! `{replace: TEXT}`; `scope` is `always`, `outside ZONE` or `{towards: [TARGET]}`.
//!
//! Members of `request` have the names of the contract with `_` for `-`; what is left out
//! gets a harmless value, and without `targets` there are `local` in the process,
//! `premises` and `cloud`. A segment is its text, or an object. A finding is told by its
//! text: the first place in its segment. `scores` are what classifiers say of the request
//! (`{NAME/LABEL: 0.9}`), and `models` what they answer whatever they are asked
//! (`{classify: {NAME: {LABEL: 0.9}}, embed: [0.1]}`). Without `grants` the policy is granted
//! everything.

mod answers;
mod asked;
mod names;
mod outline;
mod revision;
mod said;
mod yaml;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringfence_chat::Request;
use ringfence_fence::{Caller, Finding, Target, Vitals};
use serde::Deserialize;
use serde_json::{Map, Value};
use wasmparser::{Parser, Payload};

use self::asked::Asked;
pub use self::asked::three_targets;
pub(crate) use self::asked::{capabilities, idle};
pub(crate) use self::names::{KindName, RoleName, ZoneName};
pub use self::said::Said;
use crate::chain::Facts;
use crate::entry::{Entities, Grants};
use crate::model::{Models, Score};

/// The custom section of a component that carries its cases, as JSON.
pub const CASES_SECTION: &str = "ringfence:cases";

/// The cases of a policy, in the order of their file.
pub struct Cases {
    list: Vec<Case>,
}

/// How a file of cases is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// YAML 1.2 without aliases and tags.
    Yaml,
}

/// What is wrong with a file of cases. Quotes names of the format and never a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct CasesError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what was expected.
    pub what: String,
}

/// One case, built.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// The policy's own table, as JSON.
    pub(crate) config: String,
    pub(crate) grants: Grants,
    pub(crate) scene: Scene,
    pub(crate) expected: Said,
}

/// What a case's policy is asked.
pub(crate) struct Scene {
    pub(crate) request: Request,
    pub(crate) conversation: String,
    pub(crate) findings: Vec<Finding>,
    pub(crate) caller: Option<Caller>,
    pub(crate) targets: Vec<(Arc<Target>, Vitals)>,
    pub(crate) now_ms: f64,
    pub(crate) seed: u32,
    pub(crate) latency_wanted_ms: Option<u32>,
    pub(crate) budget_left: Option<f64>,
    pub(crate) previous_target: Option<String>,
    pub(crate) scores: Vec<Score>,
    pub(crate) models: Arc<dyn Models>,
}

/// What became of one case.
pub struct Outcome {
    /// The case's name, as its file has it.
    pub name: String,
    /// The line that it begins on.
    pub line: usize,
    /// What the policy said.
    pub said: Said,
    /// What it was to say.
    pub expected: Said,
}

impl Outcome {
    /// Whether the policy said what it was to say. The order of edits does not count.
    pub fn holds(&self) -> bool {
        self.said == self.expected
    }
}

impl Format {
    /// The format that a file's name tells: `.yaml` and `.yml` are YAML.
    pub fn of(path: &Path) -> Format {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("yaml" | "yml") => Format::Yaml,
            _ => Format::Json,
        }
    }
}

impl Cases {
    /// Bytes of a file of cases.
    pub const BYTES: usize = 1 << 20;
    /// Cases of one file.
    pub const COUNT: usize = 1_000;

    /// Reads a file of cases.
    ///
    /// # Errors
    /// [`CasesError`]: the first line that is wrong.
    pub fn parse(text: &str, format: Format) -> Result<Cases, CasesError> {
        let at = |line, what: String| CasesError { line, what };
        if text.len() > Cases::BYTES {
            return Err(at(1, format!("the cases have more than {} bytes", Cases::BYTES)));
        }
        let json = match format {
            Format::Json => text.to_owned(),
            Format::Yaml => yaml::to_json(text)?.json,
        };
        let outlines = outline::outline(&json)?;
        if outlines.is_empty() {
            return Err(at(1, "there is no case: expected a list of at least one".to_owned()));
        }
        if outlines.len() > Cases::COUNT {
            return Err(at(1, format!("there are more than {} cases", Cases::COUNT)));
        }
        let list = outlines.into_iter().map(|outline| {
            let written: Written = serde_json::from_str(&json[outline.span.clone()])
                .map_err(|error| at(outline.line + error.line().max(1) - 1, words(&error)))?;
            written.build(outline.line).map_err(|what| at(outline.line, what))
        });
        Ok(Cases { list: list.collect::<Result<_, CasesError>>()? })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn list(&self) -> &[Case] {
        &self.list
    }

    /// Where cases stand beside a policy file: `FILE.cases.json` and `FILE.cases.yaml`,
    /// where the file is `FILE.wasm`.
    pub fn beside(file: &Path) -> [PathBuf; 2] {
        ["cases.json", "cases.yaml"].map(|extension| file.with_extension(extension))
    }

    /// The cases that a component carries in its section [`CASES_SECTION`]; none in what
    /// is no component.
    pub fn carried(component: &[u8]) -> Option<&[u8]> {
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(component) {
            match payload.ok()? {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::CustomSection(section)
                    if depth == 1 && section.name() == CASES_SECTION =>
                {
                    return Some(section.data());
                }
                _ => {}
            }
        }
        None
    }

    /// The text of a file of cases with what was said in the place of what was expected,
    /// for the cases that do not hold. The rest of the file stays as it is.
    ///
    /// # Errors
    /// [`CasesError`]: the file is not the one that the outcomes are of.
    pub fn revised(text: &str, format: Format, outcomes: &[Outcome]) -> Result<String, CasesError> {
        revision::revised(text, format, outcomes)
    }
}

/// A case as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    config: Map<String, Value>,
    grants: Option<Vec<Grant>>,
    #[serde(default)]
    request: Asked,
    expect: Said,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Grant {
    Text,
    Findings,
    Caller,
    Log,
    State,
    Model,
}

impl Written {
    fn build(self, line: usize) -> Result<Case, String> {
        let granted = |grant| self.grants.as_ref().is_none_or(|all| all.contains(&grant));
        let findings = match granted(Grant::Findings) {
            true => Entities::Everything,
            false => Entities::Nothing,
        };
        let grants = Grants {
            text: granted(Grant::Text),
            findings,
            caller: granted(Grant::Caller),
            log: granted(Grant::Log),
            state: granted(Grant::State),
            model: granted(Grant::Model),
        };
        Ok(Case {
            line,
            config: Value::Object(self.config).to_string(),
            grants,
            scene: self.request.build()?,
            expected: self.expect.checked()?,
            name: self.name,
        })
    }
}

impl Scene {
    /// What a chain is asked.
    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            request: &self.request,
            findings: &self.findings,
            caller: self.caller.as_ref(),
            conversation: &self.conversation,
            targets: &self.targets,
            now_ms: self.now_ms,
            seed: self.seed,
            latency_wanted_ms: self.latency_wanted_ms,
            budget_left: self.budget_left,
            previous_target: self.previous_target.as_deref(),
            scores: &self.scores,
            models: Some(&self.models),
        }
    }
}

/// A parser's message without the place that it saw.
pub(crate) fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    // It repeats values, which may be texts.
    match text.split_once("string \"") {
        Some((before, rest)) => {
            let after = rest.rsplit_once('"').map_or("", |(_, after)| after);
            format!("{before}text{after}")
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
#[path = "cases/tests.rs"]
mod tests;
