//! Secrets of Kubernetes: what stands under `data` and `stringData` of a manifest.

use super::placeholder::is_placeholder;
use super::token::base64;
use crate::candidate::{SECRET_TOKEN, Span};
use crate::scan::{Hit, Scan};

/// What tells a manifest of a secret, in YAML and in JSON.
pub(super) const KINDS: [&str; 5] = [
    "kind: secret",
    "kind: \"secret\"",
    "kind: 'secret'",
    "\"kind\": \"secret\"",
    "\"kind\":\"secret\"",
];

/// How far from its kind the values of a manifest may stand, to either side.
const MANIFEST_BYTES: usize = 4 * 1024;

/// Finds the values of the manifest around `hit`. `read` is how far manifests were read:
/// no line is read twice.
pub(super) fn find(scan: &Scan<'_>, hit: &Hit, read: &mut usize, out: &mut Vec<Span>) {
    if hit.start < *read || scan.at(hit.end).is_some_and(|byte| byte.is_ascii_alphanumeric()) {
        return;
    }
    let from = hit.start.saturating_sub(MANIFEST_BYTES).max(*read);
    let from = scan.text.ceil_char_boundary(from);
    let from = scan.text[from..hit.start].rfind("\n---").map_or(from, |at| from + at + 1);
    let until = scan.text.floor_char_boundary((hit.end + MANIFEST_BYTES).min(scan.bytes.len()));
    let until = scan.text[hit.end..until].find("\n---").map_or(until, |at| hit.end + at);
    *read = until;
    // The indent of the map whose values these are.
    let mut inside = None;
    let mut at = from;
    for line in scan.text[from..until].split_inclusive('\n') {
        let start = at;
        at += line.len();
        let body = line.trim();
        let indent = line.len() - line.trim_start().len();
        if body.is_empty() || body.starts_with('#') {
            continue;
        }
        let Some((key, value)) = body.split_once(':') else {
            continue;
        };
        if inside.is_some_and(|map| indent <= map) {
            inside = None;
        }
        let value = value.trim().trim_end_matches(',').trim_matches(['"', '\'']);
        match (inside, key.trim_matches(['"', '\''])) {
            (None, "data" | "stringData") if value.is_empty() || value == "{" => {
                inside = Some(indent);
            }
            (Some(_), _) if is_value(value) => {
                let Some(offset) = line.rfind(value) else { continue };
                let start = start + offset;
                out.push(Span::new(start, start + value.len(), SECRET_TOKEN, 0.85));
            }
            _ => {}
        }
    }
}

fn is_value(value: &str) -> bool {
    // `YmFyCg==` is less than any secret.
    let long = value.len() >= if value.ends_with('=') { 12 } else { 6 };
    let encoded = value.len().is_multiple_of(4) && base64(value.as_bytes()).is_some();
    long && (encoded || !value.contains(' ')) && !is_placeholder(value)
}
