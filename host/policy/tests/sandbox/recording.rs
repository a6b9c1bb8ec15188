//! A judgement that is recorded comes out the same without the world, and instructions are
//! counted the same each time.

use std::fs;
use std::sync::Arc;

use ringfence_fence::{Caller, PolicyFailure};
use ringfence_policy::{
    Counter, Facts, Label, ModelFault, Models, Policy, Reading, Recording, RecordingError, Score,
};
use serde_json::{Value, json};

use crate::guest::Guest;
use crate::hostile::SPIN;
use crate::house::{Case, SANDBOX, entry, runtime};

/// Refuses when the counter `ok` is over a thousand, and says so in a line before.
fn counting(line: &str) -> Guest {
    let judge = format!(
        "(call $write (i32.const 1) (i32.const {line}) (i32.const 2))
         (if (f64.gt (call $add (i32.const 500) (i32.const 2) (f64.const 1) (i32.const 60)) (f64.const 1000))
             (then (i32.store (i32.const 404) (i32.const 3))))
         (i32.const 400)"
    );
    Guest { world: "both", ..Guest::judging(&judge) }.with(
        r#"(import "ringfence:policy/state@0.1.0" "add" (func $add (param i32 i32 f64 i32) (result f64)))
           (import "ringfence:policy/log@0.1.0" "write" (func $write (param i32 i32 i32)))"#,
    )
}

fn loaded(guest: &Guest) -> Policy {
    let mut entry = entry();
    entry.name = "recorded".to_owned();
    (entry.grants.log, entry.grants.state, entry.grants.caller) = (true, true, true);
    entry.config = r#"{"a":1}"#.to_owned();
    SANDBOX.load(&entry, &guest.build()).unwrap()
}

