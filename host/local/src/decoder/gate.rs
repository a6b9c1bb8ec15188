//! The gated layer: `down(silu(gate(x)) * up(x))`.

use burn::tensor::{Tensor, activation};

use crate::config::ModelConfig;
use crate::fault::LocalError;
use crate::linear::Linear;
use crate::place::Place;
use crate::weights::Weights;

#[derive(Debug)]
pub(super) struct Gate {
    /// Gate and up in one: `[2 * intermediate, hidden]`.
    both: Linear,
    down: Linear,
    intermediate: usize,
}

impl Gate {
    pub(super) fn load(
        config: &ModelConfig,
        at: &str,
        weights: &mut Weights,
        place: &Place,
    ) -> Result<Gate, LocalError> {
        let names = [format!("{at}.gate_proj"), format!("{at}.up_proj")];
        let names = [names[0].as_str(), names[1].as_str()];
        Ok(Gate {
            both: Linear::load(&names, config.mlp_bias, weights, place)?,
            down: Linear::load(&[&format!("{at}.down_proj")], config.mlp_bias, weights, place)?,
            intermediate: config.intermediate,
        })
    }

    /// `[t, hidden]` to the same.
    pub(super) fn apply(&self, x: Tensor<2>) -> Tensor<2> {
        let both = self.both.apply(x);
        let gate = both.clone().narrow(1, 0, self.intermediate);
        let up = both.narrow(1, self.intermediate, self.intermediate);
        self.down.apply(activation::silu(gate) * up)
    }
}
