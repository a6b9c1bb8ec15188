//! Calls to a scripted server.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use ringfence_chat::{Capability, Chunk, Dialect, Event, Request};
use ringfence_dialect::decode_request;
use ringfence_fence::{
    Answer, Caller, CannotDepart, Clearance, Departure, Failure, FailureKind, Floor, Honours,
    Model, Placeholders, Provider, Target, Zone,
};

use crate::script::{Script, Step, end, head, piece, whole};
use crate::{Cloud, Connection, LONGEST_RETRY_AFTER, Secret};

const JSON: &str = "content-type: application/json\r\n";
const ANSWER: &str = r#"{"id":"a","object":"chat.completion","created":1,"model":"their-model","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#;
const SAID: &str = "data: {\"id\":\"a\",\"model\":\"their-model\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Hel\"}}]}\n\n";
const ENDED: &str = "data: {\"id\":\"a\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";

fn connection(base: &str) -> Connection {
    Connection {
        dialect: Dialect::OpenAiChat,
        base_url: format!("{base}/v1"),
        key: Some(Secret::new("sk-canary-key")),
        headers: vec![("x-team".into(), "red".into())],
        connect_within: Duration::from_secs(5),
        first_byte_within: Duration::from_secs(5),
        idle_within: Duration::from_secs(5),
    }
}

fn request(streamed: bool) -> Request {
    let body = format!(
        r#"{{"model":"auto","messages":[{{"role":"user","content":"Hi"}}],"stream":{streamed},"seed":4}}"#
    );
    decode_request(Dialect::OpenAiChat, "r".into(), body.as_bytes()).expect("well formed")
}

fn depart(cloud: &Cloud, request: &Request, zone: Zone) -> Result<Departure, CannotDepart> {
    let target = Target {
        name: "there".into(),
        zone,
        region: String::new(),
        attributes: Vec::new(),
        capabilities: Capability::ALL.to_vec(),
        honours: Honours::Everything,
        context_tokens: 1000,
        capacity: 1,
        models: vec![Model { name: "their-model".into(), aliases: Vec::new() }],
        vectors_only: false,
        input_price: 0.0,
        output_price: 0.0,
    };
    let caller = Caller { tenant: "t".into(), key: "k".into(), labels: Vec::new(), targets: None };
    let decision = Clearance::open(request, &caller, &Floor::default(), [Arc::new(target)])
        .decide("d".into(), Vec::new());
    decision.depart("there", 1, request, &Placeholders::new(&[0; 32], "t"), cloud)
}

async fn send(connection: Connection, streamed: bool) -> Result<Answer, Failure> {
    let cloud = Cloud::new(connection, "there", Zone::Cloud).expect("a connection");
    let departure = depart(&cloud, &request(streamed), Zone::Premises).expect("a departure");
    cloud.send(departure).await
}

/// Everything that came, and how it ended.
async fn listen(answer: Result<Answer, Failure>) -> (Vec<Chunk>, Result<(), Failure>) {
    let mut chunks = Vec::new();
    let mut stream = match answer {
        Ok(answer) => answer.chunks,
        Err(failure) => return (chunks, Err(failure)),
    };
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) => chunks.push(chunk),
            Err(failure) => return (chunks, Err(failure)),
        }
    }
    (chunks, Ok(()))
}

