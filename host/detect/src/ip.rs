//! Internet addresses, both versions.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::candidate::{IP_ADDRESS, Span};
use crate::context::{self, Words};
use crate::scan::Scan;

/// The longest text of an IPv6 address, with an IPv4 address at its end.
const LONGEST: usize = 45;

/// Words after which four numbers are no address.
pub(crate) const VERSIONS: Words = Words::new(&[
    "annex",
    "appendix",
    "article",
    "assemblyversion",
    "build",
    "chapter",
    "clause",
    "driver",
    "fig",
    "figure",
    "fileversion",
    "firmware",
    "kapitel",
    "paragraph",
    "patch",
    "rc",
    "release",
    "rev",
    "revision",
    "sec",
    "section",
    "sections",
    "step",
    "table",
    "update",
    "upgrade",
    "v",
    "ver",
    "version",
    "versions",
]);

/// Finds addresses of both versions.
pub(crate) fn find(scan: &Scan<'_>, out: &mut Vec<Span>) {
    version4(scan, out);
    version6(scan, out);
}

fn version4(scan: &Scan<'_>, out: &mut Vec<Span>) {
    for quad in scan.marks.digits.windows(4) {
        let dotted = quad
            .windows(2)
            .all(|pair| pair[1].start == pair[0].end + 1 && scan.bytes[pair[0].end] == b'.');
        if !dotted {
            continue;
        }
        let (start, end) = (quad[0].start, quad[3].end);
        let alone = scan.begins(start)
            && scan.ends(end)
            && scan.before(start) != Some(b'.')
            && !scan.continues(end, b'.')
            && !scan.follows(start, b'-')
            && !scan.at(end).is_some_and(|next| {
                next == b'-' && scan.at(end + 1).is_some_and(|after| after.is_ascii_alphabetic())
            });
        // A zero in front is octal to some readers: the standard parser refuses it.
        let Ok(address) = scan.text[start..end].parse::<Ipv4Addr>() else { continue };
        if alone && !is_version(scan, start) {
            let score = if tells(address) { 0.9 } else { 0.4 };
            out.push(Span::new(start, network(scan, end, 32), IP_ADDRESS, score));
        }
    }
}

/// Where an address ends that may have the size of its network behind it: `/24`.
fn network(scan: &Scan<'_>, end: usize, most: u8) -> usize {
    let until = scan.run(end + 1, 3, |byte| byte.is_ascii_digit());
    let is_size = scan.at(end) == Some(b'/')
        && scan.ends(until)
        && scan
            .text
            .get(end + 1..until)
            .is_some_and(|size| size.parse::<u8>().is_ok_and(|size| size <= most));
    if is_size && !scan.continues(until, b'.') { until } else { end }
}

/// Whether an address says anything about anybody: not the loopback, no network mask,
/// not the address of "this host". Those score low.
fn tells(address: Ipv4Addr) -> bool {
    let first = address.octets()[0];
    !address.is_loopback() && first != 0 && first != 255
}

/// Whether four numbers at `start` are a version or the number of a section:
/// `Chrome/120.0.0.0`, `==1.2.3.4`, `version 1.2.3.4`.
fn is_version(scan: &Scan<'_>, start: usize) -> bool {
    let before = scan.before(start);
    let earlier = start.checked_sub(2).map(|at| scan.bytes[at]);
    let product = before == Some(b'/') && earlier.is_some_and(|byte| byte.is_ascii_alphabetic());
    let pinned =
        before == Some(b'=') && matches!(earlier, Some(b'=' | b'>' | b'<' | b'~' | b'^' | b'!'));
    let wanted = matches!(before, Some(b'^' | b'~'))
        || (before == Some(b'@') && earlier.is_some_and(|byte| byte.is_ascii_alphabetic()) && {
            // `user@10.0.0.1` is a login; `package@1.2.3.4` follows a path or a scope.
            let from = scan.run_back(start - 1, 64, |byte| !byte.is_ascii_whitespace());
            scan.text.get(from..start).is_some_and(|word| word.starts_with(['@', '/']))
        });
    product
        || pinned
        || wanted
        || scan.text[..start].ends_with('§')
        || context::follows_word(scan.text, start, &VERSIONS)
}

