//! What an attachment's string stands for.

use ringfence_chat::Segment;

/// An attachment that a dialect may have words for.
pub(crate) enum Attached<'a> {
    /// Data in base64, of this media type.
    Data {
        /// In small letters.
        media: String,
        /// Base64.
        data: &'a str,
    },
    /// An address that somebody would fetch.
    Address(&'a str),
}

/// Reads an attachment. Nothing for what only its own dialect can name: the id of a
/// stored file, data of an unknown form.
pub(crate) fn attached(segment: &Segment) -> Option<Attached<'_>> {
    let text = segment.text.as_str();
    if let Some((media, data)) = split_data_url(text) {
        return Some(Attached::Data { media, data });
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        return Some(Attached::Address(text));
    }
    let media = segment.media_type.as_deref()?;
    let is_base64 =
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte));
    (is_base64 && !media.ends_with('*') && !STORED.contains(&media))
        .then(|| Attached::Data { media: media.to_owned(), data: text })
}

/// What an attachment is called whose bytes lie elsewhere.
const STORED: &[&str] = &["application/octet-stream"];

/// Media type, in small letters, and data of `data:image/png;base64,...`; `None` for every
/// other address.
pub(crate) fn split_data_url(url: &str) -> Option<(String, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let media = head.strip_suffix(";base64")?;
    let media = media.split(';').next().unwrap_or(media);
    let fits = media.len() <= 128
        && media.contains('/')
        && media.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/+.-_".contains(&byte));
    fits.then(|| (media.to_ascii_lowercase(), data))
}
