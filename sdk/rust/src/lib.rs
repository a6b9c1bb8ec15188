//! Write Ringfence policies in Rust.
//!
//! A policy is a type that implements [`Policy`], exported with [`export!`]:
//!
//! ```
//! use ringfence_sdk::{Declaration, Judgement, Policy, Request, Zone};
//!
//! struct NightShift;
//!
//! impl Policy for NightShift {
//!     fn configure(_config: &str) -> Result<(NightShift, Declaration), String> {
//!         Ok((NightShift, Declaration::new().code("after_hours")))
//!     }
//!
//!     fn judge(&self, request: &Request) -> Result<Judgement, String> {
//!         let hour = (request.now_ms / 3_600_000.0) as u64 % 24;
//!         if (8..18).contains(&hour) {
//!             return Ok(Judgement::any());
//!         }
//!         Ok(Judgement::within(Zone::Premises).because("after_hours"))
//!     }
//! }
//!
//! ringfence_sdk::export!(NightShift);
//! ```
//!
//! A policy that is to see the answers too implements [`response::Inspect`] and is exported
//! with `ringfence_sdk::export!(NightShift, inspects)`.
//!
//! Offsets are UTF-8 byte offsets, as in Rust's own strings. What the entry does not
//! grant is `None`, never empty. A panic or an `Err` is a failure of the policy, and the
//! entry's `on_failure` takes the judgement's place.

#[doc(hidden)]
#[allow(missing_docs, clippy::all)]
pub mod __bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "policy",
        pub_export_macro: true,
        default_bindings_module: "ringfence_sdk::__bindings",
        export_macro_name: "__export",
    });
}

#[cfg(feature = "cases")]
pub mod cases;
mod grants;
mod judgement;
mod request;
pub mod response;

#[doc(hidden)]
pub use __bindings::exports::ringfence::policy::judge::Guest as __Guest;
pub use __bindings::ringfence::policy::types::{
    Action, Caller, Declaration, Edit, Finding, Judgement, Kind, Permission, Request, Role, Scope,
    Segment, Target, Zone,
};
pub use grants::{log, model, state};
#[doc(hidden)]
pub use response::__bindings::exports::ringfence::policy::response::Guest as __ResponseGuest;
pub use serde;
pub use serde_json;

/// A policy: configured once when its file is loaded, asked once for each request, in an
/// instance of its own that starts configured.
///
/// Nothing that `judge` changes is there for the next request.
pub trait Policy: Sized + Send + Sync + 'static {
    /// Reads the entry's own table of the configuration, as JSON; `{}` without one.
    /// [`config`] does it.
    ///
    /// # Errors
    /// What is wrong with it, for the operator. The file is not loaded then.
    fn configure(config: &str) -> Result<(Self, Declaration), String>;

    /// Judges one request.
    ///
    /// # Errors
    /// A failure of the policy: the entry's `on_failure` takes its place. The text goes
    /// to a debug log that is off by default.
    fn judge(&self, request: &Request) -> Result<Judgement, String>;
}

/// Reads a configuration into a type that derives `serde::Deserialize`. Give it
/// `#[serde(deny_unknown_fields)]`, so that a misspelt key is told and not ignored.
///
/// # Errors
/// What is wrong, with its line and column.
pub fn config<T: serde::de::DeserializeOwned>(config: &str) -> Result<T, String> {
    serde_json::from_str(config).map_err(|error| error.to_string())
}

/// How far inside reaches, for a key of a policy's configuration: `"process"` or
/// `"premises"`. What is farther away is outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inside {
    /// This process alone.
    Process,
    /// This process and the operator's own machines.
    Premises,
}

impl From<Inside> for Zone {
    fn from(inside: Inside) -> Zone {
        match inside {
            Inside::Process => Zone::Process,
            Inside::Premises => Zone::Premises,
        }
    }
}

/// Exports a [`Policy`] from this component, or with `, inspects` behind its name a
/// [`response::Inspect`]. Once in a crate; compiled for anything but
/// WebAssembly it exports nothing, so that the crate's tests run natively.
#[macro_export]
macro_rules! export {
    ($policy:ty) => {
        const _: () = {
            $crate::__policy! { $policy }
        };
    };
    ($policy:ty, inspects) => {
        const _: () = {
            $crate::__policy! { $policy }

            impl $crate::__ResponseGuest for Exported {
                fn inspect(
                    window: $crate::response::Window,
                ) -> ::std::result::Result<$crate::response::Outcome, ::std::string::String>
                {
                    let policy = POLICY.get().ok_or("asked before it was configured")?;
                    <$policy as $crate::response::Inspect>::inspect(policy, &window)
                }
            }

            #[cfg(target_arch = "wasm32")]
            $crate::response::__bindings::__export! {
                Exported with_types_in $crate::response::__bindings
            }

            #[cfg(not(target_arch = "wasm32"))]
            const _: () = {
                let _ = <Exported as $crate::__ResponseGuest>::inspect;
            };
        };
    };
}

/// What every export has.
#[doc(hidden)]
#[macro_export]
macro_rules! __policy {
    ($policy:ty) => {
        struct Exported;

        static POLICY: ::std::sync::OnceLock<$policy> = ::std::sync::OnceLock::new();

        impl $crate::__Guest for Exported {
            fn configure(
                config: ::std::string::String,
            ) -> ::std::result::Result<$crate::Declaration, ::std::string::String> {
                let (policy, declaration) = <$policy as $crate::Policy>::configure(&config)?;
                match POLICY.set(policy) {
                    Ok(()) => Ok(declaration),
                    Err(_) => Err("configured twice".into()),
                }
            }

            fn judge(
                request: $crate::Request,
            ) -> ::std::result::Result<$crate::Judgement, ::std::string::String> {
                let policy = POLICY.get().ok_or("judged before it was configured")?;
                <$policy as $crate::Policy>::judge(policy, &request)
            }
        }

        #[cfg(target_arch = "wasm32")]
        $crate::__bindings::__export! { Exported with_types_in $crate::__bindings }

        // Elsewhere nothing calls it, and nothing in it is to count as unused.
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            let _ = <Exported as $crate::__Guest>::configure;
            let _ = <Exported as $crate::__Guest>::judge;
        };
    };
}
