//! What is asserted of every hostile policy: how it fails, how long that takes, how much
//! memory it takes, that nothing went upstream, and that a neighbour is served meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::client::{Client, ask};
use crate::guests::by_hand::Guest;
use crate::{Configuration, Gateway, Policy, Upstream, books, replace};

/// How long one request may take while a policy misbehaves: its limits, and what busy
/// cores add.
pub const WITHIN: Duration = Duration::from_secs(8);
/// How much the process may grow meanwhile.
pub const GROWTH: u64 = 256 << 20;
/// Requests that the policy misbehaves over, all at once.
const BESIEGED: usize = 4;
/// Until a change of a file is in force, or refused.
const SOON: Duration = Duration::from_secs(20);
/// Bytes of the text of such a request, which no other string has.
pub const EVIL_BYTES: usize = 1021;
/// What stands in it, and must stand nowhere else.
const MARK: &str = "mark-4c1e7b";

/// One row of the table of hostile policies.
pub struct Row {
    /// Its number in the table.
    pub number: u32,
    /// What it does.
    pub what: &'static str,
    /// The component.
    pub bytes: Vec<u8>,
    /// More members of its entry.
    pub entry: Value,
    /// How it may fail: words of the ledger where it judges, of the trouble where it loads.
    pub fails: &'static [&'static str],
    /// How long it is allowed to take, and so takes at least.
    pub at_least: Duration,
}

impl Row {
    /// A row with nothing but what it is.
    pub fn new(
        number: u32,
        what: &'static str,
        guest: &Guest,
        fails: &'static [&'static str],
    ) -> Row {
        Row::of_bytes(number, what, guest.build(), fails)
    }

    /// The same of something that is no guest.
    pub fn of_bytes(
        number: u32,
        what: &'static str,
        bytes: Vec<u8>,
        fails: &'static [&'static str],
    ) -> Row {
        Row { number, what, bytes, entry: json!({}), fails, at_least: Duration::ZERO }
    }

    /// With more members of its entry.
    pub fn with(mut self, entry: Value) -> Row {
        self.entry = entry;
        self
    }

    /// With a time that it takes at least.
    pub fn at_least(mut self, time: Duration) -> Row {
        self.at_least = time;
        self
    }

    fn policy(&self, file: &Path) -> Policy {
        let grants = json!({"grants": ["text", "findings", "caller", "log", "state"]});
        Policy::file("row", file).with(grants).on_failure("deny").with(self.entry.clone())
    }

    fn name(&self) -> String {
        format!("row {}, {}", self.number, self.what)
    }
}

/// The text of a request that a guest of [`misbehaving`] misbehaves over.
fn evil_text() -> String {
    let mut text = format!("{MARK} \u{e9} ");
    text.push_str(&"x".repeat(EVIL_BYTES - text.len()));
    text
}

/// The body of `judge` of a guest that does `what` over such requests and permits all others:
/// they alone have a limit on the answer's tokens.
pub fn misbehaving(what: &str) -> String {
    format!(
        "(if (i32.load8_u (i32.add (local.get $request) (i32.const 48))) (then {what}))
         (i32.const 400)"
    )
}

/// Asserts the five things of a policy that misbehaves while it judges.
pub async fn judges(row: &Row) {
    let name = row.name();
    let (cloud, inside) = (Upstream::echo().await, Upstream::echo().await);
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("row.wasm");
    std::fs::write(&file, &row.bytes).expect("a file");
    let configuration =
        Configuration::both(&cloud, &inside).policy(row.policy(&file)).at_trace_level();
    let mut gateway = Gateway::start(&configuration);
    let neighbour = Neighbour::start(gateway.client());
    // Warm: what is allocated once is no growth.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = gateway.resident();
    let crowd: Vec<_> = (0..BESIEGED)
        .map(|_| {
            let client = gateway.client().clone();
            tokio::spawn(async move {
                let mut request = ask(&evil_text());
                request["max_tokens"] = json!(13);
                let begun = Instant::now();
                (client.chat(&request).await, begun.elapsed())
            })
        })
        .collect();
    let mut most = 0;
    for task in crowd {
        let (answer, took) = task.await.expect("an answer");
        assert_eq!(answer.status, 403, "{name}: {}", answer.text());
        assert_eq!(answer.error()["code"], "policy_failed", "{name}: {}", answer.text());
        assert!(!answer.text().contains(MARK), "{name}: {}", answer.text());
        assert!(took < WITHIN && took >= row.at_least, "{name}: {took:?}");
        let decision = answer.header("x-ringfence-decision").expect("a decision");
        let refusal = books::of(&gateway.ledger(), "refusal", decision).remove(0);
        let failure = refusal["judgements"][0]["failure"].as_str().unwrap_or("none");
        assert!(row.fails.contains(&failure), "{name}: {refusal}");
        most = most.max(gateway.resident());
    }
    assert!(most < before + GROWTH, "{name}: grew from {before} to {most} bytes");
    let served = neighbour.stop().await;
    assert!(served > 0, "{name}: no neighbour was served");
    assert!(gateway.is_running(), "{name}:\n{}", gateway.output());
    for upstream in [&cloud, &inside] {
        upstream.assert_never_saw(MARK);
    }
    assert!(!gateway.output().contains(MARK), "{name}: the text is in the log");
    assert!(!gateway.output().contains('\u{1b}'), "{name}: colours are in the log");
}

