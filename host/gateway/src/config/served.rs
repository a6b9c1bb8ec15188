//! `models` of a target: what it serves.

use std::collections::BTreeSet;

use ringfence_fence::Model;

use super::raw;
use super::reader::{At, Reader};

/// Bytes of a model's name at most.
pub const MODEL_NAME_BYTES: usize = 128;

/// Resolves the models of one target.
pub(super) fn resolve(
    reader: &mut Reader<'_>,
    target: &str,
    given: &At<Vec<At<raw::Model>>>,
) -> Vec<Model> {
    if given.get_ref().is_empty() {
        let what = format!("target \"{target}\" has no models");
        reader.mistake(&given.span(), what, "name at least one: the first one answers `auto`");
    }
    let mut seen = BTreeSet::new();
    let mut models = Vec::new();
    for raw in given.get_ref() {
        let model = match raw.get_ref().clone() {
            raw::Model::Name(name) => Model { name, aliases: Vec::new() },
            raw::Model::Full(full) => Model { name: full.name, aliases: full.aliases },
        };
        for name in std::iter::once(&model.name).chain(&model.aliases) {
            if let Some(problem) = model_name_problem(name) {
                let shown = name.escape_debug();
                let what = format!("target \"{target}\" has a model named \"{shown}\"");
                reader.mistake(&raw.span(), what, problem);
            } else if !seen.insert(name.clone()) {
                let what = format!("target \"{target}\" has two models named \"{name}\"");
                reader.mistake(&raw.span(), what, "take one out");
            }
        }
        models.push(model);
    }
    models
}

fn model_name_problem(name: &str) -> Option<String> {
    if name == Model::AUTO {
        return Some("choose another: `auto` leaves the choice to the policies".into());
    }
    let fits = (1..=MODEL_NAME_BYTES).contains(&name.len());
    (!fits || !name.bytes().all(|byte| byte.is_ascii_graphic()))
        .then(|| format!("use 1 to {MODEL_NAME_BYTES} visible ASCII characters without spaces"))
}
