//! `[signatures]`: whose policies run.

use super::raw;
use super::reader::Reader;
use super::words::{NAME_REMEDY, is_name};
use crate::signatures::{Signatures, TrustedKey};

/// Keys at most.
pub const TRUSTED_KEYS: usize = 64;

/// Resolves the section.
pub(super) fn resolve(reader: &mut Reader<'_>, raw: raw::Signatures) -> Signatures {
    let mut trusted: Vec<TrustedKey> = Vec::new();
    for (name, text) in &raw.trusted {
        if !is_name(name.get_ref()) {
            let what = format!("the key's name is \"{}\"", name.get_ref().escape_debug());
            reader.mistake(&name.span(), what, NAME_REMEDY);
        }
        if trusted.len() == TRUSTED_KEYS {
            let what = format!("more than {TRUSTED_KEYS} keys are trusted");
            reader.mistake(&name.span(), what, "take out those that no longer sign");
            break;
        }
        match TrustedKey::parse(name.get_ref(), text.get_ref()) {
            Some(key) => trusted.push(key),
            None => {
                let what = format!("\"{}\" is no public key", name.get_ref().escape_debug());
                let remedy = "give the second line of the .pub file that `ringfence policy \
                              keygen` or minisign wrote";
                reader.mistake(&text.span(), what, remedy);
            }
        }
    }
    Signatures { required: raw.require_signed.unwrap_or(false), trusted }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, Surroundings};

    const KEY: &str = "RWRPspTkhURr9Uzi+sI9NsYBLW12Ut4kVC0Pfoip5+/1xqUYZ6QLz4Pd";

    fn read(section: &str) -> Result<Signatures, String> {
        let text = format!(
            "state = \"s\"\n[[targets]]\nname = \"local\"\nkind = \"local\"\n[local]\nmodel = \"trial\"\n{section}"
        );
        let surroundings = Surroundings::Given(Default::default());
        Config::from_text(&text, Path::new("/c"), &surroundings)
            .map(|config| config.signatures)
            .map_err(|mistakes| mistakes.to_string())
    }

    #[test]
    fn keys_are_read_with_their_names_and_what_is_none_is_told_with_its_line() {
        assert_eq!(read(""), Ok(Signatures::default()));
        let two = format!(
            "[signatures]\nrequire_signed = true\n[signatures.trusted]\none = \"{KEY}\"\ntwo = \"{KEY}\""
        );
        let signatures = read(&two).expect("a configuration");
        let names: Vec<&str> =
            signatures.trusted.iter().map(|trusted| trusted.name.as_str()).collect();
        assert!(signatures.required);
        assert_eq!(names, ["one", "two"]);
        assert_eq!(signatures.trusted[0].id().to_string(), "F56B4485E494B24F");

        let cut = &KEY[..40];
        for (section, expected) in [
            (format!("[signatures.trusted]\none = \"{cut}\""), ":8: \"one\" is no public key"),
            (format!("[signatures.trusted]\n\"a b\" = \"{KEY}\""), "the key's name is \"a b\""),
            ("[signatures]\nrequire_signed = \"yes\"".into(), "expected a boolean"),
            ("[signatures]\nrequired = true".into(), "has no key `required`"),
            ("require_signed = true".into(), "has no key `require_signed`"),
        ] {
            let said = read(&section).expect_err(&section);
            assert!(said.contains(expected), "{section}: {said}");
        }
    }

    #[test]
    fn keys_have_a_bound() {
        let keys = |number: usize| {
            let lines: String =
                (0..number).map(|number| format!("k{number} = \"{KEY}\"\n")).collect();
            read(&format!("[signatures.trusted]\n{lines}"))
        };
        assert_eq!(keys(TRUSTED_KEYS).map(|read| read.trusted.len()), Ok(TRUSTED_KEYS));
        assert!(keys(TRUSTED_KEYS + 1).expect_err("too many").contains("more than 64 keys"));
    }
}
