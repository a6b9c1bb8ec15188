//! What an answer passes through before it is encoded: placeholders become originals,
//! policies inspect it, and the account keeps the books of it.

use std::sync::Arc;

use ringfence_chat::{Chunk, SegmentId};
use ringfence_detect::Detector;
use ringfence_fence::{Failure, Finding};
use ringfence_policy::{Followed, Following, Restored, Unfollowed};

use crate::account::Account;
use crate::masking::Restorer;

/// What an answer passes through. However it ends, its account is closed once.
pub struct Passing {
    detector: Arc<Detector>,
    restorer: Option<Restorer>,
    following: Following,
    target: String,
    account: Account,
}

/// Whether an answer goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    On,
    /// A policy ended it: what came out is its end.
    Stopped,
}

impl Passing {
    /// For one answer of the account's target.
    pub fn new(
        detector: &Arc<Detector>,
        restorer: Option<Restorer>,
        following: Following,
        target: &str,
        account: Account,
    ) -> Passing {
        let (detector, target) = (Arc::clone(detector), target.to_owned());
        Passing { detector, restorer, following, target, account }
    }

    /// A chunk came from the target.
    pub fn saw(&mut self, chunk: &Chunk) {
        self.account.saw(chunk);
    }

    /// From now on the client may see something.
    pub fn begins(&mut self) {
        self.account.begins();
    }

    /// Lets one chunk through. What comes out is what the client may have.
    ///
    /// # Errors
    /// [`Unfollowed`]: a policy failed, and nothing more may go out.
    pub async fn chunk(&mut self, chunk: Chunk, out: &mut Vec<Chunk>) -> Result<Flow, Unfollowed> {
        let mut restored = Vec::with_capacity(1);
        match &mut self.restorer {
            Some(restorer) => restorer.chunk(chunk, &mut restored),
            None => restored.push(Restored { chunk, spans: Vec::new() }),
        }
        for restored in restored {
            let readable = |text: &str| read(&self.detector, text);
            match self.following.chunk(restored, &self.target, &readable).await? {
                Followed::On(chunk) => out.push(chunk),
                Followed::Stopped(chunk) => {
                    out.push(chunk);
                    return Ok(Flow::Stopped);
                }
            }
        }
        Ok(Flow::On)
    }

    /// The target said all of it: what is still held comes out.
    ///
    /// # Errors
    /// [`Unfollowed`].
    pub async fn rest(&mut self, out: &mut Vec<Chunk>) -> Result<Flow, Unfollowed> {
        if self.following.is_empty() {
            return Ok(Flow::On);
        }
        let readable = |text: &str| read(&self.detector, text);
        let (flow, chunk) = match self.following.end(&self.target, &readable).await? {
            Followed::On(chunk) => (Flow::On, chunk),
            Followed::Stopped(chunk) => (Flow::Stopped, chunk),
        };
        if !chunk.events.is_empty() {
            out.push(chunk);
        }
        Ok(flow)
    }

    /// It went to the client to its end.
    pub fn ended(&mut self, flow: Flow) {
        self.count();
        match flow {
            Flow::On => self.account.completed(),
            Flow::Stopped => self.account.stopped(),
        }
    }

    /// The target broke it off.
    pub fn broke_off(&mut self, failure: &Failure) {
        self.count();
        self.account.failed(failure);
    }

    /// A policy failed on it.
    pub fn withheld(&mut self) {
        self.count();
        self.account.withheld();
    }

    fn count(&mut self) {
        if let Some(restorer) = &self.restorer {
            self.account.restored(restorer.restored(), restorer.altered());
        }
        // Their instances go back before the books are closed.
        let following = std::mem::take(&mut self.following);
        if !following.is_empty() {
            self.account.inspected(&following);
        }
    }
}

/// A client that leaves ends an answer too.
impl Drop for Passing {
    fn drop(&mut self) {
        self.count();
    }
}

/// What the detectors find in a text; nothing when they could not read it to its end.
fn read(detector: &Detector, text: &str) -> Option<Vec<Finding>> {
    let (spans, complete) = detector.examine(text);
    let offset = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    let found = spans.into_iter().map(|span| Finding {
        segment: SegmentId(0),
        start: offset(span.start),
        end: offset(span.end),
        entity: span.entity.to_owned().into(),
        score: span.score,
    });
    complete.then(|| found.collect())
}
