//! What a dialect has words for.

use ringfence_chat::{Capability, Dialect};

use crate::{anthropic, openai_chat, spoken};

/// What a request may ask of a target of some dialect.
///
/// This is the most that a target can do; a target's own entry may say less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carries {
    /// Needs that the dialect can express.
    pub capabilities: &'static [Capability],
    /// Optional parameters that it can express; `None` means all of them.
    pub honours: Option<&'static [&'static str]>,
}

/// What a target of `target` carries unless its entry says otherwise: everything that
/// its dialect has words for, so that a client of the same dialect loses nothing. A
/// request of another dialect takes along at most what [`carries_from`] says.
///
/// [`Capability::HostedTools`] is never among the defaults, although dialects have
/// words for it: a tool that the provider runs reaches out of the fence, so the
/// operator has to say that a target may.
pub fn carries(target: Dialect) -> Carries {
    let capabilities: &[Capability] = match target {
        Dialect::OpenAiChat => &OPENAI_CHAT,
        Dialect::AnthropicMessages => &ANTHROPIC,
        Dialect::OpenAiEmbeddings => &EMBEDDINGS,
        Dialect::OpenAiResponses => &[],
    };
    Carries { capabilities, honours: None }
}

/// What a request in `client`'s dialect can take along to a target of `target`: all that
/// the dialect has words for when it is the same, and what the house's own view of a
/// request holds when it is another.
pub fn carries_from(client: Dialect, target: Dialect) -> Carries {
    match spoken(client, target) {
        same if same == client => Carries { capabilities: own(same), honours: None },
        Dialect::OpenAiChat => openai_chat::TRANSLATED,
        Dialect::AnthropicMessages => anthropic::TRANSLATED,
        // Nobody but its own clients speaks it.
        Dialect::OpenAiEmbeddings | Dialect::OpenAiResponses => {
            Carries { capabilities: &[], honours: Some(&[]) }
        }
    }
}

/// Everything that a dialect can say, and tools that the provider runs last.
fn own(dialect: Dialect) -> &'static [Capability] {
    match dialect {
        Dialect::OpenAiChat => &Capability::ALL,
        Dialect::AnthropicMessages => &ANTHROPIC_AND_HOSTED,
        Dialect::OpenAiEmbeddings => &EMBEDDINGS,
        Dialect::OpenAiResponses => &[],
    }
}

const EMBEDDINGS: [Capability; 1] = [Capability::Embeddings];

const OPENAI_CHAT: [Capability; 11] = [
    Capability::Tools,
    Capability::Images,
    Capability::Audio,
    Capability::Files,
    Capability::JsonObject,
    Capability::JsonSchema,
    Capability::Logprobs,
    Capability::Choices,
    Capability::LogitBias,
    Capability::UnknownContent,
    Capability::Embeddings,
];

const ANTHROPIC: [Capability; 5] = [
    Capability::Tools,
    Capability::Images,
    Capability::Files,
    Capability::JsonSchema,
    Capability::UnknownContent,
];

const ANTHROPIC_AND_HOSTED: [Capability; 6] = [
    Capability::Tools,
    Capability::Images,
    Capability::Files,
    Capability::JsonSchema,
    Capability::HostedTools,
    Capability::UnknownContent,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosted_tools_are_never_a_default_and_can_always_be_allowed() {
        for dialect in Dialect::TARGETS {
            let usual = carries(dialect).capabilities;
            let all = carries_from(dialect, dialect).capabilities;
            assert!(!usual.contains(&Capability::HostedTools));
            assert!(all.contains(&Capability::HostedTools));
            assert_eq!(usual.len() + 1, all.len());
            assert!(usual.iter().all(|one| all.contains(one)));
        }
    }

    /// What is not in the house's own view of a request is never said to be carried.
    #[test]
    fn across_dialects_nothing_is_carried_that_only_one_has_words_for() {
        for client in Dialect::ALL {
            for target in Dialect::TARGETS {
                if spoken(client, target) == client {
                    continue;
                }
                let Carries { capabilities, honours } = carries_from(client, target);
                for own in [Capability::HostedTools, Capability::UnknownContent] {
                    assert!(!capabilities.contains(&own), "{own:?}");
                }
                assert!(honours.is_some());
            }
        }
    }
}
