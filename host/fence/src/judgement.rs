//! What a policy says, checked against the request that it speaks of.

use std::time::Duration;

use ringfence_chat::{Request, SegmentId};

use crate::digest::Digest;
use crate::target::{Target, Zone};

/// Where a request may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// Wherever it still may.
    Any,
    /// Only to this zone or a nearer one.
    Within(Zone),
    /// Only to the targets named.
    Only(Vec<String>),
    /// Nowhere.
    Nowhere,
}

impl Permission {
    /// Whether it leaves `target`.
    pub fn admits(&self, target: &Target) -> bool {
        match self {
            Permission::Any => true,
            Permission::Within(zone) => target.zone <= *zone,
            Permission::Only(names) => names.contains(&target.name),
            Permission::Nowhere => false,
        }
    }
}

/// What happens to a span; stricter ones are greater.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// A keyed placeholder takes its place; the answer gets the original back.
    Pseudonymise,
    /// This text takes its place.
    Replace(String),
    /// The entity's name in brackets takes its place.
    Mask,
    /// Nothing takes its place.
    Remove,
}

impl Action {
    /// The name in explanations and records.
    pub fn name(&self) -> &'static str {
        match self {
            Action::Pseudonymise => "pseudonymise",
            Action::Replace(_) => "replace",
            Action::Mask => "mask",
            Action::Remove => "remove",
        }
    }
}

/// A replacement may carry what a policy read, so only the name shows.
impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// For which departures an edit counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// For every target.
    Always,
    /// For targets farther away than this zone.
    Outside(Zone),
    /// For the targets named.
    Towards(Vec<String>),
}

impl Scope {
    /// Whether an edit of this scope counts for a departure to `target`.
    pub fn covers(&self, target: &Target) -> bool {
        match self {
            Scope::Always => true,
            Scope::Outside(zone) => target.zone > *zone,
            Scope::Towards(names) => names.contains(&target.name),
        }
    }
}

/// A change to one span of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The segment.
    pub segment: SegmentId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// What is hidden: `A-Z 0-9 _`, at most [`Edit::ENTITY_BYTES`].
    pub entity: String,
    /// What happens to it.
    pub action: Action,
    /// For which departures.
    pub scope: Scope,
}

impl Edit {
    /// The longest entity name.
    pub const ENTITY_BYTES: usize = 64;

    /// Whether `name` can be an entity's.
    pub fn is_entity(name: &str) -> bool {
        let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        !name.is_empty() && name.len() <= Edit::ENTITY_BYTES && name.bytes().all(fits)
    }
}

/// What a policy answered, as it came; [`Judgement::check`] makes a judgement of it.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Where the request may go.
    pub permit: Permission,
    /// Targets in the order of preference.
    pub prefer: Vec<String>,
    /// What is hidden from whom.
    pub edits: Vec<Edit>,
    /// Labels.
    pub labels: Vec<String>,
    /// Why; empty when there is nothing to say.
    pub code: String,
}

/// One policy's answer, consistent with its request: every span lies in its segment
/// on character boundaries, no two overlap, every target and zone is one that the
/// policy was shown.
#[derive(Debug, Clone)]
pub struct Judgement(Draft);

/// Why a draft is no judgement. Carries no text of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nonsense {
    /// A segment that the request does not have, or that cannot be edited.
    Segment,
    /// A span that is empty, inverted, outside its segment or inside a character.
    Span,
    /// Two edits of one judgement overlap.
    Overlap,
    /// A target that the policy was not shown.
    Target,
    /// An entity that is not `A-Z 0-9 _`, or too long.
    Entity,
    /// More edits, names or text than the limits allow.
    TooMuch,
    /// A code that the policy did not declare.
    Code,
    /// A label that the policy did not declare.
    Label,
    /// A value that the contract does not know.
    Contract,
}

impl Judgement {
    /// The judgement that changes nothing.
    pub fn neutral() -> Judgement {
        Judgement(Draft {
            permit: Permission::Any,
            prefer: Vec::new(),
            edits: Vec::new(),
            labels: Vec::new(),
            code: String::new(),
        })
    }

