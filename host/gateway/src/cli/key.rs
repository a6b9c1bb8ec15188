//! `ringfence key`: keys of callers. A key is shown once and stored nowhere.

use std::io::Read as _;

use ringfence_fence::Digest;

use super::Trouble;
use super::screen::{Screen, Style};

/// Random bytes of a new key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a key at most, when it is hashed.
pub const KEY_TEXT_BYTES: u64 = 4096;

/// Prints a new key and its entry.
///
/// # Errors
/// [`Trouble`]: a name that an entry cannot have.
pub fn new(tenant: &str, name: Option<&str>, screen: &mut Screen) -> Result<(), Trouble> {
    let name = name.unwrap_or(tenant);
    for word in [tenant, name] {
        if !ringfence::config::is_name(word) {
            return Err(Trouble::Found(format!(
                "\"{}\" is no name: use 1 to 64 letters, digits, dots, hyphens and underscores",
                word.escape_debug()
            )));
        }
    }
    let key = fresh();
    let text = format!(
        "{}\n\n  {key}\n\n{}\n\n[[callers]]\nname = \"{name}\"\ntenant = \"{tenant}\"\nkey_sha256 = \"{}\"\n",
        screen.style(Style::Strong, "The key, shown this once, for the client:"),
        screen.style(Style::Strong, "For the configuration:"),
        Digest::of(key.as_bytes()),
    );
    Ok(screen.write(&text)?)
}

/// Prints the SHA-256 of the key on the standard input.
///
/// # Errors
/// [`Trouble`]: there is none.
pub fn hash(screen: &mut Screen) -> Result<(), Trouble> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(KEY_TEXT_BYTES + 1).read_to_string(&mut text);
    let key = text.trim();
    if read.is_err() || key.is_empty() || text.len() as u64 > KEY_TEXT_BYTES {
        let text = format!("give one key of at most {KEY_TEXT_BYTES} bytes on the standard input");
        return Err(Trouble::Found(text));
    }
    Ok(screen.line(&Digest::of(key.as_bytes()).to_string())?)
}

fn fresh() -> String {
    let mut bytes = [0; KEY_BYTES];
    ringfence::ids::fill(&mut bytes);
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("rf-{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_long_and_never_the_same() {
        let (one, two) = (fresh(), fresh());
        assert_ne!(one, two);
        assert_eq!(one.len(), 3 + 2 * KEY_BYTES);
    }

    #[test]
    fn a_name_cannot_break_the_entry() {
        let mut screen = Screen::plain(std::io::sink());
        assert!(new("a\"\nb", None, &mut screen).is_err());
        assert!(new("clinic", Some("ward-3"), &mut screen).is_ok());
    }
}
