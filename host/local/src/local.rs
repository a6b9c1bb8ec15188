//! The local model, from outside.

use std::sync::Arc;
use std::thread::JoinHandle;

use ringfence_fence::Vitals;

use crate::device::{self, Chosen};
use crate::fault::LocalError;
use crate::gauge::Gauge;
use crate::generate::{Halt, Writer};
use crate::model::Model;
use crate::queue::Queue;
use crate::runner::{self, Shared};
use crate::settings::LocalConfig;

/// A model that answers in this process.
///
/// One thread of its own owns the device; a bounded queue stands in front of it.
/// Dropping it ends the thread, after the token that is being computed.
pub struct Local {
    pub(crate) shared: Arc<Shared>,
    description: Description,
    thread: Option<JoinHandle<()>>,
}

/// What a model is, for banners, targets and `check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its name: the folder's, or [`Local::EMBEDDED`].
    pub model: String,
    /// Weights, shared ones counted once.
    pub parameters: u64,
    /// Context in tokens: prompt and answer together.
    pub context_tokens: u32,
    /// Tokens of an answer at most.
    pub max_output_tokens: u32,
    /// Adapter, driver and compiler, or "CPU".
    pub device: String,
    /// True for the embedded model, which is for trying things out.
    pub trial: bool,
}

impl Local {
    /// The name of the embedded model.
    pub const EMBEDDED: &'static str = "ringfence-trial";

    /// Optional parameters that it honours; the others are dropped and named.
    pub const HONOURS: [&'static str; 6] =
        ["max_completion_tokens", "max_tokens", "seed", "stop", "temperature", "top_p"];

    /// Stop texts that one request may have.
    pub const STOPS: usize = 16;
    /// Bytes of one stop text: text that may be its beginning is held back.
    pub const STOP_BYTES: usize = 1024;

    /// Loads the model and starts its thread. Blocks until it can answer.
    ///
    /// # Errors
    /// [`LocalError`].
    pub fn start(config: &LocalConfig) -> Result<Local, LocalError> {
        let (model, chosen, description) = prepare(config)?;
        let queue = Queue::new(config.queue);
        let shared = Arc::new(Shared { model, queue, gauge: Gauge::default() });
        let thread = runner::start(&shared, chosen)?;
        Ok(Local { shared, description, thread: Some(thread) })
    }

    /// What it is.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// How it does at the moment.
    pub fn vitals(&self) -> Vitals {
        let Shared { queue, gauge, .. } = &*self.shared;
        gauge.vitals(queue.depth(), queue.is_open())
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(thread) = self.thread.take() {
            // The thread catches its panics; there is nothing to hear from it.
            let _ = thread.join();
        }
    }
}

/// Shows what it is and never what it answers.
impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Local").field(&self.description).finish()
    }
}

/// Everything that can be known about a model without running it: every file is looked
/// at, of the weights the headers.
///
/// # Errors
/// [`LocalError`].
pub fn inspect(config: &LocalConfig) -> Result<Description, LocalError> {
    prepare(config).map(|(_, _, description)| description)
}

/// What a model computes for given tokens: logits after `prompt`, then after each token
/// of `then`, one number for each token of the vocabulary. For holding a device and a
/// model folder against a reference. Blocks, and loads the model for this alone.
///
/// # Errors
/// [`LocalError`], also when the tokens do not fit the vocabulary or the context.
pub fn replay(
    config: &LocalConfig,
    prompt: &[u32],
    then: &[u32],
) -> Result<Vec<Vec<f32>>, LocalError> {
    let (model, chosen, _) = prepare(config)?;
    let foreign = |&token: &u32| token as usize >= model.config.vocabulary;
    if prompt.is_empty() || prompt.iter().chain(then).any(foreign) {
        return Err(LocalError::Setting("there is no token, or a foreign one".into()));
    }
    if prompt.len() + then.len() > model.context as usize {
        return Err(LocalError::Setting("the tokens do not fit the context".into()));
    }
    let opened = chosen.open()?;
    let mut weights = model.weights(opened.dtype)?;
    let mut writer = Writer::load(&model, &mut weights, &opened)?;
    writer.replay(&model, prompt, then).map_err(|halt| match halt {
        Halt::Failed(message) => LocalError::Device(message.into()),
        Halt::Cancelled | Halt::TooLong { .. } => LocalError::Device("it was broken off".into()),
    })
}

fn prepare(config: &LocalConfig) -> Result<(Model, Chosen, Description), LocalError> {
    let chosen = device::choose(config.device)?;
    let model = Model::read(config)?;
    let description = Description {
        model: model.name.clone(),
        parameters: model.parameters,
        context_tokens: model.context,
        max_output_tokens: model.most,
        device: chosen.text().to_owned(),
        trial: model.trial,
    };
    Ok((model, chosen, description))
}
