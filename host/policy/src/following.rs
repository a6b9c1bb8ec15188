//! An answer on its way to the client, and the policies that inspect it.
//!
//! Each policy that exports `response` keeps the instance that judged the request. The
//! answer passes through them in the chain's order: what the first lets go is what the
//! second sees. Nothing that was not shown to them goes on, so the JSON that an answer
//! came in does not: fields that nobody inspects could carry what was cut.
//!
//! What is held is bounded for each policy: [`TAIL_BYTES`] and the word that they begin
//! in for one that works from findings, what it asked for up to [`HOLD_BYTES`], and
//! never more than [`HELD_BYTES`].

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use ringfence_chat::{Chunk, Event, FinishReason};
use ringfence_fence::{Finding, PolicyFailure};

pub(crate) use self::cut::Cut;
pub use self::follower::Seen;
pub(crate) use self::follower::{Follower, Live, Passed};
pub(crate) use self::lane::Wish;
pub use self::lane::{HELD_BYTES, HOLD_BYTES, Passage, TAIL_BYTES, WORD_BYTES};
pub(crate) use self::strand::Strand;
use crate::contract::response::Pane;

mod cut;
mod follower;
mod lane;
mod strand;

/// What the detectors find in a text; `None` when they could not read all of it.
pub type Readable<'a> = dyn Fn(&str) -> Option<Vec<Finding>> + Send + Sync + 'a;

/// The policies of a chain that inspect one answer.
#[derive(Default)]
pub struct Following {
    followers: Vec<Follower>,
    /// The stretch that each open choice is in; none between two.
    open: BTreeMap<u32, Option<Strand>>,
    tools: HashMap<Strand, String>,
}

/// A chunk on its way to the client.
pub struct Restored {
    /// The chunk.
    pub chunk: Chunk,
    /// Spans of its events' texts that were placeholders, by the event's index.
    pub spans: Vec<(usize, Range<usize>)>,
}

/// What comes of a chunk.
#[derive(Debug)]
pub enum Followed {
    /// This goes to the client.
    On(Chunk),
    /// A policy ended the answer: this is the last that goes to the client.
    Stopped(Chunk),
}

/// A policy failed while it inspected an answer. What was held back is gone, and nothing
/// more goes to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfollowed {
    /// The policy's name.
    pub policy: String,
    /// How.
    pub failure: PolicyFailure,
}

/// Why nothing goes on.
enum Halt {
    Stopped,
    Failed(Unfollowed),
}

impl Following {
    pub(crate) fn of(followers: Vec<Follower>) -> Following {
        Following { followers, ..Following::default() }
    }

    /// True when no policy inspects.
    pub fn is_empty(&self) -> bool {
        self.followers.is_empty()
    }

    /// Whether what it inspects differs from what came: some policy protects.
    pub fn protects(&self) -> bool {
        self.followers.iter().any(Follower::counts)
    }

    /// What each policy did so far.
    pub fn seen(&self) -> impl Iterator<Item = &Seen> {
        self.followers.iter().map(Follower::seen)
    }

    /// Shows the policies one chunk of the answer that `target` gives.
    ///
    /// # Errors
    /// [`Unfollowed`]: a policy failed, and the answer ends there.
    pub async fn chunk(
        &mut self,
        restored: Restored,
        target: &str,
        readable: &Readable<'_>,
    ) -> Result<Followed, Unfollowed> {
        if self.is_empty() {
            return Ok(Followed::On(restored.chunk));
        }
        let protects = self.protects();
        let untouched = (!protects).then(|| restored.chunk.clone());
        let mut out = Vec::with_capacity(restored.chunk.events.len() + 1);
        let walked = self.walk(&restored, target, readable, &mut out).await;
        match (walked, untouched) {
            (_, Some(chunk)) => Ok(Followed::On(chunk)),
            (Ok(()), None) => Ok(Followed::On(Chunk::made(out))),
            (Err(Halt::Failed(failed)), None) => Err(failed),
            (Err(Halt::Stopped), None) => {
                let usage = restored.chunk.events.iter().rfind(|e| matches!(e, Event::Usage(_)));
                self.stop(&mut out, usage.cloned());
                Ok(Followed::Stopped(Chunk::made(out)))
            }
        }
    }

    /// The answer is over: shows what is held of stretches that nothing ended.
    ///
    /// # Errors
    /// [`Unfollowed`].
    pub async fn end(
        &mut self,
        target: &str,
        readable: &Readable<'_>,
    ) -> Result<Followed, Unfollowed> {
        let mut out = Vec::new();
        let choices: Vec<u32> = self.open.keys().copied().collect();
        for choice in choices {
            match self.close(choice, target, readable, &mut out).await {
                Ok(()) => {}
                Err(Halt::Failed(failed)) => return Err(failed),
                Err(Halt::Stopped) => {
                    self.stop(&mut out, None);
                    return Ok(Followed::Stopped(Chunk::made(out)));
                }
            }
        }
        if !self.protects() {
            out.clear();
        }
        Ok(Followed::On(Chunk::made(out)))
    }

