//! Limits: how much callers may ask for in a window of time, and how much at once.
//!
//! Whatever may be used is reserved before anything leaves and settled when the answer
//! ends, however it ends, so that many requests at once cannot pass a limit together.

mod counts;
mod file;
mod headers;
mod window;

use std::sync::Arc;
use std::time::Duration;

use ringfence_chat::{Dialect, Request, Usage};
use ringfence_fence::{Caller, Target};

pub use counts::Counts;
use counts::{Amounts, Slot};
pub use file::{CountsError, Keeper};
pub use window::Window;

/// One limit, as the configuration has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// Unique; what refusals and metrics name.
    pub name: String,
    /// Whose requests it counts; empty for all.
    pub tenants: Vec<String>,
    /// The same by key.
    pub keys: Vec<String>,
    /// Requests for these models count, by the name that the client writes; empty for all.
    pub models: Vec<String>,
    /// Who has a count of its own.
    pub each: Each,
    /// When it begins anew.
    pub window: Window,
    /// Requests of a window.
    pub requests: Option<u64>,
    /// Tokens read in a window.
    pub input_tokens: Option<u64>,
    /// Tokens written in a window.
    pub output_tokens: Option<u64>,
    /// Dollars of a window, by the targets' prices.
    pub dollars: Option<f64>,
    /// Requests that are being answered at the same time.
    pub concurrent: Option<u64>,
}

/// Who has a count of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Each {
    /// Every key.
    Key,
    /// Every tenant.
    Tenant,
    /// Nobody: all share one.
    All,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Requests.
    Requests,
    /// Tokens read.
    InputTokens,
    /// Tokens written.
    OutputTokens,
    /// Dollars.
    Dollars,
    /// Requests at the same time.
    Concurrent,
}

impl Counted {
    /// The name in the configuration, in messages and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Counted::Requests => "requests",
            Counted::InputTokens => "input_tokens",
            Counted::OutputTokens => "output_tokens",
            Counted::Dollars => "dollars",
            Counted::Concurrent => "concurrent",
        }
    }
}

/// A request would pass a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    /// The limit's name.
    pub limit: String,
    /// What there is too much of.
    pub counted: Counted,
    /// When it may be tried again; absent where waiting is of no use, because the request
    /// alone is more than a window allows.
    pub retry_after: Option<Duration>,
}

/// The limits of one configuration, over counts that outlive it.
#[derive(Clone)]
pub struct Limits {
    limits: Vec<Arc<Limit>>,
    counts: Arc<Counts>,
}

/// Tokens of an answer that are reserved when the client sets no limit of its own.
pub const OUTPUT_TOKENS: u32 = 1024;

impl Limits {
    /// These limits, over these counts.
    pub fn new(limits: Vec<Limit>, counts: Arc<Counts>) -> Limits {
        Limits { limits: limits.into_iter().map(Arc::new).collect(), counts }
    }

    /// The limits, in the configuration's order.
    pub fn entries(&self) -> &[Arc<Limit>] {
        &self.limits
    }

    /// Takes a request's place in every limit that counts it, or in none. `now` is in
    /// seconds since 1970.
    ///
    /// # Errors
    /// [`Exceeded`]: the first limit that has no room.
    pub fn admit(
        &self,
        caller: &Caller,
        request: &Request,
        now: u64,
    ) -> Result<Arc<Permit>, Exceeded> {
        let counting = self.limits.iter().filter(|limit| limit.counts(caller, &request.model));
        let slots: Vec<Slot> = counting.map(|limit| limit.slot(caller)).collect();
        let output_tokens = output_tokens(request);
        let reserved = Amounts {
            input_tokens: request.input_tokens.into(),
            output_tokens: output_tokens.into(),
            ..Amounts::default()
        };
        self.counts.admit(&slots, reserved, now)?;
        Ok(Arc::new(Permit { counts: Arc::clone(&self.counts), slots, reserved, output_tokens }))
    }
}

impl Limit {
    fn counts(&self, caller: &Caller, model: &str) -> bool {
        let among =
            |names: &[String], name: &str| names.is_empty() || names.iter().any(|n| n == name);
        among(&self.tenants, &caller.tenant)
            && among(&self.keys, &caller.key)
            && among(&self.models, model)
    }

    fn slot(self: &Arc<Limit>, caller: &Caller) -> Slot {
        let subject = match self.each {
            Each::Key => caller.key.clone(),
            Each::Tenant => caller.tenant.clone(),
            Each::All => String::new(),
        };
        Slot { limit: Arc::clone(self), subject }
    }
}

/// A request's place in the limits that count it; given back when it is dropped.
pub struct Permit {
    counts: Arc<Counts>,
    slots: Vec<Slot>,
    reserved: Amounts,
    output_tokens: u32,
}

impl Permit {
    /// Dollars that the caller may still spend; absent where no limit counts them.
    pub fn budget_left(&self, now: u64) -> Option<f64> {
        self.counts.budget_left(&self.slots, now)
    }

    /// Tokens that the answer may have, for an estimate of its cost.
    pub fn output_tokens(&self) -> u32 {
        self.output_tokens
    }

    /// Reserves what an answer of `target` may cost.
    ///
    /// # Errors
    /// [`Exceeded`]: that is more than is left.
    pub fn depart(
        self: &Arc<Permit>,
        request: &Request,
        target: &Target,
        now: u64,
    ) -> Result<Hold, Exceeded> {
        let dollars = target.cost_of(request.input_tokens, self.output_tokens);
        self.counts.hold(&self.slots, dollars, now)?;
        Ok(Hold { permit: Arc::clone(self), dollars })
    }

    /// Headers that clients know, for the tightest of the limits.
    pub fn headers(&self, dialect: Dialect, now: u64) -> Vec<(String, String)> {
        headers::of(&self.counts.rates(&self.slots, now), dialect, now)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.counts.leave(&self.slots, self.reserved);
    }
}

/// What one departure may cost, reserved until it is settled; let go when it is dropped.
pub struct Hold {
    permit: Arc<Permit>,
    dollars: f64,
}

impl Hold {
    /// Notes what the departure used.
    pub fn settle(self, usage: Usage, target: &Target, now: u64) {
        let used = Amounts {
            requests: 0,
            input_tokens: usage.input.into(),
            output_tokens: usage.output.into(),
            dollars: target.cost_of(usage.input, usage.output),
        };
        self.permit.counts.spend(&self.permit.slots, used, now);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.permit.counts.let_go(&self.permit.slots, self.dollars);
    }
}

fn output_tokens(request: &Request) -> u32 {
    if request.embeds() { 0 } else { request.sampling.max_tokens.unwrap_or(OUTPUT_TOKENS) }
}

#[cfg(test)]
mod tests;
