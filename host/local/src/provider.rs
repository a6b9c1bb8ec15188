//! The local model behind the fence's trait.

use futures_util::future::BoxFuture;
use ringfence_fence::{Answer, Departure, Encoded, Failure, FailureKind, Masked, Provider};

use crate::local::Local;

impl Provider for Local {
    fn encode(&self, _masked: &Masked) -> Result<Encoded, Failure> {
        Err(Failure::new(FailureKind::Unwell, "the local model is not built yet"))
    }

    fn send(&self, _departure: Departure) -> BoxFuture<'_, Result<Answer, Failure>> {
        Box::pin(async {
            Err(Failure::new(FailureKind::Unwell, "the local model is not built yet"))
        })
    }
}
