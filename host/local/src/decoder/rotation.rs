//! Rotary embedding of positions.

use burn::tensor::{DType, Device, Tensor, TensorData};

use crate::config::Rope;

/// Cosines and sines for every position of a cache, `[1, room, head_dim / 2]` each.
///
/// A head's first half is rotated against its second half (`rotate_half`), not each
/// number against its neighbour.
#[derive(Debug)]
pub(super) struct Rotation {
    cosines: Tensor<3>,
    sines: Tensor<3>,
}

impl Rotation {
    /// The angles are products in f32 as the reference has them, their cosines are
    /// exact to f32 and cast last.
    pub(super) fn new(
        rope: &Rope,
        head_dim: usize,
        room: usize,
        device: &Device,
        dtype: DType,
    ) -> Rotation {
        let frequencies = rope.frequencies(head_dim);
        let table = |turn: fn(f64) -> f64| {
            let values: Vec<f32> = (0..room)
                .flat_map(|position| {
                    frequencies.iter().map(move |&f| turn(f64::from(position as f32 * f)) as f32)
                })
                .collect();
            let data = TensorData::new(values, [1, room, frequencies.len()]);
            Tensor::<3>::from_data(data, (device, DType::F32)).cast(dtype)
        };
        Rotation { cosines: table(f64::cos), sines: table(f64::sin) }
    }

    /// Cosines and sines of `count` positions from `start`, `[1, count, head_dim / 2]`.
    pub(super) fn at(&self, start: usize, count: usize) -> (Tensor<3>, Tensor<3>) {
        let cut = |table: &Tensor<3>| table.clone().narrow(1, start, count);
        (cut(&self.cosines), cut(&self.sines))
    }
}

/// Turns every head of `[heads, t, head_dim]`.
pub(super) fn rotate(heads: Tensor<3>, cosines: &Tensor<3>, sines: &Tensor<3>) -> Tensor<3> {
    let half = cosines.dims()[2];
    let first = heads.clone().narrow(2, 0, half);
    let second = heads.narrow(2, half, half);
    let (cosines, sines) = (cosines.clone(), sines.clone());
    Tensor::cat(
        vec![
            first.clone() * cosines.clone() - second.clone() * sines.clone(),
            second * cosines + first * sines,
        ],
        2,
    )
}
