//! What a chain of policies amounts to for one request.

use std::collections::BTreeSet;
use std::sync::Arc;

use ringfence_chat::Request;

use crate::clearance::{Removal, Remover, Standing};
use crate::departure::{CannotDepart, Departure, depart};
use crate::judgement::{Edit, Verdict};
use crate::placeholder::Placeholders;
use crate::provider::Provider;
use crate::target::Target;

/// The decision for one request: where it may go, in which order, and what is hidden
/// on the way. Only [`crate::Clearance::decide`] makes one, and nothing changes it.
#[derive(Debug)]
pub struct Decision {
    id: String,
    standings: Vec<Standing>,
    order: Vec<usize>,
    edits: Vec<Edit>,
    labels: BTreeSet<String>,
    refusal: Option<Refusal>,
    verdicts: Vec<Verdict>,
}

/// Why a request may go nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no target at all.
    NoTargets,
    /// The last target was taken away by this.
    Removed(Removal),
}

impl Decision {
    pub(crate) fn new(
        id: String,
        standings: Vec<Standing>,
        closed_by: Option<Removal>,
        verdicts: Vec<Verdict>,
    ) -> Decision {
        let enforced = || verdicts.iter().filter_map(Verdict::enforced);
        let edits = enforced().flat_map(|judgement| judgement.edits().iter().cloned()).collect();
        let labels = enforced().flat_map(|judgement| judgement.labels().iter().cloned()).collect();
        let preference: &[String] = enforced()
            .map(|judgement| judgement.prefer())
            .find(|prefer| !prefer.is_empty())
            .unwrap_or(&[]);
        let mut order: Vec<usize> =
            (0..standings.len()).filter(|&index| standings[index].is_open()).collect();
        // Stable: without a preference the nearest zone comes first, then the
        // configuration's order.
        order.sort_by_key(|&index| {
            let target = &standings[index].target;
            let rank = preference.iter().position(|name| *name == target.name);
            (rank.unwrap_or(usize::MAX), target.zone)
        });
        let refusal =
            order.is_empty().then(|| closed_by.map_or(Refusal::NoTargets, Refusal::Removed));
        Decision { id, standings, order, edits, labels, refusal, verdicts }
    }

    /// Its id, found again in the ledger.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The permitted targets in the order in which they are tried.
    pub fn permitted(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.order.iter().map(|&index| &self.standings[index].target)
    }

    /// Why there is none, when there is none.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// Every target, with what took it away.
    pub fn standings(&self) -> &[Standing] {
        &self.standings
    }

    /// Every edit that counts, whatever its scope.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// Labels of all policies that count.
    pub fn labels(&self) -> &BTreeSet<String> {
        &self.labels
    }

    /// What became of each policy.
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }

    /// Makes the departure of `request` to the permitted target named `target`.
    ///
    /// The edits of that target are applied, placeholders made for the tenant, and
    /// `provider` turns the result into the bytes that leave. `attempt` counts all
    /// departures of one request, from 1.
    ///
    /// # Errors
    /// [`CannotDepart`]: the target is not permitted, an edit cannot be applied, or the
    /// provider cannot express the request.
    pub fn depart(
        &self,
        target: &str,
        attempt: u32,
        request: &Request,
        placeholders: &Placeholders,
        provider: &dyn Provider,
    ) -> Result<Departure, CannotDepart> {
        let target =
            self.permitted().find(|open| open.name == target).ok_or(CannotDepart::NotPermitted)?;
        depart(&self.id, target, attempt, request, &self.edits, placeholders, provider)
    }
}

impl Refusal {
    /// The code for the client.
    pub fn code(&self) -> &str {
        match self {
            Refusal::NoTargets => "no_target",
            Refusal::Removed(removal) => &removal.code,
        }
    }

    /// True when the request itself asks for what no target can do, so that it is
    /// the client's to change and not a matter of permission.
    pub fn is_unsupported(&self) -> bool {
        matches!(
            self,
            Refusal::Removed(Removal {
                by: Remover::Capability(_) | Remover::Context | Remover::Model,
                ..
            })
        )
    }
}
