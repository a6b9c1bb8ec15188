//! The file as it is written. Every key is optional here; what is required is said in
//! one place, where the sections are resolved.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::reader::At;

/// `[server]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    pub(super) address: Option<At<String>>,
    pub(super) body_bytes: Option<At<i64>>,
    pub(super) bodies_bytes: Option<At<i64>>,
    pub(super) connections: Option<At<i64>>,
    pub(super) answer_within_seconds: Option<At<i64>>,
    pub(super) write_within_seconds: Option<At<i64>>,
    pub(super) drain_within_seconds: Option<At<i64>>,
}

/// `[admin]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Admin {
    pub(super) address: Option<At<String>>,
    pub(super) token_sha256: Option<At<String>>,
}

/// `[[callers]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Caller {
    pub(super) name: Option<At<String>>,
    pub(super) tenant: Option<At<String>>,
    pub(super) key_sha256: Option<At<String>>,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, At<toml::Value>>,
    pub(super) targets: Option<Vec<At<String>>>,
}

/// `[[targets]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    /// Read before the rest, so that others can name what is wrong otherwise.
    #[allow(dead_code)]
    pub(super) name: Option<At<String>>,
    pub(super) kind: Option<At<String>>,
    pub(super) zone: Option<At<String>>,
    pub(super) region: Option<At<String>>,
    pub(super) base_url: Option<At<String>>,
    pub(super) key_env: Option<At<String>>,
    pub(super) key_file: Option<At<String>>,
    pub(super) models: Option<At<Vec<At<Model>>>>,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, At<toml::Value>>,
    pub(super) capabilities: Option<Vec<At<String>>>,
    pub(super) context_tokens: Option<At<i64>>,
    pub(super) capacity: Option<At<i64>>,
    pub(super) input_price_per_million: Option<At<f64>>,
    pub(super) output_price_per_million: Option<At<f64>>,
    pub(super) connect_within_seconds: Option<At<i64>>,
    pub(super) first_byte_within_seconds: Option<At<i64>>,
    pub(super) idle_within_seconds: Option<At<i64>>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, At<String>>,
}

/// A member of `models`.
#[derive(Deserialize, Clone)]
#[serde(untagged, expecting = "a model is a name, or { name = \"...\", aliases = [\"...\"] }")]
pub(super) enum Model {
    Name(String),
    Full(FullModel),
}

/// A model with other names.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct FullModel {
    pub(super) name: String,
    #[serde(default)]
    pub(super) aliases: Vec<String>,
}

/// `[[policies]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    pub(super) name: Option<At<String>>,
    pub(super) embedded: Option<At<String>>,
    pub(super) file: Option<At<String>>,
    pub(super) folder: Option<At<String>>,
    pub(super) mode: Option<At<String>>,
    pub(super) on_failure: Option<At<String>>,
    pub(super) grants: Option<Vec<At<String>>>,
    pub(super) findings: Option<Vec<At<String>>>,
    /// Names and numbers: the table of limits says which.
    #[serde(default)]
    pub(super) limits: BTreeMap<At<String>, At<i64>>,
    pub(super) digest: Option<At<String>>,
    pub(super) retired: Option<At<Vec<String>>>,
    pub(super) config: Option<At<toml::Table>>,
    pub(super) candidate: Option<At<String>>,
    pub(super) candidate_config: Option<At<toml::Table>>,
    pub(super) candidate_digest: Option<At<String>>,
}

/// `[placeholders]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Placeholders {
    pub(super) shaped: Option<Vec<At<String>>>,
}

/// `[signatures]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Signatures {
    pub(super) require_signed: Option<bool>,
    #[serde(default)]
    pub(super) trusted: BTreeMap<At<String>, At<String>>,
}

/// `[detect]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Detect {
    pub(super) entities: Option<Vec<At<OwnEntity>>>,
    pub(super) allow: Option<Vec<At<Allowance>>>,
    pub(super) model: Option<At<DetectModel>>,
}

/// `[detect.model]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DetectModel {
    pub(super) folder: Option<At<String>>,
    pub(super) device: Option<At<String>>,
    pub(super) queue: Option<At<i64>>,
    pub(super) within_ms: Option<At<i64>>,
    pub(super) min_score: Option<At<f64>>,
    #[serde(default)]
    pub(super) entities: BTreeMap<At<String>, At<String>>,
}

/// `[[detect.entities]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnEntity {
    pub(super) name: Option<At<String>>,
    pub(super) pattern: Option<At<String>>,
    pub(super) check: Option<At<String>>,
    pub(super) beside: Option<At<Vec<String>>>,
    pub(super) score: Option<At<f64>>,
    pub(super) score_alone: Option<At<f64>>,
    pub(super) inside_words: Option<At<bool>>,
    pub(super) found: Option<At<Vec<At<String>>>>,
    pub(super) not_found: Option<At<Vec<At<String>>>>,
    pub(super) terms: Option<At<Vec<String>>>,
    pub(super) file: Option<At<String>>,
    pub(super) match_case: Option<At<bool>>,
}

/// `[[detect.allow]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Allowance {
    pub(super) entity: Option<At<String>>,
    pub(super) values: Option<At<Vec<String>>>,
    pub(super) file: Option<At<String>>,
}

/// `[floor]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Floor {
    pub(super) within: Option<At<String>>,
    pub(super) unreadable: Option<At<Unreadable>>,
}

/// `unreadable` for all kinds, or for each.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "unreadable is \"confine\", \"allow\", or a table of image, audio, file and text"
)]
pub(super) enum Unreadable {
    All(String),
    Kinds(UnreadableKinds),
}

/// `[floor.unreadable]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnreadableKinds {
    pub(super) image: Option<String>,
    pub(super) audio: Option<String>,
    pub(super) file: Option<String>,
    pub(super) text: Option<String>,
}

/// `[[limits]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    /// Read before the rest, so that others can name what is wrong otherwise.
    #[allow(dead_code)]
    pub(super) name: Option<At<String>>,
    pub(super) tenants: Option<Vec<At<String>>>,
    pub(super) keys: Option<Vec<At<String>>>,
    pub(super) models: Option<Vec<At<String>>>,
    pub(super) each: Option<At<String>>,
    pub(super) window: Option<At<String>>,
    pub(super) requests: Option<At<i64>>,
    pub(super) input_tokens: Option<At<i64>>,
    pub(super) output_tokens: Option<At<i64>>,
    pub(super) dollars: Option<At<f64>>,
    pub(super) concurrent: Option<At<i64>>,
}

/// `[local]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Local {
    pub(super) model: Option<At<String>>,
    pub(super) device: Option<At<String>>,
    pub(super) queue: Option<At<i64>>,
    pub(super) context_tokens: Option<At<i64>>,
    pub(super) max_output_tokens: Option<At<i64>>,
    pub(super) embedding: Option<At<LocalEmbedding>>,
    #[serde(default)]
    pub(super) classifiers: Vec<At<Classifier>>,
}

/// `[local.embedding]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LocalEmbedding {
    pub(super) folder: Option<At<String>>,
    pub(super) device: Option<At<String>>,
    pub(super) queue: Option<At<i64>>,
}

/// `[[local.classifiers]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Classifier {
    pub(super) name: Option<At<String>>,
    pub(super) folder: Option<At<String>>,
    pub(super) device: Option<At<String>>,
    pub(super) queue: Option<At<i64>>,
    pub(super) within_ms: Option<At<i64>>,
}

/// `[ledger]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Ledger {
    pub(super) file: Option<At<String>>,
    pub(super) durability: Option<At<String>>,
    pub(super) group_ms: Option<At<i64>>,
}
