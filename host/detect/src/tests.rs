//! The detector as a whole: requests, disguises, bounds, and what holds for any text.

use std::sync::LazyLock;

use proptest::prelude::*;
use ringfence_chat::{Dialect, Kind, Part, Place, Request, Role, Segment, SegmentId, Turn};

use super::*;
use crate::detector::tests::DETECTOR;

/// Values and what they are, for planting.
const VALUES: [(&str, &str); 14] = [
    ("jane.doe+test@example-mail.co.uk", "EMAIL"),
    ("+49 30 901820 12", "PHONE"),
    ("(415) 555-0132", "PHONE"),
    ("4012 8888 8888 1881", "PAYMENT_CARD"),
    ("378282246310005", "PAYMENT_CARD"),
    ("GB82WEST12345698765432", "IBAN"),
    ("536-90-4399", "US_SSN"),
    ("203.0.113.77", "IP_ADDRESS"),
    ("2001:db8:85a3::8a2e:370:7334", "IP_ADDRESS"),
    ("AKIAQ3EGRIQ7XKZP4WLM", "SECRET_API_KEY"),
    ("ghp_R4nD0mT0k3nV4lu3F0rT3st1ngPurp0s3s12", "SECRET_API_KEY"),
    ("sk-ant-api03-Vx8kQ2mN5pL7wR3tY6uI9oA1sD4fG0hJ-zXcVbNmQwErTyUiOpAsDf", "SECRET_API_KEY"),
    ("postgres://app:s3cr3tPa55@db.internal:5432", "SECRET_CONNECTION"),
    (
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiIsIm5hbWUiOiJKYW5lIn0.qB7dKf93nXw2LzVtPc6Rm1YsUe8HjGa0",
        "SECRET_JWT",
    ),
];

/// A request with one turn of these texts.
fn request(texts: &[&str]) -> Request {
    let segments: Vec<Segment> = texts
        .iter()
        .zip(0..)
        .map(|(text, index)| Segment {
            id: SegmentId(index),
            turn: 0,
            role: Role::User,
            kind: Kind::Text,
            place: Place::Value(format!("/messages/0/content/{index}/text")),
            tool: None,
            media_type: None,
            readable: true,
            cached: false,
            text: (*text).to_owned(),
        })
        .collect();
    let parts = segments.iter().map(|segment| Part::Text(segment.id)).collect();
    let mut request =
        Request::new("r".into(), Dialect::OpenAiChat, serde_json::Value::Null, segments);
    request.turns = vec![Turn { role: Role::User, name: None, parts }];
    request
}

fn pieces<'a>(texts: &[&'a str], reading: &Reading) -> Vec<(&'a str, String)> {
    let piece = |finding: &ringfence_fence::Finding| {
        let text = &texts[finding.segment.index()][finding.start as usize..finding.end as usize];
        (text, finding.entity.to_string())
    };
    reading.findings.iter().map(piece).collect()
}

/// Everything that must hold for the answer to any text.
fn check(text: &str) -> Result<(), TestCaseError> {
    let spans = DETECTOR.text(text);
    static LISTED: LazyLock<Vec<Entity>> = LazyLock::new(entities);
    for span in &spans {
        prop_assert!(span.start < span.end, "empty");
        prop_assert!(text.get(span.start..span.end).is_some(), "inside a character");
        prop_assert!(LISTED.iter().any(|entity| entity.name == span.entity));
        prop_assert!((0.0..=1.0).contains(&span.score));
    }
    prop_assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start), "overlap");
    prop_assert_eq!(spans, DETECTOR.text(text), "differs the second time");
    Ok(())
}

#[test]
fn a_request_is_read_segment_by_segment() {
    let texts = ["write to bob@example.org", "nothing", "from 203.0.113.7 or 203.0.113.8"];
    let reading = DETECTOR.read(&request(&texts));
    let found = pieces(&texts, &reading);
    assert_eq!(
        found.iter().map(|(text, _)| *text).collect::<Vec<_>>(),
        ["bob@example.org", "203.0.113.7", "203.0.113.8",]
    );
    assert_eq!(reading.unreadable, []);
}

