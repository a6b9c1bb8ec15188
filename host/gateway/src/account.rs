//! The account of one departure: opened when it leaves, closed exactly once, whatever
//! becomes of it. A client that goes away closes it too.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_chat::{Chunk, Event, FinishReason, Usage};
use ringfence_fence::{Departure, Failure, FailureKind, Target};
use ringfence_ledger::{Ending, Inspected, Outcome, Record, Word};
use ringfence_policy::{Following, Seen};

use crate::gauge::{Gauge, InFlight};
use crate::house::{self, Asked, House};
use crate::limits::Hold;
use crate::places::Place;

/// What is known of an answer so far.
pub struct Account {
    house: Arc<House>,
    target: Arc<Target>,
    gauge: Arc<Gauge>,
    decision: String,
    conversation: String,
    attempt: u32,
    began: Instant,
    first: Option<Duration>,
    usage: Option<Usage>,
    finish: Option<FinishReason>,
    restored: u32,
    altered: u32,
    inspected: Vec<Inspected>,
    status: Option<u16>,
    /// Bytes of the answer that came, for when nobody tells its tokens.
    bytes: usize,
    input_tokens: u32,
    hold: Option<Hold>,
    /// True once the client may have seen a byte.
    begun: bool,
    open: bool,
    _in_flight: InFlight,
}

impl Account {
    /// Opens the account of a departure that is on the books and leaves now.
    pub fn open(
        house: &Arc<House>,
        place: &Place,
        asked: &Asked<'_>,
        departure: &Departure,
        hold: Hold,
    ) -> Account {
        house.metrics.departed(&place.target.name);
        Account {
            house: Arc::clone(house),
            target: Arc::clone(&place.target),
            gauge: Arc::clone(&place.gauge),
            decision: departure.decision().to_owned(),
            conversation: asked.conversation.to_owned(),
            attempt: departure.attempt(),
            began: Instant::now(),
            first: None,
            usage: None,
            finish: None,
            restored: 0,
            altered: 0,
            inspected: Vec::new(),
            status: None,
            bytes: 0,
            input_tokens: asked.request.input_tokens,
            hold: Some(hold),
            begun: false,
            open: true,
            _in_flight: place.gauge.begin(),
        }
    }

    /// A chunk came.
    pub fn saw(&mut self, chunk: &Chunk) {
        for event in &chunk.events {
            match event {
                Event::Start { .. } | Event::Pause { .. } | Event::Vector { .. } => {}
                Event::Text { .. } | Event::ToolCall { .. } => {
                    self.first.get_or_insert_with(|| self.began.elapsed());
                    self.bytes += written(event);
                }
                Event::Finish { reason, .. } => {
                    self.finish.get_or_insert(*reason);
                }
                Event::Usage(usage) => self.usage = Some(*usage),
            }
        }
    }

    /// The answer begins to go to the client.
    pub fn begins(&mut self) {
        self.begun = true;
    }

    /// So many placeholders became originals again, and so many stayed because the
    /// model altered them.
    pub fn restored(&mut self, restored: u32, altered: u32) {
        (self.restored, self.altered) = (restored, altered);
    }

    /// What the policies that inspect answers did.
    pub fn inspected(&mut self, following: &Following) {
        self.inspected = following.seen().map(inspected).collect();
        following.seen().for_each(|seen| self.house.metrics.inspected(seen));
    }

    /// The whole answer went to the client.
    pub fn completed(&mut self) {
        self.ends_well("answered", Ending::Complete);
    }

    /// A policy ended the answer.
    pub fn stopped(&mut self) {
        self.finish = Some(FinishReason::ContentFilter);
        self.ends_well("stopped", Ending::Stopped);
    }

    /// A policy failed while it inspected the answer. It says nothing against the target.
    pub fn withheld(&mut self) {
        if self.begun {
            self.house.metrics.ended("withheld", &self.target.name);
        }
        self.close(Ending::Withheld);
    }

    fn ends_well(&mut self, outcome: &'static str, ended: Ending) {
        let total = self.began.elapsed();
        let name = &self.target.name;
        self.gauge.succeeded(self.first, total);
        let usage = self.usage.unwrap_or_default();
        self.house.metrics.answered(name, self.first, total, usage, self.restored);
        self.house.metrics.ended(outcome, name);
        self.house.answered(std::mem::take(&mut self.conversation), name);
        self.close(ended);
    }

    /// The target failed.
    pub fn failed(&mut self, failure: &Failure) {
        self.status = failure.status;
        self.house.metrics.failed(&self.target.name, failure);
        // A full queue and a request that does not fit say nothing against the target.
        use FailureKind::{Full, Rejected, TooLong};
        if !matches!(failure.kind, Full | Rejected | TooLong) {
            self.gauge.failed();
        }
        if self.begun {
            self.house.metrics.ended("cut", &self.target.name);
            self.close(Ending::Cut { failure: failure.kind });
        } else {
            self.close(Ending::Failed { failure: failure.kind });
        }
    }

    fn close(&mut self, ended: Ending) {
        if !std::mem::replace(&mut self.open, false) {
            return;
        }
        self.settle(ended);
        let record = Record::Outcome(Outcome {
            decision: Word::from(&self.decision),
            attempt: self.attempt,
            ended,
            finish_reason: self.finish,
            usage: self.usage,
            first_byte_ms: self.first.map(milliseconds),
            total_ms: milliseconds(self.began.elapsed()),
            status: self.status,
            restored: self.restored,
            altered: self.altered,
            inspected: std::mem::take(&mut self.inspected),
        });
        // Nobody waits for it: a failure shows at the next departure, which does not leave.
        if let Err(error) = self.house.ledger.note(record) {
            tracing::error!(%error, "an outcome was not written to the ledger");
        }
    }
}

impl Account {
    /// What was used counts against the limits. A target that failed before it said a word
    /// is not paid for; of one that does not tell, what was read and written is estimated.
    fn settle(&mut self, ended: Ending) {
        let Some(hold) = self.hold.take() else { return };
        let is_free = matches!(ended, Ending::Failed { .. }) && self.bytes == 0;
        let is_whole = matches!(ended, Ending::Complete);
        let estimated = || Usage {
            input: self.input_tokens,
            output: u32::try_from(self.bytes / BYTES_PER_TOKEN).unwrap_or(u32::MAX),
            ..Usage::default()
        };
        let used = match self.usage {
            None if is_free => return,
            None => estimated(),
            Some(usage) if is_whole => usage,
            // What was told before the answer broke off says little of what was written.
            Some(usage) => Usage { output: usage.output.max(estimated().output), ..usage },
        };
        hold.settle(used, &self.target, house::seconds());
    }
}

/// Of English, about; other languages have fewer.
const BYTES_PER_TOKEN: usize = 4;

impl Drop for Account {
    fn drop(&mut self) {
        if self.open {
            self.house.metrics.ended("cancelled", &self.target.name);
            self.close(Ending::Cancelled);
        }
    }
}

fn inspected(seen: &Seen) -> Inspected {
    Inspected {
        policy: Word::from(&seen.policy),
        digest: seen.digest,
        mode: Word::from(seen.mode.name()),
        windows: seen.windows,
        cuts: seen.cuts,
        stopped: seen.stopped.as_ref().map(Word::from),
        failure: seen.failed,
        microseconds: u64::try_from(seen.spent.as_micros()).unwrap_or(u64::MAX),
    }
}

/// Bytes that a model wrote.
fn written(event: &Event) -> usize {
    match event {
        Event::Text { text, .. } => text.len(),
        Event::ToolCall { arguments, .. } => arguments.len(),
        _ => 0,
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
