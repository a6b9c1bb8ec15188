//! How fast a model loads, reads and writes here, and what memory it takes.
//!
//! `cargo run --release -p ringfence-local --example speed [FOLDER] [DEVICE]`

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ringfence_local::{DeviceChoice, Local, LocalConfig, LocalError, ModelSource, replay};

const PROMPT: usize = 512;
const ANSWER: usize = 256;

fn main() -> Result<(), LocalError> {
    let mut arguments = std::env::args().skip(1);
    let mut config = LocalConfig::embedded();
    if let Some(folder) = arguments.next().filter(|folder| folder != "embedded") {
        config.model = ModelSource::Folder(PathBuf::from(folder));
    }
    if let Some(device) = arguments.next() {
        config.device = DeviceChoice::from_name(&device)
            .ok_or_else(|| LocalError::Setting(format!("no device is called {device}")))?;
    }
    let (loaded, local) = timed(|| Local::start(&config))?;
    println!("{:#?}", local.description());
    println!("loaded in {loaded:?}, resident {}", resident());
    drop(local);
    let tokens: Vec<u32> = (0..PROMPT as u32).map(|n| n * 7 % 500).collect();
    let (loading, _) = timed(|| replay(&config, &tokens[..1], &[]))?;
    let (reading, _) = timed(|| replay(&config, &tokens, &[]))?;
    let (both, _) = timed(|| replay(&config, &tokens, &tokens[..ANSWER]))?;
    let rate = |count: usize, time: Duration| count as f64 / time.as_secs_f64();
    println!("reads {:.0} tokens/s", rate(PROMPT, reading.saturating_sub(loading)));
    println!("writes {:.0} tokens/s", rate(ANSWER, both.saturating_sub(reading)));
    println!("resident {}", resident());
    Ok(())
}

fn timed<T>(run: impl FnOnce() -> Result<T, LocalError>) -> Result<(Duration, T), LocalError> {
    let start = Instant::now();
    let made = run()?;
    Ok((start.elapsed(), made))
}

/// Linux's word for the memory of this process.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or("unknown".to_owned(), |value| value.trim().to_owned())
}
