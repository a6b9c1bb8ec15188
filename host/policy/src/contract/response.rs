//! The half of the contract that is about answers.

use ringfence_chat::TextKind;
use ringfence_fence::{self as fence, Finding, Nonsense};

use super::generated::exports::ringfence::policy::response as generated;
use super::types;
use crate::entry::{Grants, Limits};
use crate::following::{Cut, HOLD_BYTES, Passage, Strand, Wish};

/// What a policy says of a window.
pub(crate) type Outcome = generated::Outcome;
/// What `inspect` gives.
pub(crate) type Inspected = (Result<generated::Outcome, String>,);
/// What `inspect` takes.
pub(crate) type Window<'a> = generated::Window<'a>;

/// The lists inside a window: the record that a policy gets borrows them.
pub(crate) struct Shown<'a> {
    findings: Option<Vec<types::Finding<'a>>>,
    restored: Vec<(u32, u32)>,
}

/// One window, before it is narrowed to a policy's grants.
#[derive(Clone, Copy)]
pub(crate) struct Pane<'a> {
    pub(crate) strand: Strand,
    pub(crate) tool: Option<&'a str>,
    pub(crate) passage: &'a Passage,
    pub(crate) target: &'a str,
    /// True when a tool call begins here: its name goes out, so it is shown.
    pub(crate) opens: bool,
    pub(crate) last: bool,
}

/// What a policy said of a window.
#[derive(Debug)]
pub(crate) enum Said {
    /// What it wants done.
    Wish(Wish),
    /// The answer ends, with this code.
    Stop(String),
}

impl<'a> Shown<'a> {
    /// The lists of a window; `findings` are those that the policy's grants show.
    pub(crate) fn of(passage: &Passage, findings: Option<&'a [Finding]>) -> Shown<'a> {
        let finding = |finding: &'a Finding| types::Finding {
            segment: 0,
            start: finding.start,
            end: finding.end,
            entity: &finding.entity,
            score: finding.score,
        };
        Shown {
            findings: findings.map(|findings| findings.iter().map(finding).collect()),
            restored: (passage.restored.iter())
                .map(|span| (offset(span.start), offset(span.end)))
                .collect(),
        }
    }

    /// The window that a policy with these grants is shown.
    pub(crate) fn window(&'a self, pane: &Pane<'a>, grants: &Grants) -> Window<'a> {
        let (choice, kind) = match pane.strand {
            Strand::Text(choice, TextKind::Reasoning | TextKind::SignedReasoning) => {
                (choice, types::Kind::Reasoning)
            }
            Strand::Text(choice, TextKind::Answer | TextKind::Refusal) => {
                (choice, types::Kind::Text)
            }
            Strand::Arguments(choice, _) => (choice, types::Kind::ToolCall),
        };
        generated::Window {
            choice,
            kind,
            tool: pane.tool,
            bytes: offset(pane.passage.text.len()),
            text: grants.text.then_some(pane.passage.text.as_str()),
            findings: self.findings.as_deref(),
            restored: &self.restored,
            target: pane.target,
            last: pane.last,
        }
    }
}

/// What a policy said of a window, in the house's words, within its limits and checked
/// against the window.
///
/// # Errors
/// [`Nonsense`].
pub(crate) fn said(
    outcome: generated::Outcome,
    text: &str,
    limits: &Limits,
) -> Result<Said, Nonsense> {
    let fits = |fits: bool| if fits { Ok(()) } else { Err(Nonsense::TooMuch) };
    let cut = |cut: generated::Cut| {
        fits(cut.entity.len() <= limits.string_bytes)?;
        let action = match cut.action {
            types::Action::Mask => fence::Action::Mask,
            types::Action::Replace(text) => {
                fits(text.len() <= limits.string_bytes)?;
                fence::Action::Replace(text)
            }
            types::Action::Pseudonymise => fence::Action::Pseudonymise,
            types::Action::Remove => fence::Action::Remove,
        };
        Ok(Cut { start: cut.start, end: cut.end, entity: cut.entity, action })
    };
    Ok(match outcome {
        generated::Outcome::Release => Said::Wish(Wish::Release),
        generated::Outcome::Edit(cuts) => {
            fits(cuts.len() <= limits.edits)?;
            let cuts = cuts.into_iter().map(cut).collect::<Result<_, Nonsense>>()?;
            Said::Wish(Wish::Edit(Cut::check(cuts, text)?))
        }
        generated::Outcome::Hold(bytes) => {
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            fits(bytes <= HOLD_BYTES)?;
            Said::Wish(Wish::Hold(bytes))
        }
        generated::Outcome::Stop(code) => {
            fits(code.len() <= limits.string_bytes)?;
            Said::Stop(code)
        }
    })
}

fn offset(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
