//! A request for a target, from a client of the same dialect: there is no other.

use std::collections::BTreeSet;

use ringfence_chat::Request;
use serde_json::Value;

use super::request::is_ignorable;
use crate::Translated;
use crate::asked::header_name;
use crate::fault::Unsupported;
use crate::object_writer::ObjectWriter;

/// The client's own JSON with the target's name of the model. Optional parameters that
/// `honours` leaves out are removed.
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
        let honoured = honours.is_none_or(|names| names.iter().any(|one| one == name));
        match name.as_str() {
            "model" => {}
            other if honoured || !is_ignorable(other) => members.add(name, value),
            other => drop(dropped.insert(header_name(other))),
        }
    }
    members.end();
    Ok(Translated { body, dropped: dropped.into_iter().collect() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::openai_embeddings::decode_request;

    #[test]
    fn what_a_target_does_not_honour_is_left_out_and_named() {
        let body = r#"{"input":["a"],"model":"m","dimensions":4,"user":"u","priority":1}"#;
        let request = decode_request("r".into(), body.as_bytes()).expect("well formed");
        let sent = |honours: Option<&[String]>| {
            let sent = pass_on(&request, "theirs", honours).expect("the same dialect");
            let body: Value = serde_json::from_slice(&sent.body).expect("JSON");
            (body, sent.dropped)
        };
        let all =
            json!({"model": "theirs", "input": ["a"], "dimensions": 4, "user": "u", "priority": 1});
        assert_eq!(sent(None), (all, Vec::new()));
        let (body, dropped) = sent(Some(&["priority".to_owned()]));
        assert_eq!(
            body,
            json!({"model": "theirs", "input": ["a"], "dimensions": 4, "priority": 1})
        );
        assert_eq!(dropped, ["user"]);
    }
}
