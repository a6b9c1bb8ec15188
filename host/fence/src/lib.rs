//! The fence. What an auditor reads first.
//!
//! A request's [`Clearance`] starts with every target and can only lose some: to the
//! model it asks for, to what it needs, to its caller, to the operator's [`Floor`], and
//! to the [`Judgement`] of each policy, or to the policy's failure. What is left is a
//! [`Decision`]. Only a decision makes a [`Departure`]: for one target that it permits
//! and one attempt, with that target's edits applied. A [`Provider`] sends nothing but
//! departures, by value.
//!
//! So an unpermitted or an unmasked departure does not compile:
//! - [`Departure`] and [`Masked`] have private fields and no other constructor;
//! - neither can be cloned, so one departure is one attempt;
//! - a provider's encoder sees the [`Masked`] request and never the client's.
//!
//! No I/O, no clock, no randomness, no vendor.

mod clearance;
mod decision;
mod departure;
mod digest;
mod edits;
mod judgement;
mod placeholder;
mod provider;
mod target;

pub use clearance::{Clearance, Floor, Removal, Remover, Standing, Unreadable};
pub use decision::{Decision, Refusal};
pub use departure::{CannotDepart, Departure, Hidden, Masked};
pub use digest::Digest;
pub use judgement::{
    Action, Draft, Edit, Inside, Judgement, Mode, Nonsense, OnFailure, Permission, PolicyFailure,
    Scope, Verdict,
};
pub use placeholder::{Placeholders, Shape};
pub use provider::{Answer, Encoded, Failure, FailureKind, Provider};
pub use target::{Caller, Finding, Honours, Model, Target, Vitals, Zone};
