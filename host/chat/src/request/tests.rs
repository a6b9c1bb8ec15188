use serde_json::json;

use super::*;
use crate::segment::{Kind, Role};

fn request(body: Value, places: Vec<Place>) -> Request {
    let segments = (places.into_iter().enumerate())
        .map(|(index, place)| Segment {
            id: SegmentId(index as u32),
            turn: 0,
            role: Role::User,
            kind: Kind::Metadata,
            place,
            tool: None,
            media_type: None,
            readable: true,
            cached: false,
            text: String::new(),
        })
        .collect();
    Request::new("req".into(), Dialect::OpenAiChat, body, segments)
}

fn changed(body: Value, changes: &[(Place, &str)]) -> Result<Value, SegmentId> {
    let request = request(body, changes.iter().map(|(place, _)| place.clone()).collect());
    let texts = changes.iter().enumerate();
    let texts = texts.map(|(id, (_, text))| (SegmentId(id as u32), (*text).to_owned()));
    request.with_texts(texts.collect::<Vec<_>>()).map(Request::into_body)
}

fn value(pointer: &str) -> Place {
    Place::Value(pointer.into())
}

fn key(pointer: &str) -> Place {
    Place::Key(pointer.into())
}

#[test]
fn values_and_keys_change_and_nothing_else_does() {
    let body = json!({"a": {"b/c": "x", "d": 1}, "e": ["y", {"f": "z"}]});
    let changes = [
        (key("/a"), "A"),
        (key("/a/b~1c"), "B"),
        (value("/a/b~1c"), "X"),
        (value("/e/0"), "Y"),
        (key("/e/1/f"), "F"),
    ];
    let expected = json!({"A": {"B": "X", "d": 1}, "e": ["Y", {"F": "z"}]});
    let got = changed(body, &changes).expect("all there");
    assert_eq!(got.to_string(), expected.to_string(), "order too");
}

#[test]
fn two_keys_swap_their_names() {
    let got = changed(json!({"a": 1, "b": 2}), &[(key("/a"), "b"), (key("/b"), "a")]);
    assert_eq!(got.expect("both there").to_string(), r#"{"b":1,"a":2}"#);
}

#[test]
fn a_number_becomes_text() {
    let got = changed(json!({"a": 4111111111111111u64}), &[(value("/a"), "[CARD]")]);
    assert_eq!(got.expect("there").to_string(), r#"{"a":"[CARD]"}"#);
}

#[test]
fn a_change_that_would_lose_something_is_refused() {
    for (place, text) in [
        (key("/a"), "b"),
        (key("/c"), "d"),
        (value("/c"), "d"),
        (value("/a"), "no text stands there"),
    ] {
        let got = changed(json!({"a": true, "b": "x"}), &[(place.clone(), text)]);
        assert_eq!(got, Err(SegmentId(0)), "{place:?}");
    }
    let got = changed(json!({"a": 1, "b": 2}), &[(key("/a"), "c"), (key("/b"), "c")]);
    assert_eq!(got, Err(SegmentId(0)));
}

#[test]
fn the_original_is_left_alone() {
    let before = request(json!({"a": "x"}), vec![value("/a")]);
    let after = before.with_texts([(SegmentId(0), "y".to_owned())]).expect("there");
    assert_eq!((before.body()["a"].as_str(), after.body()["a"].as_str()), (Some("x"), Some("y")));
}

#[test]
fn what_is_sealed_does_not_change() {
    let mut request = request(json!({"a": "x", "b": "y"}), vec![value("/a"), value("/b")]);
    let texts = [(SegmentId(0), "x".to_owned()), (SegmentId(1), "y".to_owned())];
    request = request.with_texts(texts.clone()).expect("all there");
    request.seal([SegmentId(1)]);
    assert!(request.with_texts(texts).is_ok(), "the same text is no change");
    let changed = request.with_texts([(SegmentId(1), "z".to_owned())]);
    assert_eq!(changed.err(), Some(SegmentId(1)));
    assert!(request.with_texts([(SegmentId(0), "z".to_owned())]).is_ok());
}

#[test]
fn arguments_are_text_wherever_they_stand() {
    let mut request = request(json!({"a": "{\"c\": 1}", "b": {"c": 1}}), vec![value("/a")]);
    request = request.with_texts([(SegmentId(0), "{}".to_owned())]).expect("there");
    assert_eq!(request.arguments(&Arguments::Text(SegmentId(0))), "{}");
    assert_eq!(request.arguments(&Arguments::Json("/b".into())), r#"{"c":1}"#);
    assert_eq!(request.arguments(&Arguments::Json("/x".into())), "");
}
