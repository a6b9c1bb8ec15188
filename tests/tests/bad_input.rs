//! Bad input: a clear error each time, and nothing sent.

use std::time::Duration;

use ringfence_tests::client::{ask, ask_streamed};
use ringfence_tests::{Configuration, Gateway, Upstream};
use serde_json::{Value, json};

/// What stands for the gateway's answer to something bad.
struct Expected {
    status: u16,
    /// A word of the message, or of the code.
    word: &'static str,
}

fn expected(status: u16, word: &'static str) -> Expected {
    Expected { status, word }
}

/// Bodies of `POST /v1/chat/completions` that are no request.
fn bodies() -> Vec<(&'static str, Vec<u8>, Expected)> {
    let with = |key: &str, value: Value| {
        let mut request = ask("hello");
        request[key] = value;
        request.to_string().into_bytes()
    };
    let said = |content: Value| with("messages", json!([{"role": "user", "content": content}]));
    let deep = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!("{{\"model\":\"auto\",\"messages\":[{{\"role\":\"user\",\"content\":\"x\"}}],\"x\":{open}{close}}}")
            .into_bytes()
    };
    let mut not_text =
        b"{\"model\":\"auto\",\"messages\":[{\"role\":\"user\",\"content\":\"".to_vec();
    not_text.extend_from_slice(b"\xff\xfe\"}]}");
    vec![
        ("nothing", b"".to_vec(), expected(400, "")),
        ("no JSON", b"hello".to_vec(), expected(400, "")),
        ("half a JSON", b"{\"model\": \"auto\", \"messages\": [".to_vec(), expected(400, "")),
        (
            "two JSONs",
            [ask("a").to_string(), ask("b").to_string()].concat().into(),
            expected(400, ""),
        ),
        ("an array", b"[]".to_vec(), expected(400, "")),
        ("null", b"null".to_vec(), expected(400, "")),
        (
            "no model",
            b"{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}".to_vec(),
            expected(400, "model"),
        ),
        ("a number as model", with("model", json!(7)), expected(400, "model")),
        ("an unknown model", with("model", json!("unheard-of")), expected(404, "model_not_found")),
        ("no messages", b"{\"model\":\"auto\"}".to_vec(), expected(400, "messages")),
        ("empty messages", with("messages", json!([])), expected(400, "messages")),
        ("messages as text", with("messages", json!("hello")), expected(400, "messages")),
        ("a message as text", with("messages", json!(["hello"])), expected(400, "messages")),
        ("no role", with("messages", json!([{"content": "hello"}])), expected(400, "role")),
        (
            "an unknown role",
            with("messages", json!([{"role": "king", "content": "x"}])),
            expected(400, "role"),
        ),
        ("a number as content", said(json!(7)), expected(400, "content")),
        ("a part without a type", said(json!([{"text": "x"}])), expected(400, "type")),
        ("stream as text", with("stream", json!("yes")), expected(400, "stream")),
        ("temperature as text", with("temperature", json!("hot")), expected(400, "temperature")),
        ("max_tokens below zero", with("max_tokens", json!(-1)), expected(400, "max_tokens")),
        ("tools as text", with("tools", json!("all")), expected(400, "tools")),
        ("deep nesting", deep(100_000), expected(400, "")),
        ("bytes that are no text", not_text, expected(400, "")),
        (
            "half a surrogate",
            b"{\"model\":\"auto\",\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}"
                .to_vec(),
            expected(400, ""),
        ),
        (
            "an over-long body",
            with("messages", json!([{"role": "user", "content": "x".repeat(70_000)}])),
            expected(413, "65536"),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_request() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud).server("body_bytes = 65536"));
    let small = Configuration::cloud(&cloud);
    let roomy = Gateway::start(&small);
    for (name, body, expected) in bodies() {
        // A deep body is longer than the small bound.
        let gateway = if body.len() > 70_100 { &roomy } else { &gateway };
        let answer = gateway.client().post("/v1/chat/completions", body).await;
        assert_eq!(answer.status, expected.status, "{name}: {}", answer.text());
        let error = answer.error();
        assert_eq!(error["type"], "invalid_request_error", "{name}: {error}");
        for member in ["message", "type", "param", "code"] {
            assert!(error.get(member).is_some(), "{name}: no {member} in {error}");
        }
        let message = error["message"].as_str().unwrap_or("");
        assert!(!message.is_empty() && message.len() < 600, "{name}: {error}");
        assert!(error.to_string().contains(expected.word), "{name}: {error}");
        assert!(answer.header("x-request-id").is_some(), "{name}");
        // What was not read is still on the wire: the client must not go on with it.
        let closes = answer.header("connection") == Some("close");
        assert_eq!(closes, answer.status == 413, "{name}");
        cloud.assert_untouched();
    }
    // Both are still well.
    for gateway in [&gateway, &roomy] {
        assert_eq!(gateway.chat(&ask("hello")).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_a_million_values_is_refused_before_it_is_read() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud));
    let mut body = ask("hello").to_string();
    body.pop();
    body.push_str(",\"x\":[");
    body.push_str(&"0,".repeat(1 << 20));
    body.push_str("0]}");
    let answer = gateway.client().post("/v1/chat/completions", body.into_bytes()).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("too many values"), "{}", answer.text());
    cloud.assert_untouched();
    // Text may hold as many commas as it likes.
    let answer = gateway.chat(&ask(&"so, ".repeat(1 << 20))).await;
    assert!(answer.text().contains("context_length_exceeded"), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_methods_that_are_not_served() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud));
    let body = ask("hello").to_string();
    for (method, path, status) in [
        ("POST", "/", 404),
        ("POST", "/v1/completions", 404),
        ("GET", "/v1/responses", 405),
        ("GET", "/v1/responses/resp_1", 404),
        ("GET", "/v1/embeddings", 405),
        ("POST", "/v1/files", 404),
        ("POST", "/v1/chat/completions/", 404),
        ("POST", "/v1//chat/completions", 404),
        ("POST", "/V1/chat/completions", 404),
        ("POST", "/v1/chat/../chat/completions2", 404),
        ("POST", "/chat/completions", 404),
        ("GET", "/admin", 404),
        ("GET", "/v1/chat/completions", 405),
        ("PUT", "/v1/chat/completions", 405),
        ("DELETE", "/v1/chat/completions", 405),
        ("OPTIONS", "/v1/chat/completions", 405),
        ("POST", "/v1/models", 405),
        ("POST", "/metrics", 405),
    ] {
        let answer = gateway.client().send(method, path, &body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert_eq!(answer.error()["type"], "invalid_request_error", "{method} {path}");
        assert_eq!(answer.header("allow").is_some(), status == 405, "{method} {path}");
    }
    cloud.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn encodings_of_the_body_are_refused() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud));
    for encoding in ["gzip", "br", "deflate", "zstd", "x-unheard-of", "identity, gzip"] {
        let client = gateway.client().with("content-encoding", encoding);
        let answer = client.chat(&ask("hello")).await;
        assert_eq!(answer.status, 415, "{encoding}: {}", answer.text());
        assert_eq!(answer.error()["code"], "unsupported_content_encoding");
    }
    cloud.assert_untouched();
    let answer = gateway.client().with("content-encoding", "identity").chat(&ask("hello")).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_two_requests_to_somebody_else_is_none_here() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud));
    let body = ask("hello").to_string();
    let length = body.len();
    let post =
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let chunk = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    let inner = format!("{post}content-length: {length}\r\n\r\n{body}");
    let cases = [
        (
            "two lengths",
            format!("{post}content-length: {length}\r\ncontent-length: 3\r\n\r\n{body}"),
        ),
        ("a list of lengths", format!("{post}content-length: {length}, 3\r\n\r\n{body}")),
        ("a length with a sign", format!("{post}content-length: +{length}\r\n\r\n{body}")),
        (
            "a length and chunks",
            format!("{post}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n{chunk}{inner}"),
        ),
        (
            "chunks and a length",
            format!("{post}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n{chunk}"),
        ),
        ("another coding", format!("{post}transfer-encoding: gzip, chunked\r\n\r\n{chunk}")),
        ("chunked, not last", format!("{post}transfer-encoding: chunked, identity\r\n\r\n{chunk}")),
        (
            "a folded header",
            format!(
                "{post}transfer-encoding:\r\n chunked\r\ncontent-length: {length}\r\n\r\n{body}"
            ),
        ),
        ("a space before the colon", format!("{post}content-length : {length}\r\n\r\n{body}")),
        (
            "a chunk's size that is none",
            format!("{post}transfer-encoding: chunked\r\n\r\n-5\r\n{body}\r\n0\r\n\r\n"),
        ),
        (
            "a line break in the path",
            format!("POST /v1/chat/completions\r\nx: y HTTP/1.1\r\n\r\n{body}"),
        ),
        ("headers without end", format!("{post}{}", "x-long: 1234567890\r\n".repeat(10_000))),
    ];
    for (name, bytes) in cases {
        let before = cloud.count();
        let answer = gateway.client().raw(bytes.as_bytes(), Duration::from_millis(700)).await;
        // One answer at the most: what follows the first request is nobody's request.
        let answers = answer.matches("HTTP/1.1 ").count();
        assert!(answers <= 1, "{name}: {answer}");
        if answer.starts_with("HTTP/1.1 200") {
            // RFC 9112 lets chunks win over a length.
            assert!(name.contains("chunks"), "{name}: {answer}");
            assert_eq!(cloud.count(), before + 1, "{name}");
        } else {
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{name}: {answer}");
            assert_eq!(cloud.count(), before, "{name}");
        }
    }
    assert_eq!(gateway.chat(&ask("hello")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicate_keys_cannot_hide_anything() {
    // One reader takes the first, another the last: what leaves has one of each.
    let cloud = Upstream::echo().await;
    let configuration =
        Configuration::cloud(&cloud).policy(ringfence_tests::Policy::embedded("redact-pii"));
    let gateway = Gateway::start(&configuration);
    let message = |text: &str| format!("[{{\"role\":\"user\",\"content\":\"{text}\"}}]");
    let (first, second) = (message("I am eve@example.org"), message("hello"));
    for (one, two) in [(&first, &second), (&second, &first)] {
        let body = format!("{{\"model\":\"auto\",\"messages\":{one},\"messages\":{two}}}");
        let answer = gateway.client().post("/v1/chat/completions", body).await;
        assert!([200, 400].contains(&answer.status), "{}", answer.text());
        cloud.assert_never_saw("eve@example.org");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_endless_clients_do_not_keep_others_out() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud).server("body_bytes = 65536"));
    let endless = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{}",
        format!("1000\r\n{}\r\n", "x".repeat(0x1000)).repeat(64)
    );
    let client = gateway.client().clone();
    let slow: Vec<_> = (0..32)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                client
                    .raw(b"POST /v1/chat/completions HTTP/1.1\r\nho", Duration::from_secs(2))
                    .await
            })
        })
        .collect();
    let answer = client.raw(endless.as_bytes(), Duration::from_secs(2)).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    for request in [ask("hello"), ask_streamed("hello")] {
        assert_eq!(gateway.chat(&request).await.status, 200);
    }
    for task in slow {
        task.await.expect("a task");
    }
    assert_eq!(cloud.count(), 2);
}
