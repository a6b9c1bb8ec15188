//! `[detect]`: what the operator adds to what the detectors find, and takes from it.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use ringfence_detect::{Allowed, Check, Pattern, PatternRule, Terms, TermsBuilder, Vocabulary};
use ringfence_fence::{Edit, Shape};

use super::raw;
use super::reader::{At, Reader};
use super::tier::{self, TierConfig};
use super::words::is_in_capitals;

/// What is found besides, and what is not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Detection {
    /// Entities of the operator's own.
    pub entities: Vec<OwnEntity>,
    /// Values that are no findings.
    pub allow: Vec<Allowance>,
    /// The model that finds names, places and organisations, when there is one.
    pub model: Option<TierConfig>,
    /// The key of hashes that stand for terms and values. Only who wants such hashes has it.
    pub key: PathBuf,
}

/// An entity of the operator's own.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnEntity {
    /// Values with a form.
    Pattern(PatternRule),
    /// Values that are listed.
    Listed(Listed),
}

/// Values that are listed, as an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The name of its findings.
    pub entity: String,
    /// How sure a finding is, 0 to 1.
    pub score: f32,
    /// Whether capitals count.
    pub match_case: bool,
    /// The terms.
    pub list: List,
}

/// Values that are no findings.
#[derive(Debug, Clone, PartialEq)]
pub struct Allowance {
    /// Of which entity; absent for all.
    pub entity: Option<String>,
    /// The values.
    pub list: List,
}

/// A list, one to a line.
#[derive(Clone, PartialEq)]
pub enum List {
    /// In the configuration itself.
    Given(Vec<String>),
    /// In a file, which is watched.
    File(PathBuf),
}

impl Detection {
    /// The file of [`Detection::key`], below the folder of the gateway's state.
    pub const KEY: &'static str = "keys/vocabulary";

    /// Bytes of a file of terms or values at most.
    pub const FILE_BYTES: u64 = 256 << 20;

    /// Bytes of one of its lines at most.
    pub const LINE_BYTES: usize = 4096;

    /// How sure a finding is when the entry does not say.
    pub const SCORE: f32 = 0.9;

    /// Whether something finds entities of this name; `SECRET` means every secret.
    pub fn finds(&self, entity: &str) -> bool {
        let ships = ringfence_detect::entities().iter().any(|known| known.name == entity);
        let marks = |model: &TierConfig| model.entities.iter().any(|(_, marked)| marked == entity);
        let marked = self.model.as_ref().is_some_and(marks);
        ships
            || marked
            || entity == "SECRET"
            || self.entities.iter().any(|own| own.name() == entity)
    }

    /// The files that it is read from.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let listed = self.entities.iter().filter_map(|entity| match entity {
            OwnEntity::Listed(listed) => Some(&listed.list),
            OwnEntity::Pattern(_) => None,
        });
        let lists = listed.chain(self.allow.iter().map(|allowance| &allowance.list));
        lists.filter_map(|list| match list {
            List::File(file) => Some(file),
            List::Given(_) => None,
        })
    }
}

impl OwnEntity {
    /// The name of its findings.
    pub fn name(&self) -> &str {
        match self {
            OwnEntity::Pattern(rule) => &rule.entity,
            OwnEntity::Listed(listed) => &listed.entity,
        }
    }
}

/// Shows where the values are, and none of them.
impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            List::Given(values) => write!(f, "{} values", values.len()),
            List::File(file) => write!(f, "{}", file.display()),
        }
    }
}

