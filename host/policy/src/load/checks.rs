//! What an entry and a file have to be before anything is compiled.

use ringfence_fence::{Mode, OnFailure};

use super::LoadError;
use crate::entry::{Entry, Grants, Limits};
use crate::inspection::{Inspection, contract_version, serves};
use crate::wasi;

pub(super) fn check_entry(entry: &Entry) -> Result<(), LoadError> {
    let limits = &entry.limits;
    let wrong = |what: String| Err(LoadError::Entry(what));
    if entry.config.len() > Entry::CONFIG_BYTES {
        return wrong(format!("its configuration has more than {} bytes", Entry::CONFIG_BYTES));
    }
    if limits.memory_bytes > Limits::MEMORY_BYTES_MOST {
        return wrong(format!("memory_bytes is more than {}", Limits::MEMORY_BYTES_MOST));
    }
    if limits.table_elements > Limits::TABLE_ELEMENTS {
        return wrong(format!("table_elements is more than {}", Limits::TABLE_ELEMENTS));
    }
    if limits.instances > Limits::INSTANCES || limits.memories > Limits::MEMORIES {
        return wrong(format!(
            "instances is more than {} or memories more than {}",
            Limits::INSTANCES,
            Limits::MEMORIES
        ));
    }
    if limits.deadline.is_zero() || limits.patience < limits.deadline {
        return wrong("its deadline is zero, or longer than its patience".to_owned());
    }
    Ok(())
}

pub(super) fn check_exports(inspection: &Inspection) -> Result<(), LoadError> {
    match &inspection.contract {
        None => return Err(LoadError::NoJudge { exports: inspection.exports.clone() }),
        Some(_) if inspection.served => {}
        Some(needs) => return Err(LoadError::Version { needs: needs.clone() }),
    }
    Ok(())
}

/// Who inspects answers must be there to do it: a request that such a policy failed on
/// would be answered, and nobody would look.
pub(super) fn check_response(inspection: &Inspection, entry: &Entry) -> Result<(), LoadError> {
    let spared = entry.mode == Mode::Protect && entry.on_failure != OnFailure::Deny;
    if inspection.inspects && spared { Err(LoadError::Unattended) } else { Ok(()) }
}

pub(super) fn check_imports(inspection: &Inspection, grants: &Grants) -> Result<(), LoadError> {
    let (mut ungranted, mut unknown) = (Vec::new(), Vec::new());
    for import in &inspection.imports {
        let ours = |interface| contract_version(import, interface).is_some_and(|v| serves(&v));
        match ["log", "state", "model"].into_iter().find(|grant| ours(grant)) {
            Some(grant) if grants.holds(grant) => {}
            Some(grant) => ungranted.push(grant.to_owned()),
            None if ours("types") || wasi::serves(import) => {}
            None => unknown.push(import.clone()),
        }
    }
    if ungranted.is_empty() && unknown.is_empty() {
        return Ok(());
    }
    Err(LoadError::Imports { ungranted, unknown })
}
