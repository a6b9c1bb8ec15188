//! Documents with values in them that nobody may see outside, and the search for those
//! values in what arrived there.
//!
//! The values are made from their published formats, check digits included; nothing here
//! knows how the gateway finds them.

pub mod carriers;
pub mod checks;
pub mod coding;
pub mod disguises;
pub mod kinds;
pub mod places;
mod random;
mod search;

pub use carriers::CARRIERS;
pub use disguises::{DISGUISES, Disguise};
pub use kinds::{Kind, Shape, Value};
pub use places::{Dialect, Place};
pub use random::Random;
pub use search::{Readings, Sought, canonical};

/// One value in one request.
#[derive(Debug, Clone)]
pub struct Document {
    /// What was planted.
    pub value: Value,
    /// The carrier's name.
    pub carrier: &'static str,
    /// The disguise's name.
    pub disguise: &'static str,
    /// The place's name.
    pub place: &'static str,
    /// Whose request it is.
    pub dialect: Dialect,
    /// The body as the client sends it.
    pub body: String,
    /// What the last user's text is, when the value stands in it and an echo repeats it.
    pub spoken: Option<String>,
}

/// How a document is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// What is planted.
    pub kind: &'static Kind,
    /// By its index in [`CARRIERS`].
    pub carrier: usize,
    /// In which disguise.
    pub disguise: &'static Disguise,
    /// Where.
    pub place: &'static Place,
    /// Whether the provider speaks the other dialect.
    pub crossed: bool,
}

impl Plan {
    /// The document, or nothing where these do not go together. `number` is what the
    /// request carries as `max_tokens`, by which it is known again where it arrives.
    pub fn document(&self, number: usize, random: &mut Random) -> Option<Document> {
        let value = self.kind.value(random);
        let carrier = &CARRIERS[self.carrier];
        if value.text.contains('\n') && !carrier.lines {
            return None;
        }
        let label = *random.pick(self.kind.words);
        let disguised = self.disguise.value(&value.text, self.kind.shape, random)?;
        let text = (carrier.write)(label, &disguised, random);
        let text = self.disguise.text(text);
        let planted = places::Planted { label, value: &disguised, text: &text };
        let written = (self.place.write)(&planted, random)?;
        let mut body = written.body;
        body["max_tokens"] = serde_json::json!(number);
        body["model"] = serde_json::json!(match (self.place.dialect, self.crossed) {
            (Dialect::OpenAi, false) | (Dialect::Anthropic, true) => "stand-in-1",
            (Dialect::OpenAi, true) | (Dialect::Anthropic, false) => "stand-in-claude",
        });
        let body = self.disguise.body(body.to_string(), &value.text);
        Some(Document {
            value,
            carrier: carrier.name,
            disguise: self.disguise.name,
            place: self.place.name,
            dialect: self.place.dialect,
            body,
            spoken: written.spoken,
        })
    }
}
