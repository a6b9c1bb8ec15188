//! What a policy says about itself when it is loaded.

use serde::{Deserialize, Serialize};

/// What a policy says about itself when it is loaded. Sorted lists without repetition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// Every code that a judgement may carry.
    pub codes: Vec<String>,
    /// Every label that a judgement may carry.
    pub labels: Vec<String>,
    /// The grants without which it cannot work.
    pub needs: Vec<String>,
}

impl Declaration {
    /// The most names in one list.
    pub const NAMES: usize = 256;
    /// The longest name. ASCII letters, digits and `_ - . : / =`: names reach headers,
    /// records and metrics.
    pub const NAME_BYTES: usize = 64;

    /// What stands before a classifier's name in `needs`.
    pub const SCORE: &'static str = "score:";

    /// The classifiers whose scores it needs.
    pub fn scores(&self) -> impl Iterator<Item = &str> {
        self.needs.iter().filter_map(|need| need.strip_prefix(Declaration::SCORE))
    }

    /// Checks and sorts what a policy declared.
    ///
    /// # Errors
    /// What is wrong, without a name that does not fit the alphabet.
    pub(crate) fn check(mut self) -> Result<Declaration, String> {
        for (list, names) in
            [("codes", &mut self.codes), ("labels", &mut self.labels), ("needs", &mut self.needs)]
        {
            if names.len() > Declaration::NAMES {
                return Err(format!("it declares more than {} {list}", Declaration::NAMES));
            }
            if !names.iter().all(|name| is_name(name)) {
                return Err(format!(
                    "its {list} hold a name that is empty, longer than {} bytes, or has other \
                     characters than ASCII letters, digits and _ - . : / =",
                    Declaration::NAME_BYTES,
                ));
            }
            names.sort_unstable();
            names.dedup();
        }
        Ok(self)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= Declaration::NAME_BYTES
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:/=".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declaring(codes: &[&str]) -> Result<Declaration, String> {
        let codes = codes.iter().map(|code| (*code).to_owned()).collect();
        Declaration { codes, ..Declaration::default() }.check()
    }

    #[test]
    fn names_are_sorted_and_unique() {
        let declaration = declaring(&["b", "a", "b"]).unwrap();
        assert_eq!(declaration.codes, ["a", "b"]);
    }

    #[test]
    fn names_that_could_break_a_header_are_refused() {
        for name in ["", "a\r\nx: y", "a b", "\u{e9}", &"x".repeat(Declaration::NAME_BYTES + 1)] {
            assert!(declaring(&[name]).is_err(), "{name:?}");
        }
        assert!(declaring(&[&"x".repeat(Declaration::NAME_BYTES)]).is_ok());
    }

    #[test]
    fn too_many_names_are_refused() {
        let many = |count: usize| {
            let names: Vec<String> = (0..count).map(|index| format!("c{index}")).collect();
            Declaration { labels: names, ..Declaration::default() }.check()
        };
        assert!(many(Declaration::NAMES).is_ok());
        assert!(many(Declaration::NAMES + 1).is_err());
    }
}
