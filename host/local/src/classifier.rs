//! Says what texts are, with a model of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::encoder::{Call, Desk, EncoderConfig, Plan, ReadFault, Reader, Scale, Shape, Task};
use crate::fault::LocalError;
use crate::files::ModelFiles;
use crate::settings::ModelSource;

/// A model that labels whole texts: BERT or DistilBERT with a head for sequences.
///
/// It has a thread of its own and a bounded queue in front, as a [`Tagger`](crate::Tagger).
#[derive(Debug)]
pub struct Classifier {
    labels: Vec<String>,
    desk: Desk<Vec<Vec<f32>>>,
}

impl Classifier {
    /// Loads the model and starts its thread. Blocks until it can read.
    ///
    /// # Errors
    /// [`LocalError`].
    pub fn start(config: &EncoderConfig) -> Result<Classifier, LocalError> {
        let plan = Plan::read(config, Task::Classify)?;
        let labels = plan.shape.head.labels().unwrap_or_default().to_vec();
        let scale = plan.shape.head.scale();
        let count = labels.len();
        let desk = Desk::open("classifier", plan, config, move |reader, call| {
            read(reader, count, scale, call)
        })?;
        Ok(Classifier { labels, desk })
    }

    /// The labels of the model in a folder, read from its `config.json` alone.
    ///
    /// # Errors
    /// [`LocalError::Model`].
    pub fn labels_of(folder: &Path) -> Result<Vec<String>, LocalError> {
        let files = ModelFiles::of(&ModelSource::Folder(folder.to_owned()))?;
        Ok(Shape::read(&files, Task::Classify)?.head.labels().unwrap_or_default().to_vec())
    }

    /// Its labels, as the model names them.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The folder and the device.
    pub fn description(&self) -> &str {
        self.desk.description()
    }

    /// For each text the probability of each label, 0 to 1, in the order of
    /// [`Classifier::labels`]. They add up to one where one label holds, and not where
    /// several may (`problem_type` in `config.json`).
    ///
    /// A text that is longer than a window has of each label the highest probability of its
    /// windows: one bad paragraph is not outvoted by ten good ones. Then they may add up to
    /// more than one.
    ///
    /// # Errors
    /// [`ReadFault`].
    pub async fn classify(
        &self,
        texts: Vec<Arc<str>>,
        within: Duration,
    ) -> Result<Vec<Vec<f32>>, ReadFault> {
        self.desk.ask(texts, within).await
    }
}

fn read(
    reader: &Reader,
    labels: usize,
    scale: Scale,
    call: &Call<'_>,
) -> Result<Vec<Vec<f32>>, ReadFault> {
    let mut texts = vec![vec![0.0f32; labels]; call.texts.len()];
    reader.read(call, |window, row| {
        let probabilities = scale.apply(row);
        let text = texts[window.text].iter_mut();
        text.zip(probabilities).for_each(|(most, probability)| *most = most.max(probability));
    })?;
    Ok(texts)
}

#[cfg(test)]
mod tests;
