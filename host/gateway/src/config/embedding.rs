//! `[local.embedding]`: the model in this process that makes vectors.

use std::ops::RangeInclusive;

use ringfence_local::{DeviceChoice, Embedder, EmbedderDescription, EncoderConfig, LocalError};

use super::raw;
use super::reader::{At, Reader};
use super::resolve::Entry;
use super::words::word;

/// The word for targets that it serves.
pub(super) const KIND: &str = "local-embedding";

/// The model, and what can be known of it before it runs.
pub(super) struct Embedding {
    pub(super) config: EncoderConfig,
    pub(super) description: Result<EmbedderDescription, LocalError>,
}

/// Requests that may wait for it.
const QUEUE: RangeInclusive<u64> = 1..=65_536;

/// Resolves the section for the target that needs it, or for the policies that ask it.
pub(super) fn resolve(
    reader: &mut Reader<'_>,
    raw: Option<At<raw::LocalEmbedding>>,
    targets: &[Entry<raw::Target>],
    is_asked: bool,
) -> Option<Embedding> {
    let wanted = targets.iter().find(|entry| {
        let kind = entry.rest.as_ref().and_then(|target| target.kind.as_ref());
        kind.is_some_and(|kind| kind.get_ref() == KIND)
    });
    let raw = match (raw, wanted) {
        (None, None) => return None,
        (None, Some(target)) => {
            let what = format!("a target of kind \"{KIND}\", and no model for it");
            reader.mistake(&target.span, what, "add [local.embedding] with folder = \"...\"");
            return None;
        }
        (Some(raw), _) => raw,
    };
    let span = raw.span();
    let raw = raw.into_inner();
    let Some(folder) = &raw.folder else {
        let remedy = "add folder = \"...\": a checkpoint of sentence-transformers";
        reader.mistake(&span, "[local.embedding] has no folder", remedy);
        return None;
    };
    if wanted.is_none() && !is_asked {
        reader.mistake(
            &folder.span(),
            "[local.embedding] has a model, and no target serves it",
            format!(
                "add [[targets]] with kind = \"{KIND}\", grant a policy \"model\", or take \
                 [local.embedding] out"
            ),
        );
    }
    let devices = DeviceChoice::ALL.map(|device| (device.name(), device));
    let queue = reader.number("queue", raw.queue.as_ref(), EncoderConfig::QUEUE as u64, QUEUE);
    let config = EncoderConfig {
        folder: reader.path(folder.get_ref()),
        device: word(reader, "device", raw.device.as_ref(), DeviceChoice::Auto, &devices),
        queue: usize::try_from(queue).unwrap_or(EncoderConfig::QUEUE),
    };
    let description = Embedder::inspect(&config);
    match &description {
        Err(error @ (LocalError::Model { .. } | LocalError::Setting(_))) => {
            reader.mistake(&folder.span(), error.to_string(), "");
        }
        // A device that is away may come back: the target waits for it.
        Err(LocalError::Off | LocalError::Device(_)) | Ok(_) => {}
    }
    Some(Embedding { config, description })
}
