//! What the models of a case answer.

use std::collections::BTreeMap;
use std::future::ready;

use serde::Deserialize;

use crate::model::{Label, ModelFault, Models, Reading};

/// What models answer in a case, whatever text they are given.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Answers {
    classify: BTreeMap<String, BTreeMap<String, f32>>,
    embed: Option<Vec<f32>>,
}

impl Models for Answers {
    fn classify<'a>(&'a self, classifier: &'a str, _text: &'a str) -> Reading<'a, Vec<Label>> {
        let labels = self.classify.get(classifier);
        let labels = labels.map(|labels| labels.iter().map(|(l, p)| (l.clone(), *p)).collect());
        Box::pin(ready(labels.ok_or(ModelFault::Unknown)))
    }

    fn embed<'a>(&'a self, _text: &'a str) -> Reading<'a, Vec<f32>> {
        Box::pin(ready(self.embed.clone().ok_or(ModelFault::Unknown)))
    }
}
