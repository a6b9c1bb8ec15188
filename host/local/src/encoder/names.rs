//! What files call the tensors of an encoder.

use super::shape::{Family, Head, Shape};
use crate::weights::Weights;

/// The names of one checkpoint. Families differ, a checkpoint without a head leaves the
/// first word out, and older ones have other words for a norm's two.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    family: Family,
    prefix: &'static str,
    norm: [&'static str; 2],
}

/// The names of one block.
pub(super) struct BlockNames {
    /// Queries, keys and values.
    pub project: [String; 3],
    pub output: String,
    pub after_attention: String,
    pub inner: String,
    pub outer: String,
    pub after_inner: String,
}

impl Names {
    /// The names that these weights have.
    pub(super) fn of(weights: &Weights, family: Family) -> Names {
        let whole = match family {
            Family::Bert => "bert.",
            Family::DistilBert => "distilbert.",
        };
        let has_prefix = weights.has(&format!("{whole}embeddings.word_embeddings.weight"));
        let prefix = if has_prefix { whole } else { "" };
        let is_older = weights.has(&format!("{prefix}embeddings.LayerNorm.gamma"));
        let norm = if is_older { ["gamma", "beta"] } else { ["weight", "bias"] };
        Names { family, prefix, norm }
    }

    /// One of the tables that tokens are looked up in: `word`, `position`, `token_type`.
    pub(super) fn table(&self, name: &str) -> String {
        format!("{}embeddings.{name}_embeddings.weight", self.prefix)
    }

    /// The norm after the tables.
    pub(super) fn embedded(&self) -> String {
        format!("{}embeddings.LayerNorm", self.prefix)
    }

    /// The two tensors of a norm.
    pub(super) fn of_norm(&self, at: &str) -> [String; 2] {
        self.norm.map(|name| format!("{at}.{name}"))
    }

    /// The names of a block.
    pub(super) fn block(&self, layer: usize) -> BlockNames {
        match self.family {
            Family::Bert => {
                let at = format!("{}encoder.layer.{layer}", self.prefix);
                BlockNames {
                    project: ["query", "key", "value"]
                        .map(|name| format!("{at}.attention.self.{name}")),
                    output: format!("{at}.attention.output.dense"),
                    after_attention: format!("{at}.attention.output.LayerNorm"),
                    inner: format!("{at}.intermediate.dense"),
                    outer: format!("{at}.output.dense"),
                    after_inner: format!("{at}.output.LayerNorm"),
                }
            }
            Family::DistilBert => {
                let at = format!("{}transformer.layer.{layer}", self.prefix);
                BlockNames {
                    project: ["q_lin", "k_lin", "v_lin"]
                        .map(|name| format!("{at}.attention.{name}")),
                    output: format!("{at}.attention.out_lin"),
                    after_attention: format!("{at}.sa_layer_norm"),
                    inner: format!("{at}.ffn.lin1"),
                    outer: format!("{at}.ffn.lin2"),
                    after_inner: format!("{at}.output_layer_norm"),
                }
            }
        }
    }

    /// The layer between the first token and the head that labels texts.
    pub(super) fn pooler(&self) -> String {
        match self.family {
            Family::Bert => format!("{}pooler.dense", self.prefix),
            Family::DistilBert => "pre_classifier".to_owned(),
        }
    }

    /// The last layer of both heads.
    pub(super) const HEAD: &'static str = "classifier";

    /// Names and shapes of every tensor that is read.
    pub(super) fn tensors(&self, shape: &Shape) -> Vec<(String, Vec<usize>)> {
        let Shape { hidden, intermediate, .. } = *shape;
        let mut all = vec![
            (self.table("word"), vec![shape.vocabulary, hidden]),
            (self.table("position"), vec![shape.positions, hidden]),
        ];
        if let Some(types) = shape.types {
            all.push((self.table("token_type"), vec![types, hidden]));
        }
        let norm = |all: &mut Vec<_>, at: &str| {
            all.extend(self.of_norm(at).map(|name| (name, vec![hidden])));
        };
        norm(&mut all, &self.embedded());
        let linear = |all: &mut Vec<_>, at: &str, output: usize, input: usize| {
            all.push((format!("{at}.weight"), vec![output, input]));
            all.push((format!("{at}.bias"), vec![output]));
        };
        for layer in 0..shape.layers {
            let names = self.block(layer);
            for name in &names.project {
                linear(&mut all, name, hidden, hidden);
            }
            linear(&mut all, &names.output, hidden, hidden);
            norm(&mut all, &names.after_attention);
            linear(&mut all, &names.inner, intermediate, hidden);
            linear(&mut all, &names.outer, hidden, intermediate);
            norm(&mut all, &names.after_inner);
        }
        if matches!(shape.head, Head::Texts { .. }) {
            linear(&mut all, &self.pooler(), hidden, hidden);
        }
        if let Some(labels) = shape.head.labels() {
            linear(&mut all, Self::HEAD, labels.len(), hidden);
        }
        all
    }

    /// Whether a tensor may be there although it is not read: heads of the training, and
    /// the layer that summarises a text, where nothing asks for it.
    pub(super) fn may_be_left(&self, name: &str) -> bool {
        let rest = name.strip_prefix(self.prefix).unwrap_or(name);
        ["pooler.", "cls.", "vocab_"].iter().any(|start| rest.starts_with(start))
            || name.ends_with(".position_ids")
    }
}
