//! E-mail addresses (RFC 5321, internationalised by RFC 6531).

use crate::candidate::{EMAIL, Span};
use crate::scan::Scan;

/// The longest local part that is taken, in bytes; of a longer one, its end.
const LOCAL_BYTES: usize = 256;

/// The longest domain (RFC 1035).
const DOMAIN_BYTES: usize = 255;

/// The longest label of a domain, in bytes of its ASCII form; other scripts get more.
const LABEL_BYTES: usize = 190;

/// Last labels that are names of files, units and packages, not of domains.
const NOT_DOMAINS: [&str; 40] = [
    "png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "ico", "tiff", "css", "scss", "less", "js",
    "jsx", "tsx", "mjs", "cjs", "json", "html", "htm", "xml", "yml", "yaml", "toml", "txt", "pdf",
    "log", "lock", "tgz", "gz", "tar", "exe", "dll", "jar", "whl", "service", "socket", "timer",
    "target", "mount",
];

/// Finds e-mail addresses around every `@`.
pub(crate) fn find(scan: &Scan<'_>, out: &mut Vec<Span>) {
    let mut done = 0;
    for &at in &scan.marks.ats {
        if at < done {
            continue;
        }
        let Some(end) = domain(scan, at + 1) else { continue };
        let Some(start) = local(scan, at) else { continue };
        let start = start.max(done);
        // An address of a repository: `git@host:path`.
        if &scan.text[start..at] == "git" && scan.at(end) == Some(b':') {
            continue;
        }
        done = end;
        out.push(Span::new(start, end, EMAIL, 0.95));
    }
}

/// Where the local part before the `@` at `at` begins.
fn local(scan: &Scan<'_>, at: usize) -> Option<usize> {
    if scan.before(at) == Some(b'"') {
        return quoted(scan, at);
    }
    let from = scan.text.ceil_char_boundary(at.saturating_sub(LOCAL_BYTES));
    let before = &scan.text[from..at];
    let nearest = before.chars().next_back()?;
    // `张三zhang@`: scripts without spaces end where the alphabet begins.
    let spaced = is_spaced(nearest);
    let mut start = at;
    for (index, c) in before.char_indices().rev() {
        let belongs = match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => true,
            '.' | '_' | '-' | '+' | '%' | '\'' | '!' | '#' | '$' | '*' | '^' | '~' => true,
            _ if c.is_ascii() => false,
            _ => is_letter(c) && (!spaced || is_spaced(c)),
        };
        if !belongs {
            break;
        }
        start = from + index;
    }
    start = after_escape(scan, start, at);
    // Punctuation in front is the sentence's.
    let local = &scan.text[start..at];
    let trimmed = local.trim_start_matches(|c: char| c.is_ascii_punctuation() && c != '_');
    (!trimmed.is_empty() && !trimmed.ends_with('.')).then(|| at - trimmed.len())
}

/// `"john smith"@example.org`.
fn quoted(scan: &Scan<'_>, at: usize) -> Option<usize> {
    let from = at.saturating_sub(66);
    let inside = &scan.bytes[from..at - 1];
    let open = inside.iter().rposition(|&byte| matches!(byte, b'"' | b'\n'))?;
    (inside[open] == b'"' && open + 1 < inside.len()).then_some(from + open)
}

/// Moves `start` behind an escape whose letters look like the address's own:
/// `\nbob@`, `%3Cbob@`.
fn after_escape(scan: &Scan<'_>, start: usize, at: usize) -> usize {
    if scan.before(start) == Some(b'\\')
        && start + 1 < at
        && matches!(scan.bytes[start], b'n' | b'r' | b't' | b'b' | b'f')
    {
        return start + 1;
    }
    let percent = scan.bytes[start..at].windows(3).rposition(|window| {
        window[0] == b'%' && window[1].is_ascii_hexdigit() && window[2].is_ascii_hexdigit()
    });
    percent.map_or(start, |index| start + index + 3)
}

/// Where the domain that begins at `start` ends.
fn domain(scan: &Scan<'_>, start: usize) -> Option<usize> {
    if scan.at(start) == Some(b'[') {
        return literal(scan, start);
    }
    let until = scan.text.floor_char_boundary((start + DOMAIN_BYTES).min(scan.bytes.len()));
    let rest = &scan.text[start..until.max(start)];
    let mut end = None;
    let mut from = 0;
    let mut labels = 0;
    loop {
        let label = label(&rest[from..]);
        if label.is_empty() || label.len() > LABEL_BYTES {
            break;
        }
        labels += 1;
        if labels >= 2 && is_top_level(label) {
            end = Some(from + label.len());
        }
        from += label.len();
        // The ideographic full stop separates labels too (UTS 46).
        match rest[from..].chars().next() {
            Some(dot @ ('.' | '。')) => from += dot.len_utf8(),
            _ => break,
        }
    }
    end.map(|end| start + end)
}

/// The label at the start of `text`, without hyphens at its end.
fn label(text: &str) -> &str {
    let mut spaced = None;
    let mut end = text.len();
    for (index, c) in text.char_indices() {
        let belongs = match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => *spaced.get_or_insert(true),
            '-' | '_' => index > 0,
            _ => is_letter(c) && *spaced.get_or_insert_with(|| is_spaced(c)) == is_spaced(c),
        };
        if !belongs {
            end = index;
            break;
        }
    }
    text[..end].trim_end_matches(['-', '_'])
}

fn is_top_level(label: &str) -> bool {
    let letters = label.chars().count();
    let alphabetic = label.chars().all(char::is_alphabetic) && letters >= 2;
    let encoded = label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    (alphabetic || encoded)
        && letters <= 63
        && !NOT_DOMAINS.iter().any(|name| name.eq_ignore_ascii_case(label))
}

/// `[192.0.2.1]` and `[IPv6:2001:db8::1]`.
fn literal(scan: &Scan<'_>, start: usize) -> Option<usize> {
    let end =
        scan.run(start + 1, 64, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':'));
    let inside = &scan.text[start + 1..end];
    let inside = inside.strip_prefix("IPv6:").unwrap_or(inside);
    (scan.at(end) == Some(b']') && inside.parse::<std::net::IpAddr>().is_ok()).then_some(end + 1)
}

/// Letters, digits and marks outside ASCII.
fn is_letter(c: char) -> bool {
    !c.is_ascii() && (c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&c))
}

/// Whether a letter's script puts spaces between words: Latin, Greek, Cyrillic and
/// their neighbours in Unicode, up to Georgian.
fn is_spaced(c: char) -> bool {
    c < '\u{e00}'
        || ('\u{10a0}'..='\u{10ff}').contains(&c)
        || ('\u{1e00}'..='\u{1fff}').contains(&c)
}
