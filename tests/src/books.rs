//! The ledger, read as an auditor reads it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Every record of the ledger at `path`, in order.
pub fn records(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no record: {line}")))
        .collect()
}

/// The records of one kind that belong to a decision.
pub fn of(path: &Path, kind: &str, decision: &str) -> Vec<Value> {
    let mut records = records(path);
    records.retain(|record| record["kind"] == kind && record["decision"] == decision);
    records
}

/// Waits for the outcome of a decision: it is written when the answer has ended, which
/// the client sees a moment before.
pub async fn outcome(path: &Path, decision: &str) -> Value {
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        if let Some(outcome) = of(path, "outcome", decision).pop() {
            return outcome;
        }
        assert!(Instant::now() < end, "no outcome of {decision} in {:#?}", records(path));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
