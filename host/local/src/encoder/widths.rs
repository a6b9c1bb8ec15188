//! How many numbers a vector may have.

use crate::config::Keys;
use crate::fault::LocalError;
use crate::files::ModelFiles;

/// The lengths of vector that a model permits. A model that was trained for it (Matryoshka)
/// has vectors whose beginnings are vectors too; of any other a beginning means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widths {
    whole: usize,
    shorter: Shorter,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shorter {
    /// None.
    No,
    /// These.
    Listed(Vec<usize>),
    /// Every one.
    Every,
}

/// A length that a model does not permit. Says so to the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`dimensions` is {asked}, but {permitted}")]
pub struct WrongWidth {
    asked: usize,
    permitted: String,
}

impl Widths {
    /// The file.
    const FILE: &'static str = "config.json";

    /// Lengths that a file may list.
    const LISTED: usize = 64;

    /// What `config.json` says: `matryoshka_dimensions` lists lengths, and `is_matryoshka`
    /// permits every one up to `whole`.
    ///
    /// # Errors
    /// [`LocalError::Model`].
    pub(crate) fn read(files: &ModelFiles, whole: usize) -> Result<Widths, LocalError> {
        let map = files.json(Self::FILE)?.unwrap_or_default();
        Self::parse(&Keys(&map), whole).map_err(|problem| files.fault(Self::FILE, problem))
    }

    fn parse(keys: &Keys<'_>, whole: usize) -> Result<Widths, String> {
        let every = keys.flag("is_matryoshka")? == Some(true);
        let shorter = match keys.sizes("matryoshka_dimensions")? {
            None if every => Shorter::Every,
            None => Shorter::No,
            Some(listed) if listed.len() > Self::LISTED => {
                return Err(format!("lists more than {} lengths of vector", Self::LISTED));
            }
            Some(listed) => match listed.iter().find(|&&one| one == 0 || one > whole) {
                Some(wrong) => {
                    return Err(format!(
                        "has {wrong} in `matryoshka_dimensions`; its vectors have {whole} numbers"
                    ));
                }
                None => Shorter::Listed(listed),
            },
        };
        Ok(Widths { whole, shorter })
    }

    /// Numbers of a vector that is not shortened.
    pub fn whole(&self) -> usize {
        self.whole
    }

    /// Numbers of a vector for a client that asks for so many, or for none in particular.
    ///
    /// # Errors
    /// [`WrongWidth`].
    pub fn of(&self, asked: Option<u32>) -> Result<usize, WrongWidth> {
        let Some(asked) = asked else { return Ok(self.whole) };
        let asked = asked as usize;
        let whole = self.whole;
        let is_permitted = match &self.shorter {
            _ if asked == whole => true,
            Shorter::No => false,
            Shorter::Listed(listed) => listed.contains(&asked),
            Shorter::Every => (1..whole).contains(&asked),
        };
        if is_permitted {
            return Ok(asked);
        }
        let permitted = match &self.shorter {
            Shorter::No => {
                format!("vectors of this model have {whole} numbers and cannot be shortened")
            }
            Shorter::Listed(listed) => {
                let listed: Vec<String> = listed.iter().map(usize::to_string).collect();
                format!("vectors of this model have {whole} numbers, or {}", listed.join(", "))
            }
            Shorter::Every => format!("vectors of this model have 1 to {whole} numbers"),
        };
        Err(WrongWidth { asked, permitted })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parsed(config: Value) -> Result<Widths, String> {
        Widths::parse(&Keys(config.as_object().expect("an object")), 24)
    }

    #[test]
    fn a_length_is_what_the_model_permits() {
        let listed = json!({"matryoshka_dimensions": [16, 8]});
        let every = json!({"is_matryoshka": true});
        for (config, asked, expected) in [
            (json!({}), None, Ok(24)),
            (json!({}), Some(24), Ok(24)),
            (json!({}), Some(8), Err("have 24 numbers and cannot be shortened")),
            (json!({"is_matryoshka": false}), Some(8), Err("cannot be shortened")),
            (listed.clone(), Some(8), Ok(8)),
            (listed.clone(), Some(24), Ok(24)),
            (listed, Some(9), Err("24 numbers, or 16, 8")),
            (every.clone(), Some(1), Ok(1)),
            (every.clone(), Some(25), Err("`dimensions` is 25, but")),
            (every, Some(u32::MAX), Err("1 to 24 numbers")),
        ] {
            let said = parsed(config.clone()).expect("widths").of(asked);
            match (said, expected) {
                (Ok(said), Ok(expected)) => assert_eq!(said, expected, "{config}"),
                (Err(said), Err(expected)) => {
                    assert!(said.to_string().contains(expected), "{config}: {said}");
                }
                (said, expected) => panic!("{config}, {asked:?}: {said:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn a_list_that_cannot_be_is_refused() {
        let many: Vec<usize> = vec![1; Widths::LISTED + 1];
        for (list, says) in [
            (json!([25]), "25 in `matryoshka_dimensions`"),
            (json!([0]), "0 in `matryoshka_dimensions`"),
            (json!(8), "not as a list of whole numbers"),
            (json!([1.5]), "not as a list of whole numbers"),
            (json!(many), "more than 64 lengths"),
        ] {
            let said = parsed(json!({"matryoshka_dimensions": list})).expect_err(says);
            assert!(said.contains(says), "{says}: {said}");
        }
    }
}
