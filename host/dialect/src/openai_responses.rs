//! OpenAI's responses.
//!
//! A client's dialect only: no target is spoken to in it, so that what only this dialect
//! has words for is refused where it stands, before anything is decided.

mod echo;
mod items;
mod output;
mod parameters;
mod parts;
mod request;
mod tools;
mod writing;

pub(crate) use echo::echo;
pub(crate) use request::decode_request;
pub(crate) use writing::Writer;
