//! `[[local.classifiers]]`: models in this process that say what texts are.

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use ringfence_local::{Classifier, DeviceChoice, EncoderConfig};

use super::raw;
use super::reader::{At, Reader};
use super::words::{NAME_REMEDY, is_name, word};

/// A classifier, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassifierConfig {
    /// What policies call it.
    pub name: String,
    /// Which model, and where it runs.
    pub model: EncoderConfig,
    /// How long a policy or a request waits for it.
    pub within: Duration,
}

impl ClassifierConfig {
    /// How long it may take, unless the configuration says otherwise.
    pub const WITHIN_MS: u64 = 500;

    /// Classifiers at most: each has its weights in memory.
    pub const COUNT: usize = 16;
}

/// How long it may take.
const WITHIN_MS: RangeInclusive<u64> = 1..=60_000;

/// Calls that may wait for it.
const QUEUE: RangeInclusive<u64> = 1..=65_536;

/// Resolves the entries.
pub(super) fn resolve(
    reader: &mut Reader<'_>,
    entries: Vec<At<raw::Classifier>>,
) -> Vec<ClassifierConfig> {
    if let Some(one) = entries.get(ClassifierConfig::COUNT) {
        let what = format!("more than {} classifiers", ClassifierConfig::COUNT);
        reader.mistake(&one.span(), what, "take some out: each has its weights in memory");
    }
    let mut classifiers: Vec<ClassifierConfig> = Vec::new();
    for entry in entries {
        let span = entry.span();
        let raw = entry.into_inner();
        let Some(name) = &raw.name else {
            let remedy = "add name = \"...\": what policies call it";
            reader.mistake(&span, "a classifier has no name", remedy);
            continue;
        };
        if !is_name(name.get_ref()) {
            let what = format!("the classifier's name is \"{}\"", name.get_ref().escape_debug());
            reader.mistake(&name.span(), what, NAME_REMEDY);
        }
        if classifiers.iter().any(|known| known.name == *name.get_ref()) {
            let what = format!("two classifiers are named \"{}\"", name.get_ref().escape_debug());
            reader.mistake(&name.span(), what, "give each a name of its own");
        }
        let Some(folder) = &raw.folder else {
            let what = format!("classifier \"{}\" has no folder", name.get_ref().escape_debug());
            let remedy = "add folder = \"...\": a BERT checkpoint with a head that labels texts";
            reader.mistake(&span, what, remedy);
            continue;
        };
        let path = reader.path(folder.get_ref());
        look(reader, folder, &path);
        let devices = DeviceChoice::ALL.map(|device| (device.name(), device));
        let queue = reader.number("queue", raw.queue.as_ref(), EncoderConfig::QUEUE as u64, QUEUE);
        let within = raw.within_ms.as_ref();
        let within = reader.number("within_ms", within, ClassifierConfig::WITHIN_MS, WITHIN_MS);
        classifiers.push(ClassifierConfig {
            name: name.get_ref().clone(),
            model: EncoderConfig {
                folder: path,
                device: word(reader, "device", raw.device.as_ref(), DeviceChoice::Auto, &devices),
                queue: usize::try_from(queue).unwrap_or(EncoderConfig::QUEUE),
            },
            within: Duration::from_millis(within),
        });
    }
    classifiers
}

/// Says what is wrong with the model in a folder.
fn look(reader: &mut Reader<'_>, folder: &At<String>, path: &Path) {
    if let Err(error) = Classifier::labels_of(path) {
        reader.mistake(&folder.span(), error.to_string(), "");
    }
}