/// Resolves the section.
pub(super) fn resolve(reader: &mut Reader<'_>, raw: raw::Detect, key: PathBuf) -> Detection {
    let mut detection = Detection { key, ..Detection::default() };
    let mut patterns = 0;
    for entry in raw.entities.unwrap_or_default() {
        let span = entry.span();
        let entity = entity(reader, &span, entry.into_inner());
        patterns += usize::from(matches!(entity, Some(OwnEntity::Pattern(_))));
        if patterns > Vocabulary::PATTERNS {
            let what = format!("there are more than {} patterns", Vocabulary::PATTERNS);
            reader.mistake(&span, what, "put several into one, with |");
            break;
        }
        detection.entities.extend(entity);
    }
    if detection.entities.len() - patterns.min(detection.entities.len()) > Terms::LISTS {
        let what = format!("there are more than {} lists of terms", Terms::LISTS);
        reader.mistake_overall(what, "put several into one file");
    }
    for entry in raw.allow.unwrap_or_default() {
        let span = entry.span();
        let raw = entry.into_inner();
        let entity = raw.entity.map(|name| named(reader, &name)).map(At::into_inner);
        let list = list(reader, &span, "values", raw.values, raw.file);
        if let Some(List::Given(values)) = &list {
            let mut allowed = Allowed::new(ringfence_detect::HashKey([0; 16]));
            let wrong = values.iter().find_map(|value| allowed.add(None, value).err());
            if let Some(error) = wrong {
                reader.mistake(
                    &span,
                    format!("values: {error}"),
                    "write them as they stand in a text",
                );
            }
        }
        detection.allow.extend(list.map(|list| Allowance { entity, list }));
    }
    detection.model = raw.model.and_then(|model| tier::resolve(reader, model));
    detection
}

/// Resolves `[placeholders]`.
pub(super) fn shapes(reader: &mut Reader<'_>, raw: raw::Placeholders) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for given in raw.shaped.unwrap_or_default() {
        match Shape::ALL.iter().find(|(entity, _)| entity == given.get_ref()) {
            Some((_, shape)) => shapes.push(*shape),
            None => {
                let known: Vec<&str> = Shape::ALL.iter().map(|(entity, _)| *entity).collect();
                let what = format!("\"{}\" has no shape", given.get_ref().escape_debug());
                reader.mistake(&given.span(), what, format!("use {}", known.join(", ")));
            }
        }
    }
    shapes
}

