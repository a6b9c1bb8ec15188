//! A model without its weights: all that reads and writes text.

use std::collections::BTreeSet;
use std::path::Path;

use crate::config::{Habits, ModelConfig};
use crate::decoder;
use crate::fault::LocalError;
use crate::files::ModelFiles;
use crate::local::Local;
use crate::settings::{LocalConfig, ModelSource};
use crate::template::Template;
use crate::tokenizer::Tokenizer;
use crate::weights::Weights;
use burn::tensor::DType;

/// A model's name, shape, habits, tokenizer and template.
pub(crate) struct Model {
    pub name: String,
    pub config: ModelConfig,
    pub habits: Habits,
    pub tokenizer: Tokenizer,
    pub template: Template,
    /// Tokens that end an answer.
    pub ends: BTreeSet<u32>,
    /// Prompt and answer together, in tokens.
    pub context: u32,
    /// An answer, in tokens.
    pub most: u32,
    /// Weights, shared ones counted once.
    pub parameters: u64,
    /// True for the embedded one.
    pub trial: bool,
    files: ModelFiles,
}

impl Model {
    /// Reads everything but the weights.
    ///
    /// # Errors
    /// [`LocalError::Model`], or [`LocalError::Setting`] when a bound does not fit.
    pub(crate) fn read(wanted: &LocalConfig) -> Result<Model, LocalError> {
        let files = ModelFiles::of(&wanted.model)?;
        let mut config = ModelConfig::read(&files)?;
        let habits = Habits::read(&files)?;
        let tokenizer = Tokenizer::read(&files, config.vocabulary)?;
        let template = Template::read(&files)?;
        let context = bounded("context_tokens", wanted.context_tokens, config.context)?;
        let most = bounded("max_output_tokens", wanted.max_output_tokens, context)?;
        let mut ends: BTreeSet<u32> =
            habits.ends.as_ref().unwrap_or(&config.ends).iter().copied().collect();
        // A chat model's turns often end with a token that only the tokenizer's settings
        // name.
        ends.extend(template.end().and_then(|end| tokenizer.id(end)));
        let headers = Weights::open(&files, DType::F32)?;
        if !headers.has("lm_head.weight") {
            config.tied = true;
        }
        let expected = decoder::tensors(&config);
        headers.check(&expected, |name| {
            name == "lm_head.weight" || name.ends_with(".rotary_emb.inv_freq")
        })?;
        let numbers = |shape: &[usize]| shape.iter().map(|&size| size as u64).product::<u64>();
        let parameters = expected.iter().map(|(_, shape)| numbers(shape)).sum();
        let (name, trial) = match &wanted.model {
            ModelSource::Embedded => (Local::EMBEDDED.to_owned(), true),
            ModelSource::Folder(folder) => (name_of(folder), false),
        };
        Ok(Model {
            name,
            config,
            habits,
            tokenizer,
            template,
            ends,
            context,
            most,
            parameters,
            trial,
            files,
        })
    }

    /// Opens the weights, to be read as `dtype`.
    ///
    /// # Errors
    /// [`LocalError::Model`].
    pub(crate) fn weights(&self, dtype: DType) -> Result<Weights, LocalError> {
        Weights::open(&self.files, dtype)
    }

    /// Tokens that an answer to a prompt of `prompt` tokens may have, when the client
    /// wants `wished` at most; nothing when the prompt leaves no room.
    pub(crate) fn room_for_answer(&self, prompt: usize, wished: Option<u32>) -> Option<usize> {
        let room = (self.context as usize).checked_sub(prompt).filter(|&room| room > 0)?;
        if prompt == 0 {
            return None;
        }
        let wished = wished.map_or(usize::MAX, |wished| wished.max(1) as usize);
        Some(room.min(self.most as usize).min(wished))
    }
}

/// The name of the model in a folder: the last name of the path as it is on disk, also for
/// "." and links.
pub(crate) fn name_of(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    whole.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned()
}

/// A bound of the configuration that may only lower the model's own.
fn bounded(key: &str, wanted: Option<u32>, own: u32) -> Result<u32, LocalError> {
    match wanted {
        None => Ok(own),
        Some(wanted) if (1..=own).contains(&wanted) => Ok(wanted),
        Some(wanted) => {
            Err(LocalError::Setting(format!("{key} is {wanted}, but the model takes 1 to {own}")))
        }
    }
}
