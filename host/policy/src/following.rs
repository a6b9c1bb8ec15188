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

use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    /// What each open choice has begun to say, in order.
    open: BTreeMap<u32, Vec<Strand>>,
    /// Choices that are over.
    over: BTreeSet<u32>,
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

/// What is new of a strand.
struct Piece {
    strand: Strand,
    passage: Passage,
    /// True when a tool call begins with it.
    opens: bool,
    /// True when its stretch ends with it.
    last: bool,
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
                    if self.over.insert(*choice) {
                        out.push(event.clone());
                    }
                    continue;
                }
                // A vector has no text that anybody could inspect.
                Event::Pause { .. } | Event::Usage(_) | Event::Vector { .. } => {
                    out.push(event.clone());
                    continue;
                }
                // The target's own words, which nobody inspects; the envelope has others.
                Event::Start { .. } => {
                    out.push(Event::Start { id: None, model: None });
                    continue;
                }
            };
            let Some(strand) = Strand::of(event) else { continue };
            let mut opens = false;
            if let Event::ToolCall { name: Some(name), .. } = event {
                self.tools.insert(strand, name.clone());
                opens = true;
            }
            // What says nothing begins nothing, and what comes behind the end of its
            // choice would be put together with what was let go.
            if (text.is_empty() && !opens) || self.over.contains(&choice) {
                continue;
            }
            let open = self.open.entry(choice).or_default();
            if !open.contains(&strand) {
                open.push(strand);
            }
            let rest = &chunk.events[index + 1..];
            let last = !goes_on(strand, rest) && (whole || finishes(choice, rest));
            if last {
                open.retain(|open| *open != strand);
            }
            let spans = spans.iter().filter(|(of, _)| *of == index).map(|(_, span)| span.clone());
            let passage = Passage { text: text.clone(), restored: spans.collect() };
            let piece = Piece { strand, passage, opens, last };
            let passed = self.inspect(piece, target, readable).await?;
            out.extend(with(event, passed.text));
        }
        Ok(())
    }

    /// Ends what a choice says: clients put together whatever comes of one kind, so that
    /// nothing is let go for good before.
    async fn close(
        &mut self,
        choice: u32,
        target: &str,
        readable: &Readable<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), Halt> {
        for strand in self.open.remove(&choice).unwrap_or_default() {
            let piece = Piece { strand, passage: Passage::default(), opens: false, last: true };
            let passed = self.inspect(piece, target, readable).await?;
            out.extend(strand.event(passed.text));
        }
        Ok(())
    }

    /// Shows every policy in turn what the one before it let go.
    async fn inspect(
        &mut self,
        piece: Piece,
        target: &str,
        readable: &Readable<'_>,
    ) -> Result<Passage, Halt> {
        let Piece { strand, mut passage, opens, last } = piece;
        let tool = self.tools.get(&strand).map(String::as_str);
        for follower in &mut self.followers {
            let pane = Pane { strand, tool, passage: &passage, target, opens, last };
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
        if open.is_empty() && self.over.is_empty() {
            open.push(0);
        }
        let finish = |choice| Event::Finish { choice, reason: FinishReason::ContentFilter };
        out.extend(open.into_iter().map(finish));
        out.extend(usage);
    }
}

/// Whether some of these events go on with a strand.
fn goes_on(strand: Strand, events: &[Event]) -> bool {
    events.iter().any(|event| Strand::of(event) == Some(strand))
}

/// Whether a choice ends with one of these events.
fn finishes(choice: u32, events: &[Event]) -> bool {
    events.iter().any(|event| matches!(event, Event::Finish { choice: of, .. } if *of == choice))
}

/// The event with another text; nothing when it says nothing any more.
fn with(event: &Event, text: String) -> Option<Event> {
    match event {
        Event::Text { .. } => Strand::of(event)?.event(text),
        Event::ToolCall { choice, index, name: None, .. } => {
            Strand::Arguments(*choice, *index).event(text)
        }
        // The id is the target's own word, which nobody inspects; the encoder makes one.
        Event::ToolCall { choice, index, name, .. } => Some(Event::ToolCall {
            choice: *choice,
            index: *index,
            id: None,
            name: name.clone(),
            arguments: text,
            place: None,
        }),
        _ => None,
    }
}
