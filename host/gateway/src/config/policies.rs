//! `[[policies]]`: the chain, in order.

use std::io::ErrorKind;
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::time::Duration;

use ringfence_fence::{Digest, Edit, Inside, Mode, OnFailure};
use ringfence_policy::{Entities, Entry as PolicyBounds, Grants, Limits};

use super::reader::{At, Reader};
use super::resolve::Entry;
use super::words::{NAME_REMEDY, is_in_capitals, is_name, word};
use super::{CandidateEntry, Detection, Mistake, PolicyEntry, PolicySource, raw};
use crate::embedded::POLICIES;

const MODES: [(&str, Mode); 2] = [("protect", Mode::Protect), ("monitor", Mode::Monitor)];

const FAILURES: [(&str, OnFailure); 3] = [
    ("deny", OnFailure::Deny),
    ("confine-process", OnFailure::Confine(Inside::Process)),
    ("confine-premises", OnFailure::Confine(Inside::Premises)),
];

/// Resolves the chain.
pub(super) fn resolve(
    reader: &mut Reader<'_>,
    entries: Vec<Entry<raw::Policy>>,
    require_cases: bool,
    detection: &Detection,
) -> Vec<PolicyEntry> {
    let mut policies: Vec<PolicyEntry> = Vec::new();
    for entry in entries {
        let Some(raw) = entry.rest else { continue };
        let Some(name) = &raw.name else {
            reader.mistake(&entry.span, "a policy has no name", "add name = \"...\"");
            continue;
        };
        if !is_name(name.get_ref()) {
            let what = format!("the policy's name is \"{}\"", name.get_ref().escape_debug());
            reader.mistake(&name.span(), what, NAME_REMEDY);
        }
        if policies.iter().any(|policy| policy.name == *name.get_ref()) {
            let what = format!("two policies are named \"{}\"", name.get_ref());
            reader.mistake(&name.span(), what, "give each a name of its own");
        }
        let mode = word(reader, "mode", raw.mode.as_ref(), Mode::Protect, &MODES);
        let on_failure =
            word(reader, "on_failure", raw.on_failure.as_ref(), OnFailure::Deny, &FAILURES);
        let grants = grants(reader, &raw, detection);
        let limits = limits(reader, &raw);
        let digest = digest(reader, raw.digest.as_ref());
        let config = config(reader, raw.config.as_ref());
        let candidate = candidate(reader, &raw);
        if let (Some(retired), None) = (&raw.retired, &raw.folder) {
            let what = format!("policy \"{}\" has retired and is no folder", name.get_ref());
            reader.mistake(&retired.span(), what, "take it out: only files of a folder retire");
        }
        let absent = raw.file.as_ref().and_then(|file| absent(reader, file));
        let source = source(reader, &entry.span, name.get_ref(), &raw, absent.is_some());
        let Some(source) = source else { continue };
        policies.push(PolicyEntry {
            name: name.get_ref().clone(),
            source,
            absent,
            mode,
            on_failure,
            grants,
            limits,
            config,
            digest,
            candidate,
            require_cases,
            retired: raw.retired.map(At::into_inner).unwrap_or_default(),
        });
    }
    policies
}

fn source(
    reader: &mut Reader<'_>,
    span: &Range<usize>,
    name: &str,
    raw: &raw::Policy,
    is_absent: bool,
) -> Option<PolicySource> {
    match (&raw.embedded, &raw.file, &raw.folder) {
        (Some(embedded), None, None) => {
            let known = POLICIES.map(|(name, _)| name);
            if !known.contains(&embedded.get_ref().as_str()) {
                let shown = embedded.get_ref().escape_debug();
                let what = format!("no policy named \"{shown}\" ships in this binary");
                let remedy = format!("use one of {}", known.join(", "));
                reader.mistake(&embedded.span(), what, remedy);
            }
            Some(PolicySource::Embedded(embedded.get_ref().clone()))
        }
        (None, Some(file), None) if is_absent => {
            Some(PolicySource::File(reader.path(file.get_ref())))
        }
        (None, Some(file), None) => {
            let path = existing(reader, "file", file, |metadata| metadata.is_file())?;
            Some(PolicySource::File(path))
        }
        (None, None, Some(folder)) => {
            if let Some(digest) = &raw.digest {
                let what = format!("policy \"{name}\" is a folder and has a digest");
                reader.mistake(
                    &digest.span(),
                    what,
                    "pin files one by one, each with its own entry",
                );
            }
            let path = existing(reader, "folder", folder, |metadata| metadata.is_dir())?;
            Some(PolicySource::Folder(path))
        }
        (embedded, file, folder) => {
            let given = [embedded, file, folder].into_iter().flatten().nth(1);
            let span = given.map_or(span.clone(), At::span);
            let what = match given {
                Some(_) => format!("policy \"{name}\" has more than one source"),
                None => format!("policy \"{name}\" has no source"),
            };
            let remedy =
                "give one of embedded = \"NAME\", file = \"FILE.wasm\", folder = \"FOLDER\"";
            reader.mistake(&span, what, remedy);
            None
        }
    }
}

