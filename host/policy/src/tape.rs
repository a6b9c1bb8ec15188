//! What a policy asked the host and what it was told: noted while it runs, or given back
//! without the world.
//!
//! A further call to the host is one case of [`Asked`], one arm of [`Asked::takes`], and its
//! answer given through [`Cell::ask`], or through its two halves where the world takes its time.

use std::collections::VecDeque;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cell::{Cell, Overrun};
use crate::model::{Label, ModelFault};

/// Notes calls, or answers them.
pub(crate) enum Tape {
    /// Every call so far, in order.
    Recording(Vec<Call>),
    /// Calls that are still to come, and where the policy left them.
    Replaying(Replay),
}

/// One call and its answer.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    pub(crate) asked: Asked,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    answer: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<Failed>,
}

fn is<T: DeserializeOwned>(value: &Value) -> bool {
    T::deserialize(value).is_ok()
}

/// What a policy asked.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum Asked {
    /// A line for the log, escaped and capped as the log has it.
    #[serde(rename = "log.write")]
    LogWrite { level: String, message: String },
    /// A counter.
    #[serde(rename = "state.get")]
    StateGet { key: String },
    /// More in a counter.
    #[serde(rename = "state.add")]
    StateAdd { key: String, by: f64, ttl_seconds: u32 },
    /// The labels of a text.
    #[serde(rename = "model.classify")]
    ModelClassify { classifier: String, text: String },
    /// A text as a vector.
    #[serde(rename = "model.embed")]
    ModelEmbed { text: String },
}

/// How the world failed a call.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Failed {
    /// No room for another counter.
    Memory,
    /// A value that is no number any more.
    Misuse,
}

/// Where a policy left its recording. Quotes what it asked, which may be texts of the
/// request.
#[derive(Clone, PartialEq, Eq)]
pub struct Departed {
    /// Which call of the recording, from 1; one more than there are at its end.
    pub call: usize,
    /// What the recording has there, as JSON.
    pub recorded: Option<String>,
    /// What the policy asked, as JSON; absent when it asked no more.
    pub asked: Option<String>,
}

/// A recording on its way through.
pub(crate) struct Replay {
    left: VecDeque<Call>,
    /// The number of the first call of `left`.
    number: usize,
    departed: Vec<Departed>,
}

impl Cell {
    /// Answers a call to the host: from the recording where one is replayed, and from the
    /// `world` otherwise. What can be told without the world, such as arguments that make no
    /// sense, is checked before.
    ///
    /// # Errors
    /// The world's, now or when it was recorded; [`Overrun::Departed`].
    pub(crate) fn ask<A: Serialize + DeserializeOwned>(
        &mut self,
        asked: impl Fn() -> Asked,
        world: impl FnOnce(&mut Cell) -> Result<A, Overrun>,
    ) -> Result<A, Overrun> {
        if let Some(answer) = self.replayed(&asked) {
            return answer;
        }
        let answer = world(self);
        self.note(&asked, &answer);
        answer
    }

    /// The recorded answer to a call, where a recording is replayed: the first half of
    /// [`Cell::ask`], for a world that takes its time.
    pub(crate) fn replayed<A: DeserializeOwned>(
        &mut self,
        asked: impl FnOnce() -> Asked,
    ) -> Option<Result<A, Overrun>> {
        match self.tape.as_deref_mut()? {
            Tape::Replaying(replay) => Some(replay.answer(&asked())),
            Tape::Recording(_) => None,
        }
    }

    /// Notes what the world answered, where it is recorded: the second half.
    pub(crate) fn note<A: Serialize>(
        &mut self,
        asked: impl FnOnce() -> Asked,
        answer: &Result<A, Overrun>,
    ) {
        if let Some(Tape::Recording(calls)) = self.tape.as_deref_mut() {
            calls.push(Call::of(asked(), answer));
        }
    }
}