#[test]
fn values_across_parts_are_found() {
    for (texts, expected) in [
        (&["my card is 4012 8888 ", "8888 1881, ok"][..], &["4012 8888 ", "8888 1881"][..]),
        (&["mail bob@exam", "ple.org"], &["bob@exam", "ple.org"]),
        (&["a", "4012", "8888", "8888", "1881", "b"], &["4012", "8888", "8888", "1881"][..0]),
        (&["card ", "4012", "8888", "8888", "1881", " b"], &["4012", "8888", "8888", "1881"]),
        (&["key AKIAQ3EGR", "IQ7XKZP4WLM."], &["AKIAQ3EGR", "IQ7XKZP4WLM"]),
        // Disguised and cut: in other digits, and inside its base64.
        (&["card ٤٠١٢٨٨٨٨", "٨٨٨٨١٨٨١."], &["٤٠١٢٨٨٨٨", "٨٨٨٨١٨٨١"]),
        (&["see NDAxMiA4ODg4", "IDg4ODggMTg4MQ== ok"], &["NDAxMiA4ODg4", "IDg4ODggMTg4MQ=="]),
        // Named in one and told in the next.
        (&["my SSN is ", "536904399 ok"], &["536904399"]),
        (&["Server=a.b;User Id=app;Passwor", "d=zQClaL0Rx11wY9pS;"], &["zQClaL0Rx11wY9pS"]),
        (&["password: \"Lj6D", "B*3orAqz\""], &["Lj6D", "B*3orAqz"]),
    ] {
        let found = DETECTOR.read(&request(texts));
        let found = pieces(texts, &found);
        assert_eq!(found.iter().map(|(text, _)| *text).collect::<Vec<_>>(), expected, "{texts:?}");
    }
    let long = "x".repeat(5000);
    let texts = [format!("{long} bob@exam"), format!("ple.org {long}")];
    let texts = [texts[0].as_str(), texts[1].as_str()];
    assert_eq!(pieces(&texts, &DETECTOR.read(&request(&texts))).len(), 2);
}

#[test]
fn values_across_messages_of_one_role_are_found() {
    let texts = ["my card is 4012 8888 ", "8888 1881, ok"];
    for (role, expected) in [(Role::User, 2), (Role::Assistant, 0)] {
        let mut request = request(&texts);
        let parts = request.turns.remove(0).parts;
        let turn = |role, part: &Part| Turn { role, name: None, parts: vec![part.clone()] };
        request.turns = vec![turn(role, &parts[0]), turn(Role::User, &parts[1])];
        assert_eq!(pieces(&texts, &DETECTOR.read(&request)).len(), expected, "{role:?}");
    }
}

#[test]
fn a_key_file_is_followed_into_the_next_parts() {
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n";
    let first = format!("key: -----BEGIN PRIVATE KEY-----\n{}", line.repeat(8));
    let last = format!("{}-----END PRIVATE KEY-----\nthanks", line.repeat(8));
    for texts in [vec![&first, &last], vec![&first, &line.repeat(12), &last]] {
        let texts: Vec<&str> = texts.into_iter().map(String::as_str).collect();
        let found = pieces(&texts, &DETECTOR.read(&request(&texts)));
        assert_eq!(found.len(), texts.len(), "{found:?}");
        assert!(found.iter().all(|(text, _)| !text.contains("thanks")), "{found:?}");
        let hidden: usize = found.iter().map(|(text, _)| text.matches(line.trim()).count()).sum();
        let all: usize = texts.iter().map(|text| text.matches(line.trim()).count()).sum();
        assert_eq!(hidden, all);
    }
}

