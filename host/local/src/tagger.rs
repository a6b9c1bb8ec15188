//! Marks people, places and organisations in texts, with a model of its own.
//!
//! A [`Tagger`] is a checkpoint with a head that labels tokens, on a thread of its own with
//! a bounded queue in front. It does not wait behind an answer that the local model is
//! writing: on the CPU the two share the cores, and an adapter's driver takes turns between
//! them, step by step. A call has a deadline, which is looked at between groups of windows.

mod words;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::encoder::{Call, Desk, EncoderConfig, Plan, ReadFault, Reader, Shape, Task};
use crate::fault::LocalError;
use crate::files::ModelFiles;
use crate::settings::ModelSource;
use words::Scheme;

/// Which tagger, and where it runs.
pub type TaggerConfig = EncoderConfig;

/// Why there are no tags.
pub type TagFault = ReadFault;

/// Something that was marked. Offsets are bytes of the text, on character boundaries.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Index of its kind: [`Tagger::kinds`].
    pub kind: usize,
    /// The mean of its words' probabilities, 0 to 1.
    pub probability: f32,
}

/// A model that marks texts.
#[derive(Debug)]
pub struct Tagger {
    kinds: Vec<String>,
    desk: Desk<Vec<Vec<Tag>>>,
}

impl Tagger {
    /// Calls that wait at most, unless the configuration says otherwise.
    pub const QUEUE: usize = EncoderConfig::QUEUE;

    /// Loads the model and starts its thread. Blocks until it can read.
    ///
    /// # Errors
    /// [`LocalError`].
    pub fn start(config: &TaggerConfig) -> Result<Tagger, LocalError> {
        let plan = Plan::read(config, Task::Tag)?;
        let scheme = scheme(&plan.files, &plan.shape)?;
        let kinds = scheme.kinds().to_vec();
        let desk =
            Desk::open("tagger", plan, config, move |reader, call| read(reader, &scheme, call))?;
        Ok(Tagger { kinds, desk })
    }

    /// What the model in a folder can mark, read from its `config.json` alone.
    ///
    /// # Errors
    /// [`LocalError::Model`].
    pub fn kinds_of(folder: &Path) -> Result<Vec<String>, LocalError> {
        let files = ModelFiles::of(&ModelSource::Folder(folder.to_owned()))?;
        let shape = Shape::read(&files, Task::Tag)?;
        Ok(scheme(&files, &shape)?.kinds().to_vec())
    }

    /// What it can mark, as the model names it, without the letters for beginning and
    /// inside: `PER`, `LOC`.
    pub fn kinds(&self) -> &[String] {
        &self.kinds
    }

    /// The folder and the device.
    pub fn description(&self) -> &str {
        self.desk.description()
    }

    /// Marks texts. The tags of each come ordered by start, without overlaps of one kind.
    /// What two windows of a long text mark in the words that they share is joined.
    ///
    /// # Errors
    /// [`TagFault`]; nothing of the texts is known then.
    pub async fn tag(
        &self,
        texts: Vec<Arc<str>>,
        within: Duration,
    ) -> Result<Vec<Vec<Tag>>, TagFault> {
        self.desk.ask(texts, within).await
    }
}

fn scheme(files: &ModelFiles, shape: &Shape) -> Result<Scheme, LocalError> {
    let labels = shape.head.labels().unwrap_or_default();
    Scheme::of(labels).map_err(|problem| files.fault(Shape::FILE, problem))
}

fn read(reader: &Reader, scheme: &Scheme, call: &Call<'_>) -> Result<Vec<Vec<Tag>>, TagFault> {
    let labels = scheme.labels();
    let mut tags = vec![Vec::new(); call.texts.len()];
    let mut is_whole = true;
    reader.read(call, |window, row| {
        // The marks at both ends have outputs too.
        match row.get(labels..(window.pieces.len() + 1) * labels) {
            Some(rows) => scheme.tags(&window.pieces, rows, window.from, &mut tags[window.text]),
            None => is_whole = false,
        }
    })?;
    if !is_whole {
        return Err(TagFault::Failed);
    }
    Ok(tags.into_iter().map(words::joined).collect())
}

#[cfg(test)]
mod tests;
