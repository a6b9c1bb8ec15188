//! The thread that owns the device.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc;

use ringfence_chat::{Chunk, Event, TextKind};
use ringfence_fence::{Failure, FailureKind};

use crate::device::Chosen;
use crate::fault::LocalError;
use crate::gauge::Gauge;
use crate::generate::{Halt, Progress, Writer};
use crate::model::Model;
use crate::queue::{Job, Queue};

/// What the thread and the rest of the house share.
pub(crate) struct Shared {
    pub model: Model,
    pub queue: Queue,
    pub gauge: Gauge,
}

/// Chunks of an answer beside those of its tokens: the beginning, held text, the end
/// and the usage.
pub(crate) const FURTHER_CHUNKS: usize = 8;

/// The stack of the thread: what a test's thread has, twice.
const STACK_BYTES: usize = 4 << 20;

/// Starts the thread and waits until the model is loaded.
///
/// # Errors
/// [`LocalError`].
pub(crate) fn start(
    shared: &Arc<Shared>,
    chosen: Chosen,
) -> Result<std::thread::JoinHandle<()>, LocalError> {
    let (ready, loaded) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("local-model".into())
        .stack_size(STACK_BYTES)
        .spawn({
            let shared = Arc::clone(shared);
            move || run(&shared, &chosen, &ready)
        })
        .map_err(|error| LocalError::Device(format!("no thread for the model: {error}")))?;
    let ended = || LocalError::Device("the device failed while the model was loaded".into());
    loaded.recv().unwrap_or_else(|_| Err(ended()))?;
    Ok(thread)
}

fn run(shared: &Shared, chosen: &Chosen, ready: &mpsc::SyncSender<Result<(), LocalError>>) {
    // However the thread ends, nobody shall wait for it.
    let _closing = Closing(&shared.queue);
    let mut writer = match load(&shared.model, chosen) {
        Ok(writer) => writer,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    if ready.send(Ok(())).is_err() {
        return;
    }
    while let Some(job) = shared.queue.take() {
        let result = catch_unwind(AssertUnwindSafe(|| answer(shared, &mut writer, &job)));
        let failure = match result {
            Ok(Ok(())) => continue,
            Ok(Err(failure)) => failure,
            Err(_) => {
                // What the panic left of the cache is not to be trusted.
                writer.renew(&shared.model);
                Failure::new(FailureKind::Unwell, "the local model failed")
            }
        };
        if matches!(failure.kind, FailureKind::Unwell) {
            shared.gauge.failed();
            tracing::warn!("the local model failed: {}", failure.message);
        }
        let _ = job.replies.try_send(Err(failure));
    }
}

fn load(model: &Model, chosen: &Chosen) -> Result<Writer, LocalError> {
    let opened = chosen.open()?;
    let mut weights = model.weights(opened.dtype)?;
    Writer::load(model, &mut weights, &opened)
}

/// Answers one job into its channel. A cancelled one is no failure.
fn answer(shared: &Shared, writer: &mut Writer, job: &Job) -> Result<(), Failure> {
    let model = &shared.model;
    let unwell = |message: &'static str| Failure::new(FailureKind::Unwell, message);
    let prompt = std::str::from_utf8(&job.prompt)
        .map_err(|_| Failure::new(FailureKind::Rejected, "the prompt is not UTF-8"))?;
    let prompt = (model.tokenizer.encode(prompt))
        .map_err(|_| Failure::new(FailureKind::Rejected, "the prompt cannot be tokenised"))?;
    // The channel has room for every token, so sending fails only when nobody listens.
    let send = |event: Event| match job.replies.try_send(Ok(Chunk::made(vec![event]))) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    };
    let mut first_token = None;
    let ending = writer.answer(model, &prompt, &job.wish, &mut |progress| match progress {
        Progress::Working if job.replies.is_closed() || !shared.queue.is_open() => {
            ControlFlow::Break(())
        }
        Progress::Working => ControlFlow::Continue(()),
        Progress::Begun => {
            first_token = Some(job.since.elapsed());
            send(Event::Start { id: None, model: Some(job.model.clone()) })
        }
        Progress::Text(text) => send(Event::Text {
            choice: 0,
            kind: TextKind::Answer,
            text: text.to_owned(),
            place: None,
        }),
    });
    match ending {
        Ok(ending) => {
            shared.gauge.answered(first_token.unwrap_or_default(), job.since.elapsed());
            let _ = send(Event::Finish { choice: 0, reason: ending.reason });
            let _ = send(Event::Usage(ending.usage));
            Ok(())
        }
        Err(Halt::Cancelled) if job.replies.is_closed() => Ok(()),
        Err(Halt::Cancelled) => Err(unwell("the local model is shutting down")),
        Err(Halt::TooLong { prompt }) => Err(too_long(model, prompt)),
        Err(Halt::Failed(message)) => Err(unwell(message)),
    }
}

/// The failure of a prompt that leaves no room for an answer.
pub(crate) fn too_long(model: &Model, prompt: usize) -> Failure {
    let message = format!(
        "the prompt has {prompt} tokens; this model's context is {} tokens, prompt and answer \
         together",
        model.context
    );
    let mut failure = Failure::new(FailureKind::TooLong, message);
    failure.code = Some("context_length_exceeded");
    failure
}

struct Closing<'a>(&'a Queue);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
