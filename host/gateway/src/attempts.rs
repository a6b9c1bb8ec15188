//! Attempts: the permitted targets in turn, until one begins to answer.
//!
//! Every attempt is a departure of its own, in the ledger before its first byte
//! leaves. Once the first byte of an answer can go to the client, there is no other
//! attempt.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use ringfence_chat::{Chunk, Event};
use ringfence_fence::{CannotDepart, Decision, Failure, FailureKind, Hidden, Target};

use crate::account::Account;
use crate::books::Books;
use crate::house::{self, Asked, House, InForce};
use crate::limits::Exceeded;
use crate::places::Place;
use crate::problem::Problem;

/// Attempts at one target.
pub const ATTEMPTS_PER_TARGET: u32 = 2;
/// The first pause before another attempt at the same target; it doubles.
pub const BACKOFF: Duration = Duration::from_millis(100);
/// A target that asks for a longer pause is left for the next one.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Chunks of a whole answer at most.
pub const CHUNKS: usize = 1 << 20;

/// An answer that has begun: nothing of it has gone to the client, and it will.
pub struct Begun {
    /// Who answers.
    pub target: Arc<Target>,
    /// The model, by the target's own name of it.
    pub model: String,
    /// The id of the decision.
    pub decision: String,
    /// What became placeholders on the way out.
    pub hidden: Vec<Hidden>,
    /// Parameters that the target does not know.
    pub dropped: Vec<String>,
    /// Headers for the client.
    pub headers: Vec<(String, String)>,
    /// What has arrived: for a whole answer, all of it.
    pub chunks: Vec<Chunk>,
    /// What is still to come; nothing for a whole answer.
    pub rest: BoxStream<'static, Result<Chunk, Failure>>,
    /// The books of this attempt.
    pub account: Account,
}

/// Tries the permitted targets in turn.
///
/// # Errors
/// [`Problem`]: the last failure, or what stops all attempts.
pub async fn begin(
    house: &Arc<House>,
    in_force: &InForce,
    asked: &Asked<'_>,
    decision: &Decision,
    books: &Books<'_>,
    received: Instant,
) -> Result<Begun, Problem> {
    let within = in_force.answer_within.saturating_sub(received.elapsed());
    let attempts = Attempts { house, in_force, asked, decision, books };
    tokio::time::timeout(within, attempts.all()).await.unwrap_or(Err(Problem::Late))
}

/// The attempts for one request.
struct Attempts<'a> {
    house: &'a Arc<House>,
    in_force: &'a InForce,
    asked: &'a Asked<'a>,
    decision: &'a Decision,
    books: &'a Books<'a>,
}

/// What stops one attempt.
enum Stopped {
    /// The target failed: another attempt may do better.
    Failed(Failure),
    /// This target cannot take the request; nothing was sent, and another may take it.
    Unfit(Failure),
    /// What has to be hidden from this target cannot be; nothing was sent, and another
    /// may see more.
    Unmaskable,
    /// Other requests of the caller have taken what its answer may cost; nothing was sent,
    /// and another may cost less.
    Unaffordable(Exceeded),
    /// No attempt can do better.
    Ended(Problem),
}

