//! The decoder: token ids in, logits out.
//!
//! Shapes are written `[rows, columns]`; a sequence of `t` tokens is `[t, hidden]`. One
//! sequence at a time: there is no batch dimension.

mod attention;
mod cache;
mod gate;
mod norm;
mod rotation;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::config::ModelConfig;
use crate::fault::LocalError;
use crate::linear::Linear;
use crate::place::Place;
use crate::weights::Weights;
use attention::{Attention, Sight};
pub(crate) use cache::Cache;
use gate::Gate;
use norm::Norm;

/// A decoder on one device: Llama, Mistral, Qwen2 or Qwen3.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// `[vocabulary, hidden]`.
    embedding: Tensor<2>,
    blocks: Vec<Block>,
    norm: Norm,
    /// To logits; the embedding again when the model ties them.
    output: Linear,
    device: Device,
}

/// One layer: attention and the gated layer, each on the normed stream and added to it.
#[derive(Debug)]
struct Block {
    before_attention: Norm,
    attention: Attention,
    before_gate: Norm,
    gate: Gate,
}

impl Decoder {
    /// Takes the weights of `config` from `weights`, on `device` in `dtype`.
    ///
    /// # Errors
    /// [`LocalError::Model`]: a file of weights cannot be read.
    pub(crate) fn load(
        config: &ModelConfig,
        weights: &mut Weights,
        device: &Device,
        dtype: DType,
    ) -> Result<Decoder, LocalError> {
        let place = Place { device, dtype };
        let embedding = place.matrix(weights.read("model.embed_tokens.weight")?);
        let blocks = (0..config.layers)
            .map(|layer| Block::load(config, layer, weights, &place))
            .collect::<Result<_, _>>()?;
        let norm = Norm::load("model.norm", config.epsilon, weights, &place)?;
        let output = if config.tied {
            Linear::new(embedding.clone(), None)
        } else {
            Linear::load(&["lm_head"], false, weights, &place)?
        };
        Ok(Decoder { embedding, blocks, norm, output, device: device.clone() })
    }

    /// Reads `ids` after what `cache` holds already, and adds them to it. `rows` of
    /// logits come back, `[rows, vocabulary]` in f32: those of the last positions.
    ///
    /// The caller keeps `ids` within what the cache has room for, and `rows` within `ids`.
    pub(crate) fn read(&self, ids: &[u32], cache: &mut Cache, rows: usize) -> Tensor<2> {
        let count = ids.len();
        let ids: Vec<i32> = ids.iter().map(|&id| id as i32).collect();
        let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [count]), &self.device);
        let mut stream = self.embedding.clone().select(0, ids);
        let sight = Sight::new(count, cache, &self.device);
        for (layer, block) in self.blocks.iter().enumerate() {
            stream = block.read(stream, layer, cache, &sight);
        }
        cache.advance(count);
        let last = stream.narrow(0, count - rows, rows);
        self.output.apply(self.norm.apply(last)).cast(DType::F32)
    }
}

impl Block {
    fn load(
        config: &ModelConfig,
        layer: usize,
        weights: &mut Weights,
        place: &Place,
    ) -> Result<Block, LocalError> {
        let at = format!("model.layers.{layer}");
        Ok(Block {
            before_attention: Norm::load(
                &format!("{at}.input_layernorm"),
                config.epsilon,
                weights,
                place,
            )?,
            attention: Attention::load(config, &format!("{at}.self_attn"), weights, place)?,
            before_gate: Norm::load(
                &format!("{at}.post_attention_layernorm"),
                config.epsilon,
                weights,
                place,
            )?,
            gate: Gate::load(config, &format!("{at}.mlp"), weights, place)?,
        })
    }

    fn read(&self, stream: Tensor<2>, layer: usize, cache: &mut Cache, sight: &Sight) -> Tensor<2> {
        let normed = self.before_attention.apply(stream.clone());
        let stream = stream + self.attention.read(normed, layer, cache, sight);
        let normed = self.before_gate.apply(stream.clone());
        stream + self.gate.apply(normed)
    }
}

/// Names and shapes of every tensor that a decoder of `config` reads.
pub(crate) fn tensors(config: &ModelConfig) -> Vec<(String, Vec<usize>)> {
    let ModelConfig { hidden, intermediate, vocabulary, head_dim, .. } = *config;
    let queries = config.heads * head_dim;
    let keys = config.kv_heads * head_dim;
    let mut all = vec![
        ("model.embed_tokens.weight".to_owned(), vec![vocabulary, hidden]),
        ("model.norm.weight".to_owned(), vec![hidden]),
    ];
    if !config.tied {
        all.push(("lm_head.weight".to_owned(), vec![vocabulary, hidden]));
    }
    for layer in 0..config.layers {
        let mut linear = |name: &str, output: usize, input: usize, bias: bool| {
            all.push((format!("model.layers.{layer}.{name}.weight"), vec![output, input]));
            if bias {
                all.push((format!("model.layers.{layer}.{name}.bias"), vec![output]));
            }
        };
        linear("self_attn.q_proj", queries, hidden, config.qkv_bias);
        linear("self_attn.k_proj", keys, hidden, config.qkv_bias);
        linear("self_attn.v_proj", keys, hidden, config.qkv_bias);
        linear("self_attn.o_proj", hidden, queries, config.output_bias);
        linear("mlp.gate_proj", intermediate, hidden, config.mlp_bias);
        linear("mlp.up_proj", intermediate, hidden, config.mlp_bias);
        linear("mlp.down_proj", hidden, intermediate, config.mlp_bias);
        if config.head_norm {
            for norm in ["q_norm", "k_norm"] {
                all.push((format!("model.layers.{layer}.self_attn.{norm}.weight"), vec![head_dim]));
            }
        }
        for norm in ["input_layernorm", "post_attention_layernorm"] {
            all.push((format!("model.layers.{layer}.{norm}.weight"), vec![hidden]));
        }
    }
    all
}

#[cfg(test)]
mod tests;
