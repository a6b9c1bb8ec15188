//! A policy that calls the host: it counts its tenant's requests in `state`, and logs
//! with control characters, often. `{"lines": 100000}` says how often.

wit_bindgen::generate!({
    path: ["../../../wit", "wit"],
    world: "tests:chatty/chatty",
    generate_all,
});

use exports::ringfence::policy::judge::{Declaration, Guest, Judgement, Request};
use ringfence::policy::types::Permission;
use ringfence::policy::{log, state};

use std::sync::OnceLock;

static LINES: OnceLock<u32> = OnceLock::new();

struct Chatty;

impl Guest for Chatty {
    fn configure(config: String) -> Result<Declaration, String> {
        let digits: String = config.chars().filter(char::is_ascii_digit).collect();
        LINES.get_or_init(|| digits.parse().unwrap_or(1));
        let labels = (1..=9).map(|number| format!("seen-{number}")).collect();
        Ok(Declaration { codes: Vec::new(), labels, needs: vec!["log".into(), "state".into()] })
    }

    fn judge(_: Request) -> Result<Judgement, String> {
        for number in 0..*LINES.get().unwrap_or(&1) {
            log::write(log::Level::Info, &format!("line {number}\u{1b}[31m\r\nforged: line"));
        }
        let seen = state::add("requests", 1.0, 60) as u32;
        Ok(Judgement {
            permit: Permission::Any,
            prefer: Vec::new(),
            edits: Vec::new(),
            labels: vec![format!("seen-{}", seen.min(9))],
            code: String::new(),
        })
    }
}

export!(Chatty);
