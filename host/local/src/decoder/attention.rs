//! Attention with grouped queries over the cache.

use burn::tensor::{Bool, DType, Device, Tensor, TensorData, activation};

use super::cache::Cache;
use super::norm::HeadNorm;
use super::rotation::rotate;
use crate::config::ModelConfig;
use crate::fault::LocalError;
use crate::linear::Linear;
use crate::place::Place;
use crate::weights::Weights;

#[derive(Debug)]
pub(super) struct Attention {
    /// Queries, keys and values in one: `[(heads + 2 * kv_heads) * head_dim, hidden]`.
    project: Linear,
    /// Where the model norms its queries and keys.
    norm: Option<HeadNorm>,
    output: Linear,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
}

/// What the tokens of one pass need to know about where they stand. The same for
/// every layer, so it is made once.
pub(super) struct Sight {
    cosines: Tensor<3>,
    sines: Tensor<3>,
    /// `[1, t, length + t]`, true where a token must not look: ahead of itself. One
    /// token alone sees everything.
    hidden: Option<Tensor<3, Bool>>,
}

impl Sight {
    pub(super) fn new(count: usize, cache: &Cache, device: &Device) -> Sight {
        let before = cache.length();
        let (cosines, sines) = cache.rotation.at(before, count);
        let hidden = (count > 1).then(|| {
            let length = before + count;
            let ahead: Vec<bool> = (0..count)
                .flat_map(|row| (0..length).map(move |column| column > before + row))
                .collect();
            Tensor::from_data(TensorData::new(ahead, [1, count, length]), device)
        });
        Sight { cosines, sines, hidden }
    }
}

impl Attention {
    pub(super) fn load(
        config: &ModelConfig,
        at: &str,
        weights: &mut Weights,
        place: &Place,
    ) -> Result<Attention, LocalError> {
        let names = ["q_proj", "k_proj", "v_proj"].map(|name| format!("{at}.{name}"));
        let names = [names[0].as_str(), names[1].as_str(), names[2].as_str()];
        let output = format!("{at}.o_proj");
        let norm =
            config.head_norm.then(|| HeadNorm::load(config, at, weights, place)).transpose()?;
        Ok(Attention {
            norm,
            project: Linear::load(&names, config.qkv_bias, weights, place)?,
            output: Linear::load(&[&output], config.output_bias, weights, place)?,
            heads: config.heads,
            kv_heads: config.kv_heads,
            head_dim: config.head_dim,
        })
    }

    /// `[t, hidden]` to the same; writes the cache.
    pub(super) fn read(
        &self,
        x: Tensor<2>,
        layer: usize,
        cache: &mut Cache,
        sight: &Sight,
    ) -> Tensor<2> {
        let Attention { heads, kv_heads, head_dim, .. } = *self;
        let count = x.dims()[0];
        let dtype = x.dtype();
        let group = heads / kv_heads;
        // [heads + 2 * kv_heads, t, head_dim]
        let all =
            self.project.apply(x).reshape([count, heads + 2 * kv_heads, head_dim]).swap_dims(0, 1);
        let asked = all.clone().narrow(0, 0, heads + kv_heads);
        let asked = match &self.norm {
            Some(norm) => norm.apply(asked),
            None => asked,
        };
        let turned = rotate(asked, &sight.cosines, &sight.sines);
        let values = all.narrow(0, heads + kv_heads, kv_heads);
        let keys = turned.clone().narrow(0, heads, kv_heads);
        let (keys, values) = cache.write(layer, keys, values);
        // The queries of one group share their keys: they stand below each other in one
        // matrix, and keys and values are never repeated.
        let queries = turned.narrow(0, 0, heads) * (head_dim as f64).powf(-0.5);
        let queries = queries.reshape([kv_heads, group * count, head_dim]);
        let length = keys.dims()[1];
        let scores = queries.matmul(keys.transpose()).cast(DType::F32);
        let scores = match &sight.hidden {
            None => scores,
            Some(hidden) => {
                let hidden = hidden.clone().expand([heads, count, length]);
                // The least number and not infinity: shaders have no literal for that.
                let scores = scores.reshape([heads, count, length]).mask_fill(hidden, f32::MIN);
                scores.reshape([kv_heads, group * count, length])
            }
        };
        let shares = activation::softmax(scores, 2).cast(dtype);
        let read = shares.matmul(values).reshape([heads, count, head_dim]).swap_dims(0, 1);
        self.output.apply(read.reshape([count, heads * head_dim]))
    }
}
