//! Texts that end an answer.

/// Watches a stream of text for stop texts and holds back only what may be the
/// beginning of one.
pub(crate) struct Stops {
    stops: Vec<String>,
    held: String,
}

impl Stops {
    /// Empty texts stop nothing.
    pub(crate) fn new(stops: &[String]) -> Stops {
        let stops = stops.iter().filter(|stop| !stop.is_empty()).cloned().collect();
        Stops { stops, held: String::new() }
    }

    /// Takes more text. Gives what is certain, and whether a stop text came, which is
    /// left out with all that follows it.
    ///
    /// The stop text that ends first counts, so that the answer does not depend on how
    /// the text was cut into pieces.
    pub(crate) fn push(&mut self, text: &str) -> (String, bool) {
        if self.stops.is_empty() {
            return (text.to_owned(), false);
        }
        self.held.push_str(text);
        let found = (self.stops.iter())
            .filter_map(|stop| {
                self.held.find(stop.as_str()).map(|start| (start + stop.len(), start))
            })
            .min();
        if let Some((_, start)) = found {
            self.held.truncate(start);
            return (std::mem::take(&mut self.held), true);
        }
        let may_begin = |tail: &str| self.stops.iter().any(|stop| stop.starts_with(tail));
        let certain = (self.held.char_indices())
            .map(|(start, _)| start)
            .find(|&start| may_begin(&self.held[start..]))
            .unwrap_or(self.held.len());
        let rest = self.held.split_off(certain);
        (std::mem::replace(&mut self.held, rest), false)
    }

    /// What is held when the answer ends by itself.
    pub(crate) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stops(texts: &[&str]) -> Stops {
        Stops::new(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    /// The answer when `pieces` arrive one after the other, and whether it was stopped.
    fn run(texts: &[&str], pieces: &[&str]) -> (String, bool) {
        let mut stops = stops(texts);
        let mut answer = String::new();
        for piece in pieces {
            let (text, stopped) = stops.push(piece);
            answer.push_str(&text);
            if stopped {
                return (answer, true);
            }
        }
        (answer + &stops.finish(), false)
    }

    #[test]
    fn every_split_stops_at_the_same_place() {
        let cases = [
            (&["END"][..], "one END two", "one ", true),
            (&["END"], "one EN", "one EN", false),
            (&["aab"], "aaab", "a", true),
            (&["abc", "b"], "xabc", "xa", true),
            (&["bc", "abc"], "xabc", "x", true),
            (&["\n\n"], "a\nb\n\nc", "a\nb", true),
            (&["é!", "!é"], "aé!é", "a", true),
            (&[], "END", "END", false),
            (&[""], "END", "END", false),
            (&["E"], "E", "", true),
        ];
        for (texts, whole, expected, stopped) in cases {
            let letters: Vec<String> = whole.chars().map(String::from).collect();
            let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
            assert_eq!(
                run(texts, &letters),
                (expected.to_owned(), stopped),
                "{texts:?} by letters"
            );
            for (cut, _) in whole.char_indices() {
                let (left, right) = whole.split_at(cut);
                for (cut, _) in right.char_indices() {
                    let (middle, right) = right.split_at(cut);
                    let got = run(texts, &[left, middle, right]);
                    assert_eq!(
                        got,
                        (expected.to_owned(), stopped),
                        "{texts:?} {left:?} {middle:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn holds_no_more_than_it_must() {
        let mut stops = stops(&["STOP", "Sx"]);
        assert_eq!(stops.push("a ST"), ("a ".to_owned(), false));
        assert_eq!(stops.push("A"), ("STA".to_owned(), false));
        assert_eq!(stops.push("STS"), ("ST".to_owned(), false));
        assert_eq!(stops.push("x"), (String::new(), true));
    }

    proptest! {
        #[test]
        fn any_split_of_anything(
            texts in prop::collection::vec("[abé]{1,3}", 0..3),
            whole in "[abé]{0,12}",
            cuts in prop::collection::vec(0usize..24, 0..4),
        ) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let mut cuts: Vec<usize> =
                cuts.into_iter().filter(|&cut| whole.is_char_boundary(cut)).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut last = 0;
            for cut in cuts {
                pieces.push(&whole[last..cut]);
                last = cut;
            }
            pieces.push(&whole[last..]);
            prop_assert_eq!(run(&texts, &pieces), run(&texts, &[&whole]));
        }
    }
}
