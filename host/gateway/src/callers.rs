//! Who is calling.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use ringfence_fence::{Caller, Digest};

use crate::config::CallerKey;

/// The callers of one configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callers {
    keys: Vec<CallerKey>,
    anonymous: Caller,
}

/// The client showed no key, or one that nobody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// No key.
    Missing,
    /// A key that the configuration does not have.
    Wrong,
}

impl Callers {
    /// The callers that hold `keys`; anyone, when there are none.
    pub fn new(keys: Vec<CallerKey>) -> Callers {
        let anonymous = Caller {
            tenant: "local".into(),
            key: "anonymous".into(),
            labels: Vec::new(),
            targets: None,
        };
        Callers { keys, anonymous }
    }

    /// The caller whose key is in `authorization: Bearer` or `x-api-key`.
    ///
    /// # Errors
    /// [`Unknown`], when the configuration has callers and this is none of them.
    pub fn identify(&self, headers: &HeaderMap) -> Result<&Caller, Unknown> {
        if self.keys.is_empty() {
            return Ok(&self.anonymous);
        }
        let key = presented(headers).ok_or(Unknown::Missing)?;
        let hash = Digest::of(key);
        // Every entry is compared in full, so that time tells nothing.
        let mut known = None;
        for entry in &self.keys {
            let difference = entry.hash.0.iter().zip(hash.0).fold(0u8, |sum, (a, b)| sum | (a ^ b));
            if std::hint::black_box(difference) == 0 {
                known = Some(&entry.caller);
            }
        }
        known.ok_or(Unknown::Wrong)
    }

    /// The caller of that key id or tenant, for explanations.
    pub fn named(&self, name: &str) -> Option<&Caller> {
        let callers = || self.keys.iter().map(|entry| &entry.caller).chain([&self.anonymous]);
        callers().find(|caller| caller.key == name).or_else(|| callers().find(|c| c.tenant == name))
    }
}

fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let (scheme, key) = value.as_bytes().split_at_checked(7)?;
        return scheme.eq_ignore_ascii_case(b"bearer ").then(|| key.trim_ascii());
    }
    headers.get("x-api-key").map(|value| value.as_bytes().trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callers() -> Callers {
        let caller = |key: &str| Caller {
            tenant: "clinic".into(),
            key: key.into(),
            labels: Vec::new(),
            targets: None,
        };
        Callers::new(vec![
            CallerKey { hash: Digest::of(b"rf-one"), caller: caller("one") },
            CallerKey { hash: Digest::of(b"rf-two"), caller: caller("two") },
        ])
    }

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().expect("a header value"));
        headers
    }

    #[test]
    fn keys_come_in_either_header() {
        for (name, value, expected) in [
            ("authorization", "Bearer rf-one", Ok("one")),
            ("authorization", "bearer rf-two", Ok("two")),
            ("x-api-key", "rf-two", Ok("two")),
            ("authorization", "Bearer rf-", Err(Unknown::Wrong)),
            ("authorization", "Bearer ", Err(Unknown::Wrong)),
            ("authorization", "Basic rf-one", Err(Unknown::Missing)),
            ("x-other", "rf-one", Err(Unknown::Missing)),
        ] {
            let callers = callers();
            let found = callers.identify(&headers(name, value)).map(|caller| caller.key.as_str());
            assert_eq!(found, expected, "{name}: {value}");
        }
    }

    #[test]
    fn without_callers_anyone_is_the_local_tenant() {
        let callers = Callers::new(Vec::new());
        let caller = callers.identify(&HeaderMap::new()).map(|caller| caller.tenant.clone());
        assert_eq!(caller, Ok("local".into()));
    }
}
