//! Keys and values of the tokens read so far.

use burn::tensor::{DType, Device, Tensor};

use super::rotation::Rotation;
use crate::config::ModelConfig;

/// Room for the keys and values of one sequence, allocated once and written in place.
#[derive(Debug)]
pub(crate) struct Cache {
    layers: Vec<Layer>,
    pub(super) rotation: Rotation,
    room: usize,
    length: usize,
}

/// Absent only while it is being written: the tensor must have no other owner then,
/// or the write would copy all of it.
#[derive(Debug)]
struct Layer {
    keys: Option<Tensor<3>>,
    values: Option<Tensor<3>>,
}

impl Cache {
    /// Rooms are multiples of this many tokens, so that requests of similar length
    /// share one.
    pub(crate) const STEP: usize = 64;

    /// An empty cache for `tokens` tokens, in the type that the decoder computes in.
    pub(crate) fn new(config: &ModelConfig, tokens: usize, device: &Device, dtype: DType) -> Cache {
        let room = tokens.next_multiple_of(Self::STEP);
        let empty =
            || Tensor::<3>::zeros([config.kv_heads, room, config.head_dim], (device, dtype));
        let layers = (0..config.layers)
            .map(|_| Layer { keys: Some(empty()), values: Some(empty()) })
            .collect();
        let rotation = Rotation::new(&config.rope, config.head_dim, room, device, dtype);
        Cache { layers, rotation, room, length: 0 }
    }

    /// The same tokens with room for `tokens`.
    pub(crate) fn grown(
        &mut self,
        config: &ModelConfig,
        tokens: usize,
        device: &Device,
        dtype: DType,
    ) -> Cache {
        let mut larger = Cache::new(config, tokens, device, dtype);
        let whole = [0..config.kv_heads, 0..self.length, 0..config.head_dim];
        for (new, old) in larger.layers.iter_mut().zip(&mut self.layers) {
            for (new, old) in [(&mut new.keys, &mut old.keys), (&mut new.values, &mut old.values)] {
                let old = old.take().map(|old| old.slice(whole.clone()));
                if let Some(old) = old.filter(|_| self.length > 0) {
                    put(new, 0, old);
                }
            }
        }
        larger.length = self.length;
        larger
    }

    /// Tokens that it has room for.
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// Tokens that it holds.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Forgets everything. What was written stays where it is and is never read:
    /// reading ends at the length.
    pub(crate) fn clear(&mut self) {
        self.length = 0;
    }

    /// Writes the keys and values of the next tokens, `[kv_heads, t, head_dim]`, and
    /// gives those of all tokens up to them, `[kv_heads, length + t, head_dim]`.
    pub(super) fn write(
        &mut self,
        layer: usize,
        keys: Tensor<3>,
        values: Tensor<3>,
    ) -> (Tensor<3>, Tensor<3>) {
        let start = self.length;
        let layer = &mut self.layers[layer];
        (put(&mut layer.keys, start, keys), put(&mut layer.values, start, values))
    }

    /// Counts tokens that every layer has written.
    pub(super) fn advance(&mut self, count: usize) {
        self.length += count;
    }

    /// Fills all of it with NaN, which any stray read would spread.
    #[cfg(test)]
    pub(crate) fn poison(&mut self) {
        for layer in &mut self.layers {
            for slot in [&mut layer.keys, &mut layer.values] {
                *slot = slot.take().map(|tensor| tensor.full_like(f32::NAN));
            }
        }
    }
}

fn put(slot: &mut Option<Tensor<3>>, start: usize, new: Tensor<3>) -> Tensor<3> {
    let [heads, count, width] = new.dims();
    let end = start + count;
    let Some(all) = slot.take() else {
        // Only a panic within the write below leaves a slot empty, and the thread
        // makes a new cache after one.
        unreachable!("a cache slot is empty outside a write");
    };
    let all = all.slice_assign([0..heads, start..end, 0..width], new);
    let read = all.clone().slice([0..heads, 0..end, 0..width]);
    *slot = Some(all);
    read
}
