//! Reading through disguises: what a text says once escapes, entities, invisible
//! characters and look-alikes are undone, and what stands in base64 or hexadecimal.
//!
//! Everything found that way is mapped back to the bytes that it stands for.

mod encoded;
mod escapes;
mod letters;
mod short;
mod view;

pub(crate) use letters::Letters;
pub(crate) use view::View;

use crate::scan::Scan;
use encoded::Encoded;
use letters::Reading;
use view::Builder;

/// How far from a look-alike the next group of the same value begins, in bytes.
const GROUP: usize = 6;

/// What the codes of a text say.
pub(crate) struct Decoded {
    /// The text with what each code says in its place. Nothing when there is none.
    pub(crate) view: Option<View>,
    /// Whether one of them is a file that no detector reads.
    pub(crate) files: bool,
}

/// Undoes one layer of base64 and hexadecimal. Part of a value in base64 is no part of the
/// text, so a code goes whole.
pub(crate) fn decode(scan: &Scan<'_>) -> Decoded {
    let mut codes = encoded::find(scan);
    codes.extend(short::find(scan));
    // Of two that overlap, the longer one is the code.
    codes.sort_by_key(|code| (code.start, std::cmp::Reverse(code.end)));
    let files = codes.iter().any(|code| code.says == encoded::Says::File);
    let mut view = Builder::new(scan.text.len());
    let mut at = 0;
    for code in &codes {
        let Encoded { start, end, says: encoded::Says::Text(says) } = code else { continue };
        if *start < at {
            continue;
        }
        view.keep(&scan.text[at..*start], at);
        // What stands right beside a code is no part of what the code says.
        let before = view.last().is_some_and(char::is_alphanumeric).then_some(' ');
        let after = scan.text[*end..].starts_with(char::is_alphanumeric).then_some(' ');
        view.change_all(before.into_iter().chain(says.chars()).chain(after), *start, *end);
        at = *end;
    }
    view.keep(&scan.text[at..], at);
    Decoded { view: view.finish(), files }
}

/// Undoes one layer of escapes, entities and unusual letters. Nothing when there is
/// none.
pub(crate) fn open(text: &str, letters: &Letters) -> Option<View> {
    let bytes = text.as_bytes();
    let mut view = Builder::new(text.len());
    let mut at = 0;
    // Where the last stretch ends that was looked at, and whether it has Latin letters.
    let mut stretch = (0, false);
    // Where the last word ends, and whether it is one of another script.
    let mut word = (0, false);
    // Where the last look-alike ends that stood for a Latin letter.
    let mut mixed = 0;
    while at < bytes.len() {
        let plain = bytes[at..].iter().take_while(|&&byte| is_plain(byte)).count();
        view.keep(&text[at..at + plain], at);
        at += plain;
        let Some(&byte) = bytes.get(at) else { break };
        let escape = match byte {
            b'%' => escapes::percent(text, at),
            b'\\' => escapes::backslash(text, at),
            b'&' => escapes::entity(text, at),
            _ => None,
        };
        if let Some(escape) = escape {
            let hides = escape.hides;
            view.change(escape.means, at, at + escape.bytes, hides);
            at += escape.bytes;
            continue;
        }
        let Some(c) = text[at..].chars().next() else { break };
        let next = at + c.len_utf8();
        let latin = letters.is_look_alike(c) && {
            if at >= stretch.0 {
                stretch = letters.stretch(text, at, view.is_among_latin());
            }
            if at >= word.0 {
                word = letters.word(text, at);
            }
            // A group of a number, or one that goes on behind a blank.
            let group = view.is_after_number() && !text[next..].starts_with(char::is_alphabetic);
            let goes_on = mixed > 0 && at - mixed <= GROUP;
            let among = (stretch.1 || goes_on) && !word.1;
            among || group
        };
        match letters.read(c, view.last(), text[next..].chars().next(), latin) {
            Reading::Same => view.keep(&text[at..next], at),
            Reading::Nothing => view.drop_character(),
            Reading::Tag => {
                at = tags(text, at, &mut view);
                continue;
            }
            Reading::Other(c) => {
                view.change(Some(c), at, next, true);
                if latin {
                    mixed = next;
                }
            }
            Reading::Compatible => view.change_all(letters::compatible(c), at, next),
        }
        at = next;
    }
    view.finish()
}

