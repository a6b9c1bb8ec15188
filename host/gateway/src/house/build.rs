//! From a configuration to a house, and to another version of what is in force.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use arc_swap::ArcSwap;
use ringfence_fence::Target;
use ringfence_ledger::Ledger;
use ringfence_local::{Embedder, Local};
use ringfence_policy::{Chain, Policy, Predecessors, Sandbox, SandboxConfig};

use super::{BuildError, House, InForce, now_ms, seconds};
use crate::assembly::{self, Assembly};
use crate::callers::Callers;
use crate::candidates::Candidates;
use crate::classifiers::Classifiers;
use crate::config::Config;
use crate::conversations::Conversations;
use crate::detection::{self, Sight};
use crate::keys::{Keys, private_folder};
use crate::limits::{Keeper, Limits};
use crate::metrics::Metrics;
use crate::places::{self, Models, Place};
use crate::tier::Tier;

impl House {
    /// Builds everything. Blocks: policies are compiled and the model is loaded.
    ///
    /// # Errors
    /// Everything that is wrong. Nothing is bound and nothing has left.
    pub fn build(config: &Config) -> Result<House, Vec<BuildError>> {
        let state = &config.state;
        let one = |text: String| vec![BuildError::new(text)];
        private_folder(state)
            .map_err(|error| one(format!("the state folder {}: {error}", state.display())))?;
        let keys = Keys::open(state)
            .map_err(|error| one(format!("the key {}: {}", error.file.display(), error.cause)))?;
        let sandbox = sandbox(config)?;
        let predecessors = Predecessors::open(&state.join("predecessors"))
            .map_err(|error| one(format!("the stored policies: {error}")))?;

        let keeper = Keeper::open(state).map_err(|error| {
            one(format!("the counts of the limits {}: {error}", state.join(Keeper::FILE).display()))
        })?;
        let keeper = Arc::new(keeper);

        let mut errors = Vec::new();
        let entries = &config.policies;
        let mut assembly =
            assembly::assemble(&sandbox, &predecessors, entries, &config.signatures, None)
                .unwrap_or_else(|wrong| {
                    errors.extend(wrong);
                    Assembly::default()
                });
        let sight = detection::sight(&config.detection, None).map_err(|wrong| errors.extend(wrong));
        let local = match &config.local {
            Some(model) => {
                Local::start(model).map(|local| Some(Arc::new(local))).unwrap_or_else(|error| {
                    errors.push(BuildError::new(format!("the local model: {error}")));
                    None
                })
            }
            None => None,
        };
        let embedder = config.embedding.as_ref().map(Embedder::start).transpose();
        let embedder = embedder.map(|embedder| embedder.map(Arc::new)).unwrap_or_else(|error| {
            errors.push(BuildError::new(format!("[local.embedding]: {error}")));
            None
        });
        let tier = config.detection.model.as_ref().map(Tier::start).transpose();
        let tier = tier.unwrap_or_else(|error| {
            errors.push(BuildError::new(format!("[detect.model]: {error}")));
            None
        });
        let classifiers = Classifiers::start(&config.classifiers, embedder.clone());
        let classifiers =
            classifiers.map(Arc::new).map_err(|wrong| {
                errors.extend(wrong.into_iter().map(|(name, error)| {
                    BuildError::new(format!("the classifier `{name}`: {error}"))
                }));
            });
        errors.extend(unscored(&assembly.chain, config));
        let models = Models { local: local.as_ref(), embedder: embedder.as_ref() };
        let (places, lacking) =
            places::places(&config.targets, models, &[]).unwrap_or_else(|wrong| {
                errors.extend(wrong);
                (Vec::new(), Vec::new())
            });
        let ledger = Ledger::open(&config.ledger.file, config.ledger.durability, keys.ledger);
        let (ledger, sight, classifiers) = match (ledger, sight, classifiers) {
            (Ok(ledger), Ok(sight), Ok(classifiers)) if errors.is_empty() => {
                (ledger, sight, classifiers)
            }
            (Ok(_), ..) => return Err(errors),
            (Err(error), ..) => {
                errors.push(BuildError::new(format!(
                    "the ledger {}: {error}",
                    config.ledger.file.display()
                )));
                return Err(errors);
            }
        };
        assembly.candidates = assembly::candidates(
            &sandbox,
            &predecessors,
            entries,
            &config.signatures,
            &Candidates::default(),
        );
        let mut troubles = assembly.troubles.clone();
        troubles.extend(refused(&assembly.candidates));
        let troubles = Mutex::new(troubles);
        Ok(House {
            ledger,
            metrics: Metrics::new(),
            sandbox,
            predecessors,
            began: now_ms() as u64 / 1000,
            local,
            embedder,
            tier,
            classifiers,
            in_force: ArcSwap::from_pointee(in_force(
                config, assembly, places, lacking, sight, &keeper, None,
            )),
            keeper,
            keys,
            conversations: Conversations::default(),
            troubles,
            refused: Mutex::default(),
        })
    }

