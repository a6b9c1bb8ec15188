//! `[[targets]]`: places that can answer.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use ringfence_chat::{Capability, Dialect};
use ringfence_fence::{Honours, Model, Target, Zone};
use ringfence_local::Local;

use super::connections;
use super::embedding;
use super::model::{self, TOKEN_BOUNDS};
use super::reader::{At, Reader};
use super::resolve::{Entry, Origin};
use super::words::{NAME_REMEDY, is_name, word, words};
use super::{Reach, TargetEntry, raw, served};

/// Kinds of target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The model in this process.
    Local,
    /// The model in this process that makes vectors.
    Embedding,
    /// A service that speaks this dialect.
    Http(Dialect),
}

const KINDS: [(&str, Kind); 4] = [
    ("local", Kind::Local),
    (embedding::KIND, Kind::Embedding),
    ("openai", Kind::Http(Dialect::OpenAiChat)),
    ("anthropic", Kind::Http(Dialect::AnthropicMessages)),
];

/// Requests that a target takes at once.
const CAPACITY_BOUNDS: std::ops::RangeInclusive<u64> = 1..=1_000_000;
/// The same, unless the configuration says otherwise.
const CAPACITY: u64 = 256;
/// Context of a service, unless the configuration says otherwise.
const CONTEXT_TOKENS: u64 = 128_000;

/// The names of all entries, also of those that are wrong otherwise: what names them is
/// not wrong for that.
pub(super) fn names(reader: &mut Reader<'_>, entries: &[Entry<raw::Target>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for entry in entries {
        let Some(name) = &entry.name else {
            if entry.rest.is_some() {
                reader.mistake(&entry.span, "a target has no name", "add name = \"...\"");
            }
            continue;
        };
        if !is_name(name.get_ref()) {
            let what = format!("the target's name is \"{}\"", name.get_ref().escape_debug());
            reader.mistake(&name.span(), what, NAME_REMEDY);
        }
        if names.contains(name.get_ref()) {
            let what = format!("two targets are named \"{}\"", name.get_ref());
            reader.mistake(&name.span(), what, "give each a name of its own");
        }
        names.push(name.get_ref().clone());
    }
    names
}

/// The models in this process.
#[derive(Clone, Copy)]
pub(super) struct Inside<'a> {
    pub(super) local: Option<&'a model::Model>,
    pub(super) embedding: Option<&'a embedding::Embedding>,
}

/// Resolves the targets.
pub(super) fn resolve(
    reader: &mut Reader<'_>,
    entries: Vec<Entry<raw::Target>>,
    inside: Inside<'_>,
    origin: &Origin<'_>,
) -> Vec<TargetEntry> {
    let mut targets: Vec<TargetEntry> = Vec::new();
    let mut inside_ones = Vec::new();
    for entry in entries {
        let (Some(name), Some(raw)) = (entry.name, entry.rest) else { continue };
        let Some(kind) = &raw.kind else {
            let what = format!("target \"{}\" has no kind", name.get_ref());
            let kinds = KINDS.map(|(word, _)| format!("\"{word}\"")).join(", ");
            reader.mistake(&entry.span, what, format!("add kind = one of {kinds}"));
            continue;
        };
        let Some((_, kind)) = KINDS.into_iter().find(|(word, _)| word == kind.get_ref()) else {
            word(reader, "kind", Some(kind), Kind::Local, &KINDS);
            continue;
        };
        let plan = Plan { name: name.get_ref(), span: &entry.span, raw: &raw };
        if matches!(kind, Kind::Local | Kind::Embedding) {
            if inside_ones.contains(&kind) {
                let what = format!("target \"{}\" is a second local one", plan.name);
                let remedy = "there is one such model in this process: take one target out";
                reader.mistake(&entry.span, what, remedy);
            }
            inside_ones.push(kind);
        }
        targets.push(match kind {
            Kind::Local => plan.local(reader, inside.local),
            Kind::Embedding => plan.embedding(reader, inside.embedding),
            Kind::Http(dialect) => plan.http(reader, dialect, origin),
        });
    }
    targets
}

/// One entry while it is being resolved.
struct Plan<'a> {
    name: &'a str,
    span: &'a Range<usize>,
    raw: &'a raw::Target,
}

