use super::*;
use crate::detector::tests::DETECTOR;
use crate::{Detector, Entity, entities};

const KEY: HashKey = HashKey([9; 16]);

fn detector() -> Detector {
    let badge = Pattern::new(PatternRule {
        entity: "BADGE".to_owned(),
        pattern: "B-[0-9]{6}".to_owned(),
        check: None,
        beside: Vec::new(),
        score: 0.9,
        score_alone: None,
        inside_words: false,
    });
    let mut terms = TermsBuilder::new(KEY);
    terms.list("CUSTOMER", 0.8).expect("a list");
    terms.add("Nordwind Werke", false).expect("a term");
    let mut allowed = Allowed::new(KEY);
    allowed.add(Some("EMAIL"), "help@example.org").expect("a value");
    let patterns = vec![badge.expect("a pattern")];
    DETECTOR.with(Vocabulary { patterns, terms: terms.build(), allowed })
}

fn found<'t>(detector: &Detector, text: &'t str) -> Vec<(String, &'t str)> {
    let spans = detector.text(text);
    spans.iter().map(|span| (span.entity.to_owned(), &text[span.start..span.end])).collect()
}

#[test]
fn what_an_operator_adds_is_found_in_every_disguise() {
    let detector = detector();
    let each = |text: &str, write: fn(char) -> String| text.chars().map(write).collect::<String>();
    for (entity, value) in [("BADGE", "B-123456"), ("CUSTOMER", "Nordwind Werke")] {
        for hidden in [
            value.to_owned(),
            each(value, |c| format!("{c}\u{200b}")),
            each(value, |c| format!("\\u{:04x}", c as u32)),
            each(value, |c| format!("%{:02x}", c as u32)),
            each(value, |c| {
                char::from_u32(c as u32 + 0xfee0).filter(|_| c > ' ').unwrap_or(c).into()
            }),
            each(value, |c| format!("{:02x}", c as u32)),
        ] {
            let text = format!("so {hidden} then");
            let found = found(&detector, &text);
            assert!(found.iter().any(|(name, _)| name == entity), "{text}: {found:?}");
        }
    }
}

#[test]
fn what_is_allowed_is_no_finding_and_hides_nothing_else() {
    let detector = detector();
    assert_eq!(found(&detector, "write to help@example.org"), []);
    assert_eq!(found(&detector, "write to my.help@example.org").len(), 1);
    let both = found(&detector, "smtp://help:s3cr3tPa55@mail.example.org and help@example.org");
    assert_eq!(both.len(), 1);
    assert_eq!(both[0].0, "SECRET_CONNECTION");
}

#[test]
fn without_a_vocabulary_nothing_changes() {
    let detector = DETECTOR.with(Vocabulary::default());
    for Entity { example, .. } in entities() {
        assert_eq!(detector.text(example), DETECTOR.text(example));
    }
}
