//! A projection, or several of the same input laid on top of each other.

use burn::tensor::Tensor;

use crate::fault::LocalError;
use crate::place::Place;
use crate::weights::Weights;

/// `x W^T + b`.
#[derive(Debug)]
pub(crate) struct Linear {
    /// `[output, input]`, as the file has it. Multiplying by the transposed view reads
    /// it row by row, so that one token costs one pass over memory.
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
}

impl Linear {
    pub(crate) fn new(weight: Tensor<2>, bias: Option<Tensor<1>>) -> Linear {
        Linear { weight, bias }
    }

    /// Reads the projections `names`; more than one become one with their outputs in
    /// that order.
    pub(crate) fn load(
        names: &[&str],
        has_bias: bool,
        weights: &mut Weights,
        place: &Place,
    ) -> Result<Linear, LocalError> {
        let mut parts = Vec::with_capacity(names.len());
        let mut biases = Vec::new();
        for name in names {
            parts.push(place.matrix(weights.read(&format!("{name}.weight"))?));
            if has_bias {
                biases.push(place.vector(weights.read(&format!("{name}.bias"))?));
            }
        }
        let weight = joined(parts, |parts| Tensor::cat(parts, 0));
        let bias = has_bias.then(|| joined(biases, |biases| Tensor::cat(biases, 0)));
        Ok(Linear { weight, bias })
    }

    /// `[t, input]` to `[t, output]`.
    pub(crate) fn apply(&self, x: Tensor<2>) -> Tensor<2> {
        let y = x.matmul(self.weight.clone().transpose());
        match &self.bias {
            Some(bias) => y + bias.clone().unsqueeze(),
            None => y,
        }
    }
}

fn joined<T>(mut parts: Vec<T>, cat: impl Fn(Vec<T>) -> T) -> T {
    if parts.len() == 1 { parts.remove(0) } else { cat(parts) }
}
