//! Tokens to text, one token at a time.

use super::{CannotTokenize, Tokenizer};

/// Turns an answer's tokens into text as they come, without ever giving half a
/// character: a character may be several tokens.
pub(crate) struct Unfolding<'a> {
    tokenizer: &'a Tokenizer,
    /// Tokens whose text was given last, kept because some decoders look at their
    /// neighbours, and after them the tokens that wait.
    window: Vec<u32>,
    /// How many of the window were given.
    given: usize,
    /// The text of those.
    before: String,
}

/// What stands for bytes that are no character.
const BROKEN: char = char::REPLACEMENT_CHARACTER;

impl<'a> Unfolding<'a> {
    /// Tokens that wait for the rest of a character at most. A character has four
    /// bytes at most; a model that writes more broken bytes than this gets them as
    /// replacement characters.
    pub(crate) const WAITING: usize = 8;

    pub(crate) fn new(tokenizer: &'a Tokenizer) -> Unfolding<'a> {
        Unfolding { tokenizer, window: Vec::new(), given: 0, before: String::new() }
    }

    /// The text that the next token completes; often its own, sometimes none.
    ///
    /// # Errors
    /// The tokenizer failed.
    pub(crate) fn push(&mut self, id: u32) -> Result<String, CannotTokenize> {
        self.window.push(id);
        let all = self.tokenizer.decode(&self.window)?;
        let waiting = self.window.len() - self.given;
        let fresh = match all.strip_prefix(&self.before) {
            Some(fresh) if !fresh.is_empty() && !fresh.ends_with(BROKEN) => fresh.to_owned(),
            _ if waiting < Self::WAITING => return Ok(String::new()),
            Some(fresh) => fresh.to_owned(),
            None => self.tokenizer.decode(&self.window[self.given..])?,
        };
        self.window.drain(..self.given);
        self.given = self.window.len();
        self.before = self.tokenizer.decode(&self.window)?;
        Ok(fresh)
    }

    /// What still waits when the answer ends, without the half character at its end.
    ///
    /// # Errors
    /// The tokenizer failed.
    pub(crate) fn finish(&mut self) -> Result<String, CannotTokenize> {
        if self.given == self.window.len() {
            return Ok(String::new());
        }
        let all = self.tokenizer.decode(&self.window)?;
        self.given = self.window.len();
        let fresh = all.strip_prefix(&self.before).unwrap_or("");
        Ok(fresh.trim_end_matches(BROKEN).to_owned())
    }
}
