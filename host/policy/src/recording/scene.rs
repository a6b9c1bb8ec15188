//! The request of a recording: everything that a policy can be shown, as it was.

use std::sync::Arc;

use ringfence_chat::{Capability, Dialect, Place, Request, Segment, SegmentId};
use ringfence_fence::{Caller, Finding, Target, Vitals};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cases::{KindName, RoleName, Scene, ZoneName, capabilities, idle};
use crate::chain::Facts;
use crate::model::{Label, Nobody, Score};

/// A request as a recording writes it. Members have the names of the contract with `_` for
/// `-`, as in cases.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recorded {
    id: String,
    conversation: String,
    dialect: String,
    model: String,
    streamed: bool,
    needs: Vec<String>,
    input_tokens: u32,
    max_output_tokens: Option<u32>,
    latency_wanted_ms: Option<u32>,
    budget_left: Option<f64>,
    previous_target: Option<String>,
    caller: Option<Asker>,
    now_ms: f64,
    seed: u32,
    segments: Vec<Piece>,
    findings: Vec<Found>,
    /// What classifiers say, as `NAME/LABEL`; those that did not answer are left out.
    #[serde(default)]
    scores: Vec<Label>,
    targets: Vec<Somewhere>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asker {
    tenant: String,
    key: String,
    labels: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Piece {
    turn: u32,
    role: RoleName,
    kind: KindName,
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    readable: bool,
    cached: bool,
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Found {
    segment: u32,
    start: u32,
    end: u32,
    entity: String,
    score: f32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Somewhere {
    name: String,
    zone: ZoneName,
    region: String,
    attributes: Vec<(String, String)>,
    capabilities: Vec<String>,
    context_tokens: u32,
    healthy: bool,
    in_flight: u32,
    queued: u32,
    capacity: u32,
    first_token_ms: u32,
    p50_ms: u32,
    p99_ms: u32,
    error_rate: f32,
    input_price: f64,
    output_price: f64,
}

impl Scene {
    /// These facts, kept.
    pub(crate) fn of(facts: &Facts<'_>) -> Scene {
        Scene {
            request: facts.request.clone(),
            conversation: facts.conversation.to_owned(),
            findings: facts.findings.to_vec(),
            caller: facts.caller.cloned(),
            targets: facts.targets.to_vec(),
            now_ms: facts.now_ms,
            seed: facts.seed,
            latency_wanted_ms: facts.latency_wanted_ms,
            budget_left: facts.budget_left,
            previous_target: facts.previous_target.map(str::to_owned),
            scores: facts.scores.to_vec(),
            // What they answered stands among the calls.
            models: Arc::new(Nobody),
        }
    }
}

impl Recorded {
    pub(super) fn of(scene: &Scene) -> Recorded {
        let request = &scene.request;
        Recorded {
            id: request.id.clone(),
            conversation: scene.conversation.clone(),
            dialect: request.dialect.name().to_owned(),
            model: request.model.clone(),
            streamed: request.streamed,
            needs: names(&request.needs),
            input_tokens: request.input_tokens,
            max_output_tokens: request.sampling.max_tokens,
            latency_wanted_ms: scene.latency_wanted_ms,
            budget_left: scene.budget_left,
            previous_target: scene.previous_target.clone(),
            caller: scene.caller.as_ref().map(|caller| Asker {
                tenant: caller.tenant.clone(),
                key: caller.key.clone(),
                labels: caller.labels.clone(),
            }),
            now_ms: scene.now_ms,
            seed: scene.seed,
            segments: request.segments().iter().map(Piece::of).collect(),
            findings: scene.findings.iter().map(Found::of).collect(),
            scores: scene
                .scores
                .iter()
                .filter_map(|one| one.labels.clone().ok())
                .flatten()
                .collect(),
            targets: scene.targets.iter().map(|(one, vitals)| Somewhere::of(one, vitals)).collect(),
        }
    }

    /// # Errors
    /// What the house does not know, or what is not there.
    pub(super) fn build(self) -> Result<Scene, String> {
        let dialect = Dialect::ALL.into_iter().find(|dialect| dialect.name() == self.dialect);
        let dialect = dialect.ok_or_else(|| {
            let all = Dialect::ALL.map(Dialect::name).join(", ");
            format!("there is no dialect of that name: expected one of {all}")
        })?;
        let segments: Vec<Segment> =
            (0_u32..).zip(self.segments).map(|(id, piece)| piece.build(id)).collect();
        let findings: Vec<Finding> = self
            .findings
            .into_iter()
            .map(|found| found.build(&segments))
            .collect::<Result<_, String>>()?;
        let mut request = Request::new(self.id, dialect, Value::Null, segments);
        request.model = self.model;
        request.streamed = self.streamed;
        request.needs = capabilities(&self.needs)?;
        request.input_tokens = self.input_tokens;
        request.sampling.max_tokens = self.max_output_tokens;
        Ok(Scene {
            request,
            conversation: self.conversation,
            findings,
            caller: self.caller.map(|Asker { tenant, key, labels }| Caller {
                tenant,
                key,
                labels,
                targets: None,
            }),
            targets: self.targets.into_iter().map(Somewhere::build).collect::<Result<_, _>>()?,
            now_ms: self.now_ms,
            seed: self.seed,
            latency_wanted_ms: self.latency_wanted_ms,
            budget_left: self.budget_left,
            previous_target: self.previous_target,
            scores: Score::list(self.scores)?,
            models: Arc::new(Nobody),
        })
    }
}

impl Piece {
    fn of(segment: &Segment) -> Piece {
        Piece {
            turn: segment.turn,
            role: segment.role.into(),
            kind: segment.kind.into(),
            path: segment.place.pointer().to_owned(),
            tool: segment.tool.clone(),
            media_type: segment.media_type.clone(),
            readable: segment.readable,
            cached: segment.cached,
            text: segment.text.clone(),
        }
    }

    fn build(self, id: u32) -> Segment {
        Segment {
            id: SegmentId(id),
            turn: self.turn,
            role: self.role.into(),
            kind: self.kind.into(),
            place: Place::Value(self.path),
            tool: self.tool,
            media_type: self.media_type,
            readable: self.readable,
            cached: self.cached,
            text: self.text,
        }
    }
}

impl Found {
    fn of(finding: &Finding) -> Found {
        Found {
            segment: finding.segment.0,
            start: finding.start,
            end: finding.end,
            entity: finding.entity.to_string(),
            score: finding.score,
        }
    }

    fn build(self, segments: &[Segment]) -> Result<Finding, String> {
        let Found { segment, start, end, entity, score } = self;
        let text = segments.get(segment as usize).map(|segment| segment.text.as_str());
        let found = text.and_then(|text| text.get(start as usize..end as usize));
        if found.is_none_or(str::is_empty) {
            return Err(format!("a finding of {start} to {end} is not in segment {segment}"));
        }
        Ok(Finding { segment: SegmentId(segment), start, end, entity: entity.into(), score })
    }
}

impl Somewhere {
    fn of(target: &Target, vitals: &Vitals) -> Somewhere {
        Somewhere {
            name: target.name.clone(),
            zone: target.zone.into(),
            region: target.region.clone(),
            attributes: target.attributes.clone(),
            capabilities: names(&target.capabilities),
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
        }
    }

    fn build(self) -> Result<(Arc<Target>, Vitals), String> {
        let target = Target {
            region: self.region,
            attributes: self.attributes,
            capabilities: capabilities(&self.capabilities)?,
            context_tokens: self.context_tokens,
            capacity: self.capacity,
            input_price: self.input_price,
            output_price: self.output_price,
            ..idle(&self.name, self.zone.into())
        };
        let vitals = Vitals {
            healthy: self.healthy,
            in_flight: self.in_flight,
            queued: self.queued,
            first_token_ms: self.first_token_ms,
            p50_ms: self.p50_ms,
            p99_ms: self.p99_ms,
            error_rate: self.error_rate,
        };
        Ok((Arc::new(target), vitals))
    }
}

fn names(capabilities: &[Capability]) -> Vec<String> {
    capabilities.iter().map(|capability| capability.name().to_owned()).collect()
}
