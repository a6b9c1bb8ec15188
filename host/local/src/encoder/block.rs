//! One layer of an encoder.

use burn::tensor::{DType, Tensor, activation};

use super::Sheet;
use super::names::Names;
use super::shape::{Gelu, Shape};
use crate::fault::LocalError;
use crate::linear::Linear;
use crate::place::Place;
use crate::weights::Weights;

/// Attention and an inner layer; each is added to the stream, which is normed then.
pub(super) struct Block {
    /// Queries, keys and values in one: `[3 * hidden, hidden]`.
    project: Linear,
    output: Linear,
    after_attention: LayerNorm,
    inner: Linear,
    outer: Linear,
    after_inner: LayerNorm,
    heads: usize,
    gelu: Gelu,
}

/// Norm by mean and variance, in f32.
pub(super) struct LayerNorm {
    weight: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f64,
}

impl Block {
    pub(super) fn load(
        names: &Names,
        shape: &Shape,
        layer: usize,
        weights: &mut Weights,
        place: &Place<'_>,
    ) -> Result<Block, LocalError> {
        let block = names.block(layer);
        let project = [&*block.project[0], &*block.project[1], &*block.project[2]];
        let project = Linear::load(&project, true, weights, place)?;
        let mut linear = |name: &str| Linear::load(&[name], true, weights, place);
        let (output, inner) = (linear(&block.output)?, linear(&block.inner)?);
        let outer = linear(&block.outer)?;
        let mut norm = |name: &str| LayerNorm::load(names, name, shape, weights, place);
        Ok(Block {
            project,
            output,
            after_attention: norm(&block.after_attention)?,
            inner,
            outer,
            after_inner: norm(&block.after_inner)?,
            heads: shape.heads,
            gelu: shape.gelu,
        })
    }

    /// `[count * longest, hidden]` to the same.
    pub(super) fn read(&self, x: Tensor<2>, sheet: &Sheet) -> Tensor<2> {
        let hidden = x.dims()[1];
        let (heads, width) = (self.heads, hidden / self.heads);
        let Sheet { count, longest, .. } = *sheet;
        let dtype = x.dtype();
        // [count, 3 * heads, longest, width]
        let all = self.project.apply(x.clone());
        let all = all.reshape([count, longest, 3 * heads, width]).swap_dims(1, 2);
        let part = |index: usize| all.clone().narrow(1, index * heads, heads);
        let queries = part(0) * (width as f64).powf(-0.5);
        let scores = queries.matmul(part(1).transpose()).cast(DType::F32);
        let scores = match &sheet.filling {
            None => scores,
            Some(filling) => {
                let filling = filling.clone().expand([count, heads, longest, longest]);
                // The least number and not infinity: shaders have no literal for that.
                scores.mask_fill(filling, f32::MIN)
            }
        };
        let shares = activation::softmax(scores, 3).cast(dtype);
        let read = shares.matmul(part(2)).swap_dims(1, 2).reshape([count * longest, hidden]);
        let x = self.after_attention.apply(x + self.output.apply(read));
        let inner = self.inner.apply(x.clone());
        let inner = match self.gelu {
            Gelu::Exact => activation::gelu(inner),
            Gelu::Tanh => activation::gelu_approximate(inner),
        };
        self.after_inner.apply(x + self.outer.apply(inner))
    }
}

impl LayerNorm {
    pub(super) fn load(
        names: &Names,
        at: &str,
        shape: &Shape,
        weights: &mut Weights,
        place: &Place<'_>,
    ) -> Result<LayerNorm, LocalError> {
        let [weight, bias] = names.of_norm(at);
        Ok(LayerNorm {
            weight: place.vector(weights.read(&weight)?),
            bias: place.vector(weights.read(&bias)?),
            epsilon: shape.epsilon,
        })
    }

    pub(super) fn apply(&self, x: Tensor<2>) -> Tensor<2> {
        let dtype = x.dtype();
        let x = x.cast(DType::F32);
        let centred = x.clone() - x.mean_dim(1);
        let variance = centred.clone().square().mean_dim(1);
        let normed = (centred * (variance + self.epsilon).sqrt().recip()).cast(dtype);
        normed * self.weight.clone().unsqueeze() + self.bias.clone().unsqueeze()
    }
}
