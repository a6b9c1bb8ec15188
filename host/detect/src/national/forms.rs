//! All the ways of writing as one automaton over classes of characters.

use std::collections::HashMap;

/// Classes of characters: digit, letter, and the separators in [`SEPARATORS`].
const CLASSES: usize = 2 + SEPARATORS.len();

const DIGIT: u8 = 0;
const LETTER: u8 = 1;
const SEPARATORS: [u8; 8] = *b"-. /+():";

/// What `_` in a form stands for.
const ANY: [u8; 3] = *b"-. ";

/// No way of writing goes on so.
const DEAD: u16 = 0;
/// Where every one begins.
const START: u16 = 1;

/// The class of every byte; [`CLASSES`] for what is in none.
const CLASS: [u8; 256] = {
    let mut classes = [CLASSES as u8; 256];
    let mut byte = 0;
    while byte < 128 {
        let letter = byte as u8;
        if letter.is_ascii_digit() {
            classes[byte] = DIGIT;
        } else if letter.is_ascii_alphabetic() {
            classes[byte] = LETTER;
        }
        byte += 1;
    }
    let mut index = 0;
    while index < SEPARATORS.len() {
        classes[SEPARATORS[index] as usize] = 2 + index as u8;
        index += 1;
    }
    classes
};

/// The automaton.
pub(super) struct Forms {
    next: Vec<[u16; CLASSES]>,
    /// By state: the rows that one of their forms ends in.
    accepted: Vec<Vec<u16>>,
}

impl Forms {
    /// Compiles the forms of every row.
    pub(super) fn new(rows: impl Iterator<Item = &'static [&'static str]>) -> Forms {
        let forms = (0..).zip(rows);
        let forms =
            forms.flat_map(|(row, forms)| forms.iter().flat_map(move |form| written(row, form)));
        Forms::compile(forms.collect())
    }

    /// The same without the separators.
    pub(super) fn solid(rows: impl Iterator<Item = &'static [&'static str]>) -> Forms {
        let mut forms: Vec<(u16, Vec<u8>)> = (0..)
            .zip(rows)
            .flat_map(|(row, forms)| {
                forms.iter().map(move |form| {
                    let signs = form.bytes().filter(u8::is_ascii_alphanumeric);
                    (row, signs.collect())
                })
            })
            .collect();
        forms.sort();
        forms.dedup();
        Forms::compile(forms)
    }

    fn compile(forms: Vec<(u16, Vec<u8>)>) -> Forms {
        let all: Vec<(u16, u8)> = (0..).zip(&forms).map(|(form, _)| (form, 0)).collect();
        let mut states = HashMap::from([(all.clone(), START)]);
        let mut queue = vec![all];
        let mut automaton = Forms { next: vec![[DEAD; CLASSES]; 2], accepted: vec![Vec::new(); 2] };
        let mut at = 0;
        while at < queue.len() {
            for class in 0..CLASSES as u8 {
                let moved: Vec<(u16, u8)> = queue[at]
                    .iter()
                    .filter(|&&(form, from)| {
                        let text = &forms[usize::from(form)].1;
                        text.get(usize::from(from)).is_some_and(|&sign| accepts(sign, class))
                    })
                    .map(|&(form, from)| (form, from + 1))
                    .collect();
                if moved.is_empty() {
                    continue;
                }
                let state = match states.get(&moved) {
                    Some(&state) => state,
                    None => automaton.add(&moved, &forms),
                };
                if states.insert(moved.clone(), state).is_none() {
                    queue.push(moved);
                }
                automaton.next[at + 1][usize::from(class)] = state;
            }
            at += 1;
        }
        automaton
    }

    fn add(&mut self, at: &[(u16, u8)], forms: &[(u16, Vec<u8>)]) -> u16 {
        let ended =
            |&&(form, from): &&(u16, u8)| usize::from(from) == forms[usize::from(form)].1.len();
        let mut rows: Vec<u16> =
            at.iter().filter(ended).map(|&(form, _)| forms[usize::from(form)].0).collect();
        rows.dedup();
        self.accepted.push(rows);
        self.next.push([DEAD; CLASSES]);
        // The table is a constant of this crate: a few thousand states.
        (self.next.len() - 1) as u16
    }

    /// Reads `text` from its start and tells every length at which a form ends, and the
    /// state there.
    pub(super) fn walk(&self, text: &[u8], mut ended: impl FnMut(usize, u16)) {
        let mut state = START;
        for (at, &byte) in text.iter().enumerate() {
            let class = usize::from(CLASS[usize::from(byte)]);
            state = if class < CLASSES { self.next[usize::from(state)][class] } else { DEAD };
            if state == DEAD {
                return;
            }
            if !self.accepted[usize::from(state)].is_empty() {
                ended(at + 1, state);
            }
        }
    }

    /// The rows whose forms end in a state.
    pub(super) fn accepted(&self, state: u16) -> &[u16] {
        &self.accepted[usize::from(state)]
    }
}

/// A form with each separator that `_` stands for.
fn written(row: u16, form: &'static str) -> Vec<(u16, Vec<u8>)> {
    let with = |any: u8| {
        let signs = form.bytes().map(|sign| if sign == b'_' { any } else { sign });
        (row, signs.collect())
    };
    match form.contains('_') {
        true => ANY.map(with).to_vec(),
        false => vec![with(b' ')],
    }
}

fn accepts(sign: u8, class: u8) -> bool {
    match sign {
        b'9' => class == DIGIT,
        b'A' => class == LETTER,
        b'X' => class == DIGIT || class == LETTER,
        _ => CLASS[usize::from(sign)] == class,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(text: &str) -> Vec<(usize, Vec<u16>)> {
        let forms: [&[&str]; 3] = [&["99_99", "9999"], &["A9X"], &["99-99-9"]];
        let forms = Forms::new(forms.into_iter());
        let mut ends = Vec::new();
        forms.walk(text.as_bytes(), |length, state| {
            ends.push((length, forms.accepted(state).to_vec()));
        });
        ends
    }

    #[test]
    fn every_form_ends_where_it_ends() {
        for (text, expected) in [
            ("1234", vec![(4, vec![0])]),
            ("12-34-5", vec![(5, vec![0]), (7, vec![2])]),
            ("12 34 5", vec![(5, vec![0])]),
            ("b2c", vec![(3, vec![1])]),
            ("b23", vec![(3, vec![1])]),
            ("12/34", vec![]),
            ("é123", vec![]),
        ] {
            assert_eq!(ends(text), expected, "{text}");
        }
    }
}
