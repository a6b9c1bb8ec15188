//! A clearance gives no way to add a target or to take back a removal.
use ringfence_fence::{Clearance, Standing};

fn widen(clearance: &mut Clearance, standing: Standing) {
    clearance.standings.push(standing);
}

fn main() {}
