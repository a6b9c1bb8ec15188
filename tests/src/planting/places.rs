//! Where in a request a value stands.

mod anthropic;
mod openai;

use serde_json::Value as Json;

use super::Random;

/// Whose requests these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Chat completions.
    OpenAi,
    /// Messages.
    Anthropic,
}

impl Dialect {
    /// The path to which its requests go.
    pub fn path(self) -> &'static str {
        match self {
            Dialect::OpenAi => "/v1/chat/completions",
            Dialect::Anthropic => "/v1/messages",
        }
    }
}

/// A place in a request.
#[derive(Debug)]
pub struct Place {
    /// Its name in reports.
    pub name: &'static str,
    /// Whose request it is.
    pub dialect: Dialect,
    /// What may stand there.
    pub holds: Holds,
    pub(super) write: fn(&Planted, &mut Random) -> Option<Written>,
}

/// What a place holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Any text.
    Text,
    /// The value, under its name.
    Named,
    /// A short name of a few characters.
    Name,
    /// Bytes that are a file to the other side, or that nobody may change.
    Sealed,
}

/// What is put into a place.
pub struct Planted<'a> {
    /// What the value is called.
    pub label: &'a str,
    /// The value as it is disguised.
    pub value: &'a str,
    /// The text that carries it.
    pub text: &'a str,
}

/// A request.
pub struct Written {
    /// Its JSON.
    pub body: Json,
    /// The last user's text, where the value stands in it.
    pub spoken: Option<String>,
}

/// Every place.
pub fn all() -> Vec<&'static Place> {
    openai::PLACES.iter().chain(anthropic::PLACES).collect()
}

impl Planted<'_> {
    /// The text in two halves, parted inside the value.
    fn halves(&self, random: &mut Random) -> Option<(String, String)> {
        let start = self.text.find(self.value)?;
        let characters: Vec<(usize, char)> = self.value.char_indices().collect();
        // Each half is long enough to be told from chance.
        let count = characters.len() as u64;
        if count < 9 {
            return None;
        }
        let at = start + characters[random.between(4, count - 4) as usize].0;
        Some((self.text[..at].to_owned(), self.text[at..].to_owned()))
    }

    /// `label value`, for where little stands.
    fn short(&self) -> String {
        format!("{} {}", self.label, self.value)
    }
}

impl From<Json> for Written {
    fn from(body: Json) -> Written {
        Written { body, spoken: None }
    }
}
