//! Marks people, places and organisations in texts, with a model of its own.
//!
//! A [`Tagger`] is a checkpoint with a head that labels tokens, on a thread of its own with
//! a bounded queue in front. It does not wait behind an answer that the local model is
//! writing: on the CPU the two share the cores, and an adapter's driver takes turns between
//! them, step by step. A call has a deadline, which is looked at before every window.

mod words;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::device::{self, Chosen};
use crate::encoder::{Encoder, Shape};
use crate::fault::LocalError;
use crate::files::ModelFiles;
use crate::settings::{DeviceChoice, ModelSource};
use crate::tokenizer::{Piece, Tokenizer};
use words::Scheme;

/// Which tagger, and where it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggerConfig {
    /// A folder in the layout of the model hub: `config.json`, `tokenizer.json` and
    /// safetensors.
    pub folder: PathBuf,
    /// Where it runs.
    pub device: DeviceChoice,
    /// Calls that may wait while one is read; the next one is refused.
    pub queue: usize,
}

/// Something that was marked. Offsets are bytes of the text, on character boundaries.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Index of its kind: [`Tagger::kinds`].
    pub kind: usize,
    /// The mean of its words' probabilities, 0 to 1.
    pub probability: f32,
}

/// Why there are no tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TagFault {
    /// As many calls as may wait do wait.
    #[error("the tagger is busy")]
    Full,
    /// The deadline passed.
    #[error("the tagger is late")]
    Late,
    /// The model or its device failed, or its thread has ended.
    #[error("the tagger failed")]
    Failed,
}

/// A model that marks texts.
pub struct Tagger {
    kinds: Vec<String>,
    description: String,
    jobs: RwLock<Option<SyncSender<Job>>>,
    thread: Option<JoinHandle<()>>,
}

struct Job {
    texts: Vec<Arc<str>>,
    until: Instant,
    reply: oneshot::Sender<Result<Vec<Vec<Tag>>, TagFault>>,
}

/// What the thread owns.
struct Reader {
    encoder: Encoder,
    tokenizer: Tokenizer,
    scheme: Scheme,
    /// Tokens of a window between its marks.
    window: usize,
    /// The marks at the ends of a window.
    marks: [u32; 2],
}

impl Tagger {
    /// Calls that wait at most, unless the configuration says otherwise.
    pub const QUEUE: usize = 64;

    /// Bytes that are tokenised together. What stands on the seam of two blocks is read
    /// with both: [`Tagger::OVERLAP_BYTES`].
    pub const BLOCK_BYTES: usize = 16 * 1024;

    /// Bytes that a block shares with the one before it: longer than a name.
    pub const OVERLAP_BYTES: usize = 256;

    /// Tokens that a window shares with the one before it, where it is long enough.
    pub const OVERLAP_TOKENS: usize = 64;

    /// Tokens of a window at most, whatever the model was made for.
    pub const WINDOW_TOKENS: usize = 512;

    /// Loads the model and starts its thread. Blocks until it can read.
    ///
    /// # Errors
    /// [`LocalError`].
    pub fn start(config: &TaggerConfig) -> Result<Tagger, LocalError> {
        let chosen = device::choose(config.device)?;
        let files = ModelFiles::of(&ModelSource::Folder(config.folder.clone()))?;
        let shape = Shape::read(&files)?;
        Encoder::check(&files, &shape)?;
        let scheme =
            Scheme::of(&shape.labels).map_err(|problem| files.fault(Shape::FILE, problem))?;
        let kinds = scheme.kinds().to_vec();
        let description = format!("{}, on {}", config.folder.display(), chosen.text());
        let (jobs, waiting) = sync_channel(config.queue.max(1));
        let (ready, loaded) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("tagger".into())
            .stack_size(STACK_BYTES)
            .spawn(move || run(&files, &shape, scheme, &chosen, &ready, &waiting))
            .map_err(|error| LocalError::Device(format!("no thread for the tagger: {error}")))?;
        let ended = || LocalError::Device("the device failed while the tagger was loaded".into());
        loaded.recv().unwrap_or_else(|_| Err(ended()))?;
        Ok(Tagger { kinds, description, jobs: RwLock::new(Some(jobs)), thread: Some(thread) })
    }

    /// What the model in a folder can mark, read from its `config.json` alone.
    ///
    /// # Errors
    /// [`LocalError::Model`].
    pub fn kinds_of(folder: &Path) -> Result<Vec<String>, LocalError> {
        let files = ModelFiles::of(&ModelSource::Folder(folder.to_owned()))?;
        let shape = Shape::read(&files)?;
        let scheme = Scheme::of(&shape.labels);
        Ok(scheme.map_err(|problem| files.fault(Shape::FILE, problem))?.kinds().to_vec())
    }

    /// What it can mark, as the model names it, without the letters for beginning and
    /// inside: `PER`, `LOC`.
    pub fn kinds(&self) -> &[String] {
        &self.kinds
    }

    /// The folder and the device.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Marks texts. The tags of each come ordered by start, without overlaps of one kind.
    ///
    /// # Errors
    /// [`TagFault`]; nothing of the texts is known then.
    pub async fn tag(
        &self,
        texts: Vec<Arc<str>>,
        within: Duration,
    ) -> Result<Vec<Vec<Tag>>, TagFault> {
        let until = Instant::now() + within;
        let (reply, answer) = oneshot::channel();
        {
            let jobs = self.jobs.read().unwrap_or_else(PoisonError::into_inner);
            let jobs = jobs.as_ref().ok_or(TagFault::Failed)?;
            jobs.try_send(Job { texts, until, reply }).map_err(|error| match error {
                TrySendError::Full(_) => TagFault::Full,
                TrySendError::Disconnected(_) => TagFault::Failed,
            })?;
        }
        match tokio::time::timeout_at(until.into(), answer).await {
            Ok(answer) => answer.unwrap_or(Err(TagFault::Failed)),
            Err(_) => Err(TagFault::Late),
        }
    }
}

