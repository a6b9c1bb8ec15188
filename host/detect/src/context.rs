//! The words around a candidate.

/// How far to the left words count, in bytes.
const BEFORE: usize = 64;

/// How far to the right.
const AFTER: usize = 24;

/// Whether one of `words` stands as a whole word shortly before `start` or right
/// after `end`, in any case. Words are lower-case; several words in one entry are not
/// supported.
pub(crate) fn names(text: &str, start: usize, end: usize, words: &[&str]) -> bool {
    let before = &text[text.floor_char_boundary(start.saturating_sub(BEFORE))..start];
    let after = &text[end..text.floor_char_boundary((end + AFTER).min(text.len())).max(end)];
    has_word(before, words) || has_word(after, words)
}

/// Whether one of `words` stands as a whole word shortly before `start`.
pub(crate) fn names_before(text: &str, start: usize, words: &[&str]) -> bool {
    has_word(&text[text.floor_char_boundary(start.saturating_sub(BEFORE))..start], words)
}

/// The last word before `start`, when nothing but `.:#=()`, quotes and blanks stands
/// between.
pub(crate) fn last_word(text: &str, start: usize) -> &str {
    let before = &text[text.floor_char_boundary(start.saturating_sub(BEFORE))..start];
    let before = before.trim_end_matches(|c: char| ".:#=(\"' \t".contains(c));
    let word = before
        .rfind(|c: char| !c.is_alphanumeric())
        .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
    &before[word..]
}

fn has_word(text: &str, words: &[&str]) -> bool {
    // Words that other scripts write without spaces count wherever they stand.
    text.split(|c: char| !c.is_alphanumeric()).flat_map(parts).any(|word| {
        words.iter().any(|wanted| match wanted.is_ascii() {
            true => wanted.eq_ignore_ascii_case(word),
            false => !word.is_ascii() && word.to_lowercase().contains(wanted),
        })
    })
}

/// A word, and its pieces where a small letter meets a capital: `phoneNumber`.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    let bytes = word.as_bytes();
    let seam = (1..bytes.len())
        .find(|&at| bytes[at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase());
    let (first, second) = match seam {
        Some(at) => (&word[..at], &word[at..]),
        None => ("", ""),
    };
    [word, first, second].into_iter().filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_words() {
        for (text, found) in [
            ("lic 1", true),
            ("public 1", false),
            ("LIC: 1", true),
            ("lic# 1", true),
            ("licence 1", false),
            ("driver_lic=1", true),
            ("driverLic=1", true),
            ("почта 1", false),
        ] {
            assert_eq!(names_before(text, text.len() - 1, &["lic"]), found, "{text}");
        }
        assert!(names("1 (lic)", 0, 1, &["lic"]));
        assert!(names_before("我的电话是1", "我的电话是".len(), &["电话"]));
    }

    #[test]
    fn the_last_word() {
        for (text, word) in
            [("see version: ", "version"), ("v", "v"), ("a, ", ""), ("", ""), ("日本 ", "日本")]
        {
            assert_eq!(last_word(text, text.len()), word);
        }
    }
}
