//! The command line.

mod check;
mod detect;
mod explain;
mod key;
mod ledger;
pub mod log;
mod policy;
pub mod rehearsal;
mod running;
pub mod screen;
mod status;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use ringfence::config::{Config, Mistakes};
use ringfence_fence::Digest;

use screen::Screen;

/// An LLM gateway whose rules are WebAssembly.
///
/// Without a command it serves, with the embedded configuration and the built-in trial
/// model, on 127.0.0.1:8080.
#[derive(Parser)]
#[command(name = "ringfence", version, args_conflicts_with_subcommands = true)]
pub struct CommandLine {
    /// What `serve` takes, for the case that no command is given.
    #[command(flatten)]
    pub serving: Serving,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Answer requests until a signal
    Serve(Serving),
    /// Say everything that can be known without binding a port
    Check(Choice),
    /// Decide for one request, and send nothing
    Explain(explain::Explaining),
    /// Show what the detectors find in a file
    Detect(detect::Detecting),
    /// Print the embedded configuration
    Config,
    /// Look at policy files: inspect, check, test, run and measure them
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Look at ledgers
    #[command(subcommand)]
    Ledger(Ledger),
    /// Ask a running gateway how it and its policies do
    Status(status::Asking),
    /// Make keys for callers
    #[command(subcommand)]
    Key(Key),
    /// Watch requests be judged, with a stand-in cloud that shows what reached it
    Demo,
}

/// Which configuration.
#[derive(Args, Clone)]
pub struct Choice {
    /// The configuration file; without one, the embedded configuration
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Turn on the cloud targets of the embedded configuration whose keys are set
    #[arg(long, conflicts_with = "config")]
    pub cloud: bool,
}

/// How to serve.
#[derive(Args, Clone)]
pub struct Serving {
    /// Which configuration.
    #[command(flatten)]
    pub choice: Choice,
    /// Listen here, whatever the configuration says
    #[arg(long, value_name = "IP:PORT")]
    pub address: Option<SocketAddr>,
    /// How much to log
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log: log::Level,
}

/// Ledgers.
#[derive(Subcommand)]
pub enum Ledger {
    /// Follow the chain of digests from the first record to the last
    Verify {
        /// The ledger
        file: PathBuf,
        /// A head that was noted elsewhere, so that a cut tail shows
        #[arg(long, value_name = "DIGEST", value_parser = digest)]
        head: Option<Digest>,
    },
}

/// Keys of callers.
#[derive(Subcommand)]
pub enum Key {
    /// Print a new key, once, and the entry for the configuration
    New {
        /// Whose data it is
        #[arg(long)]
        tenant: String,
        /// The public id of the key; the tenant's name without one
        #[arg(long)]
        name: Option<String>,
    },
    /// Print the SHA-256 of a key that is read from the standard input
    Hash,
}

/// Why a command did not do what it should.
#[derive(Debug)]
pub enum Trouble {
    /// The output cannot be written.
    Output(io::Error),
    /// The configuration is wrong.
    Configuration(Mistakes),
    /// This is wrong.
    Found(String),
}

impl Choice {
    /// The configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn config(&self) -> Result<Config, Mistakes> {
        match &self.config {
            Some(file) => Config::load(file),
            None => Config::embedded(self.cloud),
        }
    }
}

impl Serving {
    /// The configuration, at the address of the command line.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn config(&self) -> Result<Config, Mistakes> {
        let config = self.choice.config()?;
        match self.address {
            Some(address) => config.at(address),
            None => Ok(config),
        }
    }
}

/// Runs a command that ends by itself.
///
/// # Errors
/// [`Trouble`].
pub fn run(command: Command, screen: &mut Screen) -> Result<(), Trouble> {
    match command {
        Command::Check(choice) => check::check(&choice, screen),
        Command::Explain(explaining) => explain::explain(&explaining, screen),
        Command::Detect(detecting) => detect::detect(&detecting, screen),
        Command::Config => Ok(screen.write(Config::EMBEDDED)?),
        Command::Policy(command) => policy::run(&command, screen),
        Command::Ledger(Ledger::Verify { file, head }) => ledger::verify(&file, head, screen),
        Command::Key(Key::New { tenant, name }) => key::new(&tenant, name.as_deref(), screen),
        Command::Status(asking) => status::status(&asking, screen),
        Command::Key(Key::Hash) => key::hash(screen),
        Command::Serve(_) | Command::Demo => Ok(()),
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Trouble::Output(error) => write!(f, "the output cannot be written: {error}"),
            Trouble::Configuration(mistakes) => write!(f, "{mistakes}"),
            Trouble::Found(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Trouble {}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Output(error)
    }
}

impl From<Mistakes> for Trouble {
    fn from(mistakes: Mistakes) -> Trouble {
        Trouble::Configuration(mistakes)
    }
}

fn digest(text: &str) -> Result<Digest, String> {
    Digest::parse(text).ok_or_else(|| "a digest has 64 hexadecimal digits".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<CommandLine, clap::Error> {
        CommandLine::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn serving_needs_no_command() {
        let line = parse("ringfence --cloud --address 127.0.0.1:0").expect("a command line");
        assert!(line.command.is_none() && line.serving.choice.cloud);
        let line = parse("ringfence serve --config a.toml").expect("a command line");
        assert!(
            matches!(line.command, Some(Command::Serve(serving)) if serving.choice.config.is_some())
        );
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for line in [
            "ringfence --cloud --config a.toml",
            "ringfence serve --address here",
            "ringfence ledger verify a --head 12",
            "ringfence key new",
            "ringfence serve --log loud",
            "ringfence detect",
            "ringfence detect --list a.txt",
            "ringfence detect --json --redacted a.txt",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
