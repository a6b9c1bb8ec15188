//! What a line says.

use std::collections::BTreeMap;

use ringfence_chat::{FinishReason, Usage};
use ringfence_fence::{Digest, FailureKind, Finding, Permission, PolicyFailure, Remover, Verdict};
use serde::{Serialize, Serializer};

use crate::word::Word;

/// One record. There is no field for content: names, counts, digests and times only.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// The gateway started.
    Start(Start),
    /// Another chain of policies is in force.
    Chain(Chain),
    /// A request is about to leave for a target.
    Departure(Departure),
    /// A request goes nowhere.
    Refusal(Refusal),
    /// How a departure ended.
    Outcome(Outcome),
}

/// The gateway started.
#[derive(Debug, Clone, Serialize)]
pub struct Start {
    /// The gateway's version.
    pub version: Word,
    /// Digest of the configuration.
    #[serde(serialize_with = "hex")]
    pub configuration: Digest,
}

/// Another chain of policies is in force.
#[derive(Debug, Clone, Serialize)]
pub struct Chain {
    /// Digest of the configuration.
    #[serde(serialize_with = "hex")]
    pub configuration: Digest,
    /// Digest of the chain.
    #[serde(serialize_with = "hex")]
    pub chain: Digest,
    /// Digest of what the operator added to the detectors.
    #[serde(serialize_with = "hex")]
    pub vocabulary: Digest,
    /// Its policies, in order.
    pub policies: Vec<PolicyInForce>,
    /// What it permits that the chain before it did not, in the house's own words;
    /// empty when it permits nothing new.
    pub loosens: Vec<Word>,
}

/// A policy of a chain.
#[derive(Debug, Clone, Serialize)]
pub struct PolicyInForce {
    /// The entry's name.
    pub name: Word,
    /// The version that the file states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Word>,
    /// Digest of the file.
    #[serde(serialize_with = "hex")]
    pub digest: Digest,
    /// `protect` or `monitor`.
    pub mode: Word,
    /// What counts if it fails.
    pub on_failure: Word,
    /// True when a stored predecessor runs because the file is broken.
    pub degraded: bool,
}

/// What was decided about a request, and on what.
#[derive(Debug, Clone, Serialize)]
pub struct Decided {
    /// Id of the decision.
    pub decision: Word,
    /// Id of the request.
    pub request: Word,
    /// The caller's tenant.
    pub tenant: Word,
    /// The public id of the caller's key.
    pub key: Word,
    /// Digest of the configuration.
    #[serde(serialize_with = "hex")]
    pub configuration: Digest,
    /// Digest of the chain.
    #[serde(serialize_with = "hex")]
    pub chain: Digest,
    /// What became of each policy.
    pub judgements: Vec<Judged>,
    /// Labels of the policies that count.
    pub labels: Vec<Word>,
    /// How many findings of each entity: see [`entities`].
    pub findings: BTreeMap<Word, u32>,
}

/// A request is about to leave for a target.
#[derive(Debug, Clone, Serialize)]
pub struct Departure {
    /// Why it may.
    #[serde(flatten)]
    pub decided: Decided,
    /// Which attempt of the request it is, from 1.
    pub attempt: u32,
    /// The target.
    pub target: Word,
    /// Its zone.
    pub zone: Word,
    /// Its region.
    pub region: Word,
    /// The model, by the target's own name.
    pub model: Word,
    /// The model that the client asked for. It is one that the configuration names,
    /// since a target serves it.
    pub asked: Word,
    /// The bytes that leave.
    pub bytes: Bytes,
}

/// Bytes that leave, without their content.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Bytes {
    /// How many.
    pub length: u64,
    /// Their keyed digest: [`crate::Ledger::keyed_digest`].
    #[serde(serialize_with = "hex")]
    pub digest: Digest,
}

/// A request goes nowhere.
#[derive(Debug, Clone, Serialize)]
pub struct Refusal {
    /// Why it does not.
    #[serde(flatten)]
    pub decided: Decided,
    /// Who took the last target away: `policy NAME`, `floor`, ...; [`Refusal::who`].
    pub by: Word,
    /// The code that the client gets.
    pub code: Word,
}

impl Refusal {
    /// The text for [`Refusal::by`].
    pub fn who(remover: &Remover) -> Word {
        match remover {
            Remover::Model => Word::from("model"),
            Remover::Capability(_) => Word::from("capability"),
            Remover::Context => Word::from("context"),
            Remover::Caller => Word::from("caller"),
            Remover::Floor => Word::from("floor"),
            Remover::Budget => Word::from("budget"),
            Remover::Policy(name) => Word::from(format!("policy {name}")),
            Remover::Failure(name) => Word::from(format!("failure of {name}")),
        }
    }
}

/// What became of one policy for one request.
#[derive(Debug, Clone, Serialize)]
pub struct Judged {
    /// The entry's name.
    pub policy: Word,
    /// Digest of its file.
    #[serde(serialize_with = "hex")]
    pub digest: Digest,
    /// `protect` or `monitor`.
    pub mode: Word,
    /// Where the request may go: `any`, `within ZONE`, `only NAMES`, `nowhere`. For a
    /// policy that failed, what took its place.
    pub permit: Word,
    /// Its code; empty when it had nothing to say.
    #[serde(skip_serializing_if = "is_empty")]
    pub code: Word,
    /// Its labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Word>,
    /// How many edits of each action: see [`actions`]. What an edit calls the thing
    /// that it hides is the policy's own word, and may carry what it read.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub edits: BTreeMap<Word, u32>,
    /// How it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Word>,
    /// Microseconds that it took.
    pub microseconds: u64,
}

