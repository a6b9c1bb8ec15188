//! Makes vectors of texts, with a model of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::encoder::{
    Call, Desk, EncoderConfig, Plan, ReadFault, Reader, Sentence, Shape, Task, Window,
};
use crate::fault::LocalError;
use crate::files::ModelFiles;
use crate::settings::ModelSource;

/// A text as a vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Vector {
    /// [`Embedder::dimensions`] numbers; of length one where the model's files ask for it.
    pub values: Vec<f32>,
    /// Tokens of the text, with the two marks that stand around it.
    pub tokens: u32,
}

/// A text that is longer than the model reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("input {text} has {tokens} tokens; this model reads {most}")]
pub struct TooLong {
    /// Its index.
    pub text: usize,
    /// Its tokens, with the two marks that stand around it.
    pub tokens: usize,
    /// Tokens of a text at most, these marks included.
    pub most: usize,
}

/// Why there are no vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmbedFault {
    /// A text is too long.
    #[error(transparent)]
    TooLong(TooLong),
    /// Nothing was read.
    #[error(transparent)]
    Read(#[from] ReadFault),
}

/// A model that makes vectors: BERT or DistilBERT without a head. How the vectors of the
/// tokens become one is read from `modules.json` and `1_Pooling/config.json`; without them
/// it is the mean.
///
/// It has a thread of its own and a bounded queue in front, as a [`Tagger`](crate::Tagger).
#[derive(Debug)]
pub struct Embedder {
    dimensions: usize,
    desk: Desk<Result<Vec<Vector>, TooLong>>,
}

impl Embedder {
    /// Loads the model and starts its thread. Blocks until it can read.
    ///
    /// # Errors
    /// [`LocalError`].
    pub fn start(config: &EncoderConfig) -> Result<Embedder, LocalError> {
        let plan = Plan::read(config, Task::Embed)?;
        let dimensions = plan.shape.hidden;
        let is_normalised = plan.sentence.is_some_and(|sentence| sentence.normalised);
        let desk = Desk::open("embedder", plan, config, move |reader, call| {
            read(reader, is_normalised, call)
        })?;
        Ok(Embedder { dimensions, desk })
    }

    /// How many numbers a vector of the model in a folder has, read from its small files
    /// alone: what `check` can say.
    ///
    /// # Errors
    /// [`LocalError::Model`].
    pub fn dimensions_of(folder: &Path) -> Result<usize, LocalError> {
        let files = ModelFiles::of(&ModelSource::Folder(folder.to_owned()))?;
        Sentence::read(&files)?;
        Ok(Shape::read(&files, Task::Embed)?.hidden)
    }

    /// How many numbers a vector has.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The folder and the device.
    pub fn description(&self) -> &str {
        self.desk.description()
    }

    /// A vector for each text. Nothing of a text is cut off: one that is longer than the
    /// model reads is refused. A model that wants a word before its texts (`query: `) gets
    /// what the caller wrote.
    ///
    /// # Errors
    /// [`EmbedFault`].
    pub async fn embed(
        &self,
        texts: Vec<Arc<str>>,
        within: Duration,
    ) -> Result<Vec<Vector>, EmbedFault> {
        self.desk.ask(texts, within).await?.map_err(EmbedFault::TooLong)
    }
}

fn read(
    reader: &Reader,
    is_normalised: bool,
    call: &Call<'_>,
) -> Result<Result<Vec<Vector>, TooLong>, ReadFault> {
    let mut windows = Vec::with_capacity(call.texts.len());
    for (text, whole) in call.texts.iter().enumerate() {
        let pieces = reader.pieces(whole, call)?;
        let (tokens, most) = (pieces.len() + Reader::MARKS, reader.most());
        if tokens > most {
            return Ok(Err(TooLong { text, tokens, most }));
        }
        windows.push(Window { text, from: 0, pieces });
    }
    let mut vectors = vec![Vector { values: Vec::new(), tokens: 0 }; call.texts.len()];
    reader.read_windows(&mut windows, call, &mut |window, row| {
        let mut values = row.to_vec();
        if is_normalised {
            normalise(&mut values);
        }
        let tokens = u32::try_from(window.pieces.len() + Reader::MARKS).unwrap_or(u32::MAX);
        vectors[window.text] = Vector { values, tokens };
    })?;
    Ok(Ok(vectors))
}

/// Divides by the length. The reference has the same guard against one of nothing.
fn normalise(values: &mut [f32]) {
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-12);
    values.iter_mut().for_each(|value| *value /= length);
}

#[cfg(test)]
mod tests;
