//! Places that can answer, and who asks.

use std::borrow::Cow;

use ringfence_chat::{Capability, Request, SegmentId};

/// How far a place is from the process that holds the data; each zone contains the
/// ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Zone {
    /// This process.
    Process,
    /// The operator's own network.
    Premises,
    /// Somebody else's computers.
    Cloud,
}

impl Zone {
    /// The name in configuration, headers and records.
    pub fn name(self) -> &'static str {
        match self {
            Zone::Process => "process",
            Zone::Premises => "premises",
            Zone::Cloud => "cloud",
        }
    }

    /// The zone of that name.
    pub fn from_name(name: &str) -> Option<Zone> {
        [Zone::Process, Zone::Premises, Zone::Cloud].into_iter().find(|zone| zone.name() == name)
    }
}

/// A place that can answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Unique; what permissions, headers and records name.
    pub name: String,
    /// Where it is.
    pub zone: Zone,
    /// The operator's word for its region, or empty.
    pub region: String,
    /// The operator's own words about it.
    pub attributes: Vec<(String, String)>,
    /// What it can do.
    pub capabilities: Vec<Capability>,
    /// Which parameters it honours among those that do not change the meaning.
    pub honours: Honours,
    /// Context size in tokens.
    pub context_tokens: u32,
    /// Requests that it takes at once.
    pub capacity: u32,
    /// What it serves; the first one answers `auto`.
    pub models: Vec<Model>,
    /// True when it has vectors and no answers: no chat goes there, not even for `auto`.
    pub vectors_only: bool,
    /// Dollars per million input tokens.
    pub input_price: f64,
    /// Dollars per million output tokens.
    pub output_price: f64,
}

impl Target {
    /// Dollars for so many tokens.
    pub fn cost_of(&self, input_tokens: u32, output_tokens: u32) -> f64 {
        let million = 1_000_000.0;
        (f64::from(input_tokens) * self.input_price + f64::from(output_tokens) * self.output_price)
            / million
    }

    /// The model that answers `request`.
    ///
    /// Vectors of different models do not compare, so that embeddings go to the very
    /// model that was asked for: not to one that answers to its name, and not to `auto`.
    pub fn model_of(&self, request: &Request) -> Option<&Model> {
        if request.embeds() {
            return self.models.iter().find(|model| model.name == request.model);
        }
        if self.vectors_only {
            return None;
        }
        self.model_for(&request.model)
    }

    /// The model that answers a request for `asked`; `auto` means the first one.
    pub fn model_for(&self, asked: &str) -> Option<&Model> {
        if asked == Model::AUTO {
            return self.models.first();
        }
        self.models
            .iter()
            .find(|model| model.name == asked || model.aliases.iter().any(|alias| alias == asked))
    }
}

/// A model that a target serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The target's own name of it.
    pub name: String,
    /// Other names that clients may ask for.
    pub aliases: Vec<String>,
}

impl Model {
    /// The model name that leaves the choice to the policies.
    pub const AUTO: &'static str = "auto";
}

/// Which optional parameters a target honours; the others are dropped and named in
/// a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Honours {
    /// All: it speaks the client's dialect.
    Everything,
    /// These.
    Only(Vec<String>),
}

/// How a target does at the moment. Policies see it; permission does not depend on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vitals {
    /// False while its recent calls fail.
    pub healthy: bool,
    /// Requests that it is answering.
    pub in_flight: u32,
    /// Requests that wait for it in this process.
    pub queued: u32,
    /// Median milliseconds to the first token; 0 when unknown.
    pub first_token_ms: u32,
    /// Median milliseconds of an answer; 0 when unknown.
    pub p50_ms: u32,
    /// 99th percentile of the same.
    pub p99_ms: u32,
    /// Share of recent calls that failed.
    pub error_rate: f32,
}

impl Default for Vitals {
    fn default() -> Vitals {
        Vitals {
            healthy: true,
            in_flight: 0,
            queued: 0,
            first_token_ms: 0,
            p50_ms: 0,
            p99_ms: 0,
            error_rate: 0.0,
        }
    }
}

/// The authenticated client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The tenant it belongs to.
    pub tenant: String,
    /// The public id of its key.
    pub key: String,
    /// What the configuration says of it.
    pub labels: Vec<(String, String)>,
    /// Names of the targets it may use; all of them when absent.
    pub targets: Option<Vec<String>>,
}

/// Something that a detector found in a segment. Offsets are bytes, on character
/// boundaries.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Where.
    pub segment: SegmentId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// What it is, in capitals.
    pub entity: Cow<'static, str>,
    /// 0 to 1: how sure the detector is.
    pub score: f32,
}