impl From<&Verdict> for Judged {
    fn from(verdict: &Verdict) -> Judged {
        let judgement = verdict.outcome.as_ref().ok();
        Judged {
            policy: Word::from(&verdict.policy),
            digest: verdict.digest,
            mode: Word::from(verdict.mode.name()),
            permit: permit(&verdict.permission()),
            code: judgement.map(|judgement| Word::from(judgement.code())).unwrap_or_default(),
            labels: judgement
                .map(|judgement| judgement.labels().iter().map(Word::from).collect())
                .unwrap_or_default(),
            edits: judgement.map(|judgement| actions(judgement.edits())).unwrap_or_default(),
            failure: verdict.outcome.as_ref().err().map(failure),
            microseconds: u64::try_from(verdict.spent.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

/// How a departure ended.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Id of the decision.
    pub decision: Word,
    /// Which attempt of the request it was.
    pub attempt: u32,
    /// How it ended.
    #[serde(flatten)]
    pub ended: Ending,
    /// Why the answer's first choice ended.
    #[serde(serialize_with = "reason", skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<FinishReason>,
    /// Tokens.
    #[serde(serialize_with = "tokens", skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Milliseconds until the first byte of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte_ms: Option<u64>,
    /// Milliseconds until the end.
    pub total_ms: u64,
    /// The HTTP status that the target answered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Placeholders that became originals again.
    pub restored: u32,
    /// Placeholders that the model altered and that stayed as they were.
    pub altered: u32,
    /// What the policies that inspect answers did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inspected: Vec<Inspected>,
}

/// One policy's inspection of an answer.
#[derive(Debug, Clone, Serialize)]
pub struct Inspected {
    /// The entry's name.
    pub policy: Word,
    /// Digest of its file.
    #[serde(serialize_with = "hex")]
    pub digest: Digest,
    /// `protect` or `monitor`.
    pub mode: Word,
    /// Pieces of the answer that it was shown.
    pub windows: u32,
    /// Changes that it made.
    pub cuts: u32,
    /// The code with which it ended the answer; may be empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Word>,
    /// How it failed.
    #[serde(serialize_with = "policy_failure", skip_serializing_if = "Option::is_none")]
    pub failure: Option<PolicyFailure>,
    /// Microseconds that it took.
    pub microseconds: u64,
}

/// How a departure ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "ended", rename_all = "snake_case")]
pub enum Ending {
    /// The whole answer went to the client.
    Complete,
    /// The answer broke off after its first byte had gone to the client.
    Cut {
        /// How.
        #[serde(serialize_with = "kind")]
        failure: FailureKind,
    },
    /// A policy ended the answer.
    Stopped,
    /// A policy failed while it inspected the answer, and nothing more of it went to the
    /// client.
    Withheld,
    /// The client left.
    Cancelled,
    /// No byte of an answer went to the client.
    Failed {
        /// How.
        #[serde(serialize_with = "kind")]
        failure: FailureKind,
    },
}

/// How many findings of each entity.
pub fn entities(findings: &[Finding]) -> BTreeMap<Word, u32> {
    count(findings.iter().map(|finding| &*finding.entity))
}

/// How many edits of each action.
pub fn actions(edits: &[ringfence_fence::Edit]) -> BTreeMap<Word, u32> {
    count(edits.iter().map(|edit| edit.action.name()))
}

fn count<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<Word, u32> {
    let mut counts = BTreeMap::<&str, u32>::new();
    for name in names {
        let count = counts.entry(name).or_default();
        *count = count.saturating_add(1);
    }
    counts.into_iter().map(|(name, count)| (Word::from(name), count)).collect()
}

fn permit(permission: &Permission) -> Word {
    match permission {
        Permission::Any => Word::from("any"),
        Permission::Within(zone) => Word::from(format!("within {}", zone.name())),
        Permission::Only(names) => Word::from(format!("only {}", names.join(", "))),
        Permission::Nowhere => Word::from("nowhere"),
    }
}

fn failure(failure: &PolicyFailure) -> Word {
    match failure {
        PolicyFailure::Nonsense(nonsense) => {
            Word::from(format!("nonsense: {nonsense:?}").to_lowercase())
        }
        other => Word::from(other.name()),
    }
}

fn policy_failure<S: Serializer>(
    failed: &Option<PolicyFailure>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    failed.as_ref().map(failure).serialize(serializer)
}

fn is_empty(word: &Word) -> bool {
    word.as_str().is_empty()
}

pub(crate) fn hex<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}

fn kind<S: Serializer>(kind: &FailureKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}

fn reason<S: Serializer>(reason: &Option<FinishReason>, serializer: S) -> Result<S::Ok, S::Error> {
    reason.map(FinishReason::name).serialize(serializer)
}

fn tokens<S: Serializer>(usage: &Option<Usage>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Tokens {
        input: u32,
        cached: u32,
        output: u32,
        reasoning: u32,
    }
    let tokens = usage.map(|usage| Tokens {
        input: usage.input,
        cached: usage.cached,
        output: usage.output,
        reasoning: usage.reasoning,
    });
    tokens.serialize(serializer)
}
