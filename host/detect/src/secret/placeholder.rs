//! What stands where a secret will stand: examples, templates, references.

/// Words that documents put in a secret's place.
const WORDS: [&str; 66] = [
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "secret",
    "secrets",
    "token",
    "string",
    "none",
    "null",
    "nil",
    "true",
    "false",
    "undefined",
    "changeme",
    "change-me",
    "change_me",
    "example",
    "test",
    "required",
    "optional",
    "redacted",
    "hidden",
    "masked",
    "removed",
    "empty",
    "todo",
    "tbd",
    "n/a",
    "value",
    "key",
    "apikey",
    "api_key",
    "api-key",
    "mypassword",
    "my_password",
    "my-password",
    "mysecret",
    "my_secret",
    "my-secret",
    "mytoken",
    "user",
    "username",
    "default",
    "placeholder",
    "dummy",
    "sample",
    "text",
    "varchar",
    "char",
    "str",
    "bytes",
    "int",
    "bool",
    "object",
    "any",
    "unknown",
    "bearer",
    "basic",
    "yes",
    "no",
    "enabled",
    "disabled",
    "on",
    "off",
];

/// Fragments that no real secret contains but by design.
const FRAGMENTS: [&str; 21] = [
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "your-",
    "your_",
    "yourpass",
    "yoursecret",
    "yourtoken",
    "yourapi",
    "xxxx",
    "****",
    "...",
    "redacted",
    "insert",
    "<",
    "${",
    "{{",
    "$(",
    "dummy",
    "replace",
];

/// Whether a value is obviously none.
pub(super) fn is_placeholder(value: &str) -> bool {
    let begins = ['$', '{', '<', '[', '%', '*', '('];
    if value.starts_with(begins) && !value[1..].chars().all(char::is_alphanumeric) {
        return true;
    }
    let lower = value.to_ascii_lowercase();
    let bare = lower.trim_matches(|c: char| !c.is_alphanumeric());
    WORDS.contains(&bare) || is_template(&lower) || repeats(value.as_bytes())
}

/// Whether a key in a vendor's format is one from its documentation.
pub(super) fn is_template(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    FRAGMENTS.iter().any(|fragment| lower.contains(fragment))
}

/// Whether two thirds of it are one character: `000000`, `xxxx-xxxx`.
pub(super) fn repeats(value: &[u8]) -> bool {
    let mut counts = [0_usize; 256];
    for &byte in value {
        counts[byte as usize] += 1;
    }
    let most = counts.iter().max().copied().unwrap_or(0);
    value.len() >= 3 && most * 3 > value.len() * 2
}

/// Whether an unquoted value is code that fetches one: `os.environ["KEY"]`,
/// `getpass()`, `config.token`.
pub(super) fn is_reference(value: &str) -> bool {
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '>' | '-');
    let words = value.split(['.', ':', '>']).filter(|word| !word.is_empty());
    let dotted = value.contains(['.', ':', '>'])
        && value.chars().all(name)
        && words.clone().count() >= 2
        && words.clone().all(|word| {
            let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
            word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && letters * 10 >= word.len() * 8
                && word.len() <= 24
        });
    value.contains(['(', '[', '{']) || dotted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_examples_from_secrets() {
        for value in [
            "password",
            "<password>",
            "${DB_PASS}",
            "your_password",
            "xxxxxxxx",
            "********",
            "%(password)s",
            "{{ token }}",
            "Example",
            "AKIAIOSFODNN7EXAMPLE",
            "...",
        ] {
            assert!(is_placeholder(value), "{value}");
        }
        for value in ["hunter2", "$ecret9", "Tr0ub4dor&3", "s3cr3t"] {
            assert!(!is_placeholder(value), "{value}");
        }
    }

    #[test]
    fn tells_code_from_values() {
        for value in ["os.environ[", "getpass()", "config.token", "self.api_key", "process.env.KEY"]
        {
            assert!(is_reference(value), "{value}");
        }
        for value in ["hunter2", "a1b2.c3d4", "MTIz.Xy9z.0aBcD"] {
            assert!(!is_reference(value), "{value}");
        }
    }
}
