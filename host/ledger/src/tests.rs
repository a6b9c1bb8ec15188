//! The ledger as a whole: writing, opening again, and what verification catches.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use ringfence_chat::{FinishReason, Usage};
use ringfence_fence::{Digest, FailureKind, Nonsense, PolicyFailure};
use tempfile::TempDir;

use super::*;

const KEY: [u8; 32] = [7; 32];

const SYNCED: Durability = Durability::Synced { every: Duration::ZERO };

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let file = folder.path().join("ledger.jsonl");
    (folder, file)
}

fn open(file: &Path) -> Ledger {
    Ledger::open(file, Durability::System, KEY).expect("opens")
}

fn start() -> Record {
    Record::Start(Start { version: "0.1.0".into(), configuration: Digest::of(b"c") })
}

fn departure(number: u32) -> Record {
    Record::Departure(Departure {
        decided: Decided {
            judgements: vec![Judged {
                policy: "redact-pii".into(),
                digest: Digest::of(b"p"),
                mode: "protect".into(),
                permit: "any".into(),
                code: Word::default(),
                labels: vec!["pii".into()],
                edits: BTreeMap::from([("mask".into(), 2)]),
                failure: None,
                microseconds: 11,
            }],
            labels: vec!["pii".into()],
            findings: BTreeMap::from([("EMAIL".into(), 2)]),
            ..decided(&format!("d-{number}"))
        },
        attempt: 1,
        target: "openai".into(),
        zone: "cloud".into(),
        region: "us".into(),
        model: "gpt-4o".into(),
        asked: "auto".into(),
        bytes: Bytes { length: 1024, digest: keyed_digest(&KEY, b"body") },
    })
}

/// What was decided without any policy.
fn decided(decision: &str) -> Decided {
    Decided {
        decision: decision.into(),
        request: "r".into(),
        tenant: "acme".into(),
        key: "k1".into(),
        configuration: Digest::of(b"c"),
        chain: Digest::of(b"chain"),
        judgements: Vec::new(),
        labels: Vec::new(),
        findings: BTreeMap::new(),
    }
}

/// A ledger file with `count` records, and its head.
fn filled(file: &Path, count: u32) -> Head {
    let ledger = open(file);
    for number in 0..count {
        ledger.write_blocking(departure(number)).expect("written");
    }
    ledger.head()
}

