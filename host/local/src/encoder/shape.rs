//! `config.json` of an encoder.

use crate::config::Keys;
use crate::fault::LocalError;
use crate::files::ModelFiles;

/// The shape of an encoder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    /// Which architecture.
    pub family: Family,
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
    /// Kinds of text, where the family knows any; every token here is of the first.
    pub types: Option<usize>,
    /// Added to the variance in every norm.
    pub epsilon: f64,
    /// Which form of GELU.
    pub gelu: Gelu,
    /// What stands on top.
    pub head: Head,
}

/// Architectures of encoders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// BERT, with every checkpoint of its shape: MiniLM, E5, BGE, GTE.
    Bert,
    /// BERT without types of tokens and with other names.
    DistilBert,
}

/// What a caller wants of an encoder: which head it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// A label for each token.
    Tag,
    /// Labels for a whole text.
    Classify,
    /// A vector for a whole text.
    Embed,
}

/// What stands on top of an encoder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Head {
    /// A label for each token: their names, in the order of the outputs.
    Tokens(Vec<String>),
    /// Labels for a text.
    Texts {
        /// Their names, in the order of the outputs.
        labels: Vec<String>,
        /// How outputs become probabilities.
        scale: Scale,
    },
    /// None: the stream itself is the result.
    Bare,
}

/// How the outputs for a text become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// One label holds: they add up to one.
    Softmax,
    /// Each holds or not, by itself.
    Sigmoid,
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

    /// Reads `config.json`, which must be of a model for this task.
    ///
    /// # Errors
    /// [`LocalError::Model`] that names the file and the key.
    pub(crate) fn read(files: &ModelFiles, task: Task) -> Result<Shape, LocalError> {
        let map = files.json(Self::FILE)?.ok_or_else(|| {
            files.fault(Self::FILE, "is missing; download the whole model folder")
        })?;
        Self::parse(&Keys(&map), task).map_err(|problem| files.fault(Self::FILE, problem))
    }

    fn parse(keys: &Keys<'_>, task: Task) -> Result<Shape, String> {
        let family = Family::parse(keys, task)?;
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
        let own = family.keys();
        let gelu = match keys.text(own.activation)?.unwrap_or("gelu") {
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
        let hidden = size(own.hidden, Self::SIZE)?;
        let heads = size(own.heads, Self::SIZE)?;
        if !hidden.is_multiple_of(heads) {
            return Err(format!("has {heads} heads, which do not divide the width {hidden}"));
        }
        // DistilBERT's is fixed.
        let epsilon = match family {
            Family::Bert => keys.number("layer_norm_eps")?.unwrap_or(1e-12),
            Family::DistilBert => 1e-12,
        };
        if !(0.0..1.0).contains(&epsilon) {
            return Err(format!("has {epsilon} as `layer_norm_eps`"));
        }
        let types = match (family, keys.size("type_vocab_size")?) {
            (Family::DistilBert, _) => None,
            (Family::Bert, Some(_)) => Some(size("type_vocab_size", Self::SIZE)?),
            (Family::Bert, None) => Some(2),
        };
        Ok(Shape {
            family,
            vocabulary: size("vocab_size", Self::SIZE)?,
            hidden,
            intermediate: size(own.intermediate, Self::SIZE)?,
            layers: size(own.layers, Self::LAYERS)?,
            heads,
            positions: size("max_position_embeddings", Self::SIZE)?,
            types,
            epsilon,
            gelu,
            head: Head::parse(keys, task)?,
        })
    }
}

/// What a family calls its sizes.
struct SizeKeys {
    activation: &'static str,
    hidden: &'static str,
    heads: &'static str,
    intermediate: &'static str,
    layers: &'static str,
}

impl Family {
    fn parse(keys: &Keys<'_>, task: Task) -> Result<Family, String> {
        let ending = match task {
            Task::Tag => "ForTokenClassification",
            Task::Classify => "ForSequenceClassification",
            Task::Embed => "Model",
        };
        let known = format!("Bert{ending}, DistilBert{ending}");
        match keys.texts("architectures")?.as_deref() {
            Some([name]) => match name.strip_suffix(ending) {
                Some("Bert") => Ok(Family::Bert),
                Some("DistilBert") => Ok(Family::DistilBert),
                _ => Err(format!("has the unknown architecture `{name}` (known: {known})")),
            },
            Some([name, ..]) => {
                Err(format!("has the unknown architecture `{name}` (known: {known})"))
            }
            _ => Err(format!("lacks `architectures` (known: {known})")),
        }
    }

    fn keys(self) -> SizeKeys {
        match self {
            Family::Bert => SizeKeys {
                activation: "hidden_act",
                hidden: "hidden_size",
                heads: "num_attention_heads",
                intermediate: "intermediate_size",
                layers: "num_hidden_layers",
            },
            Family::DistilBert => SizeKeys {
                activation: "activation",
                hidden: "dim",
                heads: "n_heads",
                intermediate: "hidden_dim",
                layers: "n_layers",
            },
        }
    }
}

