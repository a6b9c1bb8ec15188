//! A departure is sent by value, so it leaves at most once.
use ringfence_fence::{Departure, Provider};

fn send(provider: &dyn Provider, departure: Departure) {
    let _ = provider.send(departure);
    let _ = provider.send(departure);
}

fn main() {}
