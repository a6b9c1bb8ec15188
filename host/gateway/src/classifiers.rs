//! What policies may ask the models in this process.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ringfence_chat::{Kind, Request, Role, Segment};
use ringfence_local::{Classifier, EmbedFault, Embedder, LocalError, ReadFault};
use ringfence_policy::{Label, ModelFault, Models, Reading, Score};

use crate::config::ClassifierConfig;

/// The classifiers, by name, and the model that makes vectors.
pub struct Classifiers {
    each: Vec<Named>,
    embedder: Option<Arc<Embedder>>,
}

/// How the reading of a request's texts by one classifier went, for metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The classifier's name.
    pub classifier: String,
    /// `read`, or why not.
    pub outcome: &'static str,
    /// How long it took, waiting included.
    pub took: Duration,
}

struct Named {
    config: ClassifierConfig,
    classifier: Classifier,
    known: Known,
}

impl Classifiers {
    /// Loads the classifiers. Blocks.
    ///
    /// # Errors
    /// For each that cannot be loaded its name and why.
    pub fn start(
        configs: &[ClassifierConfig],
        embedder: Option<Arc<Embedder>>,
    ) -> Result<Classifiers, Vec<(String, LocalError)>> {
        let (mut each, mut errors) = (Vec::new(), Vec::new());
        for config in configs {
            match Classifier::start(&config.model) {
                Ok(classifier) => {
                    let known = Known::default();
                    each.push(Named { config: config.clone(), classifier, known });
                }
                Err(error) => errors.push((config.name.clone(), error)),
            }
        }
        if errors.is_empty() { Ok(Classifiers { each, embedder }) } else { Err(errors) }
    }

    /// These models, as policies ask them.
    pub fn models(classifiers: &Arc<Classifiers>) -> Arc<dyn Models> {
        Arc::clone(classifiers) as Arc<dyn Models>
    }

    /// What they were made of.
    pub fn configs(&self) -> impl Iterator<Item = &ClassifierConfig> {
        self.each.iter().map(|named| &named.config)
    }

    /// Their names, each with its folder and device.
    pub fn descriptions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.each.iter().map(|named| (&*named.config.name, named.classifier.description()))
    }

    /// What the classifiers of these names say of a request: of each label the highest
    /// probability among the texts of users and tools. All are asked at the same time.
    pub async fn score(&self, needed: &[&str], request: &Request) -> Vec<(Score, Scored)> {
        let texts: Vec<&str> = request.segments().iter().filter(counts).map(text).collect();
        let asked = needed.iter().map(|name| self.score_by(name, &texts));
        futures_util::future::join_all(asked).await
    }

    async fn score_by(&self, name: &str, texts: &[&str]) -> (Score, Scored) {
        let begun = Instant::now();
        let labels = match self.named(name) {
            Some(named) => named.highest(texts).await,
            None => Err(ModelFault::Unknown),
        };
        let outcome = labels.as_ref().map_or_else(|fault| word(*fault), |_| "read");
        let classifier = name.to_owned();
        let scored = Scored { classifier: classifier.clone(), outcome, took: begun.elapsed() };
        (Score { classifier, labels }, scored)
    }

    fn named(&self, name: &str) -> Option<&Named> {
        self.each.iter().find(|named| named.config.name == name)
    }
}

impl Models for Classifiers {
    fn classify<'a>(&'a self, classifier: &'a str, text: &'a str) -> Reading<'a, Vec<Label>> {
        Box::pin(async move {
            let named = self.named(classifier).ok_or(ModelFault::Unknown)?;
            let rows = named.rows(&[text]).await?;
            let row = rows.into_iter().next().ok_or(ModelFault::Failed)?;
            Ok(named.classifier.labels().iter().cloned().zip(row).collect())
        })
    }

    fn embed<'a>(&'a self, text: &'a str) -> Reading<'a, Vec<f32>> {
        Box::pin(async move {
            let embedder = self.embedder.as_ref().ok_or(ModelFault::Unknown)?;
            let vectors = embedder.embed(vec![text.into()], EMBED_WITHIN).await;
            let vectors = vectors.map_err(|fault| match fault {
                EmbedFault::TooLong(_) => ModelFault::TooLong,
                EmbedFault::Read(fault) => model_fault(fault),
            })?;
            Ok(vectors.into_iter().next().ok_or(ModelFault::Failed)?.values)
        })
    }
}

