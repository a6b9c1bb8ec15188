//! The request of a case.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::grants::native::Answers;
use crate::{Caller, Finding, Kind, Request, Role, Segment, Target, Zone};

/// A request of a case.
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
    targets: Option<Vec<Place>>,
    scores: BTreeMap<String, f32>,
    pub(super) models: Answers,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Asker {
    tenant: String,
    key: String,
    labels: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Piece {
    Text(String),
    Whole(Whole),
}

/// A type of its own: a variant would let misspelt members pass.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    text: Option<String>,
    role: Option<String>,
    kind: Option<String>,
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
struct Place {
    name: String,
    zone: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    attributes: serde_json::Map<String, Value>,
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
    /// # Panics
    /// When a name is unknown, or a finding's text is not in its segment.
    pub(super) fn build(&self) -> Request {
        let pieces = self.segments.iter().enumerate();
        let segments: Vec<Segment> = pieces.map(|(id, piece)| piece.build(id as u32)).collect();
        let findings = self.findings.iter().map(|found| found.build(&segments)).collect();
        let three = || ["local", "premises", "cloud"].map(Place::named).into();
        let targets = match &self.targets {
            Some(targets) => targets.iter().map(Place::build).collect(),
            None => three(),
        };
        Request {
            id: "r-1".to_owned(),
            conversation: "c-1".to_owned(),
            dialect: "openai-chat".to_owned(),
            model: self.model.clone().unwrap_or_else(|| "auto".to_owned()),
            streamed: self.streamed,
            needs: self.needs.clone(),
            input_tokens: self.input_tokens,
            max_output_tokens: self.max_output_tokens,
            latency_wanted_ms: self.latency_wanted_ms,
            budget_left: self.budget_left,
            previous_target: self.previous_target.clone(),
            caller: self.caller.as_ref().map(|caller| Caller {
                tenant: caller.tenant.clone(),
                key: caller.key.clone(),
                labels: pairs(&caller.labels),
            }),
            now_ms: self.now_ms,
            seed: self.seed,
            segments,
            findings: Some(findings),
            scores: self.scores.iter().map(|(label, score)| (label.clone(), *score)).collect(),
            targets,
        }
    }
}

impl Piece {
    fn build(&self, id: u32) -> Segment {
        let mut segment = Segment {
            id,
            turn: id,
            role: Role::User,
            kind: Kind::Text,
            path: format!("/messages/{id}/content"),
            tool: None,
            media_type: None,
            bytes: 0,
            readable: true,
            cached: false,
            text: None,
        };
        match self {
            Piece::Text(text) => segment.text = Some(text.clone()),
            Piece::Whole(whole) => {
                segment.text.clone_from(&whole.text);
                segment.role = whole.role.as_deref().map_or(Role::User, role_named);
                segment.kind = whole.kind.as_deref().map_or(Kind::Text, kind_named);
                segment.path.clone_from(&whole.path);
                segment.tool.clone_from(&whole.tool);
                segment.media_type.clone_from(&whole.media_type);
                segment.readable = whole.readable.unwrap_or(whole.text.is_some());
            }
        }
        segment.bytes = segment.text.as_ref().map_or(0, String::len) as u32;
        segment
    }
}

impl Found {
    fn build(&self, segments: &[Segment]) -> Finding {
        let text = segments.get(self.segment as usize).and_then(|segment| segment.text.as_deref());
        let Some(start) = text.and_then(|text| text.find(&self.text)) else {
            panic!("segment {} does not hold {:?}", self.segment, self.text);
        };
        Finding {
            segment: self.segment,
            start: start as u32,
            end: (start + self.text.len()) as u32,
            entity: self.entity.clone(),
            score: self.score.unwrap_or(1.0),
        }
    }
}

impl Place {
    fn build(&self) -> Target {
        Target {
            zone: zone_named(&self.zone),
            region: self.region.clone(),
            attributes: pairs(&self.attributes),
            capabilities: self.capabilities.clone(),
            healthy: self.healthy.unwrap_or(true),
            in_flight: self.in_flight,
            queued: self.queued,
            capacity: self.capacity.unwrap_or(64),
            first_token_ms: self.first_token_ms,
            p50_ms: self.p50_ms,
            p99_ms: self.p99_ms,
            error_rate: self.error_rate,
            input_price: self.input_price,
            output_price: self.output_price,
            ..Place::named(&self.name)
        }
    }

    /// An idle target; the names `local` and `premises` are nearer than the cloud.
    fn named(name: &str) -> Target {
        Target {
            name: name.to_owned(),
            zone: match name {
                "local" => Zone::Process,
                "premises" => Zone::Premises,
                _ => Zone::Cloud,
            },
            region: String::new(),
            attributes: Vec::new(),
            capabilities: Vec::new(),
            context_tokens: 8192,
            healthy: true,
            in_flight: 0,
            queued: 0,
            capacity: 64,
            first_token_ms: 0,
            p50_ms: 0,
            p99_ms: 0,
            error_rate: 0.0,
            input_price: 0.0,
            output_price: 0.0,
        }
    }
}

fn pairs(members: &serde_json::Map<String, Value>) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    members.iter().map(|(name, value)| (name.clone(), word(value))).collect()
}

fn zone_named(name: &str) -> Zone {
    match name {
        "process" => Zone::Process,
        "premises" => Zone::Premises,
        "cloud" => Zone::Cloud,
        other => panic!("no zone is named {other}"),
    }
}

fn role_named(name: &str) -> Role {
    match name {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        other => panic!("no role is named {other}"),
    }
}

fn kind_named(name: &str) -> Kind {
    match name {
        "text" => Kind::Text,
        "reasoning" => Kind::Reasoning,
        "tool-call" => Kind::ToolCall,
        "tool-result" => Kind::ToolResult,
        "tool-definition" => Kind::ToolDefinition,
        "name" => Kind::Name,
        "metadata" => Kind::Metadata,
        "link" => Kind::Link,
        "attachment" => Kind::Attachment,
        other => panic!("no kind is named {other}"),
    }
}
