//! What an entry grants: what is not granted is absent, and what is is counted.

use std::sync::Arc;
use std::time::Instant;

use ringfence_fence::PolicyFailure;
use ringfence_policy::{Chain, Entities, Limits};

use crate::guest::Guest;
use crate::hostile::SOON;
use crate::house::{Case, SANDBOX, entry, runtime};

#[test]
fn what_is_not_granted_is_absent() {
    // Traps unless the text of the first segment and the findings are as told.
    let judge = |text: u32, findings: u32, caller: u32| {
        format!(
            "(if (i32.ne (i32.load8_u (i32.add (i32.load (i32.add (local.get $request) (i32.const 132))) (i32.const 52))) (i32.const {text})) (then unreachable))
             (if (i32.ne (i32.load8_u (i32.add (local.get $request) (i32.const 140))) (i32.const {findings})) (then unreachable))
             (if (i32.ne (i32.load8_u (i32.add (local.get $request) (i32.const 92))) (i32.const {caller})) (then unreachable))
             (i32.const 400)"
        )
    };
    let caller = ringfence_fence::Caller {
        tenant: "t".to_owned(),
        key: "k".to_owned(),
        labels: Vec::new(),
        targets: None,
    };
    let case = Case::of(&["hello"]);
    let facts = ringfence_policy::Facts { caller: Some(&caller), ..case.facts() };
    for (text, findings, asks) in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)] {
        let mut entry = entry();
        entry.grants.text = text == 1;
        entry.grants.caller = asks == 1;
        entry.grants.findings =
            if findings == 1 { Entities::Everything } else { Entities::Nothing };
        let guest = Guest::judging(&judge(text, findings, asks));
        let policy = Arc::new(SANDBOX.load(&entry, &guest.build()).unwrap());
        let verdict = runtime().block_on(Chain::new(vec![policy]).judge(&facts)).remove(0);
        assert!(verdict.outcome.is_ok(), "{text} {findings} {asks}");
    }
}

#[test]
fn host_calls_are_counted() {
    let flood = Guest {
        world: "logging",
        ..Guest::judging("(loop $again (call $write (i32.const 3) (i32.const 517) (i32.const 16)) (br $again)) unreachable")
    }
    .with(r#"(import "ringfence:policy/log@0.1.0" "write" (func $write (param i32 i32 i32)))"#);
    let count = Guest {
        world: "counting",
        ..Guest::judging("(loop $again (drop (call $add (i32.const 500) (i32.const 2) (f64.const 1) (i32.const 60))) (br $again)) unreachable")
    }
    .with(r#"(import "ringfence:policy/state@0.1.0" "add" (func $add (param i32 i32 f64 i32) (result f64)))"#);
    let mut entry = entry();
    entry.grants.log = true;
    entry.grants.state = true;
    for guest in [flood, count] {
        let policy = Arc::new(SANDBOX.load(&entry, &guest.build()).unwrap());
        let started = Instant::now();
        assert_eq!(Case::of(&["hello"]).failure(&policy), PolicyFailure::Calls);
        assert!(started.elapsed() < SOON);
    }
}

#[test]
fn lines_to_the_log_are_granted_capped_and_escaped() {
    let text = "\\1b[31m\\0d\\0aforged line";
    let judge = "(local $count i32)
        (loop $again
            (call $write (i32.const 3) (i32.const 700) (i32.const 18))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $count) (i32.const 50))))
        (i32.const 400)";
    let fields = format!(
        r#"(import "ringfence:policy/log@0.1.0" "write" (func $write (param i32 i32 i32)))
           (data (i32.const 700) "{text}")"#
    );
    let flooding = Guest { world: "logging", ..Guest::judging(judge) }.with(&fields);
    let failing = "(i32.store8 (i32.const 400) (i32.const 1)) (i32.store (i32.const 404) (i32.const 517)) (i32.store (i32.const 408) (i32.const 16)) (i32.const 400)";
    let failing = Guest::judging(failing);
    let said = |guest: &Guest, granted: bool| {
        let mut entry = entry();
        entry.grants.log = granted;
        let policy = Arc::new(SANDBOX.load(&entry, &guest.build()).unwrap());
        let lines = Lines::default();
        tracing::subscriber::with_default(lines.clone(), || {
            let _ = Case::of(&["hello"]).judged(&policy);
        });
        lines.0.lock().unwrap().clone()
    };
    let lines = said(&flooding, true);
    assert_eq!(lines.len(), Limits::LOG_LINES as usize);
    assert!(lines[0].contains("\\u{1b}[31m\\r\\nforged line"), "{}", lines[0]);
    assert!(said(&failing, true)[0].contains("very-secret-text"));
    assert!(said(&failing, false).is_empty());
}

/// Keeps every field of every event.
#[derive(Clone, Default)]
struct Lines(Arc<std::sync::Mutex<Vec<String>>>);

impl tracing::Subscriber for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "ringfence::policy"
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        struct Fields(String);
        impl tracing::field::Visit for Fields {
            fn record_str(&mut self, _: &tracing::field::Field, value: &str) {
                self.0.push_str(value);
            }
            fn record_debug(&mut self, _: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0.push_str(&format!("{value:?}"));
            }
        }
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn counters_outlive_requests_and_reloads() {
    // Refuses from the third request on.
    let judge = "(if (f64.gt (call $add (i32.const 500) (i32.const 2) (f64.const 1) (i32.const 60)) (f64.const 2)) (then (i32.store (i32.const 404) (i32.const 3)))) (i32.const 400)";
    let guest = Guest { world: "counting", ..Guest::judging(judge) }
        .with(r#"(import "ringfence:policy/state@0.1.0" "add" (func $add (param i32 i32 f64 i32) (result f64)))"#);
    let mut entry = entry();
    entry.name = "counter".to_owned();
    entry.grants.state = true;
    let case = Case::of(&["hello"]);
    let mut refused = Vec::new();
    for _ in 0..4 {
        let policy = Arc::new(SANDBOX.load(&entry, &guest.build()).unwrap());
        let judgement = case.judged(&policy).outcome.unwrap();
        refused.push(*judgement.permit() == ringfence_fence::Permission::Nowhere);
    }
    assert_eq!(refused, [false, false, true, true]);
}
