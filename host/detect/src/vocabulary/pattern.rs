//! Values with a form of their own: numbers of employees, of contracts, of machines.

use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;
use regex_automata::{Input, Span as Range};

use super::VocabularyError;
use crate::candidate::Span;
use crate::context::Around;
use crate::national::check;
use crate::scan::{Marks, Scan, is_word};

/// A pattern as an operator gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternRule {
    /// The name of its findings, in capitals.
    pub entity: String,
    /// A regular expression in the syntax of the crate `regex`: no look-around, no
    /// references back.
    pub pattern: String,
    /// What the digits of a value must satisfy besides.
    pub check: Option<Check>,
    /// Words that stand near a value, or phrases of words with one blank between.
    pub beside: Vec<String>,
    /// How sure a finding is, 0 to 1: with a word beside it, when there are words.
    pub score: f32,
    /// How sure one is without its words; absent when it is none then.
    pub score_alone: Option<f32>,
    /// Whether a value may stand inside a longer word.
    pub inside_words: bool,
}

/// What the digits of a value must satisfy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The check digit of ISO/IEC 7812-1: cards and many others.
    Luhn,
    /// Verhoeff's check digit.
    Verhoeff,
    /// ISO 7064 MOD 11,10.
    Mod11,
    /// ISO 7064 MOD 97-10, over letters too: the number is 1 modulo 97.
    Mod97,
}

/// A pattern that is ready to be looked for.
#[derive(Debug)]
pub struct Pattern {
    rule: PatternRule,
    regex: Regex,
}

impl Pattern {
    /// Whether words beside a value count.
    pub(super) fn asks_words(&self) -> bool {
        !self.rule.beside.is_empty()
    }

    /// Bytes of an expression at most.
    pub const EXPRESSION_BYTES: usize = 2_048;

    /// Bytes that a compiled expression may take.
    pub const COMPILED_BYTES: usize = 1 << 20;

    /// Bytes of a value at most: what is longer is not found. With it the time for a
    /// text is linear, whatever the expression.
    pub const VALUE_BYTES: usize = 256;

    /// Words beside a value at most.
    pub const BESIDE: usize = 64;

    /// Compiles a rule.
    ///
    /// # Errors
    /// [`VocabularyError`]: what is wrong with the expression or its words.
    pub fn new(rule: PatternRule) -> Result<Pattern, VocabularyError> {
        let wrong = |text: String| Err(VocabularyError(text));
        if rule.pattern.is_empty() || rule.pattern.len() > Pattern::EXPRESSION_BYTES {
            let most = Pattern::EXPRESSION_BYTES;
            return wrong(format!("an expression has 1 to {most} bytes"));
        }
        if rule.beside.len() > Pattern::BESIDE {
            return wrong(format!("there are more than {} words", Pattern::BESIDE));
        }
        let phrase = |word: &str| {
            let letters = |part: &str| !part.is_empty() && part.chars().all(char::is_alphanumeric);
            word.split(' ').all(letters)
        };
        if !rule.beside.iter().all(|word| phrase(word)) {
            return wrong("a word has letters and digits, and one blank between two".to_owned());
        }
        let config = Config::new()
            .nfa_size_limit(Some(Pattern::COMPILED_BYTES))
            .onepass_size_limit(Some(Pattern::COMPILED_BYTES));
        let mut builder = Regex::builder();
        builder.configure(config).syntax(syntax::Config::new());
        let regex = match builder.build(&rule.pattern) {
            Ok(regex) => regex,
            Err(error) => return wrong(cause(&error)),
        };
        if regex.is_match("") {
            return wrong("the expression matches nothing at all: an empty text".to_owned());
        }
        let beside = rule.beside.iter().map(|word| word.to_lowercase()).collect();
        Ok(Pattern { rule: PatternRule { beside, ..rule }, regex })
    }

    /// The name of its findings.
    pub fn entity(&self) -> &str {
        &self.rule.entity
    }

