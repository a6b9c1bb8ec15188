//! A policy that also wants to inspect answers.

wit_bindgen::generate!({ path: "../../../wit", world: "response-policy" });

use exports::ringfence::policy::judge::{self, Declaration, Judgement, Request};
use exports::ringfence::policy::response::{self, Outcome, Window};
use ringfence::policy::types::Permission;

struct Responding;

impl judge::Guest for Responding {
    fn configure(_: String) -> Result<Declaration, String> {
        Ok(Declaration { codes: vec!["stopped".into()], labels: Vec::new(), needs: Vec::new() })
    }

    fn judge(_: Request) -> Result<Judgement, String> {
        Ok(Judgement {
            permit: Permission::Any,
            prefer: Vec::new(),
            edits: Vec::new(),
            labels: Vec::new(),
            code: String::new(),
        })
    }
}

impl response::Guest for Responding {
    fn inspect(window: Window) -> Result<Outcome, String> {
        match window.text.contains("forbidden") {
            true => Ok(Outcome::Stop("stopped".into())),
            false => Ok(Outcome::Release),
        }
    }
}

export!(Responding);