/// What is wrong when nothing is at the path of a policy's file.
fn absent(reader: &Reader<'_>, file: &At<String>) -> Option<Mistake> {
    let path = reader.path(file.get_ref());
    let gone = std::fs::metadata(&path).is_err_and(|error| error.kind() == ErrorKind::NotFound);
    gone.then(|| {
        let what = format!("there is no policy file {}", path.display());
        reader.at(&file.span(), what, RELATIVE.to_owned())
    })
}

const RELATIVE: &str = "paths are relative to the configuration file";

fn existing(
    reader: &mut Reader<'_>,
    key: &str,
    given: &At<String>,
    fits: impl Fn(&std::fs::Metadata) -> bool,
) -> Option<PathBuf> {
    let path = reader.path(given.get_ref());
    let problem = match std::fs::metadata(&path) {
        Ok(metadata) if fits(&metadata) => return Some(path),
        Ok(_) => format!("is not a {key}"),
        Err(error) => format!("cannot be read: {}", error.kind()),
    };
    let what = format!("the policy {key} {} {problem}", path.display());
    reader.mistake(&given.span(), what, RELATIVE);
    None
}

fn digest(reader: &mut Reader<'_>, given: Option<&At<String>>) -> Option<Digest> {
    let given = given?;
    let digest = Digest::parse(given.get_ref());
    if digest.is_none() {
        let what = format!("digest is \"{}\"", given.get_ref().escape_debug());
        let remedy = "give the SHA-256 of the file in 64 hexadecimal digits; `ringfence policy \
                      inspect FILE` prints it";
        reader.mistake(&given.span(), what, remedy);
    }
    digest
}

/// The next version, of a policy that is a file.
fn candidate(reader: &mut Reader<'_>, raw: &raw::Policy) -> Option<CandidateEntry> {
    let Some(file) = &raw.candidate else {
        let spans = [
            raw.candidate_config.as_ref().map(At::span),
            raw.candidate_digest.as_ref().map(At::span),
        ];
        if let Some(span) = spans.into_iter().flatten().next() {
            let remedy = "add candidate = \"FILE.wasm\", or take it out";
            reader.mistake(&span, "there is no candidate for this", remedy);
        }
        return None;
    };
    let path = reader.path(file.get_ref());
    let own = raw.file.as_ref().map(|own| reader.path(own.get_ref()));
    if own.as_ref().is_none_or(|own| *own == path) {
        let remedy = "give candidates to entries with file = \"FILE.wasm\", each another file";
        reader.mistake(&file.span(), "this entry cannot have that candidate", remedy);
    }
    let given = raw.candidate_config.as_ref();
    Some(CandidateEntry {
        file: path,
        config: given.map(|given| config(reader, Some(given))),
        digest: digest(reader, raw.candidate_digest.as_ref()),
    })
}

/// Whether any entry grants this.
pub(super) fn any_granted(entries: &[Entry<raw::Policy>], grant: &str) -> bool {
    let grants = entries.iter().filter_map(|entry| entry.rest.as_ref()?.grants.as_ref());
    grants.flatten().any(|one| one.get_ref() == grant)
}

/// What the policy sees beyond shapes; nothing that is not granted.
fn grants(reader: &mut Reader<'_>, raw: &raw::Policy, detection: &Detection) -> Grants {
    let mut grants = Grants::default();
    for grant in raw.grants.iter().flatten() {
        match grant.get_ref().as_str() {
            "text" => grants.text = true,
            "findings" => grants.findings = Entities::Everything,
            "caller" => grants.caller = true,
            "log" => grants.log = true,
            "state" => grants.state = true,
            "model" => grants.model = true,
            other => {
                let what = format!("there is no grant \"{}\"", other.escape_debug());
                let remedy = format!("grant some of {}", Grants::NAMES.join(", "));
                reader.mistake(&grant.span(), what, remedy);
            }
        }
    }
    if let Some(entities) = &raw.findings {
        for entity in entities.iter().filter(|entity| !is_entity(entity.get_ref())) {
            let what = format!("\"{}\" is no entity", entity.get_ref().escape_debug());
            reader.mistake(&entity.span(), what, "write it in capitals, like EMAIL or IBAN");
        }
        let is_live = |entity: &&At<String>| detection.finds(entity.get_ref());
        for entity in entities.iter().filter(|entity| !is_live(entity)) {
            let what = format!("nothing finds \"{}\"", entity.get_ref().escape_debug());
            let remedy = "`ringfence detect --list` shows what is found; add your own as \
                          [[detect.entities]], or names, places and organisations by \
                          [detect.model]";
            reader.mistake(&entity.span(), what, remedy);
        }
        let names = entities.iter().map(|entity| entity.get_ref().clone()).collect();
        grants.findings = Entities::Only(names);
    }
    grants
}

