//! `config.json` of an encoder.

use crate::config::Keys;
use crate::fault::LocalError;
use crate::files::ModelFiles;

/// The shape of an encoder with a head that labels tokens.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    /// Tokens in the vocabulary.
    pub vocabulary: usize,
    /// Width of the stream.
    pub hidden: usize,
    /// Width of the inner layer.
    pub intermediate: usize,
    /// Blocks.
    pub layers: usize,
    /// Heads; divides `hidden`.
    pub heads: usize,
    /// Tokens of one window, the marks at its ends included.
    pub positions: usize,
    /// Kinds of text; every token here is of the first.
    pub types: usize,
    /// Added to the variance in every norm.
    pub epsilon: f64,
    /// Which form of GELU.
    pub gelu: Gelu,
    /// The name of each label, in the order of the head's outputs.
    pub labels: Vec<String>,
}

/// Forms of the Gaussian error linear unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gelu {
    /// With the error function.
    Exact,
    /// With a hyperbolic tangent.
    Tanh,
}

impl Shape {
    /// The file.
    pub(crate) const FILE: &'static str = "config.json";

    /// The largest value that a size may have.
    const SIZE: usize = 1 << 22;

    /// Blocks at most.
    const LAYERS: usize = 256;

    /// Labels at most.
    pub(crate) const LABELS: usize = 1024;

    /// Reads `config.json`.
    ///
    /// # Errors
    /// [`LocalError::Model`] that names the file and the key.
    pub(crate) fn read(files: &ModelFiles) -> Result<Shape, LocalError> {
        let map = files.json(Self::FILE)?.ok_or_else(|| {
            files.fault(Self::FILE, "is missing; download the whole model folder")
        })?;
        Self::parse(&Keys(&map)).map_err(|problem| files.fault(Self::FILE, problem))
    }

    fn parse(keys: &Keys<'_>) -> Result<Shape, String> {
        let known = "BertForTokenClassification";
        match keys.texts("architectures")?.as_deref() {
            Some([name]) if *name == known => {}
            Some([name, ..]) => {
                return Err(format!("has the unknown architecture `{name}` (known: {known})"));
            }
            _ => return Err(format!("lacks `architectures` (known: {known})")),
        }
        for (key, only) in [("position_embedding_type", "absolute")] {
            if let Some(other) = keys.text(key)?.filter(|other| *other != only) {
                return Err(format!("has the unknown `{key}` \"{other}\" (known: {only})"));
            }
        }
        if keys.present("quantization_config") {
            return Err("has `quantization_config`: quantised checkpoints are not read".into());
        }
        for key in ["is_decoder", "add_cross_attention"] {
            if keys.flag(key)? == Some(true) {
                return Err(format!("has `{key}`: it is no encoder"));
            }
        }
        let gelu = match keys.text("hidden_act")?.unwrap_or("gelu") {
            "gelu" => Gelu::Exact,
            "gelu_new" | "gelu_pytorch_tanh" => Gelu::Tanh,
            other => {
                return Err(format!(
                    "has the unknown activation `{other}` (known: gelu, gelu_new)"
                ));
            }
        };
        let size = |key: &str, most: usize| -> Result<usize, String> {
            let value = keys.size(key)?.ok_or_else(|| format!("lacks `{key}`"))?;
            if value == 0 || value > most {
                return Err(format!("has {value} as `{key}`; 1 to {most} is possible"));
            }
            Ok(value)
        };
        let hidden = size("hidden_size", Self::SIZE)?;
        let heads = size("num_attention_heads", Self::SIZE)?;
        if !hidden.is_multiple_of(heads) {
            return Err(format!("has {heads} heads, which do not divide the width {hidden}"));
        }
        let epsilon = keys.number("layer_norm_eps")?.unwrap_or(1e-12);
        if !(0.0..1.0).contains(&epsilon) {
            return Err(format!("has {epsilon} as `layer_norm_eps`"));
        }
        let types = match keys.size("type_vocab_size")? {
            Some(_) => size("type_vocab_size", Self::SIZE)?,
            None => 2,
        };
        Ok(Shape {
            vocabulary: size("vocab_size", Self::SIZE)?,
            hidden,
            intermediate: size("intermediate_size", Self::SIZE)?,
            layers: size("num_hidden_layers", Self::LAYERS)?,
            heads,
            positions: size("max_position_embeddings", Self::SIZE)?,
            types,
            epsilon,
            gelu,
            labels: labels(keys)?,
        })
    }

