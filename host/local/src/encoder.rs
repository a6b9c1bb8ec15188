//! An encoder that labels tokens: BERT with a head. All tokens of a window see each other.

mod shape;

use burn::tensor::{DType, Device, Int, Tensor, TensorData, activation};

use crate::device::Opened;
use crate::fault::LocalError;
use crate::files::ModelFiles;
use crate::linear::Linear;
use crate::place::Place;
use crate::weights::Weights;
use shape::Gelu;
pub(crate) use shape::Shape;

/// An encoder on one device.
pub(crate) struct Encoder {
    /// `[vocabulary, hidden]`.
    words: Tensor<2>,
    /// `[positions, hidden]`, the first type's vector added: every token is of that type.
    positions: Tensor<2>,
    norm: LayerNorm,
    blocks: Vec<Block>,
    head: Linear,
    device: Device,
}

/// Attention and an inner layer; each is added to the stream, which is normed then.
struct Block {
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
struct LayerNorm {
    weight: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f64,
}

/// How files name the two tensors of a norm; older ones have the second pair.
const NORM: [[&str; 2]; 2] = [["weight", "bias"], ["gamma", "beta"]];

impl Encoder {
    /// Looks at the headers of the weights: whether every tensor is there, of its shape.
    ///
    /// # Errors
    /// [`LocalError::Model`].
    pub(crate) fn check(files: &ModelFiles, shape: &Shape) -> Result<(), LocalError> {
        let headers = Weights::open(files, DType::F32)?;
        headers.check(&shape.tensors(norm_names(&headers)), |name| {
            // The head that summarises a text, and the head of the training.
            name.starts_with("bert.pooler.")
                || name.starts_with("cls.")
                || name.ends_with(".position_ids")
        })
    }

    /// Loads the weights.
    ///
    /// # Errors
    /// [`LocalError::Model`]: a file of weights cannot be read.
    pub(crate) fn load(
        files: &ModelFiles,
        shape: &Shape,
        opened: &Opened,
    ) -> Result<Encoder, LocalError> {
        let mut weights = Weights::open(files, opened.dtype)?;
        let place = Place { device: &opened.device, dtype: opened.dtype };
        let weights = &mut weights;
        let at = "bert.embeddings";
        let mut table = |name: &str| -> Result<Tensor<2>, LocalError> {
            Ok(place.matrix(weights.read(&format!("{at}.{name}_embeddings.weight"))?))
        };
        let words = table("word")?;
        let positions = table("position")? + table("token_type")?.narrow(0, 0, 1);
        let norm = LayerNorm::load(&format!("{at}.LayerNorm"), shape, weights, &place)?;
        let blocks = (0..shape.layers)
            .map(|layer| Block::load(shape, layer, weights, &place))
            .collect::<Result<_, _>>()?;
        let head = Linear::load(&["classifier"], true, weights, &place)?;
        Ok(Encoder { words, positions, norm, blocks, head, device: opened.device.clone() })
    }

    /// The logits of a window: for each token one number for each label, in f32. The caller
    /// keeps the window within the model's positions, and the ids within its vocabulary.
    pub(crate) fn read(&self, ids: &[u32]) -> Result<Vec<f32>, String> {
        let count = ids.len();
        let ids: Vec<i32> = ids.iter().map(|&id| id as i32).collect();
        let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [count]), &self.device);
        let stream = self.words.clone().select(0, ids) + self.positions.clone().narrow(0, 0, count);
        let stream = (self.blocks.iter()).fold(self.norm.apply(stream), |x, block| block.read(x));
        let logits = self.head.apply(stream).cast(DType::F32).into_data();
        logits.try_to_vec::<f32>().map_err(|error| format!("{error:?}"))
    }
}

impl Block {
    fn load(
        shape: &Shape,
        layer: usize,
        weights: &mut Weights,
        place: &Place<'_>,
    ) -> Result<Block, LocalError> {
        let at = format!("bert.encoder.layer.{layer}");
        let names = ["query", "key", "value"].map(|name| format!("{at}.attention.self.{name}"));
        let names = [names[0].as_str(), names[1].as_str(), names[2].as_str()];
        let attended = format!("{at}.attention.output");
        Ok(Block {
            project: Linear::load(&names, true, weights, place)?,
            output: Linear::load(&[&format!("{attended}.dense")], true, weights, place)?,
            after_attention: LayerNorm::load(
                &format!("{attended}.LayerNorm"),
                shape,
                weights,
                place,
            )?,
            inner: Linear::load(&[&format!("{at}.intermediate.dense")], true, weights, place)?,
            outer: Linear::load(&[&format!("{at}.output.dense")], true, weights, place)?,
            after_inner: LayerNorm::load(&format!("{at}.output.LayerNorm"), shape, weights, place)?,
            heads: shape.heads,
            gelu: shape.gelu,
        })
    }

    /// `[t, hidden]` to the same.
    fn read(&self, x: Tensor<2>) -> Tensor<2> {
        let [count, hidden] = x.dims();
        let (heads, width) = (self.heads, hidden / self.heads);
        let dtype = x.dtype();
        // [3 * heads, t, width]
        let all = self.project.apply(x.clone()).reshape([count, 3 * heads, width]).swap_dims(0, 1);
        let part = |index: usize| all.clone().narrow(0, index * heads, heads);
        let queries = part(0) * (width as f64).powf(-0.5);
        let scores = queries.matmul(part(1).transpose()).cast(DType::F32);
        let shares = activation::softmax(scores, 2).cast(dtype);
        let read = shares.matmul(part(2)).swap_dims(0, 1).reshape([count, hidden]);
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
    fn load(
        name: &str,
        shape: &Shape,
        weights: &mut Weights,
        place: &Place<'_>,
    ) -> Result<LayerNorm, LocalError> {
        let [weight, bias] = norm_names(weights);
        Ok(LayerNorm {
            weight: place.vector(weights.read(&format!("{name}.{weight}"))?),
            bias: place.vector(weights.read(&format!("{name}.{bias}"))?),
            epsilon: shape.epsilon,
        })
    }

    fn apply(&self, x: Tensor<2>) -> Tensor<2> {
        let dtype = x.dtype();
        let x = x.cast(DType::F32);
        let centred = x.clone() - x.mean_dim(1);
        let variance = centred.clone().square().mean_dim(1);
        let normed = (centred * (variance + self.epsilon).sqrt().recip()).cast(dtype);
        normed * self.weight.clone().unsqueeze() + self.bias.clone().unsqueeze()
    }
}

fn norm_names(weights: &Weights) -> [&'static str; 2] {
    let is_older = weights.has("bert.embeddings.LayerNorm.gamma");
    NORM[usize::from(is_older)]
}
