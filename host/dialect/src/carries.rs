//! What a dialect has words for.

use ringfence_chat::{Capability, Dialect};

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

/// What a target of `target` carries for clients of every dialect that is served: the
/// default for a target's entry.
///
/// [`Capability::HostedTools`] is never among the defaults, although OpenAI's dialect
/// has words for it: a tool that the provider runs reaches out of the fence, so the
/// operator has to say that a target may.
pub fn carries(target: Dialect) -> Carries {
    match target {
        Dialect::OpenAiChat => Carries { capabilities: &SAME_BUT_HOSTED, honours: None },
        Dialect::AnthropicMessages => carries_from(Dialect::OpenAiChat, target),
    }
}

/// What a request in `client`'s dialect can take along to a target of `target`.
pub fn carries_from(client: Dialect, target: Dialect) -> Carries {
    match (client, target) {
        (Dialect::OpenAiChat, Dialect::OpenAiChat)
        | (Dialect::AnthropicMessages, Dialect::AnthropicMessages) => {
            Carries { capabilities: &Capability::ALL, honours: None }
        }
        (Dialect::OpenAiChat, Dialect::AnthropicMessages) => Carries {
            capabilities: &[Capability::Tools, Capability::Images, Capability::Files],
            honours: Some(&["cache_control", "parallel_tool_calls"]),
        },
        (Dialect::AnthropicMessages, Dialect::OpenAiChat) => {
            Carries { capabilities: &[], honours: Some(&[]) }
        }
    }
}

/// Everything that a dialect can say, but tools that the provider runs.
const SAME_BUT_HOSTED: [Capability; 10] = [
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
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosted_tools_are_never_a_default() {
        for dialect in [Dialect::OpenAiChat, Dialect::AnthropicMessages] {
            assert!(!carries(dialect).capabilities.contains(&Capability::HostedTools));
        }
        assert_eq!(SAME_BUT_HOSTED.len(), Capability::ALL.len() - 1);
    }
}