impl Call {
    fn of<A: Serialize>(asked: Asked, answer: &Result<A, Overrun>) -> Call {
        let (answer, failed) = match answer {
            Ok(answer) => (serde_json::to_value(answer).unwrap_or_default(), None),
            Err(Overrun::Memory) => (Value::Null, Some(Failed::Memory)),
            Err(_) => (Value::Null, Some(Failed::Misuse)),
        };
        Call { asked, answer, failed }
    }

    /// Whether its answer is one that such a call can have.
    pub(crate) fn fits(&self) -> bool {
        match self.failed {
            Some(_) => self.answer.is_null(),
            None => self.asked.takes(&self.answer),
        }
    }
}

impl Asked {
    fn takes(&self, answer: &Value) -> bool {
        match self {
            Asked::LogWrite { .. } => answer.is_null(),
            Asked::StateGet { .. } => answer.is_null() || answer.is_string(),
            Asked::StateAdd { .. } => answer.is_number(),
            Asked::ModelClassify { .. } => is::<Result<Vec<Label>, ModelFault>>(answer),
            Asked::ModelEmbed { .. } => is::<Result<Vec<f32>, ModelFault>>(answer),
        }
    }

    /// Whether nothing is told back: then the policy can go on without its recording.
    fn wants_nothing(&self) -> bool {
        matches!(self, Asked::LogWrite { .. })
    }

    fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Replay {
    pub(crate) fn of(calls: &[Call]) -> Replay {
        Replay { left: calls.iter().cloned().collect(), number: 1, departed: Vec::new() }
    }

    /// Where the policy left the recording, the calls included that it did not make.
    pub(crate) fn end(mut self) -> Vec<Departed> {
        while let Some(call) = self.left.front().map(|call| call.asked.clone()) {
            self.depart(Some(&call), None);
            self.pass();
        }
        self.departed
    }

    /// A line has no answer, so that one more, one less or another one is told and the rest
    /// goes on; any other call has to be the one that was recorded.
    fn answer<A: DeserializeOwned>(&mut self, asked: &Asked) -> Result<A, Overrun> {
        if asked.wants_nothing() {
            match self.left.front().map(|call| call.asked.clone()) {
                Some(next) if next == *asked => self.pass(),
                Some(next) if next.wants_nothing() => {
                    self.depart(Some(&next), Some(asked));
                    self.pass();
                }
                next => self.depart(next.as_ref(), Some(asked)),
            }
            return serde_json::from_value(Value::Null).map_err(|_| Overrun::Departed);
        }
        while let Some(line) = self.left.front().map(|call| call.asked.clone())
            && line.wants_nothing()
        {
            self.depart(Some(&line), None);
            self.pass();
        }
        match self.left.front().cloned() {
            Some(next) if next.asked == *asked => {
                self.pass();
                match next.failed {
                    Some(Failed::Memory) => Err(Overrun::Memory),
                    Some(Failed::Misuse) => Err(Overrun::Misuse),
                    None => serde_json::from_value(next.answer).map_err(|_| Overrun::Departed),
                }
            }
            next => {
                self.depart(next.as_ref().map(|call| &call.asked), Some(asked));
                Err(Overrun::Departed)
            }
        }
    }

    fn pass(&mut self) {
        self.left.pop_front();
        self.number += 1;
    }

    fn depart(&mut self, recorded: Option<&Asked>, asked: Option<&Asked>) {
        let (recorded, asked) = (recorded.map(Asked::json), asked.map(Asked::json));
        self.departed.push(Departed { call: self.number, recorded, asked });
    }
}

impl std::fmt::Display for Departed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Departed { call, recorded, asked } = self;
        match (recorded, asked) {
            (Some(recorded), Some(asked)) => {
                write!(f, "call {call} is {recorded} in the recording, and the policy asks {asked}")
            }
            (Some(recorded), None) => {
                write!(
                    f,
                    "call {call} is {recorded} in the recording, and the policy leaves it out"
                )
            }
            (None, Some(asked)) => {
                write!(f, "call {call} is not in the recording: the policy asks {asked}")
            }
            (None, None) => write!(f, "call {call}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(key: &str) -> Asked {
        Asked::StateGet { key: key.to_owned() }
    }

    fn line(message: &str) -> Asked {
        Asked::LogWrite { level: "info".to_owned(), message: message.to_owned() }
    }

    fn recorded() -> Vec<Call> {
        vec![
            Call::of(get("a"), &Ok(Some("1"))),
            Call::of(line("one"), &Ok(())),
            Call::of(get("b"), &Ok(None::<&str>)),
            Call::of(get("c"), &Err::<(), _>(Overrun::Memory)),
        ]
    }

    /// What comes of these calls: the answers, and where they depart.
    fn replayed(asked: &[Asked]) -> (Vec<Result<Option<String>, Overrun>>, Vec<String>) {
        let mut replay = Replay::of(&recorded());
        let answers = asked.iter().map(|asked| replay.answer(asked)).collect();
        (answers, replay.end().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_same_calls_have_the_same_answers() {
        let (answers, departed) = replayed(&[get("a"), line("one"), get("b"), get("c")]);
        assert!(departed.is_empty(), "{departed:?}");
        let one = Ok(Some("1".to_owned()));
        assert_eq!(answers, [one, Ok(None), Ok(None), Err(Overrun::Memory)]);
    }

    #[test]
    fn lines_may_differ_and_are_told() {
        for (asked, told) in [
            (vec![get("a"), line("two"), get("b"), get("c")], "two"),
            (vec![get("a"), get("b"), get("c")], "leaves it out"),
            (vec![line("none"), get("a"), line("one"), get("b"), get("c")], "none"),
        ] {
            let (answers, departed) = replayed(&asked);
            assert_eq!(answers.last(), Some(&Err(Overrun::Memory)), "{told}");
            assert_eq!(departed.len(), 1, "{departed:?}");
            assert!(departed[0].contains(told), "{departed:?}");
        }
    }

    #[test]
    fn other_calls_and_other_arguments_end_it() {
        let add = Asked::StateAdd { key: "a".to_owned(), by: 1.0, ttl_seconds: 60 };
        for asked in [get("other"), add] {
            let (answers, departed) = replayed(std::slice::from_ref(&asked));
            assert_eq!(answers, [Err(Overrun::Departed)]);
            assert!(departed[0].starts_with("call 1 is ") && departed[0].contains(&asked.json()));
            // What was not asked any more is told too.
            assert_eq!(departed.len(), 5, "{departed:?}");
        }
        let (answers, departed) = replayed(&[get("a"), get("b"), get("c"), get("d")]);
        assert_eq!(answers.last(), Some(&Err(Overrun::Departed)));
        assert!(departed[1].starts_with("call 5 is not in the recording"), "{departed:?}");
    }

    #[test]
    fn answers_fit_their_calls() {
        for (json, fits) in [
            (r#"{"asked":{"state.get":{"key":"k"}}}"#, true),
            (r#"{"asked":{"state.get":{"key":"k"}},"answer":"1"}"#, true),
            (r#"{"asked":{"state.get":{"key":"k"}},"answer":1}"#, false),
            (r#"{"asked":{"state.add":{"key":"k","by":1,"ttl_seconds":1}},"answer":1}"#, true),
            (r#"{"asked":{"state.add":{"key":"k","by":1,"ttl_seconds":1}}}"#, false),
            (
                r#"{"asked":{"state.add":{"key":"k","by":1,"ttl_seconds":1}},"failed":"memory"}"#,
                true,
            ),
            (r#"{"asked":{"log.write":{"level":"info","message":""}},"answer":1}"#, false),
            (r#"{"asked":{"model.embed":{"text":"t"}},"answer":{"Ok":[0.5]}}"#, true),
            (r#"{"asked":{"model.embed":{"text":"t"}},"answer":{"Err":"busy"}}"#, true),
            (r#"{"asked":{"model.embed":{"text":"t"}},"answer":[0.5]}"#, false),
        ] {
            let call: Call = serde_json::from_str(json).expect("a call");
            assert_eq!(call.fits(), fits, "{json}");
        }
    }
}
