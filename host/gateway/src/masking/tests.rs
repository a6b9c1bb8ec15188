use proptest::prelude::*;
use ringfence_chat::{FinishReason, Original};

use super::*;

fn hidden(placeholder: &str, original: &str) -> Hidden {
    Hidden {
        placeholder: placeholder.into(),
        original: original.into(),
        entity: "EMAIL".into(),
        restorable: true,
    }
}

fn text(choice: u32, text: &str) -> Event {
    Event::Text { choice, kind: TextKind::Answer, text: text.into(), place: None }
}

fn finish(choice: u32) -> Event {
    Event::Finish { choice, reason: FinishReason::Stop }
}

fn arguments(text: &str) -> Event {
    Event::ToolCall {
        choice: 0,
        index: 0,
        id: None,
        name: None,
        arguments: text.into(),
        place: None,
    }
}

fn said(restorer: &mut Restorer, chunks: Vec<Vec<Event>>) -> String {
    let mut out = Vec::new();
    for events in chunks {
        restorer.chunk(Chunk::made(events), &mut out);
    }
    (out.into_iter().flat_map(|restored| restored.chunk.events))
        .map(|event| match event {
            Event::Text { text, .. } | Event::ToolCall { arguments: text, .. } => text,
            Event::Finish { .. } => "|".into(),
            _ => String::new(),
        })
        .collect()
}

const EMAIL: &str = "[EMAIL_0123456789ABC]";

#[test]
fn nothing_to_restore_is_no_restorer() {
    assert!(Restorer::new(&[], false, Dialect::OpenAiChat).is_none());
    let secret = Hidden { restorable: false, ..hidden("[SECRET_0123456789ABC]", "x") };
    assert!(Restorer::new(&[secret], false, Dialect::OpenAiChat).is_none());
}

#[test]
fn what_looks_like_one_is_left() {
    let mut restorer =
        Restorer::new(&[hidden(EMAIL, "a@b.c")], false, Dialect::OpenAiChat).expect("one");
    for other in ["[EMAIL_0123456789ABD]", "[EMAIL]", "[[[", "[email_0123456789abc]"] {
        let got = said(&mut restorer, vec![vec![text(0, other), finish(0)]]);
        assert_eq!(got, format!("{other}|"));
    }
    assert_eq!((restorer.restored(), restorer.altered()), (0, 2));
}

#[test]
fn a_held_beginning_comes_out_before_the_end() {
    let mut restorer =
        Restorer::new(&[hidden(EMAIL, "a@b.c")], false, Dialect::OpenAiChat).expect("one");
    let chunks = vec![vec![text(0, "see [EMAIL_01")], vec![finish(0)]];
    assert_eq!(said(&mut restorer, chunks), "see [EMAIL_01|");
}

#[test]
fn choices_do_not_mix() {
    let mut restorer =
        Restorer::new(&[hidden(EMAIL, "a@b.c")], false, Dialect::OpenAiChat).expect("one");
    let (left, right) = EMAIL.split_at(9);
    let chunks = vec![vec![text(0, left)], vec![text(1, right)], vec![finish(0)], vec![finish(1)]];
    assert_eq!(said(&mut restorer, chunks), format!("{right}{left}||"));
}

#[test]
fn json_stays_json() {
    let name = [hidden(EMAIL, "O\"Neil\\\n")];
    let mut restorer = Restorer::new(&name, false, Dialect::OpenAiChat).expect("one");
    let call = format!("{{\"to\":\"{EMAIL}\"}}");
    let got = said(&mut restorer, vec![vec![arguments(&call)]]);
    let value: serde_json::Value = serde_json::from_str(&got).expect("JSON");
    assert_eq!(value["to"], "O\"Neil\\\n");
    let mut structured = Restorer::new(&name, true, Dialect::OpenAiChat).expect("one");
    let got = said(&mut structured, vec![vec![text(0, &call)]]);
    assert!(serde_json::from_str::<serde_json::Value>(&got).is_ok());
}

/// A block that ends lets go of what is held, so that it never joins the next one.
#[test]
fn blocks_do_not_mix() {
    let mut restorer =
        Restorer::new(&[hidden(EMAIL, "a@b.c")], false, Dialect::OpenAiChat).expect("one");
    let (left, right) = EMAIL.split_at(9);
    let chunks = vec![vec![text(0, left)], vec![Event::Pause { choice: 0 }], vec![text(0, right)]];
    assert_eq!(said(&mut restorer, chunks), EMAIL);
    assert_eq!(restorer.restored(), 0);
}

#[test]
fn signed_reasoning_stays_where_its_signature_goes() {
    for (client, expected) in [(Dialect::AnthropicMessages, EMAIL), (Dialect::OpenAiChat, "a@b.c")]
    {
        let mut restorer = Restorer::new(&[hidden(EMAIL, "a@b.c")], false, client).expect("one");
        let kind = TextKind::SignedReasoning;
        let event = Event::Text { choice: 0, kind, text: EMAIL.into(), place: None };
        let original = Original {
            dialect: Dialect::AnthropicMessages,
            event: None,
            body: serde_json::Value::Null,
            whole: true,
        };
        let mut out = Vec::new();
        restorer.chunk(Chunk { events: vec![event], original: Some(original) }, &mut out);
        let [Restored { chunk: Chunk { events, .. }, .. }] = &out[..] else { panic!("one chunk") };
        let [Event::Text { text, .. }] = &events[..] else { panic!("{events:?}") };
        assert_eq!(text, expected);
    }
}

proptest! {
    #[test]
    fn any_split_restores_the_same(
        pieces in prop::collection::vec(
            prop_oneof![
                Just(EMAIL.to_owned()),
                Just("[PHONE_0123456789ABC]".to_owned()),
                Just("[EMAIL_".to_owned()),
                "[a-zé\\[\\]_0-9]{0,6}",
            ],
            0..8,
        ),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let whole: String = pieces.concat();
        let hidden = [hidden(EMAIL, "ann@example.org"), hidden("[PHONE_0123456789ABC]", "[EMAIL_")];
        // Leftmost first, never searching what was restored.
        let expected = {
            let mut restorer = Restorer::new(&hidden, false, Dialect::OpenAiChat).expect("two");
            said(&mut restorer, vec![vec![text(0, &whole), finish(0)]])
        };
        let mut cuts: Vec<usize> = cuts
            .iter()
            .map(|cut| whole.floor_char_boundary(cut.index(whole.len() + 1)))
            .collect();
        cuts.sort_unstable();
        let mut restorer = Restorer::new(&hidden, false, Dialect::OpenAiChat).expect("two");
        let mut chunks = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([whole.len()]) {
            chunks.push(vec![text(0, &whole[from..cut])]);
            from = cut;
        }
        chunks.push(vec![finish(0)]);
        prop_assert_eq!(said(&mut restorer, chunks), expected);
        prop_assert!(restorer.held.values().all(|held| held.len() < 21));
    }
}