    /// Whether there is a value in this text.
    pub fn finds(&self, text: &str) -> bool {
        let mut spans = Vec::new();
        self.find(&Scan::new(text, &Marks::default()), &mut spans);
        !spans.is_empty()
    }

    /// Finds every value in a text.
    pub(super) fn find<'v>(&'v self, scan: &Scan<'_>, out: &mut Vec<Span<'v>>) {
        let mut from = 0;
        // Windows overlap by what a value may have, so that none is cut.
        loop {
            let until = scan.text.ceil_char_boundary(from + WINDOW);
            let last = until >= scan.text.len();
            let next = match last {
                true => scan.text.len(),
                false => scan.text.floor_char_boundary(until - Pattern::VALUE_BYTES),
            };
            self.within(scan, from, next, until.min(scan.text.len()), out);
            if last {
                return;
            }
            from = next;
        }
    }

    /// Finds values that begin before `next` and end before `until`.
    fn within<'v>(
        &'v self,
        scan: &Scan<'_>,
        from: usize,
        next: usize,
        until: usize,
        out: &mut Vec<Span<'v>>,
    ) {
        let mut at = from;
        while at < next {
            let input = Input::new(scan.text).span(Range { start: at, end: until });
            let Some(found) = self.regex.search(&input) else { return };
            if found.start() >= next {
                return;
            }
            let (start, end) = (found.start(), found.end());
            match self.score(scan, start, end) {
                Some(score) => {
                    out.push(Span { start, end, entity: &self.rule.entity, score });
                    at = end;
                }
                // Another value may begin inside what is none.
                None => at = scan.text.ceil_char_boundary(start + 1),
            }
        }
    }

    fn score(&self, scan: &Scan<'_>, start: usize, end: usize) -> Option<f32> {
        if end == start || end - start > Pattern::VALUE_BYTES {
            return None;
        }
        let cuts_before = is_word(scan.bytes[start]) && !scan.begins(start);
        let cuts_after = is_word(scan.bytes[end - 1]) && !scan.ends(end);
        if !self.rule.inside_words && (cuts_before || cuts_after) {
            return None;
        }
        if self.rule.check.is_some_and(|check| !check.holds(&scan.text[start..end])) {
            return None;
        }
        if self.rule.beside.is_empty() {
            return Some(self.rule.score);
        }
        let words: Vec<&str> = self.rule.beside.iter().map(String::as_str).collect();
        match Around::default().says(scan.text, start, end, &words) {
            true => Some(self.rule.score),
            false => self.rule.score_alone,
        }
    }
}

