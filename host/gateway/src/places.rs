//! The places that answer: a target, what talks to it, and how it does.

use std::sync::Arc;

use ringfence_cloud::Cloud;
use ringfence_fence::{Provider, Target, Vitals};
use ringfence_local::{Embedder, Local};

use crate::config::{Reach, TargetEntry};
use crate::gauge::Gauge;
use crate::house::BuildError;

/// A target and what talks to it.
#[derive(Clone)]
pub struct Place {
    /// The target.
    pub target: Arc<Target>,
    /// What talks to it.
    pub provider: Arc<dyn Provider>,
    /// How it does.
    pub gauge: Arc<Gauge>,
    entry: TargetEntry,
    inside: Option<Inside>,
}

/// What in this process answers.
#[derive(Clone)]
enum Inside {
    Local(Arc<Local>),
    Embedder(Arc<Embedder>),
}

/// The models in this process.
#[derive(Clone, Copy)]
pub struct Models<'a> {
    /// The one that writes answers.
    pub local: Option<&'a Arc<Local>>,
    /// The one that makes vectors.
    pub embedder: Option<&'a Arc<Embedder>>,
}

impl Place {
    /// Whether it is reached and described as `other` is.
    pub fn is_as(&self, other: &Place) -> bool {
        self.entry == other.entry
    }

    /// How the target does: the gauge's view of answers, and the local model's own of
    /// its queue.
    pub fn vitals(&self) -> Vitals {
        let vitals = self.gauge.vitals();
        match &self.inside {
            Some(Inside::Local(local)) => {
                Vitals { healthy: vitals.healthy, error_rate: vitals.error_rate, ..local.vitals() }
            }
            Some(Inside::Embedder(embedder)) => {
                let queued = embedder.waiting();
                Vitals { queued, in_flight: vitals.in_flight.saturating_sub(queued), ..vitals }
            }
            None => vitals,
        }
    }
}

/// Places that can answer, and targets that lack something, and what.
pub type Places = (Vec<Place>, Vec<(Arc<Target>, String)>);

/// The places of these targets. One that is among `before` stays, with its gauge.
///
/// # Errors
/// Every target that cannot be talked to.
pub fn places(
    entries: &[TargetEntry],
    models: Models<'_>,
    before: &[Place],
) -> Result<Places, Vec<BuildError>> {
    let (mut places, mut lacking, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        if let Some(same) = before.iter().find(|place| place.entry == *entry) {
            places.push(same.clone());
            continue;
        }
        let target = Arc::clone(&entry.target);
        let inside = match &entry.reach {
            Reach::Local => models.local.cloned().map(Inside::Local),
            Reach::Embedder => models.embedder.cloned().map(Inside::Embedder),
            Reach::Http(_) | Reach::Lacking(_) => None,
        };
        let provider: Arc<dyn Provider> = match (&entry.reach, &inside) {
            (Reach::Lacking(what), _) => {
                lacking.push((target, what.clone()));
                continue;
            }
            (Reach::Local | Reach::Embedder, None) => {
                lacking.push((target, "no local model is loaded".to_owned()));
                continue;
            }
            (_, Some(Inside::Local(local))) => Arc::clone(local) as Arc<dyn Provider>,
            (_, Some(Inside::Embedder(embedder))) => Arc::clone(embedder) as Arc<dyn Provider>,
            (Reach::Http(connection), None) => {
                match Cloud::new(connection.clone(), &target.name, target.zone) {
                    Ok(cloud) => Arc::new(cloud),
                    Err(error) => {
                        let text = format!("the target `{}`: {error}", target.name);
                        errors.push(BuildError::new(text));
                        continue;
                    }
                }
            }
        };
        let gauge = Arc::new(Gauge::default());
        places.push(Place { target, provider, gauge, entry: entry.clone(), inside });
    }
    if errors.is_empty() { Ok((places, lacking)) } else { Err(errors) }
}