fn version6(scan: &Scan<'_>, out: &mut Vec<Span>) {
    let belongs = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let mut done = 0;
    for &colon in &scan.marks.colons {
        if colon < done {
            continue;
        }
        let start = scan.run_back(colon, 5, belongs);
        let end = scan.run(colon, LONGEST, belongs);
        // The next colons of the same run give nothing that this one does not.
        done = end;
        let text = scan.text[start..end].trim_end_matches(['.']);
        let text = match text.strip_suffix(':') {
            Some(rest) if !rest.ends_with(':') => rest,
            _ => text,
        };
        let end = start + text.len();
        let alone = scan.begins(start) && scan.ends(end) && scan.before(start) != Some(b':');
        let Ok(address) = text.parse::<Ipv6Addr>() else { continue };
        if alone && is_written_out(text) {
            let score = if tells6(address) { 0.9 } else { 0.4 };
            let end = network(scan, interface(scan, end), 128);
            done = done.max(end);
            out.push(Span::new(start, end, IP_ADDRESS, score));
        }
    }
}

/// Where an address ends that may have an interface behind it: `%eth0`.
fn interface(scan: &Scan<'_>, end: usize) -> usize {
    let until = scan.run(end + 1, 15, |byte| byte.is_ascii_alphanumeric() || byte == b'.');
    let named = scan.at(end) == Some(b'%')
        && scan.at(end + 1).is_some_and(|byte| byte.is_ascii_alphabetic());
    if named { end + 1 + scan.text[end + 1..until].trim_end_matches('.').len() } else { end }
}

fn tells6(address: Ipv6Addr) -> bool {
    match address.to_ipv4_mapped() {
        Some(address) => tells(address),
        None => !address.is_loopback() && !address.is_unspecified(),
    }
}

/// Whether this is an address and not two words of a program: `Bad::Face` parses too.
fn is_written_out(text: &str) -> bool {
    let groups = text.split(':').filter(|group| !group.is_empty());
    let known = ["fe80", "fc", "fd", "ff0", "20", "24", "26", "2a", "64:", "::ffff:"];
    let begins = known.iter().any(|prefix| text.to_ascii_lowercase().starts_with(prefix));
    let mapped = text.starts_with("::") && text.contains('.');
    let digits = text.bytes().any(|byte| byte.is_ascii_digit());
    digits && (groups.count() >= 3 || begins || mapped || text == "::1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::tests::{DETECTOR, found};

    #[test]
    fn finds() {
        for (text, address) in [
            ("192.168.0.1", "192.168.0.1"),
            ("from 10.1.2.3:8080", "10.1.2.3"),
            ("http://8.8.8.8/x", "8.8.8.8"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("Use 2001:db8::/32.", "2001:db8::/32"),
            ("10.1.2.3/index", "10.1.2.3"),
            ("127.0.0.1", "127.0.0.1"),
            ("from ::1", "::1"),
            ("ssh root@203.0.113.9", "203.0.113.9"),
            ("ip=203.0.113.9.", "203.0.113.9"),
            ("2001:db8::8a2e:370:7334", "2001:db8::8a2e:370:7334"),
            ("2001:0db8:85a3:0000:0000:8a2e:0370:7334", "2001:0db8:85a3:0000:0000:8a2e:0370:7334"),
            ("fe80::1%eth0", "fe80::1%eth0"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:192.0.2.128", "::ffff:192.0.2.128"),
            ("addr: 2001:db8::1.", "2001:db8::1"),
        ] {
            assert_eq!(found(text, IP_ADDRESS), [address], "{text}");
        }
    }

    #[test]
    fn what_tells_nothing_scores_low() {
        for text in ["127.0.0.1", "0.0.0.0", "255.255.255.0", "::1", "::ffff:127.0.0.1"] {
            let spans = DETECTOR.text(text);
            assert!(spans.len() == 1 && spans[0].score < 0.5, "{text}");
        }
    }

    #[test]
    fn leaves() {
        for text in [
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "192.168.0",
            "v1.2.3.4",
            "version 1.2.3.4",
            "Version: 10.0.0.1",
            "Chrome/120.0.0.0 Safari",
            "requests==2.31.0.1",
            "1.2.3.4-beta",
            "section 4.3.2.1",
            "std::vector",
            "Bad::Face",
            "12:34:56",
            "00:1A:2B:3C:4D:5E",
            "::",
            "a::b",
            "2024-01-15T10:30:00",
        ] {
            assert_eq!(found(text, IP_ADDRESS), [""; 0], "{text}");
        }
    }
}
