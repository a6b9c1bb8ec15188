//! Edits of several policies, resolved for one target and applied to one request.

use std::collections::BTreeMap;

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
                if next.action > last.action {
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
    let mut hidden: Vec<Hidden> = Vec::new();
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
                    let placeholder = placeholders.placeholder(change.entity, value);
                    text.push_str(&placeholder);
                    remember(&mut hidden, placeholder, change.entity, value, segment.role)
                        .ok_or(id)?;
                }
            }
            from = change.end;
        }
        text.push_str(segment.text.get(from..).ok_or(id)?);
        texts.push((id, text));
    }
    Ok((request.with_texts(texts)?, hidden))
}

/// Notes a placeholder. `None` when another value has the same one: then neither
/// could be restored, and the departure must not be.
fn remember(
    hidden: &mut Vec<Hidden>,
    placeholder: String,
    entity: &str,
    value: &str,
    role: Role,
) -> Option<()> {
    // What only the application's own messages held is not the user's to see, and a
    // secret is nobody's.
    let restorable = role != Role::System && !entity.starts_with("SECRET");
    match hidden.iter_mut().find(|known| known.placeholder == placeholder) {
        Some(known) if known.original != value => return None,
        Some(known) => known.restorable |= restorable,
        None => hidden.push(Hidden {
            placeholder,
            original: value.to_owned(),
            entity: entity.to_owned(),
            restorable,
        }),
    }
    Some(())
}
