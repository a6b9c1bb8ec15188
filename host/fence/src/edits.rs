//! Edits of several policies, resolved for one target and applied to one request.

use std::collections::{BTreeMap, HashMap};

use ringfence_chat::{Request, Role, SegmentId};

use crate::departure::Hidden;
use crate::judgement::{Action, Edit};
use crate::placeholder::Placeholders;
use crate::target::Target;

/// One resolved change: a union of overlapping spans with the strictest action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change<'a> {
    pub start: usize,
    pub end: usize,
    pub entity: &'a str,
    pub action: &'a Action,
}

/// The edits that count for `target`, by segment, united where they overlap.
pub(crate) fn resolve<'a>(
    edits: &'a [Edit],
    target: &Target,
) -> BTreeMap<SegmentId, Vec<Change<'a>>> {
    let mut counting: Vec<&Edit> = edits.iter().filter(|edit| edit.scope.covers(target)).collect();
    counting.sort_by_key(|edit| (edit.segment, edit.start, edit.end));
    let mut changes: BTreeMap<SegmentId, Vec<Change<'a>>> = BTreeMap::new();
    for edit in counting {
        let united = changes.entry(edit.segment).or_default();
        let next = Change {
            start: edit.start as usize,
            end: edit.end as usize,
            entity: &edit.entity,
            action: &edit.action,
        };
        match united.last_mut() {
            Some(last) if next.start < last.end => {
                last.end = last.end.max(next.end);
                if next.rank() > last.rank() {
                    (last.action, last.entity) = (next.action, next.entity);
                }
            }
            _ => united.push(next),
        }
    }
    changes
}

/// Applies what counts for `target`, and says which values became placeholders.
///
/// # Errors
/// The segment whose edit cannot be applied.
pub(crate) fn apply(
    request: &Request,
    edits: &[Edit],
    target: &Target,
    placeholders: &Placeholders,
) -> Result<(Request, Vec<Hidden>), SegmentId> {
    let mut notes = Notes::default();
    let mut texts = Vec::new();
    for (id, changes) in resolve(edits, target) {
        let segment = request.segments().get(id.index()).ok_or(id)?;
        let mut text = String::with_capacity(segment.text.len());
        let mut from = 0;
        for change in changes {
            text.push_str(segment.text.get(from..change.start).ok_or(id)?);
            let value = segment.text.get(change.start..change.end).ok_or(id)?;
            match change.action {
                Action::Remove => {}
                Action::Replace(other) => text.push_str(other),
                Action::Mask => {
                    text.push('[');
                    text.push_str(change.entity);
                    text.push(']');
                }
                Action::Pseudonymise => {
                    // A shape that another value has already is given up for brackets.
                    let placeholder = placeholders
                        .in_shape(change.entity, value)
                        .filter(|shaped| notes.is_free(shaped, value))
                        .unwrap_or_else(|| placeholders.placeholder(change.entity, value));
                    text.push_str(&placeholder);
                    notes.note(placeholder, change.entity, value, segment.role).ok_or(id)?;
                }
            }
            from = change.end;
        }
        text.push_str(segment.text.get(from..).ok_or(id)?);
        texts.push((id, text));
    }
    Ok((request.with_texts(texts)?, notes.hidden))
}

impl<'a> Change<'a> {
    /// Which of two that overlap names both: the stricter one, and a secret before
    /// anything larger that it is part of.
    fn rank(&self) -> (&'a Action, bool) {
        (self.action, is_secret(self.entity))
    }
}

fn is_secret(entity: &str) -> bool {
    entity.starts_with("SECRET")
}

/// What is hidden so far, each placeholder once.
#[derive(Default)]
struct Notes {
    hidden: Vec<Hidden>,
    places: HashMap<String, usize>,
}

impl Notes {
    /// Whether no other value has this placeholder.
    fn is_free(&self, placeholder: &str, value: &str) -> bool {
        let known = self.places.get(placeholder).and_then(|&place| self.hidden.get(place));
        known.is_none_or(|known| known.original == value)
    }

    /// Notes a placeholder. `None` when another value has the same one: then neither
    /// could be restored, and the departure must not be.
    fn note(&mut self, placeholder: String, entity: &str, value: &str, role: Role) -> Option<()> {
        // What only the application's own messages held is not the user's to see, and a
        // secret is nobody's.
        let restorable = role != Role::System && !is_secret(entity);
        let known = self.places.get(&placeholder).and_then(|&place| self.hidden.get_mut(place));
        match known {
            Some(known) if known.original != value => return None,
            Some(known) => known.restorable |= restorable,
            None => {
                self.places.insert(placeholder.clone(), self.hidden.len());
                self.hidden.push(Hidden {
                    placeholder,
                    original: value.to_owned(),
                    entity: entity.to_owned(),
                    restorable,
                });
            }
        }
        Some(())
    }
}
