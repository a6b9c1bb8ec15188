//! Hot loading: a changed policy file or configuration goes live without a restart.
//!
//! A thread of its own looks at the files, waits until they hold still, loads them
//! off the request path, and swaps the whole version in. Whatever fails leaves the last
//! good version serving, and is loud until it is mended.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, SystemTime};

use ringfence_fence::Digest;
use ringfence_policy::Cases;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::assembly::{Unmoved, promote, roll_back};
use crate::books;
use crate::config::{CallerKey, Config, PolicySource};
use crate::house::{BuildError, House};
use crate::loosening::loosened;
use crate::signatures::Signature;

/// How often the files are looked at. A change goes live after it held still for one
/// such pause.
pub const PAUSE: Duration = Duration::from_millis(250);

/// Reads a configuration anew.
pub type Read = Box<dyn Fn() -> Result<Config, Vec<BuildError>> + Send>;

/// Asks for a reload at once, whether a file has changed or not. Cloning it shares it.
#[derive(Clone)]
pub struct Reloader(SyncSender<Order>);

/// What is asked for, and who waits for the answer.
struct Order {
    change: Change,
    reply: oneshot::Sender<Reloaded>,
}

/// What a reload is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// What the files say.
    Files,
    /// The candidate of this policy takes the live version's place.
    Promote(String),
    /// The live version of this policy takes its place again.
    RollBack(String),
}

/// What became of a reload.
#[derive(Debug)]
pub enum Reloaded {
    /// What the files say is in force.
    InForce {
        /// The chain.
        chain: Digest,
    },
    /// What was in force stays in force.
    Refused(Vec<BuildError>),
    /// Nothing was promoted or rolled back.
    Unmoved(Unmoved),
    /// It takes longer than anybody should wait, and goes on.
    Late,
    /// Nothing was done: too many wait already.
    Busy,
}

impl Reloader {
    /// Reloads that wait at most.
    pub const WAITING: usize = 8;
    /// How long it waits for an answer.
    pub const WITHIN: Duration = Duration::from_secs(240);

    /// Reloads, and says what became of it.
    pub async fn reload(&self, change: Change) -> Reloaded {
        let (reply, answer) = oneshot::channel();
        if self.0.try_send(Order { change, reply }).is_err() {
            return Reloaded::Busy;
        }
        match tokio::time::timeout(Reloader::WITHIN, answer).await {
            Ok(Ok(reloaded)) => reloaded,
            Ok(Err(_)) | Err(_) => Reloaded::Late,
        }
    }
}

/// Watches the files of a house until the process ends.
pub struct Reload {
    house: Arc<House>,
    read: Read,
    /// What is in force.
    config: Config,
    /// What the process started with: the port that is open, the books that are written.
    started: Config,
    seen: Prints,
    loaded: Prints,
}

/// What the files looked like: enough to see a change, a rename and a swapped link.
type Prints = BTreeMap<PathBuf, Option<Print>>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Print {
    bytes: u64,
    changed: Option<SystemTime>,
    /// Device and inode, which a rename changes.
    place: (u64, u64),
}