    async fn walk(
        &mut self,
        restored: &Restored,
        target: &str,
        readable: &Readable<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), Halt> {
        let Restored { chunk, spans } = restored;
        let whole = chunk.original.as_ref().is_some_and(|original| original.whole);
        for (index, event) in chunk.events.iter().enumerate() {
            let (choice, text) = match event {
                Event::Text { choice, text, .. } => (*choice, text),
                Event::ToolCall { choice, arguments, .. } => (*choice, arguments),
                Event::Finish { choice, .. } => {
                    self.close(*choice, target, readable, out).await?;
                    self.open.remove(choice);
                    out.push(event.clone());
                    continue;
                }
                Event::Pause { choice } => {
                    self.close(*choice, target, readable, out).await?;
                    out.push(event.clone());
                    continue;
                }
                Event::Start { .. } | Event::Usage(_) => {
                    out.push(event.clone());
                    continue;
                }
            };
            let Some(strand) = Strand::of(event) else { continue };
            if self.open.get(&choice).copied().flatten().is_some_and(|open| open != strand) {
                self.close(choice, target, readable, out).await?;
            }
            if let Event::ToolCall { name: Some(name), .. } = event {
                self.tools.insert(strand, name.clone());
            }
            let last = match next_of(choice, &chunk.events[index + 1..]) {
                Some(next) => Strand::of(next) != Some(strand),
                None => whole,
            };
            self.open.insert(choice, (!last).then_some(strand));
            let spans = spans.iter().filter(|(of, _)| *of == index).map(|(_, span)| span.clone());
            let passage = Passage { text: text.clone(), restored: spans.collect() };
            let passed = self.inspect(strand, passage, target, last, readable).await?;
            out.extend(with(event, passed.text));
        }
        Ok(())
    }

    /// Ends the stretch that a choice is in, if it is in one.
    async fn close(
        &mut self,
        choice: u32,
        target: &str,
        readable: &Readable<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), Halt> {
        let Some(strand) = self.open.insert(choice, None).flatten() else { return Ok(()) };
        let passed = self.inspect(strand, Passage::default(), target, true, readable).await?;
        out.extend(strand.event(passed.text));
        Ok(())
    }

    /// Shows every policy in turn what the one before it let go.
    async fn inspect(
        &mut self,
        strand: Strand,
        mut passage: Passage,
        target: &str,
        last: bool,
        readable: &Readable<'_>,
    ) -> Result<Passage, Halt> {
        let tool = self.tools.get(&strand).map(String::as_str);
        for follower in &mut self.followers {
            let pane = Pane { strand, tool, passage: &passage, target, last };
            passage = match follower.pass(pane, readable).await {
                Ok(Passed::On(passage)) => passage,
                Ok(Passed::Stop) => return Err(Halt::Stopped),
                Err(failure) => {
                    let policy = follower.seen().policy.clone();
                    return Err(Halt::Failed(Unfollowed { policy, failure }));
                }
            };
        }
        Ok(passage)
    }

    /// Every choice that is open ends as a content filter ends it.
    fn stop(&mut self, out: &mut Vec<Event>, usage: Option<Event>) {
        let mut open: Vec<u32> = std::mem::take(&mut self.open).into_keys().collect();
        if open.is_empty() {
            open.push(0);
        }
        let finish = |choice| Event::Finish { choice, reason: FinishReason::ContentFilter };
        out.extend(open.into_iter().map(finish));
        out.extend(usage);
    }
}

/// The next event that says something of a choice.
fn next_of(choice: u32, events: &[Event]) -> Option<&Event> {
    events.iter().find(|event| match event {
        Event::Finish { choice: of, .. } | Event::Pause { choice: of } => *of == choice,
        _ => Strand::of(event).is_some_and(|strand| strand.choice() == choice),
    })
}

/// The event with another text; nothing when it says nothing any more.
fn with(event: &Event, text: String) -> Option<Event> {
    match event {
        Event::Text { choice, kind, .. } => Strand::Text(*choice, *kind).event(text),
        Event::ToolCall { choice, index, id: None, name: None, .. } => {
            Strand::Arguments(*choice, *index).event(text)
        }
        Event::ToolCall { choice, index, id, name, .. } => Some(Event::ToolCall {
            choice: *choice,
            index: *index,
            id: id.clone(),
            name: name.clone(),
            arguments: text,
            place: None,
        }),
        _ => None,
    }
}
