//! An encoder: BERT or DistilBERT, with a head or without. All tokens of a window see each
//! other, and none sees another window.

mod block;
mod desk;
mod names;
mod reader;
mod sentence;
mod shape;
mod widths;
mod windows;

use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData, activation};

use crate::device::Opened;
use crate::fault::LocalError;
use crate::files::ModelFiles;
use crate::linear::Linear;
use crate::place::Place;
use crate::weights::Weights;
use block::{Block, LayerNorm};
pub(crate) use desk::{Call, Desk, Plan};
pub use desk::{EncoderConfig, ReadFault};
use names::Names;
pub(crate) use reader::Reader;
pub(crate) use sentence::{Pooling, Sentence};
use shape::{Family, Head};
pub(crate) use shape::{Scale, Shape, Task};
pub use widths::{Widths, WrongWidth};
#[cfg(test)]
pub(crate) use windows::BLOCK_BYTES;
pub(crate) use windows::Window;

/// An encoder on one device.
pub(crate) struct Encoder {
    /// `[vocabulary, hidden]`.
    words: Tensor<2>,
    /// `[positions, hidden]`, the first type's vector added: every token is of that type.
    positions: Tensor<2>,
    norm: LayerNorm,
    blocks: Vec<Block>,
    crown: Crown,
    device: Device,
}

/// What makes numbers of the stream.
enum Crown {
    /// Outputs for each token.
    Tokens(Linear),
    /// Outputs for a text, from its first token.
    Texts { pooler: Box<Linear>, family: Family, labels: Linear },
    /// The stream's first token, or its mean.
    Pooled(Pooling),
}

impl Encoder {
    /// Looks at the headers of the weights: whether every tensor is there, of its shape.
    ///
    /// # Errors
    /// [`LocalError::Model`].
    pub(crate) fn check(files: &ModelFiles, shape: &Shape) -> Result<(), LocalError> {
        let headers = Weights::open(files, DType::F32)?;
        let names = Names::of(&headers, shape.family);
        headers.check(&names.tensors(shape), |name| names.may_be_left(name))
    }

    /// Loads the weights. `pooling` counts where the model has no head.
    ///
    /// # Errors
    /// [`LocalError::Model`]: a file of weights cannot be read.
    pub(crate) fn load(
        files: &ModelFiles,
        shape: &Shape,
        pooling: Pooling,
        opened: &Opened,
    ) -> Result<Encoder, LocalError> {
        let weights = &mut Weights::open(files, opened.dtype)?;
        let names = Names::of(weights, shape.family);
        let place = Place { device: &opened.device, dtype: opened.dtype };
        let words = place.matrix(weights.read(&names.table("word"))?);
        let mut positions = place.matrix(weights.read(&names.table("position"))?);
        if shape.types.is_some() {
            let types = place.matrix(weights.read(&names.table("token_type"))?);
            positions = positions + types.narrow(0, 0, 1);
        }
        let norm = LayerNorm::load(&names, &names.embedded(), shape, weights, &place)?;
        let blocks = (0..shape.layers)
            .map(|layer| Block::load(&names, shape, layer, weights, &place))
            .collect::<Result<_, _>>()?;
        let mut linear = |name: &str| Linear::load(&[name], true, weights, &place);
        let crown = match &shape.head {
            Head::Tokens(_) => Crown::Tokens(linear(Names::HEAD)?),
            Head::Texts { .. } => Crown::Texts {
                pooler: Box::new(linear(&names.pooler())?),
                family: shape.family,
                labels: linear(Names::HEAD)?,
            },
            Head::Bare => Crown::Pooled(pooling),
        };
        Ok(Encoder { words, positions, norm, blocks, crown, device: opened.device.clone() })
    }

