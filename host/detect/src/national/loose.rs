//! Numbers whose groups are not the usual ones, that are parted by something else, or by
//! nothing: `2090.6963.13`, `2 9 9 4 6 6 2 2 1`. They are found beside a word for them alone.

use super::forms::Forms;
use super::{Id, LONGEST, begins, check};
use crate::candidate::{PAYMENT_CARD, Span, US_SSN};
use crate::context::{self, Around};
use crate::scan::Scan;
use crate::ssn;

/// The score of one: its check holds and a word names it, but nobody writes it so.
pub(super) const SCORE: f32 = 0.8;

/// How far behind the first digits of one a word for it may begin, at most.
pub(super) const REACH: usize = LONGEST * (BETWEEN + 1) + context::AFTER;

/// Separators in a row, at most.
const BETWEEN: usize = 3;

/// Numbers that have families of their own for the usual ways of writing.
pub(super) const MORE: [Id; 2] = [
    Id::new(
        US_SSN,
        &["999999999"],
        |digits| digits.try_into().is_ok_and(ssn::is_assigned),
        &["ssn", "social security", "social security number", "social security no"],
        "",
        "",
    ),
    Id::new(
        PAYMENT_CARD,
        &["9999999999999", "99999999999999", "999999999999999", "9999999999999999"],
        check::luhn,
        &["card", "card number", "credit card", "debit card", "kreditkarte", "carte", "tarjeta"],
        "",
        "",
    ),
];

/// The rows without their separators.
pub(super) struct Loose {
    ids: Vec<&'static Id>,
    forms: Forms,
}

impl Loose {
    pub(super) fn new(ids: &[&'static Id]) -> Loose {
        let ids: Vec<&'static Id> = ids.iter().copied().chain(MORE.iter()).collect();
        let forms = Forms::solid(ids.iter().map(|id| id.forms));
        Loose { ids, forms }
    }

    /// The longest number that begins at `start`, a letter or a digit.
    pub(super) fn at(
        &self,
        scan: &Scan<'_>,
        start: usize,
        around: &mut Around,
    ) -> Option<Span<'static>> {
        if !begins(scan, start) {
            return None;
        }
        let (mut solid, mut ends, mut parted) = ([0; LONGEST], [0; LONGEST], [false; LONGEST]);
        let (mut count, mut between) = (0, 0);
        // A comma and a blank part the items of a list.
        let mut listed = false;
        for (offset, c) in scan.text[start..].char_indices() {
            if c.is_ascii_alphanumeric() {
                listed = false;
                if count > 0 {
                    parted[count - 1] = between > 0;
                }
                if count == LONGEST {
                    break;
                }
                (solid[count], ends[count]) = (c as u8, start + offset + 1);
                count += 1;
                between = 0;
            } else if between < BETWEEN && is_separator(c) && !listed {
                between += 1;
                listed = c == ',';
            } else {
                break;
            }
        }
        // What ends the text, or stands before another sign, ends a number too.
        if let Some(last) = count.checked_sub(1).filter(|&last| {
            ends[last] >= scan.bytes.len() || !scan.bytes[ends[last]].is_ascii_alphanumeric()
        }) {
            parted[last] = true;
        }
        let mut accepted = [(0_u8, 0_u16); LONGEST];
        let mut many = 0;
        self.forms.walk(&solid[..count], |length, state| {
            if parted[length - 1] && many < accepted.len() {
                accepted[many] = (length as u8, state);
                many += 1;
            }
        });
        accepted[..many].iter().rev().find_map(|&(length, state)| {
            let mut text = solid;
            let text = &mut text[..usize::from(length)];
            text.make_ascii_uppercase();
            let end = ends[text.len() - 1];
            let repeated = text.iter().all(|&byte| byte == text[0]);
            let ids = self.forms.accepted(state).iter().map(|&id| self.ids[usize::from(id)]);
            ids.filter(|id| !repeated && (id.check)(text))
                .find(|id| around.says(scan.text, start, end, id.words))
                .map(|id| Span::new(start, end, id.entity, SCORE))
        })
    }
}

/// What people and programs put between groups.
fn is_separator(c: char) -> bool {
    matches!(c,
        ' ' | '-' | '.' | '/' | '_' | ',' | '\t' | ':' | '\''
        | '\u{a0}' | '\u{b7}' | '\u{180e}' | '\u{2000}'..='\u{200a}' | '\u{2010}'..='\u{2015}'
        | '\u{202f}' | '\u{2212}' | '\u{3000}')
}

#[cfg(test)]
mod tests {
    use crate::detector::tests::found;

    #[test]
    fn odd_groups_are_found_beside_a_word() {
        for (text, entity, number) in [
            ("NHS number 94.347659.19", "UK_NHS", "94.347659.19"),
            ("nhs number: 9 4 3 4 7 6 5 9 1 9", "UK_NHS", "9 4 3 4 7 6 5 9 1 9"),
            ("PESEL 4405/1401/359", "PL_PESEL", "4405/1401/359"),
            ("PESEL 440514\u{2013}01359,", "PL_PESEL", "440514\u{2013}01359"),
            ("pesel: 44 _ 0514 _ 01359.", "PL_PESEL", "44 _ 0514 _ 01359"),
            ("PESEL:44051401359", "PL_PESEL", "44051401359"),
            ("PESEL：４４０５1401359", "PL_PESEL", "４４０５1401359"),
            ("NIT: 8909039388", "CO_NIT", "8909039388"),
            ("CNIC 3520212345671", "PK_CNIC", "3520212345671"),
            ("MyKad：850101.14.5678", "MY_NRIC", "850101.14.5678"),
            ("MyKadは850101_14_5678です", "MY_NRIC", "850101_14_5678"),
            ("ЈМБГ 0101-9900-0000-0", "YU_JMBG", "0101-9900-0000-0"),
            ("my SSN is 536/90/4399", "US_SSN", "536/90/4399"),
            ("credit card 40128_88888_881881", "PAYMENT_CARD", "40128_88888_881881"),
        ] {
            assert_eq!(found(text, entity), [number], "{text}");
        }
        for text in [
            "94.347659.19",
            "4405/1401/359",
            "PESEL 4405/1401/358",
            "a_44_0514_01359",
            "PESEL 440514, 01359",
        ] {
            for entity in ["UK_NHS", "PL_PESEL", "US_SSN", "PAYMENT_CARD"] {
                assert_eq!(found(text, entity), [""; 0], "{text}");
            }
        }
    }
}
