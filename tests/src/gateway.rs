//! A running gateway.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::binary;
use crate::client::{Answer, Client};
use crate::configuration::Configuration;

/// How long a gateway may take until it prints its address.
const START_WITHIN: Duration = Duration::from_secs(30);

/// A real gateway on a free port, with a state folder of its own. It is killed when
/// it is dropped.
pub struct Gateway {
    child: Child,
    address: SocketAddr,
    output: Arc<Mutex<String>>,
    configuration: PathBuf,
    surroundings: Surroundings,
    folder: Arc<TempDir>,
    client: Client,
}

/// What a gateway is started with besides its file.
#[derive(Clone)]
struct Surroundings {
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
}

/// A gateway that did not start.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Its exit status.
    pub code: i32,
    /// Everything that it printed.
    pub output: String,
}

impl Gateway {
    /// Starts a gateway; panics with what it printed when it does not start.
    #[track_caller]
    pub fn start(configuration: &Configuration) -> Gateway {
        match Gateway::try_start(configuration) {
            Ok(gateway) => gateway,
            Err(refused) => panic!("exit status {}:\n{}", refused.code, refused.output),
        }
    }

    /// Starts a gateway that may refuse to start.
    ///
    /// # Errors
    /// [`Refused`], with everything that it printed.
    pub fn try_start(configuration: &Configuration) -> Result<Gateway, Refused> {
        let folder = Arc::new(TempDir::new().expect("a temporary folder"));
        let file = folder.path().join("ringfence.toml");
        std::fs::write(&file, configuration.render(folder.path())).expect("a file");
        let (environment, arguments) = (configuration.environment(), configuration.arguments());
        Gateway::launch(folder, file, Surroundings { environment, arguments })
    }

    /// Stops this gateway and starts another one on the same files.
    ///
    /// # Errors
    /// [`Refused`], with everything that the new one printed.
    pub fn restart(mut self) -> Result<Gateway, Refused> {
        self.stop();
        let (folder, file) = (Arc::clone(&self.folder), self.configuration.clone());
        Gateway::launch(folder, file, self.surroundings.clone())
    }

    fn launch(
        folder: Arc<TempDir>,
        file: PathBuf,
        surroundings: Surroundings,
    ) -> Result<Gateway, Refused> {
        let mut child = binary::command(folder.path())
            .envs(surroundings.environment.iter().map(|(name, value)| (name, value)))
            .arg("serve")
            .arg("--config")
            .arg(&file)
            .args(&surroundings.arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let output = Arc::new(Mutex::new(String::new()));
        collect(child.stdout.take().expect("a pipe"), &output);
        collect(child.stderr.take().expect("a pipe"), &output);
        let end = Instant::now() + START_WITHIN;
        loop {
            if let Some(address) = address_in(&text(&output)) {
                let client = Client::new(address);
                let configuration = file;
                return Ok(Gateway {
                    child,
                    address,
                    output,
                    configuration,
                    surroundings,
                    folder,
                    client,
                });
            }
            let ended = child.try_wait().expect("a child");
            if ended.is_some() || Instant::now() > end {
                child.kill().ok();
                child.wait().ok();
                std::thread::sleep(Duration::from_millis(50));
                let code = ended.and_then(|status| status.code()).unwrap_or(-1);
                return Err(Refused { code, output: text(&output) });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL, as clients of OpenAI's dialect take it.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// A client of it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a chat completion; see [`Client::chat`].
    pub async fn chat(&self, body: &Value) -> Answer {
        self.client.chat(body).await
    }

    /// Its configuration file.
    pub fn configuration(&self) -> &Path {
        &self.configuration
    }

    /// Its folder: state, ledger and configuration lie in it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The ledger's file.
    pub fn ledger(&self) -> PathBuf {
        Configuration::ledger_in(self.folder.path())
    }

    /// Puts another configuration in the place of its own, as an editor does.
    pub fn reconfigure(&self, configuration: &Configuration) {
        replace(&self.configuration, configuration.render(self.folder.path()).as_bytes());
    }

    /// Everything that it printed so far.
    pub fn output(&self) -> String {
        text(&self.output)
    }

    /// Waits until it has printed `words`, for at most `within`.
    pub async fn wait_for_output(&self, words: &str, within: Duration) -> bool {
        let end = Instant::now() + within;
        while !self.output().contains(words) {
            if Instant::now() > end {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        true
    }

    /// The text of its metrics.
    pub async fn metrics(&self) -> String {
        self.client.get("/metrics").await.text()
    }

    /// What `/healthz` says.
    pub async fn health(&self) -> Value {
        self.client.get("/healthz").await.json()
    }

    /// The digest of the chain in force, as metrics give it.
    pub async fn chain(&self) -> String {
        let metrics = self.metrics().await;
        let line = metrics.lines().find(|line| line.starts_with("ringfence_chain{"));
        let digest = line.and_then(|line| line.split("digest=\"").nth(1)?.split('"').next());
        digest.unwrap_or_else(|| panic!("no chain digest in:\n{metrics}")).to_owned()
    }

    /// Waits until the chain in force is another one than `before`; its digest.
    pub async fn wait_for_another_chain(&self, before: &str, within: Duration) -> String {
        let end = Instant::now() + within;
        loop {
            let now = self.chain().await;
            if now != before {
                return now;
            }
            assert!(Instant::now() < end, "still {before} after {within:?}:\n{}", self.output());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Memory that it has in use, in bytes.
    pub fn resident(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        number.expect("a running process has a size") * 1024
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_none())
    }

    /// Asks it to stop, as a supervisor does, and gives its exit status.
    pub fn stop(&mut self) -> i32 {
        if let Ok(Some(status)) = self.child.try_wait() {
            return status.code().unwrap_or(-1);
        }
        let id = self.child.id().to_string();
        std::process::Command::new("kill").args(["-TERM", &id]).status().ok();
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.code().unwrap_or(-1);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.kill();
        -1
    }

    /// Sends it `SIGHUP`, as an operator does who wants a reload.
    pub fn hang_up(&self) {
        let id = self.child.id().to_string();
        std::process::Command::new("kill").args(["-HUP", &id]).status().ok();
    }

    /// Kills it, as a power cut does.
    pub fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Puts a file in the place of another one in one step.
pub fn replace(path: &Path, bytes: &[u8]) {
    let fresh = path.with_extension("fresh");
    std::fs::write(&fresh, bytes).expect("a file");
    std::fs::rename(&fresh, path).expect("a rename");
}

fn collect(pipe: impl Read + Send + 'static, output: &Arc<Mutex<String>>) {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            output.push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    });
}

fn text(output: &Mutex<String>) -> String {
    output.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The first address of its own that it printed.
fn address_in(output: &str) -> Option<SocketAddr> {
    let line = output.lines().find(|line| line.contains("http://127.0.0.1:"))?;
    let address = line.split("http://").nth(1)?;
    let end = address.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':');
    address[..end.unwrap_or(address.len())].parse().ok()
}
