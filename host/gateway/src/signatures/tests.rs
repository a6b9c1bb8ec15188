use minisign::KeyPair;

use super::*;

const BYTES: &[u8] = b"a component";

fn key(name: &str, pair: &KeyPair) -> TrustedKey {
    TrustedKey::parse(name, &pair.pk.to_base64()).expect("a public key")
}

fn signed(pair: &KeyPair, comment: &str) -> String {
    let made = minisign::sign(None, &pair.sk, BYTES, Some(comment), Some("made by a test"));
    made.expect("a signature").to_string()
}

fn pair() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().expect("a key pair")
}

#[test]
fn a_signature_counts_for_its_bytes_its_key_and_its_name() {
    let (ours, theirs) = (pair(), pair());
    let text = signed(&ours, "timestamp:1700000000\tfile:a.wasm\thashed");
    let line = |number: usize| text.lines().nth(number).expect("a line").to_owned();
    let other_comment = text.replace("1700000000", "1800000000");
    // The legacy form has another algorithm in its first two bytes: `Ed`, not `ED`.
    let legacy = text.replace(&line(1), &line(1).replacen("RU", "RW", 1));
    let trusted = |keys: &[&KeyPair]| {
        keys.iter().enumerate().map(|(number, pair)| key(&format!("key-{number}"), pair)).collect()
    };
    type Case<'a> = (&'a str, &'a [&'a KeyPair], &'a str, &'a [u8], &'a str, &'a str);
    let table: [Case<'_>; 10] = [
        ("good", &[&ours], &text, BYTES, "a.wasm", "key-0"),
        ("one of two keys", &[&theirs, &ours], &text, BYTES, "a.wasm", "key-1"),
        (
            "with another system's line ends",
            &[&ours],
            &text.replace('\n', "\r\n"),
            BYTES,
            "a.wasm",
            "key-0",
        ),
        ("other bytes", &[&ours], &text, b"another component", "a.wasm", "does not hold"),
        ("another key", &[&theirs], &text, BYTES, "a.wasm", "none of those"),
        ("no key", &[], &text, BYTES, "a.wasm", "none of those"),
        ("another name", &[&ours], &text, BYTES, "b.wasm", "signed as `a.wasm`"),
        ("another comment", &[&ours], &other_comment, BYTES, "a.wasm", "does not hold"),
        ("legacy", &[&ours], &legacy, BYTES, "a.wasm", "legacy form"),
        (
            "its own key's id alone",
            &[&ours],
            &text.replace(&line(3), &line(3).replace(&line(3)[..6], "AAAAAA")),
            BYTES,
            "a.wasm",
            "does not hold",
        ),
    ];
    for (case, keys, text, bytes, name, expected) in table {
        let signatures = Signatures { required: true, trusted: trusted(keys) };
        let signature = Signature::parse(text.as_bytes()).expect(case);
        let said = match signatures.hold(name, bytes, Some(&signature)) {
            Ok(Some(signed)) => {
                assert_eq!(signed.at, Some(1_700_000_000), "{case}");
                signed.by
            }
            Ok(None) => "unsigned".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(expected), "{case}: {said}");
    }
}

#[test]
fn what_is_not_signed_runs_only_where_nothing_is_required() {
    let ours = pair();
    for (required, trusted, runs) in [
        (false, vec![], true),
        (false, vec![key("ours", &ours)], true),
        (true, vec![], false),
        (true, vec![key("ours", &ours)], false),
    ] {
        let signatures = Signatures { required, trusted };
        let held = signatures.hold("a.wasm", BYTES, None);
        assert_eq!(held, if runs { Ok(None) } else { Err(SignatureError::Absent) });
    }
    // Without keys nobody looks at a signature; with keys it has to hold.
    let text = signed(&pair(), "timestamp:1");
    let signature = Signature::parse(text.as_bytes()).expect("a signature");
    let nobody = Signatures::default();
    assert_eq!(nobody.hold("a.wasm", BYTES, Some(&signature)), Ok(None));
    let ours = Signatures { required: false, trusted: vec![key("ours", &ours)] };
    assert!(matches!(
        ours.hold("a.wasm", BYTES, Some(&signature)),
        Err(SignatureError::Stranger(_))
    ));
}

#[test]
fn two_keys_of_one_id_are_both_tried() {
    let (ours, theirs) = (pair(), pair());
    let mut copied = theirs.pk.to_bytes();
    copied[2..10].copy_from_slice(ours.pk.keynum());
    let copied = minisign::PublicKey::from_bytes(&copied).expect("a key").to_base64();
    let copied = TrustedKey::parse("copied", &copied).expect("a key");
    let text = signed(&ours, "timestamp:1");
    let signature = Signature::parse(text.as_bytes()).expect("a signature");
    let mut signatures = Signatures { required: true, trusted: vec![copied.clone()] };
    let held = signatures.hold("a.wasm", BYTES, Some(&signature));
    assert_eq!(held, Err(SignatureError::Broken("copied".into())));
    signatures.trusted = vec![copied, key("ours", &ours)];
    let held = signatures.hold("a.wasm", BYTES, Some(&signature)).expect("it holds");
    assert_eq!(held.map(|signed| signed.by).as_deref(), Some("ours"));
}

#[test]
fn what_is_no_signature_is_said_to_be_damaged() {
    let text = signed(&pair(), "timestamp:1");
    let cut: Vec<&str> = text.lines().take(3).collect();
    let long = format!("{text}{}", "x".repeat(Signature::BYTES));
    let short = text.replace(text.lines().nth(3).expect("a line"), "QUJD");
    for damaged in ["", "\n\n\n\n", "hello", &cut.join("\n"), &long, &short, &text[..80]] {
        assert!(Signature::parse(damaged.as_bytes()).is_err(), "{damaged}");
    }
    assert!(Signature::parse(&[0xff, b'\n']).is_err());
    // Every cut and every changed byte is refused, by the reader or by the key.
    let ours = pair();
    let text = signed(&ours, "timestamp:1\tfile:a.wasm").into_bytes();
    let signatures = Signatures { required: true, trusted: vec![key("ours", &ours)] };
    let counts = |text: &[u8]| {
        Signature::parse(text).and_then(|one| signatures.hold("a.wasm", BYTES, Some(&one))).is_ok()
    };
    assert!(counts(&text));
    let first = text.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    for at in first..text.len() - 1 {
        assert!(!counts(&text[..at]), "cut at {at}");
        let mut changed = text.clone();
        changed[at] ^= 1;
        assert!(!counts(&changed), "changed at {at}");
    }
}

#[test]
fn a_comment_shows_on_one_line() {
    let text = signed(&pair(), "timestamp:7\tfile:a.wasm\u{1b}[31m");
    let signature = Signature::parse(text.as_bytes()).expect("a signature");
    assert_eq!(signature.comment(), "timestamp:7 file:a.wasm\\u{1b}[31m");
    assert_eq!(signature.at(), Some(7));
    let long = signed(&pair(), &"x".repeat(2 * Signature::COMMENT_BYTES));
    let signature = Signature::parse(long.as_bytes()).expect("a signature");
    assert!(signature.comment().len() < Signature::COMMENT_BYTES + 8);
}
