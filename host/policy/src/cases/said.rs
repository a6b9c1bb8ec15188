//! What a policy says of a request, as a case writes it.

use std::cmp::Ordering;

use ringfence_chat::Request;
use ringfence_fence::{self as fence, Judgement, Nonsense, PolicyFailure, Zone};
use serde::{Deserialize, Serialize};

/// What a policy says of a request: a judgement, or why there is none. Written as JSON it
/// leaves out what is `any` or empty.
///
/// It holds texts of the request, so it has no `Debug`.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Said {
    #[serde(skip_serializing_if = "is_default")]
    permit: Permit,
    #[serde(skip_serializing_if = "is_default")]
    prefer: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    edits: Vec<Edit>,
    #[serde(skip_serializing_if = "is_default")]
    labels: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    code: String,
    /// `configure` refused.
    #[serde(skip_serializing_if = "is_default")]
    refused: bool,
    /// `judge` gave an error.
    #[serde(skip_serializing_if = "is_default")]
    error: bool,
    /// Grants that it needs and the case does not give, sorted.
    #[serde(skip_serializing_if = "is_default")]
    ungranted: Vec<String>,
    /// How it failed otherwise. Nothing that a case can expect.
    #[serde(skip_serializing_if = "is_default", skip_deserializing)]
    failed: String,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "permit is any, nowhere, process, premises, cloud, or a list of targets"
)]
enum Permit {
    Word(PermitWord),
    Only(Vec<String>),
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PermitWord {
    Any,
    Process,
    Premises,
    Cloud,
    Nowhere,
}

#[derive(Clone, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    segment: u32,
    text: String,
    entity: String,
    action: Action,
    scope: Scope,
}

#[derive(Clone, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Mask,
    Pseudonymise,
    Remove,
    Replace(String),
}

#[derive(Clone, PartialEq, PartialOrd, Serialize, Deserialize)]
enum Scope {
    #[serde(rename = "always")]
    Always,
    #[serde(rename = "outside process")]
    OutsideProcess,
    #[serde(rename = "outside premises")]
    OutsidePremises,
    #[serde(rename = "outside cloud")]
    OutsideCloud,
    #[serde(rename = "towards")]
    Towards(Vec<String>),
}

impl Default for Permit {
    fn default() -> Permit {
        Permit::Word(PermitWord::Any)
    }
}

impl Said {
    /// What this judgement says of `request`.
    pub fn of(judgement: &Judgement, request: &Request) -> Said {
        let edits = judgement.edits().iter().map(|edit| Edit::of(edit, request)).collect();
        Said {
            permit: match judgement.permit() {
                fence::Permission::Any => Permit::Word(PermitWord::Any),
                fence::Permission::Nowhere => Permit::Word(PermitWord::Nowhere),
                fence::Permission::Within(zone) => Permit::Word(match zone {
                    Zone::Process => PermitWord::Process,
                    Zone::Premises => PermitWord::Premises,
                    Zone::Cloud => PermitWord::Cloud,
                }),
                fence::Permission::Only(names) => Permit::Only(names.clone()),
            },
            prefer: judgement.prefer().to_vec(),
            edits,
            labels: judgement.labels().to_vec(),
            code: judgement.code().to_owned(),
            ..Said::default()
        }
        .sorted()
    }

    /// What a failure says.
    pub fn failed(failure: PolicyFailure) -> Said {
        let failed = match failure {
            PolicyFailure::Error => return Said { error: true, ..Said::default() },
            PolicyFailure::Nonsense(nonsense) => format!("nonsense: {}", nonsense_of(nonsense)),
            other => other.name().to_owned(),
        };
        Said { failed, ..Said::default() }
    }

    /// `configure` refused the configuration.
    pub(crate) fn refused() -> Said {
        Said { refused: true, ..Said::default() }
    }

    /// These grants are missing.
    pub(crate) fn ungranted(mut grants: Vec<String>) -> Said {
        grants.sort_unstable();
        grants.dedup();
        Said { ungranted: grants, ..Said::default() }
    }

    /// What is expected, if a policy can say it.
    pub(super) fn checked(mut self) -> Result<Said, String> {
        let judged = Said { refused: false, error: false, ungranted: Vec::new(), ..self.clone() };
        let instead = [self.refused, self.error, !self.ungranted.is_empty()]
            .iter()
            .filter(|one| **one)
            .count();
        if instead > 1 || (instead == 1 && judged != Said::default()) {
            return Err(
                "`expect` says more than a policy can: refused, error and ungranted stand alone"
                    .to_owned(),
            );
        }
        self.ungranted.sort_unstable();
        Ok(self.sorted())
    }

    /// Judgements come with their edits in the order of the request, cases as they are
    /// written.
    fn sorted(mut self) -> Said {
        self.edits.sort_by(|one, other| one.partial_cmp(other).unwrap_or(Ordering::Equal));
        self
    }
}

impl Edit {
    fn of(edit: &fence::Edit, request: &Request) -> Edit {
        let text = request.text(edit.segment);
        Edit {
            segment: edit.segment.0,
            text: text.get(edit.start as usize..edit.end as usize).unwrap_or("").to_owned(),
            entity: edit.entity.clone(),
            action: match &edit.action {
                fence::Action::Mask => Action::Mask,
                fence::Action::Pseudonymise => Action::Pseudonymise,
                fence::Action::Remove => Action::Remove,
                fence::Action::Replace(text) => Action::Replace(text.clone()),
            },
            scope: match &edit.scope {
                fence::Scope::Always => Scope::Always,
                fence::Scope::Outside(Zone::Process) => Scope::OutsideProcess,
                fence::Scope::Outside(Zone::Premises) => Scope::OutsidePremises,
                fence::Scope::Outside(Zone::Cloud) => Scope::OutsideCloud,
                fence::Scope::Towards(names) => Scope::Towards(names.clone()),
            },
        }
    }
}

fn nonsense_of(nonsense: Nonsense) -> &'static str {
    match nonsense {
        Nonsense::Segment => "a segment that the request does not have",
        Nonsense::Span => "a span that is empty, out of range or inside a character",
        Nonsense::Overlap => "edits that overlap",
        Nonsense::Target => "a target that it was not shown",
        Nonsense::Entity => "an entity that is not in capitals, or too long",
        Nonsense::TooMuch => "more than its limits allow",
        Nonsense::Code => "a code that it did not declare",
        Nonsense::Label => "a label that it did not declare",
        Nonsense::Contract => "a value that the contract does not know",
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