#[test]
fn what_a_code_says_is_read_where_it_stands() {
    for (text, code) in [
        ("BSN OTAzNDQyNDgx, thanks", ""),
        ("BSN ODk3ODc3NTcz, thanks", "ODk3ODc3NTcz"),
        (
            "burgerservicenummer: dGhlIHZhbHVlIGlzIDg5Nzg3NzU3MyBhcyBhZ3JlZWQ=",
            "dGhlIHZhbHVlIGlzIDg5Nzg3NzU3MyBhcyBhZ3JlZWQ=",
        ),
        ("BSN is 383937383737353733.", "383937383737353733"),
        // Beside a word far away, in a table or in the name of a setting.
        ("row;status;bsn\n1;open;ODk3ODc3NTcz\n2;closed;\n", "ODk3ODc3NTcz"),
        ("<table><tr><th>BSN</th><td>ODk3ODc3NTcz</td></tr></table>", "ODk3ODc3NTcz"),
        ("https://a.example/?bsn=ODk3ODc3NTcz&x", "ODk3ODc3NTcz"),
        ("NHI: VUdOMjgwMw", "VUdOMjgwMw"),
        ("LEVEL=info\nBSN=T0RrM09EYzNOVGN6\nRETRIES=3\n", "T0RrM09EYzNOVGN6"),
        ("BSN %4F%44%6B%33%4F%44%63%33%4E%54%63%7A.", "%4F%44%6B%33%4F%44%63%33%4E%54%63%7A"),
        (
            "BSN %254F%2544%256B%2533OD%2563%2533NT%2563z.",
            "%254F%2544%256B%2533OD%2563%2533NT%2563z",
        ),
        ("BSNは4f446b334f4463334e54637aです。", "4f446b334f4463334e54637a"),
        ("bsn: 38 39 37 38 37 37 35 37 33", "38 39 37 38 37 37 35 37 33"),
        ("mail ce b1 40 61 2e 6f 72 67", "ce b1 40 61 2e 6f 72 67"),
        ("order ODk3ODc3NTcz, thanks", ""),
    ] {
        let spans = DETECTOR.text(text);
        let found: Vec<&str> = spans.iter().map(|span| &text[span.start..span.end]).collect();
        assert_eq!(found.concat(), code, "{text}");
    }
}

#[test]
fn the_name_of_a_member_counts() {
    for (name, value, expected) in [
        ("bsn/enum/1", "897877573", true),
        ("bsn/0", "897877573", true),
        ("bsn", "٨٩٧٨٧٧٥٧٣", true),
        ("bsn", "ODk3ODc3NTcz", true),
        ("ssn", "536904399", true),
        ("phone_number", "4258829090", true),
        ("password", "hunter2!", true),
        ("apiKey", "a1b2c3d4e5f6g7h8i9j0", true),
        ("count", "536904399", false),
        ("type", "password", false),
        ("0", "hunter2!", false),
    ] {
        let mut segments = request(&[value]).segments().to_vec();
        segments[0].kind = Kind::ToolCall;
        segments[0].place = Place::Value(format!("/messages/0/content/0/input/{name}"));
        let request =
            Request::new("r".into(), Dialect::AnthropicMessages, serde_json::Value::Null, segments);
        let found = pieces(&[value], &DETECTOR.read(&request));
        assert_eq!(found.iter().any(|(text, _)| *text == value), expected, "{name}: {value}");
    }
}

#[test]
fn data_is_unreadable_and_addresses_are_not() {
    let mut segments = request(&[
        "data:image/png;base64,AAAA",
        "data:image/png;base64,AAAA",
        "https://example.org/?mail=bob@example.org",
        "data: bob@example.org",
    ])
    .segments()
    .to_vec();
    segments[1].kind = Kind::Attachment;
    segments[2].kind = Kind::Attachment;
    segments[2].readable = false;
    let request = Request::new("r".into(), Dialect::OpenAiChat, serde_json::Value::Null, segments);
    let reading = DETECTOR.read(&request);
    assert_eq!(reading.unreadable, [SegmentId(0)], "an attachment is counted already");
    let found: Vec<u32> = reading.findings.iter().map(|finding| finding.segment.0).collect();
    assert_eq!(found, [2, 3]);
}

#[test]
fn a_file_in_a_text_is_unreadable() {
    let picture = "see iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4";
    assert_eq!(DETECTOR.read(&request(&[picture])).unreadable, [SegmentId(0)]);
    let hash = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";
    assert_eq!(DETECTOR.read(&request(&[hash])).unreadable, []);
}

