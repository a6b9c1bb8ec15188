//! The models in this process, as policies may ask them.

use std::future::Future;
use std::pin::Pin;

use serde::{Deserialize, Serialize};

use crate::cell::{Cell, Overrun};
use crate::contract::model;
use crate::tape::Asked;

/// Bytes of a text that a policy may have read.
pub const MODEL_TEXT_BYTES: usize = 64 << 10;

/// The models that read texts in this process. The gateway has them; a file of cases says
/// what they would answer.
pub trait Models: Send + Sync {
    /// The probability of each label of a classifier.
    fn classify<'a>(&'a self, classifier: &'a str, text: &'a str) -> Reading<'a, Vec<Label>>;

    /// A text as a vector.
    fn embed<'a>(&'a self, text: &'a str) -> Reading<'a, Vec<f32>>;
}

/// What a model will answer.
pub type Reading<'a, T> = Pin<Box<dyn Future<Output = Result<T, ModelFault>> + Send + 'a>>;

/// A label, and its probability, 0 to 1.
pub type Label = (String, f32);

/// Why a model gives no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelFault {
    /// There is no such model.
    #[error("there is no such model")]
    Unknown,
    /// The text is longer than it reads.
    #[error("the text is too long")]
    TooLong,
    /// As many texts as may wait do wait.
    #[error("the model is busy")]
    Busy,
    /// It did not answer in time.
    #[error("the model is late")]
    Late,
    /// It failed.
    #[error("the model failed")]
    Failed,
}

/// What one classifier says of a request: its labels as `NAME/LABEL`, or that it did not
/// answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The classifier's name.
    pub classifier: String,
    /// Each label with the highest probability that it has among the request's texts.
    pub labels: Result<Vec<Label>, ModelFault>,
}

impl Score {
    /// Scores as they are written, each `NAME/LABEL` and a probability.
    ///
    /// # Errors
    /// What is wrong: another kind of name, a number that is no probability.
    pub fn list(written: impl IntoIterator<Item = Label>) -> Result<Vec<Score>, String> {
        let mut scores: Vec<Score> = Vec::new();
        for (name, probability) in written {
            let classifier =
                name.split_once('/').filter(|(name, label)| !name.is_empty() && !label.is_empty());
            let Some((classifier, _)) = classifier else {
                return Err("a score is named NAME/LABEL".to_owned());
            };
            if !(0.0..=1.0).contains(&probability) {
                return Err("a score is a number from 0 to 1".to_owned());
            }
            let classifier = classifier.to_owned();
            let known = scores.iter_mut().find(|score| score.classifier == classifier);
            match known.map(|score| &mut score.labels) {
                Some(Ok(labels)) => labels.push((name, probability)),
                _ => scores.push(Score { classifier, labels: Ok(vec![(name, probability)]) }),
            }
        }
        Ok(scores)
    }
}

impl model::Host for Cell {
    async fn classify(
        &mut self,
        classifier: String,
        text: String,
    ) -> wasmtime::Result<Result<Vec<Label>, model::Fault>> {
        self.spend_model_call(&classifier)?;
        if text.len() > MODEL_TEXT_BYTES {
            return Ok(Err(model::Fault::TooLong));
        }
        let asked = || Asked::ModelClassify { classifier: classifier.clone(), text: text.clone() };
        let answer = match self.replayed(asked) {
            Some(answer) => answer?,
            None => {
                let answer = match self.models.clone() {
                    Some(models) => models.classify(&classifier, &text).await,
                    None => Err(ModelFault::Unknown),
                };
                self.note(asked, &Ok(&answer));
                answer
            }
        };
        Ok(answer.map_err(fault))
    }

    async fn embed(&mut self, text: String) -> wasmtime::Result<Result<Vec<f32>, model::Fault>> {
        self.spend_model_call("")?;
        if text.len() > MODEL_TEXT_BYTES {
            return Ok(Err(model::Fault::TooLong));
        }
        let asked = || Asked::ModelEmbed { text: text.clone() };
        let answer = match self.replayed(asked) {
            Some(answer) => answer?,
            None => {
                let answer = match self.models.clone() {
                    Some(models) => models.embed(&text).await,
                    None => Err(ModelFault::Unknown),
                };
                self.note(asked, &Ok(&answer));
                answer
            }
        };
        Ok(answer.map_err(fault))
    }
}

impl Cell {
    /// A call to a model is one to the host as well.
    fn spend_model_call(&mut self, name: &str) -> Result<(), Overrun> {
        self.spend_call()?;
        if name.len() > NAME_BYTES {
            return Err(Overrun::Misuse);
        }
        match self.model_calls_left.checked_sub(1) {
            Some(left) => {
                self.model_calls_left = left;
                Ok(())
            }
            None => Err(Overrun::Calls),
        }
    }
}

/// Bytes of a classifier's name; no configuration has a longer one.
const NAME_BYTES: usize = 64;

fn fault(fault: ModelFault) -> model::Fault {
    match fault {
        ModelFault::Unknown => model::Fault::Unknown,
        ModelFault::TooLong => model::Fault::TooLong,
        ModelFault::Busy => model::Fault::Busy,
        ModelFault::Late => model::Fault::Late,
        ModelFault::Failed => model::Fault::Failed,
    }
}

/// No models at all: where a recording answers.
pub(crate) struct Nobody;

impl Models for Nobody {
    fn classify<'a>(&'a self, _classifier: &'a str, _text: &'a str) -> Reading<'a, Vec<Label>> {
        Box::pin(std::future::ready(Err(ModelFault::Unknown)))
    }

    fn embed<'a>(&'a self, _text: &'a str) -> Reading<'a, Vec<f32>> {
        Box::pin(std::future::ready(Err(ModelFault::Unknown)))
    }
}
