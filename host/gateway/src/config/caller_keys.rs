//! `[[callers]]`: keys that clients may present.

use std::collections::BTreeMap;

use ringfence_fence::{Caller, Digest};

use super::CallerKey;
use super::raw;
use super::reader::{At, Reader};
use super::resolve::Entry;
use super::words::{NAME_REMEDY, is_name, words};

/// Resolves the callers; `targets` are the names that they may be narrowed to.
pub(super) fn resolve(
    reader: &mut Reader<'_>,
    entries: Vec<Entry<raw::Caller>>,
    targets: &[String],
) -> Vec<CallerKey> {
    let mut keys = Vec::new();
    let mut names: BTreeMap<String, ()> = BTreeMap::new();
    let mut hashes: BTreeMap<Digest, String> = BTreeMap::new();
    for entry in entries {
        let span = entry.span;
        let Some(raw) = entry.rest else { continue };
        let name = match &raw.name {
            None => {
                reader.mistake(
                    &span,
                    "a caller has no name",
                    "add name = \"...\": the public id of its key",
                );
                continue;
            }
            Some(name) => name,
        };
        if !is_name(name.get_ref()) {
            reader.mistake(
                &name.span(),
                format!("the caller's name is \"{}\"", name.get_ref()),
                NAME_REMEDY,
            );
        }
        if names.insert(name.get_ref().clone(), ()).is_some() {
            reader.mistake(
                &name.span(),
                format!("two callers are named \"{}\"", name.get_ref()),
                "give each key a name of its own",
            );
        }
        let tenant = match &raw.tenant {
            Some(tenant) if is_name(tenant.get_ref()) => tenant.get_ref().clone(),
            Some(tenant) => {
                reader.mistake(
                    &tenant.span(),
                    format!("the tenant is \"{}\"", tenant.get_ref()),
                    NAME_REMEDY,
                );
                continue;
            }
            None => {
                reader.mistake(
                    &span,
                    format!("caller \"{}\" has no tenant", name.get_ref()),
                    "add tenant = \"...\": whose data this is",
                );
                continue;
            }
        };
        let Some(hash) = hash(reader, name, raw.key_sha256.as_ref(), &span) else { continue };
        if let Some(other) = hashes.insert(hash, name.get_ref().clone()) {
            reader.mistake(
                &span,
                format!("callers \"{other}\" and \"{}\" have the same key", name.get_ref()),
                "make a key for each with `ringfence key new`",
            );
        }
        for target in raw.targets.iter().flatten() {
            if !targets.contains(target.get_ref()) {
                reader.mistake(
                    &target.span(),
                    format!(
                        "caller \"{}\" names the target \"{}\", which is not there",
                        name.get_ref(),
                        target.get_ref()
                    ),
                    known("targets", targets),
                );
            }
        }
        let labels = words(reader, "label", &raw.labels);
        let targets = raw.targets.map(|targets| targets.into_iter().map(At::into_inner).collect());
        let caller = Caller { tenant, key: name.get_ref().clone(), labels, targets };
        keys.push(CallerKey { hash, caller });
    }
    keys
}

/// A remedy that lists what is known.
pub(super) fn known(what: &str, names: &[String]) -> String {
    if names.is_empty() {
        return format!("there are no {what}");
    }
    format!("the {what} are {}", names.join(", "))
}

fn hash(
    reader: &mut Reader<'_>,
    name: &At<String>,
    given: Option<&At<String>>,
    span: &std::ops::Range<usize>,
) -> Option<Digest> {
    let remedy =
        "give the SHA-256 of the key in 64 hexadecimal digits; `ringfence key hash` prints it";
    let Some(given) = given else {
        reader.mistake(span, format!("caller \"{}\" has no key_sha256", name.get_ref()), remedy);
        return None;
    };
    let digest = Digest::parse(given.get_ref());
    if digest.is_none() {
        // What stands there may be the key itself, so it is not repeated.
        reader.mistake(
            &given.span(),
            format!("key_sha256 of caller \"{}\" is no digest", name.get_ref()),
            remedy,
        );
    }
    digest
}
