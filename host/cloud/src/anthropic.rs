//! How Anthropic's messages are called.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::connection::{Connection, ConnectionError};

/// The path under the base URL.
pub(crate) const PATH: &str = "/messages";

/// The version of the wire format that the house writes. The configuration may name
/// another one in its headers.
const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// The headers that prove who calls, and the version.
pub(crate) fn headers(connection: &Connection) -> Result<HeaderMap, ConnectionError> {
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static("anthropic-version"), VERSION);
    if let Some(key) = &connection.key {
        let value = key.header("").ok_or(ConnectionError::Key)?;
        headers.insert(HeaderName::from_static("x-api-key"), value);
    }
    Ok(headers)
}
