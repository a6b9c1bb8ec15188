//! A decision does not change once it is made.
use ringfence_fence::Decision;

fn widen(decision: &mut Decision) {
    decision.order = vec![0];
    decision.edits.clear();
}

fn main() {}
