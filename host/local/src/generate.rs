//! One answer: prompt tokens in, text out.

mod sampler;
mod stops;

use std::ops::ControlFlow;

use burn::tensor::{DType, Device};
use ringfence_chat::{FinishReason, Usage};

use crate::decoder::{Cache, Decoder};
use crate::device::Opened;
use crate::fault::LocalError;
use crate::model::Model;
use crate::tokenizer::Unfolding;
use crate::weights::Weights;
use sampler::Sampler;
use stops::Stops;

/// What a client wants of one answer. Absent means the model's own habit.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Wish {
    /// 0 is greedy.
    pub temperature: Option<f32>,
    /// Share of probability that is looked at.
    pub top_p: Option<f32>,
    /// Same seed, same text.
    pub seed: Option<i64>,
    /// Tokens at most.
    pub max_tokens: Option<u32>,
    /// Texts that end the answer and are not part of it.
    pub stops: Vec<String>,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending {
    pub reason: FinishReason,
    pub usage: Usage,
}

/// Why there is no answer, or no whole one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Halt {
    /// Nobody waits for it any more.
    Cancelled,
    /// The prompt leaves no room for an answer.
    TooLong {
        /// Tokens of the prompt.
        prompt: usize,
    },
    /// The device or the tokenizer failed.
    Failed(&'static str),
}

/// What happens while an answer is made.
pub(crate) enum Progress<'a> {
    /// About to compute for a while.
    Working,
    /// The first token is there.
    Begun,
    /// More text; never empty, never half a character.
    Text(&'a str),
}

/// A decoder with the room it works in. Answers one request after the other.
pub(crate) struct Writer {
    decoder: Decoder,
    cache: Cache,
    device: Device,
    dtype: DType,
}

impl Writer {
    /// Prompt tokens that are read at once; between two such pieces an answer can be
    /// cancelled.
    pub(crate) const PIECE: usize = 128;
    /// Room for an answer that is made at first; it doubles when it is full.
    const FIRST_ROOM: usize = 256;
    /// Room that is kept from one request to the next.
    const KEPT_ROOM: usize = 4096;

    /// Loads the decoder of `model`.
    ///
    /// # Errors
    /// [`LocalError::Model`] when weights cannot be read, [`LocalError::Device`] when the
    /// device computes nonsense.
    pub(crate) fn load(
        model: &Model,
        weights: &mut Weights,
        opened: &Opened,
    ) -> Result<Writer, LocalError> {
        let Opened { device, dtype } = opened.clone();
        let decoder = Decoder::load(&model.config, weights, &device, dtype)?;
        let cache = Cache::new(&model.config, Cache::STEP, &device, dtype);
        let mut writer = Writer { decoder, cache, device, dtype };
        // Compiles what the device runs, and shows whether it computes at all.
        let probe = writer.logits(&[0]).map(|logits| logits.iter().all(|value| value.is_finite()));
        if probe != Ok(true) {
            return Err(LocalError::Device(
                "the device computes no numbers for this model; use device = \"cpu\"".into(),
            ));
        }
        Ok(writer)
    }

