//! Placeholders on the way back: what a departure hid, the client gets as it was.
//!
//! A [`Restorer`] lives as long as one answer. It holds back at most the longest
//! suffix that is a proper prefix of a live placeholder, and what it holds is less
//! than the longest placeholder of this request.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, MatchKind};
use ringfence_chat::{Chunk, Dialect, Event, TextKind};
use ringfence_fence::Hidden;
use ringfence_policy::Restored;

/// Puts originals in the place of placeholders, in whole and in streamed answers.
pub struct Restorer {
    placeholders: Vec<String>,
    /// The bytes that they begin with: mostly a bracket.
    firsts: Vec<u8>,
    /// Bytes of the longest one.
    longest: usize,
    originals: Vec<String>,
    /// The originals as they stand inside a JSON string.
    escaped: Vec<String>,
    /// How placeholders of this request's entities begin.
    openings: Vec<String>,
    /// Made for the first text that can hold a placeholder: most answers have none.
    automata: OnceLock<Option<Automata>>,
    /// True when the answer's text is itself JSON.
    json_answer: bool,
    /// The client's.
    dialect: Dialect,
    held: HashMap<Lane, String>,
    restored: u32,
    altered: u32,
}

/// What finds placeholders.
struct Automata {
    placeholders: AhoCorasick,
    /// Their openings, in any case.
    openings: AhoCorasick,
}

/// Texts that belong together: what is held of one never joins another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Lane {
    Text(u32, TextKind),
    Arguments(u32, u32),
}

impl Restorer {
    /// A restorer for what one departure hid; `None` when there is nothing to restore.
    ///
    /// `json_answer` says that the client asked for JSON, so that an original with a
    /// quote in it must not break it. In the client's own `dialect` reasoning that its
    /// issuer signs stays as it is: with another text the issuer would not take it back.
    pub fn new(hidden: &[Hidden], json_answer: bool, dialect: Dialect) -> Option<Restorer> {
        let restorable: Vec<&Hidden> = hidden.iter().filter(|one| one.restorable).collect();
        if restorable.is_empty() {
            return None;
        }
        let placeholders: Vec<String> =
            restorable.iter().map(|one| one.placeholder.clone()).collect();
        let mut firsts: Vec<u8> =
            placeholders.iter().filter_map(|placeholder| placeholder.bytes().next()).collect();
        firsts.sort_unstable();
        firsts.dedup();
        Some(Restorer {
            firsts,
            openings: restorable.iter().map(|one| format!("[{}_", one.entity)).collect(),
            automata: OnceLock::new(),
            originals: restorable.iter().map(|one| one.original.clone()).collect(),
            escaped: restorable.iter().map(|one| escape(&one.original)).collect(),
            longest: placeholders.iter().map(String::len).max().unwrap_or(0),
            placeholders,
            json_answer,
            dialect,
            held: HashMap::new(),
            restored: 0,
            altered: 0,
        })
    }

    /// How many placeholders were restored so far.
    pub fn restored(&self) -> u32 {
        self.restored
    }

    /// How many were left because the model altered them.
    pub fn altered(&self) -> u32 {
        self.altered
    }

    /// Restores one chunk. What was held of a choice that ends here, or of which a block
    /// does, comes in a chunk of its own before it.
    pub fn chunk(&mut self, mut chunk: Chunk, out: &mut Vec<Restored>) {
        let original = chunk.original.as_ref();
        let whole = original.is_some_and(|original| original.whole);
        let same = original.is_some_and(|original| original.dialect == self.dialect);
        let ending: Vec<u32> = (chunk.events.iter())
            .filter_map(|event| match event {
                Event::Finish { choice, .. } | Event::Pause { choice } => Some(*choice),
                _ => None,
            })
            .collect();
        // A text that comes in the same chunk as its choice's end has nothing to wait for.
        let last_of: HashMap<Lane, usize> = (chunk.events.iter().enumerate())
            .filter_map(|(index, event)| Some((lane(event)?, index)))
            .filter(|(lane, _)| ending.contains(&lane.choice()))
            .collect();
        let flushed: Vec<Event> = (self.held.keys().copied().collect::<Vec<_>>().into_iter())
            .filter(|lane| ending.contains(&lane.choice()) && !last_of.contains_key(lane))
            .filter_map(|lane| self.flush(lane))
            .collect();
        let mut spans = Vec::new();
        for (index, event) in chunk.events.iter_mut().enumerate() {
            let Some(lane) = lane(event) else { continue };
            let last = whole || last_of.get(&lane) == Some(&index);
            if same && matches!(lane, Lane::Text(_, TextKind::SignedReasoning)) {
                continue;
            }
            let (Event::Text { text, .. } | Event::ToolCall { arguments: text, .. }) = event else {
                continue;
            };
            let mut restored = Vec::new();
            *text = self.restore(lane, text, last, &mut restored);
            spans.extend(restored.into_iter().map(|span| (index, span)));
        }
        if !flushed.is_empty() {
            out.push(Restored { chunk: Chunk::made(flushed), spans: Vec::new() });
        }
        out.push(Restored { chunk, spans });
    }

