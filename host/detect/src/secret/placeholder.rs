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
    let value = value.trim_matches(['"', '\'', '`']);
    if value.starts_with(begins) && !value[1..].chars().all(char::is_alphanumeric) {
        return true;
    }
    let name = |c: char| c.is_ascii_lowercase() || c == '_';
    if value.strip_prefix('$').is_some_and(|rest| rest.chars().all(name)) {
        return true;
    }
    let lower = value.to_ascii_lowercase();
    let bare = lower.trim_matches(|c: char| !c.is_alphanumeric());
    let word = |c: char| c.is_ascii_alphabetic() || "-_./:#@ ".contains(c);
    let solid = value.len() >= 10 && value.bytes().all(|byte| byte.is_ascii_lowercase());
    WORDS.contains(&bare)
        || is_template(&lower)
        || repeats(value.as_bytes())
        || is_specimen(value.as_bytes())
        // `#add-password`, `newPassword`: a name of the thing.
        || !solid && lower.contains("passw") && lower.chars().all(word)
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

/// Whether half of it or more counts up: `abcdefghij`, `1234567890`. Of passwords people
/// make that one too; of keys only authors of examples do.
pub(super) fn counts_up(value: &[u8]) -> bool {
    /// Shorter than this it may be chance.
    const RUN: usize = 8;
    let follows = |pair: &[u8]| pair[1] == pair[0] + 1 || pair == b"90";
    let (mut longest, mut run) = (0, 1);
    for pair in value.windows(2) {
        run = if pair[0].is_ascii_alphanumeric() && follows(pair) { run + 1 } else { 1 };
        longest = longest.max(run);
    }
    longest >= RUN && longest * 2 >= value.len()
}

/// Whether a key's tail, or a password, is one that a vendor's documents show to everybody.
pub(super) fn is_specimen(value: &[u8]) -> bool {
    SPECIMENS.iter().any(|specimen| specimen.as_bytes() == value)
}

/// Values that vendors publish: keys in the samples of Google's libraries and in Stripe's
/// manual, without their prefix; the passwords of NuGet's manual.
const SPECIMENS: [&str; 6] = [
    "SyCkEhVjf3pduRDt6d1yKOMitrUEke8agEM",
    "SyDMAScliyLx7F0NPDEJi1QmyCgHIAODrlU",
    "4eC39HqLyjWDarjtT1zdp7dc",
    "BQokikJOvBiI2HlWgH4olfQ2",
    "33f!!lloppa",
    "hal+9ooo_da!sY",
];

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
            let lines = word.bytes().filter(|&byte| byte == b'_').count();
            word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && (letters + lines) * 10 >= word.len() * 8
                && (word.len() <= 24 || lines >= 2 || value.contains("::"))
        });
    let begins = value.starts_with(['*', '&', '@']) || value.starts_with("__");
    begins || value.contains(['(', '[', '{']) || dotted
}

/// Whether a value is a name made of words rather than something random:
/// `SMART_ON_FHIR_V1`, `id-Gost28147-89-None`.
pub(super) fn is_name(value: &str) -> bool {
    let part = |part: &str| {
        let letters = part.bytes().take_while(u8::is_ascii_alphabetic).count();
        let rest = &part[letters..];
        let upper = part[..letters].bytes().skip(1).filter(u8::is_ascii_uppercase).count();
        let one_case = upper == 0 || upper + 1 >= letters || upper * 4 <= letters;
        rest.len() <= 5
            && rest.bytes().all(|byte| byte.is_ascii_digit())
            && (letters == 0 || letters >= 2 || part.len() <= 3)
            && one_case
    };
    let mut parts = value.split(['-', '_', '.', '/', ':', ' ']).filter(|part| !part.is_empty());
    let long = parts.clone().filter(|part| part.len() >= 3).count();
    long >= 2 && parts.all(part)
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
        for value in
            ["sys::IORING_MSG_RING_FLAGS_PASS", "process.env.REACT_APP_DEV_PASSWORD", "*mut"]
        {
            assert!(is_reference(value), "{value}");
        }
    }

    #[test]
    fn tells_what_counts_up() {
        for value in ["abcdefghijklmnopqrstuvwxyz123", "1234567890", "x-123456789012"] {
            assert!(counts_up(value.as_bytes()), "{value}");
        }
        for value in ["1234567", "OOzkR1hF1ABCsIFDJMEUtqmtnZ1234567890", "", "a", "hunter2"] {
            assert!(!counts_up(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn tells_names_from_what_is_random() {
        for value in ["SMART_ON_FHIR_V1", "id-Gost28147-89-None-KeyMeshing", "my-secret-name"] {
            assert!(is_name(value), "{value}");
        }
        for value in ["MyTest-1a2b3c", "a1b2c3d4e5f6g7h8", "hunter2", "aGVsb-G8gd29_ybGQx"] {
            assert!(!is_name(value), "{value}");
        }
    }
}
