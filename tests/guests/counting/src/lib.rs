//! Permits the first few requests of a tenant and refuses the rest: `{"most": 3}`, by
//! default 3. It counts in the host's state.

use std::sync::OnceLock;

use exports::ringfence::policy::judge::Guest;
use ringfence::policy::state;
use ringfence::policy::types::{Declaration, Judgement, Permission, Request};

wit_bindgen::generate!({
    path: ["../../../wit", "wit"],
    world: "ringfence-tests:counting/counting",
    generate_all,
});

struct Counting;

static MOST: OnceLock<f64> = OnceLock::new();

impl Guest for Counting {
    fn configure(config: String) -> Result<Declaration, String> {
        let digits: String = config.chars().filter(char::is_ascii_digit).collect();
        MOST.get_or_init(|| digits.parse().unwrap_or(3.0));
        let needs = vec!["state".to_owned()];
        Ok(Declaration { codes: vec!["too_many".to_owned()], labels: Vec::new(), needs })
    }

    fn judge(_: Request) -> Result<Judgement, String> {
        let calls = state::add("calls", 1.0, 3600);
        let refused = MOST.get().is_some_and(|most| calls > *most);
        Ok(Judgement {
            permit: if refused { Permission::Nowhere } else { Permission::Any },
            prefer: Vec::new(),
            edits: Vec::new(),
            labels: Vec::new(),
            code: if refused { "too_many".to_owned() } else { String::new() },
        })
    }
}

export!(Counting);
