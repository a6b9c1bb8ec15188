//! The gateway: the leaf of the house, and the only crate that knows every room.
//!
//! A request reads top to bottom through [`server`], [`routes`], [`exchange`],
//! [`attempts`] and [`reply`]. What it needs stands in [`house`], built from a
//! [`config`].

pub mod account;
pub mod admin;
pub mod assembly;
pub mod attempts;
pub mod books;
pub mod callers;
pub mod candidates;
pub mod classifiers;
pub mod config;
pub mod conversations;
pub mod detection;
pub mod embedded;
pub mod exchange;
pub mod gauge;
pub mod house;
pub mod ids;
pub mod intake;
pub mod keys;
pub mod limits;
pub mod loosening;
pub mod masking;
pub mod metrics;
pub mod places;
pub mod problem;
pub mod proof;
pub mod reload;
pub mod reply;
pub mod routes;
pub mod server;
pub mod signatures;
pub mod tally;
pub mod tier;
