//! Texts of an answer that belong together.

use ringfence_chat::{Event, TextKind};

/// Texts of an answer that belong together: what is held of one never joins another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Strand {
    /// Text of one kind, of one choice.
    Text(u32, TextKind),
    /// Arguments of one tool call of one choice.
    Arguments(u32, u32),
}

impl Strand {
    /// The strand that an event goes on with, if it is text.
    ///
    /// Signed reasoning is reasoning: its signature does not go out with an inspected
    /// answer, and clients put both together.
    pub(crate) fn of(event: &Event) -> Option<Strand> {
        match event {
            Event::Text { choice, kind: TextKind::SignedReasoning, .. } => {
                Some(Strand::Text(*choice, TextKind::Reasoning))
            }
            Event::Text { choice, kind, .. } => Some(Strand::Text(*choice, *kind)),
            Event::ToolCall { choice, index, .. } => Some(Strand::Arguments(*choice, *index)),
            _ => None,
        }
    }

    /// An event that goes on with it; none when there is nothing to say.
    pub(crate) fn event(self, text: String) -> Option<Event> {
        if text.is_empty() {
            return None;
        }
        Some(match self {
            Strand::Text(choice, kind) => Event::Text { choice, kind, text, place: None },
            Strand::Arguments(choice, index) => Event::ToolCall {
                choice,
                index,
                id: None,
                name: None,
                arguments: text,
                place: None,
            },
        })
    }
}
