//! The contract in Rust: the only file that knows what the generated types look like,
//! and the only place that maps the house's types to them and back.

use ringfence_chat::{Kind, Role};
use ringfence_fence::{self as fence, Nonsense, PolicyFailure};

use crate::chain::Facts;
use crate::declaration::Declaration;
use crate::entry::{Entities, Grants, Limits};

pub(crate) mod response;

mod generated {
    #![allow(missing_docs, unused_variables, clippy::all, clippy::unwrap_used)]

    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package ringfence:host;
            world everything {
                import ringfence:policy/log@0.1.0;
                import ringfence:policy/state@0.1.0;
                import ringfence:policy/model@0.1.0;
                export ringfence:policy/judge@0.1.0;
                export ringfence:policy/response@0.1.0;
            }
        ",
        world: "ringfence:host/everything",
        ownership: Borrowing { duplicate_if_necessary: true },
        imports: {
            "ringfence:policy/model": async | trappable,
            default: trappable,
        },
    });
}

pub(crate) use generated::ringfence::policy::{log, model, state, types};

/// The package of the contract, without a version.
pub const PACKAGE: &str = "ringfence:policy";
/// The version of the contract that this host serves. Files built for another 0.1.x
/// fit as well.
pub const VERSION: &str = "0.1.0";
/// The interface that every policy exports.
pub(crate) const JUDGE: &str = "ringfence:policy/judge@0.1.0";

/// The interface of those that inspect answers too.
pub(crate) const RESPONSE: &str = "ringfence:policy/response@0.1.0";

/// What `judge` gives.
pub(crate) type Judged = (Result<types::Judgement, String>,);
/// What `configure` gives.
pub(crate) type Configured = (Result<types::Declaration, String>,);

/// The lists inside lists of a request: the records that a policy gets borrow them.
pub(crate) struct Lists<'a> {
    needs: Vec<&'a str>,
    labels: Vec<(&'a str, &'a str)>,
    attributes: Vec<Vec<(&'a str, &'a str)>>,
    capabilities: Vec<Vec<&'a str>>,
}

impl<'a> Lists<'a> {
    /// The lists that every policy of a chain is shown.
    pub(crate) fn of(facts: &Facts<'a>) -> Lists<'a> {
        let pairs = |pairs: &'a [(String, String)]| {
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>()
        };
        Lists {
            needs: facts.request.needs.iter().map(|need| need.name()).collect(),
            labels: facts.caller.map_or_else(Vec::new, |caller| pairs(&caller.labels)),
            attributes: facts.targets.iter().map(|(target, _)| pairs(&target.attributes)).collect(),
            capabilities: facts
                .targets
                .iter()
                .map(|(target, _)| target.capabilities.iter().map(|can| can.name()).collect())
                .collect(),
        }
    }

    /// The targets that every policy of a chain is shown.
    pub(crate) fn targets(&self, facts: &Facts<'a>) -> Vec<types::Target<'_>> {
        facts
            .targets
            .iter()
            .zip(self.attributes.iter().zip(&self.capabilities))
            .map(|((target, vitals), (attributes, capabilities))| types::Target {
                name: &target.name,
                zone: zone(target.zone),
                region: &target.region,
                attributes,
                capabilities,
                context_tokens: target.context_tokens,
                healthy: vitals.healthy,
                in_flight: vitals.in_flight,
                queued: vitals.queued,
                capacity: target.capacity,
                first_token_ms: vitals.first_token_ms,
                p50_ms: vitals.p50_ms,
                p99_ms: vitals.p99_ms,
                error_rate: vitals.error_rate,
                input_price: target.input_price,
                output_price: target.output_price,
            })
            .collect()
    }
}

/// The segments that a policy with these grants is shown. Without `text` they have no
/// text; an attachment's is never shown.
pub(crate) fn segments<'a>(facts: &Facts<'a>, grants: &Grants) -> Vec<types::Segment<'a>> {
    facts
        .request
        .segments()
        .iter()
        .map(|segment| types::Segment {
            id: segment.id.0,
            turn: segment.turn,
            role: match segment.role {
                Role::System => types::Role::System,
                Role::User => types::Role::User,
                Role::Assistant => types::Role::Assistant,
                Role::Tool => types::Role::Tool,
            },
            kind: match segment.kind {
                Kind::Text => types::Kind::Text,
                Kind::Reasoning => types::Kind::Reasoning,
                Kind::ToolCall => types::Kind::ToolCall,
                Kind::ToolResult => types::Kind::ToolResult,
                Kind::ToolDefinition => types::Kind::ToolDefinition,
                Kind::Name => types::Kind::Name,
                Kind::Metadata => types::Kind::Metadata,
                Kind::Link => types::Kind::Link,
                Kind::Attachment => types::Kind::Attachment,
            },
            path: segment.place.pointer(),
            tool: segment.tool.as_deref(),
            media_type: segment.media_type.as_deref(),
            bytes: u32::try_from(segment.text.len()).unwrap_or(u32::MAX),
            readable: segment.readable,
            cached: segment.cached,
            text: (grants.text && segment.kind != Kind::Attachment)
                .then_some(segment.text.as_str()),
        })
        .collect()
}

