use super::*;

const KEY: HashKey = HashKey([7; 16]);

fn terms(lists: &[(&str, bool, &[&str])]) -> Terms {
    let mut builder = TermsBuilder::new(KEY);
    for (entity, match_case, terms) in lists {
        builder.list(entity, 0.9).expect("a list");
        for term in *terms {
            builder.add(term, *match_case).expect("a term");
        }
    }
    builder.build()
}

fn found<'t>(terms: &Terms, text: &'t str) -> Vec<&'t str> {
    let mut spans = Vec::new();
    terms.find(text, &mut spans);
    spans.iter().map(|span| &text[span.start..span.end]).collect()
}

#[test]
fn terms_are_found_word_by_word() {
    let terms = terms(&[
        ("CUSTOMER", false, &["Jane O'Neil", "ACME", "Müller GmbH & Co. KG", "山田太郎", "김철수"]),
        ("PROJECT", true, &["Will", "IT"]),
    ]);
    for (text, expected) in [
        ("ask jane o'neil's team", &["jane o'neil"][..]),
        ("JANE  O-NEIL", &["JANE  O-NEIL"]),
        ("Jane_O_Neil", &["Jane_O_Neil"]),
        ("Jane O", &[]),
        ("acmes and acme.", &["acme"]),
        ("an MÜLLER GMBH und co kg", &["MÜLLER GMBH und co kg"][..0]),
        ("an MÜLLER GMBH & CO KG.", &["MÜLLER GMBH & CO KG"]),
        ("私は山田太郎です", &["山田太郎"]),
        ("김철수는 왔다", &["김철수"]),
        ("it will be; IT and Will", &["IT", "Will"]),
        ("Jane\n\n\n\n\n\n\n\n\n\n\nO'Neil", &[]),
    ] {
        assert_eq!(found(&terms, text), expected, "{text}");
    }
}

#[test]
fn the_longest_term_counts_and_the_first_list() {
    let terms = terms(&[
        ("CUSTOMER", false, &["acme", "acme trading limited"]),
        ("PARTNER", false, &["Acme", "trading"]),
    ]);
    assert_eq!(found(&terms, "Acme Trading Ltd"), ["Acme", "Trading"]);
    let mut spans = Vec::new();
    terms.find("the Acme Trading Limited", &mut spans);
    let spans: Vec<(usize, usize, &str)> =
        spans.iter().map(|span| (span.start, span.end, span.entity)).collect();
    assert_eq!(spans, [(4, 24, "CUSTOMER"), (9, 16, "PARTNER")]);
}

#[test]
fn hashes_stand_for_terms() {
    let line = Terms::hash(KEY, "Jane O'Neil").expect("a hash");
    assert!(line.starts_with("hash:3:") && line.len() == 7 + 32, "{line}");
    let terms = terms(&[("PATIENT", false, &[&line])]);
    assert_eq!(found(&terms, "for JANE O'NEIL, today"), ["JANE O'NEIL"]);
    assert_eq!(found(&terms, "for Jane and O'Neil"), [""; 0]);
    let other = Terms::hash(HashKey([8; 16]), "Jane O'Neil").expect("a hash");
    assert_ne!(line, other);
}

#[test]
fn what_is_no_term_is_refused_without_being_repeated() {
    for (term, says) in [
        ("", "fewer than 2 letters"),
        ("x.", "fewer than 2 letters"),
        (&"secret".repeat(90), "more than 512 bytes"),
        (&"ab ".repeat(33), "more than 32 words"),
        ("secret          secret", "more than 8 bytes stand between"),
        ("hash:2:secret", "ringfence detect --hash"),
        ("hash:0:00000000000000000000000000000000", "ringfence detect --hash"),
        ("hash:1:+0000000000000000000000000000000", "ringfence detect --hash"),
    ] {
        let mut builder = TermsBuilder::new(KEY);
        builder.list("X", 1.0).expect("a list");
        let error = builder.add(term, false).expect_err(term).to_string();
        assert!(error.contains(says) && !error.contains("secret"), "{error}");
    }
}

#[test]
fn lists_are_bounded() {
    let mut builder = TermsBuilder::new(KEY);
    for _ in 0..Terms::LISTS {
        builder.list("X", 1.0).expect("a list");
    }
    assert!(builder.list("X", 1.0).is_err());
}

#[test]
fn terms_are_bounded() {
    let mut builder = TermsBuilder::new(KEY);
    builder.list("X", 1.0).expect("a list");
    for index in 0..Terms::TERMS {
        builder.add(&format!("t{index}"), true).expect("a term");
    }
    let error = builder.add("one more", true).expect_err("too many").to_string();
    assert!(error.contains("more than 4000000 terms"), "{error}");
}

#[test]
fn many_terms_are_found_and_nothing_else() {
    let mut builder = TermsBuilder::new(KEY);
    builder.list("CUSTOMER", 0.9).expect("a list");
    let name = |index: u32| format!("first{index} last{}", index % 977);
    for index in 0..200_000 {
        builder.add(&name(index), false).expect("a term");
    }
    let terms = builder.build();
    assert_eq!(terms.len(), 200_000);
    for index in (0..300_000).step_by(1_009) {
        let text = format!("so {} then", name(index));
        assert_eq!(found(&terms, &text).len(), usize::from(index < 200_000), "{index}");
    }
}

#[test]
fn nothing_of_the_terms_is_shown() {
    let terms = terms(&[("CUSTOMER", false, &["acme"])]);
    assert_eq!(format!("{terms:?}"), "Terms { terms: 1, .. }");
}