#[test]
fn too_long_is_unreadable() {
    let mut text = "word ".repeat(Detector::SEGMENT_BYTES / 5 + 10);
    text.replace_range(0..17, "bob@example.org. ");
    let reading = DETECTOR.read(&request(&[&text, "short"]));
    assert_eq!(reading.unreadable, [SegmentId(0)]);
    assert_eq!(reading.findings.len(), 1, "what was read counts");
}

#[test]
fn too_many_findings_are_unreadable() {
    let many = "203.0.113.7 ".repeat(Detector::FINDINGS / 2 + 1);
    let reading = DETECTOR.read(&request(&[&many, &many, "bob@example.org"]));
    assert_eq!(reading.findings.len(), Detector::FINDINGS);
    assert_eq!(reading.unreadable, [SegmentId(1), SegmentId(2)]);
}

#[test]
fn beginnings_of_keys_in_a_row_are_read_once() {
    // Looked at from each of them, this would take minutes.
    let text = "Private-Lines:".repeat(150_000);
    let reading = DETECTOR.read(&request(&[&text]));
    assert!(reading.findings.len() < 200 && !reading.findings.is_empty());
}

#[test]
fn too_deep_is_unreadable() {
    let mut text = "bob@example.org, 4012 8888 8888 1881".to_owned();
    for layer in 1..=Detector::LAYERS + 1 {
        text = encode(&text);
        let reading = DETECTOR.read(&request(&[&text]));
        let whole = reading.findings.len() == 1 && reading.findings[0].end as usize == text.len();
        assert_eq!(whole, layer <= Detector::LAYERS, "layer {layer}");
        assert_eq!(reading.unreadable.is_empty(), layer <= Detector::LAYERS, "layer {layer}");
    }
    // Backslashes before quotation marks hide nothing, however many.
    let quoted = r#"{\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\"a\\\\\\\\\\\\\\\"}"#;
    assert_eq!(DETECTOR.read(&request(&[quoted])).unreadable, []);
}

fn encode(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let mut bytes = [0; 4];
        bytes[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(bytes);
        for index in 0..4 {
            match index <= chunk.len() {
                true => out.push(char::from(DIGITS[(bits >> (18 - 6 * index)) as usize & 63])),
                false => out.push('='),
            }
        }
    }
    out
}

