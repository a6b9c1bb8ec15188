//! `[detect.model]`: a model that finds names, places and organisations.

use std::ops::RangeInclusive;
use std::time::Duration;

use ringfence_local::{DeviceChoice, Tagger, TaggerConfig};

use super::detection::{named, share};
use super::raw;
use super::reader::{At, Reader};
use super::words::word;

/// The model, and what its findings are called.
#[derive(Debug, Clone, PartialEq)]
pub struct TierConfig {
    /// Which model, and where it runs.
    pub tagger: TaggerConfig,
    /// Kinds of the model's that count, with their entities.
    pub entities: Vec<(String, String)>,
    /// Less sure findings do not count, 0 to 1.
    pub min_score: f32,
    /// How long a request waits for it; then its texts count as unreadable.
    pub within: Duration,
}

impl TierConfig {
    /// How long a request waits, unless the configuration says otherwise.
    pub const WITHIN_MS: u64 = 500;

    /// How sure a finding is at least, unless the configuration says otherwise.
    pub const MIN_SCORE: f32 = 0.5;

    /// What kinds are called that many models have.
    pub const KNOWN: [(&str, &str); 10] = [
        ("PER", "PERSON"),
        ("PERSON", "PERSON"),
        ("LOC", "LOCATION"),
        ("LOCATION", "LOCATION"),
        ("GPE", "LOCATION"),
        ("ADDRESS", "LOCATION"),
        ("ORG", "ORGANISATION"),
        ("ORGANIZATION", "ORGANISATION"),
        ("DATE", "DATE"),
        ("AGE", "AGE"),
    ];
}

/// How long a request may wait.
const WITHIN_MS: RangeInclusive<u64> = 1..=60_000;

/// Requests that may wait for the model.
const QUEUE: RangeInclusive<u64> = 1..=65_536;

/// Resolves the section.
pub(super) fn resolve(reader: &mut Reader<'_>, raw: At<raw::DetectModel>) -> Option<TierConfig> {
    let span = raw.span();
    let raw = raw.into_inner();
    let Some(folder) = &raw.folder else {
        let remedy = "add folder = \"...\": a BERT checkpoint with a head that labels tokens";
        reader.mistake(&span, "[detect.model] has no folder", remedy);
        return None;
    };
    let path = reader.path(folder.get_ref());
    let kinds = match Tagger::kinds_of(&path) {
        Ok(kinds) => kinds,
        Err(error) => {
            reader.mistake(&folder.span(), error.to_string(), "");
            return None;
        }
    };
    let known = TierConfig::KNOWN.iter().filter(|(kind, _)| kinds.iter().any(|own| own == kind));
    let mut entities: Vec<(String, String)> =
        known.map(|(kind, entity)| ((*kind).to_owned(), (*entity).to_owned())).collect();
    for (kind, entity) in &raw.entities {
        if !kinds.contains(kind.get_ref()) {
            let what = format!("the model marks no \"{}\"", kind.get_ref().escape_debug());
            reader.mistake(&kind.span(), what, format!("it marks {}", kinds.join(", ")));
        }
        entities.retain(|(known, _)| known != kind.get_ref());
        // An empty name takes a kind out.
        if !entity.get_ref().is_empty() {
            entities.push((kind.get_ref().clone(), named(reader, entity).into_inner()));
        }
    }
    if entities.is_empty() {
        let what = format!("none of the kinds that the model marks counts: {}", kinds.join(", "));
        reader.mistake(&folder.span(), what, "name some: entities = { KIND = \"ENTITY\" }");
    }
    let devices = DeviceChoice::ALL.map(|device| (device.name(), device));
    let queue = reader.number("queue", raw.queue.as_ref(), Tagger::QUEUE as u64, QUEUE);
    let within =
        reader.number("within_ms", raw.within_ms.as_ref(), TierConfig::WITHIN_MS, WITHIN_MS);
    Some(TierConfig {
        tagger: TaggerConfig {
            folder: path,
            device: word(reader, "device", raw.device.as_ref(), DeviceChoice::Auto, &devices),
            queue: usize::try_from(queue).unwrap_or(Tagger::QUEUE),
        },
        entities,
        min_score: share(reader, "min_score", raw.min_score.as_ref())
            .unwrap_or(TierConfig::MIN_SCORE),
        within: Duration::from_millis(within),
    })
}
