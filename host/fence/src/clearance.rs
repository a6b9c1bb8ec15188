//! The targets that a request may go to: all of them at first, and only ever fewer.

use std::sync::Arc;

use ringfence_chat::{Kind, Request, Segment};

use crate::decision::Decision;
use crate::judgement::{Mode, PolicyFailure, Verdict};
use crate::target::{Caller, Target, Zone};

/// What the operator decides before any policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Floor {
    /// No request goes farther than this.
    pub within: Zone,
    /// Whether a request with an unreadable image may leave the premises.
    pub image: Unreadable,
    /// The same for recordings.
    pub audio: Unreadable,
    /// The same for files and content of unknown kinds.
    pub file: Unreadable,
    /// The same for text that is disguised beyond the detectors' bounds.
    pub text: Unreadable,
}

impl Default for Floor {
    fn default() -> Floor {
        Floor {
            within: Zone::Cloud,
            image: Unreadable::Confine,
            audio: Unreadable::Confine,
            file: Unreadable::Confine,
            text: Unreadable::Confine,
        }
    }
}

/// What becomes of a request with content that no detector can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It stays inside: in the process or on the premises.
    Confine,
    /// It may go wherever the rest of it may.
    Allow,
}

/// A target and what took it away.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The target.
    pub target: Arc<Target>,
    /// Everything that took it away; empty while the request may go there.
    pub removals: Vec<Removal>,
}

impl Standing {
    /// True while the request may go there.
    pub fn is_open(&self) -> bool {
        self.removals.is_empty()
    }
}

/// Why a request may not go to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Who took it away.
    pub by: Remover,
    /// A code for the client: the policy's own, or the house's.
    pub code: String,
}

/// Who took a target away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remover {
    /// It does not serve the model that was asked for.
    Model,
    /// It cannot do what the request needs: names of capabilities.
    Capability(Vec<&'static str>),
    /// The prompt does not fit its context.
    Context,
    /// The caller may not use it.
    Caller,
    /// The operator's floor.
    Floor,
    /// What its answer may cost is more than the caller may still spend.
    Budget,
    /// A policy's judgement.
    Policy(String),
    /// A policy's failure.
    Failure(String),
}

/// The targets that a request may go to, while they are being narrowed.
///
/// There is no way to add one.
#[derive(Debug, Clone)]
pub struct Clearance {
    standings: Vec<Standing>,
    /// Who removed the last open target.
    closed_by: Option<Removal>,
}

impl Clearance {
    /// Starts with `targets` and applies the model, the needs, the caller and the floor.
    pub fn open(
        request: &Request,
        caller: &Caller,
        floor: &Floor,
        targets: impl IntoIterator<Item = Arc<Target>>,
    ) -> Clearance {
        let standings =
            targets.into_iter().map(|target| Standing { target, removals: Vec::new() }).collect();
        let mut clearance = Clearance { standings, closed_by: None };
        clearance.narrow("model_not_served", |target| {
            target.model_of(request).is_none().then_some(Remover::Model)
        });
        clearance.narrow("unsupported", |target| {
            let missing: Vec<_> = (request.needs.iter())
                .filter(|need| !target.capabilities.contains(need))
                .map(|need| need.name())
                .collect();
            (!missing.is_empty()).then_some(Remover::Capability(missing))
        });
        clearance.narrow("context_length_exceeded", |target| {
            // Each of many inputs has a context of its own, whose size the target knows.
            let exceeds = !request.embeds() && request.input_tokens > target.context_tokens;
            exceeds.then_some(Remover::Context)
        });
        clearance.narrow("target_not_permitted", |target| match &caller.targets {
            Some(names) if !names.contains(&target.name) => Some(Remover::Caller),
            _ => None,
        });
        clearance.narrow("floor", |target| (target.zone > floor.within).then_some(Remover::Floor));
        let confined = request.segments().iter().any(|segment| floor.confines(segment));
        clearance.narrow("unreadable_content", |target| {
            (confined && target.zone > Zone::Premises).then_some(Remover::Floor)
        });
        clearance
    }

    /// Takes away the targets whose answer may cost more than the caller may still spend,
    /// in dollars, if it has so many tokens. What costs nothing stays.
    pub fn afford(&mut self, request: &Request, output_tokens: u32, budget_left: f64) {
        self.narrow("insufficient_quota", |target| {
            let cost = target.cost_of(request.input_tokens, output_tokens);
            (cost > 0.0 && cost > budget_left).then_some(Remover::Budget)
        });
    }

    /// The targets that are left.
    pub fn remaining(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.standings.iter().filter(|standing| standing.is_open()).map(|standing| &standing.target)
    }

    /// Applies the chain's verdicts and closes the matter.
    pub fn decide(mut self, id: String, verdicts: Vec<Verdict>) -> Decision {
        for verdict in &verdicts {
            if verdict.mode == Mode::Monitor {
                continue;
            }
            let permission = verdict.permission();
            let (code, by) = match &verdict.outcome {
                Ok(judgement) if judgement.code().is_empty() => {
                    ("policy_denied", Remover::Policy(verdict.policy.clone()))
                }
                Ok(judgement) => (judgement.code(), Remover::Policy(verdict.policy.clone())),
                // Nothing is wrong with the request or the policy: a later try may do better.
                Err(PolicyFailure::Busy | PolicyFailure::Model) => {
                    ("policy_busy", Remover::Failure(verdict.policy.clone()))
                }
                Err(_) => ("policy_failed", Remover::Failure(verdict.policy.clone())),
            };
            self.narrow(code, |target| (!permission.admits(target)).then(|| by.clone()));
        }
        Decision::new(id, self.standings, self.closed_by, verdicts)
    }

    /// Takes away every target for which `remover` names a reason. The only place
    /// that changes a standing.
    fn narrow(&mut self, code: &str, remover: impl Fn(&Target) -> Option<Remover>) {
        let was_open = self.remaining().next().is_some();
        let mut last = None;
        for standing in &mut self.standings {
            let Some(by) = remover(&standing.target) else { continue };
            let removal = Removal { by, code: code.to_owned() };
            if standing.is_open() {
                last = Some(removal.clone());
            }
            standing.removals.push(removal);
        }
        if was_open && self.remaining().next().is_none() {
            self.closed_by = last;
        }
    }
}

impl Floor {
    fn confines(&self, segment: &Segment) -> bool {
        if segment.readable {
            return false;
        }
        let media = segment.media_type.as_deref().unwrap_or("");
        let answer = match segment.kind {
            Kind::Attachment if media.starts_with("image/") => self.image,
            Kind::Attachment if media.starts_with("audio/") => self.audio,
            Kind::Attachment => self.file,
            _ => self.text,
        };
        answer == Unreadable::Confine
    }
}