fn text(chunks: &[Chunk]) -> String {
    (chunks.iter().flat_map(|chunk| &chunk.events))
        .filter_map(|event| match event {
            Event::Text { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_whole_answer_and_what_left() {
    let headers = format!("{JSON}x-ratelimit-remaining-requests: 59\r\nset-cookie: canary=1\r\n");
    let server = Script::start(vec![whole(200, &headers, ANSWER)]).await;
    let answer = send(connection(&server.address), false).await.expect("an answer");
    assert_eq!(answer.headers, [("x-ratelimit-remaining-requests".into(), "59".into())]);
    let (chunks, result) = listen(Ok(answer)).await;
    assert_eq!((text(&chunks).as_str(), result), ("Hello", Ok(())));
    let seen = server.seen().remove(0);
    assert!(seen.head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{}", seen.head);
    let mut names: Vec<&str> =
        seen.head.lines().skip(1).filter_map(|l| l.split(':').next()).collect();
    names.sort_unstable();
    // Nothing but these: no header of a client, no cookie, no referrer.
    let expected = [
        "accept",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-team",
    ];
    assert_eq!(names, expected);
    assert!(seen.head.contains("authorization: Bearer sk-canary-key"));
    assert!(seen.head.contains(concat!("user-agent: ringfence/", env!("CARGO_PKG_VERSION"))));
    let body: serde_json::Value = serde_json::from_slice(&seen.body).expect("JSON");
    assert_eq!((&body["model"], &body["seed"]), (&"their-model".into(), &4.into()));
}

#[tokio::test]
async fn a_stream_comes_as_it_is_said_and_its_connection_serves_again() {
    let steps =
        vec![head(), piece(": hello\n\n"), piece(SAID), piece(&format!("{ENDED}{DONE}")), end()];
    let server = Script::start(steps).await;
    let cloud =
        Cloud::new(connection(&server.address), "there", Zone::Cloud).expect("a connection");
    for _ in 0..3 {
        let departure = depart(&cloud, &request(true), Zone::Premises).expect("a departure");
        let (chunks, result) = listen(cloud.send(departure).await).await;
        assert_eq!((text(&chunks).as_str(), result), ("Hello", Ok(())));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!((server.seen().len(), server.connections()), (3, 1));
    let body = String::from_utf8(server.seen()[0].body.clone()).expect("UTF-8");
    assert!(body.contains(r#""stream_options":{"include_usage":true}"#), "{body}");
}

#[tokio::test]
async fn anthropic_is_called_its_own_way() {
    let answer = r#"{"id":"m","type":"message","model":"claude","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}"#;
    let server = Script::start(vec![whole(200, JSON, answer)]).await;
    for (own, version) in [(None, "2023-06-01"), (Some("2030-01-01"), "2030-01-01")] {
        let headers = own.map(|own| ("anthropic-version".to_owned(), own.to_owned()));
        let connection = Connection {
            dialect: Dialect::AnthropicMessages,
            headers: headers.into_iter().collect(),
            ..connection(&server.address)
        };
        let (chunks, result) = listen(send(connection, false).await).await;
        assert_eq!((text(&chunks).as_str(), result), ("Hello", Ok(())));
        let seen = server.seen().pop().expect("a request");
        assert!(seen.head.starts_with("POST /v1/messages HTTP/1.1"), "{}", seen.head);
        assert!(seen.head.contains("x-api-key: sk-canary-key"));
        assert!(!seen.head.contains("authorization"));
        let versions: Vec<&str> =
            seen.head.lines().filter_map(|line| line.strip_prefix("anthropic-version: ")).collect();
        assert_eq!(versions, [version]);
    }
}

#[tokio::test]
async fn refusals_are_told_in_our_words() {
    use FailureKind::*;
    let openai = |code: &str| {
        format!(
            r#"{{"error":{{"message":"canary sk-canary-key","type":"canary_type","param":"canary","code":"{code}"}}}}"#
        )
    };
    let large = format!(
        r#"{{"error":{{"message":"{}","code":"rate_limit_exceeded"}}}}"#,
        "canary".repeat(1 << 20)
    );
    let cases = vec![
        (400, "", openai("canary_code"), Rejected, None, None),
        (
            400,
            "",
            openai("context_length_exceeded"),
            TooLong,
            Some("context_length_exceeded"),
            None,
        ),
        (401, "", openai("invalid_api_key"), Misconfigured, Some("invalid_api_key"), None),
        (403, "", "canary".into(), Misconfigured, None, None),
        (404, "", openai("model_not_found"), Misconfigured, Some("model_not_found"), None),
        (408, "", "{}".into(), TimedOut, None, None),
        (413, "", "canary".into(), TooLong, None, None),
        (
            429,
            "retry-after: 3\r\n",
            openai("rate_limit_exceeded"),
            RateLimited,
            Some("rate_limit_exceeded"),
            Some(3000),
        ),
        (
            429,
            "retry-after-ms: 20\r\nretry-after: 3\r\n",
            openai("insufficient_quota"),
            Misconfigured,
            Some("insufficient_quota"),
            Some(20),
        ),
        (429, "retry-after: canary\r\n", large, RateLimited, None, None),
        (
            500,
            "retry-after: 1e9\r\n",
            "<h1>canary</h1>".into(),
            Unwell,
            None,
            Some(LONGEST_RETRY_AFTER.as_millis() as u64),
        ),
        (503, "", openai("server_overloaded"), Unwell, Some("server_overloaded"), None),
        (
            529,
            "",
            r#"{"type":"error","error":{"type":"overloaded_error","message":"canary"}}"#.into(),
            Unwell,
            None,
            None,
        ),
    ];
    for (status, headers, body, kind, code, pause) in cases {
        let headers = format!("{JSON}x-canary: canary\r\n{headers}");
        let server = Script::start(vec![whole(status, &headers, &body)]).await;
        for streamed in [false, true] {
            let (chunks, result) = listen(send(connection(&server.address), streamed).await).await;
            let failure = result.expect_err("a refusal");
            assert!(chunks.is_empty());
            assert_eq!(failure.kind, kind, "{status}");
            assert_eq!((failure.status, failure.code), (Some(status), code), "{status}");
            assert_eq!(
                failure.retry_after.map(|pause| pause.as_millis() as u64),
                pause,
                "{status}"
            );
            let shown = format!("{failure} {failure:?}");
            assert!(!shown.contains("canary"), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Script::start(vec![whole(200, JSON, ANSWER)]).await;
    for status in [301, 302, 307, 308] {
        let headers = format!("location: {}/v1/chat/completions\r\n", elsewhere.address);
        let server = Script::start(vec![whole(status, &headers, "")]).await;
        let (_, result) = listen(send(connection(&server.address), false).await).await;
        assert_eq!(result.map_err(|failure| failure.kind), Err(FailureKind::Misconfigured));
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_cut_stream_is_broken() {
    let cut = &ENDED[..ENDED.len() / 2];
    for steps in [
        vec![head(), piece(SAID), Step::Close],
        vec![head(), piece(SAID), end()],
        vec![head(), piece(SAID), piece(cut), Step::Close],
        vec![head(), piece(SAID), piece(cut), end()],
        vec![head(), piece(SAID), piece("data: canary\n\n"), piece(DONE), end()],
    ] {
        let server = Script::start(steps).await;
        let (chunks, result) = listen(send(connection(&server.address), true).await).await;
        assert_eq!(text(&chunks), "Hel");
        let failure = result.expect_err("it was cut");
        assert_eq!(failure.kind, FailureKind::Broken);
        assert!(!format!("{failure:?}").contains("canary"));
    }
    let half = format!("HTTP/1.1 200 OK\r\n{JSON}content-length: 999\r\n\r\n{}", &ANSWER[..40]);
    let server = Script::start(vec![Step::Send(half.into_bytes()), Step::Close]).await;
    let (chunks, result) = listen(send(connection(&server.address), false).await).await;
    assert_eq!(
        (chunks.len(), result.map_err(|failure| failure.kind)),
        (0, Err(FailureKind::Broken))
    );
}

#[tokio::test]
async fn an_error_within_a_stream() {
    let error = "data: {\"error\":{\"message\":\"canary\",\"code\":\"rate_limit_exceeded\"}}\n\n";
    let server = Script::start(vec![head(), piece(SAID), piece(error), piece(DONE), end()]).await;
    let (chunks, result) = listen(send(connection(&server.address), true).await).await;
    let failure = result.expect_err("an error");
    assert_eq!((text(&chunks).as_str(), failure.kind), ("Hel", FailureKind::RateLimited));
    assert!(!format!("{failure} {failure:?}").contains("canary"));
}

#[tokio::test]
async fn times() {
    let hasty = |server: &Script| Connection {
        first_byte_within: Duration::from_millis(150),
        idle_within: Duration::from_millis(150),
        ..connection(&server.address)
    };
    for (steps, said) in [
        (vec![Step::Stall], ""),
        (vec![head(), Step::Stall], ""),
        (vec![head(), piece(SAID), Step::Stall], "Hel"),
    ] {
        let mut server = Script::start(steps).await;
        let (chunks, result) = listen(send(hasty(&server), true).await).await;
        assert_eq!(text(&chunks), said);
        assert_eq!(result.map_err(|failure| failure.kind), Err(FailureKind::TimedOut));
        assert!(server.is_left().await, "a late answer is not waited for");
    }
}

#[tokio::test]
async fn what_says_it_is_something_else_is_refused() {
    for (media, body, streamed) in [
        ("application/json", ANSWER, true),
        ("text/html", "<h1>canary</h1>", true),
        ("text/html", "<h1>canary</h1>", false),
        ("text/event-stream", SAID, false),
    ] {
        let headers = format!("content-type: {media}\r\n");
        let server = Script::start(vec![whole(200, &headers, body)]).await;
        let (chunks, result) = listen(send(connection(&server.address), streamed).await).await;
        assert_eq!(chunks.len(), 0);
        assert_eq!(result.map_err(|failure| failure.kind), Err(FailureKind::Broken), "{media}");
    }
}

#[tokio::test]
async fn nobody_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let (_, result) = listen(send(connection(&address), false).await).await;
    let failure = result.expect_err("nobody");
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(!format!("{failure} {failure:?}").contains("127.0.0.1"), "no address in a failure");
}

#[tokio::test]
async fn leaving_closes_the_connection() {
    let mut waiting = Script::start(vec![Step::Stall]).await;
    let call = send(connection(&waiting.address), true);
    assert!(tokio::time::timeout(Duration::from_millis(200), call).await.is_err());
    assert!(waiting.is_left().await, "before the answer");

    let mut talking = Script::start(vec![head(), piece(SAID), Step::Stall]).await;
    let mut answer = send(connection(&talking.address), true).await.expect("an answer");
    assert!(answer.chunks.next().await.is_some_and(|chunk| chunk.is_ok()));
    drop(answer);
    assert!(talking.is_left().await, "within the answer");
}

#[tokio::test]
async fn plain_http_does_not_leave_for_the_cloud() {
    let cloud = Cloud::new(connection("http://canary.example"), "there", Zone::Cloud)
        .expect("a connection");
    let departure = depart(&cloud, &request(false), Zone::Cloud).expect("a departure");
    let (_, result) = listen(cloud.send(departure).await).await;
    assert_eq!(result.map_err(|failure| failure.kind), Err(FailureKind::Misconfigured));
}

#[tokio::test]
async fn what_cannot_be_said_does_not_depart() {
    let connection =
        Connection { dialect: Dialect::AnthropicMessages, ..connection("http://127.0.0.1:9") };
    let cloud = Cloud::new(connection, "there", Zone::Cloud).expect("a connection");
    let departure = depart(&cloud, &request(false), Zone::Premises).expect("a departure");
    assert_eq!(departure.dropped(), ["seed"]);
    let body = br#"{"model":"auto","messages":[{"role":"user","content":"Hi"}],"n":2}"#;
    let two = decode_request(Dialect::OpenAiChat, "r".into(), body).expect("well formed");
    match depart(&cloud, &two, Zone::Premises) {
        Err(CannotDepart::Unencodable(failure)) => {
            assert_eq!(failure.kind, FailureKind::Rejected);
            assert_eq!(failure.message, "the target's dialect cannot carry choices.");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_shows_of_a_cloud() {
    let cloud =
        Cloud::new(connection("http://127.0.0.1:9"), "there", Zone::Cloud).expect("a connection");
    let shown = format!("{cloud:?}");
    assert!(!shown.contains("canary") && !shown.contains("red"), "{shown}");
    let empty = Connection { key: Some(Secret::new("")), ..connection("http://127.0.0.1:9") };
    assert!(Cloud::new(empty, "there", Zone::Cloud).is_err());
}
