//! Recordings: all that one judgement was made from, so that it can be made again without
//! the world, by the same policy or by another version of it.
//!
//! A recording is JSON for people to read and to change: the request as data with its
//! findings, its time, its seed and its targets; what the policy was granted and configured
//! with; every call to the host with its answer; and what the policy said. Clocks and
//! random numbers of the system interface follow from the time and the seed, so that they
//! need no calls of their own. It holds the texts of the request.

mod scene;

use ringfence_fence::{Digest, PolicyFailure, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::scene::Recorded;
use crate::cases::{Said, Scene, words};
use crate::chain::Facts;
use crate::contract::Lists;
use crate::entry::{Entities, Entry, Grants, Limits};
use crate::policy::{Asking, Policy};
use crate::tape::{Call, Departed, Replay, Tape};

/// The form of recordings that this host writes and reads.
pub(crate) const FORM: u32 = 1;

/// All that one judgement was made from, and the judgement.
pub struct Recording {
    /// Digest of the policy's file.
    pub digest: Digest,
    /// The version of the contract that the file was built for.
    pub contract: String,
    /// The version that the file says it has.
    pub version: Option<String>,
    grants: Grants,
    /// The policy's own table, as JSON.
    settings: String,
    scene: Scene,
    calls: Vec<Call>,
    said: Value,
}

/// What a policy says when a recording is replayed.
pub struct Replayed {
    /// What it says, or how it fails.
    pub said: Said,
    /// Why there is no judgement.
    pub failure: Option<PolicyFailure>,
    /// Whether it says what was recorded.
    pub same: bool,
    /// Where it left the recording.
    pub departed: Vec<Departed>,
}

/// Why a text is no recording, or a recording no text. Quotes names of the format and never
/// a text of the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// It is larger than what is read and written.
    #[error("a recording has at most {} bytes", Recording::BYTES)]
    TooLarge,
    /// It is of another form.
    #[error("it is a recording of form {0}, and this host reads form {FORM}: record it again")]
    Form(u32),
    /// It does not follow the form.
    #[error("line {line}: {what}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what was expected.
        what: String,
    },
    /// It follows the form and makes no sense.
    #[error("{0}")]
    Senseless(String),
}

impl Recording {
    /// Bytes of a recording as text.
    pub const BYTES: usize = 64 << 20;
    /// Calls to the host in one.
    pub const CALLS: usize = Limits::CALLS as usize;

    /// Reads a recording.
    ///
    /// # Errors
    /// [`RecordingError`].
    pub fn parse(text: &str) -> Result<Recording, RecordingError> {
        if text.len() > Recording::BYTES {
            return Err(RecordingError::TooLarge);
        }
        let malformed = |error: serde_json::Error| RecordingError::Malformed {
            line: error.line().max(1),
            what: words(&error),
        };
        let Head { recording } = serde_json::from_str(text).map_err(malformed)?;
        if recording != FORM {
            return Err(RecordingError::Form(recording));
        }
        let written: Written = serde_json::from_str(text).map_err(malformed)?;
        written.build().map_err(RecordingError::Senseless)
    }

    /// The recording as text.
    ///
    /// # Errors
    /// [`RecordingError::TooLarge`].
    pub fn to_json(&self) -> Result<String, RecordingError> {
        let mut text = serde_json::to_string_pretty(&Written::of(self))
            .map_err(|error| RecordingError::Senseless(error.to_string()))?;
        text.push('\n');
        if text.len() > Recording::BYTES { Err(RecordingError::TooLarge) } else { Ok(text) }
    }

    /// An entry of this name with what was granted and configured.
    pub fn entry(&self, name: &str) -> Entry {
        Entry { grants: self.grants.clone(), config: self.settings.clone(), ..Entry::new(name) }
    }

    /// How many calls to the host it holds.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// What the policy said, as a case would expect it, in JSON.
    pub fn said(&self) -> &Value {
        &self.said
    }
}

impl Policy {
    /// Judges one request alone, and records it. `settings` is the table that the policy was
    /// loaded with.
    pub async fn record(&self, settings: &str, facts: &Facts<'_>) -> (Verdict, Recording) {
        let (verdict, tape) = self.on_tape(facts, Tape::Recording(Vec::new())).await;
        let calls = match tape {
            Some(Tape::Recording(calls)) => calls,
            Some(Tape::Replaying(_)) | None => Vec::new(),
        };
        let said = said(&verdict, facts);
        let recording = Recording {
            digest: self.digest,
            contract: self.contract.clone(),
            version: self.version.clone(),
            grants: self.grants.clone(),
            settings: settings.to_owned(),
            scene: Scene::of(facts),
            calls,
            said: serde_json::to_value(said).unwrap_or_default(),
        };
        (verdict, recording)
    }

