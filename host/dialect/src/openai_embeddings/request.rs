//! A client's request, read.

use ringfence_chat::{Capability, Dialect, Kind, Part, Request, Role, Turn, VectorForm};
use serde_json::Value;

use crate::asked::Asked;
use crate::body::{missing, parse};
use crate::estimate::estimate;
use crate::fault::Malformed;
use crate::members::{count, flag};
use crate::vocabulary::is_word;
use crate::walk::Walk;

/// Parameters that say what is asked: none of them is ever left out.
const DEFINING: &[&str] = &["dimensions", "encoding_format", "input", "model"];

/// How a vector may be written.
const FORMATS: &[&str] = &[PACKED, "float"];

/// The one of them that is no list of numbers.
const PACKED: &str = "base64";

/// Whether a target may leave out the parameter `name`.
pub(super) fn is_ignorable(name: &str) -> bool {
    !DEFINING.contains(&name)
}

/// Reads a request. Each input is a turn of the user's.
pub(crate) fn decode_request(id: String, bytes: &[u8]) -> Result<Request, Malformed> {
    let body = parse(bytes)?;
    let Value::Object(map) = &body else {
        return Err(Malformed::new("the body must be a JSON object"));
    };
    let count_of = |input: &Value| input.as_array().map_or(1, Vec::len);
    let inputs = map.get("input").map_or(0, count_of);
    let mut walk = Walk::new(u32::try_from(inputs).unwrap_or(u32::MAX));
    let mut asked = Asked::default();
    asked.need(Capability::Embeddings);
    let (mut model, mut turns) = (None, Vec::new());
    let mut vectors = VectorForm::default();
    for (name, value) in map {
        walk.at(name, |walk| match (name.as_str(), value) {
            ("model", Value::String(text)) if !text.is_empty() => {
                model = Some(text.clone());
                Ok(())
            }
            ("model", Value::String(_)) => Err(walk.wrong("the model's name must not be empty")),
            ("model", _) => Err(walk.wrong("the model's name must be a string")),
            ("input", value) => {
                turns = texts(walk, value)?;
                Ok(())
            }
            ("dimensions" | "encoding_format" | "stream" | "user", Value::Null) => Ok(()),
            ("dimensions", value) => {
                vectors.dimensions = Some(count(walk, value, 1, u32::MAX)?);
                Ok(())
            }
            ("encoding_format", Value::String(word)) if is_word(FORMATS, word) => {
                vectors.packed = word == PACKED;
                Ok(())
            }
            ("encoding_format", _) => Err(walk.wrong("must be float or base64")),
            ("stream", value) if flag(walk, value)? => Err(walk.wrong("vectors are not streamed")),
            ("stream", _) => {
                asked.may_ignore(name);
                Ok(())
            }
            ("user", value) => {
                asked.may_ignore(name);
                walk.rest(value, Kind::Metadata)
            }
            (other, value) => {
                asked.may_ignore(other);
                walk.named(other, value, Kind::Metadata)
            }
        })?;
    }
    let Some(model) = model else {
        return Err(missing("model", "the name of a model is required"));
    };
    if turns.is_empty() {
        return Err(missing("input", "at least one text is required"));
    }
    let input_tokens = estimate(&walk, 0);
    let mut request = Request::new(id, Dialect::OpenAiEmbeddings, body, walk.into_segments());
    request.model = model;
    request.turns = turns;
    request.vectors = vectors;
    asked.into_request(&mut request);
    request.input_tokens = input_tokens;
    Ok(request)
}

/// One text, or a list of them.
fn texts(walk: &mut Walk, value: &Value) -> Result<Vec<Turn>, Malformed> {
    let outside = (walk.turn, walk.role);
    walk.role = Role::User;
    let turns = match value {
        Value::String(text) => {
            walk.turn = 0;
            vec![turn(walk, text)?]
        }
        Value::Array(items) => {
            let mut turns = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                walk.turn = u32::try_from(index).unwrap_or(u32::MAX);
                turns.push(walk.item(index, |walk| match item {
                    Value::String(text) => turn(walk, text),
                    Value::Number(_) | Value::Array(_) => Err(walk.wrong(
                        "must be text: no detector reads tokens, so that they are not passed on",
                    )),
                    _ => Err(walk.wrong("must be a string")),
                })?);
            }
            turns
        }
        _ => return Err(walk.wrong("must be a string or a list of strings")),
    };
    (walk.turn, walk.role) = outside;
    Ok(turns)
}

fn turn(walk: &mut Walk, text: &str) -> Result<Turn, Malformed> {
    let id = walk.text(text, Kind::Text)?;
    Ok(Turn { role: Role::User, name: None, parts: vec![Part::Text(id)] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Request, Malformed> {
        decode_request("r".into(), body.as_bytes())
    }

    #[test]
    fn every_input_is_a_turn_and_every_string_a_segment() {
        let request = read(
            r#"{"model":"m","input":["a@b.c","two"],"dimensions":8,"encoding_format":"base64","user":"ann","own":{"key":"x"}}"#,
        );
        let request = request.expect("well formed");
        assert_eq!((request.turns.len(), request.model.as_str()), (2, "m"));
        let texts: Vec<(u32, &str)> =
            request.segments().iter().map(|one| (one.turn, one.text.as_str())).collect();
        assert_eq!(texts, [(0, "a@b.c"), (1, "two"), (2, "ann"), (2, "own"), (2, "key"), (2, "x")]);
        assert_eq!(request.needs, [Capability::Embeddings]);
        assert_eq!(request.vectors, VectorForm { dimensions: Some(8), packed: true });
        assert_eq!(request.optional, ["own", "user"]);
        let one = read(r#"{"model":"m","input":"a","user":null,"dimensions":null,"stream":false}"#);
        let one = one.expect("well formed");
        assert_eq!((one.turns.len(), one.vectors), (1, VectorForm::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, param) in [
            (r#"{"input":"a"}"#, "model"),
            (r#"{"model":"","input":"a"}"#, "model"),
            (r#"{"model":3,"input":"a"}"#, "model"),
            (r#"{"model":"m"}"#, "input"),
            (r#"{"model":"m","input":[]}"#, "input"),
            (r#"{"model":"m","input":null}"#, "input"),
            (r#"{"model":"m","input":{}}"#, "input"),
            (r#"{"model":"m","input":[1,2,3]}"#, "input[0]"),
            (r#"{"model":"m","input":["a",[1,2,3]]}"#, "input[1]"),
            (r#"{"model":"m","input":[null]}"#, "input[0]"),
            (r#"{"model":"m","input":"a","dimensions":0}"#, "dimensions"),
            (r#"{"model":"m","input":"a","dimensions":"8"}"#, "dimensions"),
            (r#"{"model":"m","input":"a","encoding_format":"hex"}"#, "encoding_format"),
            (r#"{"model":"m","input":"a","encoding_format":7}"#, "encoding_format"),
            (r#"{"model":"m","input":"a","stream":true}"#, "stream"),
        ] {
            let error = read(body).expect_err(body);
            assert_eq!(error.param.as_deref(), Some(param), "{body}: {}", error.message);
        }
        assert!(read("[]").is_err());
    }
}
