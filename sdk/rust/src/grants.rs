//! What an entry may grant a policy besides data: lines in the log, counters, models.
//!
//! A component imports only what its policy calls, and the loader refuses an entry that does
//! not grant it; declare the need ([`crate::Declaration::needs`]) all the same, so that the
//! refusal says what for. Natively, in cases, counters begin at nothing in every case and
//! models answer what the case's `models` says.

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
#[allow(missing_docs, clippy::all)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package ringfence:sdk;
            world granted {
                import ringfence:policy/log@0.1.0;
                import ringfence:policy/state@0.1.0;
                import ringfence:policy/model@0.1.0;
            }
        ",
        world: "ringfence:sdk/granted",
        generate_all,
    });
}

/// Lines in the operator's log, for the grant `log`: capped in size and rate.
pub mod log {
    /// Writes a line for the author.
    pub fn debug(message: &str) {
        #[cfg(target_arch = "wasm32")]
        super::bindings::ringfence::policy::log::write(
            super::bindings::ringfence::policy::log::Level::Debug,
            message,
        );
        #[cfg(not(target_arch = "wasm32"))]
        let _ = message;
    }

    /// Writes a line that something is odd.
    pub fn warn(message: &str) {
        #[cfg(target_arch = "wasm32")]
        super::bindings::ringfence::policy::log::write(
            super::bindings::ringfence::policy::log::Level::Warn,
            message,
        );
        #[cfg(not(target_arch = "wasm32"))]
        let _ = message;
    }
}

/// Counters that outlive the request, for the grant `state`: per policy and tenant.
pub mod state {
    /// The value of a counter, unless it expired.
    pub fn get(key: &str) -> Option<f64> {
        #[cfg(target_arch = "wasm32")]
        return super::bindings::ringfence::policy::state::get(key)?.parse().ok();
        #[cfg(not(target_arch = "wasm32"))]
        super::native::counter(key)
    }

    /// Adds to a counter atomically and gives its new value. One that is new or expired
    /// begins at 0 and lives for `ttl_seconds`.
    pub fn add(key: &str, by: f64, ttl_seconds: u32) -> f64 {
        #[cfg(target_arch = "wasm32")]
        return super::bindings::ringfence::policy::state::add(key, by, ttl_seconds);
        #[cfg(not(target_arch = "wasm32"))]
        {
            let _ = ttl_seconds;
            super::native::add(key, by)
        }
    }
}

/// The models in the gateway's own process, for the grant `model`.
pub mod model {
    /// Why a model gives no answer.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Fault {
        /// There is no such model; while `configure` runs there is none.
        Unknown,
        /// The text is too long.
        TooLong,
        /// Too many texts wait for it.
        Busy,
        /// It did not answer in time.
        Late,
        /// It failed.
        Failed,
    }

    /// The probability, 0 to 1, of each label of a classifier.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn classify(classifier: &str, text: &str) -> Result<Vec<(String, f32)>, Fault> {
        #[cfg(target_arch = "wasm32")]
        return super::bindings::ringfence::policy::model::classify(classifier, text)
            .map_err(fault);
        #[cfg(not(target_arch = "wasm32"))]
        {
            let _ = text;
            super::native::classified(classifier).ok_or(Fault::Unknown)
        }
    }

    /// A text as a vector.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn embed(text: &str) -> Result<Vec<f32>, Fault> {
        #[cfg(target_arch = "wasm32")]
        return super::bindings::ringfence::policy::model::embed(text).map_err(fault);
        #[cfg(not(target_arch = "wasm32"))]
        {
            let _ = text;
            super::native::embedded().ok_or(Fault::Unknown)
        }
    }

    #[cfg(target_arch = "wasm32")]
    fn fault(fault: super::bindings::ringfence::policy::model::Fault) -> Fault {
        use super::bindings::ringfence::policy::model::Fault as Told;
        match fault {
            Told::Unknown => Fault::Unknown,
            Told::TooLong => Fault::TooLong,
            Told::Busy => Fault::Busy,
            Told::Late => Fault::Late,
            Told::Failed => Fault::Failed,
        }
    }
}

/// What stands in the host's place when a policy runs natively.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod native {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    /// What models answer, whatever they are asked.
    #[derive(serde::Deserialize, Clone, Default)]
    #[serde(deny_unknown_fields, default)]
    pub(crate) struct Answers {
        classify: BTreeMap<String, BTreeMap<String, f32>>,
        embed: Option<Vec<f32>>,
    }

    thread_local! {
        static COUNTERS: RefCell<BTreeMap<String, f64>> = RefCell::default();
        static ANSWERS: RefCell<Answers> = RefCell::default();
    }

    /// A case begins: no counter counted yet, and these are the answers.
    #[cfg(feature = "cases")]
    pub(crate) fn begin(answers: &Answers) {
        COUNTERS.with_borrow_mut(BTreeMap::clear);
        ANSWERS.set(answers.clone());
    }

    pub(super) fn counter(key: &str) -> Option<f64> {
        COUNTERS.with_borrow(|counters| counters.get(key).copied())
    }

    pub(super) fn add(key: &str, by: f64) -> f64 {
        COUNTERS.with_borrow_mut(|counters| {
            let counter = counters.entry(key.to_owned()).or_default();
            *counter += by;
            *counter
        })
    }

    pub(super) fn classified(classifier: &str) -> Option<Vec<(String, f32)>> {
        ANSWERS.with_borrow(|answers| {
            let labels = answers.classify.get(classifier)?;
            Some(labels.iter().map(|(label, score)| (label.clone(), *score)).collect())
        })
    }

    pub(super) fn embedded() -> Option<Vec<f32>> {
        ANSWERS.with_borrow(|answers| answers.embed.clone())
    }
}