/// How long a policy may wait for a vector; its patience may be shorter.
const EMBED_WITHIN: Duration = Duration::from_millis(ClassifierConfig::WITHIN_MS);

impl Named {
    async fn highest(&self, texts: &[&str]) -> Result<Vec<Label>, ModelFault> {
        let labels = self.classifier.labels();
        let mut highest = vec![0.0f32; labels.len()];
        for row in self.rows(texts).await? {
            for (most, probability) in highest.iter_mut().zip(&*row) {
                *most = most.max(*probability);
            }
        }
        let name = &self.config.name;
        Ok(labels.iter().map(|label| format!("{name}/{label}")).zip(highest).collect())
    }

    /// The probabilities of each text's labels.
    async fn rows(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelFault> {
        let keys: Vec<Key> = texts.iter().map(|text| self.known.key(text)).collect();
        let mut rows: Vec<Option<Vec<f32>>> = keys.iter().map(|key| self.known.get(key)).collect();
        let unread: Vec<usize> = (0..texts.len()).filter(|at| rows[*at].is_none()).collect();
        if !unread.is_empty() {
            let asked = unread.iter().map(|at| Arc::from(texts[*at])).collect();
            let read = self.classifier.classify(asked, self.config.within).await;
            for (at, row) in unread.iter().zip(read.map_err(model_fault)?) {
                self.known.keep(keys[*at], row.clone());
                rows[*at] = Some(row);
            }
        }
        rows.into_iter().map(|row| row.ok_or(ModelFault::Failed)).collect()
    }
}

/// What was read already: a conversation repeats its texts in every turn. Of a text only
/// a hash is kept, under a key that dies with the process.
#[derive(Default)]
struct Known {
    hashers: [RandomState; 2],
    rows: Mutex<Generations>,
}

type Key = [u64; 2];

/// Two generations: when the younger is full, the older goes.
#[derive(Default)]
struct Generations {
    young: HashMap<Key, Vec<f32>>,
    old: HashMap<Key, Vec<f32>>,
}

impl Known {
    /// Texts of a generation.
    const TEXTS: usize = 4096;

    fn key(&self, text: &str) -> Key {
        self.hashers.each_ref().map(|hasher| hasher.hash_one(text))
    }

    fn get(&self, key: &Key) -> Option<Vec<f32>> {
        let mut rows = self.lock();
        if let Some(row) = rows.young.get(key) {
            return Some(row.clone());
        }
        let row = rows.old.remove(key)?;
        rows.keep(*key, row.clone());
        Some(row)
    }

    fn keep(&self, key: Key, row: Vec<f32>) {
        self.lock().keep(key, row);
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        // Nothing in here leaves them half changed.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn keep(&mut self, key: Key, row: Vec<f32>) {
        if self.young.len() >= Known::TEXTS {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, row);
    }
}

/// Whether a classifier looks at a segment: what people and tools wrote, and nothing that
/// the application or the model did.
fn counts(segment: &&Segment) -> bool {
    matches!(segment.role, Role::User | Role::Tool)
        && matches!(segment.kind, Kind::Text | Kind::ToolResult)
        && segment.text.chars().any(char::is_alphanumeric)
}

fn text(segment: &Segment) -> &str {
    &segment.text
}

fn model_fault(fault: ReadFault) -> ModelFault {
    match fault {
        ReadFault::Full => ModelFault::Busy,
        ReadFault::Late => ModelFault::Late,
        ReadFault::Failed => ModelFault::Failed,
    }
}

fn word(fault: ModelFault) -> &'static str {
    match fault {
        ModelFault::Unknown => "unknown",
        ModelFault::TooLong => "too_long",
        ModelFault::Busy => "full",
        ModelFault::Late => "late",
        ModelFault::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_known_and_the_oldest_goes() {
        let known = Known::default();
        let first = known.key("first");
        known.keep(first, vec![0.5]);
        assert_eq!(known.get(&first), Some(vec![0.5]));
        assert_eq!(known.get(&known.key("second")), None);
        for index in 0..Known::TEXTS {
            known.keep(known.key(&index.to_string()), vec![0.1]);
        }
        // Asked for again, it is among the young.
        assert_eq!(known.get(&first), Some(vec![0.5]));
        for index in 0..2 * Known::TEXTS {
            known.keep(known.key(&index.to_string()), vec![0.1]);
        }
        assert_eq!(known.get(&first), None);
        let rows = known.lock();
        assert!(rows.young.len() + rows.old.len() <= 2 * Known::TEXTS);
    }
}
