use std::ops::ControlFlow;

use super::*;
use crate::fixtures::{self, Expected};

/// What came of one answer.
#[derive(Debug, PartialEq)]
struct Got {
    text: String,
    pieces: Vec<String>,
    ending: Result<Ending, Halt>,
}

struct Bench {
    model: Model,
    writer: Writer,
    prompt: Vec<u32>,
    expected: Expected,
}

impl Bench {
    fn new(name: &str) -> Bench {
        let mut model = fixtures::model(name);
        // The reference was asked for greedy tokens, whatever the habits.
        model.habits = Default::default();
        let writer = fixtures::writer(&model);
        let expected = Expected::read(name);
        Bench { model, writer, prompt: expected.ids("prompt_ids"), expected }
    }

    fn answer(&mut self, wish: &Wish) -> Got {
        self.answer_until(wish, usize::MAX)
    }

    /// Cancels at the `cancel`th word of progress.
    fn answer_until(&mut self, wish: &Wish, cancel: usize) -> Got {
        let (mut pieces, mut words) = (Vec::new(), 0);
        let ending = self.writer.answer(&self.model, &self.prompt, wish, &mut |progress| {
            words += 1;
            if words > cancel {
                return ControlFlow::Break(());
            }
            if let Progress::Text(text) = progress {
                assert!(!text.is_empty());
                pieces.push(text.to_owned());
            }
            ControlFlow::Continue(())
        });
        Got { text: pieces.concat(), pieces, ending }
    }
}

fn at_most(tokens: u32) -> Wish {
    Wish { max_tokens: Some(tokens), ..Wish::default() }
}

fn ended(reason: FinishReason, output: u32) -> Result<Ending, Halt> {
    Ok(Ending { reason, usage: Usage { input: 24, cached: 0, output, reasoning: 0 } })
}

#[test]
fn greedy_text_equals_the_reference() {
    for name in fixtures::ALL {
        let mut bench = Bench::new(name);
        let got = bench.answer(&at_most(16));
        let whole = bench.expected.text("greedy_text");
        // A half character at the cut end is left out. Bytes that are no character cannot
        // be taken back once they are sent; the reference takes back whole runs of them.
        let whole: Vec<char> = whole.trim_end_matches('\u{FFFD}').chars().collect();
        let text: Vec<char> = got.text.chars().collect();
        assert_eq!(text.len(), whole.len(), "{name}: {:?}", got.text);
        let differ = |(l, r): &(&char, &char)| l != r && **r != '\u{FFFD}';
        assert_eq!(text.iter().zip(&whole).find(differ), None, "{name}: {:?}", got.text);
        assert_eq!(got.ending, ended(FinishReason::Length, 16), "{name}");
        assert_eq!(bench.answer(&at_most(16)), got, "{name}: the second time");
    }
}

#[test]
fn stops_at_every_stop_text() {
    let mut bench = Bench::new("llama");
    let whole = bench.answer(&at_most(16)).text;
    let starts: Vec<usize> = whole.char_indices().map(|(start, _)| start).collect();
    for &start in &starts {
        for length in [1, 3, 9] {
            let stop: String = whole[start..].chars().take(length).collect();
            let wish = Wish { stops: vec!["never".into(), stop.clone()], ..at_most(16) };
            let got = bench.answer(&wish);
            let first = whole.find(&stop).expect("it is there");
            assert_eq!(got.text, whole[..first], "{stop:?}");
            let ending = got.ending.expect("it ends");
            assert_eq!(ending.reason, FinishReason::Stop);
            assert!(ending.usage.output <= 16 && ending.usage.output > 0);
        }
    }
}

#[test]
fn an_end_token_ends_and_is_not_counted() {
    let mut bench = Bench::new("llama");
    let ids = bench.expected.ids("greedy_ids");
    let place = (1..16).find(|&place| !ids[..place].contains(&ids[place])).expect("a new one");
    bench.model.ends.insert(ids[place]);
    let got = bench.answer(&at_most(16));
    assert_eq!(got.ending, ended(FinishReason::Stop, place as u32));
    let before = bench.model.tokenizer.decode(&ids[..place]).expect("it decodes");
    assert_eq!(got.text, before.trim_end_matches('\u{FFFD}'));
}