impl Check {
    /// What each is called.
    pub const NAMES: [(&'static str, Check); 4] = [
        ("luhn", Check::Luhn),
        ("verhoeff", Check::Verhoeff),
        ("mod-11-10", Check::Mod11),
        ("mod-97-10", Check::Mod97),
    ];

    /// Whether a value satisfies it. Separators do not count; letters only for MOD 97-10.
    fn holds(self, value: &str) -> bool {
        let letters = self == Check::Mod97;
        let counts = |byte: &u8| byte.is_ascii_digit() || letters && byte.is_ascii_alphabetic();
        let digits: Vec<u8> =
            value.bytes().filter(counts).map(|byte| byte.to_ascii_uppercase()).collect();
        if digits.len() < 2 {
            return false;
        }
        match self {
            Check::Luhn => check::luhn(&digits),
            Check::Verhoeff => check::verhoeff(&digits),
            Check::Mod11 => check::mod11_10(&digits),
            Check::Mod97 => check::mod97(&digits) == 1,
        }
    }
}

/// What is looked at together.
const WINDOW: usize = 4 * Pattern::VALUE_BYTES;

/// What is wrong with an expression, in one line.
fn cause(error: &regex_automata::meta::BuildError) -> String {
    if let Some(most) = error.size_limit() {
        return format!("the expression takes more than {most} bytes when it is compiled");
    }
    match error.syntax_error() {
        Some(error) => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!("no expression: {}", last.trim_start_matches("error: "))
        }
        None => "no expression".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(pattern: &str) -> PatternRule {
        PatternRule {
            entity: "BADGE".to_owned(),
            pattern: pattern.to_owned(),
            check: None,
            beside: Vec::new(),
            score: 0.9,
            score_alone: None,
            inside_words: false,
        }
    }

    fn found(rule: PatternRule, text: &str) -> Vec<(&str, f32)> {
        let pattern = Pattern::new(rule).expect("a pattern");
        let mut spans = Vec::new();
        pattern.find(&Scan::new(text, &Marks::default()), &mut spans);
        spans.iter().map(|span| (&text[span.start..span.end], span.score)).collect()
    }

    #[test]
    fn values_are_whole_words() {
        let badge = || rule("B-[0-9]{3}");
        assert_eq!(
            found(badge(), "B-123, xB-124 B-1255 (B-126)"),
            [("B-123", 0.9), ("B-126", 0.9)]
        );
        let inside = PatternRule { inside_words: true, ..badge() };
        assert_eq!(found(inside, "xB-1245"), [("B-124", 0.9)]);
        assert_eq!(found(rule("#[0-9]+#"), "a#12#b"), [("#12#", 0.9)]);
    }

    #[test]
    fn a_check_and_words_make_it_more() {
        let luhn = PatternRule { check: Some(Check::Luhn), ..rule("[0-9-]{11,12}") };
        assert_eq!(found(luhn, "79927398713, 7992739-8713, 79927398714").len(), 2);
        let beside = PatternRule {
            beside: vec!["Badge".into(), "staff number".into()],
            score_alone: Some(0.3),
            ..rule("[0-9]{5}")
        };
        assert_eq!(found(beside.clone(), "badge 12345"), [("12345", 0.9)]);
        assert_eq!(found(beside.clone(), "staffNumber=12345"), [("12345", 0.9)]);
        assert_eq!(found(beside.clone(), "badges 12345"), [("12345", 0.3)]);
        let never = PatternRule { score_alone: None, ..beside };
        assert_eq!(found(never, "badges 12345"), []);
        let mod97 = PatternRule { check: Some(Check::Mod97), ..rule("[0-9A-Z]{6,30}") };
        assert_eq!(found(mod97, "794043 794044"), [("794043", 0.9)]);
    }

    #[test]
    fn values_are_found_wherever_the_windows_end() {
        for before in WINDOW - 40..WINDOW + 10 {
            let text = format!("{}é B-123 {}", "x".repeat(before), "é".repeat(WINDOW));
            assert_eq!(found(rule("B-[0-9]{3}"), &text), [("B-123", 0.9)], "{before}");
        }
    }

    #[test]
    fn what_is_longer_than_a_value_is_not_found() {
        let text = |length: usize| format!("<{}>", "a".repeat(length - 2));
        let long = text(Pattern::VALUE_BYTES);
        assert_eq!(found(rule("<a+>"), &long).len(), 1);
        assert_eq!(found(rule("<a+>"), &text(Pattern::VALUE_BYTES + 1)), []);
    }

    #[test]
    fn expressions_are_bounded_and_errors_say_what() {
        for (pattern, says) in [
            ("", "1 to 2048 bytes"),
            ("(", "unclosed group"),
            ("(?=a)", "look-around"),
            ("a*", "an empty text"),
            (r"\pL{800}", "when it is compiled"),
        ] {
            let error = Pattern::new(rule(pattern)).expect_err(pattern).to_string();
            assert!(error.contains(says) && !error.contains('\n'), "{error}");
        }
        let wordy = PatternRule { beside: vec!["a-b".into()], ..rule("a") };
        assert!(Pattern::new(wordy).is_err());
        let many = PatternRule { beside: vec!["a".into(); Pattern::BESIDE + 1], ..rule("a") };
        assert!(Pattern::new(many).is_err());
    }
}