    /// Judges a recorded request again, without the world. The policy is loaded with
    /// [`Recording::entry`].
    pub async fn replay(&self, recording: &Recording) -> Replayed {
        let facts = recording.scene.facts();
        let replay = Tape::Replaying(Replay::of(&recording.calls));
        let (verdict, tape) = self.on_tape(&facts, replay).await;
        let departed = match tape {
            Some(Tape::Replaying(replay)) => replay.end(),
            Some(Tape::Recording(_)) | None => Vec::new(),
        };
        let said = said(&verdict, &facts);
        let same = serde_json::to_value(&said).is_ok_and(|said| said == recording.said);
        Replayed { said, failure: verdict.outcome.err(), same, departed }
    }

    async fn on_tape(&self, facts: &Facts<'_>, tape: Tape) -> (Verdict, Option<Tape>) {
        let mut asking = Asking { tape: Some(Box::new(tape)), waits: true };
        let lists = Lists::of(facts);
        let targets = lists.targets(facts);
        // What inspects answers too ends here: a recording is of a judgement.
        let (verdict, _) = self.judge_with(facts, &lists, &targets, &mut asking).await;
        (verdict, asking.tape.map(|tape| *tape))
    }
}

fn said(verdict: &Verdict, facts: &Facts<'_>) -> Said {
    match &verdict.outcome {
        Ok(judgement) => Said::of(judgement, facts.request),
        Err(failure) => Said::failed(*failure),
    }
}

/// What tells the form, whatever else there is.
#[derive(Deserialize)]
struct Head {
    recording: u32,
}

/// A recording as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    recording: u32,
    policy: WrittenPolicy,
    request: Recorded,
    calls: Vec<Call>,
    said: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPolicy {
    digest: String,
    contract: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    grants: Vec<String>,
    /// Which findings it is shown; all of them without this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entities: Option<Vec<String>>,
    settings: Map<String, Value>,
}

impl Written {
    fn of(recording: &Recording) -> Written {
        let Recording { digest, contract, version, grants, settings, scene, calls, said } =
            recording;
        let held = Grants::NAMES.into_iter().filter(|name| grants.holds(name));
        Written {
            recording: FORM,
            policy: WrittenPolicy {
                digest: digest.to_string(),
                contract: contract.clone(),
                version: version.clone(),
                grants: held.map(str::to_owned).collect(),
                entities: match &grants.findings {
                    Entities::Only(entities) => Some(entities.clone()),
                    Entities::Nothing | Entities::Everything => None,
                },
                settings: serde_json::from_str(settings).unwrap_or_default(),
            },
            request: Recorded::of(scene),
            calls: calls.clone(),
            said: said.as_object().cloned().unwrap_or_default(),
        }
    }

    fn build(self) -> Result<Recording, String> {
        let WrittenPolicy { digest, contract, version, grants, entities, settings } = self.policy;
        if let Some(unknown) = grants.iter().find(|one| !Grants::NAMES.contains(&one.as_str())) {
            let known = Grants::NAMES.join(", ");
            return Err(format!("there is no grant {unknown:?}: expected some of {known}"));
        }
        if self.calls.len() > Recording::CALLS {
            return Err(format!("there are more than {} calls", Recording::CALLS));
        }
        if let Some(index) = self.calls.iter().position(|call| !call.fits()) {
            return Err(format!(
                "call {} has an answer of another kind than it can have",
                index + 1
            ));
        }
        let granted = |name: &str| grants.iter().any(|one| one == name);
        let findings = match (granted("findings"), entities) {
            (true, Some(entities)) => Entities::Only(entities),
            (true, None) => Entities::Everything,
            (false, _) => Entities::Nothing,
        };
        Ok(Recording {
            digest: Digest::parse(&digest)
                .ok_or("the policy's digest is not 64 hexadecimal digits")?,
            contract,
            version,
            grants: Grants {
                text: granted("text"),
                findings,
                caller: granted("caller"),
                log: granted("log"),
                state: granted("state"),
                model: granted("model"),
            },
            settings: Value::Object(settings).to_string(),
            scene: self.request.build()?,
            calls: self.calls,
            said: Value::Object(self.said),
        })
    }
}
