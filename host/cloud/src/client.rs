//! The one place where an HTTP client is made.

use std::time::Duration;

use reqwest::{Client, Url, redirect, retry};
use ringfence_fence::Zone;

use crate::connection::{ConnectionError, is_near};

/// Who we say we are.
const USER_AGENT: &str = concat!("ringfence/", env!("CARGO_PKG_VERSION"));

/// Makes the client for the service at `url`.
///
/// It follows no redirect, keeps no cookie, sends no referrer and repeats nothing, so
/// that one departure is one request to one place. The proxies of the environment
/// (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`) count for targets outside, and even there
/// not for this machine and private addresses: what stays inside goes through nobody's
/// proxy.
#[allow(clippy::disallowed_methods, reason = "the only place where a client is made")]
pub(crate) fn client(
    url: &Url,
    zone: Zone,
    connect_within: Duration,
) -> Result<Client, ConnectionError> {
    // Another provider may have been installed by the program; then that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .connect_timeout(connect_within);
    if zone != Zone::Cloud || is_near(url) {
        builder = builder.no_proxy();
    }
    if url.scheme() == "http" {
        // No TLS: no certificates are needed, and a bare machine may have none.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|_| ConnectionError::NoAuthorities)
}
