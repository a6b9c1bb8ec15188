//! The binary `ringfence`.
fn main() {}