#[test]
fn limits_are_kept() {
    let mut bench = Bench::new("llama");
    for (tokens, expected) in [(0, 1), (1, 1), (5, 5)] {
        assert_eq!(bench.answer(&at_most(tokens)).ending, ended(FinishReason::Length, expected));
    }
    bench.model.most = 3;
    assert_eq!(bench.answer(&Wish::default()).ending, ended(FinishReason::Length, 3));
    bench.model.context = 26;
    assert_eq!(bench.answer(&Wish::default()).ending, ended(FinishReason::Length, 2));
    bench.model.context = 24;
    assert_eq!(bench.answer(&Wish::default()).ending, Err(Halt::TooLong { prompt: 24 }));
    bench.prompt.clear();
    assert_eq!(bench.answer(&Wish::default()).ending, Err(Halt::TooLong { prompt: 0 }));
}

#[test]
fn the_whole_context_can_be_written() {
    let mut bench = Bench::new("biased");
    bench.model.ends.clear();
    let got = bench.answer(&Wish::default());
    let room = bench.model.context - 24;
    assert_eq!(got.ending, ended(FinishReason::Length, room));
    assert!(got.pieces.len() > 100, "it comes as it is written");
}

#[test]
fn seeds_repeat_and_differ() {
    let mut bench = Bench::new("llama3-rope");
    let wish = |seed| Wish { temperature: Some(1.2), seed, ..at_most(24) };
    let first = bench.answer(&wish(Some(1)));
    assert_eq!(bench.answer(&wish(Some(1))), first);
    assert_ne!(bench.answer(&wish(Some(2))), first);
    let free: Vec<Got> = (0..4).map(|_| bench.answer(&wish(None))).collect();
    assert!(free.iter().any(|got| got.text != free[0].text), "no seed is a new one each time");
}

#[test]
fn can_be_cancelled_at_every_word_of_progress() {
    let mut bench = Bench::new("llama");
    bench.prompt = bench.prompt.repeat(6);
    let whole = bench.answer(&at_most(4));
    let pieces = bench.prompt.len().div_ceil(Writer::PIECE);
    assert_eq!(pieces, 2);
    // One per piece of the prompt, one for the beginning, the texts, one per further token.
    let words = pieces + 1 + whole.pieces.len() + 3;
    for cancel in 0..words {
        let got = bench.answer_until(&at_most(4), cancel);
        assert_eq!(got.ending, Err(Halt::Cancelled), "at word {cancel} of {words}");
        assert!(whole.text.starts_with(&got.text));
    }
    assert_eq!(bench.answer_until(&at_most(4), words), whole, "and then a whole one as before");
}

#[test]
fn a_large_cache_is_given_back() {
    let mut bench = Bench::new("biased");
    bench.writer.clear(&bench.model, Writer::KEPT_ROOM + 1);
    assert!(bench.writer.cache.room() > Writer::KEPT_ROOM);
    bench.writer.clear(&bench.model, 100);
    assert_eq!(bench.writer.cache.room(), 2 * Cache::STEP);
    bench.writer.clear(&bench.model, 10);
    assert_eq!(bench.writer.cache.room(), 2 * Cache::STEP, "a small one is kept");
}

/// What adapters compute in, on the CPU: the types of every step fit together, and the
/// best token is the same wherever it leads by more than the rounding.
#[test]
fn half_precision_agrees_on_the_best_tokens() {
    for name in fixtures::ALL {
        let bench = Bench::new(name);
        let opened = Opened { device: Device::flex(), dtype: DType::F16 };
        let mut weights = bench.model.weights(opened.dtype).expect("they fit f16");
        let mut writer = Writer::load(&bench.model, &mut weights, &opened).expect("it loads");
        let then = bench.expected.ids("greedy_ids");
        let rows = writer.replay(&bench.model, &bench.prompt, &then).expect("numbers");
        let steps = bench.expected.list("greedy_steps");
        for ((row, step), best) in rows.iter().zip(steps).zip(&then) {
            let top: Vec<f32> = serde_json::from_value(step["top_logits"].clone()).expect("logits");
            let got = row[*best as usize];
            assert!((got - top[0]).abs() < 0.1, "{name}: {got} for {}", top[0]);
            if top[0] - top[1] > 0.2 {
                let winner = (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b]));
                assert_eq!(winner, Some(*best as usize), "{name}");
            }
        }
    }
}