    /// Loads `config` beside what is in force, without changing that. Blocks.
    ///
    /// Policies, targets and their gauges that are the same stay the same.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn prepare(&self, config: &Config) -> Result<(InForce, Vec<String>), Vec<BuildError>> {
        // A policy may count on what it finds, so it never lags behind the configuration.
        if self.tier.as_ref().map(Tier::config) != config.detection.model.as_ref() {
            let text = "[detect.model] is another: restart to apply the configuration";
            return Err(vec![BuildError::new(text.to_owned())]);
        }
        if !self.classifiers.configs().eq(&config.classifiers) {
            let text = "[[local.classifiers]] are others: restart to apply the configuration";
            return Err(vec![BuildError::new(text.to_owned())]);
        }
        let now = self.in_force();
        let assembly = assembly::assemble(
            &self.sandbox,
            &self.predecessors,
            &config.policies,
            &config.signatures,
            Some(&now.chain),
        )
        .and_then(|assembly| match unscored(&assembly.chain, config) {
            wrong if wrong.is_empty() => Ok(assembly),
            wrong => Err(wrong),
        });
        let models = Models { local: self.local.as_ref(), embedder: self.embedder.as_ref() };
        let places = places::places(&config.targets, models, &now.places);
        let sight = detection::sight(&config.detection, Some(&now.sight));
        match (assembly, places, sight) {
            (Ok(mut assembly), Ok((places, lacking)), Ok(sight)) => {
                assembly.candidates = assembly::candidates(
                    &self.sandbox,
                    &self.predecessors,
                    &config.policies,
                    &config.signatures,
                    &now.candidates,
                );
                let mut troubles = assembly.troubles.clone();
                troubles.extend(refused(&assembly.candidates));
                let next =
                    in_force(config, assembly, places, lacking, sight, &self.keeper, Some(&now));
                Ok((next, troubles))
            }
            (assembly, places, sight) => {
                let errors = [assembly.err(), places.err(), sight.err()];
                Err(errors.into_iter().flatten().flatten().collect())
            }
        }
    }
}

/// Candidates that were refused, for the operator: the live versions serve on.
fn refused(candidates: &Candidates) -> Vec<String> {
    let refused = candidates.list().iter().filter_map(|candidate| {
        let why = candidate.loaded.as_ref().err()?;
        Some(format!("the candidate of `{}` is refused: {why}", candidate.name))
    });
    refused.collect()
}

fn sandbox(config: &Config) -> Result<Sandbox, Vec<BuildError>> {
    let settings =
        SandboxConfig { cache: Some(config.state.join("compiled")), ..SandboxConfig::default() };
    Sandbox::new(settings).map_err(|error| vec![BuildError::new(format!("the sandbox: {error}"))])
}

/// Scores that policies need and no classifier gives.
fn unscored(chain: &Chain, config: &Config) -> Vec<BuildError> {
    let is_there = |name: &str| config.classifiers.iter().any(|classifier| classifier.name == name);
    let needs = chain
        .policies()
        .iter()
        .flat_map(|policy| policy.declaration.scores().map(move |score| (&policy.name, score)));
    let wrong = needs.filter(|(_, score)| !is_there(score)).map(|(policy, score)| {
        BuildError::new(format!(
            "the policy `{policy}` needs the scores of the classifier `{score}`, and no entry of \
             [[local.classifiers]] has that name"
        ))
    });
    wrong.collect()
}

fn in_force(
    config: &Config,
    assembly: Assembly,
    places: Vec<Place>,
    lacking: Vec<(Arc<Target>, String)>,
    sight: Sight,
    keeper: &Keeper,
    before: Option<&InForce>,
) -> InForce {
    let live_since = live_since(&assembly.chain, before);
    InForce {
        configuration: config.digest,
        chain: assembly.chain,
        candidates: assembly.candidates,
        degraded: assembly.degraded,
        signed: assembly.signed,
        files: assembly.files,
        live_since,
        signatures: config.signatures.clone(),
        places,
        lacking,
        callers: Callers::new(config.callers.clone()),
        sight,
        shapes: config.shapes.clone(),
        floor: config.floor.clone(),
        limits: Limits::new(config.limits.clone(), Arc::clone(keeper.counts())),
        answer_within: config.server.answer_within,
        since: Instant::now(),
    }
}

/// Since when each policy is live: one that is the same has not changed.
fn live_since(chain: &Chain, before: Option<&InForce>) -> BTreeMap<String, u64> {
    let since = |policy: &Policy| {
        let before = before?;
        let same = before.chain.policies().iter().any(|old| old.identity() == policy.identity());
        before.live_since.get(&policy.name).filter(|_| same).copied()
    };
    let policies = chain.policies().iter();
    policies.map(|one| (one.name.clone(), since(one).unwrap_or_else(seconds))).collect()
}
