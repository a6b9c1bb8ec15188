//! A target's answer, read.

use std::fmt;

use ringfence_chat::{Chunk, Dialect, Event, Original, Usage, Vector};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::openai_chat::known_code;

/// An answer. Vectors have millions of numbers, so they are read as numbers and not as
/// JSON, which takes nine times the memory.
#[derive(serde::Deserialize)]
struct Answer {
    data: Option<Vec<Datum>>,
    model: Option<String>,
    usage: Option<Told>,
    /// Everything else.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(serde::Deserialize)]
struct Datum {
    index: Option<u32>,
    embedding: Written,
}

/// A vector as it was written. Read without a copy of it in between.
enum Written {
    Numbers(Vec<f64>),
    Packed(String),
}

/// Numbers of one vector at most. The longest in use have some thousands.
pub(crate) const DIMENSIONS: usize = 1 << 16;

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Written, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a vector")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
                Ok(Written::Packed(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Written, A::Error> {
                let mut numbers = Vec::new();
                while let Some(number) = items.next_element()? {
                    if numbers.len() == DIMENSIONS {
                        return Err(A::Error::custom("too many numbers"));
                    }
                    numbers.push(number);
                }
                Ok(Written::Numbers(numbers))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

#[derive(serde::Deserialize)]
struct Told {
    prompt_tokens: Option<u64>,
}

/// Reads the answer to so many inputs: one vector for each, in any order.
pub(crate) fn read_whole(bytes: &[u8], inputs: u32) -> Result<Chunk, Fault> {
    let answer: Answer = serde_json::from_slice(bytes)
        .map_err(|error| if error.is_eof() { Fault::Truncated } else { Fault::Malformed })?;
    let Answer { data, model, usage, rest } = answer;
    let rest = Value::Object(rest);
    let Some(data) = data else {
        let reports = rest.get("error").is_some_and(|error| !error.is_null());
        let fault = if reports { Fault::Reported(known_code(&rest)) } else { Fault::Malformed };
        return Err(fault);
    };
    let expected = inputs as usize;
    let mut events = vec![Event::Start { id: None, model }];
    let mut heard = vec![false; expected];
    for (position, Datum { index, embedding }) in data.into_iter().enumerate() {
        let index = index.unwrap_or_else(|| u32::try_from(position).unwrap_or(u32::MAX));
        // A vector in another's place would be wrong and look right.
        match heard.get_mut(index as usize) {
            Some(heard) if !*heard => *heard = true,
            _ => return Err(Fault::Malformed),
        }
        let vector = match embedding {
            Written::Numbers(numbers) => Vector::Numbers(numbers),
            Written::Packed(text) if is_base64(&text) => Vector::Packed(text),
            Written::Packed(_) => return Err(Fault::Malformed),
        };
        events.push(Event::Vector { index, vector });
    }
    if heard.contains(&false) {
        return Err(Fault::Malformed);
    }
    if let Some(input) = usage.and_then(|told| told.prompt_tokens) {
        let input = u32::try_from(input).unwrap_or(u32::MAX);
        events.push(Event::Usage(Usage { input, ..Usage::default() }));
    }
    let dialect = Dialect::OpenAiEmbeddings;
    let original = Original { dialect, event: None, body: rest, whole: true };
    Ok(Chunk { events, original: Some(original) })
}

/// 32-bit floats in base64 are that and nothing else: no policy reads them.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    text.len() - digits.len() <= 2
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str, inputs: u32) -> Result<Vec<Event>, Fault> {
        read_whole(body.as_bytes(), inputs).map(|chunk| chunk.events)
    }

    #[test]
    fn each_input_has_its_vector() {
        let two = r#"{"object":"list","model":"m","data":[{"index":1,"embedding":"AACAPw=="},{"index":0,"embedding":[0.25,-1]}],"usage":{"prompt_tokens":7,"total_tokens":7}}"#;
        let events = read(two, 2).expect("an answer");
        let expected = vec![
            Event::Start { id: None, model: Some("m".into()) },
            Event::Vector { index: 1, vector: Vector::Packed("AACAPw==".into()) },
            Event::Vector { index: 0, vector: Vector::Numbers(vec![0.25, -1.0]) },
            Event::Usage(Usage { input: 7, ..Usage::default() }),
        ];
        assert_eq!(events, expected);
    }

    #[test]
    fn a_vector_has_a_bound() {
        let of = |numbers: usize| {
            let body = serde_json::json!({ "data": [{ "embedding": vec![0.5; numbers] }] });
            read(&body.to_string(), 1).err()
        };
        assert_eq!(of(DIMENSIONS), None);
        assert_eq!(of(DIMENSIONS + 1), Some(Fault::Malformed));
    }

    #[test]
    fn what_is_no_answer_is_a_fault() {
        use Fault::*;
        let one = |embedding: &str| format!(r#"{{"data":[{{"embedding":{embedding}}}]}}"#);
        for (body, inputs, fault) in [
            (one("[1]"), 2, Malformed),
            (one("[1]"), 0, Malformed),
            (one(r#""canary text""#), 1, Malformed),
            (one(r#""AAA====""#), 1, Malformed),
            (one(r#"["canary"]"#), 1, Malformed),
            (one("{}"), 1, Malformed),
            (
                r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#.into(),
                2,
                Malformed,
            ),
            (r#"{"data":[{"index":4000000000,"embedding":[1]}]}"#.into(), 1, Malformed),
            (r#"{"object":"list"}"#.into(), 1, Malformed),
            ("[]".into(), 1, Malformed),
            (r#"{"data":[{"embed"#.into(), 1, Truncated),
            (String::new(), 1, Truncated),
            (
                r#"{"error":{"code":"model_not_found"}}"#.into(),
                1,
                Reported(Some("model_not_found")),
            ),
            (r#"{"error":{"message":"canary"}}"#.into(), 1, Reported(None)),
        ] {
            assert_eq!(read(&body, inputs).err(), Some(fault), "{body}");
        }
    }
}
