//! The room as the gateway sees it: policies are loaded, judged, stopped.

// A test that cannot go on says so by panicking.
#![allow(clippy::unwrap_used)]

#[path = "sandbox/built.rs"]
mod built;
#[path = "sandbox/fuzz.rs"]
mod fuzz;
#[path = "sandbox/grants.rs"]
mod grants;
#[path = "../../../tests/guests/by_hand.rs"]
mod guest;
#[path = "sandbox/hostile.rs"]
mod hostile;
#[path = "sandbox/house.rs"]
mod house;
#[path = "sandbox/loading.rs"]
mod loading;
#[path = "sandbox/recording.rs"]
mod recording;
