//! A policy that does what its configuration says, and nothing good:
//! `{"behave": "loop"}`. The names are the arms of the two `match`es below.

use std::sync::atomic::{AtomicU32, Ordering};

use ringfence_sdk::{
    Action, Declaration, Edit, Judgement, Permission, Policy, Request, Scope,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(crate = "ringfence_sdk::serde")]
struct Config {
    behave: String,
}

struct Hostile(String);

/// What an instance would remember, if it served a second request.
static CALLS: AtomicU32 = AtomicU32::new(0);

impl Policy for Hostile {
    fn configure(config: &str) -> Result<(Hostile, Declaration), String> {
        let Config { behave } = ringfence_sdk::config(config)?;
        match behave.as_str() {
            "loop-in-configure" => spin(),
            "memory-in-configure" => hoard(),
            "configure-trap" => trap(),
            "configure-error" => return Err("this policy refuses every configuration".to_owned()),
            _ => {}
        }
        let mut declaration = Declaration::new().code("declared").label("declared");
        for number in 1..=3 {
            declaration = declaration.label(&format!("calls-{number}"));
        }
        Ok((Hostile(behave), declaration))
    }

    fn judge(&self, request: &Request) -> Result<Judgement, String> {
        let calls = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
        let text = || request.segments.iter().filter_map(|one| one.text.as_deref()).collect::<String>();
        let first = request.segments.first().map_or(0, |segment| segment.id);
        let length = request.segments.first().map_or(0, |segment| segment.bytes);
        let edit = |segment, start, end| Edit {
            segment,
            start,
            end,
            entity: "X".to_owned(),
            action: Action::Mask,
            scope: Scope::Always,
        };
        let any = Judgement::any();
        Ok(match self.0.as_str() {
            "honest" => any,
            "loop" => spin(),
            "memory-bomb" => hoard(),
            "fill" => {
                let mut block = vec![0u8; 32 << 20];
                loop {
                    block.fill(std::hint::black_box(1));
                }
            }
            "trap" => trap(),
            "panic-with-prompt" => panic!("the prompt says: {}", text()),
            "stack-overflow" => Judgement::any().because(&deep(1).to_string()),
            "error" => return Err(format!("the prompt says: {}", text())),
            "nowhere" => Judgement::nowhere().because("declared"),
            "bad-span" => any.edit(edit(first, 0, length + 1)),
            "inverted-span" => any.edit(edit(first, length, 0)),
            "empty-span" => any.edit(edit(first, 0, 0)),
            "mid-char-span" => {
                // Inside the first letter that takes two bytes; the tests see to one.
                let text = text();
                let inside = text.char_indices().find(|(_, letter)| letter.len_utf8() > 1);
                let start = inside.map_or(length, |(at, _)| at as u32 + 1);
                any.edit(edit(first, start, start + 1))
            }
            "overlap" => any.edit(edit(first, 0, 2)).edit(edit(first, 1, 3)),
            "unknown-segment" => any.edit(edit(1_000_000, 0, 1)),
            "unknown-target" => Judgement::permit(Permission::Only(vec!["elsewhere".to_owned()])),
            "prefer-unknown" => any.prefer(["elsewhere"]),
            "undeclared-code" => any.because("undeclared"),
            "undeclared-label" => any.label("undeclared"),
            "prompt-as-code" => any.because(&text()),
            "prompt-as-label" => any.label(&text()),
            "huge-edits" => {
                let mut huge = any;
                huge.edits = vec![edit(first, 0, 1); 1_000_000];
                huge
            }
            "huge-code" => any.because(&"x".repeat(24 << 20)),
            "keep-state" => any.label(&format!("calls-{calls}")),
            other => return Err(format!("nothing is called {other}")),
        })
    }
}

fn spin() -> ! {
    loop {
        std::hint::black_box(0);
    }
}

fn hoard() -> ! {
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![1u8; 1 << 20]);
        std::hint::black_box(&hoard);
    }
}

fn trap() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    std::process::abort()
}

#[allow(unconditional_recursion)]
fn deep(depth: u64) -> u64 {
    std::hint::black_box(deep(depth + 1)) + depth
}

ringfence_sdk::export!(Hostile);
