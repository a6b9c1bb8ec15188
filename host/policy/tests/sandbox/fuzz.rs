//! Bytes that no toolchain writes, and judgements that no SDK gives: refused or survived,
//! never an abort or a hang.
//!
//! A fixed number of rounds; `RINGFENCE_FUZZ=20000` makes it another one, for a longer run
//! by hand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::Index;
use ringfence_policy::Cases;

use crate::guest::{Guest, RESULT};
use crate::house::{Case, load};

/// Rounds of each test.
const ROUNDS: u32 = 200;
/// How long one round may take: the default deadlines, and what a busy machine adds.
const WITHIN: Duration = Duration::from_secs(30);

fn rounds() -> ProptestConfig {
    let given = std::env::var("RINGFENCE_FUZZ").ok().and_then(|rounds| rounds.parse().ok());
    let cases = given.unwrap_or(ROUNDS);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Loads what may be anything, and asks it when it loads.
fn survived(bytes: &[u8]) {
    let begun = Instant::now();
    let _ = Cases::carried(bytes);
    if let Ok(policy) = load(bytes) {
        let _ = Case::of(&["a\u{e9}b", "second"]).judged(&Arc::new(policy));
    }
    assert!(begun.elapsed() < WITHIN, "{:?}", begun.elapsed());
}

proptest! {
    #![proptest_config(rounds())]

    #[test]
    fn changed_bytes_are_survived(changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..8)) {
        let mut bytes = Guest::default().build();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        survived(&bytes);
    }

    #[test]
    fn moved_bytes_are_survived(start in any::<Index>(), length in 0..400_usize, to in any::<Index>(), keeps in any::<bool>()) {
        let mut bytes = Guest::default().build();
        let start = start.index(bytes.len());
        let piece = bytes[start..(start + length).min(bytes.len())].to_vec();
        if !keeps {
            bytes.drain(start..start + piece.len());
        }
        let to = to.index(bytes.len() + 1);
        bytes.splice(to..to, piece);
        survived(&bytes);
    }

    #[test]
    fn any_bytes_behind_the_header_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survived(&[b"\0asm\x0d\0\x01\0", &bytes[..]].concat());
    }

    /// Words anywhere in the judgement, its lists and its edits: discriminants, lengths and
    /// pointers alike.
    #[test]
    fn any_judgement_is_survived(words in prop::collection::vec((0..80_u32, word()), 1..12)) {
        let mut body = String::new();
        for (at, value) in words {
            // The judgement stands at 400, edits at 600.
            let at = if at < 16 { RESULT + 4 * at } else { 600 + 4 * (at - 16) };
            body.push_str(&format!("(i32.store (i32.const {at}) (i32.const {value})) "));
        }
        survived(&Guest::judging(&(body + &format!("(i32.const {RESULT})"))).build());
    }
}

/// Small numbers, places in the guest's memory, and what is out of every range.
fn word() -> impl Strategy<Value = i32> {
    prop_oneof![0..8_i32, 400..700_i32, any::<i32>(), Just(i32::MAX), Just(-1)]
}
