//! How many records a second a ledger takes: `cargo run --release --example rate -- FOLDER`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ringfence_fence::Digest;
use ringfence_ledger::{Durability, Ledger, LedgerError, Record, Start};

/// How long each setting is measured.
const MEASURED: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Result<(), LedgerError> {
    let folder = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let file = folder.join(format!("rate-{}.jsonl", std::process::id()));
    let settings = [
        ("synced, as soon as free", Durability::Synced { every: Duration::ZERO }),
        ("synced, every 2 ms", Durability::Synced { every: Duration::from_millis(2) }),
        ("system", Durability::System),
    ];
    for (name, durability) in settings {
        for writers in [1, 16, 256] {
            let ledger = Ledger::open(&file, durability, [0; 32])?;
            let begin = Instant::now();
            let tasks: Vec<_> = (0..writers)
                .map(|_| {
                    let ledger = ledger.clone();
                    tokio::spawn(async move {
                        let mut count = 0_u64;
                        while begin.elapsed() < MEASURED {
                            ledger.write(record()).await?;
                            count += 1;
                        }
                        Ok::<u64, LedgerError>(count)
                    })
                })
                .collect();
            let mut count = 0;
            for task in tasks {
                count += task.await.unwrap_or(Ok(0))?;
            }
            let rate = count as f64 / begin.elapsed().as_secs_f64();
            println!("{name:>24}, {writers:>3} writers: {rate:>9.0} records/s");
            drop(ledger);
            std::fs::remove_file(&file).map_err(LedgerError::Unusable)?;
        }
    }
    Ok(())
}

fn record() -> Record {
    Record::Start(Start { version: "0.1.0".repeat(40).into(), configuration: Digest::of(b"") })
}
