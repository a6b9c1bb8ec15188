//! What a new version permits that the one before did not. Every such change is a
//! ledger record.

use ringfence_fence::{Floor, Inside, Mode, OnFailure, Unreadable};
use ringfence_policy::Policy;

use crate::house::InForce;

/// Describes every way in which `after` is looser than `before`, in our own words.
///
/// It sees what the configuration says. What a changed policy file decides, only its
/// cases and the ledger's replay can tell, so a changed file is named too.
pub fn loosened(before: &InForce, after: &InForce) -> Vec<String> {
    let mut found = Vec::new();
    for old in before.chain.policies() {
        match after.chain.policies().iter().find(|new| new.name == old.name) {
            None => found.push(format!("policy `{}` is gone", old.name)),
            Some(new) => policy(old, new, &mut found),
        }
    }
    if before.callers != after.callers {
        found.push("the callers are others".to_owned());
    }
    if before.sight.vocabulary != after.sight.vocabulary {
        found.push("the detectors' own entities or allowed values are others".to_owned());
    }
    if before.limits.entries() != after.limits.entries() {
        found.push("the limits are others".to_owned());
    }
    floor(&before.floor, &after.floor, &mut found);
    if before.signatures.required && !after.signatures.required {
        found.push("policies need no signature".to_owned());
    }
    if before.signatures.trusted != after.signatures.trusted {
        found.push("other keys may sign policies".to_owned());
    }
    for place in &after.places {
        let target = &place.target;
        match before.places.iter().find(|old| old.target.name == target.name) {
            None => found.push(format!("target `{}` is new", target.name)),
            Some(old) if old.target.zone > target.zone => {
                found.push(format!("target `{}` counts as nearer", target.name));
            }
            // What is another address or another capability is not judged: it is told.
            Some(old) if !old.is_as(place) => {
                found.push(format!("target `{}` is configured otherwise", target.name));
            }
            Some(_) => {}
        }
    }
    found
}

fn policy(old: &Policy, new: &Policy, found: &mut Vec<String>) {
    let name = &new.name;
    if old.digest != new.digest {
        found.push(format!("policy `{name}` is another file"));
    }
    // What a configuration means is the policy's own matter, so every other one is told.
    if !old.is_configured_as(new) {
        found.push(format!("policy `{name}` is configured, granted or limited otherwise"));
    }
    if (old.mode, new.mode) == (Mode::Protect, Mode::Monitor) {
        found.push(format!("policy `{name}` only monitors"));
    }
    if strictness(new.on_failure) < strictness(old.on_failure) {
        found.push(format!("a failure of policy `{name}` counts for less"));
    }
}

fn floor(old: &Floor, new: &Floor, found: &mut Vec<String>) {
    if new.within > old.within {
        found.push(format!("the floor reaches to {}", new.within.name()));
    }
    for (kind, old, new) in [
        ("images", old.image, new.image),
        ("recordings", old.audio, new.audio),
        ("files", old.file, new.file),
        ("disguised text", old.text, new.text),
    ] {
        if (old, new) == (Unreadable::Confine, Unreadable::Allow) {
            found.push(format!("unreadable {kind} may leave"));
        }
    }
}

fn strictness(on_failure: OnFailure) -> u8 {
    match on_failure {
        OnFailure::Deny => 2,
        OnFailure::Confine(Inside::Process) => 1,
        OnFailure::Confine(Inside::Premises) => 0,
    }
}
