//! JSON web tokens, the schemes of the Authorization header, addresses for posting.

use super::placeholder::{is_template, repeats};
use super::{entropy, is_exact};
use crate::candidate::{SECRET_JWT, SECRET_PASSWORD, SECRET_TOKEN, SECRET_WEBHOOK, Span};
use crate::scan::{Hit, Scan};

/// The longest user with a password on a command line.
const USER_BYTES: usize = 256;

/// The longest part of a token.
const PART_BYTES: usize = 8 * 1024;

/// A token whose header decodes to a JSON object (RFC 7519), with three parts, or five
/// when it is encrypted.
pub(super) fn jwt(scan: &Scan<'_>, hit: &Hit) -> Option<Span<'static>> {
    // A header begins where no digit of base64 stands before it, so that no two
    // headers share a byte and the work stays linear.
    if !is_exact(scan, hit, "eyJ")
        || !scan.begins(hit.start)
        || scan.before(hit.start) == Some(b'-')
    {
        return None;
    }
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let header = scan.run(hit.start, 2 * 1024, digit);
    if scan.at(header) != Some(b'.') || !is_header(&scan.bytes[hit.start..header]) {
        return None;
    }
    let mut end = header;
    let mut parts = 1;
    while parts < 5 && scan.at(end) == Some(b'.') {
        let next = scan.run(end + 1, PART_BYTES, |byte| digit(byte) || byte == b'=');
        if next == end + 1 && parts != 1 {
            break;
        }
        end = next;
        parts += 1;
    }
    (parts >= 2 && end - header > 8).then(|| Span::new(hit.start, end, SECRET_JWT, 1.0))
}

fn is_header(encoded: &[u8]) -> bool {
    let Some(json) = base64(encoded) else { return false };
    let Ok(json) = std::str::from_utf8(&json) else { return false };
    json.starts_with("{\"") && json.contains("\":") && json.trim_end().ends_with('}')
}

/// A scheme of the Authorization header (RFC 9110).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// A token follows.
    Bearer,
    /// User and password in base64 follow.
    Basic,
    /// User and password follow in the clear, as curl takes them.
    User,
}

/// Schemes as they stand in text.
pub(super) const SCHEMES: [(&str, Scheme); 6] = [
    ("bearer ", Scheme::Bearer),
    ("token token=", Scheme::Bearer),
    ("ssws ", Scheme::Bearer),
    ("basic ", Scheme::Basic),
    ("-u ", Scheme::User),
    ("--user ", Scheme::User),
];

