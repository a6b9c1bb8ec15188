//! A departure has no public fields and no constructor.
use ringfence_fence::Departure;

fn main() {
    let _ = Departure {
        decision: String::new(),
        attempt: 1,
        body: bytes::Bytes::new(),
        dropped: Vec::new(),
        hidden: Vec::new(),
    };
}
