//! A further tier of detection: a model in this process that marks people, places and
//! organisations, where patterns find nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_chat::{Kind, Request, Segment, SegmentId};
use ringfence_detect::Reading;
use ringfence_fence::Finding;
use ringfence_local::{LocalError, Tag, TagFault, Tagger};

use crate::config::TierConfig;

/// The model, and what its kinds are called here.
pub struct Tier {
    tagger: Tagger,
    /// For each kind of the model's its entity, where it counts.
    entities: Vec<Option<String>>,
    config: TierConfig,
}

/// How a reading went, for metrics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TierRead {
    /// `read`, or why not.
    pub outcome: &'static str,
    /// How long it took, waiting included.
    pub took: Duration,
}

impl Tier {
    /// The score of a finding at most, however sure the model is.
    pub const SCORE: f32 = 0.85;

    /// Loads the model. Blocks.
    ///
    /// # Errors
    /// [`LocalError`].
    pub fn start(config: &TierConfig) -> Result<Tier, LocalError> {
        let tagger = Tagger::start(&config.tagger)?;
        let entity = |kind: &String| {
            config
                .entities
                .iter()
                .find(|(known, _)| known == kind)
                .map(|(_, entity)| entity.clone())
        };
        let entities = tagger.kinds().iter().map(entity).collect();
        Ok(Tier { tagger, entities, config: config.clone() })
    }

    /// What it was made of.
    pub fn config(&self) -> &TierConfig {
        &self.config
    }

    /// The folder and the device.
    pub fn description(&self) -> &str {
        self.tagger.description()
    }

    /// Adds what the model finds to a reading. When it is late, full or failed, every
    /// segment that it should have read counts as unreadable, which confines the request.
    pub async fn read(&self, request: &Request, reading: &mut Reading) -> TierRead {
        let begun = Instant::now();
        let segments: Vec<&Segment> =
            request.segments().iter().filter(|segment| is_prose(segment)).collect();
        let texts = segments.iter().map(|segment| segment.text.as_str().into()).collect();
        let said = if segments.is_empty() { Ok(Vec::new()) } else { self.tag(texts).await };
        let outcome = match said {
            Ok(tags) => {
                let marked = segments.iter().zip(&tags);
                let found = marked.flat_map(|(segment, tags)| self.findings(segment.id, tags));
                reading.add(found.collect());
                "read"
            }
            Err(fault) => {
                reading.mark_unreadable(segments.iter().map(|segment| segment.id));
                match fault {
                    TagFault::Full => "full",
                    TagFault::Late => "late",
                    TagFault::Failed => "failed",
                }
            }
        };
        TierRead { outcome, took: begun.elapsed() }
    }

    /// What the model finds in one text.
    ///
    /// # Errors
    /// [`TagFault`].
    pub async fn text(&self, text: &str) -> Result<Vec<Finding>, TagFault> {
        let tags = self.tag(vec![text.into()]).await?;
        Ok(tags.iter().flat_map(|tags| self.findings(SegmentId(0), tags)).collect())
    }

    async fn tag(&self, texts: Vec<Arc<str>>) -> Result<Vec<Vec<Tag>>, TagFault> {
        self.tagger.tag(texts, self.config.within).await
    }

    fn findings(&self, segment: SegmentId, tags: &[Tag]) -> impl Iterator<Item = Finding> {
        tags.iter().filter_map(move |tag| {
            let entity = self.entities.get(tag.kind)?.as_ref()?;
            (tag.probability >= self.config.min_score).then(|| Finding {
                segment,
                start: u32::try_from(tag.start).unwrap_or(u32::MAX),
                end: u32::try_from(tag.end).unwrap_or(u32::MAX),
                entity: entity.clone().into(),
                // What a pattern and its check found names a stretch before a guess does.
                score: tag.probability.min(Tier::SCORE),
            })
        })
    }
}

/// Whether there can be a name in a segment.
fn is_prose(segment: &Segment) -> bool {
    segment.kind != Kind::Attachment
        && segment.readable
        && segment.text.chars().filter(|c| c.is_alphabetic()).nth(1).is_some()
}