/// What follows a scheme.
pub(super) fn scheme(scan: &Scan<'_>, hit: &Hit, scheme: Scheme) -> Option<Span<'static>> {
    if scheme == Scheme::User {
        return user(scan, hit);
    }
    let start = scan.run(hit.end, 8, |byte| matches!(byte, b' ' | b'"' | b'\''));
    let end = scan
        .run(start, PART_BYTES, |byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
    let value = scan.text.get(start..end)?.trim_end_matches('.');
    let end = start + value.len();
    let bytes = value.as_bytes();
    if is_template(value) || repeats(bytes) || !scan.begins(hit.start) {
        return None;
    }
    let digits = bytes.iter().any(u8::is_ascii_digit);
    if scheme == Scheme::Bearer {
        let fewest = if in_header(scan, hit) { 12 } else { 16 };
        let random = bytes.len() >= fewest && digits && entropy(bytes) >= 3.0;
        return random.then(|| Span::new(start, end, SECRET_TOKEN, 0.85));
    }
    let decoded = base64(bytes)?;
    let fits = match std::str::from_utf8(&decoded) {
        Ok(pair) => {
            let shown = pair.chars().all(|c| !c.is_control());
            pair.split_once(':').is_some_and(|(user, password)| {
                shown && user.len() + password.len() >= 3 && value.len() >= 8
            })
        }
        // Other characters than UTF-8's may be in a password.
        Err(_) => in_header(scan, hit) && bytes.len() >= 24 && digits && entropy(bytes) >= 4.0,
    };
    fits.then(|| Span::new(start, end, SECRET_PASSWORD, 0.95))
}

/// Whether the name of the header stands right before a scheme.
fn in_header(scan: &Scan<'_>, hit: &Hit) -> bool {
    let from = scan.text.ceil_char_boundary(hit.start.saturating_sub(24));
    scan.text[from..hit.start].to_ascii_lowercase().contains("authorization")
}

/// User and password as curl takes them: one word of a command line.
fn user(scan: &Scan<'_>, hit: &Hit) -> Option<Span<'static>> {
    let start = scan.run(hit.end, 8, |byte| byte == b' ');
    let mut quote = None;
    let mut end = start;
    let mut bare = Vec::new();
    while end < scan.bytes.len() && end - start < USER_BYTES {
        let byte = scan.bytes[end];
        match quote {
            None if matches!(byte, b'"' | b'\'') => quote = Some(byte),
            None if !byte.is_ascii_graphic() || b"`<>|;\\".contains(&byte) => break,
            Some(mark) if byte == mark => quote = None,
            Some(_) if byte == b'\n' => break,
            _ => bare.push(byte),
        }
        end += 1;
    }
    let word = scan.text.get(start..end)?;
    let inner = word.trim_matches(['"', '\'']);
    let start = start + word.len() - word.trim_start_matches(['"', '\'']).len();
    let bare = std::str::from_utf8(&bare).ok()?;
    let (user, password) = bare.split_once(':')?;
    let from = hit.start.saturating_sub(400);
    let line = &scan.text[scan.text.ceil_char_boundary(from)..hit.start];
    let curl = line.contains("curl") || line.contains("wget");
    // Some services take a key for the user, and no password.
    let password = if password.is_empty() { user } else { password };
    let braced = password.len() >= 10 && password.starts_with('{') && !password.starts_with("{{");
    let placeholder = super::placeholder::is_placeholder(password) && !braced || is_template(bare);
    let real = password.len() >= 3 && !password.starts_with(['$', '/']) && !placeholder;
    (curl && real && !inner.is_empty())
        .then(|| Span::new(start, start + inner.len(), SECRET_PASSWORD, 0.8))
}

/// An address that whoever knows it can post to.
pub(super) struct Webhook {
    /// What tells it.
    pub(super) literal: &'static str,
    /// The fewest characters after it.
    fewest: usize,
}

/// Webhooks in their vendors' documented form.
pub(super) const WEBHOOKS: [Webhook; 10] = [
    Webhook { literal: "hooks.slack.com/services/", fewest: 30 },
    Webhook { literal: "hooks.slack.com/workflows/", fewest: 30 },
    Webhook { literal: "hooks.slack.com/triggers/", fewest: 30 },
    Webhook { literal: "discord.com/api/webhooks/", fewest: 60 },
    Webhook { literal: "discordapp.com/api/webhooks/", fewest: 60 },
    Webhook { literal: "webhook.office.com/webhookb2/", fewest: 60 },
    Webhook { literal: "outlook.office.com/webhook/", fewest: 60 },
    Webhook { literal: "hooks.zapier.com/hooks/catch/", fewest: 10 },
    Webhook { literal: "chat.googleapis.com/v1/spaces/", fewest: 60 },
    Webhook { literal: "thingsboard.cloud/api/v1/", fewest: 20 },
];

/// The whole address around a webhook's literal.
pub(super) fn webhook(scan: &Scan<'_>, hit: &Hit, webhook: &Webhook) -> Option<Span<'static>> {
    let end =
        scan.run(hit.end, 400, |byte| byte.is_ascii_alphanumeric() || b"-_/@?=&%.".contains(&byte));
    let secret = scan.text[hit.end..end].trim_end_matches(['.', '?', '&']);
    let end = hit.end + secret.len();
    let before = &scan.text[..hit.start];
    let scheme = ["https://", "http://"].iter().find(|scheme| before.ends_with(*scheme));
    let start = hit.start - scheme.map_or(0, |scheme| scheme.len());
    let real =
        secret.len() >= webhook.fewest && !repeats(secret.as_bytes()) && !is_template(secret);
    real.then(|| Span::new(start, end, SECRET_WEBHOOK, 0.95))
}

/// Decodes base64 of either alphabet.
pub(super) fn base64(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(encoded.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for &byte in encoded.iter().take_while(|&&byte| byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}
