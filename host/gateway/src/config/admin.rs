//! `[admin]`: the listener of the admin API.

use std::net::SocketAddr;

use ringfence_fence::Digest;

use super::reader::{At, Reader};
use super::{Admin, Server, raw};

/// Resolves the section.
pub(super) fn resolve(
    reader: &mut Reader<'_>,
    raw: At<raw::Admin>,
    server: &Server,
) -> Option<Admin> {
    let span = raw.span();
    let raw::Admin { address, token_sha256 } = raw.into_inner();
    let remedy = "add address = \"127.0.0.1:8081\": it has a port of its own";
    let Some(address) = address else {
        reader.mistake(&span, "[admin] has no address", remedy);
        return None;
    };
    let Ok(parsed) = address.get_ref().parse::<SocketAddr>() else {
        let what = format!("address is \"{}\"", address.get_ref().escape_debug());
        reader.mistake(&address.span(), what, "give an IP address and a port");
        return None;
    };
    if parsed == server.address && parsed.port() != 0 {
        let what = "[admin] and [server] have the same address";
        reader.mistake(&address.span(), what, remedy);
    }
    let remedy = "give the SHA-256 of a token in 64 hexadecimal digits; `ringfence key new --tenant \
                  admin` prints a key and its digest";
    let Some(given) = token_sha256 else {
        reader.mistake(&span, "[admin] has no token_sha256", remedy);
        return None;
    };
    let token = Digest::parse(given.get_ref());
    if token.is_none() {
        // What stands there may be the token itself, so it is not repeated.
        reader.mistake(&given.span(), "token_sha256 is no digest", remedy);
    }
    Some(Admin { address: parsed, token: token? })
}
