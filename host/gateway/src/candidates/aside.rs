//! A thread beside those that serve.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::thread;

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// A thread that begins with its first work and ends with the last of those who share it.
/// Whoever gives it work bounds how much.
#[derive(Clone, Default)]
pub(super) struct Aside(Arc<OnceLock<Option<UnboundedSender<Work>>>>);

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Aside {
    /// Has `work` done, one of several at a time. False when there is no thread for it.
    pub(super) fn give(&self, work: impl Future<Output = ()> + Send + 'static) -> bool {
        let begun = self.0.get_or_init(begin);
        begun.as_ref().is_some_and(|thread| thread.send(Box::pin(work)).is_ok())
    }
}

fn begin() -> Option<UnboundedSender<Work>> {
    let (send, mut receive) = unbounded_channel::<Work>();
    let executor = Builder::new_current_thread().enable_time().build().ok()?;
    let body = move || {
        executor.block_on(async move {
            while let Some(work) = receive.recv().await {
                tokio::spawn(work);
            }
        });
    };
    thread::Builder::new().name("candidates".to_owned()).spawn(body).ok()?;
    Some(send)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn work_shares_one_thread_that_is_not_the_givers() {
        let aside = Aside::default();
        let (send, receive) = mpsc::channel();
        for _ in 0..2 {
            let send = send.clone();
            assert!(aside.clone().give(async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                send.send(thread::current().id()).ok();
            }));
        }
        let [one, other] = [(); 2].map(|()| receive.recv_timeout(Duration::from_secs(10)).unwrap());
        assert_eq!(one, other);
        assert_ne!(one, thread::current().id());
    }
}
