//! A request for a target of this dialect, from a client of the same.

use std::collections::BTreeSet;

use ringfence_chat::Request;
use serde_json::{Map, Value};

use super::parameters::is_ignorable;
use crate::Translated;
use crate::asked::header_name;
use crate::fault::Unsupported;
use crate::object_writer::ObjectWriter;

/// The client's own JSON with the target's name of the model, so that every other
/// field arrives as it was written.
///
/// A stream always asks for usage, for the house's own books; the encoder keeps it
/// from clients that did not ask. Optional parameters that `honours` leaves out are
/// removed at the top level, which is where every one of them stands.
pub(crate) fn pass_on(
    request: &Request,
    model: &str,
    honours: Option<&[String]>,
) -> Result<Translated, Unsupported> {
    let Value::Object(map) = request.body() else { return Err(Unsupported::new("body")) };
    let mut dropped = BTreeSet::new();
    let mut body = Vec::with_capacity(1024);
    let mut members = ObjectWriter::begin(&mut body);
    members.add("model", &Value::from(model));
    for (name, value) in map {
        match name.as_str() {
            "model" | "stream_options" => {}
            "stream" => members.add(name, &Value::from(request.streamed)),
            other => {
                let honoured = honours.is_none_or(|names| names.iter().any(|one| one == other));
                if honoured || !is_ignorable(other) {
                    members.add(name, value);
                } else {
                    dropped.insert(header_name(other));
                }
            }
        }
    }
    if request.streamed {
        members.add("stream_options", &stream_options(map.get("stream_options")));
    }
    members.end();
    Ok(Translated { body, dropped: dropped.into_iter().collect() })
}

fn stream_options(asked: Option<&Value>) -> Value {
    let mut options = asked.and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
    options.insert("include_usage".to_owned(), Value::Bool(true));
    Value::Object(options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai_chat::decode_request;

    fn encode(body: &str, honours: &[&str]) -> (Value, Vec<String>) {
        let request = decode_request("r".into(), body.as_bytes()).expect("well formed");
        let honours: Vec<String> = honours.iter().map(|&name| name.to_owned()).collect();
        let sent = pass_on(&request, "theirs", Some(&honours)).expect("the same dialect");
        (serde_json::from_slice(&sent.body).expect("JSON"), sent.dropped)
    }

    #[test]
    fn what_a_target_does_not_honour_is_left_out_and_named() {
        let body = r#"{"model":"m","messages":[{"role":"user","content":"a"}],"seed":1,"top_k":2,"a b":3,"temperature":0,"tools":[],"user":"u"}"#;
        let (sent, dropped) = encode(body, &["top_k"]);
        assert_eq!(dropped, ["seed", "unknown", "user"]);
        let names: Vec<&str> =
            sent.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(names, ["model", "messages", "top_k", "temperature", "tools"]);
    }

    #[test]
    fn usage_is_asked_for_in_streams_only() {
        let body = |stream: bool| {
            format!(
                r#"{{"model":"m","messages":[{{"role":"user","content":"a"}}],"stream":{stream},"stream_options":{{"include_obfuscation":false,"include_usage":false}}}}"#
            )
        };
        let (sent, _) = encode(&body(true), &[]);
        assert_eq!(
            sent["stream_options"],
            serde_json::json!({ "include_obfuscation": false, "include_usage": true })
        );
        let (sent, _) = encode(&body(false), &[]);
        assert!(sent.get("stream_options").is_none());
    }
}
