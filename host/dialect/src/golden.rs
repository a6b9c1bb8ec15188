//! Golden files: what a request becomes for each dialect, and what a client gets for
//! what a target said. `UPDATE_GOLDEN=1` writes them anew; the difference is the review.

use std::fs;
use std::path::{Path, PathBuf};

use ringfence_chat::{Chunk, Dialect};
use serde_json::{Value, json};

use crate::{Decoder, Echo, Encoder, Envelope, ErrorBody, Fault, decode_request, encode_request};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

/// The files of a folder whose names end so and that are no expectations themselves.
fn inputs(name: &str, ending: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder(name)).expect("the golden folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        if name.ends_with(ending) && !name.contains(".expected") {
            found.push((name, fs::read(&path).expect("a file")));
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no input in {name}");
    found
}

/// Compares with the golden file, or writes it.
fn check(path: &Path, got: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, got).expect("a golden file");
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert!(expected == got, "{} differs; it should be:\n{got}", path.display());
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn envelope() -> Envelope {
    Envelope {
        id: "chatcmpl-of-the-house".into(),
        model: "the-model-that-answers".into(),
        created: 1_800_000_000,
        wants_usage: true,
        echo: Echo::default(),
    }
}

/// What the client of a stream gets for the bytes of a target in these pieces.
fn streamed(dialect: Dialect, pieces: &[&[u8]], choices: u32, wants_usage: bool) -> Streamed {
    streamed_to(Dialect::OpenAiChat, dialect, pieces, choices, wants_usage)
}

/// A stream, and whether it was complete.
type Streamed = (String, Result<(), Fault>);

/// The same for a client of any dialect.
fn streamed_to(
    client: Dialect,
    dialect: Dialect,
    pieces: &[&[u8]],
    choices: u32,
    wants_usage: bool,
) -> Streamed {
    let mut decoder = Decoder::new(dialect, true, choices);
    let mut encoder = Encoder::new(client, Envelope { wants_usage, ..envelope() });
    let mut chunks = Vec::new();
    let mut result = Ok(());
    for piece in pieces {
        result = result.and_then(|()| decoder.push(piece, &mut chunks));
    }
    result = result.and_then(|()| decoder.end(&mut chunks));
    let mut out = Vec::new();
    chunks.into_iter().for_each(|chunk| encoder.chunk(chunk, &mut out));
    match result {
        Ok(()) => encoder.end(&mut out),
        Err(fault) => encoder.error(&error(fault), &mut out),
    }
    (String::from_utf8(out).expect("UTF-8"), result)
}

fn error(fault: Fault) -> ErrorBody {
    ErrorBody { message: fault.to_string(), kind: "server_error".into(), param: None, code: None }
}

/// Whose clients are answered with what a model said.
const CLIENTS: [Dialect; 3] =
    [Dialect::OpenAiChat, Dialect::AnthropicMessages, Dialect::OpenAiResponses];

fn dialect_of(name: &str) -> Dialect {
    let found = Dialect::ALL.into_iter().find(|dialect| name.contains(dialect.name()));
    found.expect("the file's name says its dialect")
}

#[test]
fn requests() {
    for (name, bytes) in inputs("requests", ".json") {
        // A request is OpenAI's unless its name says otherwise.
        let client = Dialect::ALL.into_iter().find(|dialect| name.contains(dialect.name()));
        let client = client.unwrap_or(Dialect::OpenAiChat);
        let request = decode_request(client, "r".into(), &bytes).expect(&name);
        let stem = name.trim_end_matches(".json");
        for dialect in Dialect::TARGETS {
            let got = match encode_request(dialect, &request, "their-model", None) {
                Ok(translated) => {
                    let body: Value = serde_json::from_slice(&translated.body).expect("JSON");
                    json!({ "dropped": translated.dropped, "body": body })
                }
                Err(unsupported) => json!({ "unsupported": unsupported.param }),
            };
            let path = folder("requests").join(format!("{stem}.expected.{}.json", dialect.name()));
            check(&path, &pretty(&got));
        }
        let needs: Vec<&str> = request.needs.iter().map(|need| need.name()).collect();
        let segments: Vec<String> = (request.segments().iter())
            .map(|segment| {
                let flags = [
                    if segment.readable { "" } else { " unreadable" },
                    if segment.cached { " cached" } else { "" },
                ];
                format!(
                    "{} {:?} {:?} {:?}{}{}{} = {}",
                    segment.turn,
                    segment.role,
                    segment.kind,
                    segment.place,
                    segment.tool.as_deref().map(|tool| format!(" tool {tool}")).unwrap_or_default(),
                    (segment.media_type.as_deref())
                        .map(|media| format!(" {media}"))
                        .unwrap_or_default(),
                    flags.concat(),
                    segment.text.escape_debug(),
                )
            })
            .collect();
        let got = json!({
            "needs": needs,
            "optional": request.optional,
            "input_tokens": request.input_tokens,
            "segments": segments,
        });
        check(&folder("requests").join(format!("{stem}.expected.segments.json")), &pretty(&got));
    }
}