    /// Writes an answer to `prompt`, and tells `progress` of it, which may break it off.
    ///
    /// # Errors
    /// [`Halt`].
    pub(crate) fn answer(
        &mut self,
        model: &Model,
        prompt: &[u32],
        wish: &Wish,
        progress: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Ending, Halt> {
        let mut tell = |step: Progress<'_>| match progress(step) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Halt::Cancelled),
        };
        let most = model.room_for_answer(prompt.len(), wish.max_tokens);
        let most = most.ok_or(Halt::TooLong { prompt: prompt.len() })?;
        self.clear(model, prompt.len() + most.min(Self::FIRST_ROOM));
        let mut sampler = Sampler::new(&model.habits, wish, prompt, model.config.vocabulary);
        let mut unfolding = Unfolding::new(&model.tokenizer);
        let mut stops = Stops::new(&wish.stops);
        let mut logits = Vec::new();
        for piece in prompt.chunks(Self::PIECE) {
            tell(Progress::Working)?;
            logits = self.logits(piece)?;
        }
        let mut written = 0;
        let reason = loop {
            let next = sampler.pick(&mut logits).ok_or(NO_NUMBERS)?;
            if written == 0 {
                tell(Progress::Begun)?;
            }
            if model.ends.contains(&next) {
                break FinishReason::Stop;
            }
            written += 1;
            let text = unfolding.push(next).map_err(|_| NO_TEXT)?;
            let (text, stopped) = stops.push(&text);
            if !text.is_empty() {
                tell(Progress::Text(&text))?;
            }
            if stopped {
                return Ok(ending(FinishReason::Stop, prompt.len(), written));
            }
            if written == most {
                break FinishReason::Length;
            }
            tell(Progress::Working)?;
            self.grow(model, prompt.len() + most);
            logits = self.logits(&[next])?;
        };
        let rest = unfolding.finish().map_err(|_| NO_TEXT)?;
        let (mut rest, stopped) = stops.push(&rest);
        if !stopped {
            rest.push_str(&stops.finish());
        }
        if !rest.is_empty() {
            tell(Progress::Text(&rest))?;
        }
        let reason = if stopped { FinishReason::Stop } else { reason };
        Ok(ending(reason, prompt.len(), written))
    }

    /// Logits after `prompt`, then after each of `then`, `vocabulary` numbers each.
    ///
    /// # Errors
    /// [`Halt::Failed`].
    pub(crate) fn replay(
        &mut self,
        model: &Model,
        prompt: &[u32],
        then: &[u32],
    ) -> Result<Vec<Vec<f32>>, Halt> {
        self.clear(model, prompt.len() + then.len());
        let mut rows = Vec::with_capacity(then.len() + 1);
        for piece in prompt.chunks(Self::PIECE) {
            rows = vec![self.logits(piece)?];
        }
        for &token in then {
            rows.push(self.logits(&[token])?);
        }
        Ok(rows)
    }

    /// Replaces the cache by a new one.
    pub(crate) fn renew(&mut self, model: &Model) {
        self.cache = Cache::new(&model.config, Cache::STEP, &self.device, self.dtype);
    }

    /// Empties the cache and sees to it that it has room for `tokens`. A large one is
    /// given back when the next request does not need it.
    fn clear(&mut self, model: &Model, tokens: usize) {
        let room = self.cache.room();
        if room < tokens || (room > Self::KEPT_ROOM && tokens <= Self::KEPT_ROOM) {
            self.cache = Cache::new(&model.config, tokens, &self.device, self.dtype);
        }
        self.cache.clear();
    }

    /// Doubles the room when it is full, up to `most` tokens.
    fn grow(&mut self, model: &Model, most: usize) {
        let room = self.cache.room();
        if self.cache.length() == room {
            let larger = (2 * room).min(most).max(room + 1);
            self.cache = self.cache.grown(&model.config, larger, &self.device, self.dtype);
        }
    }

    fn logits(&mut self, ids: &[u32]) -> Result<Vec<f32>, Halt> {
        let logits = self.decoder.read(ids, &mut self.cache, 1);
        logits.try_into_vec_as::<f32>().map_err(|_| Halt::Failed("the device failed"))
    }
}

const NO_NUMBERS: Halt = Halt::Failed("the device computed no numbers");
const NO_TEXT: Halt = Halt::Failed("the tokenizer failed on the model's answer");

fn ending(reason: FinishReason, input: usize, output: usize) -> Ending {
    let count = |tokens: usize| u32::try_from(tokens).unwrap_or(u32::MAX);
    let usage = Usage { input: count(input), cached: 0, output: count(output), reasoning: 0 };
    Ending { reason, usage }
}

/// Shows numbers and never a stop text.
impl std::fmt::Debug for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wish")
            .field("temperature", &self.temperature)
            .field("top_p", &self.top_p)
            .field("seed", &self.seed)
            .field("max_tokens", &self.max_tokens)
            .field("stops", &self.stops.len())
            .finish()
    }
}

#[cfg(test)]
mod tests;
