//! The rows, by part of the world. The rules are those that the issuers publish.

mod americas;
mod asia;
mod europe;
mod north;
mod things;

use super::Id;

/// Every row.
pub(crate) fn tables() -> impl Iterator<Item = &'static Id> {
    [americas::IDS, europe::IDS, north::IDS, asia::IDS, things::IDS].into_iter().flatten()
}
