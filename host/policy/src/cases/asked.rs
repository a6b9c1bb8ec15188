//! The request of a case.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringfence_chat::{Capability, Dialect, Kind, Place, Request, Role, Segment, SegmentId};
use ringfence_fence::{Caller, Finding, Honours, Model, Target, Vitals, Zone};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Scene;
use super::answers::Answers;
use super::names::{KindName, RoleName, ZoneName};
use crate::model::Score;

/// A request as a case writes it.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Asked {
    model: Option<String>,
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
    targets: Option<Vec<Somewhere>>,
    scores: BTreeMap<String, f32>,
    models: Answers,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Asker {
    tenant: String,
    key: String,
    labels: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a segment is its text, or an object of text, role, kind, path, tool, \
                 media_type and readable"
)]
enum Piece {
    Text(String),
    Whole(Box<Whole>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    text: Option<String>,
    role: Option<RoleName>,
    kind: Option<KindName>,
    #[serde(default)]
    path: String,
    tool: Option<String>,
    media_type: Option<String>,
    readable: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Found {
    #[serde(default)]
    segment: u32,
    text: String,
    entity: String,
    score: Option<f32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Somewhere {
    name: String,
    zone: ZoneName,
    #[serde(default)]
    region: String,
    #[serde(default)]
    attributes: Map<String, Value>,
    #[serde(default)]
    capabilities: Vec<String>,
    healthy: Option<bool>,
    #[serde(default)]
    in_flight: u32,
    #[serde(default)]
    queued: u32,
    capacity: Option<u32>,
    #[serde(default)]
    first_token_ms: u32,
    #[serde(default)]
    p50_ms: u32,
    #[serde(default)]
    p99_ms: u32,
    #[serde(default)]
    error_rate: f32,
    #[serde(default)]
    input_price: f64,
    #[serde(default)]
    output_price: f64,
}

impl Asked {
    /// The whole request, with a harmless value for what the case leaves out.
    ///
    /// # Errors
    /// What the house does not know: a capability, or a finding that is not there.
    pub(super) fn build(self) -> Result<Scene, String> {
        let segments: Vec<Segment> =
            (0_u32..).zip(self.segments).map(|(id, piece)| piece.build(id)).collect();
        let findings: Result<Vec<Finding>, String> =
            self.findings.into_iter().map(|found| found.build(&segments)).collect();
        let mut findings = findings?;
        // As the detectors give them.
        findings.sort_by_key(|finding| (finding.segment, finding.start));
        let targets = match self.targets {
            Some(targets) => {
                targets.into_iter().map(Somewhere::build).collect::<Result<_, String>>()?
            }
            None => three_targets(),
        };
        let mut request =
            Request::new("r-1".to_owned(), Dialect::OpenAiChat, Value::Null, segments);
        request.model = self.model.unwrap_or_else(|| Model::AUTO.to_owned());
        request.streamed = self.streamed;
        request.needs = capabilities(&self.needs)?;
        request.input_tokens = self.input_tokens;
        request.sampling.max_tokens = self.max_output_tokens;
        let caller = self.caller.map(|caller| Caller {
            tenant: caller.tenant,
            key: caller.key,
            labels: pairs(caller.labels),
            targets: None,
        });
        Ok(Scene {
            request,
            conversation: "c-1".to_owned(),
            findings,
            caller,
            targets,
            now_ms: self.now_ms,
            seed: self.seed,
            latency_wanted_ms: self.latency_wanted_ms,
            budget_left: self.budget_left,
            previous_target: self.previous_target,
            scores: Score::list(self.scores)?,
            models: Arc::new(self.models),
        })
    }
}

impl Piece {
    fn build(self, id: u32) -> Segment {
        let mut segment = Segment {
            id: SegmentId(id),
            turn: id,
            role: Role::User,
            kind: Kind::Text,
            place: Place::Value(format!("/messages/{id}/content")),
            tool: None,
            media_type: None,
            readable: true,
            cached: false,
            text: String::new(),
        };
        match self {
            Piece::Text(text) => segment.text = text,
            Piece::Whole(whole) => {
                segment.role = whole.role.map_or(Role::User, Role::from);
                segment.kind = whole.kind.map_or(Kind::Text, Kind::from);
                segment.place = Place::Value(whole.path);
                segment.tool = whole.tool;
                segment.media_type = whole.media_type;
                segment.readable = whole.readable.unwrap_or(whole.text.is_some());
                segment.text = whole.text.unwrap_or_default();
            }
        }
        segment
    }
}

impl Found {
    fn build(self, segments: &[Segment]) -> Result<Finding, String> {
        let segment = segments.get(self.segment as usize);
        let start = segment.and_then(|segment| segment.text.find(&self.text));
        let start = start.ok_or_else(|| {
            format!("the text of a finding of {} is not in segment {}", self.entity, self.segment)
        })?;
        let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Ok(Finding {
            segment: SegmentId(self.segment),
            start: byte(start),
            end: byte(start + self.text.len()),
            entity: self.entity.into(),
            score: self.score.unwrap_or(1.0),
        })
    }
}

impl Somewhere {
    fn build(self) -> Result<(Arc<Target>, Vitals), String> {
        let target = Target {
            region: self.region,
            attributes: pairs(self.attributes),
            capabilities: capabilities(&self.capabilities)?,
            capacity: self.capacity.unwrap_or(CAPACITY),
            input_price: self.input_price,
            output_price: self.output_price,
            ..idle(&self.name, self.zone.into())
        };
        let vitals = Vitals {
            healthy: self.healthy.unwrap_or(true),
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

/// Requests that a target takes at once, where a case does not say.
const CAPACITY: u32 = 64;

/// The targets of a case that names none: one of each zone.
pub fn three_targets() -> Vec<(Arc<Target>, Vitals)> {
    [("local", Zone::Process), ("premises", Zone::Premises), ("cloud", Zone::Cloud)]
        .map(|(name, zone)| (Arc::new(idle(name, zone)), Vitals::default()))
        .into()
}

pub(crate) fn idle(name: &str, zone: Zone) -> Target {
    Target {
        name: name.to_owned(),
        zone,
        region: String::new(),
        attributes: Vec::new(),
        capabilities: Vec::new(),
        honours: Honours::Everything,
        context_tokens: 8192,
        capacity: CAPACITY,
        models: Vec::new(),
        vectors_only: false,
        input_price: 0.0,
        output_price: 0.0,
    }
}

pub(crate) fn capabilities(names: &[String]) -> Result<Vec<Capability>, String> {
    let known = |name: &String| {
        Capability::from_name(name).ok_or_else(|| {
            let all = Capability::ALL.map(Capability::name).join(", ");
            format!("there is no capability of that name: expected some of {all}")
        })
    };
    names.iter().map(known).collect()
}

fn pairs(members: Map<String, Value>) -> Vec<(String, String)> {
    let word = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    members.into_iter().map(|(name, value)| (name, word(value))).collect()
}