    /// Checks a draft against the request and the names of the targets that the
    /// policy was shown.
    ///
    /// # Errors
    /// [`Nonsense`]: the first thing that does not fit.
    pub fn check(
        mut draft: Draft,
        request: &Request,
        shown: &[&str],
    ) -> Result<Judgement, Nonsense> {
        let known = |names: &[String]| names.iter().all(|name| shown.contains(&name.as_str()));
        if let Permission::Only(names) = &draft.permit {
            known(names).then_some(()).ok_or(Nonsense::Target)?;
        }
        known(&draft.prefer).then_some(()).ok_or(Nonsense::Target)?;
        for edit in &draft.edits {
            if let Scope::Towards(names) = &edit.scope {
                known(names).then_some(()).ok_or(Nonsense::Target)?;
            }
            if !Edit::is_entity(&edit.entity) {
                return Err(Nonsense::Entity);
            }
            let segment = request.segments().get(edit.segment.index()).ok_or(Nonsense::Segment)?;
            let span = edit.start as usize..edit.end as usize;
            // `get` refuses what is inverted, out of range or inside a character.
            if span.is_empty() || segment.text.get(span).is_none() {
                return Err(Nonsense::Span);
            }
        }
        draft.edits.sort_by_key(|edit| (edit.segment, edit.start));
        let overlap = draft
            .edits
            .windows(2)
            .any(|pair| pair[0].segment == pair[1].segment && pair[0].end > pair[1].start);
        if overlap {
            return Err(Nonsense::Overlap);
        }
        Ok(Judgement(draft))
    }

    /// Where the request may go.
    pub fn permit(&self) -> &Permission {
        &self.0.permit
    }

    /// Targets in the order of preference.
    pub fn prefer(&self) -> &[String] {
        &self.0.prefer
    }

    /// What is hidden from whom, ordered by segment and start.
    pub fn edits(&self) -> &[Edit] {
        &self.0.edits
    }

    /// Its labels.
    pub fn labels(&self) -> &[String] {
        &self.0.labels
    }

    /// Why, or nothing.
    pub fn code(&self) -> &str {
        &self.0.code
    }
}

/// Whether a policy's answer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It counts.
    Protect,
    /// It is recorded and changes nothing.
    Monitor,
}

impl Mode {
    /// The name in configuration and records.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Protect => "protect",
            Mode::Monitor => "monitor",
        }
    }
}

/// What takes the place of the judgement of a policy that failed. There is no third.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The request is refused.
    Deny,
    /// The request stays within this zone, which is never the cloud.
    Confine(Inside),
}

/// The zones inside the fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    /// This process.
    Process,
    /// The operator's own network, and this process.
    Premises,
}

impl OnFailure {
    /// The permission that takes the judgement's place.
    pub fn permission(self) -> Permission {
        match self {
            OnFailure::Deny => Permission::Nowhere,
            OnFailure::Confine(Inside::Process) => Permission::Within(Zone::Process),
            OnFailure::Confine(Inside::Premises) => Permission::Within(Zone::Premises),
        }
    }

    /// The name in banners and records.
    pub fn name(self) -> &'static str {
        match self {
            OnFailure::Deny => "deny",
            OnFailure::Confine(Inside::Process) => "confine to process",
            OnFailure::Confine(Inside::Premises) => "confine to premises",
        }
    }
}

/// How a policy failed. Carries no text of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyFailure {
    /// It ran out of time.
    Deadline,
    /// It ran out of memory, tables or instances.
    Memory,
    /// It ran out of host calls.
    Calls,
    /// It trapped.
    Trap,
    /// It returned an error.
    Error,
    /// Its answer does not fit the request or the limits.
    Nonsense(Nonsense),
    /// No sandbox was free for it.
    Busy,
    /// A model that it needs the scores of did not answer.
    Model,
}

impl PolicyFailure {
    /// The name in records and metrics.
    pub fn name(self) -> &'static str {
        match self {
            PolicyFailure::Deadline => "deadline",
            PolicyFailure::Memory => "memory",
            PolicyFailure::Calls => "calls",
            PolicyFailure::Trap => "trap",
            PolicyFailure::Error => "error",
            PolicyFailure::Nonsense(_) => "nonsense",
            PolicyFailure::Busy => "busy",
            PolicyFailure::Model => "model",
        }
    }
}

/// What became of one policy for one request.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The entry's name.
    pub policy: String,
    /// Digest of the policy's file.
    pub digest: Digest,
    /// Whether it counts.
    pub mode: Mode,
    /// What counts if it failed.
    pub on_failure: OnFailure,
    /// What it said, or how it failed.
    pub outcome: Result<Judgement, PolicyFailure>,
    /// How long it took.
    pub spent: Duration,
}

impl Verdict {
    /// The permission that this verdict amounts to, whatever its mode.
    pub fn permission(&self) -> Permission {
        match &self.outcome {
            Ok(judgement) => judgement.permit().clone(),
            Err(_) => self.on_failure.permission(),
        }
    }

    /// The judgement, when it counts.
    pub fn enforced(&self) -> Option<&Judgement> {
        match self.mode {
            Mode::Protect => self.outcome.as_ref().ok(),
            Mode::Monitor => None,
        }
    }
}
