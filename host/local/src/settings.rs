//! What an operator says about the local model.

use std::path::PathBuf;

/// What to serve, where, and within which bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalConfig {
    /// Which model.
    pub model: ModelSource,
    /// Where it runs.
    pub device: DeviceChoice,
    /// Requests that may wait while one is answered; the next one is refused.
    pub queue: usize,
    /// Context in tokens; the model's own when absent. Never more than the model's own.
    pub context_tokens: Option<u32>,
    /// Tokens of an answer at most, whatever the client asks for; what the context
    /// leaves when absent.
    pub max_output_tokens: Option<u32>,
}

impl LocalConfig {
    /// Requests that wait at most, unless the configuration says otherwise.
    pub const QUEUE: usize = 32;

    /// The embedded trial model on the device that suits.
    pub fn embedded() -> LocalConfig {
        LocalConfig {
            model: ModelSource::Embedded,
            device: DeviceChoice::Auto,
            queue: Self::QUEUE,
            context_tokens: None,
            max_output_tokens: None,
        }
    }
}

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// The trial model in the binary.
    Embedded,
    /// A folder in the layout of the model hub: `config.json`, `tokenizer.json`,
    /// a chat template and safetensors.
    Folder(PathBuf),
}

/// Which device runs the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A real adapter when there is one, the CPU otherwise.
    Auto,
    /// A real adapter or nothing.
    Gpu,
    /// The CPU.
    Cpu,
    /// Software Vulkan: slow, for checking the path that adapters take. Never chosen
    /// unless it is named.
    SoftwareVulkan,
    /// No model at all.
    None,
}

impl DeviceChoice {
    /// Every choice.
    pub const ALL: [DeviceChoice; 5] = [
        DeviceChoice::Auto,
        DeviceChoice::Gpu,
        DeviceChoice::Cpu,
        DeviceChoice::SoftwareVulkan,
        DeviceChoice::None,
    ];

    /// The name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            DeviceChoice::Auto => "auto",
            DeviceChoice::Gpu => "gpu",
            DeviceChoice::Cpu => "cpu",
            DeviceChoice::SoftwareVulkan => "software-vulkan",
            DeviceChoice::None => "none",
        }
    }

    /// The choice of that name.
    pub fn from_name(name: &str) -> Option<DeviceChoice> {
        DeviceChoice::ALL.into_iter().find(|choice| choice.name() == name)
    }
}