impl Drop for Tagger {
    fn drop(&mut self) {
        // Without a sender the thread ends after the window that it reads.
        self.jobs.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Shows what it is and never what it read.
impl std::fmt::Debug for Tagger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tagger").field("description", &self.description).finish_non_exhaustive()
    }
}

/// The stack of the thread.
const STACK_BYTES: usize = 4 << 20;

fn run(
    files: &ModelFiles,
    shape: &Shape,
    scheme: Scheme,
    chosen: &Chosen,
    ready: &SyncSender<Result<(), LocalError>>,
    jobs: &Receiver<Job>,
) {
    let loading = catch_unwind(AssertUnwindSafe(|| Reader::load(files, shape, scheme, chosen)));
    let failed = || Err(LocalError::Device("the device failed while the tagger was loaded".into()));
    let reader = match loading.unwrap_or_else(|_| failed()) {
        Ok(reader) => reader,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let _ = ready.send(Ok(()));
    while let Ok(job) = jobs.recv() {
        if job.reply.is_closed() {
            continue;
        }
        // The message of a panic could hold what was read; it says nothing here.
        let read = catch_unwind(AssertUnwindSafe(|| reader.read_all(&job)));
        let _ = job.reply.send(read.unwrap_or(Err(TagFault::Failed)));
    }
}

impl Reader {
    fn load(
        files: &ModelFiles,
        shape: &Shape,
        scheme: Scheme,
        chosen: &Chosen,
    ) -> Result<Reader, LocalError> {
        let tokenizer = Tokenizer::read(files, shape.vocabulary)?;
        let mark = |token: &str| {
            let problem = format!("lacks the token {token}, which stands at an end of each window");
            tokenizer.id(token).ok_or_else(|| files.fault(Tokenizer::FILE, problem))
        };
        let marks = [mark("[CLS]")?, mark("[SEP]")?];
        let window = shape.positions.min(Tagger::WINDOW_TOKENS);
        let window = window
            .checked_sub(2)
            .filter(|&window| window > 0)
            .ok_or_else(|| files.fault(Shape::FILE, "has no room between the marks of a window"))?;
        let encoder = Encoder::load(files, shape, &chosen.open()?)?;
        // What the device compiles at its first use, it compiles now.
        let warm = encoder.read(&marks);
        warm.map_err(|error| LocalError::Device(format!("the tagger does not run: {error}")))?;
        Ok(Reader { encoder, tokenizer, scheme, window, marks })
    }

    fn read_all(&self, job: &Job) -> Result<Vec<Vec<Tag>>, TagFault> {
        let texts = job.texts.iter().map(|text| {
            let mut tags = Vec::new();
            for (start, end) in blocks(text) {
                self.read(&text[start..end], start, job, &mut tags)?;
            }
            Ok(words::joined(tags))
        });
        texts.collect()
    }

    /// Reads one block, which begins at `from` of its text.
    fn read(
        &self,
        block: &str,
        from: usize,
        job: &Job,
        out: &mut Vec<Tag>,
    ) -> Result<(), TagFault> {
        let pieces = self.tokenizer.pieces(block).map_err(|_| TagFault::Failed)?;
        let labels = self.scheme.labels();
        let mut first = 0;
        while first < pieces.len() {
            if Instant::now() >= job.until || job.reply.is_closed() {
                return Err(TagFault::Late);
            }
            let last = (first + self.window).min(pieces.len());
            let window = &pieces[first..last];
            let inner = window.iter().map(|piece| piece.id);
            let ids: Vec<u32> =
                std::iter::once(self.marks[0]).chain(inner).chain([self.marks[1]]).collect();
            let logits = self.encoder.read(&ids).map_err(|_| TagFault::Failed)?;
            let rows = logits.get(labels..(window.len() + 1) * labels).ok_or(TagFault::Failed)?;
            self.scheme.tags(window, rows, from, out);
            if last == pieces.len() {
                break;
            }
            first = next_window(&pieces, first, last);
        }
        Ok(())
    }
}

/// Where the window after `first..last` begins: some tokens back, at the beginning of a
/// word, and further than the one before.
fn next_window(pieces: &[Piece], first: usize, last: usize) -> usize {
    let back = Tagger::OVERLAP_TOKENS.min((last - first) / 2);
    let begins = |at: usize| at == 0 || pieces[at].word != pieces[at - 1].word;
    (first + 1..=last - back).rev().find(|&at| begins(at)).unwrap_or(last)
}

/// The blocks of a text: byte ranges on character boundaries that cover it, at blanks where
/// there are some.
fn blocks(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut start = 0;
    let mut done = text.is_empty();
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        let from = start;
        let end = text.ceil_char_boundary(from + Tagger::BLOCK_BYTES);
        done = end >= text.len();
        let next = text.floor_char_boundary(end.saturating_sub(Tagger::OVERLAP_BYTES));
        let blank = text[next..end].find(char::is_whitespace);
        start = blank.map_or(next, |at| next + at).max(from + 1);
        start = text.ceil_char_boundary(start);
        Some((from, end.min(text.len())))
    })
}

#[cfg(test)]
mod tests;
