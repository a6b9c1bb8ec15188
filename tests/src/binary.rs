//! The binary under test.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long a command that does not serve may take.
const COMMAND_WITHIN: Duration = Duration::from_secs(60);

/// A command that has ended.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Its exit status; -1 when it had to be killed.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Ran {
    /// Both outputs.
    pub fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Panics unless the command succeeded.
    #[track_caller]
    pub fn succeeded(self) -> Ran {
        assert_eq!(self.code, 0, "{}", self.output());
        self
    }

    /// Panics unless the command failed in its own words, all of `words` among them.
    #[track_caller]
    pub fn failed_with(self, words: &[&str]) -> Ran {
        let output = self.output();
        assert!(self.code > 0 && self.code < 100, "exit status {}:\n{output}", self.code);
        for word in words {
            assert!(output.contains(word), "no {word:?} in:\n{output}");
        }
        assert!(!output.contains("panicked"), "{output}");
        self
    }
}

/// Runs `ringfence` with these arguments in an empty environment.
pub fn ringfence<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Ran {
    ringfence_in(&std::env::temp_dir(), &[], arguments)
}

/// The same in a folder, with environment variables.
pub fn ringfence_in<S: AsRef<std::ffi::OsStr>>(
    folder: &Path,
    environment: &[(&str, &str)],
    arguments: &[S],
) -> Ran {
    let mut child = command(folder)
        .envs(environment.iter().copied())
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let stdout = drain(child.stdout.take().expect("a pipe"));
    let stderr = drain(child.stderr.take().expect("a pipe"));
    let end = Instant::now() + COMMAND_WITHIN;
    let code = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status.code().unwrap_or(-1);
        }
        if Instant::now() > end {
            child.kill().ok();
            child.wait().ok();
            break -1;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let text = |thread: std::thread::JoinHandle<String>| thread.join().unwrap_or_default();
    Ran { code, stdout: text(stdout), stderr: text(stderr) }
}

/// A command of the binary with nothing of this process's environment in it.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(path());
    command.env_clear().env("HOME", folder).current_dir(folder).stdin(Stdio::null());
    // The loader for a software adapter is found by these, where they are set.
    for name in ["PATH", "VK_ICD_FILENAMES", "VK_DRIVER_FILES", "XDG_RUNTIME_DIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

fn drain(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).ok();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// `RINGFENCE_BINARY`, or the binary of this build, brought up to date first.
fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        if let Some(path) = std::env::var_os("RINGFENCE_BINARY") {
            return PathBuf::from(path);
        }
        let this = std::env::current_exe().expect("this program has a path");
        let release = this
            .ancestors()
            .find(|folder| folder.file_name().is_some_and(|name| name == "release"))
            .expect("tests are built with --release");
        let target = release.parent().expect("release stands in the target folder");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--release", "--quiet", "--package", "ringfence", "--target-dir"])
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo starts");
        assert!(status.success(), "the binary under test does not build");
        release.join("ringfence")
    })
}
