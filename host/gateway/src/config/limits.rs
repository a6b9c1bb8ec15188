//! `[[limits]]`: how much callers may ask for.

use std::ops::RangeInclusive;

use super::CallerKey;
use super::caller_keys::known;
use super::raw;
use super::reader::{At, Reader};
use super::resolve::Entry;
use super::words::{NAME_REMEDY, is_name, word};
use crate::limits::{Each, Limit, Window};

const EACH: [(&str, Each); 3] = [("key", Each::Key), ("tenant", Each::Tenant), ("all", Each::All)];

/// What a limit may allow.
const AMOUNTS: RangeInclusive<u64> = 1..=1_000_000_000_000;

/// Limits at most: every request looks at each.
const COUNT: usize = 256;

/// Resolves the limits; `callers` are the keys that they may name.
pub(super) fn resolve(
    reader: &mut Reader<'_>,
    entries: Vec<Entry<raw::Limit>>,
    callers: &[CallerKey],
) -> Vec<Limit> {
    let keys: Vec<String> = callers.iter().map(|entry| entry.caller.key.clone()).collect();
    let mut tenants: Vec<String> =
        callers.iter().map(|entry| entry.caller.tenant.clone()).collect();
    tenants.sort();
    tenants.dedup();
    if let Some(one) = entries.get(COUNT) {
        reader.mistake(&one.span, format!("more than {COUNT} limits"), "take some out");
    }
    let mut limits: Vec<Limit> = Vec::new();
    for Entry { span, name, rest } in entries {
        let Some(raw) = rest else { continue };
        let Some(name) = name else {
            reader.mistake(&span, "a limit has no name", "add name = \"...\": what refusals name");
            continue;
        };
        let shown = name.get_ref().escape_debug().to_string();
        if !is_name(name.get_ref()) {
            reader.mistake(&name.span(), format!("the limit's name is \"{shown}\""), NAME_REMEDY);
        }
        if limits.iter().any(|limit| limit.name == *name.get_ref()) {
            let what = format!("two limits are named \"{shown}\"");
            reader.mistake(&name.span(), what, "give each a name of its own");
        }
        let mut amount = |key, given: &Option<At<i64>>| {
            let given = given.as_ref()?;
            Some(reader.number(key, Some(given), 1, AMOUNTS))
        };
        let requests = amount("requests", &raw.requests);
        let input_tokens = amount("input_tokens", &raw.input_tokens);
        let output_tokens = amount("output_tokens", &raw.output_tokens);
        let concurrent = amount("concurrent", &raw.concurrent);
        let dollars = raw.dollars.map(|given| dollars(reader, &given));
        let amounts = [requests, input_tokens, output_tokens, concurrent];
        if amounts.iter().all(Option::is_none) && dollars.is_none() {
            let remedy = "give some of requests, input_tokens, output_tokens, dollars, concurrent";
            reader.mistake(&span, format!("the limit \"{shown}\" limits nothing"), remedy);
        }
        limits.push(Limit {
            name: name.get_ref().clone(),
            tenants: among(reader, "tenant", raw.tenants, &tenants),
            keys: among(reader, "caller", raw.keys, &keys),
            models: raw.models.into_iter().flatten().map(At::into_inner).collect(),
            each: word(reader, "each", raw.each.as_ref(), Each::Tenant, &EACH),
            window: word(reader, "window", raw.window.as_ref(), Window::Minute, &Window::ALL),
            requests,
            input_tokens,
            output_tokens,
            dollars,
            concurrent,
        });
    }
    limits
}

fn dollars(reader: &mut Reader<'_>, given: &At<f64>) -> f64 {
    let dollars = *given.get_ref();
    if !dollars.is_finite() || dollars <= 0.0 {
        let what = format!("dollars is {dollars}");
        reader.mistake(&given.span(), what, "give a number above 0");
    }
    dollars
}

/// Names that the configuration has.
fn among(
    reader: &mut Reader<'_>,
    what: &str,
    given: Option<Vec<At<String>>>,
    there: &[String],
) -> Vec<String> {
    let mut names = Vec::new();
    for name in given.into_iter().flatten() {
        if !there.contains(name.get_ref()) {
            let text = format!("there is no {what} \"{}\"", name.get_ref().escape_debug());
            reader.mistake(&name.span(), text, known(&format!("{what}s"), there));
        }
        names.push(name.into_inner());
    }
    names
}
