//! `config.json` and `generation_config.json`: what shape a model has and how it likes
//! to be sampled.
//!
//! Both forms of `config.json` are read: `rope_theta` and `rope_scaling` at the top, as
//! files on the model hub have them, and the newer `rope_parameters`. A key that would
//! change what the model computes and that this decoder does not know is refused.

mod keys;
mod rope;

use crate::fault::LocalError;
use crate::files::ModelFiles;
pub(crate) use keys::Keys;
pub(crate) use rope::Rope;

/// The shape of a decoder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelConfig {
    /// Tokens in the vocabulary.
    pub vocabulary: usize,
    /// Width of the residual stream.
    pub hidden: usize,
    /// Width of the gated layer.
    pub intermediate: usize,
    /// Blocks.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of one head; even.
    pub head_dim: usize,
    /// Tokens it was trained for.
    pub context: u32,
    /// Added to the variance in every norm.
    pub epsilon: f64,
    /// How positions turn queries and keys.
    pub rope: Rope,
    /// Query, key and value projections have biases.
    pub qkv_bias: bool,
    /// Every head of queries and keys is normed before it is turned.
    pub head_norm: bool,
    /// The output projection of attention has one.
    pub output_bias: bool,
    /// The projections of the gated layer have them.
    pub mlp_bias: bool,
    /// The embedding is the output projection too.
    pub tied: bool,
    /// The model's own end tokens.
    pub ends: Vec<u32>,
}

/// How a model likes to be sampled, from `generation_config.json`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Habits {
    /// End tokens; they replace those of `config.json`.
    pub ends: Option<Vec<u32>>,
    /// Whether it samples at all when a client says nothing.
    pub sampled: bool,
    /// Used where a client says nothing.
    pub temperature: Option<f32>,
    /// Best tokens that are looked at; 0 for all.
    pub top_k: Option<u32>,
    /// Share of probability that is looked at.
    pub top_p: Option<f32>,
    /// Least probability, as a share of the best token's.
    pub min_p: Option<f32>,
    /// What a repeated token's logit is divided by.
    pub repetition_penalty: Option<f32>,
}

/// The architectures whose decoder is this one.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Architecture {
    Llama,
    Mistral,
    Qwen2,
    Qwen3,
}

impl ModelConfig {
    /// The file.
    pub(crate) const FILE: &'static str = "config.json";

    /// The largest value that a size may have: far beyond every model, far below what
    /// an allocation would die of.
    const SIZE: usize = 1 << 22;

    /// The width of a Qwen3 head that the file does not give; it is not a share of `hidden`.
    const QWEN3_HEAD: usize = 128;

    /// Reads `config.json`.
    ///
    /// # Errors
    /// [`LocalError::Model`] that names the file and the key.
    pub(crate) fn read(files: &ModelFiles) -> Result<ModelConfig, LocalError> {
        let map = files.json(Self::FILE)?.ok_or_else(|| {
            let remedy = "is missing; download the whole model folder, or name another one";
            files.fault(Self::FILE, remedy)
        })?;
        Self::parse(&Keys(&map)).map_err(|problem| files.fault(Self::FILE, problem))
    }

    fn parse(keys: &Keys) -> Result<ModelConfig, String> {
        let architecture = Architecture::parse(keys)?;
        if keys.present("quantization_config") {
            return Err("has `quantization_config`: quantised checkpoints are not supported; \
                        name the model's original folder"
                .into());
        }
        let activation = keys.text("hidden_act")?.unwrap_or("silu");
        if !matches!(activation, "silu" | "swish") {
            return Err(format!("has the unknown activation `{activation}` (known: silu)"));
        }
        let size = |key: &str| -> Result<usize, String> {
            let value = keys.size(key)?.ok_or_else(|| format!("lacks `{key}`"))?;
            if value == 0 || value > Self::SIZE {
                return Err(format!("has {value} as `{key}`; 1 to {} is possible", Self::SIZE));
            }
            Ok(value)
        };
        let hidden = size("hidden_size")?;
        let heads = size("num_attention_heads")?;
        let kv_heads = match (keys.size("num_key_value_heads")?, architecture) {
            (Some(_), _) => size("num_key_value_heads")?,
            (None, Architecture::Llama) => heads,
            (None, _) => return Err("lacks `num_key_value_heads`".into()),
        };
        let head_dim = match keys.size("head_dim")? {
            Some(_) => size("head_dim")?,
            None if architecture == Architecture::Qwen3 => Self::QWEN3_HEAD,
            None if hidden.is_multiple_of(heads) => hidden / heads,
            None => return Err("lacks `head_dim`, and the heads do not divide the width".into()),
        };
        if !heads.is_multiple_of(kv_heads) {
            return Err(format!(
                "has {heads} heads, which {kv_heads} key-value heads do not divide"
            ));
        }
        if !head_dim.is_multiple_of(2) {
            return Err(format!("has heads of width {head_dim}; rotation needs an even one"));
        }
        let context = architecture.context(keys, size("max_position_embeddings")?)?;
        let epsilon = keys.number("rms_norm_eps")?.ok_or("lacks `rms_norm_eps`")?;
        if !(0.0..1.0).contains(&epsilon) {
            return Err(format!("has {epsilon} as `rms_norm_eps`"));
        }
        let attention_bias = keys.flag("attention_bias")?.unwrap_or(false);
        Ok(ModelConfig {
            vocabulary: size("vocab_size")?,
            hidden,
            intermediate: size("intermediate_size")?,
            layers: size("num_hidden_layers")?,
            heads,
            kv_heads,
            head_dim,
            context,
            epsilon,
            rope: Rope::parse(keys, context)?,
            qkv_bias: attention_bias || architecture == Architecture::Qwen2,
            head_norm: architecture == Architecture::Qwen3,
            output_bias: attention_bias
                && matches!(architecture, Architecture::Llama | Architecture::Qwen3),
            mlp_bias: keys.flag("mlp_bias")?.unwrap_or(false),
            tied: keys.flag("tie_word_embeddings")?.unwrap_or(false),
            ends: keys.tokens("eos_token_id")?.unwrap_or_default(),
        })
    }
}

