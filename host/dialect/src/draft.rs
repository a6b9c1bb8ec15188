//! A request on its way into another dialect.

use std::collections::BTreeSet;

use ringfence_chat::{Keep, Request, SegmentId};
use serde_json::{Map, Value};

use crate::Translated;
use crate::carries::Carries;
use crate::encoder::to_bytes;
use crate::fault::Unsupported;
use crate::walk::param;

/// What is being written, and what had to be left out.
pub(crate) struct Draft<'a> {
    /// The request as the target may see it.
    pub request: &'a Request,
    /// Names of what was left out.
    pub dropped: BTreeSet<String>,
    /// Names of optional parameters that the target's dialect has words for.
    words: &'static [&'static str],
    /// Names of optional parameters that the target takes; `None` means all.
    honours: Option<&'a [String]>,
}

impl<'a> Draft<'a> {
    /// A draft in which everything counts as left out that the target has no words for.
    pub fn new(
        request: &'a Request,
        carried: &Carries,
        honours: Option<&'a [String]>,
    ) -> Draft<'a> {
        let words = carried.honours.unwrap_or_default();
        let mut draft = Draft { request, dropped: BTreeSet::new(), words, honours };
        let dropped = request.optional.iter().filter(|name| !draft.takes(name)).cloned();
        draft.dropped = dropped.collect();
        draft
    }

    /// Whether the target takes the optional parameter `name`.
    pub fn takes(&self, name: &str) -> bool {
        self.words.contains(&name)
            && self.honours.is_none_or(|names| names.iter().any(|one| one == name))
    }

    /// The mark for the prompt cache on the part that segment `on` stands for.
    pub fn cache_mark(&self, on: SegmentId) -> Option<Keep> {
        let mark = self.request.cache_mark(on).map(|mark| mark.keep);
        mark.filter(|_| self.takes("cache_control"))
    }

    /// The target's dialect has no words for what stands at this segment.
    pub fn unsupported(&self, id: SegmentId) -> Unsupported {
        let place = self.request.segments().get(id.index());
        Unsupported::new(param(place.map_or("/messages", |segment| segment.place.pointer())))
    }

    /// What was written.
    pub fn done(self, body: Map<String, Value>) -> Translated {
        Translated {
            body: to_bytes(&Value::Object(body)),
            dropped: self.dropped.into_iter().collect(),
        }
    }
}

/// The number as it was written: 0.7 and not 0.699999988.
pub(crate) fn number(value: f32) -> Value {
    value.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}