/// The findings that a policy with these grants is shown; `None` without the grant.
pub(crate) fn findings<'a>(facts: &Facts<'a>, grants: &Grants) -> Option<Vec<types::Finding<'a>>> {
    if grants.findings == Entities::Nothing {
        return None;
    }
    let shown = facts
        .findings
        .iter()
        .filter(|finding| grants.findings.shows(&finding.entity))
        .map(|finding| types::Finding {
            segment: finding.segment.0,
            start: finding.start,
            end: finding.end,
            entity: &finding.entity,
            score: finding.score,
        })
        .collect();
    Some(shown)
}

/// The scores that a policy declared a need for.
///
/// # Errors
/// [`PolicyFailure::Model`] when a classifier did not answer: without it the policy would
/// judge as if nothing had been found.
pub(crate) fn scores<'a>(
    facts: &Facts<'a>,
    declaration: &Declaration,
) -> Result<Vec<(&'a str, f32)>, PolicyFailure> {
    let mut scores = Vec::new();
    for needed in declaration.scores() {
        let score = facts.scores.iter().find(|score| score.classifier == needed);
        let labels = score.and_then(|score| score.labels.as_ref().ok());
        let labels = labels.ok_or(PolicyFailure::Model)?;
        scores.extend(labels.iter().map(|(label, probability)| (label.as_str(), *probability)));
    }
    Ok(scores)
}

/// The request that a policy with these grants is shown.
pub(crate) fn request<'a>(
    facts: &Facts<'a>,
    grants: &Grants,
    lists: &'a Lists<'a>,
    targets: &'a [types::Target<'a>],
    segments: &'a [types::Segment<'a>],
    findings: Option<&'a [types::Finding<'a>]>,
    scores: &'a [(&'a str, f32)],
) -> types::Request<'a> {
    types::Request {
        id: &facts.request.id,
        conversation: facts.conversation,
        dialect: facts.request.dialect.name(),
        model: &facts.request.model,
        streamed: facts.request.streamed,
        needs: &lists.needs,
        input_tokens: facts.request.input_tokens,
        max_output_tokens: facts.request.sampling.max_tokens,
        latency_wanted_ms: facts.latency_wanted_ms,
        budget_left: facts.budget_left,
        previous_target: facts.previous_target,
        caller: facts.caller.filter(|_| grants.caller).map(|caller| types::Caller {
            tenant: &caller.tenant,
            key: &caller.key,
            labels: &lists.labels,
        }),
        now_ms: facts.now_ms,
        seed: facts.seed,
        segments,
        findings,
        scores,
        targets,
    }
}

/// What a policy answered, in the house's words and within its limits.
///
/// # Errors
/// [`Nonsense::TooMuch`] when a list or a string is longer than allowed.
pub(crate) fn draft(
    judgement: types::Judgement,
    limits: &Limits,
) -> Result<fence::Draft, Nonsense> {
    let names = |names: &[String]| {
        names.len() <= limits.names && names.iter().all(|name| name.len() <= limits.string_bytes)
    };
    let fits = |fits: bool| if fits { Ok(()) } else { Err(Nonsense::TooMuch) };
    fits(names(&judgement.prefer) && names(&judgement.labels))?;
    fits(judgement.edits.len() <= limits.edits && judgement.code.len() <= limits.string_bytes)?;
    let permit = match judgement.permit {
        types::Permission::Any => fence::Permission::Any,
        types::Permission::Within(zone) => fence::Permission::Within(house_zone(zone)),
        types::Permission::Only(targets) => {
            fits(names(&targets))?;
            fence::Permission::Only(targets)
        }
        types::Permission::Nowhere => fence::Permission::Nowhere,
    };
    let edit = |edit: types::Edit| {
        fits(edit.entity.len() <= limits.string_bytes)?;
        Ok(fence::Edit {
            segment: ringfence_chat::SegmentId(edit.segment),
            start: edit.start,
            end: edit.end,
            entity: edit.entity,
            action: match edit.action {
                types::Action::Mask => fence::Action::Mask,
                types::Action::Replace(text) => {
                    fits(text.len() <= limits.string_bytes)?;
                    fence::Action::Replace(text)
                }
                types::Action::Pseudonymise => fence::Action::Pseudonymise,
                types::Action::Remove => fence::Action::Remove,
            },
            scope: match edit.scope {
                types::Scope::Always => fence::Scope::Always,
                types::Scope::Outside(zone) => fence::Scope::Outside(house_zone(zone)),
                types::Scope::Towards(targets) => {
                    fits(names(&targets))?;
                    fence::Scope::Towards(targets)
                }
            },
        })
    };
    Ok(fence::Draft {
        permit,
        prefer: judgement.prefer,
        edits: judgement.edits.into_iter().map(edit).collect::<Result<_, Nonsense>>()?,
        labels: judgement.labels,
        code: judgement.code,
    })
}

impl From<types::Declaration> for Declaration {
    fn from(declared: types::Declaration) -> Declaration {
        Declaration { codes: declared.codes, labels: declared.labels, needs: declared.needs }
    }
}

fn zone(zone: fence::Zone) -> types::Zone {
    match zone {
        fence::Zone::Process => types::Zone::Process,
        fence::Zone::Premises => types::Zone::Premises,
        fence::Zone::Cloud => types::Zone::Cloud,
    }
}

fn house_zone(zone: types::Zone) -> fence::Zone {
    match zone {
        types::Zone::Process => fence::Zone::Process,
        types::Zone::Premises => fence::Zone::Premises,
        types::Zone::Cloud => fence::Zone::Cloud,
    }
}
