use proptest::prelude::*;
use ringfence_fence::Action;

use super::*;

/// Finds runs of digits behind a `#`, and words of capitals.
fn read(text: &str) -> Option<Vec<Finding>> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let length = match bytes[at] {
            b'#' => 1 + bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count(),
            _ => bytes[at..].iter().take_while(|byte| byte.is_ascii_uppercase()).count(),
        };
        if length > 1 {
            let (start, end) = (at as u32, (at + length) as u32);
            let entity = "THING".into();
            found.push(Finding { segment: SegmentId(0), start, end, entity, score: 1.0 });
        }
        at += length.max(1);
    }
    Some(found)
}

fn masks(found: &[Finding]) -> Wish {
    let cut = |found: &Finding| Cut {
        start: found.start,
        end: found.end,
        entity: found.entity.to_string(),
        action: Action::Mask,
    };
    Wish::Edit(found.iter().map(cut).collect())
}

/// What comes out when a policy masks everything that is found.
fn masked(pieces: &[&str]) -> String {
    let mut lane = Lane::default();
    let mut out = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        lane.take(&Passage { text: (*piece).to_owned(), restored: Vec::new() });
        let found = lane.findings(&read).expect("readable");
        let last = index + 1 == pieces.len();
        let (passage, _) = lane.settle(&masks(&found), Some(&found), last).expect("within bounds");
        out.push_str(&passage.text);
    }
    out
}

fn new(text: &str) -> Passage {
    Passage { text: text.to_owned(), restored: Vec::new() }
}

fn own(passage: &Passage) -> Vec<&str> {
    passage.restored.iter().map(|span| &passage.text[span.clone()]).collect()
}

#[test]
fn a_tail_waits_and_the_last_window_does_not() {
    let mut lane = Lane::default();
    let text = "word ".repeat(100);
    lane.take(&new(&text));
    let (out, _) = lane.settle(&Wish::Release, Some(&[]), false).expect("within bounds");
    let waits = text.len() - out.text.len();
    assert!((TAIL_BYTES..TAIL_BYTES + 5).contains(&waits), "{waits}");
    let held = &lane.window().text;
    assert!(out.text.ends_with(' ') || held.starts_with(' '), "a word is split: {held}");
    let (rest, _) = lane.settle(&Wish::Release, Some(&[]), true).expect("within bounds");
    assert_eq!(out.text + &rest.text, text);
}

#[test]
fn without_findings_nothing_waits_but_what_the_policy_holds() {
    let mut lane = Lane::default();
    lane.take(&new("one two"));
    let (out, _) = lane.settle(&Wish::Release, None, false).expect("within bounds");
    assert_eq!(out.text, "one two");
    lane.take(&new("three é"));
    // A character is not split.
    let (out, _) = lane.settle(&Wish::Hold(1), None, false).expect("within bounds");
    assert_eq!(out.text, "three ");
    lane.take(&new("!"));
    assert_eq!(lane.window().text, "é!");
    let (out, _) = lane.settle(&Wish::Hold(100), None, false).expect("within bounds");
    assert_eq!(out.text, "");
    let (out, _) = lane.settle(&Wish::Hold(100), None, true).expect("within bounds");
    assert_eq!(out.text, "é!", "nothing of the last window can be held");
}

#[test]
fn words_longer_than_the_bound_are_split() {
    for (length, whole) in [(WORD_BYTES, true), (WORD_BYTES + TAIL_BYTES + 1, false)] {
        let mut lane = Lane::default();
        lane.take(&new(&format!("a {}", "x".repeat(length))));
        let (out, _) = lane.settle(&Wish::Release, Some(&[]), false).expect("within bounds");
        assert_eq!(out.text == "a ", whole, "{length}");
    }
}

/// What stands between its first and its last line is known by both alone.
#[test]
fn a_private_key_waits_for_its_end() {
    let filler = "It goes on. ".repeat(40);
    let key = format!("-----BEGIN RSA PRIVATE KEY-----\n> {}", "MIIEvQIB ".repeat(60));
    for (end, waits) in
        [("", true), ("-----END RSA", true), ("-----END RSA PRIVATE KEY-----", false)]
    {
        let mut lane = Lane::default();
        lane.take(&new(&format!("{filler}{key}{end}")));
        let (out, _) = lane.settle(&Wish::Release, Some(&[]), false).expect("within bounds");
        assert_eq!(out.text == filler, waits, "{end}");
    }
}

#[test]
fn a_finding_without_end_fails_at_the_bound() {
    for (length, held) in [(HELD_BYTES, true), (HELD_BYTES + 1, false)] {
        let mut lane = Lane::default();
        lane.take(&new(&"X".repeat(length)));
        let found = lane.findings(&read).expect("readable");
        let settled = lane.settle(&masks(&found), Some(&found), false);
        assert_eq!(settled.is_ok(), held, "{length}");
    }
}

#[test]
fn what_cannot_be_read_does_not_pass_for_clean() {
    let mut lane = Lane::default();
    lane.take(&new("text"));
    assert_eq!(lane.findings(&|_| None).expect_err("read"), Nonsense::TooMuch);
}

#[test]
fn restored_spans_move_with_the_text() {
    let mut lane = Lane::default();
    lane.take(&Passage { text: "ann and #12 and bob".to_owned(), restored: vec![0..3, 16..19] });
    let cut = Cut { start: 8, end: 11, entity: "NUMBER".to_owned(), action: Action::Pseudonymise };
    let (out, cuts) = lane.settle(&Wish::Edit(vec![cut]), None, false).expect("within bounds");
    assert_eq!(out.text, "ann and [NUMBER] and bob");
    assert_eq!((own(&out), cuts), (vec!["ann", "bob"], 1));
    // One that is split is told on both sides.
    let mut annabel = new("annabel");
    annabel.restored.push(0..7);
    lane.take(&annabel);
    let (out, _) = lane.settle(&Wish::Hold(4), None, false).expect("within bounds");
    assert_eq!((out.text.as_str(), own(&out)), ("ann", vec!["ann"]));
    assert_eq!(own(lane.window()), ["abel"]);
}

#[test]
fn what_went_out_stays_in_sight_of_the_detectors() {
    let mut lane = Lane::default();
    lane.take(&new("see #1"));
    lane.settle(&Wish::Release, None, false).expect("within bounds");
    lane.take(&new("23 there"));
    let found = lane.findings(&read).expect("readable");
    assert_eq!(found.iter().map(|f| (f.start, f.end)).collect::<Vec<_>>(), [(0, 2)]);
}

proptest! {
    #[test]
    fn any_split_masks_the_same(
        words in prop::collection::vec(
            prop_oneof![
                Just("plain".to_owned()), Just("élan".to_owned()), Just("\n".to_owned()),
                "#[0-9]{1,9}", "[A-Z]{2,200}", "[a-z#A-Z]{1,6}",
            ],
            0..60,
        ),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let whole = words.join(" ");
        let mut cuts: Vec<usize> =
            cuts.iter().map(|cut| whole.floor_char_boundary(cut.index(whole.len() + 1))).collect();
        cuts.push(whole.len());
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&whole[from..cut]);
            from = cut;
        }
        prop_assert_eq!(masked(&pieces), masked(&[&whole]));
    }
}
