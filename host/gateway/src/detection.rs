//! The detector in force: the one that ships, and what the operator adds to it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;

use ringfence_detect::{Allowed, Detector, HashKey, Pattern, TermsBuilder, Vocabulary};
use ringfence_fence::Digest;

use crate::config::{Detection, List, OwnEntity};
use crate::house::BuildError;
use crate::ids;

/// A detector, and what it was made of.
#[derive(Clone)]
pub struct Sight {
    /// The detector.
    pub detector: Arc<Detector>,
    /// Digest of all that the operator added. Changes with a file of terms.
    pub vocabulary: Digest,
    /// Its lists and values, for messages.
    pub size: Size,
}

/// How much an operator added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Patterns.
    pub patterns: usize,
    /// Terms of all lists.
    pub terms: usize,
    /// Values that are no findings.
    pub allowed: usize,
}

/// Makes the detector of `detection`. One that is the same as `before` stays the same.
/// Blocks: a million terms take half a second.
///
/// # Errors
/// Every file that cannot be read or holds what is no term, with its line.
pub fn sight(detection: &Detection, before: Option<&Sight>) -> Result<Sight, Vec<BuildError>> {
    let base =
        before.map_or_else(|| Arc::new(Detector::new()), |sight| Arc::clone(&sight.detector));
    let mut building = Building::new(detection)?;
    for entity in &detection.entities {
        building.entity(entity);
    }
    for allowance in &detection.allow {
        building.allow(allowance.entity.as_deref(), &allowance.list);
    }
    building.finish(&base, before)
}

