//! What the ledger gets to know: the one place that makes records of decisions.

use ringfence_fence::{Decision, Departure, Refusal};
use ringfence_ledger::{
    Bytes, Chain, Decided, Judged, Ledger, LedgerError, PolicyInForce, Record, Start, Word,
    entities,
};

use crate::house::{Asked, House, InForce};
use crate::problem::Problem;

/// The books of one request.
pub struct Books<'a> {
    ledger: &'a Ledger,
    in_force: &'a InForce,
    asked: &'a Asked<'a>,
    decision: &'a Decision,
}

impl<'a> Books<'a> {
    /// The books of the request that `decision` is about.
    pub fn new(
        house: &'a House,
        in_force: &'a InForce,
        asked: &'a Asked<'a>,
        decision: &'a Decision,
    ) -> Books<'a> {
        Books { ledger: &house.ledger, in_force, asked, decision }
    }

    /// Writes that a departure is about to leave; it may leave once this returns.
    ///
    /// # Errors
    /// [`Problem::Ledger`]: then it must not.
    pub async fn departs(&self, departure: &Departure) -> Result<(), Problem> {
        let target = departure.target();
        let body = departure.body();
        self.write(Record::Departure(ringfence_ledger::Departure {
            decided: self.decided(),
            attempt: departure.attempt(),
            target: Word::from(&target.name),
            zone: Word::from(target.zone.name()),
            region: Word::from(&target.region),
            model: Word::from(departure.model()),
            asked: Word::from(&self.asked.request.model),
            bytes: Bytes { length: body.len() as u64, digest: self.ledger.keyed_digest(body) },
        }))
        .await
    }

    /// Writes that the request goes nowhere.
    ///
    /// # Errors
    /// [`Problem::Ledger`].
    pub async fn refused(&self, refusal: &Refusal) -> Result<(), Problem> {
        let by = match refusal {
            Refusal::NoTargets => Word::from("configuration"),
            Refusal::Removed(removal) => ringfence_ledger::Refusal::who(&removal.by),
        };
        // A capability's name is ours, a policy's code is declared: neither is content.
        let code = Word::from(refusal.code());
        let decided = self.decided();
        self.write(Record::Refusal(ringfence_ledger::Refusal { decided, by, code })).await
    }

    async fn write(&self, record: Record) -> Result<(), Problem> {
        match self.ledger.write(record).await {
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::error!(%error, "the ledger was not written, and nothing was sent");
                Err(Problem::Ledger)
            }
        }
    }

    fn decided(&self) -> Decided {
        let Books { in_force, asked, decision, .. } = self;
        Decided {
            decision: Word::from(decision.id()),
            request: Word::from(&asked.request.id),
            tenant: Word::from(&asked.caller.tenant),
            key: Word::from(&asked.caller.key),
            configuration: in_force.configuration,
            chain: in_force.chain.digest(),
            judgements: decision.verdicts().iter().map(Judged::from).collect(),
            labels: decision.labels().iter().map(Word::from).collect(),
            findings: entities(asked.findings),
        }
    }
}

/// Writes that the gateway began, and the chain that it began with.
///
/// # Errors
/// The ledger's.
pub async fn began(house: &House) -> Result<(), LedgerError> {
    let in_force = house.in_force();
    let start = Start {
        version: Word::from(env!("CARGO_PKG_VERSION")),
        configuration: in_force.configuration,
    };
    house.ledger.write(Record::Start(start)).await?;
    chained(house, &in_force, &[]).await
}

/// Writes that another version is about to come into force, and what it loosens.
///
/// # Errors
/// The ledger's.
pub async fn chained(
    house: &House,
    next: &InForce,
    loosened: &[String],
) -> Result<(), LedgerError> {
    let policies = next.chain.policies().iter().map(|policy| PolicyInForce {
        name: Word::from(&policy.name),
        version: policy.version.as_ref().map(Word::from),
        digest: policy.digest,
        mode: Word::from(policy.mode.name()),
        on_failure: Word::from(policy.on_failure.name()),
        degraded: next.degraded.iter().any(|name| *name == policy.name),
    });
    let record = Record::Chain(Chain {
        configuration: next.configuration,
        chain: next.chain.digest(),
        vocabulary: next.sight.vocabulary,
        policies: policies.collect(),
        loosens: loosened.iter().map(Word::from).collect(),
    });
    house.ledger.write(record).await.map(drop)
}
