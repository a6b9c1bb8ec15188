//! Unusual characters and what a reader takes them for.

use regex_syntax::hir::{Class, HirKind};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use crate::context;

/// What a reader takes a character for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Itself.
    Same,
    /// Nothing: it does not show.
    Nothing,
    /// A letter of an invisible text.
    Tag,
    /// This one.
    Other(char),
    /// What it is compatible with: [`compatible`].
    Compatible,
}

/// From how many invisible tags in a row on they are read as a text. The flags of
/// regions have up to six.
pub(super) const HIDDEN_TAGS: usize = 4;

/// The longest stretch that is looked at together, in bytes.
const STRETCH: usize = 512;

/// The characters of the first plane, each with its class, and ranges for the rest.
pub(crate) struct Letters {
    plane: Vec<u8>,
    hidden: Vec<(char, char)>,
    marks: Vec<(char, char)>,
    digits: Vec<(char, char)>,
}

const SAME: u8 = 0;
const HIDDEN: u8 = 1;
const MARK: u8 = 2;
const COMPATIBLE: u8 = 3;
const LOOK_ALIKE: u8 = 4;
/// And the value in the lower bits.
const DIGIT: u8 = 16;

impl Letters {
    /// Reads the classes from Unicode's tables; takes a few milliseconds.
    pub(crate) fn new() -> Letters {
        let mut letters = Letters {
            plane: vec![SAME; 0x1_0000],
            // By category and property, not by a list: the next version adds some.
            hidden: ranges(
                r"[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}\p{Variation_Selector}--[\t\n\r]]",
            ),
            marks: ranges(r"[\p{Mn}\p{Me}]"),
            digits: ranges(r"[\p{Nd}--[0-9]]"),
        };
        for code in 0x80..0x1_0000_u32 {
            if let Some(c) = char::from_u32(code) {
                letters.plane[code as usize] = letters.class(c);
            }
        }
        for c in (0..0x20_u8).chain([0x7f]) {
            letters.plane[c as usize] = letters.class(char::from(c));
        }
        letters
    }

    /// Where the stretch of signs and letters ends that goes on at `at`, and whether it has
    /// Latin letters or digits, as it had before or behind: its look-alikes then stand for
    /// Latin letters too. Letters of other scripts end it.
    pub(super) fn stretch(&self, text: &str, at: usize, before: bool) -> (usize, bool) {
        let mut latin = before;
        for (index, c) in text[at..].char_indices() {
            let belongs = match c {
                _ if c.is_ascii() => c.is_ascii_graphic(),
                _ => self.known(c) != SAME,
            };
            if !belongs || index > STRETCH {
                return (at + index.max(1), latin);
            }
            latin |= c.is_ascii_alphanumeric();
        }
        (text.len(), latin)
    }

    /// Whether what a character is depends on what stands around it.
    pub(super) fn is_look_alike(&self, c: char) -> bool {
        self.known(c) == LOOK_ALIKE
    }

    /// Where the word ends that goes on at `at`, and whether it has letters of another script
    /// that look like no Latin one: then none of it stands for Latin letters.
    pub(super) fn word(&self, text: &str, at: usize) -> (usize, bool) {
        let foreign = |c: char| !c.is_ascii() && self.known(c) == SAME && context::is_letter(c);
        // Where a word begins with such letters, the last of them stands right in front.
        let mut other = text[..at].chars().next_back().is_some_and(foreign);
        for (index, c) in text[at..].char_indices() {
            if !context::is_letter(c) || index > STRETCH {
                return (at + index.max(1), other);
            }
            other |= !c.is_ascii() && self.known(c) == SAME;
        }
        (text.len(), other)
    }

    fn known(&self, c: char) -> u8 {
        match self.plane.get(c as usize) {
            Some(&class) => class,
            None => self.class(c),
        }
    }

