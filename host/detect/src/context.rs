//! The words around a candidate.

/// How far to the left words count, in bytes.
const BEFORE: usize = 64;

/// How far to the right.
const AFTER: usize = 24;

/// Whether one of `words` stands as a whole word shortly before `start` or right
/// after `end`, in any case. The list is in small letters and sorted.
pub(crate) fn names(text: &str, start: usize, end: usize, words: &[&str]) -> bool {
    let after = &text[end..text.floor_char_boundary((end + AFTER).min(text.len())).max(end)];
    names_before(text, start, words) || has_word(after, words)
}

/// Whether one of `words` stands as a whole word shortly before `start`.
pub(crate) fn names_before(text: &str, start: usize, words: &[&str]) -> bool {
    let from = text.floor_char_boundary(start.saturating_sub(BEFORE));
    has_word(&text[from..start], words)
}

/// Whether one of `words`, each a word or several with one blank between them, stands as
/// whole words shortly before `start` or right after `end`. The words are in small
/// letters; a capital after a small letter begins a word. Looks at a bounded stretch, but
/// copies it: for candidates that have passed every other check.
pub(crate) fn says(text: &str, start: usize, end: usize, words: &[&str]) -> bool {
    let from = text.floor_char_boundary(start.saturating_sub(BEFORE));
    let until = text.floor_char_boundary((end + AFTER).min(text.len())).max(end);
    // In a table of numbers there are no words.
    let letter = |byte: u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
    if !text.as_bytes()[from..until].iter().any(|&byte| letter(byte)) {
        return false;
    }
    // A piece of a word at the edge is no word, unless the text begins there.
    let before = match from {
        0 => text[..start].to_owned(),
        _ => text[from..start].trim_start_matches(char::is_alphanumeric).to_owned(),
    };
    [spaced(&before), spaced(&text[end..until])].iter().any(|around| {
        words.iter().any(|word| match word.is_ascii() {
            true => around.match_indices(word).any(|(at, _)| {
                let bytes = around.as_bytes();
                bytes[at - 1] == b' ' && bytes.get(at + word.len()) == Some(&b' ')
            }),
            // Other scripts may be written without spaces.
            false => around.contains(word),
        })
    })
}

/// The words of a text in small letters, one blank before, between and after them.
fn spaced(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + 8);
    words.push(' ');
    let mut small = false;
    for c in text.chars() {
        if !c.is_alphanumeric() {
            if !words.ends_with(' ') && c != '\'' {
                words.push(' ');
            }
            small = false;
            continue;
        }
        if small && c.is_uppercase() {
            words.push(' ');
        }
        small = c.is_lowercase();
        words.extend(c.to_lowercase());
    }
    words.push(' ');
    words
}

/// Whether the last word before `start` is one of `words`, when nothing but `.:#=(`,
/// quotes and blanks stands between.
pub(crate) fn follows_word(text: &str, start: usize, words: &[&str]) -> bool {
    is_word(last_word(text, start), words)
}

fn last_word(text: &str, start: usize) -> &str {
    let before = &text[text.floor_char_boundary(start.saturating_sub(BEFORE))..start];
    let before = before.trim_end_matches(|c: char| ".:#=(\"' \t".contains(c));
    let after = before.rfind(|c: char| !c.is_alphanumeric());
    let word = after.map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
    &before[word..]
}

fn has_word(text: &str, words: &[&str]) -> bool {
    let begins = |c: char| !c.is_alphanumeric();
    // A word that begins with a digit is none of any list.
    let is_possible = |word: &&str| word.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    text.split(begins).filter(is_possible).any(|word| {
        is_word(word, words)
            || parts(word)
                .is_some_and(|(first, second)| is_word(first, words) || is_word(second, words))
    })
}

fn is_word(word: &str, words: &[&str]) -> bool {
    if !word.is_ascii() {
        // Words that other scripts write without spaces count wherever they stand.
        let lower = word.to_lowercase();
        let foreign = words.iter().filter(|wanted| !wanted.is_ascii());
        return foreign.into_iter().any(|wanted| lower.contains(wanted));
    }
    let Some(&first) = word.as_bytes().first() else { return false };
    let first = first.to_ascii_lowercase();
    let from = words.partition_point(|wanted| wanted.as_bytes()[0] < first);
    let same = words[from..].iter().take_while(|wanted| wanted.as_bytes()[0] == first);
    same.into_iter().any(|wanted| wanted.eq_ignore_ascii_case(word))
}

/// The two pieces of a word where a small letter meets a capital: `phoneNumber`.
fn parts(word: &str) -> Option<(&str, &str)> {
    let bytes = word.as_bytes();
    let seam = (1..bytes.len())
        .find(|&at| bytes[at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase())?;
    Some(word.split_at(seam))
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
    fn phrases_are_whole_words() {
        for (text, found) in [
            ("NHS number: 1", true),
            ("nhs_number=1", true),
            ("nhsNumber 1", true),
            ("the nhs  -  number 1", true),
            ("xnhs number 1", false),
            ("nhs numbers 1", false),
            ("the number 1", false),
        ] {
            assert_eq!(says(text, text.len() - 1, text.len(), &["nhs number"]), found, "{text}");
        }
        assert!(says("1 (nhs number)", 0, 1, &["nhs number"]));
        assert!(says("身份证号1", "身份证号".len(), "身份证号1".len(), &["身份证"]));
    }

    #[test]
    fn the_lists_are_sorted() {
        for list in [
            &crate::card::WORDS[..],
            &crate::ssn::WORDS,
            &crate::phone::WORDS,
            &crate::phone::OTHERS,
            &crate::ip::VERSIONS,
        ] {
            assert!(list.is_sorted(), "{list:?}");
        }
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