    fn flush(&mut self, lane: Lane) -> Option<Event> {
        let text = self.held.remove(&lane).filter(|text| !text.is_empty())?;
        Some(match lane {
            Lane::Text(choice, kind) => Event::Text { choice, kind, text, place: None },
            Lane::Arguments(choice, index) => Event::ToolCall {
                choice,
                index,
                id: None,
                name: None,
                arguments: text,
                place: None,
            },
        })
    }

    /// The text to let go, and the `spans` of it that are originals.
    fn restore(
        &mut self,
        lane: Lane,
        new: &str,
        last: bool,
        spans: &mut Vec<Range<usize>>,
    ) -> String {
        let mut text = self.held.remove(&lane).unwrap_or_default();
        text.push_str(new);
        if !text.bytes().any(|byte| self.firsts.contains(&byte)) {
            return text;
        }
        let made = || Automata::of(&self.placeholders, &self.openings);
        let Some(automata) = self.automata.get_or_init(made) else { return text };
        let escaped = match lane {
            Lane::Arguments(..) => true,
            Lane::Text(_, kind) => self.json_answer && kind == TextKind::Answer,
        };
        let originals = if escaped { &self.escaped } else { &self.originals };
        let mut restored = String::with_capacity(text.len());
        let mut from = 0;
        for found in automata.placeholders.find_iter(&text) {
            self.altered += count(&automata.openings, &text[from..found.start()]);
            restored.push_str(&text[from..found.start()]);
            let begins = restored.len();
            restored.push_str(&originals[found.pattern().as_usize()]);
            spans.push(begins..restored.len());
            from = found.end();
            self.restored += 1;
        }
        // What was just restored is not searched again, so it cannot begin a placeholder.
        let rest = &text[from..];
        let held = if last { 0 } else { self.begun(rest) };
        self.altered += count(&automata.openings, &rest[..rest.len() - held]);
        restored.push_str(&rest[..rest.len() - held]);
        if held > 0 {
            self.held.insert(lane, rest[rest.len() - held..].to_owned());
        }
        restored
    }

    /// Length of the longest suffix of `text` that is a proper prefix of a placeholder.
    fn begun(&self, text: &str) -> usize {
        let window = text.len().saturating_sub(self.longest.saturating_sub(1));
        // Placeholders are ASCII: every candidate begins with a byte that one begins with.
        (text.as_bytes()[window..].iter().enumerate())
            .filter(|(_, byte)| self.firsts.contains(byte))
            .map(|(offset, _)| &text.as_bytes()[window + offset..])
            .find(|suffix| {
                self.placeholders.iter().any(|placeholder| {
                    placeholder.len() > suffix.len() && placeholder.as_bytes().starts_with(suffix)
                })
            })
            .map_or(0, <[u8]>::len)
    }
}

impl Automata {
    /// `None` past the automata's own bounds: what cannot be found stays as it is.
    fn of(placeholders: &[String], openings: &[String]) -> Option<Automata> {
        Some(Automata {
            placeholders: sparse()
                .match_kind(MatchKind::LeftmostLongest)
                .build(placeholders)
                .ok()?,
            openings: sparse().ascii_case_insensitive(true).build(openings).ok()?,
        })
    }
}

impl Lane {
    fn choice(self) -> u32 {
        match self {
            Lane::Text(choice, _) | Lane::Arguments(choice, _) => choice,
        }
    }
}

/// For automata that live as long as one answer: building one with a prefilter or with
/// dense states costs many times what it saves.
fn sparse() -> AhoCorasickBuilder {
    let mut builder = AhoCorasick::builder();
    builder.kind(Some(AhoCorasickKind::NoncontiguousNFA)).dense_depth(0).prefilter(false);
    builder
}

fn lane(event: &Event) -> Option<Lane> {
    match event {
        Event::Text { choice, kind, .. } => Some(Lane::Text(*choice, *kind)),
        Event::ToolCall { choice, index, .. } => Some(Lane::Arguments(*choice, *index)),
        _ => None,
    }
}

fn count(automaton: &AhoCorasick, text: &str) -> u32 {
    u32::try_from(automaton.find_iter(text).count()).unwrap_or(u32::MAX)
}

/// The text as it stands between the quotes of a JSON string.
fn escape(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests;
