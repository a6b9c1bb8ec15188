//! A policy's answer is no judgement before it was checked against the request.
use ringfence_fence::{Draft, Judgement};

fn trust(draft: Draft) -> Judgement {
    Judgement(draft)
}

fn main() {}
