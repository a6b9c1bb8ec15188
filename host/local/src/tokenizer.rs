//! Text to tokens and back.

mod unfolding;

use std::path::PathBuf;

use crate::fault::LocalError;
use crate::files::ModelFiles;
pub(crate) use unfolding::Unfolding;

/// A model's tokenizer.
pub(crate) struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// Bytes of the longest token.
    longest: usize,
    path: PathBuf,
}

impl Tokenizer {
    /// The file.
    pub(crate) const FILE: &'static str = "tokenizer.json";

    /// Reads `tokenizer.json`, for a model of `vocabulary` tokens.
    ///
    /// # Errors
    /// [`LocalError::Model`]: missing, broken, or with more tokens than the model.
    pub(crate) fn read(files: &ModelFiles, vocabulary: usize) -> Result<Tokenizer, LocalError> {
        let remedy = "download it, or convert the model's tokenizer to that form";
        let bytes = files.needed(Self::FILE, remedy)?;
        let mut inner = tokenizers::Tokenizer::from_bytes(&bytes)
            .map_err(|error| files.fault(Self::FILE, format!("is not a tokenizer: {error}")))?;
        // A file may cut or fill what it encodes; a prompt must come through whole.
        let _ = inner.with_truncation(None);
        inner.with_padding(None);
        let tokens = inner.get_vocab(true);
        let largest = tokens.values().max().copied().unwrap_or(0);
        if largest as usize >= vocabulary {
            let problem = format!(
                "has the token {largest}, but config.json says that there are {vocabulary}: \
                 the files belong to different models"
            );
            return Err(files.fault(Self::FILE, problem));
        }
        let longest = tokens.keys().map(String::len).max().unwrap_or(1);
        Ok(Tokenizer { inner, longest, path: files.path(Self::FILE) })
    }

    /// The tokens of a rendered prompt. The template has written every special token
    /// already, so none is added.
    ///
    /// # Errors
    /// Nothing about the text: the tokenizer failed on it.
    pub(crate) fn encode(&self, text: &str) -> Result<Vec<u32>, CannotTokenize> {
        let encoding = self.inner.encode_fast(text, false).map_err(|_| CannotTokenize)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The same tokenizer for texts that are data: one that spells a special token, such as
    /// `[SEP]`, has it as letters.
    pub(crate) fn without_marks_in_text(mut self) -> Tokenizer {
        self.inner.set_encode_special_tokens(true);
        self
    }

    /// The tokens of a text with their places, none of them special.
    ///
    /// # Errors
    /// Nothing about the text: the tokenizer failed on it.
    pub(crate) fn pieces(&self, text: &str) -> Result<Vec<Piece>, CannotTokenize> {
        let encoding = self.inner.encode(text, false).map_err(|_| CannotTokenize)?;
        let words = encoding.get_word_ids().iter();
        let places = encoding.get_offsets().iter().zip(words);
        let pieces = encoding.get_ids().iter().zip(places).map(|(&id, (&(start, end), &word))| {
            // A tokenizer's word is the letter of the text; its places are trusted no more.
            let start = text.floor_char_boundary(start);
            Piece { id, start, end: text.ceil_char_boundary(end).max(start), word }
        });
        Ok(pieces.collect())
    }

    /// Tokens that a text of `bytes` bytes has at least: what refuses a text that is
    /// far too long before it is tokenised. Half of what the longest token allows, since
    /// normalisation may shorten a text first.
    pub(crate) fn at_least(&self, bytes: usize) -> usize {
        bytes / (2 * self.longest)
    }

    /// The id of a token by its text.
    pub(crate) fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The text of tokens, special ones left out.
    pub(crate) fn decode(&self, ids: &[u32]) -> Result<String, CannotTokenize> {
        self.inner.decode(ids, true).map_err(|_| CannotTokenize)
    }
}

/// A token and where it stands: bytes of the text, on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The token.
    pub id: u32,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Index of the word that it is of.
    pub word: Option<u32>,
}

/// The tokenizer failed. Says nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CannotTokenize;

/// Shows the file and never a token.
impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokenizer({})", self.path.display())
    }
}

#[cfg(test)]
mod tests;
