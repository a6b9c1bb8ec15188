//! The local model, from outside.

use ringfence_fence::Vitals;

use crate::fault::LocalError;
use crate::settings::LocalConfig;

/// A model that answers in this process.
///
/// One thread of its own owns the device; a bounded queue stands in front of it.
/// Dropping it ends the thread.
pub struct Local {
    description: Description,
}

/// What a model is, for banners, targets and `check`.
#[derive(Debug, Clone, PartialEq)]
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

    /// Loads the model and starts its thread. Blocks until it can answer.
    ///
    /// # Errors
    /// [`LocalError`].
    pub fn start(config: &LocalConfig) -> Result<Local, LocalError> {
        let description = inspect(config)?;
        Ok(Local { description })
    }

    /// What it is.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// How it does at the moment.
    pub fn vitals(&self) -> Vitals {
        Vitals::default()
    }
}

/// Everything that can be known about a model without running it.
///
/// # Errors
/// [`LocalError`], the same that [`Local::start`] would give.
pub fn inspect(_config: &LocalConfig) -> Result<Description, LocalError> {
    Err(LocalError::Off)
}
