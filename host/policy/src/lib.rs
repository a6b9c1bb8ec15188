//! The only room that knows wasmtime.

mod cache;
mod cell;
mod chain;
mod contract;
mod declaration;
mod entry;
mod file;
mod inspection;
mod load;
mod log;
mod policy;
mod predecessors;
mod private;
mod sandbox;
mod snapshot;
mod state;
mod wasi;

pub use chain::{Chain, Facts};
pub use contract::{PACKAGE, VERSION};
pub use declaration::Declaration;
pub use entry::{Entities, Entry, Grants, Limits};
pub use file::{FileError, read_file};
pub use inspection::Inspection;
pub use load::{LoadError, inspect};
pub use policy::Policy;
pub use predecessors::Predecessors;
pub use private::PrivateFolderError;
pub use sandbox::{Sandbox, SandboxConfig, SandboxError};