/// Ways to hide a value. Each must give the whole hidden text back as one span.
fn disguises(value: &str) -> Vec<(&'static str, String)> {
    let each = |write: fn(char) -> String| value.chars().map(write).collect::<String>();
    let wide = |c: char| match c {
        '!'..='~' => char::from_u32(c as u32 + 0xfee0).unwrap_or(c).to_string(),
        _ => c.to_string(),
    };
    vec![
        ("base64", encode(&format!("the value: {value} ."))),
        ("bare base64", encode(value)),
        ("hexadecimal", value.bytes().map(|byte| format!("{byte:02x}")).collect()),
        ("pairs", value.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")),
        ("percent", value.bytes().map(|byte| format!("%{byte:02X}")).collect()),
        ("twice percent", value.bytes().map(|byte| format!("%25{byte:02X}")).collect()),
        ("unicode escapes", each(|c| format!("\\u{:04x}", c as u32))),
        ("bytes", value.bytes().map(|byte| format!("\\x{byte:02x}")).collect()),
        ("entities", each(|c| format!("&#{};", c as u32))),
        ("hexadecimal entities", each(|c| format!("&#x{:x};", c as u32))),
        ("zero width", each(|c| format!("{c}\u{200b}"))),
        ("soft hyphen", each(|c| format!("\u{ad}{c}"))),
        ("variation", each(|c| format!("{c}\u{fe0f}"))),
        ("joiner", each(|c| format!("{c}\u{2060}\u{feff}"))),
        ("control", each(|c| format!("{c}\u{1}"))),
        ("full width", each(wide)),
    ]
}

#[test]
fn every_value_is_found_in_every_disguise() {
    for (value, entity) in VALUES {
        for (name, hidden) in disguises(value) {
            let text = format!("so {hidden} then");
            let spans = DETECTOR.text(&text);
            let found = spans.iter().find(|span| span.entity == entity);
            let Some(span) = found else { panic!("{entity} as {name}: {text} gave {spans:?}") };
            let covered = text[span.start..span.end]
                .trim_end_matches(['\u{200b}', '\u{fe0f}', '\u{2060}', '\u{feff}', '\u{1}']);
            let hidden = hidden
                .trim_matches(['\u{ad}', '\u{200b}', '\u{fe0f}', '\u{2060}', '\u{feff}', '\u{1}']);
            assert_eq!(covered.trim_matches('\u{ad}'), hidden, "{entity} as {name}");
        }
    }
}

#[test]
fn plain_prose_and_code_have_no_findings() {
    for text in [
        "The quick brown fox jumps over the lazy dog. It was 3.14 metres, on 2024-01-15 at 10:30.",
        "fn main() { let x: Vec<u32> = std::iter::repeat(1).take(10).collect(); println!(\"{x:?}\"); }",
        "See RFC 7519, section 4.1.2, and ISO 13616-1:2020; version 10.0.19045.1 of the driver.",
        "Order 1000-2000-3000, invoice 20240115-0001, tracking 1Z999AA10123456784, ISBN 978-3-16-148410-0.",
        "commit da39a3ee5e6b4b0d3255bfef95601890afd80709, blob e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "uuid 550e8400-e29b-41d4-a716-446655440000 and 123e4567-e89b-12d3-a456-426614174000",
        "from datetime import datetime; password = getpass(); token = os.environ[\"TOKEN\"]",
        "max_tokens: 4096, token_type: bearer, \"type\": \"password\", api_key=YOUR_API_KEY",
        "@types/node@20.1.0 react@18.2.0 image@2x.png @Override user@host git@github.com:org/repo.git",
        "AKIAIOSFODNN7EXAMPLE and wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY are from the documentation.",
        "The public policy of the secretary on passports and keyboards; tokenization: subword units.",
        "rgb(255, 255, 255) 1,234,567.89 $4,111.11 12:34:56.789 0xDEADBEEF 1e-10 100-200 5/6/2024",
        "https://example.org/a/b?c=d&e=f#g and https://docs.rs/regex/latest/regex/struct.Regex.html",
        "Grüße aus Köln, привет из Москвы, 東京からこんにちは, مرحبا, “quotes” — and … more 🎉👨‍👩‍👧",
        "total 1 234 567 of 600 123 456 units; 10 20 30 40; 2023 2024 2025 2026; scores 4-5-6",
    ] {
        assert_eq!(DETECTOR.text(text), [], "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text)?;
    }

    /// Text from the bytes that the families look at, so that they meet in odd places.
    #[test]
    fn any_text_of_their_own(text in "([0-9]{1,5}|[-. :/+()@%\\\\&=\"'<>\n]|[a-f]{1,3}|DE89|AKIA|sk-|eyJ|://|u00|x4|#|password|secret|token|Bearer |-----BEGIN |PRIVATE KEY-----|-----END |Private-Lines:|Private-MAC:|Q~|:AA|is |é|\u{200b}|４|\u{e0041}|李|%C3|&amp;|\\\\n){0,60}") {
        check(&text)?;
    }

    #[test]
    fn planted_values_are_found_at_their_bytes(
        before in "([a-z]{1,8} |[А-я]{1,6} |[一-龥]{1,4} |, |\n){0,20}",
        after in "(\\. |, |\n| [a-z]{1,8}){0,20}",
        which in 0..VALUES.len(),
    ) {
        let (value, entity) = VALUES[which];
        // A word of no list: what announces a version, say, would tell that it is none.
        let text = format!("{before} so then {value} {after}");
        let spans = DETECTOR.text(&text);
        let start = before.len() + 9;
        prop_assert!(
            spans.iter().any(|span| (span.start, span.end, span.entity) == (start, start + value.len(), entity)),
            "{:?} in {:?}", spans, text
        );
    }
}
