//! Misbehaves as its configuration tells it: `{"behave": "loop"}`.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

use ringfence_sdk::{
    Action, Declaration, Edit, Judgement, Permission, Policy, Request, Scope, Segment,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    behave: String,
}

struct Hostile {
    behave: String,
}

/// Calls of `judge` in this instance: more than one only if the host reuses it.
static CALLS: AtomicU32 = AtomicU32::new(0);

/// Calls that have a label: `calls-1` and so on.
const COUNTED: u32 = 20;

impl Policy for Hostile {
    fn configure(config: &str) -> Result<(Hostile, Declaration), String> {
        let Config { behave } = ringfence_sdk::config(config)?;
        match behave.as_str() {
            "loop-in-configure" | "configure-loop" => spin(),
            "configure-trap" => trap(),
            "configure-panic" => panic!("refuses to be configured"),
            "configure-error" => return Err("refuses to be configured".to_owned()),
            "configure-memory-bomb" => take_memory(),
            _ => {}
        }
        let mut declaration = Declaration::new().code("ok").code("no").label("seen");
        for call in 1..=COUNTED {
            declaration = declaration.label(&format!("calls-{call}"));
        }
        Ok((Hostile { behave }, declaration))
    }

    fn judge(&self, request: &Request) -> Result<Judgement, String> {
        let calls = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
        let honest = Judgement::any();
        let length = longest(request)?.bytes;
        let edits = |spans: &[(u32, u32)]| -> Result<Judgement, String> {
            let segment = longest(request)?.id;
            let edits = spans.iter().map(|(start, end)| edit(segment, *start, *end)).collect();
            Ok(Judgement { edits, ..Judgement::any() })
        };
        match self.behave.as_str() {
            "honest" => Ok(honest),
            "loop" => spin(),
            "memory-bomb" => take_memory(),
            "memory-fill" => fill_memory(),
            "trap" => trap(),
            "panic" | "panic-with-prompt" => panic!("{}", prompt(request)),
            "stack-overflow" => {
                black_box(dig(1));
                Ok(honest)
            }
            "error" => Err(prompt(request)),
            "bad-span" | "span-out-of-range" => edits(&[(0, length + 1)]),
            "empty-span" | "span-empty" => edits(&[(0, 0)]),
            "inverted-span" | "span-inverted" => edits(&[(length, 0)]),
            "mid-char-span" | "span-mid-character" => {
                let (segment, start) = inside_a_character(request)?;
                Ok(honest.edit(edit(segment, start, start + 1)))
            }
            "overlap" | "overlapping" => edits(&[(0, length), (0, 1)]),
            "unknown-segment" => Ok(honest.edit(edit(u32::MAX, 0, 1))),
            "unknown-target" => Ok(Judgement::permit(Permission::Only(vec!["nobody".to_owned()]))),
            "unknown-preference" => Ok(honest.prefer(["nobody"])),
            "bad-entity" => {
                let segment = longest(request)?.id;
                Ok(honest.edit(Edit { entity: prompt(request), ..edit(segment, 0, 1) }))
            }
            "undeclared-code" => Ok(honest.because(&prompt(request))),
            "undeclared-label" => Ok(honest.label(&prompt(request))),
            "huge-edits" => {
                let spans: Vec<(u32, u32)> = (0..40_000).map(|at| (at, at + 1)).collect();
                edits(&spans)
            }
            "huge-code" => Ok(honest.because(&"x".repeat(8 << 20))),
            "huge-labels" => {
                Ok(Judgement { labels: vec!["seen".to_owned(); 5_000], ..Judgement::any() })
            }
            "huge-error" => Err("x".repeat(8 << 20)),
            "keep-state" => Ok(honest.label(&format!("calls-{}", calls.min(COUNTED)))),
            "remember" if calls == 1 => Ok(honest),
            "remember" => Ok(Judgement::nowhere().because("no")),
            other => match other.strip_prefix("busy-ms:").map(str::parse) {
                Some(Ok(milliseconds)) => {
                    work(milliseconds);
                    Ok(honest)
                }
                _ => Err(format!("no behaviour is named {other}")),
            },
        }
    }
}

fn edit(segment: u32, start: u32, end: u32) -> Edit {
    let entity = "EMAIL".to_owned();
    Edit { segment, start, end, entity, action: Action::Mask, scope: Scope::Always }
}

fn longest(request: &Request) -> Result<&Segment, String> {
    let segments = request.segments.iter();
    segments.max_by_key(|segment| segment.bytes).ok_or_else(|| "there is no segment".to_owned())
}

/// All that it was told: what must show nowhere.
fn prompt(request: &Request) -> String {
    let texts = request.segments.iter().filter_map(|segment| segment.text.as_deref());
    texts.collect::<Vec<_>>().join(" ")
}

/// The second byte of a character of several.
fn inside_a_character(request: &Request) -> Result<(u32, u32), String> {
    for segment in &request.segments {
        let text = segment.text.as_deref().unwrap_or("");
        if let Some(start) = (0..text.len()).find(|at| !text.is_char_boundary(*at)) {
            return Ok((segment.id, start as u32));
        }
    }
    Err("no character has several bytes".to_owned())
}

fn spin() -> ! {
    loop {
        black_box(());
    }
}

fn trap() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    std::process::abort()
}

/// Asks for memory until there is none, and touches nothing of it.
fn take_memory() -> ! {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(Vec::<u8>::with_capacity(1 << 20)));
    }
}

/// Writes to every page of it.
fn fill_memory() -> ! {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(vec![1_u8; 1 << 20]));
    }
}

#[expect(unconditional_recursion, reason = "this is what it is for")]
fn dig(depth: u64) -> u64 {
    let room = black_box([depth; 64]);
    dig(depth + 1).wrapping_add(room[depth as usize % 64])
}

/// Computes for about so long: there is no clock.
fn work(milliseconds: u32) {
    const STEPS_PER_MILLISECOND: u32 = 200_000;
    let mut number = 1_u64;
    for step in 0..u64::from(milliseconds) * u64::from(STEPS_PER_MILLISECOND) {
        number = black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step));
    }
}

ringfence_sdk::export!(Hostile);