/// The key of hashes in `file`, when there is one.
///
/// # Errors
/// What is wrong with it.
pub fn hash_key(file: &Path) -> Result<Option<HashKey>, BuildError> {
    let wrong = |what: String| BuildError::new(format!("the key {}: {what}", file.display()));
    match std::fs::read(file) {
        Ok(bytes) => match bytes.first_chunk().filter(|_| bytes.len() == KEY_BYTES) {
            Some(key) => Ok(Some(HashKey(*key))),
            None => Err(wrong(format!("it has {} bytes, and a key has {KEY_BYTES}", bytes.len()))),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// Bytes of a key file.
const KEY_BYTES: usize = 32;

struct Building {
    /// Whether the key is one that hashes were made with.
    is_kept: bool,
    patterns: Vec<Pattern>,
    terms: TermsBuilder,
    allowed: Allowed,
    size: Size,
    /// What the digest is taken of.
    made_of: Vec<u8>,
    errors: Vec<BuildError>,
}

impl Building {
    fn new(detection: &Detection) -> Result<Building, Vec<BuildError>> {
        let kept = hash_key(&detection.key).map_err(|error| vec![error])?;
        let key = kept.unwrap_or_else(|| {
            let mut key = [0; 16];
            ids::fill(&mut key);
            HashKey(key)
        });
        Ok(Building {
            is_kept: kept.is_some(),
            patterns: Vec::new(),
            terms: TermsBuilder::new(key),
            allowed: Allowed::new(key),
            size: Size::default(),
            // What hashes mean depends on the key.
            made_of: kept.map(|key| Digest::of(&key.0).0.to_vec()).unwrap_or_default(),
            errors: Vec::new(),
        })
    }

    fn entity(&mut self, entity: &OwnEntity) {
        self.made_of.extend_from_slice(format!("{entity:?}\0").as_bytes());
        match entity {
            OwnEntity::Pattern(rule) => match Pattern::new(rule.clone()) {
                Ok(pattern) => {
                    self.patterns.push(pattern);
                    self.size.patterns += 1;
                }
                Err(error) => {
                    self.errors
                        .push(BuildError::new(format!("the entity {}: {error}", rule.entity)));
                }
            },
            OwnEntity::Listed(listed) => {
                let what = format!("the terms of {}", listed.entity);
                if let Err(error) = self.terms.list(&listed.entity, listed.score) {
                    self.errors.push(BuildError::new(format!("{what}: {error}")));
                    return;
                }
                let count = self.each(&what, &listed.list, |building, term| {
                    building.terms.add(term, listed.match_case).map_err(|error| error.to_string())
                });
                self.size.terms += count;
            }
        }
    }

    fn allow(&mut self, entity: Option<&str>, list: &List) {
        self.made_of.extend_from_slice(format!("allow {entity:?}\0").as_bytes());
        let count = self.each("the allowed values", list, |building, value| {
            building.allowed.add(entity, value).map_err(|error| error.to_string())
        });
        self.size.allowed += count;
    }

    /// Does something with each value of a list, and counts them. Stops at the first
    /// error: a file that is none has a million of them.
    fn each(
        &mut self,
        what: &str,
        list: &List,
        mut take: impl FnMut(&mut Building, &str) -> Result<(), String>,
    ) -> usize {
        let mut taken = 0;
        let result = match list {
            List::Given(values) => values.iter().try_for_each(|value| {
                self.made_of.extend_from_slice(&(value.len() as u64).to_be_bytes());
                self.made_of.extend_from_slice(value.as_bytes());
                taken += 1;
                self.check_key(value).and_then(|()| take(self, value))
            }),
            List::File(file) => self
                .lines(file, |building, line, value| {
                    taken += 1;
                    building
                        .check_key(value)
                        .and_then(|()| take(building, value))
                        .map_err(|error| format!("line {line}: {error}"))
                })
                .map_err(|error| format!("{}: {error}", file.display())),
        };
        match result {
            Ok(()) if taken == 0 => {
                // An empty file is more often half a write than an intention.
                let wrong = "there are none; leave the entry out if that is meant";
                self.errors.push(BuildError::new(format!("{what}: {wrong}")));
            }
            Ok(()) => {}
            Err(error) => self.errors.push(BuildError::new(format!("{what}: {error}"))),
        }
        taken
    }

    /// Reads a file line by line. Empty lines and those that begin with `# ` do not count.
    fn lines(
        &mut self,
        file: &Path,
        mut take: impl FnMut(&mut Building, usize, &str) -> Result<(), String>,
    ) -> Result<(), String> {
        let text = |error: std::io::Error| error.to_string();
        let metadata = std::fs::metadata(file).map_err(text)?;
        // A pipe or a device would block or never end.
        if !metadata.is_file() {
            return Err("it is no regular file".to_owned());
        }
        if metadata.len() > Detection::FILE_BYTES {
            return Err(format!("it has more than {} bytes", Detection::FILE_BYTES));
        }
        let opened = std::fs::File::open(file).map_err(text)?;
        // A file that grows meanwhile ends where it ended when it was looked at.
        let mut reader = BufReader::new(opened.take(metadata.len()));
        let (mut line, mut number) = (Vec::new(), 0);
        loop {
            line.clear();
            let most = Detection::LINE_BYTES as u64 + 1;
            let read = (&mut reader).take(most).read_until(b'\n', &mut line).map_err(text)?;
            if read == 0 {
                return Ok(());
            }
            number += 1;
            if line.len() > Detection::LINE_BYTES {
                let most = Detection::LINE_BYTES;
                return Err(format!("line {number} has more than {most} bytes"));
            }
            let digest = Digest::of(&line);
            self.made_of.extend_from_slice(&digest.0[..16]);
            let value = std::str::from_utf8(&line)
                .map_err(|_| format!("line {number} is not UTF-8; save the file as UTF-8"))?
                .trim_start_matches('\u{feff}')
                .trim();
            if !value.is_empty() && !value.starts_with("# ") {
                take(self, number, value)?;
            }
        }
    }

    fn check_key(&self, value: &str) -> Result<(), String> {
        if value.starts_with("hash:") && !self.is_kept {
            return Err("it is a hash, and this installation has no key for hashes; \
                        `ringfence detect --hash` makes both"
                .to_owned());
        }
        Ok(())
    }

    fn finish(self, base: &Detector, before: Option<&Sight>) -> Result<Sight, Vec<BuildError>> {
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        let vocabulary = Digest::of(&self.made_of);
        if let Some(same) = before.filter(|before| before.vocabulary == vocabulary) {
            return Ok(same.clone());
        }
        let Building { patterns, terms, allowed, size, .. } = self;
        let added = Vocabulary { patterns, terms: terms.build(), allowed };
        Ok(Sight { detector: Arc::new(base.with(added)), vocabulary, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Listed;

    #[test]
    fn files_and_lines_are_bounded() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let file = folder.path().join("terms.txt");
        let listed = Listed {
            entity: "CUSTOMER".to_owned(),
            score: 0.9,
            match_case: false,
            list: List::File(file.clone()),
        };
        let detection = Detection {
            entities: vec![OwnEntity::Listed(listed)],
            key: folder.path().join("none"),
            ..Detection::default()
        };
        let says = |bytes: u64| {
            let made = std::fs::File::create(&file).expect("a file");
            made.set_len(bytes).expect("a length");
            let errors = sight(&detection, None).map(drop).expect_err("an error");
            errors[0].to_string()
        };
        let most = Detection::LINE_BYTES as u64;
        assert!(says(most).contains("a term has more than"), "{}", says(most));
        assert!(says(most + 1).contains("line 1 has more than"), "{}", says(most + 1));
        let most = Detection::FILE_BYTES;
        assert!(says(most + 1).contains("it has more than"), "{}", says(most + 1));
    }
}
