//! How long a prompt is, roughly.

use ringfence_chat::Kind;

use crate::walk::Walk;

/// Bytes of text that count as one token. English takes about four, Chinese three for
/// a character that is about one token; a target with a tokenizer counts for itself.
const BYTES_PER_TOKEN: usize = 4;
/// Tokens that a message takes at least, for its role and its borders.
const TOKENS_PER_MESSAGE: usize = 4;
/// Tokens of an image: what OpenAI counts for one of 1024 pixels square.
const TOKENS_PER_IMAGE: usize = 765;
/// Bytes of other attachments, in base64, that count as one token.
const ATTACHED_BYTES_PER_TOKEN: usize = 64;

/// A cheap estimate of the whole prompt: a quarter of its bytes, and something for each
/// message and attachment. Names of parameters and other metadata count nothing.
pub(crate) fn estimate(walk: &Walk, messages: usize) -> u32 {
    let mut tokens = messages.saturating_mul(TOKENS_PER_MESSAGE);
    let mut bytes = 0usize;
    for segment in walk.segments() {
        match segment.kind {
            Kind::Metadata | Kind::Link => {}
            Kind::Attachment => {
                let media = segment.media_type.as_deref().unwrap_or("");
                tokens = tokens.saturating_add(if media.starts_with("image/") {
                    TOKENS_PER_IMAGE
                } else {
                    segment.text.len() / ATTACHED_BYTES_PER_TOKEN
                });
            }
            _ => bytes = bytes.saturating_add(segment.text.len()),
        }
    }
    u32::try_from(tokens.saturating_add(bytes.div_ceil(BYTES_PER_TOKEN))).unwrap_or(u32::MAX)
}