/// Reads a run of invisible tags and gives its end. A few are part of a flag; many are
/// a text that nobody sees.
fn tags(text: &str, at: usize, view: &mut Builder) -> usize {
    let run =
        text[at..].char_indices().map_while(|(index, c)| Some((at + index, c, letters::tag(c)?)));
    let hides = run.clone().nth(letters::HIDDEN_TAGS - 1).is_some();
    let mut end = at;
    for (index, c, means) in run {
        end = index + c.len_utf8();
        if hides {
            view.change(Some(means), index, end, true);
        } else {
            view.drop_character();
        }
    }
    end
}

/// Bytes that stand for themselves.
fn is_plain(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) && !matches!(byte, b'%' | b'\\' | b'&')
        || matches!(byte, b'\n' | b'\r' | b'\t')
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    static LETTERS: LazyLock<Letters> = LazyLock::new(Letters::new);

    #[test]
    fn undoes_one_layer() {
        for (text, meaning) in [
            ("bob%40x.org", "bob@x.org"),
            ("bob\\u0040x.org", "bob@x.org"),
            ("bob\\x40x.org", "bob@x.org"),
            ("bob\\100x.org", "bob@x.org"),
            ("bob&#64;x&period;org", "bob@x.org"),
            ("bob&#x40;x.org", "bob@x.org"),
            ("bob＠ｘ．ｏｒｇ", "bob@x.org"),
            ("b\u{200b}o\u{ad}b@x.org", "bob@x.org"),
            ("4\u{fe0f}1\u{20e3}1", "411"),
            ("٤١١١", "4111"),
            ("४१११", "4111"),
            ("𝟜𝟙𝟙𝟙", "4111"),
            ("АKIA", "AKIA"),
            ("РМАК-8x", "PMAK-8x"),
            ("sk-ЅоЅ", "sk-SoS"),
            ("httрѕ://сосоа", "https://cocoa"),
            ("12 060457 Η 724", "12 060457 H 724"),
            ("LМ 11 32 08 С - now", "LM 11 32 08 C - now"),
            ("15ΤΡ ΗFΙΑ ΟΥΑΑ Υ90", "15TP HFIA OYAA Y90"),
            ("เลขประจำตัว ６", "เลขประจำตัว 6"),
            ("егн=６,рнокпп=７", "егн=6,рнокпп=7"),
            ("%2540", "%40"),
            ("\\ud83d\\ude00", "😀"),
            ("a\u{0}b", "ab"),
            ("1\u{336}2\u{336}", "12"),
            ("12\u{2011}34", "12-34"),
            ("\u{e0062}\u{e006f}\u{e0062}\u{e0040}", "bob@"),
        ] {
            assert_eq!(open(text, &LETTERS).map(|view| view.text), Some(meaning.into()), "{text}");
        }
    }

    #[test]
    fn leaves_what_is_plain() {
        for text in [
            "plain",
            "100% of it",
            "R&D",
            "Grüße",
            "привет",
            "с 12 по 15 мая",
            "日本語",
            "“quoted” — dash",
        ] {
            assert!(open(text, &LETTERS).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn spans_map_to_characters(text in "[a-z%&#;\\\\0-9u@é\u{200b}４\u{301}\u{e0061}]{0,40}", from in 0usize..40, length in 1usize..10) {
            if let Some(view) = open(&text, &LETTERS) {
                let start = view.text.floor_char_boundary(from.min(view.text.len()));
                let end = view.text.ceil_char_boundary((start + length).min(view.text.len()));
                if start < end {
                    let (from, to) = view.origin(start, end);
                    prop_assert!(from < to);
                    prop_assert!(text.get(from..to).is_some());
                }
            }
        }
    }
}
