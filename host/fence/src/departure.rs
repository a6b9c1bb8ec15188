//! The only way out.

use std::sync::Arc;

use bytes::Bytes;
use ringfence_chat::{Request, SegmentId};

use crate::edits;
use crate::judgement::Edit;
use crate::placeholder::Placeholders;
use crate::provider::{Encoded, Failure, Provider};
use crate::target::Target;

/// A request with one target's edits applied: all that a provider's encoder sees.
#[derive(Debug)]
pub struct Masked {
    request: Request,
    target: Arc<Target>,
    model: String,
}

impl Masked {
    /// The request as this target may see it.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The target.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The model, by the target's own name of it.
    pub fn model(&self) -> &str {
        &self.model
    }
}

/// One attempt to send one request to one target: permitted, masked and encoded.
///
/// Sending takes it by value, and it cannot be cloned, so it leaves at most once.
#[derive(Debug)]
#[must_use = "a departure that is not sent was for nothing"]
pub struct Departure {
    decision: String,
    attempt: u32,
    masked: Masked,
    body: Bytes,
    dropped: Vec<String>,
    hidden: Vec<Hidden>,
}

/// A value that became a placeholder on the way.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden {
    /// What left.
    pub placeholder: String,
    /// What stood there.
    pub original: String,
    /// What it is.
    pub entity: String,
    /// Whether the client gets it back: false for secrets and for values that only
    /// the system prompt held.
    pub restorable: bool,
}

/// Shows no value: the map from placeholders to originals never shows anywhere.
impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hidden({})", self.entity)
    }
}

/// Why there is no departure.
#[derive(Debug)]
pub enum CannotDepart {
    /// The decision does not permit this target.
    NotPermitted,
    /// An edit of this segment cannot be applied.
    Unmaskable(SegmentId),
    /// The provider cannot express the request.
    Unencodable(Failure),
}

impl Departure {
    /// The id of the decision that permits it.
    pub fn decision(&self) -> &str {
        &self.decision
    }

    /// Which attempt of the request it is, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Where it goes.
    pub fn target(&self) -> &Arc<Target> {
        &self.masked.target
    }

    /// The request as the target may see it.
    pub fn request(&self) -> &Request {
        &self.masked.request
    }

    /// The model, by the target's own name of it.
    pub fn model(&self) -> &str {
        &self.masked.model
    }

    /// The bytes that leave.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Parameters that the target does not know and that were left out.
    pub fn dropped(&self) -> &[String] {
        &self.dropped
    }

    /// Values that became placeholders.
    pub fn hidden(&self) -> &[Hidden] {
        &self.hidden
    }
}

pub(crate) fn depart(
    decision: &str,
    target: &Arc<Target>,
    attempt: u32,
    request: &Request,
    edits: &[Edit],
    placeholders: &Placeholders,
    provider: &dyn Provider,
) -> Result<Departure, CannotDepart> {
    let model = target.model_of(request).ok_or(CannotDepart::NotPermitted)?.name.clone();
    let (request, hidden) =
        edits::apply(request, edits, target, placeholders).map_err(CannotDepart::Unmaskable)?;
    let masked = Masked { request, target: Arc::clone(target), model };
    let Encoded { body, dropped } = provider.encode(&masked).map_err(CannotDepart::Unencodable)?;
    Ok(Departure { decision: decision.to_owned(), attempt, masked, body, dropped, hidden })
}