impl Plan<'_> {
    fn local(&self, reader: &mut Reader<'_>, local: Option<&model::Model>) -> TargetEntry {
        self.refuse_foreign_keys(reader, "write context_tokens in [local]");
        let description = local.map(|local| &local.description);
        let known = description.and_then(|description| description.as_ref().ok());
        let models = match (&self.raw.models, known) {
            (Some(_), _) => self.models(reader),
            (None, Some(known)) => vec![Model { name: known.model.clone(), aliases: Vec::new() }],
            (None, None) => vec![Model { name: Local::EMBEDDED.into(), aliases: Vec::new() }],
        };
        if models.len() > 1 {
            let what = format!("local target \"{}\" has {} models", self.name, models.len());
            reader.mistake(self.span, what, "name one, and its other names in aliases");
        }
        let queue = local.map_or(0, |local| local.config.queue as u64);
        let target = self.target(
            reader,
            Zone::Process,
            models,
            1 + queue,
            Resources {
                usual: &[],
                offered: &[],
                honours: Honours::Only(Local::HONOURS.map(str::to_owned).to_vec()),
                context_tokens: known.map_or(0, |known| known.context_tokens),
                vectors_only: false,
            },
        );
        TargetEntry { target, reach: reach(Reach::Local, description) }
    }

    fn embedding(
        &self,
        reader: &mut Reader<'_>,
        embedding: Option<&embedding::Embedding>,
    ) -> TargetEntry {
        self.refuse_foreign_keys(reader, "take it out: the model's own counts");
        let description = embedding.map(|embedding| &embedding.description);
        let known = description.and_then(|description| description.as_ref().ok());
        let models = match (&self.raw.models, known) {
            (Some(_), _) => self.models(reader),
            (None, Some(known)) => vec![Model { name: known.model.clone(), aliases: Vec::new() }],
            (None, None) => Vec::new(),
        };
        if models.len() > 1 || models.iter().any(|model| !model.aliases.is_empty()) {
            let what = format!("target \"{}\" has several names for one model", self.name);
            let remedy = "name one: vectors of different models do not compare, so that no alias \
                          is answered";
            reader.mistake(self.span, what, remedy);
        }
        let queue = embedding.map_or(0, |embedding| embedding.config.queue as u64);
        let target = self.target(
            reader,
            Zone::Process,
            models,
            1 + queue,
            Resources {
                usual: &[Capability::Embeddings],
                offered: &[Capability::Embeddings],
                honours: Honours::Only(Vec::new()),
                context_tokens: known.map_or(0, |known| known.text_tokens),
                vectors_only: true,
            },
        );
        TargetEntry { target, reach: reach(Reach::Embedder, description) }
    }

    fn http(&self, reader: &mut Reader<'_>, dialect: Dialect, origin: &Origin<'_>) -> TargetEntry {
        let zones = [Zone::Premises, Zone::Cloud].map(|zone| (zone.name(), zone));
        let zone = match &self.raw.zone {
            Some(zone) if zone.get_ref() == Zone::Process.name() => {
                let what = format!(
                    "target \"{}\" is in zone \"process\" and answers over HTTP",
                    self.name
                );
                let remedy = "write zone = \"premises\" for your own network, or \"cloud\"";
                reader.mistake(&zone.span(), what, remedy);
                Zone::Cloud
            }
            // Without a word about it a service is as far away as can be.
            given => word(reader, "zone", given.as_ref(), Zone::Cloud, &zones),
        };
        let models = self.models(reader);
        if models.is_empty() && self.raw.models.is_none() {
            let what = format!("target \"{}\" has no models", self.name);
            reader.mistake(self.span, what, "add models = [\"...\"]: the first one answers `auto`");
        }
        let context = reader.number(
            "context_tokens",
            self.raw.context_tokens.as_ref(),
            CONTEXT_TOKENS,
            TOKEN_BOUNDS,
        );
        let carries = ringfence_dialect::carries(dialect);
        let target = self.target(
            reader,
            zone,
            models,
            CAPACITY,
            Resources {
                usual: carries.capabilities,
                offered: ringfence_dialect::carries_from(dialect, dialect).capabilities,
                honours: match carries.honours {
                    None => Honours::Everything,
                    Some(names) => {
                        Honours::Only(names.iter().map(|&name| name.to_owned()).collect())
                    }
                },
                context_tokens: u32::try_from(context).unwrap_or(u32::MAX),
                vectors_only: false,
            },
        );
        let reach = connections::resolve(
            reader,
            &connections::Plan {
                name: self.name,
                span: self.span,
                raw: self.raw,
                zone,
                dialect,
                origin,
            },
        );
        TargetEntry { target, reach }
    }

    fn target(
        &self,
        reader: &mut Reader<'_>,
        zone: Zone,
        models: Vec<Model>,
        capacity: u64,
        resources: Resources<'_>,
    ) -> Arc<Target> {
        let raw = self.raw;
        let capacity = reader.number("capacity", raw.capacity.as_ref(), capacity, CAPACITY_BOUNDS);
        let region = raw.region.as_ref().map(|region| region.get_ref().clone()).unwrap_or_default();
        if let Some(given) = &raw.region
            && !region.is_empty()
            && !is_name(&region)
        {
            reader.mistake(&given.span(), "the region is no name", NAME_REMEDY);
        }
        Arc::new(Target {
            name: self.name.to_owned(),
            zone,
            region,
            attributes: words(reader, "attribute", &raw.attributes),
            capabilities: self.capabilities(reader, &resources),
            honours: resources.honours,
            context_tokens: resources.context_tokens,
            capacity: u32::try_from(capacity).unwrap_or(u32::MAX),
            models,
            vectors_only: resources.vectors_only,
            input_price: price(reader, raw.input_price_per_million.as_ref()),
            output_price: price(reader, raw.output_price_per_million.as_ref()),
        })
    }

    /// What the entry names of what is offered; the usual ones when it names nothing.
    fn capabilities(&self, reader: &mut Reader<'_>, resources: &Resources<'_>) -> Vec<Capability> {
        let offered = resources.offered;
        let Some(given) = &self.raw.capabilities else { return resources.usual.to_vec() };
        let mut capabilities = BTreeSet::new();
        for word in given {
            match Capability::from_name(word.get_ref()) {
                Some(capability) if offered.contains(&capability) => {
                    capabilities.insert(capability);
                }
                _ => {
                    let names: Vec<&str> = offered.iter().map(|one| one.name()).collect();
                    let what = format!(
                        "target \"{}\" cannot have the capability \"{}\"",
                        self.name,
                        word.get_ref()
                    );
                    let remedy = match names.as_slice() {
                        [] => "it has none to choose from".to_owned(),
                        names => format!("choose from {}", names.join(", ")),
                    };
                    reader.mistake(&word.span(), what, remedy);
                }
            }
        }
        capabilities.into_iter().collect()
    }

    fn models(&self, reader: &mut Reader<'_>) -> Vec<Model> {
        let given = self.raw.models.as_ref();
        given.map(|given| served::resolve(reader, self.name, given)).unwrap_or_default()
    }

    /// Refuses what a model in this process has no use for.
    fn refuse_foreign_keys(&self, reader: &mut Reader<'_>, instead_of_context: &str) {
        let raw = self.raw;
        if let Some(zone) = &raw.zone
            && zone.get_ref() != Zone::Process.name()
        {
            let what = format!("local target \"{}\" is in zone \"{}\"", self.name, zone.get_ref());
            reader.mistake(&zone.span(), what, "leave zone out: a local target is in this process");
        }
        if let Some(given) = &raw.context_tokens {
            let what = format!("local target \"{}\" has context_tokens", self.name);
            reader.mistake(&given.span(), what, instead_of_context);
        }
        let mut given: Vec<(&str, Range<usize>)> = Vec::new();
        for (key, value) in
            [("base_url", &raw.base_url), ("key_env", &raw.key_env), ("key_file", &raw.key_file)]
        {
            given.extend(value.as_ref().map(|value| (key, value.span())));
        }
        for (key, value) in [
            ("connect_within_seconds", &raw.connect_within_seconds),
            ("first_byte_within_seconds", &raw.first_byte_within_seconds),
            ("idle_within_seconds", &raw.idle_within_seconds),
        ] {
            given.extend(value.as_ref().map(|value| (key, value.span())));
        }
        given.extend(raw.headers.values().next().map(|value| ("headers", value.span())));
        for (key, span) in given {
            let what = format!("local target \"{}\" has {key}", self.name);
            reader.mistake(&span, what, "take it out: nothing of it goes over a network");
        }
    }
}

/// What a kind of target brings along.
struct Resources<'a> {
    /// Capabilities that it has when the entry names none.
    usual: &'a [Capability],
    /// Capabilities that an entry may name.
    offered: &'a [Capability],
    honours: Honours,
    context_tokens: u32,
    vectors_only: bool,
}

/// How a model in this process is reached, when all is known of it.
fn reach<T, E: std::fmt::Display>(there: Reach, description: Option<&Result<T, E>>) -> Reach {
    match description {
        Some(Ok(_)) => there,
        Some(Err(error)) => Reach::Lacking(error.to_string()),
        None => Reach::Lacking("a model".into()),
    }
}

fn price(reader: &mut Reader<'_>, given: Option<&At<f64>>) -> f64 {
    let Some(given) = given else { return 0.0 };
    let price = *given.get_ref();
    if !(price.is_finite() && price >= 0.0) {
        reader.mistake(
            &given.span(),
            format!("the price is {price}"),
            "give dollars per million tokens",
        );
        return 0.0;
    }
    price
}