    /// What a reader takes `c` for, after `before` (as read) and in front of `after`, among
    /// Latin letters or not.
    pub(super) fn read(
        &self,
        c: char,
        before: Option<char>,
        after: Option<char>,
        latin: bool,
    ) -> Reading {
        let class = self.known(c);
        let near = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        match class {
            SAME => Reading::Same,
            HIDDEN if tag(c).is_some() => Reading::Tag,
            HIDDEN => Reading::Nothing,
            MARK if near(before) => Reading::Nothing,
            LOOK_ALIKE if latin || near(before) || near(after) => {
                look_alike(c).map_or(Reading::Same, Reading::Other)
            }
            MARK | LOOK_ALIKE => Reading::Same,
            COMPATIBLE => match c {
                '\u{2010}' | '\u{2011}' => Reading::Other('-'),
                _ => Reading::Compatible,
            },
            digit => Reading::Other(char::from(b'0' + (digit & 15))),
        }
    }

    fn class(&self, c: char) -> u8 {
        if contains(&self.hidden, c).is_some() {
            return HIDDEN;
        }
        if let Some((zero, _)) = contains(&self.digits, c) {
            // Digits come in tens, from zero to nine (Unicode, section 4.6).
            return DIGIT | ((c as u32 - zero as u32) % 10) as u8;
        }
        if look_alike(c).is_some() {
            return LOOK_ALIKE;
        }
        // Whose parts are other letters, not what a reader takes it for.
        if matches!(c, '\u{e33}' | '\u{eb3}') {
            return SAME;
        }
        if is_nfkc_quick(std::iter::once(c)) == IsNormalized::No {
            return COMPATIBLE;
        }
        match contains(&self.marks, c) {
            Some(_) => MARK,
            None => SAME,
        }
    }
}

/// What `c` is compatible with (NFKC).
pub(super) fn compatible(c: char) -> impl Iterator<Item = char> {
    std::iter::once(c).nfkc()
}

/// The ASCII character that an invisible tag repeats.
pub(super) fn tag(c: char) -> Option<char> {
    matches!(c, '\u{e0020}'..='\u{e007e}').then(|| char::from_u32(c as u32 - 0xe_0000))?
}

/// The ASCII character that another one is drawn like: Cyrillic, Greek, Armenian and
/// Latin letters, and signs that part the groups of a number.
fn look_alike(c: char) -> Option<char> {
    Some(match c {
        'а' | 'ɑ' | 'α' => 'a',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'с' | 'ϲ' => 'c',
        'С' | 'Ϲ' => 'C',
        'ԁ' => 'd',
        'е' => 'e',
        'Е' | 'Ε' => 'E',
        'ɡ' => 'g',
        'һ' => 'h',
        'Н' | 'Η' => 'H',
        'і' | 'ı' | 'ι' => 'i',
        'І' | 'Ι' | 'Ӏ' => 'I',
        'ј' => 'j',
        'Ј' => 'J',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Ν' => 'N',
        'ո' => 'n',
        'о' | 'ο' | 'օ' => 'o',
        'О' | 'Ο' | 'Օ' => 'O',
        'р' | 'ρ' => 'p',
        'Р' | 'Ρ' => 'P',
        'ԛ' => 'q',
        'ѕ' => 's',
        'Ѕ' => 'S',
        'Т' | 'Τ' => 'T',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' => 'w',
        'х' | 'χ' => 'x',
        'Х' | 'Χ' => 'X',
        'у' | 'γ' => 'y',
        'У' | 'Υ' => 'Y',
        'Ζ' => 'Z',
        '\u{2010}'..='\u{2013}' | '\u{2212}' | '\u{2043}' => '-',
        '\u{2024}' | '·' | '•' | '\u{3002}' => '.',
        '\u{2044}' | '\u{2215}' => '/',
        _ => return None,
    })
}

/// The range that `c` lies in.
fn contains(ranges: &[(char, char)], c: char) -> Option<(char, char)> {
    let after = ranges.partition_point(|&(first, _)| first <= c);
    let range = ranges[..after].last()?;
    (c <= range.1).then_some(*range)
}

/// The characters of a class in the syntax of regular expressions.
fn ranges(class: &str) -> Vec<(char, char)> {
    let parsed = regex_syntax::parse(class).map(|hir| hir.into_kind());
    match parsed {
        Ok(HirKind::Class(Class::Unicode(class))) => {
            class.iter().map(|range| (range.start(), range.end())).collect()
        }
        // The classes are constants of this file.
        _ => unreachable!("a class of characters that Unicode does not have"),
    }
}