    /// Names and shapes of every tensor that is read. `norm` gives the names of a norm's
    /// two.
    pub(super) fn tensors(&self, norm: [&str; 2]) -> Vec<(String, Vec<usize>)> {
        let Shape { hidden, intermediate, .. } = *self;
        let mut all = Vec::new();
        let mut table = |name: &str, rows: usize| {
            all.push((format!("bert.embeddings.{name}_embeddings.weight"), vec![rows, hidden]));
        };
        table("word", self.vocabulary);
        table("position", self.positions);
        table("token_type", self.types);
        let layer_norm = |all: &mut Vec<_>, at: &str| {
            all.extend(norm.map(|name| (format!("{at}.{name}"), vec![hidden])));
        };
        layer_norm(&mut all, "bert.embeddings.LayerNorm");
        let linear = |all: &mut Vec<_>, at: String, output: usize, input: usize| {
            all.push((format!("{at}.weight"), vec![output, input]));
            all.push((format!("{at}.bias"), vec![output]));
        };
        for layer in 0..self.layers {
            let at = format!("bert.encoder.layer.{layer}");
            for name in ["query", "key", "value"] {
                linear(&mut all, format!("{at}.attention.self.{name}"), hidden, hidden);
            }
            linear(&mut all, format!("{at}.attention.output.dense"), hidden, hidden);
            layer_norm(&mut all, &format!("{at}.attention.output.LayerNorm"));
            linear(&mut all, format!("{at}.intermediate.dense"), intermediate, hidden);
            linear(&mut all, format!("{at}.output.dense"), hidden, intermediate);
            layer_norm(&mut all, &format!("{at}.output.LayerNorm"));
        }
        linear(&mut all, "classifier".to_owned(), self.labels.len(), hidden);
        all
    }
}

/// The labels of `id2label`, whose keys are numbers from 0 without a gap.
fn labels(keys: &Keys<'_>) -> Result<Vec<String>, String> {
    let named = keys.object("id2label")?.ok_or("lacks `id2label`")?;
    if named.0.is_empty() || named.0.len() > Shape::LABELS {
        let count = named.0.len();
        return Err(format!("has {count} labels; 1 to {} are possible", Shape::LABELS));
    }
    (0..named.0.len())
        .map(|index| {
            let label = named.text(&index.to_string())?;
            label.map(str::to_owned).ok_or_else(|| format!("lacks the label {index} in `id2label`"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parsed(change: impl Fn(&mut Value)) -> Result<Shape, String> {
        let mut config = json!({
            "architectures": ["BertForTokenClassification"],
            "vocab_size": 100, "hidden_size": 48, "num_hidden_layers": 2,
            "num_attention_heads": 4, "intermediate_size": 96, "max_position_embeddings": 64,
            "type_vocab_size": 2, "id2label": {"0": "O", "1": "B-PER"},
        });
        change(&mut config);
        Shape::parse(&Keys(config.as_object().expect("an object")))
    }

    #[test]
    fn a_shape_is_read_and_what_is_unknown_is_refused_by_name() {
        let shape = parsed(|_| {}).expect("a shape");
        assert_eq!((shape.heads, shape.epsilon, shape.gelu), (4, 1e-12, Gelu::Exact));
        assert_eq!(shape.labels, ["O", "B-PER"]);
        for (key, value, says) in [
            ("architectures", json!(["RobertaForTokenClassification"]), "RobertaFor"),
            ("architectures", Value::Null, "lacks `architectures`"),
            ("position_embedding_type", json!("relative_key"), "relative_key"),
            ("quantization_config", json!({}), "quantization_config"),
            ("is_decoder", json!(true), "is_decoder"),
            ("hidden_act", json!("mish"), "mish"),
            ("hidden_size", json!(50), "do not divide"),
            ("hidden_size", json!(1_u64 << 40), "hidden_size"),
            ("num_hidden_layers", json!(1_u64 << 40), "num_hidden_layers"),
            ("num_hidden_layers", json!(Shape::LAYERS + 1), "num_hidden_layers"),
            ("layer_norm_eps", json!(2), "layer_norm_eps"),
            ("vocab_size", json!("many"), "vocab_size"),
            ("id2label", json!({}), "0 labels"),
            ("id2label", json!({"0": "O", "2": "X"}), "the label 1"),
        ] {
            let error = parsed(|config| config[key] = value.clone()).expect_err(key);
            assert!(error.contains(says), "{key}: {error}");
        }
    }
}
