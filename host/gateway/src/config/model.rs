//! `[local]`: the model in this process.

use ringfence_local::{Description, DeviceChoice, LocalConfig, LocalError, ModelSource};

use super::raw;
use super::reader::Reader;
use super::resolve::Entry;
use super::words::word;

/// The word that names the trial model.
const TRIAL: &str = "trial";

/// The model, and what can be known of it before it runs.
pub(super) struct Model {
    pub(super) config: LocalConfig,
    pub(super) description: Result<Description, LocalError>,
}

/// Resolves `[local]` for the targets that need it.
pub(super) fn resolve(
    reader: &mut Reader<'_>,
    raw: Option<&raw::Local>,
    targets: &[Entry<raw::Target>],
) -> Option<Model> {
    let wanted = targets.iter().find(|entry| {
        let kind = entry.rest.as_ref().and_then(|target| target.kind.as_ref());
        kind.is_some_and(|kind| kind.get_ref() == "local")
    });
    let remedy = "add [local] with model = \"FOLDER\", or model = \"trial\" for the built-in one";
    let raw = match (raw, wanted) {
        (None, None) => return None,
        (None, Some(target)) => {
            reader.mistake(&target.span, "a local target, and no model for it", remedy);
            return None;
        }
        (Some(raw), _) => raw,
    };
    let is_empty = raw.device.is_none()
        && raw.queue.is_none()
        && raw.context_tokens.is_none()
        && raw.max_output_tokens.is_none();
    let Some(model) = &raw.model else {
        match wanted {
            // A section that is there for a further one alone.
            None if is_empty => return None,
            Some(target) => reader.mistake(&target.span, "[local] has no model", remedy),
            None => reader.mistake_overall("[local] has no model", remedy),
        }
        return None;
    };
    if wanted.is_none() {
        reader.mistake(
            &model.span(),
            "[local] has a model, and no target serves it",
            "add [[targets]] with kind = \"local\", or take [local] out",
        );
    }
    let source = match model.get_ref().as_str() {
        TRIAL => ModelSource::Embedded,
        folder => ModelSource::Folder(reader.path(folder)),
    };
    if let ModelSource::Folder(folder) = &source
        && !folder.is_dir()
    {
        reader.mistake(
            &model.span(),
            format!("the model folder {} is not there", folder.display()),
            "give a folder with config.json, tokenizer.json and *.safetensors, or \"trial\"",
        );
        return None;
    }
    let devices = DeviceChoice::ALL.map(|device| (device.name(), device));
    let queue = reader.number("queue", raw.queue.as_ref(), LocalConfig::QUEUE as u64, QUEUE_BOUNDS);
    let tokens = |reader: &mut Reader<'_>, key, given: Option<&_>| {
        let given = given?;
        u32::try_from(reader.number(key, Some(given), 0, TOKEN_BOUNDS)).ok()
    };
    let config = LocalConfig {
        model: source,
        device: word(reader, "device", raw.device.as_ref(), DeviceChoice::Auto, &devices),
        queue: usize::try_from(queue).unwrap_or(LocalConfig::QUEUE),
        context_tokens: tokens(reader, "context_tokens", raw.context_tokens.as_ref()),
        max_output_tokens: tokens(reader, "max_output_tokens", raw.max_output_tokens.as_ref()),
    };
    let description = ringfence_local::inspect(&config);
    match &description {
        Err(LocalError::Model { .. }) => {
            if let Err(error) = &description {
                reader.mistake(&model.span(), error.to_string(), "");
            }
        }
        Err(LocalError::Setting(problem)) => {
            reader.mistake(&model.span(), problem.clone(), "change it in [local]");
        }
        // A device that is away may come back: the target waits for it.
        Err(LocalError::Off | LocalError::Device(_)) | Ok(_) => {}
    }
    Some(Model { config, description })
}

/// Requests that may wait for the local model.
pub(super) const QUEUE_BOUNDS: std::ops::RangeInclusive<u64> = 0..=65_536;

/// Tokens of a context or of an answer.
pub(super) const TOKEN_BOUNDS: std::ops::RangeInclusive<u64> = 1..=100_000_000;