fn is_entity(name: &str) -> bool {
    (1..=Edit::ENTITY_BYTES).contains(&name.len()) && is_in_capitals(name)
}

fn limits(reader: &mut Reader<'_>, raw: &raw::Policy) -> Limits {
    let mut limits = Limits::default();
    for (key, given) in &raw.limits {
        let Some((name, bounds, set)) = LIMITS.iter().find(|(name, ..)| name == key.get_ref())
        else {
            let names: Vec<&str> = LIMITS.iter().map(|(name, ..)| *name).collect();
            let what = format!("there is no limit `{}`", key.get_ref().escape_debug());
            reader.mistake(&key.span(), what, format!("the limits are {}", names.join(", ")));
            continue;
        };
        let low = *bounds.start();
        let number = reader.number(name, Some(given), low, bounds.clone());
        set(&mut limits, number);
    }
    limits
}

type Limit = (&'static str, RangeInclusive<u64>, fn(&mut Limits, u64));

/// What an entry may limit, between which bounds.
pub(super) const LIMITS: [Limit; 15] = [
    ("deadline_ms", 1..=10_000, |limits, n| limits.deadline = Duration::from_millis(n)),
    ("patience_ms", 1..=60_000, |limits, n| limits.patience = Duration::from_millis(n)),
    ("memory_bytes", 65_536..=Limits::MEMORY_BYTES_MOST as u64, |limits, n| {
        limits.memory_bytes = size(n);
    }),
    ("table_elements", 1..=Limits::TABLE_ELEMENTS as u64, |limits, n| {
        limits.table_elements = size(n);
    }),
    ("instances", 1..=Limits::INSTANCES as u64, |limits, n| limits.instances = size(n)),
    ("memories", 1..=Limits::MEMORIES as u64, |limits, n| limits.memories = size(n)),
    ("findings", 1..=1_000_000, |limits, n| limits.findings = size(n)),
    ("edits", 0..=1_000_000, |limits, n| limits.edits = size(n)),
    ("string_bytes", 1..=1 << 20, |limits, n| limits.string_bytes = size(n)),
    ("answer_bytes", 1..=64 << 20, |limits, n| limits.answer_bytes = size(n)),
    ("names", 1..=65_536, |limits, n| limits.names = size(n)),
    ("calls", 0..=1_000_000, |limits, n| limits.calls = count(n)),
    ("model_calls", 0..=10_000, |limits, n| limits.model_calls = count(n)),
    ("log_lines", 0..=1_000, |limits, n| limits.log_lines = count(n)),
    ("configure_deadline_ms", 1..=60_000, |limits, n| {
        limits.configure_deadline = Duration::from_millis(n);
    }),
];

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A policy's own table as JSON; `{}` without one.
fn config(reader: &mut Reader<'_>, given: Option<&At<toml::Table>>) -> String {
    let Some(given) = given else { return "{}".into() };
    match json_table(given.get_ref()) {
        Some(json) => {
            let text = serde_json::Value::Object(json).to_string();
            if text.len() > PolicyBounds::CONFIG_BYTES {
                let what = format!("the policy's config is {} bytes as JSON", text.len());
                reader.mistake(
                    &given.span(),
                    what,
                    format!("give at most {}", PolicyBounds::CONFIG_BYTES),
                );
            }
            text
        }
        None => {
            let remedy = "use finite numbers: JSON has no others";
            reader.mistake(
                &given.span(),
                "the policy's config has a number that is not finite",
                remedy,
            );
            "{}".into()
        }
    }
}

fn json_table(table: &toml::Table) -> Option<serde_json::Map<String, serde_json::Value>> {
    table.iter().map(|(key, value)| Some((key.clone(), json(value)?))).collect()
}

fn json(value: &toml::Value) -> Option<serde_json::Value> {
    use serde_json::Value as Json;
    Some(match value {
        toml::Value::String(text) => Json::String(text.clone()),
        toml::Value::Integer(number) => Json::from(*number),
        toml::Value::Float(number) => Json::Number(serde_json::Number::from_f64(*number)?),
        toml::Value::Boolean(truth) => Json::Bool(*truth),
        toml::Value::Datetime(time) => Json::String(time.to_string()),
        toml::Value::Array(array) => Json::Array(array.iter().map(json).collect::<Option<_>>()?),
        toml::Value::Table(table) => Json::Object(json_table(table)?),
    })
}