/// A gateway that serves with a good policy while others take its place.
pub struct Keep {
    gateway: Gateway,
    cloud: Upstream,
    folder: TempDir,
    good: Vec<u8>,
}

impl Keep {
    /// Starts it.
    pub async fn start() -> Keep {
        let cloud = Upstream::echo().await;
        let folder = TempDir::new().expect("a folder");
        let good = Guest::default().build();
        std::fs::write(folder.path().join("row.wasm"), &good).expect("a file");
        let row = Row::of_bytes(0, "good", Vec::new(), &[]);
        let policy = row.policy(&folder.path().join("row.wasm"));
        // Soon over, where only a deadline ends it.
        let limits = json!({"limits": {"configure_deadline_ms": 300}});
        let configuration = Configuration::cloud(&cloud).policy(policy.with(limits));
        let gateway = Gateway::start(&configuration);
        Keep { gateway, cloud, folder, good }
    }

    /// The file that the policy is read from.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("row.wasm")
    }

    /// Asserts the five things of what is put in the place of the good policy by `swap`.
    pub async fn refuses(&self, row: &Row, swap: impl FnOnce(&Path, &[u8])) {
        let name = row.name();
        let gateway = &self.gateway;
        let chain = gateway.chain().await;
        let neighbour = Neighbour::start(gateway.client());
        let before = gateway.resident();
        let begun = Instant::now();
        swap(&self.file(), &row.bytes);
        let mut most = 0;
        let trouble = loop {
            let troubles = gateway.health().await["troubles"].to_string();
            most = most.max(gateway.resident());
            if troubles.len() > "[]".len() {
                break troubles;
            }
            assert!(begun.elapsed() < SOON, "{name}: nobody refused it\n{}", gateway.output());
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        assert!(row.fails.iter().any(|words| trouble.contains(words)), "{name}: {trouble}");
        assert!(trouble.contains("row"), "{name}: it is not named: {trouble}");
        assert!(most < before + GROWTH, "{name}: grew from {before} to {most} bytes");
        assert_eq!(gateway.chain().await, chain, "{name}: another chain is in force");
        assert!(neighbour.stop().await > 0, "{name}: no neighbour was served");
        let sent = self.cloud.count();
        assert!(sent > 0, "{name}: the good policy permits, and nothing was sent");
        self.mend(&name).await;
    }

    /// Puts a good policy back.
    async fn mend(&self, name: &str) {
        std::fs::remove_file(self.file()).or_else(|_| std::fs::remove_dir(self.file())).ok();
        replace(&self.file(), &self.good);
        let end = Instant::now() + SOON;
        while self.gateway.health().await["status"] != "ok" {
            assert!(Instant::now() < end, "{name}: {}", self.gateway.health().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Somebody who asks honestly all the while, and is answered each time.
struct Neighbour {
    going: Arc<AtomicBool>,
    task: JoinHandle<usize>,
}

impl Neighbour {
    fn start(client: &Client) -> Neighbour {
        let going = Arc::new(AtomicBool::new(true));
        let (client, on) = (client.clone(), Arc::clone(&going));
        let task = tokio::spawn(async move {
            let mut served = 0;
            while on.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let answer = client.chat(&ask("honest")).await;
                assert_eq!(answer.status, 200, "a neighbour: {}", answer.text());
                assert_eq!(answer.content(), "You wrote: honest");
                assert!(begun.elapsed() < WITHIN, "a neighbour waited {:?}", begun.elapsed());
                served += 1;
            }
            served
        });
        Neighbour { going, task }
    }

    /// How often it was served.
    async fn stop(self) -> usize {
        self.going.store(false, Ordering::Relaxed);
        self.task.await.expect("a neighbour that is served")
    }
}