/// Writes other bytes and gives the first fault that verification finds.
fn fault(file: &Path, bytes: &[u8], head: Option<Digest>) -> Option<String> {
    std::fs::write(file, bytes).expect("writable");
    verify(file, head).err().map(|fault| fault.to_string())
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn every_record_becomes_one_line() {
    let (_folder, file) = folder();
    let ledger = open(&file);
    let outcome = |ended| {
        Record::Outcome(Outcome {
            decision: "d".into(),
            attempt: 1,
            ended,
            finish_reason: Some(FinishReason::Stop),
            usage: Some(Usage { input: 5, cached: 1, output: 7, reasoning: 0 }),
            first_byte_ms: Some(12),
            total_ms: 34,
            status: Some(200),
            restored: 2,
            altered: 0,
            inspected: vec![Inspected {
                policy: "p".into(),
                digest: Digest::of(b"p"),
                mode: "protect".into(),
                windows: 3,
                cuts: 1,
                stopped: Some("enough".into()),
                failure: Some(PolicyFailure::Nonsense(Nonsense::Span)),
                microseconds: 40,
            }],
        })
    };
    let records = [
        start(),
        Record::Chain(Chain {
            configuration: Digest::of(b"c"),
            chain: Digest::of(b"x"),
            vocabulary: Digest::of(b"v"),
            policies: vec![PolicyInForce {
                name: "p".into(),
                version: Some("1".into()),
                digest: Digest::of(b"p"),
                mode: "protect".into(),
                on_failure: "deny".into(),
                degraded: false,
            }],
            loosens: vec!["policy p went from protect to monitor".into()],
        }),
        departure(1),
        Record::Refusal(Refusal {
            decided: decided("d"),
            by: "policy p".into(),
            code: "secret_found".into(),
        }),
        outcome(Ending::Complete),
        outcome(Ending::Cancelled),
        outcome(Ending::Stopped),
        outcome(Ending::Withheld),
        outcome(Ending::Failed { failure: FailureKind::TimedOut }),
        outcome(Ending::Cut { failure: FailureKind::Broken }),
    ];
    let count = records.len() as u64;
    for record in records {
        ledger.write_blocking(record).expect("written");
    }
    assert_eq!(ledger.head().sequence, count);
    let report = verify(&file, Some(ledger.head().digest)).expect("whole");
    assert_eq!((report.records, report.head), (count, ledger.head()));
    let text = std::fs::read_to_string(&file).expect("text");
    for (line, kind) in text.lines().zip([
        r#""kind":"start""#,
        r#""kind":"chain""#,
        r#""kind":"departure""#,
        r#""kind":"refusal""#,
        r#""kind":"outcome","decision":"d","attempt":1,"ended":"complete""#,
        r#""ended":"cancelled""#,
        r#""windows":3,"cuts":1,"stopped":"enough","failure":"nonsense: span","microseconds":40"#,
        r#""ended":"withheld""#,
        r#""ended":"failed","failure":"timed_out""#,
        r#""ended":"cut","failure":"broken""#,
    ]) {
        assert!(line.contains(kind), "{line}");
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!(value["seq"].is_u64() && value["time"].is_string(), "{line}");
    }
}

#[test]
fn the_file_is_private_and_goes_on_after_a_restart() {
    let (_folder, file) = folder();
    let first = filled(&file, 3);
    assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    let ledger = open(&file);
    assert_eq!(ledger.head(), first);
    assert_eq!(ledger.recovered(), None);
    assert_eq!(ledger.write_blocking(departure(4)).expect("written").sequence, 4);
    let report = verify(&file, Some(first.digest)).expect("whole");
    assert_eq!((report.records, report.expected_at), (4, Some(3)));
}

#[test]
fn one_writer_at_a_time() {
    let (_folder, file) = folder();
    let ledger = open(&file);
    let second = Ledger::open(&file, Durability::System, KEY);
    assert!(matches!(second, Err(LedgerError::InUse)));
    let clone = ledger.clone();
    drop(ledger);
    clone.write_blocking(start()).expect("the clone keeps it open");
    drop(clone);
    open(&file);
}

#[test]
fn only_regular_files_are_ledgers() {
    let (folder, _) = folder();
    let opened = Ledger::open(folder.path(), Durability::System, KEY);
    assert!(matches!(opened, Err(LedgerError::NotAFile)));
    let missing = folder.path().join("no").join("such");
    assert!(matches!(
        Ledger::open(&missing, Durability::System, KEY),
        Err(LedgerError::Unusable(_))
    ));
}

#[test]
fn a_torn_line_is_moved_aside_and_noted() {
    let (_folder, file) = folder();
    for count in 1..4 {
        filled(&file, 1);
        let whole = std::fs::read(&file).expect("there");
        let torn = [whole.as_slice(), b"{\"seq\":9,\"ti"].concat();
        std::fs::write(&file, &torn).expect("writable");
        let shown = verify(&file, None).expect_err("torn").to_string();
        assert!(shown.contains("torn"), "{shown}");
        let ledger = open(&file);
        let recovered = ledger.recovered().expect("recovered").clone();
        assert_eq!(recovered.bytes, 12);
        assert!(recovered.file.to_string_lossy().ends_with(&format!(".torn-{count}")));
        assert_eq!(std::fs::read(&recovered.file).expect("kept"), b"{\"seq\":9,\"ti");
        let text = std::fs::read_to_string(&file).expect("text");
        assert!(text.lines().last().expect("a line").contains(r#""kind":"recovered""#));
        verify(&file, Some(ledger.head().digest)).expect("whole again");
    }
}

#[test]
fn a_torn_first_line_leaves_an_empty_ledger() {
    let (_folder, file) = folder();
    std::fs::write(&file, b"{\"seq\":1").expect("writable");
    let ledger = open(&file);
    assert_eq!(ledger.head().sequence, 1);
    assert_eq!(verify(&file, None).expect("whole").records, 1);
}

#[test]
fn a_damaged_tail_is_not_continued() {
    let (_folder, file) = folder();
    filled(&file, 3);
    let whole = std::fs::read(&file).expect("there");
    let mut edited = whole.clone();
    let middle = lines(&whole)[0].len() + 200;
    edited[middle] ^= 1;
    for bytes in [edited, b"not a ledger\n".to_vec(), lines(&whole)[1].clone()] {
        std::fs::write(&file, &bytes).expect("writable");
        let opened = Ledger::open(&file, Durability::System, KEY);
        assert!(matches!(opened, Err(LedgerError::Damaged)));
        assert_eq!(std::fs::read(&file).expect("there"), bytes, "nothing was changed");
    }
}

#[test]
fn verification_names_the_fault() {
    let (_folder, file) = folder();
    let head = Some(filled(&file, 5).digest);
    let whole = std::fs::read(&file).expect("there");
    let lines = lines(&whole);
    let pick =
        |order: &[usize]| order.iter().flat_map(|&at| lines[at].clone()).collect::<Vec<u8>>();
    let mut edited = whole.clone();
    let place = lines[0].len() + lines[1].len() - 40;
    edited[place] = if edited[place] == b'0' { b'1' } else { b'0' };
    for (bytes, head, expected) in [
        (edited, None, "line 2 was changed"),
        (pick(&[0, 1, 3, 4]), None, "records 3 to 3 are missing before line 3"),
        (pick(&[1, 2, 3, 4]), None, "records 1 to 1 are missing before line 1"),
        (pick(&[0, 2, 1, 3, 4]), None, "records 2 to 2 are missing before line 2"),
        (pick(&[0, 1, 1, 2, 3, 4]), None, "line 3 is out of order"),
        (pick(&[0, 1, 2]), head, "the expected head is not in the ledger"),
        (Vec::new(), head, "the expected head is not in the ledger"),
        (whole[..whole.len() - 1].to_vec(), head, "line 5 is torn"),
        ([b"hello\n".as_slice(), &whole].concat(), None, "line 1 is not a record"),
        (vec![b'x'; 2 * chain::LINE_BYTES], None, "line 1 is not a record"),
    ] {
        let shown = fault(&file, &bytes, head).expect("a fault");
        assert!(shown.contains(expected), "{shown}");
    }
    assert_eq!(fault(&file, &pick(&[0, 1, 2]), None), None, "a cut tail shows only by its head");
    assert_eq!(fault(&file, &whole, head), None);
}

#[test]
fn every_byte_counts() {
    let (_folder, file) = folder();
    let head = Some(filled(&file, 3).digest);
    let whole = std::fs::read(&file).expect("there");
    for at in 0..whole.len() {
        for flip in [1, 0x20, 0x80] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            assert!(fault(&file, &bytes, head).is_some(), "byte {at} changed by {flip}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is done to the file, it verifies against its head only if it is still
    /// the same, or has records added that follow the head.
    #[test]
    fn no_mutation_passes(
        from in 0usize..4000,
        length in 0usize..1500,
        put in prop::collection::vec(any::<u8>(), 0..40),
        copy in any::<bool>(),
    ) {
        let (_folder, file) = folder();
        let head = filled(&file, 4).digest;
        let whole = std::fs::read(&file).expect("there");
        let from = from.min(whole.len());
        let to = (from + length).min(whole.len());
        let mut bytes = whole[..from].to_vec();
        if copy {
            bytes.extend_from_slice(&whole[from..to]);
        }
        bytes.extend_from_slice(&put);
        bytes.extend_from_slice(&whole[if copy { from } else { to }..]);
        let passes = fault(&file, &bytes, Some(head)).is_none();
        prop_assert_eq!(passes, bytes == whole);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_writers_make_one_chain() {
    for durability in
        [SYNCED, Durability::Synced { every: Duration::from_millis(2) }, Durability::System]
    {
        let (_folder, file) = folder();
        let ledger = Ledger::open(&file, durability, KEY).expect("opens");
        let writers: Vec<_> = (0..1000)
            .map(|number| {
                let ledger = ledger.clone();
                tokio::spawn(async move { ledger.write(departure(number)).await })
            })
            .collect();
        let mut sequences = Vec::new();
        for writer in writers {
            let written = writer.await.expect("no panic").expect("written");
            assert!(ledger.head().sequence >= written.sequence, "the head is what is durable");
            sequences.push(written.sequence);
        }
        sequences.sort_unstable();
        assert_eq!(sequences, (1..=1000).collect::<Vec<u64>>());
        let pulse = ledger.pulse();
        assert!(!pulse.failed && pulse.waiting == 0 && pulse.groups <= 1000);
        assert_eq!(verify(&file, Some(pulse.head.digest)).expect("whole").records, 1000);
    }
}

#[test]
fn the_keyed_digest_is_plain_hmac() {
    // RFC 4231, test case 2, with the key filled up with zeros as HMAC does itself.
    let mut key = [0; 32];
    key[..4].copy_from_slice(b"Jefe");
    let digest = keyed_digest(&key, b"what do ya want for nothing?");
    assert_eq!(
        digest.to_string(),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    let (_folder, file) = folder();
    let ledger = Ledger::open(&file, Durability::System, key).expect("opens");
    assert_eq!(ledger.keyed_digest(b"what do ya want for nothing?"), digest);
}

#[test]
fn a_record_too_large_fails_alone() {
    let (_folder, file) = folder();
    let ledger = open(&file);
    let long = Record::Chain(Chain {
        configuration: Digest::of(b"c"),
        chain: Digest::of(b"x"),
        vocabulary: Digest::of(b"v"),
        policies: Vec::new(),
        loosens: vec![Word::from("x".repeat(1000)); 2000],
    });
    assert!(matches!(ledger.write_blocking(long), Err(LedgerError::TooLarge)));
    ledger.write_blocking(start()).expect("others go on");
}

#[test]
fn debug_shows_no_key() {
    let (_folder, file) = folder();
    let shown = format!("{:?}", open(&file));
    assert!(!shown.contains("7, 7"), "{shown}");
}
