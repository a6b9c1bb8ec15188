//! A departure cannot be cloned.
use ringfence_fence::Departure;

fn two(departure: &Departure) -> (Departure, Departure) {
    (departure.clone(), departure.clone())
}

fn main() {}
