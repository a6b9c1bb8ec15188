//! Bodies on their way in: how long one may be, and all that are in flight together.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Server;
use crate::problem::Problem;

/// From the end of a request's headers to the end of its body.
pub const BODY_WITHIN: Duration = Duration::from_secs(120);

/// Takes bodies in, within the server's bounds.
pub struct Intake {
    body_bytes: usize,
    /// A permit for each byte that may still come in.
    free: Arc<Semaphore>,
}

/// A body, and its share of what all bodies may take.
pub struct Taken {
    /// The body.
    pub bytes: Bytes,
    _share: Option<OwnedSemaphorePermit>,
}

impl Intake {
    /// An intake with the bounds of `server`.
    pub fn new(server: &Server) -> Intake {
        Intake {
            body_bytes: server.body_bytes,
            free: Arc::new(Semaphore::new(server.bodies_bytes.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Takes the body of a request in. Its share is free again when it is dropped.
    ///
    /// # Errors
    /// [`Problem`]: it is too long, encoded, ambiguous or cut, or too many are in flight.
    pub async fn take(&self, request: Request<Incoming>) -> Result<Taken, Problem> {
        let headers = request.headers();
        // Compressed bodies are a way past the bound on bytes, so there are none.
        if headers.get(CONTENT_ENCODING).is_some_and(|value| value != "identity") {
            return Err(Problem::Encoding);
        }
        if is_ambiguous(headers) {
            return Err(Problem::Framing);
        }
        let declared = headers.get(CONTENT_LENGTH);
        let declared = declared.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0);
        // What is declared has its share before it is read; nobody waits with half a body.
        let mut share = None;
        self.reserve(declared, 0, &mut share)?;
        tokio::time::timeout(BODY_WITHIN, self.collect(request.into_body(), share))
            .await
            .unwrap_or(Err(Problem::Interrupted))
    }

    async fn collect(
        &self,
        mut body: Incoming,
        mut share: Option<OwnedSemaphorePermit>,
    ) -> Result<Taken, Problem> {
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Problem::Interrupted)?.into_data() else { continue };
            let before = first.len() + all.len();
            self.reserve(before + data.len(), before, &mut share)?;
            // Most bodies are one piece, which is not copied.
            if before == 0 {
                first = data;
                continue;
            }
            if all.is_empty() {
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&data);
        }
        let bytes = if all.is_empty() { first } else { all.freeze() };
        Ok(Taken { bytes, _share: share })
    }

    /// Extends `share` to `length` bytes of one body, of which `have` have arrived.
    fn reserve(
        &self,
        length: usize,
        have: usize,
        share: &mut Option<OwnedSemaphorePermit>,
    ) -> Result<(), Problem> {
        if length > self.body_bytes {
            return Err(Problem::TooLarge(self.body_bytes));
        }
        let held = share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        debug_assert!(have <= held, "what arrived has its share");
        let Some(more) = length.checked_sub(held).filter(|&more| more > 0) else { return Ok(()) };
        let more = u32::try_from(more).map_err(|_| Problem::TooLarge(self.body_bytes))?;
        let more =
            Arc::clone(&self.free).try_acquire_many_owned(more).map_err(|_| Problem::Crowded)?;
        match share {
            Some(share) => share.merge(more),
            None => *share = Some(more),
        }
        Ok(())
    }
}

/// Whether somebody who stands in front of us may see another end of the body.
fn is_ambiguous(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => false,
        (Some(one), None) => {
            !one.as_bytes().eq_ignore_ascii_case(b"chunked") || headers.contains_key(CONTENT_LENGTH)
        }
        (Some(_), Some(_)) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intake(body_bytes: usize, bodies_bytes: usize) -> Intake {
        Intake::new(&Server { body_bytes, bodies_bytes, ..Server::default() })
    }

    #[test]
    fn bodies_share_one_bound_and_give_back_what_they_took() {
        let intake = intake(600, 1000);
        let (mut one, mut other) = (None, None);
        assert!(intake.reserve(600, 0, &mut one).is_ok());
        assert!(matches!(intake.reserve(601, 600, &mut one), Err(Problem::TooLarge(600))));
        assert!(matches!(intake.reserve(401, 0, &mut other), Err(Problem::Crowded)));
        // Piece by piece, and never less than what is held.
        for length in [100, 400, 50] {
            assert!(intake.reserve(length, 0, &mut other).is_ok());
        }
        assert_eq!(intake.free.available_permits(), 0);
        drop(one);
        assert!(intake.reserve(600, 400, &mut other).is_ok());
        drop(other);
        assert_eq!(intake.free.available_permits(), 1000);
    }
}
