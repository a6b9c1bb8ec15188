//! More slow policies than there are sandboxes: whoever finds none is told when to come
//! again, nothing is sent, and everybody is answered.

use std::time::{Duration, Instant};

use ringfence_tests::client::ask;
use ringfence_tests::guests::by_hand::Guest;
use ringfence_tests::siege::misbehaving;
use ringfence_tests::{Configuration, Gateway, Policy, Upstream};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Sandboxes of a gateway.
const SANDBOXES: usize = 256;
/// How long a slow policy sleeps until its patience ends.
const SLEEPS: Duration = Duration::from_secs(8);
/// Until everybody is answered: a crowd of them, on busy cores.
const WITHIN: Duration = Duration::from_secs(60);

/// A policy that sleeps over requests with a limit on tokens, behind one that is quick and
/// waits for a sandbox for 200 ms.
fn chain(folder: &TempDir) -> [Policy; 2] {
    let sleep = "(call $block (call $subscribe (i64.const 60000000000)))";
    let sleepy = Guest { world: "sleeping", ..Guest::judging(&misbehaving(sleep)) }.with(
        r#"(import "wasi:clocks/monotonic-clock@0.2.6" "subscribe-duration" (func $subscribe (param i64) (result i32)))
           (import "wasi:io/poll@0.2.6" "[method]pollable.block" (func $block (param i32)))"#,
    );
    let file = |name: &str, guest: &Guest, patience: Duration| {
        let path = folder.path().join(format!("{name}.wasm"));
        std::fs::write(&path, guest.build()).expect("a file");
        let limits = json!({"deadline_ms": 50, "patience_ms": patience.as_millis() as u64});
        Policy::file(name, path).with(json!({"limits": limits}))
    };
    [file("quick", &Guest::default(), Duration::from_millis(200)), file("sleepy", &sleepy, SLEEPS)]
}

fn slow() -> Value {
    let mut request = ask("slow");
    request["max_tokens"] = json!(13);
    request
}

/// As many slow requests as this, at once.
fn crowd(gateway: &Gateway, count: usize) -> Vec<tokio::task::JoinHandle<(u16, Value)>> {
    (0..count)
        .map(|_| {
            let client = gateway.client().clone();
            tokio::spawn(async move {
                let answer = client.chat(&slow()).await;
                (answer.status, answer.error()["code"].clone())
            })
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_slow_policies_leave_room_for_others() {
    let cloud = Upstream::echo().await;
    let folder = TempDir::new().expect("a folder");
    let [quick, sleepy] = chain(&folder);
    let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(quick).policy(sleepy));
    let slow = crowd(&gateway, 64);
    let end = Instant::now() + SLEEPS / 4;
    let mut served = 0;
    while Instant::now() < end {
        let answer = gateway.chat(&ask("honest")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        served += 1;
    }
    assert!(served > 10, "{served} were served meanwhile");
    for task in slow {
        assert_eq!(task.await.expect("an answer"), (403, json!("policy_failed")));
    }
    cloud.assert_never_saw("slow");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_no_sandbox_is_told_when_to_come_again() {
    let cloud = Upstream::echo().await;
    let folder = TempDir::new().expect("a folder");
    let [quick, sleepy] = chain(&folder);
    let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(quick).policy(sleepy));
    let begun = Instant::now();
    let slow = crowd(&gateway, SANDBOXES);
    // All of them have theirs when somebody is refused for the first time.
    // One that the quick policy let pass before waits for the other one.
    let refused = loop {
        let honest = ask("honest");
        match tokio::time::timeout(Duration::from_millis(600), gateway.chat(&honest)).await {
            Ok(answer) if answer.status != 200 => break answer,
            Ok(_) | Err(_) => assert!(begun.elapsed() < SLEEPS, "nobody was refused"),
        }
    };
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.error()["code"], "policy_busy", "{}", refused.text());
    let wait = refused.header("retry-after").and_then(|wait| wait.parse::<u32>().ok());
    assert!(wait.is_some_and(|wait| wait > 0), "{:?}", refused.headers);
    let sent = cloud.count();
    // A second crowd gets nowhere, is told so one by one, and as soon as its first policy
    // found no sandbox: the second does not wait as well.
    let late = crowd(&gateway, 64);
    let asked = Instant::now();
    for task in late {
        let (status, code) = task.await.expect("an answer");
        assert_eq!((status, code), (503, json!("policy_busy")));
    }
    assert!(asked.elapsed() < SLEEPS / 2, "they waited {:?}", asked.elapsed());
    assert_eq!(cloud.count(), sent, "something was sent");
    for task in slow {
        assert_eq!(task.await.expect("an answer"), (403, json!("policy_failed")));
    }
    assert!(begun.elapsed() < WITHIN, "{:?}", begun.elapsed());
    let metrics = gateway.metrics().await;
    assert!(metrics.contains(r#"failure="busy""#), "{metrics}");
    cloud.assert_never_saw("slow");
    // All sandboxes came back.
    assert_eq!(gateway.chat(&ask("honest")).await.status, 200);
}