impl Attempts<'_> {
    async fn all(&self) -> Result<Begun, Problem> {
        let mut attempt = 0;
        let mut last = self.failed(Failure::new(FailureKind::Unreachable, "No target is ready."));
        for place in self.in_turn() {
            let mut pause = BACKOFF;
            for again in (0..ATTEMPTS_PER_TARGET).rev() {
                attempt += 1;
                let failure = match self.once(place, attempt).await {
                    Ok(begun) => return Ok(begun),
                    Err(Stopped::Ended(problem)) => return Err(problem),
                    Err(Stopped::Unfit(failure)) => {
                        last = self.failed(failure);
                        break;
                    }
                    Err(Stopped::Unmaskable) => {
                        last = Problem::Unmaskable { decision: self.decision.id().to_owned() };
                        break;
                    }
                    Err(Stopped::Unaffordable(exceeded)) => {
                        last = Problem::Limited(exceeded);
                        break;
                    }
                    Err(Stopped::Failed(failure)) => failure,
                };
                pause = failure.retry_after.unwrap_or(pause);
                let (passing, may_move_on) =
                    (failure.kind.is_passing(), failure.kind.may_move_on());
                last = self.failed(failure);
                if !may_move_on {
                    return Err(last);
                }
                if again == 0 || !passing || pause > LONGEST_PAUSE {
                    break;
                }
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        Err(last)
    }

    fn failed(&self, failure: Failure) -> Problem {
        Problem::Failed { failure, decision: self.decision.id().to_owned() }
    }

    /// The permitted places in the decision's order; those whose recent calls failed come
    /// last, since a preference is no reason to wait for the dead.
    fn in_turn(&self) -> Vec<&Place> {
        let permitted = self.decision.permitted();
        let permitted = permitted.filter_map(|target| self.in_force.place(&target.name));
        let (well, unwell): (Vec<_>, Vec<_>) = permitted.partition(|place| place.gauge.healthy());
        well.into_iter().chain(unwell).collect()
    }

    async fn once(&self, place: &Place, attempt: u32) -> Result<Begun, Stopped> {
        let &Attempts { house, asked, decision, books, .. } = self;
        let placeholders = house.placeholders(self.in_force, &asked.caller.tenant);
        let departure = decision
            .depart(&place.target.name, attempt, asked.request, &placeholders, &*place.provider)
            .map_err(|cannot| match cannot {
                CannotDepart::Unencodable(failure) => Stopped::Unfit(failure),
                CannotDepart::Unmaskable(_) => Stopped::Unmaskable,
                CannotDepart::NotPermitted => {
                    Stopped::Ended(Problem::Unmaskable { decision: decision.id().to_owned() })
                }
            })?;
        let hold = asked.permit.depart(asked.request, &place.target, house::seconds());
        let hold = hold.map_err(Stopped::Unaffordable)?;
        books.departs(&departure).await.map_err(Stopped::Ended)?;
        let mut account = Account::open(house, place, asked, &departure, hold);
        let (hidden, dropped) = (departure.hidden().to_vec(), departure.dropped().to_vec());
        let model = departure.model().to_owned();

        let answer = match place.provider.send(departure).await {
            Ok(answer) => answer,
            Err(failure) => {
                account.failed(&failure);
                return Err(Stopped::Failed(failure));
            }
        };
        let mut rest = answer.chunks;
        let mut chunks = Vec::new();
        loop {
            match rest.next().await {
                Some(Ok(chunk)) => {
                    account.saw(&chunk);
                    let speaks = chunk.events.iter().any(speaks);
                    chunks.push(chunk);
                    if asked.request.streamed && speaks {
                        break;
                    }
                    if chunks.len() > CHUNKS {
                        let failure = Failure::new(FailureKind::Broken, "The answer does not end.");
                        account.failed(&failure);
                        return Err(Stopped::Failed(failure));
                    }
                }
                Some(Err(failure)) => {
                    account.failed(&failure);
                    return Err(Stopped::Failed(failure));
                }
                None => {
                    rest = futures_util::stream::empty().boxed();
                    break;
                }
            }
        }
        Ok(Begun {
            target: Arc::clone(&place.target),
            model,
            decision: decision.id().to_owned(),
            hidden,
            dropped,
            headers: answer.headers,
            chunks,
            rest,
            account,
        })
    }
}

/// Whether the client would see something of it. The empty text that opens most streams
/// is nothing yet.
fn speaks(event: &Event) -> bool {
    match event {
        Event::Start { .. } | Event::Pause { .. } | Event::Usage(_) => false,
        Event::Text { text, .. } => !text.is_empty(),
        Event::ToolCall { .. } | Event::Finish { .. } | Event::Vector { .. } => true,
    }
}
