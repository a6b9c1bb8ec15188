//! Norm by root mean square.

use burn::tensor::{DType, Tensor};

use crate::config::ModelConfig;
use crate::fault::LocalError;
use crate::place::Place;
use crate::weights::Weights;

/// Divides by the root mean square, then scales.
///
/// In the reference's order: the division in f32, the cast to the model's type, and
/// only then the weight.
#[derive(Debug)]
pub(super) struct Norm {
    /// `[hidden]`.
    weight: Tensor<1>,
    epsilon: f64,
}

impl Norm {
    pub(super) fn load(
        name: &str,
        epsilon: f64,
        weights: &mut Weights,
        place: &Place,
    ) -> Result<Norm, LocalError> {
        let weight = place.vector(weights.read(&format!("{name}.weight"))?);
        Ok(Norm { weight, epsilon })
    }

    /// `[t, hidden]` to the same.
    pub(super) fn apply(&self, x: Tensor<2>) -> Tensor<2> {
        normed(x, self.epsilon) * self.weight.clone().unsqueeze()
    }
}

/// The same for every query head and every key head by itself, before they are turned.
#[derive(Debug)]
pub(super) struct HeadNorm {
    /// `[heads + kv_heads, 1, head_dim]`: the queries' weight for each of their heads, then
    /// the keys', so that both are normed at once.
    weight: Tensor<3>,
    epsilon: f64,
}

impl HeadNorm {
    /// Reads `q_norm` and `k_norm` of the attention layer `at`.
    pub(super) fn load(
        config: &ModelConfig,
        at: &str,
        weights: &mut Weights,
        place: &Place,
    ) -> Result<HeadNorm, LocalError> {
        let mut part = |name: &str, heads: usize| -> Result<Tensor<3>, LocalError> {
            let weight = place.vector(weights.read(&format!("{at}.{name}.weight"))?);
            Ok(weight.reshape([1, 1, config.head_dim]).repeat_dim(0, heads))
        };
        let both = vec![part("q_norm", config.heads)?, part("k_norm", config.kv_heads)?];
        Ok(HeadNorm { weight: Tensor::cat(both, 0), epsilon: config.epsilon })
    }

    /// `[heads + kv_heads, t, head_dim]` to the same.
    pub(super) fn apply(&self, heads: Tensor<3>) -> Tensor<3> {
        normed(heads, self.epsilon) * self.weight.clone()
    }
}

/// Divided by the root mean square of the last dimension, in f32, and cast back.
fn normed<const D: usize>(x: Tensor<D>, epsilon: f64) -> Tensor<D> {
    let dtype = x.dtype();
    let x = x.cast(DType::F32);
    let variance = x.clone().square().mean_dim(D - 1);
    (x * (variance + epsilon).sqrt().recip()).cast(dtype)
}
