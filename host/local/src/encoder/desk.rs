//! The thread of an encoder and the queue in front of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Encoder, Reader, Sentence, Shape, Task};
use crate::device::{self, Chosen};
use crate::fault::LocalError;
use crate::files::ModelFiles;
use crate::settings::{DeviceChoice, ModelSource};

/// Which encoder, and where it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncoderConfig {
    /// A folder in the layout of the model hub: `config.json`, `tokenizer.json` and
    /// safetensors.
    pub folder: PathBuf,
    /// Where it runs.
    pub device: DeviceChoice,
    /// Calls that may wait while one is read; the next one is refused.
    pub queue: usize,
}

impl EncoderConfig {
    /// Calls that wait at most, unless the configuration says otherwise.
    pub const QUEUE: usize = 64;

    /// How long a call may take, whatever it asks for.
    pub const WITHIN: Duration = Duration::from_secs(3600);
}

/// Why an encoder gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadFault {
    /// As many calls as may wait do wait.
    #[error("the encoder is busy")]
    Full,
    /// The deadline passed.
    #[error("the encoder is late")]
    Late,
    /// The model or its device failed, or its thread has ended.
    #[error("the encoder failed")]
    Failed,
}

/// All that is known of an encoder before its weights are read.
pub(crate) struct Plan {
    pub files: ModelFiles,
    pub shape: Shape,
    /// How it makes vectors, where that is its task.
    pub sentence: Option<Sentence>,
    pub chosen: Chosen,
}

/// One call, as the thread sees it.
pub(crate) struct Call<'a> {
    pub texts: &'a [Arc<str>],
    until: Instant,
    is_gone: &'a dyn Fn() -> bool,
}

/// An encoder's thread, and the queue in front of it. `A` is what it answers.
pub(crate) struct Desk<A> {
    description: String,
    jobs: RwLock<Option<SyncSender<Job<A>>>>,
    /// Calls that wait.
    waiting: Arc<AtomicU32>,
    thread: Option<JoinHandle<()>>,
}

/// The thread's end of the queue.
struct Queue<A> {
    queue: Receiver<Job<A>>,
    waiting: Arc<AtomicU32>,
}

struct Job<A> {
    texts: Vec<Arc<str>>,
    until: Instant,
    reply: oneshot::Sender<Result<A, ReadFault>>,
}

/// The stack of the thread.
const STACK_BYTES: usize = 4 << 20;

impl Plan {
    /// Reads all but the weights, of which it looks at the headers.
    ///
    /// # Errors
    /// [`LocalError`].
    pub(crate) fn read(config: &EncoderConfig, task: Task) -> Result<Plan, LocalError> {
        let chosen = device::choose(config.device)?;
        let files = ModelFiles::of(&ModelSource::Folder(config.folder.clone()))?;
        let shape = Shape::read(&files, task)?;
        Encoder::check(&files, &shape)?;
        let sentence = (task == Task::Embed).then(|| Sentence::read(&files)).transpose()?;
        Ok(Plan { files, shape, sentence, chosen })
    }
}

impl<'a> Call<'a> {
    /// A call that is late after `within`, and lost when `is_gone`.
    #[cfg(test)]
    pub(crate) fn new(
        texts: &'a [Arc<str>],
        within: Duration,
        is_gone: &'a dyn Fn() -> bool,
    ) -> Call<'a> {
        Call { texts, until: Instant::now() + within, is_gone }
    }

    /// That somebody still waits. Looked at between groups of windows.
    ///
    /// # Errors
    /// [`ReadFault::Late`].
    pub(crate) fn in_time(&self) -> Result<(), ReadFault> {
        if Instant::now() >= self.until || (self.is_gone)() {
            return Err(ReadFault::Late);
        }
        Ok(())
    }
}

impl<A: Send + 'static> Desk<A> {
    /// Starts the thread, which answers calls by `answer`. Blocks until the model is loaded.
    /// `name` is the thread's.
    ///
    /// # Errors
    /// [`LocalError`].
    pub(crate) fn open(
        name: &'static str,
        plan: Plan,
        config: &EncoderConfig,
        answer: impl Fn(&Reader, &Call<'_>) -> Result<A, ReadFault> + Send + 'static,
    ) -> Result<Desk<A>, LocalError> {
        let description = format!("{}, on {}", config.folder.display(), plan.chosen.text());
        let (jobs, queue) = sync_channel(config.queue.max(1));
        let waiting = Arc::new(AtomicU32::new(0));
        let (ready, loaded) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name(name.into())
            .stack_size(STACK_BYTES)
            .spawn({
                let waiting = Arc::clone(&waiting);
                move || run(&plan, &ready, &Queue { queue, waiting }, &answer)
            })
            .map_err(|error| LocalError::Device(format!("no thread for the {name}: {error}")))?;
        loaded.recv().unwrap_or_else(|_| Err(ended()))?;
        let jobs = RwLock::new(Some(jobs));
        Ok(Desk { description, jobs, waiting, thread: Some(thread) })
    }

    /// The folder and the device.
    pub(crate) fn description(&self) -> &str {
        &self.description
    }

    /// Calls that wait.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Has texts read. It is late after `within`, the wait in the queue included.
    ///
    /// # Errors
    /// [`ReadFault`].
    pub(crate) async fn ask(&self, texts: Vec<Arc<str>>, within: Duration) -> Result<A, ReadFault> {
        let until = Instant::now() + within.min(EncoderConfig::WITHIN);
        let (reply, answer) = oneshot::channel();
        {
            let jobs = self.jobs.read().unwrap_or_else(PoisonError::into_inner);
            let jobs = jobs.as_ref().ok_or(ReadFault::Failed)?;
            // Before the thread can count it down.
            self.waiting.fetch_add(1, Ordering::Relaxed);
            jobs.try_send(Job { texts, until, reply }).map_err(|error| {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                match error {
                    TrySendError::Full(_) => ReadFault::Full,
                    TrySendError::Disconnected(_) => ReadFault::Failed,
                }
            })?;
        }
        match tokio::time::timeout_at(until.into(), answer).await {
            Ok(answer) => answer.unwrap_or(Err(ReadFault::Failed)),
            Err(_) => Err(ReadFault::Late),
        }
    }
}

impl<A> Drop for Desk<A> {
    fn drop(&mut self) {
        // Without a sender the thread ends after the calls that it has.
        self.jobs.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Shows what it is and never what it read.
impl<A> std::fmt::Debug for Desk<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("description", &self.description).finish_non_exhaustive()
    }
}

fn ended() -> LocalError {
    LocalError::Device("the device failed while the encoder was loaded".into())
}

fn run<A>(
    plan: &Plan,
    ready: &SyncSender<Result<(), LocalError>>,
    Queue { queue, waiting }: &Queue<A>,
    answer: &impl Fn(&Reader, &Call<'_>) -> Result<A, ReadFault>,
) {
    let loading = catch_unwind(AssertUnwindSafe(|| Reader::load(plan)));
    let reader = match loading.unwrap_or_else(|_| Err(ended())) {
        Ok(reader) => reader,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let _ = ready.send(Ok(()));
    while let Ok(Job { texts, until, reply }) = queue.recv() {
        waiting.fetch_sub(1, Ordering::Relaxed);
        let is_gone = || reply.is_closed();
        if is_gone() {
            continue;
        }
        let call = Call { texts: &texts, until, is_gone: &is_gone };
        // The message of a panic could hold what was read; it says nothing here.
        let read = catch_unwind(AssertUnwindSafe(|| answer(&reader, &call)));
        let _ = reply.send(read.unwrap_or(Err(ReadFault::Failed)));
    }
}
