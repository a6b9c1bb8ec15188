//! How a service is reached.

use std::net::IpAddr;
use std::time::Duration;

use http::{HeaderMap, HeaderName, header};
use reqwest::Url;
use ringfence_chat::Dialect;

use crate::secret::{Secret, sensitive};

/// How a service is reached. The key is in no field that shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    /// Whose wire format it speaks.
    pub dialect: Dialect,
    /// Scheme, host, port and path up to the version: `https://api.openai.com/v1`.
    pub base_url: String,
    /// Its key; none for a service that asks for none.
    pub key: Option<Secret>,
    /// Headers that every request bears. They win over those of the dialect, but
    /// for the ones that make up the message and its authorisation.
    pub headers: Vec<(String, String)>,
    /// For the connection, name resolution and TLS included.
    pub connect_within: Duration,
    /// From sending to the first byte of the answer's body.
    pub first_byte_within: Duration,
    /// Between two pieces of the body.
    pub idle_within: Duration,
}

/// A connection that cannot be used. Shows nothing but names of headers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    /// The address is not one of HTTP.
    #[error("the base URL is not an http or https address with a host")]
    NotAnAddress,
    /// The address holds what it must not.
    #[error("the base URL must have no user, no password, no query and no fragment")]
    TooMuch,
    /// The key is empty or holds what no header takes.
    #[error("the key is empty or holds characters that no header takes")]
    Key,
    /// This header is not one, or is not the configuration's to set.
    #[error("the header {0:?} cannot be set")]
    Header(String),
    /// A time-out of nothing.
    #[error("a time-out must be longer than nothing")]
    NoTime,
    /// The system's certificates cannot be read.
    #[error("the system has no certificates of authorities (Debian: ca-certificates)")]
    NoAuthorities,
}

/// Headers that make up the message, or that speak for somebody.
const RESERVED: [HeaderName; 9] = [
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
];

impl Connection {
    /// The address of `path` under the base URL.
    pub(crate) fn address(&self, path: &str) -> Result<Url, ConnectionError> {
        // The parser would silently drop line breaks and tabs.
        if self.base_url.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
            return Err(ConnectionError::NotAnAddress);
        }
        let mut url = Url::parse(&self.base_url).map_err(|_| ConnectionError::NotAnAddress)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(ConnectionError::NotAnAddress);
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err(ConnectionError::TooMuch);
        }
        let whole = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&whole);
        Ok(url)
    }

    /// The configured headers, all marked so that no HTTP library shows them: some
    /// services take keys in headers of their own.
    pub(crate) fn own_headers(&self) -> Result<HeaderMap, ConnectionError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let wrong = || ConnectionError::Header(name.escape_debug().to_string());
            let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            if RESERVED.contains(&parsed) {
                return Err(wrong());
            }
            headers.append(parsed, sensitive(value).ok_or_else(wrong)?);
        }
        Ok(headers)
    }

    /// Whether the configuration sets this header itself.
    pub(crate) fn sets(&self, name: &str) -> bool {
        self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    }

    pub(crate) fn check_times(&self) -> Result<(), ConnectionError> {
        let times = [self.connect_within, self.first_byte_within, self.idle_within];
        if times.iter().any(Duration::is_zero) { Err(ConnectionError::NoTime) } else { Ok(()) }
    }
}

/// How far the host of `url` is, as far as its name says.
pub(crate) fn is_near(url: &Url) -> bool {
    match address_of(url) {
        Some(IpAddr::V4(address)) => {
            address.is_loopback() || address.is_private() || address.is_link_local()
        }
        Some(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        None => is_loopback(url),
    }
}

/// Whether the host of `url` is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match address_of(url) {
        Some(address) => address.is_loopback(),
        None => url.host_str().is_some_and(|host| {
            host.eq_ignore_ascii_case("localhost") || host.ends_with(".localhost")
        }),
    }
}

fn address_of(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

/// Shows names and times, and neither key nor values.
impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Connection")
            .field("dialect", &self.dialect)
            .field("base_url", &shown(&self.base_url))
            .field("key", &self.key.is_some())
            .field("headers", &names)
            .field("connect_within", &self.connect_within)
            .field("first_byte_within", &self.first_byte_within)
            .field("idle_within", &self.idle_within)
            .finish()
    }
}

/// The address without what may be a key: a user, a password, a query.
fn shown(base_url: &str) -> String {
    match Url::parse(base_url) {
        Ok(mut url) => {
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.set_fragment(None);
            url.to_string()
        }
        Err(_) => "(not an address)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(base_url: &str) -> Connection {
        Connection {
            dialect: Dialect::OpenAiChat,
            base_url: base_url.into(),
            key: Some(Secret::new("sk-canary")),
            headers: vec![("x-team".into(), "canary".into())],
            connect_within: Duration::from_secs(1),
            first_byte_within: Duration::from_secs(1),
            idle_within: Duration::from_secs(1),
        }
    }

    #[test]
    fn addresses() {
        use ConnectionError::*;
        let cases: &[(&str, Result<&str, ConnectionError>)] = &[
            ("https://api.openai.com/v1", Ok("https://api.openai.com/v1/chat")),
            ("https://api.openai.com/v1/", Ok("https://api.openai.com/v1/chat")),
            ("http://127.0.0.1:9/a/b", Ok("http://127.0.0.1:9/a/b/chat")),
            ("http://[::1]:9", Ok("http://[::1]:9/chat")),
            ("ftp://a.example/v1", Err(NotAnAddress)),
            ("file:///etc/passwd", Err(NotAnAddress)),
            ("api.openai.com/v1", Err(NotAnAddress)),
            ("https://a.example/v1\r\nx: y", Err(NotAnAddress)),
            ("https://a.exa\tmple/v1", Err(NotAnAddress)),
            ("https://user:canary@a.example/v1", Err(TooMuch)),
            ("https://a.example/v1?key=canary", Err(TooMuch)),
            ("https://a.example/v1#x", Err(TooMuch)),
        ];
        for (base, expected) in cases {
            let got = connection(base).address("/chat").map(|url| url.to_string());
            assert_eq!(got.as_deref(), expected.as_deref(), "{base}");
            assert!(!format!("{:?}", connection(base)).contains("canary"), "{base}");
        }
    }

    #[test]
    fn headers_that_speak_for_somebody_are_refused() {
        for (name, value, fine) in [
            ("anthropic-beta", "a,b", true),
            ("Authorization", "Bearer x", false),
            ("cookie", "x", false),
            ("host", "x", false),
            ("x a", "x", false),
            ("x-a", "b\r\nc: d", false),
        ] {
            let headers = vec![(name.to_owned(), value.to_owned())];
            let connection = Connection { headers, ..connection("http://a.example") };
            assert_eq!(connection.own_headers().is_ok(), fine, "{name}");
        }
    }

    #[test]
    fn nearness_is_what_the_name_says() {
        for (url, near, loopback) in [
            ("http://127.0.0.1", true, true),
            ("http://localhost:1", true, true),
            ("http://[::1]", true, true),
            ("http://10.1.2.3", true, false),
            ("http://192.168.0.1", true, false),
            ("http://[fd00::1]", true, false),
            ("http://8.8.8.8", false, false),
            ("http://a.example", false, false),
            ("http://localhost.example", false, false),
        ] {
            let url = Url::parse(url).expect("an address");
            assert_eq!((is_near(&url), is_loopback(&url)), (near, loopback), "{url}");
        }
    }
}