impl Reload {
    /// Watches what `config`, which is in force, names. `read` reads it again.
    pub fn new(house: Arc<House>, config: Config, read: Read) -> Reload {
        let prints = prints(&config);
        Reload {
            house,
            read,
            started: config.clone(),
            config,
            seen: prints.clone(),
            loaded: prints,
        }
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system's, when it gives no thread.
    pub fn start(mut self, runtime: Handle) -> std::io::Result<Reloader> {
        let (reloader, asked) = sync_channel(Reloader::WAITING);
        let body = move || {
            loop {
                match asked.recv_timeout(PAUSE) {
                    Ok(Order { change, reply }) => {
                        // Whoever asked may have gone.
                        let _ = reply.send(self.make(&change, &runtime));
                    }
                    Err(RecvTimeoutError::Timeout) => self.look(&runtime),
                    // Nobody can ask any more; the files are watched as before.
                    Err(RecvTimeoutError::Disconnected) => {
                        std::thread::sleep(PAUSE);
                        self.look(&runtime);
                    }
                }
            }
        };
        std::thread::Builder::new().name("reload".into()).spawn(body)?;
        Ok(Reloader(reloader))
    }

    /// Makes a change that was asked for. One whose reload is refused is undone.
    fn make(&mut self, change: &Change, runtime: &Handle) -> Reloaded {
        let House { predecessors, .. } = &*self.house;
        let (entries, in_force) = (&self.config.policies, self.house.in_force());
        let moved = match change {
            Change::Files => return self.reload_now(runtime, &[]),
            Change::Promote(name) => promote(predecessors, entries, &in_force.candidates, name)
                .map(|undo| (undo, format!("policy `{name}`: its candidate is promoted"))),
            Change::RollBack(name) => roll_back(predecessors, name)
                .map(|undo| (undo, format!("policy `{name}`: its candidate is rolled back"))),
        };
        let (undo, note) = match moved {
            Ok(moved) => moved,
            Err(unmoved) => return Reloaded::Unmoved(unmoved),
        };
        let reloaded = self.reload_now(runtime, &[note]);
        if !matches!(reloaded, Reloaded::InForce { .. })
            && let Err(error) = undo.undo(&self.house.predecessors)
        {
            tracing::error!(%error, "a promotion that was refused could not be undone");
        }
        reloaded
    }

    /// Reloads what the files say at this moment; `notes` go into the books with it.
    fn reload_now(&mut self, runtime: &Handle, notes: &[String]) -> Reloaded {
        self.seen = prints(&self.config);
        self.loaded = self.seen.clone();
        match self.try_reload(runtime, notes) {
            Ok(()) => Reloaded::InForce { chain: self.house.in_force().chain.digest() },
            Err(errors) => Reloaded::Refused(errors),
        }
    }

    /// Looks once, and reloads what changed and holds still.
    fn look(&mut self, runtime: &Handle) {
        let now = prints(&self.config);
        let still = now == self.seen;
        self.seen = now;
        if !still || self.seen == self.loaded {
            return;
        }
        self.loaded = self.seen.clone();
        // What is wrong is in the log, in the metrics and among the troubles.
        let _ = self.try_reload(runtime, &[]);
    }

    fn try_reload(&mut self, runtime: &Handle, notes: &[String]) -> Result<(), Vec<BuildError>> {
        let reloaded = self.reload(runtime, notes);
        match &reloaded {
            Ok(()) => {
                self.house.metrics.reloaded("loaded");
                self.house.set_refused(&[]);
            }
            Err(errors) => {
                self.house.metrics.reloaded("refused");
                for error in errors {
                    tracing::error!(%error, "a reload was refused; the last good chain serves on");
                }
                let troubles = errors.iter().map(|error| format!("reload refused: {error}"));
                self.house.set_troubles(troubles.collect());
                self.house.set_refused(errors);
            }
        }
        reloaded
    }

    fn reload(&mut self, runtime: &Handle, notes: &[String]) -> Result<(), Vec<BuildError>> {
        let config = (self.read)()?;
        // Looked at before anything is loaded from them, and the files that were known before
        // anything was read: what changes from here on is another change.
        let mut loaded = prints(&config);
        for (file, print) in &self.loaded {
            if let Some(place) = loaded.get_mut(file) {
                place.clone_from(print);
            }
        }
        stays_guarded(self.started.server.address, &config.callers)?;
        let (next, mut troubles) = self.house.prepare(&config)?;
        troubles.extend(needs_restart(&self.started, &config));
        let before = self.house.in_force();
        let mut loosened = loosened(&before, &next);
        loosened.extend_from_slice(notes);
        // On the books first: no request is judged by a chain that they do not name.
        runtime
            .block_on(books::chained(&self.house, &next, &loosened))
            .map_err(|error| vec![BuildError::new(format!("the ledger: {error}"))])?;
        for trouble in &troubles {
            tracing::warn!(%trouble, "reloaded with trouble");
        }
        tracing::info!(chain = %next.chain.digest().short(), "a new chain is in force");
        self.house.put_in_force(next, troubles);
        self.config = config;
        self.seen = loaded.clone();
        self.loaded = loaded;
        Ok(())
    }
}

/// The port that is open stays open until a restart, whatever address the new
/// configuration has: without callers it would let everybody in.
fn stays_guarded(open: SocketAddr, callers: &[CallerKey]) -> Result<(), Vec<BuildError>> {
    if !callers.is_empty() || open.ip().is_loopback() {
        return Ok(());
    }
    Err(vec![BuildError::new(format!(
        "there are no callers, and {open}, which is open, can be reached from outside: \
         restart to change the address"
    ))])
}

/// What a running process cannot change.
fn needs_restart(before: &Config, after: &Config) -> Vec<String> {
    let changed = [
        ("[server] address", before.server.address != after.server.address),
        ("[server] body_bytes, connections or drain", {
            let (b, a) = (&before.server, &after.server);
            (b.body_bytes, b.connections, b.drain_within)
                != (a.body_bytes, a.connections, a.drain_within)
        }),
        ("state", before.state != after.state),
        ("[admin]", before.admin != after.admin),
        ("[local]", before.local != after.local),
        ("[local.embedding]", before.embedding != after.embedding),
        ("[ledger]", before.ledger != after.ledger),
    ];
    (changed.into_iter().filter(|(_, changed)| *changed))
        .map(|(what, _)| format!("{what} changed: restart to apply it"))
        .collect()
}

fn prints(config: &Config) -> Prints {
    let mut prints = Prints::new();
    if let Some(file) = &config.file {
        prints.insert(file.clone(), print(file));
    }
    for entry in &config.policies {
        match &entry.source {
            PolicySource::Embedded(_) => {}
            PolicySource::File(file) => {
                look_at(&mut prints, file);
                if let Some(candidate) = &entry.candidate {
                    look_at(&mut prints, &candidate.file);
                }
            }
            PolicySource::Folder(folder) => {
                prints.insert(folder.clone(), None);
                let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
                for file in files.map(|file| file.path()) {
                    if file.extension().is_some_and(|extension| extension == "wasm") {
                        look_at(&mut prints, &file);
                    }
                }
            }
        }
    }
    prints.extend(config.detection.files().map(|file| (file.clone(), print(file))));
    prints
}

/// A policy file, and what lies beside it: mending its cases is a reason to try it again,
/// and another signature to look at it again.
fn look_at(prints: &mut Prints, file: &Path) {
    let [json, yaml] = Cases::beside(file);
    for path in [file.to_owned(), json, yaml, Signature::beside(file)] {
        let seen = print(&path);
        prints.insert(path, seen);
    }
}

/// Follows links, so that a link which points elsewhere is a change.
fn print(file: &Path) -> Option<Print> {
    let metadata = std::fs::metadata(file).ok()?;
    #[cfg(unix)]
    let place = {
        use std::os::unix::fs::MetadataExt;
        (metadata.dev(), metadata.ino())
    };
    #[cfg(not(unix))]
    let place = (0, 0);
    Some(Print { bytes: metadata.len(), changed: metadata.modified().ok(), place })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_port_is_never_left_without_callers() {
        for (open, guarded) in [
            ("127.0.0.1:8080", true),
            ("[::1]:8080", true),
            ("0.0.0.0:8080", false),
            ("10.0.0.1:1", false),
        ] {
            let open: SocketAddr = open.parse().expect("an address");
            assert_eq!(stays_guarded(open, &[]).is_ok(), guarded, "{open}");
        }
    }
}
