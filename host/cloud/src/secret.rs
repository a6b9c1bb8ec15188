//! A key, which never shows.

use http::HeaderValue;

/// The key of a service. It shows nowhere, and only this crate can read it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
}

impl Secret {
    /// Wraps a key.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret { text: text.into() }
    }

    /// The key after `prefix` as a header's value, marked so that no HTTP library
    /// shows it. `None` when it holds what no header takes.
    pub fn header(&self, prefix: &str) -> Option<HeaderValue> {
        sensitive(&format!("{prefix}{}", self.text))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// A header's value that no HTTP library shows.
pub(crate) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Shows that there is one.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_shows() {
        let secret = Secret::new("sk-canary");
        let header = secret.header("Bearer ").expect("a header");
        for shown in [format!("{secret:?}"), format!("{header:?}")] {
            assert!(!shown.contains("canary"), "{shown}");
        }
        assert_eq!(header.as_bytes(), b"Bearer sk-canary");
    }

    #[test]
    fn a_key_cannot_begin_a_header_of_its_own() {
        assert!(Secret::new("a\r\nx-evil: 1").header("").is_none());
    }
}
