//! Configured once: the memories of a configured instance become the component that
//! every request starts from.

use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use wasmtime::component::Val;
use wasmtime_wizer::Wizer;

use crate::cell::{Cell, Meter, Metered, Shared};
use crate::contract::JUDGE;
use crate::declaration::Declaration;
use crate::entry::Entry;
use crate::load::linker;
use crate::sandbox::Sandbox;

/// Bytes that may be lifted while a snapshot is taken: whole memories.
const LIFTED_BYTES: usize = 2 << 30;

/// What came of it.
pub(crate) enum Snapshot {
    /// A component that is configured.
    Taken {
        /// The component's bytes.
        bytes: Vec<u8>,
        /// What it declared.
        declaration: Declaration,
    },
    /// Its `configure` returned an error.
    Refused(String),
    /// The component's form does not allow one, its `configure` failed, or it holds
    /// something of the host's that would be gone.
    Impossible,
}

/// Configures an instance of the component and takes its snapshot. Runs on an engine of
/// its own, within the entry's limits.
pub(crate) async fn take(
    sandbox: &Sandbox,
    entry: &Entry,
    shared: &Arc<Shared>,
    bytes: &[u8],
) -> Snapshot {
    let engine = sandbox.snapshots();
    let Ok(linker) = linker(engine, &entry.grants) else { return Snapshot::Impossible };
    // Instances and memories that the snapshot's own code adds do not count against
    // the policy.
    let mut limits = entry.limits.clone();
    limits.instances += 8;
    limits.memories += 8;
    let meter = Meter::new();
    let cell = Cell::new(shared.clone(), &limits);
    let mut store = cell.into_store(engine, &limits, limits.configure_deadline, &meter);
    store.set_hostcall_fuel(LIFTED_BYTES);
    let (interface, version) = JUDGE.split_once('@').unwrap_or((JUDGE, ""));
    let mut wizer = Wizer::new();
    wizer
        .init_func(format!("{interface}.configure@{version}({})", wave(&entry.config)))
        .keep_init_func(true);
    let taken = {
        let run = wizer.run_component(&mut store, bytes, async |store, component| {
            linker.instantiate_async(store, component).await
        });
        let run = pin!(run);
        let metered = Metered { meter: &meter, future: run };
        // The guest's own time is metered; what passes besides is the compiler's, which
        // a busy machine makes long.
        let patience = limits.configure_deadline + sandbox.config().load_within / 4;
        tokio::time::timeout(patience, Caught { future: pin!(metered) }).await
    };
    let Ok(Some(Ok((bytes, results)))) = taken else { return Snapshot::Impossible };
    // A handle that the guest remembers would name nothing in a fresh instance.
    if store.data().wasi.as_ref().is_some_and(|wasi| !wasi.holds_nothing()) {
        return Snapshot::Impossible;
    }
    match results.as_slice() {
        [Val::Result(Ok(Some(declared)))] => match declaration(declared) {
            Some(declaration) => Snapshot::Taken { bytes, declaration },
            None => Snapshot::Impossible,
        },
        [Val::Result(Err(Some(text)))] => match &**text {
            Val::String(text) => Snapshot::Refused(text.clone()),
            _ => Snapshot::Impossible,
        },
        _ => Snapshot::Impossible,
    }
}

fn declaration(value: &Val) -> Option<Declaration> {
    let Val::Record(fields) = value else { return None };
    let names = |name: &str| {
        let (_, value) = fields.iter().find(|(field, _)| field == name)?;
        let Val::List(names) = value else { return None };
        names
            .iter()
            .map(|name| match name {
                Val::String(name) => Some(name.clone()),
                _ => None,
            })
            .collect::<Option<Vec<_>>>()
    };
    Some(Declaration { codes: names("codes")?, labels: names("labels")?, needs: names("needs")? })
}

/// `text` as a string of the notation that the snapshot takes its argument in.
fn wave(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            ' '..='~' => quoted.push(character),
            _ => quoted.extend(character.escape_unicode()),
        }
    }
    quoted.push('"');
    quoted
}

/// A future that is `None` when it panics: the code that takes snapshots expects
/// well-behaved components.
struct Caught<'a, F> {
    future: Pin<&'a mut F>,
}

impl<F: Future> Future for Caught<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Option<F::Output>> {
        let poll = AssertUnwindSafe(|| self.future.as_mut().poll(cx));
        match std::panic::catch_unwind(poll) {
            Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_quoted() {
        for (text, quoted) in [
            ("{}", r#""{}""#),
            (r#"{"a": "b\n"}"#, r#""{\"a\": \"b\\n\"}""#),
            ("\n\u{e9}", r#""\u{a}\u{e9}""#),
        ] {
            assert_eq!(wave(text), quoted);
        }
    }
}