fn entity(reader: &mut Reader<'_>, span: &Range<usize>, raw: raw::OwnEntity) -> Option<OwnEntity> {
    let Some(name) = raw.name else {
        let remedy = "add name = \"...\", in capitals like EMPLOYEE_ID";
        reader.mistake(span, "an entity has no name", remedy);
        return None;
    };
    let name = named(reader, &name);
    let score = share(reader, "score", raw.score.as_ref()).unwrap_or(Detection::SCORE);
    let Some(pattern) = raw.pattern else {
        for (key, given) in [
            ("check", raw.check.map(|given| given.span())),
            ("beside", raw.beside.map(|given| given.span())),
            ("score_alone", raw.score_alone.map(|given| given.span())),
            ("inside_words", raw.inside_words.map(|given| given.span())),
            ("found", raw.found.map(|given| given.span())),
            ("not_found", raw.not_found.map(|given| given.span())),
        ] {
            if let Some(span) = given {
                let what = format!("{key} is given without a pattern");
                reader.mistake(&span, what, "leave it out, or give a pattern");
            }
        }
        let match_case = raw.match_case.is_some_and(At::into_inner);
        let list = list(reader, span, "terms", raw.terms, raw.file)?;
        if let List::Given(terms) = &list {
            let mut builder = TermsBuilder::new(ringfence_detect::HashKey([0; 16]));
            let begun = builder.list("X", score);
            let added = || terms.iter().find_map(|term| builder.add(term, match_case).err());
            if let Some(error) = begun.err().or_else(added) {
                reader.mistake(span, format!("terms: {error}"), "write words, one term to an item");
            }
        }
        let entity = name.into_inner();
        return Some(OwnEntity::Listed(Listed { entity, score, match_case, list }));
    };
    for (key, span) in [
        ("terms", raw.terms.map(|given| given.span())),
        ("file", raw.file.map(|given| given.span())),
        ("match_case", raw.match_case.map(|given| given.span())),
    ] {
        if let Some(span) = span {
            let what = format!("{key} is given beside a pattern");
            reader.mistake(&span, what, "give each an entry of its own; two may have one name");
        }
    }
    let check = raw.check.and_then(|given| {
        let check = Check::NAMES.iter().find(|(name, _)| name == given.get_ref());
        if check.is_none() {
            let names: Vec<&str> = Check::NAMES.iter().map(|(name, _)| *name).collect();
            let what = format!("there is no check \"{}\"", given.get_ref().escape_debug());
            reader.mistake(&given.span(), what, format!("use {}", names.join(" or ")));
        }
        check.map(|(_, check)| *check)
    });
    let rule = PatternRule {
        entity: name.into_inner(),
        pattern: pattern.get_ref().clone(),
        check,
        beside: raw.beside.map(At::into_inner).unwrap_or_default(),
        score,
        score_alone: share(reader, "score_alone", raw.score_alone.as_ref()),
        inside_words: raw.inside_words.is_some_and(At::into_inner),
    };
    let compiled = match Pattern::new(rule.clone()) {
        Ok(compiled) => compiled,
        Err(error) => {
            let remedy = "see https://docs.rs/regex for what an expression can have";
            reader.mistake(&pattern.span(), error.to_string(), remedy);
            return None;
        }
    };
    let found = raw.found.map(At::into_inner).unwrap_or_default();
    if found.is_empty() {
        let what = format!("{} has no example", rule.entity);
        let remedy = "add found = [\"a text with a value\"]: it is held at every load";
        reader.mistake(&pattern.span(), what, remedy);
    }
    let not_found = raw.not_found.map(At::into_inner).unwrap_or_default();
    let mut hold = |examples: Vec<At<String>>, wanted: bool| {
        for example in examples {
            if compiled.finds(example.get_ref()) != wanted {
                let what = match wanted {
                    true => format!("{} is not found in this example", rule.entity),
                    false => format!("{} is found in this example", rule.entity),
                };
                reader.mistake(&example.span(), what, "change the pattern or the example");
            }
        }
    };
    hold(found, true);
    hold(not_found, false);
    Some(OwnEntity::Pattern(rule))
}

pub(super) fn named(reader: &mut Reader<'_>, name: &At<String>) -> At<String> {
    if !(1..=Edit::ENTITY_BYTES).contains(&name.get_ref().len()) || !is_in_capitals(name.get_ref())
    {
        let what = format!("\"{}\" is no name of an entity", name.get_ref().escape_debug());
        let most = Edit::ENTITY_BYTES;
        let remedy = format!("use at most {most} capitals, digits and _, like EMPLOYEE_ID");
        reader.mistake(&name.span(), what, remedy);
    }
    name.clone()
}

fn list(
    reader: &mut Reader<'_>,
    span: &Range<usize>,
    key: &str,
    given: Option<At<Vec<String>>>,
    file: Option<At<String>>,
) -> Option<List> {
    match (given, file) {
        (Some(given), None) => Some(List::Given(given.into_inner())),
        (None, Some(file)) => Some(List::File(reader.path(file.get_ref()))),
        (None, None) => {
            let remedy = match key {
                "terms" => "give pattern = '...', terms = [\"...\"] or file = \"...\"",
                _ => "give values = [\"...\"] or file = \"...\"",
            };
            reader.mistake(span, format!("neither {key} nor a file is given"), remedy);
            None
        }
        (Some(_), Some(file)) => {
            let what = format!("both {key} and a file are given");
            reader.mistake(&file.span(), what, "give each an entry of its own");
            None
        }
    }
}

/// A number from 0 to 1.
pub(super) fn share(reader: &mut Reader<'_>, key: &str, given: Option<&At<f64>>) -> Option<f32> {
    let given = given?;
    if !(0.0..=1.0).contains(given.get_ref()) {
        let what = format!("{key} is {}", given.get_ref());
        reader.mistake(&given.span(), what, "give a number from 0 to 1");
        return None;
    }
    Some(*given.get_ref() as f32)
}
