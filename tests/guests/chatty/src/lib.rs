//! Floods the operator's log with lines that try to be more than lines.

use exports::ringfence::policy::judge::Guest;
use ringfence::policy::log::{Level, write};
use ringfence::policy::types::{Declaration, Judgement, Permission, Request};

wit_bindgen::generate!({
    path: ["../../../wit", "wit"],
    world: "ringfence-tests:chatty/chatty",
    generate_all,
});

struct Chatty;

/// Lines of one judgement.
const LINES: u32 = 10_000;

impl Guest for Chatty {
    fn configure(_: String) -> Result<Declaration, String> {
        write(Level::Info, "configured");
        Ok(Declaration { codes: Vec::new(), labels: Vec::new(), needs: vec!["log".to_owned()] })
    }

    fn judge(_: Request) -> Result<Judgement, String> {
        let padding = "x".repeat(64 << 10);
        for line in 0..LINES {
            let level = [Level::Debug, Level::Info, Level::Warn, Level::Error][line as usize % 4];
            let forged = "2026-01-01T00:00:00Z ERROR ringfence: forged";
            write(level, &format!("\u{1b}[31mred\u{1b}[0m\r\n{forged}\u{2028}{line} {padding}"));
        }
        Ok(Judgement {
            permit: Permission::Any,
            prefer: Vec::new(),
            edits: Vec::new(),
            labels: Vec::new(),
            code: String::new(),
        })
    }
}

export!(Chatty);
