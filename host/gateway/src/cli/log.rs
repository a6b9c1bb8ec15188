//! The log: our own lines only, on the standard error.

use std::io::{self, IsTerminal as _};

use clap::ValueEnum;
use ringfence::config::Surroundings;
use tracing_subscriber::EnvFilter;

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Nothing
    Off,
    /// What is wrong
    Error,
    /// What is odd
    Warn,
    /// What happens to the process
    Info,
    /// What happens to connections and policies
    Debug,
    /// Everything
    Trace,
}

/// Starts the log of this process.
pub fn start(level: Level) {
    let colours = io::stderr().is_terminal() && Surroundings::Process.wants_colours();
    // A second start, in a test, changes nothing.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter(level))
        .with_writer(io::stderr)
        .with_ansi(colours)
        .try_init();
}

/// Libraries stay silent at every level: what they log can repeat headers and bodies.
fn filter(level: Level) -> EnvFilter {
    let name = match level {
        Level::Off => "off",
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    };
    EnvFilter::new(format!("off,ringfence={name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_never_heard() {
        assert_eq!(filter(Level::Trace).to_string(), "ringfence=trace,off");
    }
}
