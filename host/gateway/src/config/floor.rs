//! `[floor]`: what the operator decides before any policy.

use ringfence_fence::{Floor, Unreadable, Zone};

use super::raw;
use super::reader::{At, Reader};
use super::words::word;

/// Resolves the section.
pub(super) fn resolve(reader: &mut Reader<'_>, raw: raw::Floor) -> Floor {
    let default = Floor::default();
    let zones = [Zone::Process, Zone::Premises, Zone::Cloud].map(|zone| (zone.name(), zone));
    let within = word(reader, "within", raw.within.as_ref(), default.within, &zones);
    let Some(unreadable) = raw.unreadable else { return Floor { within, ..default } };
    let span = unreadable.span();
    let mut choice = |key: &str, given: Option<String>| {
        let given = given.map(|given| At::new(span.clone(), given));
        let words = [("confine", Unreadable::Confine), ("allow", Unreadable::Allow)];
        word(reader, key, given.as_ref(), Unreadable::Confine, &words)
    };
    match unreadable.into_inner() {
        raw::Unreadable::All(given) => {
            let all = choice("unreadable", Some(given));
            Floor { within, image: all, audio: all, file: all, text: all }
        }
        raw::Unreadable::Kinds(kinds) => Floor {
            within,
            image: choice("unreadable.image", kinds.image),
            audio: choice("unreadable.audio", kinds.audio),
            file: choice("unreadable.file", kinds.file),
            text: choice("unreadable.text", kinds.text),
        },
    }
}
