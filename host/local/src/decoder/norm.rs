//! Norm by root mean square.

use burn::tensor::{DType, Tensor};

use super::Place;
use crate::fault::LocalError;
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
        let dtype = x.dtype();
        let x = x.cast(DType::F32);
        let variance = x.clone().square().mean_dim(1);
        let normed = x * (variance + self.epsilon).sqrt().recip();
        normed.cast(dtype) * self.weight.clone().unsqueeze()
    }
}