/// A recording of a guest, as text.
fn recorded(guest: &Guest) -> String {
    let mut case = Case::of(&["a\u{e9}b\u{1}", "second"]);
    case.findings.push(ringfence_fence::Finding {
        segment: ringfence_chat::SegmentId(1),
        start: 0,
        end: 6,
        entity: "EMAIL".into(),
        score: 0.1,
    });
    // Each recording has a tenant of its own, and so a counter.
    static TENANTS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let tenant = TENANTS.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
    let labels = vec![("team".to_owned(), "a".to_owned())];
    let caller = Caller { tenant, key: "k".to_owned(), labels, targets: None };
    let facts = Facts { caller: Some(&caller), budget_left: Some(0.1), ..case.facts() };
    let (_, recording) = runtime().block_on(loaded(guest).record(r#"{"a":1}"#, &facts));
    recording.to_json().unwrap()
}

/// What comes of a recording under a guest: what it says, whether it is the same, and where
/// it departs.
fn replayed(guest: &Guest, text: &str) -> (Value, bool, Vec<String>) {
    let recording = Recording::parse(text).unwrap_or_else(|error| panic!("{error}"));
    let entry = recording.entry("replayed");
    let policy = SANDBOX.load(&entry, &guest.build()).unwrap();
    let replayed = runtime().block_on(policy.replay(&recording));
    let departed = replayed.departed.iter().map(ToString::to_string).collect();
    (serde_json::to_value(&replayed.said).unwrap(), replayed.same, departed)
}

/// The same text with something else in it.
fn changed(text: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut json: Value = serde_json::from_str(text).unwrap();
    change(&mut json);
    json.to_string()
}

#[test]
fn what_was_recorded_is_said_again_without_the_world() {
    let guest = counting("500");
    let text = recorded(&guest);
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        json["calls"],
        json!([
            {"asked": {"log.write": {"level": "info", "message": "ok"}}},
            {"asked": {"state.add": {"key": "ok", "by": 1.0, "ttl_seconds": 60}}, "answer": 1.0},
        ])
    );
    assert_eq!(json["policy"]["digest"].as_str().map(str::len), Some(64));
    assert_eq!(json["policy"]["contract"], "0.1.0");
    assert_eq!(json["policy"]["settings"], json!({"a": 1}));
    assert_eq!(json["request"]["segments"][0]["text"], "a\u{e9}b\u{1}");
    assert_eq!(json["said"], json!({}));
    // As often as you like: the counter of the world is not touched.
    for _ in 0..3 {
        assert_eq!(replayed(&guest, &text), (json!({}), true, Vec::new()));
    }
    // Written again it is the same text.
    assert_eq!(Recording::parse(&text).unwrap().to_json().unwrap(), text);
}

#[test]
fn what_the_world_answered_decides() {
    let guest = counting("500");
    let text = changed(&recorded(&guest), |json| json["calls"][1]["answer"] = json!(1001.0));
    let (said, same, departed) = replayed(&guest, &text);
    assert_eq!((said, same, departed.len()), (json!({"permit": "nowhere"}), false, 0));
    let text = changed(&text, |json| {
        json["calls"][1] = json!({"asked": json["calls"][1]["asked"], "failed": "memory"});
    });
    let (said, same, _) = replayed(&guest, &text);
    assert_eq!((said, same), (json!({"failed": "memory"}), false));
}

#[test]
fn departures_are_told() {
    let text = recorded(&counting("500"));
    // Another line is told, and the rest goes on.
    let (said, same, departed) = replayed(&counting("504"), &text);
    assert_eq!((said, same), (json!({}), true));
    assert!(departed.len() == 1 && departed[0].contains("call 1 is "), "{departed:?}");
    // So are calls that are not made any more.
    let (_, same, departed) = replayed(&Guest::default(), &text);
    assert!(same && departed.len() == 2, "{departed:?}");
    assert!(departed[1].contains("leaves it out"), "{departed:?}");
    // Another argument has no answer.
    let other = changed(&text, |json| {
        json["calls"][1]["asked"]["state.add"]["key"] = json!("other");
    });
    let (said, same, departed) = replayed(&counting("500"), &other);
    assert_eq!((said, same), (json!({"failed": "trap"}), false));
    assert!(departed[0].contains(r#""key":"other""#) && departed[0].contains(r#""key":"ok""#));
    // And so has one more call.
    let fewer = changed(&text, |json| {
        json["calls"].as_array_mut().unwrap().pop();
    });
    let (said, _, departed) = replayed(&counting("500"), &fewer);
    assert_eq!(said, json!({"failed": "trap"}));
    assert!(departed[0].contains("call 2 is not in the recording"), "{departed:?}");
}

/// Answers what it was made with.
struct Guard(Result<f32, ModelFault>);

impl Models for Guard {
    fn classify<'a>(&'a self, _: &'a str, _: &'a str) -> Reading<'a, Vec<Label>> {
        Box::pin(std::future::ready(self.0.map(|attack| vec![("attack".to_owned(), attack)])))
    }

    fn embed<'a>(&'a self, _: &'a str) -> Reading<'a, Vec<f32>> {
        Box::pin(std::future::ready(Err(ModelFault::Failed)))
    }
}

#[test]
fn what_models_answered_is_recorded() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/guests/dist/asking.wasm");
    let mut entry = entry();
    entry.grants.model = true;
    entry.config = r#"{"ask":"classify"}"#.to_owned();
    let asking = SANDBOX.load(&entry, &fs::read(root).unwrap()).unwrap();
    let (case, scores) = (Case::of(&["hello"]), Score::list([("guard/attack".to_owned(), 0.25)]));
    let scores = scores.unwrap();
    for (answered, code) in [(Ok(0.75), "attack"), (Ok(0.25), ""), (Err(ModelFault::Busy), "busy")]
    {
        let models: Arc<dyn Models> = Arc::new(Guard(answered));
        let facts = Facts { models: Some(&models), scores: &scores, ..case.facts() };
        let (_, recording) = runtime().block_on(asking.record(&entry.config, &facts));
        let text = recording.to_json().unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        let said = json["said"].get("code").and_then(Value::as_str).unwrap_or("");
        assert_eq!(said, code, "{text}");
        let asked = &json["calls"][0]["asked"]["model.classify"];
        assert_eq!(*asked, json!({"classifier": "guard", "text": "hello"}));
        assert_eq!(json["request"]["scores"], json!([["guard/attack", 0.25]]));
        let recording = Recording::parse(&text).unwrap();
        let replayed = runtime().block_on(asking.replay(&recording));
        assert!(replayed.same && replayed.departed.is_empty(), "{text}");
    }
}

#[test]
fn failures_are_recorded_too() {
    let guest = Guest::judging("unreachable");
    let text = recorded(&guest);
    assert_eq!(replayed(&guest, &text), (json!({"failed": "trap"}), true, Vec::new()));
}

