//! What a request turns out to ask for.

use std::collections::BTreeSet;

use ringfence_chat::{AnswerForm, CacheMark, Capability, Request, SegmentId, ToolChoice};
use serde_json::Value;

use crate::cache_control::keep;

/// What a request turned out to ask for, gathered while it is read.
#[derive(Default)]
pub(crate) struct Asked {
    /// What a target must be able to do.
    pub needs: BTreeSet<Capability>,
    /// Parameters that a target may ignore.
    pub optional: BTreeSet<String>,
    /// Which tools the model may call.
    pub choice: Option<ToolChoice>,
    /// Whether it may call several at once.
    pub parallel: Option<bool>,
    /// The form that the answer must have.
    pub form: Option<AnswerForm>,
    /// Marks for the provider's prompt cache.
    pub marks: Vec<CacheMark>,
    /// Segments that nobody may change.
    pub sealed: Vec<SegmentId>,
}

impl Asked {
    /// A target must be able to do this.
    pub fn need(&mut self, capability: Capability) {
        self.needs.insert(capability);
    }

    /// A target may ignore the parameter `name`. A name that is not fit for a header,
    /// or that is as long as a text, counts as `unknown`.
    pub fn may_ignore(&mut self, name: &str) {
        self.optional.insert(header_name(name));
    }

    /// Notes the mark for the prompt cache that the part of segment `on` bears.
    pub fn mark(&mut self, on: SegmentId, mark: Option<&Value>) {
        self.marks.extend(keep(mark).map(|keep| CacheMark { on, keep }));
    }

    /// Puts what was gathered into the request.
    pub fn into_request(self, request: &mut Request) {
        request.needs = self.needs.into_iter().collect();
        request.optional = self.optional.into_iter().collect();
        request.tool_choice = self.choice;
        request.parallel_tool_calls = self.parallel;
        request.form = self.form;
        request.cache_marks = self.marks;
        request.seal(self.sealed);
    }
}

/// The name of a parameter as it may stand in a header.
pub(crate) fn header_name(name: &str) -> String {
    let fits = !name.is_empty()
        && name.len() <= NAME_BYTES
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    if fits { name.to_owned() } else { "unknown".to_owned() }
}

/// Bytes of a parameter's name in a header at most.
const NAME_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_header_is_short_and_plain() {
        for (name, expected) in [
            ("top_k", "top_k"),
            ("a b", "unknown"),
            ("a\r\nb", "unknown"),
            ("ä", "unknown"),
            ("", "unknown"),
            (&"x".repeat(NAME_BYTES), &"x".repeat(NAME_BYTES)),
            (&"x".repeat(NAME_BYTES + 1), "unknown"),
        ] {
            assert_eq!(header_name(name), expected);
        }
    }
}
