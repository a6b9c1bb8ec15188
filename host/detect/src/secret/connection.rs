//! Addresses with a user and a password in them (RFC 3986, section 3.2.1).

use super::placeholder::is_placeholder;
use crate::candidate::{SECRET_CONNECTION, Span};
use crate::scan::{Hit, Scan};

/// The longest authority that is looked at.
const AUTHORITY_BYTES: usize = 512;

/// The longest scheme, `mongodb+srv` and `jdbc:postgresql` included.
const SCHEME_BYTES: usize = 32;

/// The address around `://`, from its scheme to its host, when there is a password.
pub(super) fn find(scan: &Scan<'_>, hit: &Hit) -> Option<Span<'static>> {
    let start = scan.run_back(hit.start, SCHEME_BYTES, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b':')
    });
    let scheme = scan.text[start..hit.start].trim_start_matches([':', '.', '-', '+']);
    let start = hit.start - scheme.len();
    if scheme.len() < 2 {
        return None;
    }
    let until = scan.run(hit.end, AUTHORITY_BYTES, |byte| {
        !byte.is_ascii_whitespace() && !b"\"'`<>\\".contains(&byte)
    });
    let until = scan.text.floor_char_boundary(until);
    let rest = &scan.text[hit.end..until];
    // A password may hold a slash that nobody escaped; then the last `@` counts.
    let short = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let at = match rest[..short].rfind('@') {
        Some(at) => at,
        None => rest.rfind('@').filter(|_| is_unescaped(&rest[..short]))?,
    };
    let (_, password) = rest[..at].split_once(':')?;
    let host = rest[at + 1..].find(|c: char| {
        !c.is_alphanumeric() && !matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | ',')
    });
    let host = host.unwrap_or(rest.len() - at - 1);
    let host = rest[at + 1..at + 1 + host].trim_end_matches(['.', ',', ':']);
    // `secret` is what many a database on a developer's machine has.
    let placeholder = is_placeholder(password) && password != "secret";
    // `http://a:b@c` explains what an address is made of.
    let web = scheme.starts_with("http");
    let fewest = if web { 4 } else { 1 };
    let real = password.len() >= fewest && !placeholder && !host.is_empty();
    real.then(|| Span::new(start, hit.end + at + 1 + host.len(), SECRET_CONNECTION, 0.95))
}

/// Whether `user:secr` may be the beginning of a user and a password with a slash,
/// rather than a host and its port.
fn is_unescaped(authority: &str) -> bool {
    let Some((user, rest)) = authority.split_once(':') else { return false };
    !user.contains('.') && !rest.is_empty() && !rest.bytes().all(|byte| byte.is_ascii_digit())
}