    /// Reads windows together. Each gives its own numbers, in f32, which do not depend on
    /// what is read beside it: for each of its tokens an output for each label, or the
    /// outputs for the text, or a vector.
    ///
    /// The caller keeps windows within the model's positions and ids within its vocabulary;
    /// no window is empty.
    ///
    /// # Errors
    /// What the device says; nothing of the windows.
    pub(crate) fn read(&self, windows: &[&[u32]]) -> Result<Vec<Vec<f32>>, String> {
        let sheet = Sheet::of(windows, &self.device);
        let ids = Tensor::<1, Int>::from_data(sheet.ids(windows), &self.device);
        let positions = self.positions.clone().narrow(0, 0, sheet.longest);
        let stream = self.words.clone().select(0, ids) + positions.repeat_dim(0, sheet.count);
        let stream = self.norm.apply(stream);
        let stream = self.blocks.iter().fold(stream, |x, block| block.read(x, &sheet));
        let numbers = self.crown.apply(stream, windows, &sheet).cast(DType::F32).into_data();
        let numbers = numbers.try_to_vec::<f32>().map_err(|error| format!("{error:?}"))?;
        let per_window = numbers.len() / sheet.count;
        let per_token = per_window / sheet.longest;
        let rows = numbers.chunks(per_window).zip(windows).map(|(row, window)| match self.crown {
            Crown::Tokens(_) => row[..window.len() * per_token].to_vec(),
            Crown::Texts { .. } | Crown::Pooled(_) => row.to_vec(),
        });
        Ok(rows.collect())
    }
}

impl Crown {
    /// From `[count * longest, hidden]`.
    fn apply(&self, stream: Tensor<2>, windows: &[&[u32]], sheet: &Sheet) -> Tensor<2> {
        let hidden = stream.dims()[1];
        let Sheet { count, longest, .. } = *sheet;
        let first = |stream: Tensor<2>| {
            let stream = stream.reshape([count, longest, hidden]);
            stream.narrow(1, 0, 1).reshape([count, hidden])
        };
        match self {
            Crown::Tokens(labels) => labels.apply(stream),
            Crown::Texts { pooler, family, labels } => {
                let pooled = pooler.apply(first(stream));
                labels.apply(match family {
                    Family::Bert => pooled.tanh(),
                    Family::DistilBert => activation::relu(pooled),
                })
            }
            Crown::Pooled(Pooling::First) => first(stream),
            Crown::Pooled(Pooling::Mean) => {
                let shares: Vec<f32> = (windows.iter())
                    .flat_map(|window| {
                        let share = 1.0 / window.len() as f32;
                        (0..longest).map(move |at| if at < window.len() { share } else { 0.0 })
                    })
                    .collect();
                let shares = TensorData::new(shares, [count, 1, longest]);
                let shares = Tensor::<3>::from_data(shares, (&stream.device(), DType::F32));
                let stream = stream.cast(DType::F32).reshape([count, longest, hidden]);
                shares.matmul(stream).reshape([count, hidden])
            }
        }
    }
}

/// How windows lie below each other: each as long as the longest, filled up at its end.
struct Sheet {
    count: usize,
    longest: usize,
    /// `[count, 1, 1, longest]`, true where there is nothing to look at. Absent when all
    /// windows are of one length.
    filling: Option<Tensor<4, Bool>>,
}

impl Sheet {
    fn of(windows: &[&[u32]], device: &Device) -> Sheet {
        let count = windows.len();
        let longest = windows.iter().map(|window| window.len()).max().unwrap_or(0);
        let is_ragged = windows.iter().any(|window| window.len() < longest);
        let filling = is_ragged.then(|| {
            let filling: Vec<bool> = (windows.iter())
                .flat_map(|window| (0..longest).map(|at| at >= window.len()))
                .collect();
            Tensor::from_data(TensorData::new(filling, [count, 1, 1, longest]), device)
        });
        Sheet { count, longest, filling }
    }

    /// The ids of all windows. Which token fills does not matter: nobody looks at it.
    fn ids(&self, windows: &[&[u32]]) -> TensorData {
        let ids: Vec<i32> = (windows.iter())
            .flat_map(|window| {
                let ids = window.iter().map(|&id| id as i32);
                ids.chain(std::iter::repeat_n(0, self.longest - window.len()))
            })
            .collect();
        TensorData::new(ids, [self.count * self.longest])
    }
}

#[cfg(test)]
mod tests;
