//! Bytes that no toolchain writes, judgements and inspections that no SDK gives, and texts
//! that are no cases and no recordings: refused or survived, never an abort or a hang.
//!
//! A fixed number of rounds; `RINGFENCE_FUZZ=20000` makes it another one, for a longer run
//! by hand.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::Index;
use ringfence_chat::{Chunk, Event, TextKind};
use ringfence_policy::{Cases, Chain, Format, Recording, Restored};

use crate::guest::{Guest, RESULT};
use crate::house::{Case, SANDBOX, entry, runtime};

/// Rounds of each test.
const ROUNDS: u32 = 200;
/// How long one round may take: the default deadlines, and what a busy machine adds.
const WITHIN: Duration = Duration::from_secs(30);
/// A component that a compiler built takes so much longer to load than one written by hand.
const HEAVIER: u32 = 2;

/// Components that compilers built: one with a host call, one that inspects answers.
static BUILT: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/guests/dist");
    ["counting", "responding"].map(|name| std::fs::read(format!("{root}/{name}.wasm")).unwrap())
});

fn rounds(share: u32) -> ProptestConfig {
    let given = std::env::var("RINGFENCE_FUZZ").ok().and_then(|rounds| rounds.parse().ok());
    let cases = given.unwrap_or(ROUNDS).div_ceil(share);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Loads what may be anything, asks it when it loads, and shows it an answer when it inspects
/// some.
fn survived(bytes: &[u8]) {
    let begun = Instant::now();
    let _ = Cases::carried(bytes);
    let mut entry = entry();
    (entry.grants.log, entry.grants.state) = (true, true);
    if let Ok(policy) = SANDBOX.load(&entry, bytes) {
        let (chain, case) = (Chain::new(vec![Arc::new(policy)]), Case::of(&["a\u{e9}b", "second"]));
        runtime().block_on(async {
            let (_, mut following) = chain.judge_and_follow(&case.facts()).await;
            let text = "an \u{e9} and the rest of it".to_owned();
            let event = Event::Text { choice: 0, kind: TextKind::Answer, text, place: None };
            let restored = Restored { chunk: Chunk::made(vec![event]), spans: vec![(0, 3..5)] };
            let _ = following.chunk(restored, "local", &|_| Some(Vec::new())).await;
            let _ = following.end("local", &|_| Some(Vec::new())).await;
        });
    }
    assert!(begun.elapsed() < WITHIN, "{:?}", begun.elapsed());
}

/// `bytes` with a piece of it moved, or copied, to another place.
fn moved(mut bytes: Vec<u8>, start: Index, length: usize, to: Index, keeps: bool) -> Vec<u8> {
    let start = start.index(bytes.len());
    let piece = bytes[start..(start + length).min(bytes.len())].to_vec();
    if !keeps {
        bytes.drain(start..start + piece.len());
    }
    let to = to.index(bytes.len() + 1);
    bytes.splice(to..to, piece);
    bytes
}

fn changed(mut bytes: Vec<u8>, changes: Vec<(Index, u8)>) -> Vec<u8> {
    for (index, byte) in changes {
        let index = index.index(bytes.len());
        bytes[index] = byte;
    }
    bytes
}

proptest! {
    #![proptest_config(rounds(1))]

    #[test]
    fn changed_bytes_are_survived(changes in changes()) {
        survived(&changed(Guest::default().build(), changes));
    }

    #[test]
    fn moved_bytes_are_survived(start in any::<Index>(), length in 0..400_usize, to in any::<Index>(), keeps in any::<bool>()) {
        survived(&moved(Guest::default().build(), start, length, to, keeps));
    }

    #[test]
    fn any_bytes_behind_the_header_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survived(&[b"\0asm\x0d\0\x01\0", &bytes[..]].concat());
    }

    /// Words anywhere in the judgement, its lists and its edits: discriminants, lengths and
    /// pointers alike.
    #[test]
    fn any_judgement_is_survived(words in words()) {
        survived(&Guest::judging(&storing(words)).build());
    }

    /// The same for what a policy says of an answer.
    #[test]
    fn any_inspection_is_survived(words in words()) {
        let body = storing(words);
        let inspect = format!(
            r#"(func (export "ringfence:policy/response@0.1.0#inspect") (param i32) (result i32) {body})"#
        );
        survived(&Guest { world: "response-policy", ..Guest::default() }.with(&inspect).build());
    }

    /// Texts that begin as cases and recordings do, and go on as they like.
    #[test]
    fn any_text_is_no_panic(changes in changes(), start in any::<Index>(), length in 0..80_usize, to in any::<Index>(), keeps in any::<bool>()) {
        for text in [CASES, RECORDING] {
            let bytes = moved(text.as_bytes().to_vec(), start, length, to, keeps);
            let text = String::from_utf8_lossy(&changed(bytes, changes.clone())).into_owned();
            let _ = Cases::parse(&text, Format::Json);
            let _ = Cases::parse(&text, Format::Yaml);
            let _ = Recording::parse(&text);
        }
    }
}

proptest! {
    #![proptest_config(rounds(HEAVIER))]

    #[test]
    fn changed_bytes_of_what_compilers_built_are_survived(which in 0..2_usize, changes in changes()) {
        survived(&changed(BUILT[which].clone(), changes));
    }

    #[test]
    fn moved_bytes_of_what_compilers_built_are_survived(which in 0..2_usize, start in any::<Index>(), length in 0..4_000_usize, to in any::<Index>(), keeps in any::<bool>()) {
        survived(&moved(BUILT[which].clone(), start, length, to, keeps));
    }
}

const CASES: &str = "[{\"name\": \"a\", \"config\": {\"b\": 1}, \"request\": {\"segments\": [\"x y\"], \
    \"findings\": [{\"text\": \"x\", \"entity\": \"EMAIL\"}]}, \"expect\": {\"labels\": [\"c\"]}}]";
const RECORDING: &str = "{\"recording\": 1, \"policy\": {\"digest\": \"00\", \"contract\": \"0.1.0\", \
    \"grants\": [\"text\"], \"settings\": {}}, \"request\": {\"id\": \"r\", \"segments\": []}, \
    \"calls\": [{\"asked\": {\"state.get\": {\"key\": \"k\"}}, \"answer\": \"1\"}], \"said\": {}}";

fn changes() -> impl Strategy<Value = Vec<(Index, u8)>> {
    prop::collection::vec((any::<Index>(), any::<u8>()), 1..8)
}

fn words() -> impl Strategy<Value = Vec<(u32, i32)>> {
    prop::collection::vec((0..80_u32, word()), 1..12)
}

/// Stores words in the result and in what its lists may point to, and returns the result: it
/// stands at 400, and edits at 600.
fn storing(words: Vec<(u32, i32)>) -> String {
    let mut body = String::new();
    for (at, value) in words {
        let at = if at < 16 { RESULT + 4 * at } else { 600 + 4 * (at - 16) };
        body.push_str(&format!("(i32.store (i32.const {at}) (i32.const {value})) "));
    }
    body + &format!("(i32.const {RESULT})")
}

/// Small numbers, places in the guest's memory, and what is out of every range.
fn word() -> impl Strategy<Value = i32> {
    prop_oneof![0..8_i32, 400..700_i32, any::<i32>(), Just(i32::MAX), Just(-1)]
}
