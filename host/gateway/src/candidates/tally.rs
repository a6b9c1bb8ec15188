//! How often a candidate says what the live version says, and where it differs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ringfence_fence::{Edit, Judgement, Permission, Target, Verdict, Vitals};

use crate::tally::Tallies;

/// How a candidate does since it was loaded.
#[derive(Default)]
pub struct CandidateTally {
    counts: Mutex<BTreeMap<Agreement, u64>>,
    tallies: Tallies,
}

/// How one judgement of a candidate compares with the live one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    /// The same in everything.
    Agreed,
    /// It permits more.
    Wider,
    /// It permits less.
    Narrower,
    /// It permits other targets.
    Elsewhere,
    /// It hides other things, or in another way.
    Edits,
    /// It prefers other targets.
    Preference,
    /// It gives other labels, or another code.
    Words,
    /// It failed and the live one did not.
    Failed,
    /// It did not fail and the live one did.
    Recovered,
    /// It was not asked: too many were under way.
    Dropped,
}

impl Agreement {
    /// The name in metrics and reports.
    pub fn name(self) -> &'static str {
        match self {
            Agreement::Agreed => "agreed",
            Agreement::Wider => "wider",
            Agreement::Narrower => "narrower",
            Agreement::Elsewhere => "elsewhere",
            Agreement::Edits => "edits",
            Agreement::Preference => "preference",
            Agreement::Words => "words",
            Agreement::Failed => "failed",
            Agreement::Recovered => "recovered",
            Agreement::Dropped => "dropped",
        }
    }

    /// What tells the two apart, the weightiest first: whom it reaches, then what is hidden,
    /// then the rest.
    fn between(
        live: &Verdict,
        candidate: &Verdict,
        targets: &[(Arc<Target>, Vitals)],
    ) -> Agreement {
        let (live, candidate) = match (&live.outcome, &candidate.outcome) {
            (Ok(live), Ok(candidate)) => (live, candidate),
            (Err(live), Err(candidate)) if live == candidate => return Agreement::Agreed,
            (_, Err(_)) => return Agreement::Failed,
            (Err(_), Ok(_)) => return Agreement::Recovered,
        };
        let reaches = |permission: &Permission| -> Vec<bool> {
            targets.iter().map(|(target, _)| permission.admits(target)).collect()
        };
        let (now, next) = (reaches(live.permit()), reaches(candidate.permit()));
        let more = now.iter().zip(&next).any(|(now, next)| *next && !*now);
        let less = now.iter().zip(&next).any(|(now, next)| *now && !*next);
        match (more, less) {
            (true, true) => return Agreement::Elsewhere,
            (true, false) => return Agreement::Wider,
            (false, true) => return Agreement::Narrower,
            (false, false) => {}
        }
        if in_order(live) != in_order(candidate) {
            return Agreement::Edits;
        }
        if live.prefer() != candidate.prefer() {
            return Agreement::Preference;
        }
        if live.labels() != candidate.labels() || live.code() != candidate.code() {
            return Agreement::Words;
        }
        Agreement::Agreed
    }
}

impl CandidateTally {
    /// The candidate judged what the live version judged.
    pub(super) fn note(
        &self,
        live: &Verdict,
        candidate: &Verdict,
        targets: &[(Arc<Target>, Vitals)],
    ) -> Agreement {
        self.tallies.note(candidate);
        self.count(Agreement::between(live, candidate, targets))
    }

    /// It was not asked.
    pub(super) fn dropped(&self) -> Agreement {
        self.count(Agreement::Dropped)
    }

    /// How often it compared how.
    pub fn counts(&self) -> BTreeMap<Agreement, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its calls, failures and times.
    pub fn tally(&self, name: &str) -> crate::tally::Tally {
        self.tallies.of(name)
    }

    fn count(&self, agreement: Agreement) -> Agreement {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(agreement).or_default() += 1;
        agreement
    }
}

/// Edits of one judgement do not overlap, so that their places order them.
fn in_order(judgement: &Judgement) -> Vec<&Edit> {
    let mut edits: Vec<&Edit> = judgement.edits().iter().collect();
    edits.sort_by_key(|edit| (edit.segment, edit.start));
    edits
}
