//! How candidates compare with the live versions.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{Policy, policy_seconds};
use crate::candidates::Agreement;

/// Counts of candidates, by the policy's name. Cloning it shares them.
#[derive(Clone)]
pub struct Watched {
    compared: Family<Compared, Counter>,
    seconds: Family<Policy, Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Compared {
    policy: String,
    result: &'static str,
}

impl Watched {
    pub(super) fn new() -> Watched {
        Watched {
            compared: Family::default(),
            seconds: Family::new_with_constructor(policy_seconds),
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Judgements of candidates, by how they compare with the live version's";
        registry.register("candidate_judgements", help, self.compared.clone());
        registry.register("candidate_seconds", "Time of one such judgement", self.seconds.clone());
    }

    /// A candidate was asked beside the live version of `policy`, or was not: then nothing
    /// was spent.
    pub fn note(&self, policy: &str, agreement: Agreement, spent: Option<Duration>) {
        let compared = Compared { policy: policy.to_owned(), result: agreement.name() };
        self.compared.get_or_create(&compared).inc();
        if let Some(spent) = spent {
            let label = Policy { policy: policy.to_owned() };
            self.seconds.get_or_create(&label).observe(spent.as_secs_f64());
        }
    }
}