#[test]
fn what_is_no_recording_is_told_with_its_line() {
    let text = recorded(&Guest::default());
    let refused = |text: &str| Recording::parse(text).err().expect("it is one").to_string();
    let lines = text.lines().count();
    let cut: String = text.lines().take(lines / 2).map(|line| format!("{line}\n")).collect();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} is not in {text}");
        text.replacen(from, to, 1)
    };
    for (bad, words) in [
        (String::new(), "line 1"),
        ("[]".to_owned(), "line 1"),
        (cut, "line "),
        (with(r#""recording": 1"#, r#""recording": 2"#), "form 2, and this host reads form 1"),
        (with(r#""seed": 7"#, r#""seed": -7"#), "line "),
        (with(r#""seed": 7"#, r#""seeds": 7"#), "unknown field `seeds`"),
        (with(r#""caller""#, r#""telepathy""#), "no grant \"telepathy\": expected some of"),
        (with(r#""end": 6"#, r#""end": 60"#), "a finding of 0 to 60 is not in segment 1"),
        (with("openai-chat", "klingon"), "expected one of openai-chat"),
        (changed(&text, |json| json["policy"]["digest"] = json!("12")), "64 hexadecimal digits"),
        (
            changed(&text, |json| {
                json["calls"] = json!([{"asked": {"state.get": {"key": "k"}}, "answer": 1}]);
            }),
            "call 1 has an answer of another kind",
        ),
        (
            changed(&text, |json| json["calls"] = json!([{"asked": {"model.ask": {}}}])),
            "unknown variant",
        ),
    ] {
        let told = refused(&bad);
        assert!(told.contains(words), "{words:?} is not in {told:?}");
        assert!(!told.contains("second"), "{told}");
    }
}

#[test]
fn a_recording_is_bounded() {
    let call = json!({"asked": {"log.write": {"level": "info", "message": ""}}});
    let text = recorded(&Guest::default());
    for (count, fits) in [(Recording::CALLS, true), (Recording::CALLS + 1, false)] {
        let text = changed(&text, |json| json["calls"] = vec![call.clone(); count].into());
        assert_eq!(Recording::parse(&text).is_ok(), fits, "{count}");
    }
    let long = " ".repeat(Recording::BYTES + 1);
    assert_eq!(Recording::parse(&long).err(), Some(RecordingError::TooLarge));
    // Line feeds take two bytes each when they are written.
    let case = Case::of(&["\n".repeat(Recording::BYTES / 2).as_str()]);
    let policy = SANDBOX.load(&ringfence_policy::Entry::new("p"), &Guest::default().build());
    let (_, recording) = runtime().block_on(policy.unwrap().record("{}", &case.facts()));
    assert_eq!(recording.to_json().err(), Some(RecordingError::TooLarge));
}

#[test]
fn instructions_are_counted_the_same_each_time() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/dist/redact-pii.wasm");
    let mut entry = entry();
    entry.grants.caller = true;
    let count = |texts: &[&str]| {
        let counter = SANDBOX.counter(&entry, &fs::read(root).unwrap()).unwrap();
        runtime().block_on(counter.count(&Case::of(texts).facts())).unwrap()
    };
    let (short, again, long) = (count(&["hello"]), count(&["hello"]), count(&["hello", "hello"]));
    assert_eq!(short, again);
    assert!(short.judge > 0 && short.configure > 0);
    assert_eq!(short.configure, long.configure);
    assert!(long.judge > short.judge, "{long:?} {short:?}");
    // What takes two instructions more counts two more.
    let of = |judge: &str| {
        let counter = SANDBOX.counter(&entry, &Guest::judging(judge).build()).unwrap();
        runtime().block_on(counter.count(&Case::of(&["hello"]).facts())).unwrap().judge
    };
    let one = "(global.set $next (global.get $next))";
    assert_eq!(of(&format!("{one} (i32.const 400)")), of("(i32.const 400)") + 2);
}

#[test]
fn counting_is_bounded() {
    let entry = entry();
    let case = Case::of(&["hello"]);
    for (guest, failure) in [
        (Guest::judging(SPIN), PolicyFailure::Deadline),
        (Guest::judging("unreachable"), PolicyFailure::Trap),
    ] {
        let counter: Counter = SANDBOX.counter(&entry, &guest.build()).unwrap();
        let counted = runtime().block_on(counter.count(&case.facts()));
        assert_eq!(counted, Err(failure));
    }
    assert!(SANDBOX.counter(&entry, b"nothing").is_err());
}