impl Head {
    fn parse(keys: &Keys<'_>, task: Task) -> Result<Head, String> {
        match task {
            Task::Embed => Ok(Head::Bare),
            Task::Tag => Ok(Head::Tokens(labels(keys)?)),
            Task::Classify => {
                let labels = labels(keys)?;
                let scale = match keys.text("problem_type")? {
                    Some("single_label_classification") => Scale::Softmax,
                    Some("multi_label_classification") => Scale::Sigmoid,
                    // Of one label alone a share would always be the whole.
                    None if labels.len() == 1 => Scale::Sigmoid,
                    None => Scale::Softmax,
                    Some(other) => {
                        return Err(format!("has the unknown `problem_type` \"{other}\""));
                    }
                };
                Ok(Head::Texts { labels, scale })
            }
        }
    }

    /// The names of its labels.
    pub(crate) fn labels(&self) -> Option<&[String]> {
        match self {
            Head::Tokens(labels) | Head::Texts { labels, .. } => Some(labels),
            Head::Bare => None,
        }
    }

    /// How its outputs become probabilities.
    pub(crate) fn scale(&self) -> Scale {
        match self {
            Head::Texts { scale, .. } => *scale,
            Head::Tokens(_) | Head::Bare => Scale::Softmax,
        }
    }
}

impl Scale {
    /// The probabilities of these outputs.
    pub(crate) fn apply(self, outputs: &[f32]) -> Vec<f32> {
        match self {
            Scale::Sigmoid => outputs.iter().map(|output| 1.0 / (1.0 + (-output).exp())).collect(),
            Scale::Softmax => {
                let most = outputs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let shares: Vec<f32> = outputs.iter().map(|output| (output - most).exp()).collect();
                let sum: f32 = shares.iter().sum();
                shares.iter().map(|share| share / sum).collect()
            }
        }
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
        parsed_for(Task::Tag, change)
    }

    fn parsed_for(task: Task, change: impl Fn(&mut Value)) -> Result<Shape, String> {
        let mut config = json!({
            "architectures": ["BertForTokenClassification"],
            "vocab_size": 100, "hidden_size": 48, "num_hidden_layers": 2,
            "num_attention_heads": 4, "intermediate_size": 96, "max_position_embeddings": 64,
            "type_vocab_size": 2, "id2label": {"0": "O", "1": "B-PER"},
        });
        change(&mut config);
        Shape::parse(&Keys(config.as_object().expect("an object")), task)
    }

    #[test]
    fn a_shape_is_read_and_what_is_unknown_is_refused_by_name() {
        let shape = parsed(|_| {}).expect("a shape");
        assert_eq!((shape.heads, shape.epsilon, shape.gelu), (4, 1e-12, Gelu::Exact));
        assert_eq!(shape.head.labels(), Some(["O".to_owned(), "B-PER".to_owned()].as_slice()));
        for (key, value, says) in [
            ("architectures", json!(["RobertaForTokenClassification"]), "RobertaFor"),
            ("architectures", json!(["BertModel"]), "known: BertForTokenClassification"),
            ("architectures", json!(["BertForTokenClassification", "X"]), "known:"),
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
    #[test]
    fn a_task_asks_for_its_head() {
        let of = |task, name: &str, change: &dyn Fn(&mut Value)| {
            parsed_for(task, |config| {
                config["architectures"] = json!([name]);
                change(config);
            })
            .map(|shape| (shape.family, shape.types, shape.head))
        };
        let bare = of(Task::Embed, "BertModel", &|config| config["id2label"] = Value::Null);
        assert_eq!(bare, Ok((Family::Bert, Some(2), Head::Bare)));
        assert!(of(Task::Embed, "BertForTokenClassification", &|_| {}).is_err());
        let scale = |problem: Value, labels: Value| {
            let change = |config: &mut Value| {
                config["problem_type"] = problem.clone();
                config["id2label"] = labels.clone();
            };
            match of(Task::Classify, "BertForSequenceClassification", &change)?.2 {
                Head::Texts { scale, .. } => Ok(scale),
                other => Err(format!("{other:?}")),
            }
        };
        let (one, two) = (json!({"0": "bad"}), json!({"0": "good", "1": "bad"}));
        for (problem, labels, expected) in [
            (Value::Null, &two, Scale::Softmax),
            (Value::Null, &one, Scale::Sigmoid),
            (json!("single_label_classification"), &two, Scale::Softmax),
            (json!("multi_label_classification"), &two, Scale::Sigmoid),
        ] {
            assert_eq!(scale(problem.clone(), labels.clone()), Ok(expected), "{problem}");
        }
        assert!(scale(json!("regression"), one).expect_err("no label").contains("regression"));
    }

    #[test]
    fn the_other_family_has_other_keys() {
        let config = json!({
            "architectures": ["DistilBertModel"], "vocab_size": 100, "dim": 48, "n_layers": 2,
            "n_heads": 4, "hidden_dim": 96, "max_position_embeddings": 64, "activation": "gelu",
        });
        let shape = Shape::parse(&Keys(config.as_object().expect("an object")), Task::Embed);
        let shape = shape.expect("a shape");
        assert_eq!((shape.family, shape.types), (Family::DistilBert, None));
        assert_eq!((shape.hidden, shape.intermediate, shape.layers), (48, 96, 2));
    }
}
