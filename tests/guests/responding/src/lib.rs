//! A policy that inspects answers, and does with them what their text says.

wit_bindgen::generate!({ path: "../../../wit", world: "response-policy" });

use exports::ringfence::policy::judge::{self, Declaration, Judgement, Request};
use exports::ringfence::policy::response::{self, Cut, Outcome, Window};
use ringfence::policy::types::{Action, Permission};

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
        if window.tool.as_deref() == Some("forbidden") {
            return Ok(Outcome::Stop("stopped".into()));
        }
        let Some(text) = window.text else { return Ok(Outcome::Release) };
        let says = |word: &str| text.contains(word);
        if says("forbidden") {
            return Ok(Outcome::Stop("stopped".into()));
        }
        if says("undeclared") {
            return Ok(Outcome::Stop(text));
        }
        if says("explode") {
            panic!("{text}");
        }
        if says("apologise") {
            return Err(text);
        }
        if says("think") {
            loop {
                std::hint::black_box(&text);
            }
        }
        if says("outside") {
            return Ok(Outcome::Edit(vec![cut(0, u32::MAX)]));
        }
        if says("grab") {
            return Ok(Outcome::Hold(u32::MAX));
        }
        // A word that is only known when it is complete.
        if let Some(at) = text.find("apple") {
            return Ok(Outcome::Edit(vec![cut(at as u32, at as u32 + 5)]));
        }
        let begun = (1..5).rev().find(|&length| text.ends_with(&"apple"[..length]));
        Ok(match begun {
            Some(length) if !window.last => Outcome::Hold(length as u32),
            _ => Outcome::Release,
        })
    }
}

fn cut(start: u32, end: u32) -> Cut {
    Cut { start, end, entity: "FRUIT".into(), action: Action::Mask }
}

export!(Responding);
