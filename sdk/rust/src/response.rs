//! Policies that inspect answers too.

use crate::{Action, Finding, Policy};

#[doc(hidden)]
#[allow(missing_docs, clippy::all)]
pub mod __bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        // What `policy` lacks of `response-policy`: its other half is exported as that of
        // every policy, and both together are the world of the component.
        inline: "
            package ringfence:sdk;
            world inspecting {
                export ringfence:policy/response@0.1.0;
            }
        ",
        world: "ringfence:sdk/inspecting",
        pub_export_macro: true,
        default_bindings_module: "ringfence_sdk::response::__bindings",
        export_macro_name: "__export",
        with: {
            "ringfence:policy/types@0.1.0": crate::__bindings::ringfence::policy::types,
        },
    });
}

pub use __bindings::exports::ringfence::policy::response::{Cut, Outcome, Window};

/// A policy that inspects answers too, in the instance that judged the request. Exported
/// with `ringfence_sdk::export!(TYPE, inspects)`; its entry has `on_failure = "deny"`.
pub trait Inspect: Policy {
    /// Inspects one window of the answer.
    ///
    /// # Errors
    /// A failure of the policy: the answer ends there, and what was held back is not
    /// sent. The text goes to a debug log that is off by default.
    fn inspect(&self, window: &Window) -> Result<Outcome, String>;
}

impl Window {
    /// What the detectors found in the window and the client does not know already: what
    /// lies within one of its own values, which were just restored, is left out. What
    /// reaches beyond one is not: a password may stand behind a name that it knows.
    ///
    /// # Errors
    /// When the entry does not grant `findings`: then nothing is known, which is not the
    /// same as nothing being there.
    pub fn found(&self) -> Result<impl Iterator<Item = &Finding>, String> {
        let found = self.findings.as_deref();
        let found = found.ok_or_else(|| "the grant `findings` is missing".to_owned())?;
        Ok(found.iter().filter(|finding| {
            !self.restored.iter().any(|&(start, end)| start <= finding.start && finding.end <= end)
        }))
    }

    /// The text of a finding. `None` without the grant `text`.
    pub fn text_of(&self, finding: &Finding) -> Option<&str> {
        self.text.as_deref()?.get(finding.start as usize..finding.end as usize)
    }
}

impl Finding {
    /// A change to the span of the finding, in the window that it was found in.
    pub fn cut(&self, action: Action) -> Cut {
        Cut { start: self.start, end: self.end, entity: self.entity.clone(), action }
    }
}