#[test]
fn streams() {
    for (name, bytes) in inputs("streams", ".sse") {
        let choices = if name.starts_with("two.") { 2 } else { 1 };
        let (got, result) = streamed(dialect_of(&name), &[&bytes], choices, true);
        let stem = name.trim_end_matches(".sse");
        check(&folder("streams").join(format!("{stem}.expected.sse")), &got);
        assert!(!got.contains("canary"), "{name}");
        assert_eq!(result.is_ok(), got.ends_with("data: [DONE]\n\n"), "{name}");
        let (without, _) = streamed(dialect_of(&name), &[&bytes], choices, false);
        assert!(!without.contains("usage"), "{name}: {without}");
        for (client, end) in [
            (Dialect::AnthropicMessages, "event: message_stop\n"),
            (Dialect::OpenAiResponses, "\"status\":\"failed\""),
        ] {
            let (got, result) = streamed_to(client, dialect_of(&name), &[&bytes], choices, true);
            check(&folder("streams").join(format!("{stem}.expected.{}.sse", client.name())), &got);
            assert!(!got.contains("canary"), "{name}");
            let tells = client == Dialect::AnthropicMessages;
            assert_eq!(result.is_ok(), got.contains(end) == tells, "{name}");
        }
    }
}

#[test]
fn any_split_reads_the_same() {
    for (name, bytes) in inputs("streams", ".sse") {
        let (dialect, choices) = (dialect_of(&name), if name.starts_with("two.") { 2 } else { 1 });
        for client in CLIENTS {
            let to = |pieces: &[&[u8]]| streamed_to(client, dialect, pieces, choices, true);
            let whole = to(&[&bytes]);
            for cut in 1..bytes.len() {
                let (left, right) = bytes.split_at(cut);
                assert_eq!(to(&[left, right]), whole, "{name} at {cut}");
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(to(&single), whole, "{name} byte by byte");
        }
    }
}

/// A stream that stops early is never complete.
#[test]
fn every_cut_shows() {
    for name in ["text.openai-chat.sse", "text.anthropic-messages.sse"] {
        let bytes = fs::read(folder("streams").join(name)).expect("a file");
        let complete = streamed(dialect_of(name), &[&bytes], 1, true).0;
        let finish = complete.find("\"finish_reason\":\"").expect("an end");
        for cut in 0..bytes.len() {
            let (got, result) = streamed(dialect_of(name), &[&bytes[..cut]], 1, true);
            // With the reason said, OpenAI's compatibles may just close the connection.
            assert!(result.is_err() || got.len() > finish, "{name} at {cut}");
            assert_eq!(got.contains("[DONE]"), result.is_ok(), "{name} at {cut}");
        }
    }
}

#[test]
fn answers() {
    for (name, bytes) in inputs("answers", ".json") {
        let mut decoder = Decoder::new(dialect_of(&name), false, 1);
        let mut chunks: Vec<Chunk> = Vec::new();
        let result = decoder.push(&bytes, &mut chunks).and_then(|()| decoder.end(&mut chunks));
        let stem = name.trim_end_matches(".json");
        for client in CLIENTS {
            let ending = match client {
                Dialect::OpenAiChat => String::new(),
                other => format!(".{}", other.name()),
            };
            let got = match result {
                Ok(()) => {
                    let body = Encoder::new(client, envelope()).whole(chunks.clone());
                    serde_json::from_slice(&body).expect("JSON")
                }
                Err(fault) => json!({ "fault": format!("{fault:?}") }),
            };
            assert!(!got.to_string().contains("canary"), "{name}");
            check(&folder("answers").join(format!("{stem}.expected{ending}.json")), &pretty(&got));
        }
    }
}
