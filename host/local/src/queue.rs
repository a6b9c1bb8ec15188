//! The queue in front of the device.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use ringfence_chat::Chunk;
use ringfence_fence::Failure;
use tokio::sync::mpsc;

use crate::generate::Wish;

/// One request for one answer.
pub(crate) struct Job {
    /// The rendered prompt.
    pub prompt: Bytes,
    /// The model's name as the client shall see it.
    pub model: String,
    pub wish: Wish,
    /// Where the answer goes. The receiver's end is the wish to cancel.
    pub replies: mpsc::Sender<Result<Chunk, Failure>>,
    /// When it came.
    pub since: Instant,
}

/// Jobs in the order in which they came. Bounded: the next one is refused.
pub(crate) struct Queue {
    room: usize,
    inner: Mutex<Inner>,
    bell: Condvar,
}

struct Inner {
    waiting: VecDeque<Job>,
    busy: bool,
    open: bool,
}

/// Why a job was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// As many as may wait do wait.
    Full,
    /// The device's thread has ended.
    Closed,
}

/// How many wait and how many are being answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Depth {
    pub queued: u32,
    pub in_flight: u32,
}

impl Queue {
    /// A queue in which `room` jobs may wait while one is answered.
    pub(crate) fn new(room: usize) -> Queue {
        let inner = Inner { waiting: VecDeque::new(), busy: false, open: true };
        Queue { room, inner: Mutex::new(inner), bell: Condvar::new() }
    }

    /// Adds a job at the end.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub(crate) fn push(&self, job: Job) -> Result<(), NotTaken> {
        let mut inner = self.lock();
        if !inner.open {
            return Err(NotTaken::Closed);
        }
        inner.forget_cancelled();
        // An idle device takes one even where none may wait.
        let idle = !inner.busy && inner.waiting.is_empty();
        if inner.waiting.len() >= self.room && !idle {
            return Err(NotTaken::Full);
        }
        inner.waiting.push_back(job);
        drop(inner);
        self.bell.notify_one();
        Ok(())
    }

    /// Waits for the next job whose client still waits. Nothing once the queue is
    /// closed. Taking one says that the last one is done.
    pub(crate) fn take(&self) -> Option<Job> {
        let mut inner = self.lock();
        inner.busy = false;
        loop {
            inner.forget_cancelled();
            if !inner.open {
                return None;
            }
            if let Some(job) = inner.waiting.pop_front() {
                inner.busy = true;
                return Some(job);
            }
            inner = self.bell.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes no more jobs and forgets those that wait; their clients see the end.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.open = false;
        inner.waiting.clear();
        drop(inner);
        self.bell.notify_all();
    }

    /// False once it is closed.
    pub(crate) fn is_open(&self) -> bool {
        self.lock().open
    }

    /// How deep it is now.
    pub(crate) fn depth(&self) -> Depth {
        let mut inner = self.lock();
        inner.forget_cancelled();
        Depth {
            queued: u32::try_from(inner.waiting.len()).unwrap_or(u32::MAX),
            in_flight: u32::from(inner.busy),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics half way; a poisoned lock is as good as another.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn forget_cancelled(&mut self) {
        self.waiting.retain(|job| !job.replies.is_closed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Replies = mpsc::Receiver<Result<Chunk, Failure>>;

    fn job(name: &str) -> (Job, Replies) {
        let (replies, receiver) = mpsc::channel(4);
        let job = Job {
            prompt: Bytes::new(),
            model: name.to_owned(),
            wish: Wish::default(),
            replies,
            since: Instant::now(),
        };
        (job, receiver)
    }

    fn push(queue: &Queue, name: &str) -> Result<Replies, NotTaken> {
        let (job, replies) = job(name);
        queue.push(job).map(|()| replies)
    }

    fn depth(queued: u32, in_flight: u32) -> Depth {
        Depth { queued, in_flight }
    }

    #[test]
    fn refuses_the_one_after_the_last() {
        let queue = Queue::new(2);
        let _first = push(&queue, "first").expect("room");
        assert_eq!(queue.take().map(|job| job.model).as_deref(), Some("first"));
        let _second = push(&queue, "second").expect("room");
        let _third = push(&queue, "third").expect("room");
        assert_eq!(queue.depth(), depth(2, 1));
        assert_eq!(push(&queue, "fourth").err(), Some(NotTaken::Full));
        assert_eq!(queue.take().map(|job| job.model).as_deref(), Some("second"));
        assert_eq!(queue.depth(), depth(1, 1));
        assert!(push(&queue, "fourth").is_ok());
    }

    #[test]
    fn without_room_an_idle_device_takes_one() {
        let queue = Queue::new(0);
        let _first = push(&queue, "first").expect("idle");
        assert_eq!(push(&queue, "second").err(), Some(NotTaken::Full));
        assert!(queue.take().is_some());
        assert_eq!(push(&queue, "second").err(), Some(NotTaken::Full));
    }

    #[test]
    fn who_leaves_makes_room() {
        let queue = Queue::new(1);
        let gone = push(&queue, "gone").expect("room");
        drop(gone);
        assert_eq!(queue.depth(), depth(0, 0));
        let _stays = push(&queue, "stays").expect("room");
        assert_eq!(queue.take().map(|job| job.model).as_deref(), Some("stays"));
    }

    #[test]
    fn a_closed_queue_gives_and_takes_nothing() {
        let queue = std::sync::Arc::new(Queue::new(4));
        let mut waiting = push(&queue, "waiting").expect("room");
        queue.close();
        assert!(!queue.is_open());
        assert_eq!(push(&queue, "late").err(), Some(NotTaken::Closed));
        assert!(queue.take().is_none());
        assert!(
            waiting.try_recv().is_err_and(|error| error == mpsc::error::TryRecvError::Disconnected)
        );

        let queue = std::sync::Arc::new(Queue::new(4));
        let sleeper = std::thread::spawn({
            let queue = std::sync::Arc::clone(&queue);
            move || queue.take().is_none()
        });
        queue.close();
        assert!(sleeper.join().expect("it returns"));
    }
}
