//! How OpenAI's chat completions are called.

use http::{HeaderMap, header};

use crate::connection::{Connection, ConnectionError};

/// The path under the base URL.
pub(crate) const PATH: &str = "/chat/completions";

/// The same for vectors.
pub(crate) const EMBEDDINGS_PATH: &str = "/embeddings";

/// The headers that prove who calls.
pub(crate) fn headers(connection: &Connection) -> Result<HeaderMap, ConnectionError> {
    let mut headers = HeaderMap::new();
    if let Some(key) = &connection.key {
        let value = key.header("Bearer ").ok_or(ConnectionError::Key)?;
        headers.insert(header::AUTHORIZATION, value);
    }
    Ok(headers)
}
