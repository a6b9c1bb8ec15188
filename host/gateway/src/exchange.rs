//! One request, from its bytes to its answer. Reads top to bottom.

use std::sync::Arc;
use std::time::Instant;

use ringfence_chat::Dialect;
use ringfence_fence::Caller;

use crate::attempts;
use crate::books::Books;
use crate::house::{self, Asked, House};
use crate::intake::Taken;
use crate::problem::Problem;
use crate::reply::{self, Reply};

/// A request as it came off the wire, from a caller that is known.
pub struct Call {
    /// The id that the client sees.
    pub id: String,
    /// The dialect of the path.
    pub dialect: Dialect,
    /// Who asks.
    pub caller: Caller,
    /// Headers that go on to targets of the same dialect.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// The body.
    pub body: Taken,
    /// How soon the client wants a first token.
    pub latency_wanted_ms: Option<u32>,
    /// When its first byte came.
    pub received: Instant,
}

/// Answers one request.
///
/// # Errors
/// [`Problem`]; nothing of the answer has gone to the client then.
pub async fn answer(house: &Arc<House>, call: Call) -> Result<Reply, Problem> {
    // One version of everything that can be reloaded, for the whole request.
    let in_force = house.in_force();

    let decode = || ringfence_dialect::decode_request(call.dialect, call.id, &call.body.bytes);
    let mut request = aside(call.body.bytes.len(), decode).map_err(Problem::Malformed)?;
    request.headers = call.headers;
    if !in_force.serves(&request) {
        let embeds = request.embeds();
        let problem = if embeds { Problem::VectorModel } else { Problem::Model };
        return Err(problem(request.model));
    }

    let admitted = in_force.limits.admit(&call.caller, &request, house::seconds());
    let permit = admitted.map_err(Problem::Limited)?;

    let mut reading = aside(call.body.bytes.len(), || in_force.sight.detector.read(&request));
    house.look_closer(&request, &mut reading).await;
    request.mark_unreadable(reading.unreadable.iter().copied());

    let asked = Asked {
        request: &request,
        caller: &call.caller,
        findings: &reading.findings,
        conversation: &house.conversation(&request, &call.caller),
        latency_wanted_ms: call.latency_wanted_ms,
        permit: &permit,
    };
    let (decision, following) = house.decide(&in_force, &asked).await;
    house.metrics.decided(&decision);

    let books = Books::new(house, &in_force, &asked, &decision);
    if let Some(refusal) = decision.refusal() {
        books.refused(refusal).await?;
        return Err(Problem::Refused {
            refusal: refusal.clone(),
            decision: decision.id().to_owned(),
        });
    }

    let begun = attempts::begin(house, &in_force, &asked, &decision, &books, call.received).await?;
    reply::reply(&in_force.sight.detector, &request, begun, following, &permit).await
}

/// Counts the tokens of a request that nobody is to answer: nothing leaves.
///
/// # Errors
/// [`Problem`]: it is not a request of its dialect, or no target serves its model.
pub fn count(house: &House, dialect: Dialect, body: &[u8]) -> Result<u32, Problem> {
    let count = || ringfence_dialect::count_tokens(dialect, body);
    let request = aside(body.len(), count).map_err(Problem::Malformed)?;
    if !house.in_force().serves(&request) {
        return Err(Problem::Model(request.model));
    }
    Ok(request.input_tokens)
}

/// Bodies from here on are read aside.
const LARGE_BYTES: usize = 256 * 1024;

/// Does `work` on a body of so many bytes. A large one takes milliseconds, for which the
/// connections of this thread go to another one.
fn aside<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    if bytes < LARGE_BYTES { work() } else { tokio::task::block_in_place(work) }
}
