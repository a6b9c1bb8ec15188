//! The model that answers in this process. The only crate that knows Burn.
//!
//! A model folder in the layout of the model hub becomes a [`Local`]: one thread owns
//! the device and answers one request after the other, a bounded queue stands in front
//! of it, and the rest of the house sees a [`ringfence_fence::Provider`]. What has no
//! exact counterpart here (an architecture, a rope type, an activation, a tensor) is
//! refused by name when the model is loaded, never guessed.

mod classifier;
mod config;
mod decoder;
mod device;
mod embedded;
mod embedder;
mod encoder;
mod fault;
mod files;
#[cfg(test)]
mod fixtures;
mod gauge;
mod generate;
mod linear;
mod local;
mod model;
mod place;
mod provider;
mod queue;
mod runner;
mod settings;
mod tagger;
mod template;
mod tokenizer;
mod weights;

pub use classifier::Classifier;
pub use embedder::{EmbedFault, Embedder, EmbedderDescription, TooLong, Vector};
pub use encoder::{EncoderConfig, ReadFault, Widths, WrongWidth};
pub use fault::LocalError;
pub use local::{Description, Local, inspect, replay};
pub use settings::{DeviceChoice, LocalConfig, ModelSource};
pub use tagger::{Tag, TagFault, Tagger, TaggerConfig};
