//! Makes vectors of texts, with a model of its own.

mod provider;

use std::sync::Arc;
use std::time::Duration;

use crate::encoder::{
    Call, Desk, EncoderConfig, Plan, ReadFault, Reader, Sentence, Task, Widths, Window,
};
use crate::fault::LocalError;
use crate::model::name_of;

/// A text as a vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Vector {
    /// [`Widths::whole`] numbers; of length one where the model's files ask for it.
    pub values: Vec<f32>,
    /// Tokens of the text, with the two marks that stand around it.
    pub tokens: u32,
}

/// A text that is longer than the model reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("input[{text}] has {tokens} tokens; this model reads {most}")]
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

/// What an embedder is, for banners, targets and `check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedderDescription {
    /// Its name: the folder's.
    pub model: String,
    /// How many numbers a vector may have.
    pub widths: Widths,
    /// Tokens of a text at most, the two marks around it included.
    pub text_tokens: u32,
    /// Adapter, driver and compiler, or "CPU".
    pub device: String,
}

/// A model that makes vectors: BERT or DistilBERT without a head. How the vectors of the
/// tokens become one is read from `modules.json` and `1_Pooling/config.json`; without them
/// it is the mean.
///
/// It has a thread of its own and a bounded queue in front, as a [`Tagger`](crate::Tagger):
/// it waits behind no prompt and no answer of the local model, and what it reads at once is
/// bounded, so that these do not wait long for it.
#[derive(Debug)]
pub struct Embedder {
    description: EmbedderDescription,
    is_normalised: bool,
    desk: Desk<Result<Vec<Vector>, TooLong>>,
}

impl Embedder {
    /// Texts of one call at most.
    pub const TEXTS: usize = 2048;

    /// Loads the model and starts its thread. Blocks until it can read.
    ///
    /// # Errors
    /// [`LocalError`].
    pub fn start(config: &EncoderConfig) -> Result<Embedder, LocalError> {
        let (plan, sentence, description) = prepare(config)?;
        let is_normalised = sentence.normalised;
        let desk = Desk::open("embedder", plan, config, move |reader, call| {
            read(reader, &sentence, call)
        })?;
        Ok(Embedder { description, is_normalised, desk })
    }

    /// All that can be known of it without running it: every file is looked at, of the
    /// weights the headers.
    ///
    /// # Errors
    /// [`LocalError`].
    pub fn inspect(config: &EncoderConfig) -> Result<EmbedderDescription, LocalError> {
        prepare(config).map(|(_, _, description)| description)
    }

    /// What it is.
    pub fn description(&self) -> &EmbedderDescription {
        &self.description
    }

    /// Calls that wait.
    pub fn waiting(&self) -> u32 {
        self.desk.waiting()
    }

    /// A vector for each text, in any number. Nothing of a text is cut off: one that is
    /// longer than the model reads is refused. A model whose files name words that stand
    /// before a text by default gets them; of several others (`query: `) it gets what the
    /// caller wrote.
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

fn prepare(config: &EncoderConfig) -> Result<(Plan, Sentence, EmbedderDescription), LocalError> {
    let plan = Plan::read(config, Task::Embed)?;
    let sentence = Sentence::read(&plan.files)?;
    let text_tokens = Reader::most_of(&plan.files, &plan.shape, Some(&sentence))?;
    let description = EmbedderDescription {
        model: name_of(&config.folder),
        widths: Widths::read(&plan.files, plan.shape.hidden)?,
        text_tokens: u32::try_from(text_tokens).unwrap_or(u32::MAX),
        device: plan.chosen.text().to_owned(),
    };
    Ok((plan, sentence, description))
}

fn read(
    reader: &Reader,
    sentence: &Sentence,
    call: &Call<'_>,
) -> Result<Result<Vec<Vector>, TooLong>, ReadFault> {
    let mut windows = Vec::with_capacity(call.texts.len());
    for (text, whole) in call.texts.iter().enumerate() {
        let pieces = reader.pieces(&sentence.prepared(whole), call)?;
        let (tokens, most) = (pieces.len() + Reader::MARKS, reader.most());
        if tokens > most {
            return Ok(Err(TooLong { text, tokens, most }));
        }
        windows.push(Window { text, from: 0, pieces });
    }
    let mut vectors = vec![Vector { values: Vec::new(), tokens: 0 }; call.texts.len()];
    reader.read_windows(&mut windows, call, &mut |window, row| {
        let mut values = row.to_vec();
        if sentence.normalised {
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