impl Habits {
    /// The file.
    pub(crate) const FILE: &'static str = "generation_config.json";

    /// Reads `generation_config.json`; without one, nothing is said.
    ///
    /// # Errors
    /// [`LocalError::Model`] that names the file and the key.
    pub(crate) fn read(files: &ModelFiles) -> Result<Habits, LocalError> {
        let Some(map) = files.json(Self::FILE)? else { return Ok(Habits::default()) };
        Self::parse(&Keys(&map)).map_err(|problem| files.fault(Self::FILE, problem))
    }

    fn parse(keys: &Keys) -> Result<Habits, String> {
        let number = |key: &str, good: fn(f64) -> bool| -> Result<Option<f32>, String> {
            match keys.number(key)? {
                Some(value) if !good(value) => Err(format!("has {value} as `{key}`")),
                value => Ok(value.map(|value| value as f32)),
            }
        };
        Ok(Habits {
            ends: keys.tokens("eos_token_id")?,
            sampled: keys.flag("do_sample")?.unwrap_or(false),
            temperature: number("temperature", |value| (0.0..=100.0).contains(&value))?,
            top_k: keys.size("top_k")?.map(|value| u32::try_from(value).unwrap_or(0)),
            top_p: number("top_p", |value| value > 0.0 && value <= 1.0)?,
            min_p: number("min_p", |value| (0.0..=1.0).contains(&value))?,
            repetition_penalty: number("repetition_penalty", |value| value > 0.0 && value < 100.0)?,
        })
    }
}

impl Architecture {
    fn parse(keys: &Keys) -> Result<Architecture, String> {
        let known = "LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM";
        let names = keys.texts("architectures")?;
        match names.as_deref() {
            Some(["LlamaForCausalLM"]) => Ok(Architecture::Llama),
            Some(["MistralForCausalLM"]) => Ok(Architecture::Mistral),
            Some(["Qwen2ForCausalLM"]) => Ok(Architecture::Qwen2),
            Some(["Qwen3ForCausalLM"]) => Ok(Architecture::Qwen3),
            Some([name, ..]) => {
                Err(format!("has the unknown architecture `{name}` (known: {known})"))
            }
            _ => Err(format!("lacks `architectures` (known: {known})")),
        }
    }

    /// The context that this decoder serves: within a sliding window, looking at the
    /// window and looking at everything are the same.
    fn context(self, keys: &Keys, trained: usize) -> Result<u32, String> {
        let window = match self {
            Architecture::Llama => None,
            // The key's default is 4096; null means that there is no window.
            Architecture::Mistral if keys.is_null("sliding_window") => None,
            Architecture::Mistral => Some(keys.size("sliding_window")?.unwrap_or(4096)),
            Architecture::Qwen2 | Architecture::Qwen3 => match keys.flag("use_sliding_window")? {
                Some(true) => Some(keys.size("sliding_window")?.unwrap_or(4096)),
                _ => None,
            },
        };
        let context = trained.min(window.unwrap_or(trained));
        u32::try_from(context)
            .ok()
            .filter(|&context| context > 0)
            .ok_or_else(|| "has a sliding window of no tokens".to_owned())
    }
}

#[cfg(test)]
mod tests;
