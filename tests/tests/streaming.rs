//! What real clients depend on: the lines of the client contract, one by one.

use std::time::Duration;

use futures_util::StreamExt;
use ringfence_tests::client::{Answer, ask, ask_streamed};
use ringfence_tests::upstream::{anthropic, openai};
use ringfence_tests::{Configuration, Gateway, Play, Target, Upstream, books};
use serde_json::{Value, json};

/// Asks a gateway in front of an upstream that streams `body`.
async fn streamed(body: String) -> Answer {
    let cloud = Upstream::start(move |_| Play::stream().send(&body).end()).await;
    Gateway::start(&Configuration::cloud(&cloud)).chat(&ask_streamed("hello")).await
}

/// A stream as openai-node's helper accepts it.
#[track_caller]
fn assert_well_formed(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.is_stream(), "{:?}", answer.headers);
    assert!(answer.is_done(), "{}", answer.text());
    let events = answer.events();
    assert_eq!(events.iter().filter(|event| *event == "[DONE]").count(), 1);
    let chunks = answer.chunks();
    let first = chunks.iter().find(|chunk| chunk["choices"][0].is_object()).expect("a choice");
    assert_eq!(first["choices"][0]["delta"]["role"], "assistant", "{first}");
    let finishes: Vec<&Value> = chunks
        .iter()
        .map(|chunk| &chunk["choices"][0]["finish_reason"])
        .filter(|reason| reason.is_string())
        .collect();
    assert_eq!(finishes.len(), 1, "{}", answer.text());
    for chunk in &chunks {
        assert_eq!(chunk["object"], "chat.completion.chunk", "{chunk}");
        assert_eq!(chunk["id"], chunks[0]["id"], "{chunk}");
        assert!(chunk["choices"].is_array(), "{chunk}");
        assert!(chunk["created"].is_u64() && chunk["model"].is_string(), "{chunk}");
    }
}

/// A stream that broke off: an error, and no end.
#[track_caller]
fn assert_broken(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let events = answer.events();
    let last: Value = serde_json::from_str(events.last().expect("an event")).expect("JSON");
    for member in ["message", "type", "param", "code"] {
        assert!(last["error"].get(member).is_some(), "{member}: {last}");
    }
    assert!(!answer.text().contains("[DONE]"), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_has_everything_that_helpers_want() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud));
    let answer = gateway.chat(&ask_streamed("What is 1 + 1?")).await;
    assert_well_formed(&answer);
    assert_eq!(answer.content(), "You wrote: What is 1 + 1?");
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    for header in ["x-request-id", "x-ringfence-decision"] {
        assert!(answer.header(header).is_some_and(|value| !value.is_empty()), "{header}");
    }
    assert_eq!(answer.target(), "cloud");
    assert_eq!(answer.header("x-ringfence-zone"), Some("cloud"));
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_end_in_any_way_and_comments_are_nothing() {
    let plain = openai::stream(["One", " two"]);
    for (name, body) in [
        ("LF", plain.clone()),
        ("CRLF", plain.replace('\n', "\r\n")),
        ("CR", plain.replace('\n', "\r")),
        ("comments", format!(": hello\n\n{}: bye\n\n", plain.replace("data", ": x\ndata"))),
        ("retry and event", plain.replacen("data", "retry: 3\nevent: chunk\ndata", 1)),
        ("an event without data", format!("event: ping\n\n{plain}")),
        ("a byte order mark", format!("\u{feff}{plain}")),
        ("no space", plain.replace("data: ", "data:")),
    ] {
        let answer = streamed(body).await;
        assert_well_formed(&answer);
        assert_eq!(answer.content(), "One two", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_upstream_is_always_asked_for_usage_and_the_client_gets_it_when_it_asks() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud));
    for (options, wants) in [
        (Value::Null, false),
        (json!({"include_usage": false}), false),
        (json!({"include_usage": true}), true),
    ] {
        let mut request = ask_streamed("hello");
        if !options.is_null() {
            request["stream_options"] = options.clone();
        }
        let answer = gateway.chat(&request).await;
        assert_well_formed(&answer);
        assert_eq!(cloud.last().json()["stream_options"]["include_usage"], true);
        let chunks = answer.chunks();
        let usages: Vec<&Value> =
            chunks.iter().filter(|chunk| chunk["usage"].is_object()).collect();
        assert_eq!(usages.len(), usize::from(wants), "{options}: {}", answer.text());
        if let [usage] = usages[..] {
            assert_eq!(usage["choices"], json!([]));
            assert_eq!(usage["usage"]["prompt_tokens"], 11);
            assert_eq!(usage["usage"]["completion_tokens"], 7);
            assert_eq!(usage["usage"]["total_tokens"], 18);
            assert_eq!(usage, chunks.last().expect("a chunk"));
        } else {
            assert!(chunks.iter().all(|chunk| chunk["choices"] != json!([])), "{}", answer.text());
        }
        let decision = answer.header("x-ringfence-decision").expect("a decision").to_owned();
        let outcome = books::outcome(&gateway.ledger(), &decision).await;
        assert_eq!(outcome["usage"]["input"], 11, "{outcome}");
        assert_eq!(outcome["usage"]["output"], 7, "{outcome}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_may_stand_on_a_chunk_with_a_choice() {
    let mut last: Value = serde_json::from_str(
        openai::delta(json!({}), Some("stop")).trim_start_matches("data: ").trim(),
    )
    .expect("JSON");
    last["usage"] = openai::usage();
    let body = format!(
        "{}{}{}data: [DONE]\n\n",
        openai::first(),
        openai::piece("hi"),
        openai::event(&last)
    );
    let answer = streamed(body).await;
    assert_well_formed(&answer);
    assert!(answer.chunks().iter().all(|chunk| !chunk["usage"].is_object()), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_says_so_and_does_not_end() {
    let begun = || Play::stream().send(openai::first()).send(openai::piece("half of"));
    let error = json!({"error": {"message": "upstream-canary", "type": "server_error",
        "param": null, "code": null}});
    type Ending = (&'static str, fn(Play, &Value) -> Play);
    let endings: [Ending; 5] = [
        ("cut", |play, _| play.cut()),
        ("a clean end without a finish", |play, _| play.end()),
        ("an error event", |play, error| play.send(openai::event(error)).end()),
        ("half an event", |play, _| play.send("data: {\"choices\"").end()),
        ("no JSON", |play, _| play.send("data: hello\n\n").end()),
    ];
    for (name, ending) in endings {
        let error = error.clone();
        let first = Upstream::start(move |_| ending(begun(), &error)).await;
        let second = Upstream::echo().await;
        let configuration = Configuration::cloud(&first).target(Target::cloud("second", &second));
        let gateway = Gateway::start(&configuration);
        let answer = gateway.chat(&ask_streamed("hello")).await;
        assert_broken(&answer);
        assert!(answer.text().contains("half of"), "{name}: {}", answer.text());
        assert!(!answer.text().contains("upstream-canary"), "{name}: {}", answer.text());
        second.assert_untouched();
        assert_eq!(first.count(), 1, "{name}: retried after the first byte");
        let decision = answer.header("x-ringfence-decision").expect("a decision").to_owned();
        let outcome = books::outcome(&gateway.ledger(), &decision).await;
        assert_eq!(outcome["ended"], "cut", "{name}: {outcome}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn until_the_first_byte_another_target_may_answer() {
    let absent = Upstream::absent().await;
    type Script = fn() -> Play;
    let failures: [(&str, Script); 6] = [
        ("500", || Play::failure(500, "{}")),
        ("429", || Play::failure(429, "{\"error\":{\"code\":\"rate_limit_exceeded\"}}")),
        ("401", || Play::failure(401, "{\"error\":{\"code\":\"invalid_api_key\"}}")),
        ("hung up", Play::hang_up),
        ("silence", Play::silence),
        ("a head and then a cut", || Play::stream().send(openai::first()).cut()),
    ];
    let second = Upstream::says("from the second").await;
    for request in [ask("hello"), ask_streamed("hello")] {
        for (name, script) in failures {
            let first = Upstream::start(move |_| script()).await;
            let configuration = Configuration::new()
                .target(
                    Target::cloud("first", &first).with(json!({"first_byte_within_seconds": 1})),
                )
                .target(Target::cloud("second", &second));
            let gateway = Gateway::start(&configuration);
            let answer = gateway.chat(&request).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
            assert_eq!(answer.target(), "second", "{name}");
            assert_eq!(answer.content(), "from the second", "{name}");
            assert!(first.count() >= 1, "{name}: the first was not tried");
            let decision = answer.header("x-ringfence-decision").expect("a decision").to_owned();
            let departures = books::of(&gateway.ledger(), "departure", &decision);
            assert_eq!(departures.len(), first.count() + 1, "{name}: {departures:#?}");
        }
        let configuration = Configuration::new()
            .target(Target::at("first", "cloud", &format!("http://{absent}/v1")))
            .target(Target::cloud("second", &second));
        let answer = Gateway::start(&configuration).chat(&request).await;
        assert_eq!((answer.status, answer.target()), (200, "second"), "nobody listens");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_never_goes_where_the_request_may_not() {
    let inside = Upstream::start(|_| Play::failure(500, "{}")).await;
    let cloud = Upstream::echo().await;
    let configuration =
        Configuration::both(&cloud, &inside).section("[floor]\nwithin = \"premises\"");
    let answer = Gateway::start(&configuration).chat(&ask("hello")).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(inside.count() > 1, "it was not tried again");
    cloud.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_request_is_to_blame_for_is_not_tried_elsewhere() {
    let first = Upstream::start(|_| {
        Play::failure(
            400,
            "{\"error\":{\"message\":\"upstream-canary\",\"code\":\"invalid_value\"}}",
        )
    })
    .await;
    let second = Upstream::echo().await;
    let configuration = Configuration::cloud(&first).target(Target::cloud("second", &second));
    for request in [ask("hello"), ask_streamed("hello")] {
        let answer = Gateway::start(&configuration).chat(&request).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert_eq!(answer.error()["type"], "invalid_request_error");
        assert!(!answer.text().contains("upstream-canary"), "{}", answer.text());
    }
    second.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_have_the_status_that_clients_retry_by() {
    /// The provider's status and headers, then the client's status and code.
    type Row<'a> = (u16, &'a [(&'a str, &'a str)], u16, &'a str);
    let table: [Row<'_>; 5] = [
        (429, &[("retry-after", "7")], 429, "rate_limit_exceeded"),
        (500, &[], 502, "upstream_unwell"),
        (503, &[], 502, "upstream_unwell"),
        (401, &[], 502, "upstream_misconfigured"),
        (404, &[], 502, "upstream_misconfigured"),
    ];
    for (theirs, headers, ours, code) in table {
        let cloud = Upstream::start(move |_| Play::whole(theirs, headers, "{}")).await;
        let answer = Gateway::start(&Configuration::cloud(&cloud)).chat(&ask("hello")).await;
        assert_eq!(answer.status, ours, "{theirs}: {}", answer.text());
        assert_eq!(answer.error()["code"], code, "{theirs}");
        assert!(answer.header("x-request-id").is_some(), "{theirs}");
        if !headers.is_empty() {
            assert_eq!(answer.header("retry-after"), Some("7"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stall_in_the_middle_ends_with_an_error() {
    let cloud = Upstream::start(|_| {
        Play::stream().send(openai::first()).send(openai::piece("half of")).stall()
    })
    .await;
    let target = Target::cloud("cloud", &cloud).with(json!({"idle_within_seconds": 1}));
    let gateway = Gateway::start(&Configuration::new().target(target));
    let answer = gateway.chat(&ask_streamed("hello")).await;
    assert_broken(&answer);
    assert!(cloud.wait_until_left(1, Duration::from_secs(3)).await, "the call goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_ends_the_call() {
    let cloud = Upstream::start(|received| match openai::is_streamed(received) {
        true => Play::stream().send(openai::first()).send(openai::piece("half of")).stall(),
        false => Play::silence(),
    })
    .await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud));

    let response = gateway.client().begin(&ask_streamed("hello")).await;
    let decision = response.headers()["x-ringfence-decision"].to_str().expect("text").to_owned();
    let mut stream = response.bytes_stream();
    assert!(stream.next().await.is_some());
    drop(stream);
    assert!(cloud.wait_until_left(1, Duration::from_secs(3)).await, "in the stream");
    assert_eq!(books::outcome(&gateway.ledger(), &decision).await["ended"], "cancelled");

    let client = gateway.client().clone();
    let waiting = tokio::spawn(async move { client.chat(&ask("hello")).await });
    assert!(cloud.wait_until_asked(2, Duration::from_secs(3)).await);
    waiting.abort();
    assert!(cloud.wait_until_left(2, Duration::from_secs(3)).await, "before the first byte");
    assert_eq!(gateway.health().await["status"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_ends_the_local_generation() {
    let configuration = Configuration::new()
        .target(Target::local("local"))
        .section("[local]\nmodel = \"trial\"\ndevice = \"cpu\"");
    let gateway = Gateway::start(&configuration);
    let mut request = ask_streamed("Tell me all that you know.");
    // Hot enough to go on for long.
    request["temperature"] = json!(2);
    request["max_tokens"] = json!(400);
    for _ in 0..3 {
        let response = gateway.client().begin(&request).await;
        assert_eq!(response.status(), 200);
        let decision =
            response.headers()["x-ringfence-decision"].to_str().expect("text").to_owned();
        let mut stream = response.bytes_stream();
        assert!(stream.next().await.is_some());
        drop(stream);
        let outcome = books::outcome(&gateway.ledger(), &decision).await;
        let ended = outcome["ended"].as_str().unwrap_or("");
        assert!(["cancelled", "complete"].contains(&ended), "{outcome}");
    }
    let end = std::time::Instant::now() + Duration::from_secs(3);
    while !gateway.metrics().await.contains("ringfence_in_flight{target=\"local\"} 0") {
        assert!(std::time::Instant::now() < end, "{}", gateway.metrics().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_the_provider_pass_and_nothing_else_of_its_headers() {
    let headers = [
        ("x-ratelimit-limit-requests", "100"),
        ("x-ratelimit-remaining-tokens", "9"),
        ("x-ratelimit-reset-requests", "1s"),
        ("set-cookie", "canary=1"),
        ("server", "canary"),
        ("x-request-id", "req-canary"),
        ("openai-organization", "canary"),
    ];
    let cloud = Upstream::start(move |received| {
        if openai::is_streamed(received) {
            Play::stream_with(&headers).send(openai::stream(["hi"])).end()
        } else {
            Play::whole(200, &headers, openai::whole("hi").to_string())
        }
    })
    .await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud));
    for request in [ask("hello"), ask_streamed("hello")] {
        let answer = gateway.chat(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("x-ratelimit-limit-requests"), Some("100"));
        assert_eq!(answer.header("x-ratelimit-remaining-tokens"), Some("9"));
        assert_eq!(answer.header("x-ratelimit-reset-requests"), Some("1s"));
        let all = format!("{:?}", answer.headers);
        assert!(!all.contains("canary"), "{all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tool_calls_stream_with_an_index_an_id_and_a_type() {
    let pieces = ["{\"ci", "ty\": \"Li", "ma\"}"];
    let answer = streamed(openai::tool_stream("weather", pieces)).await;
    assert_well_formed(&answer);
    let chunks = answer.chunks();
    let calls: Vec<&Value> = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"].as_array())
        .flatten()
        .collect();
    assert!(!calls.is_empty());
    for call in &calls {
        assert_eq!(call["index"], 0, "{call}");
    }
    assert_eq!(calls[0]["id"], "call_1");
    assert_eq!(calls[0]["type"], "function");
    assert_eq!(calls[0]["function"]["name"], "weather");
    assert_eq!(answer.arguments(), "{\"city\": \"Lima\"}");
    assert!(answer.text().contains("\"finish_reason\":\"tool_calls\""), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn text_cannot_break_out_of_its_event() {
    let text = "\n\ndata: [DONE]\n\ndata: {\"error\":{}}\r\n\r\nevent: x\r\u{2028}\u{0}end";
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud));
    let answer = gateway.chat(&ask_streamed(text)).await;
    assert_well_formed(&answer);
    assert_eq!(answer.content(), format!("You wrote: {text}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_dialect_behind_looks_the_same_in_front() {
    let cloud = Upstream::start(anthropic::echo).await;
    let configuration = Configuration::new()
        .target(Target::anthropic("claude", &cloud).with(json!({"key_env": "CLAUDE_KEY"})))
        .variable("CLAUDE_KEY", "sk-of-the-house");
    let gateway = Gateway::start(&configuration);
    let whole = gateway.chat(&ask("hello")).await;
    assert_eq!(whole.status, 200, "{}", whole.text());
    let json = whole.json();
    assert_eq!(whole.content(), "You wrote: hello");
    assert_eq!(json["object"], "chat.completion");
    assert_eq!(json["model"], "stand-in-claude");
    assert_eq!(json["choices"][0]["finish_reason"], "stop");
    assert_eq!(json["usage"]["total_tokens"], 18);
    let mut request = ask_streamed("hello");
    request["stream_options"] = json!({"include_usage": true});
    let stream = gateway.chat(&request).await;
    assert_well_formed(&stream);
    assert_eq!(stream.content(), "You wrote: hello");
    assert_eq!(stream.chunks().last().expect("a chunk")["usage"]["completion_tokens"], 7);
    let received = cloud.last();
    assert_eq!(received.path(), "/v1/messages");
    assert_eq!(received.header("x-api-key"), Some("sk-of-the-house"));
    assert!(received.header("anthropic-version").is_some());
    assert!(received.json()["max_tokens"].is_u64());
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_fields_of_the_request_and_the_answer_survive_in_their_own_dialect() {
    let cloud = Upstream::start(|_| {
        let mut body = openai::whole("hi");
        body["choices"][0]["message"]["annotations"] = json!([]);
        Play::json(&body)
    })
    .await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud));
    let mut request = ask("hello");
    request["reasoning_effort"] = json!("low");
    request["never_heard_of"] = json!({"a": [1, 2.5, null, true]});
    let answer = gateway.chat(&request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let sent = cloud.last().json();
    assert_eq!(sent["reasoning_effort"], "low");
    assert_eq!(sent["never_heard_of"], request["never_heard_of"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_flight_end_before_the_gateway_does() {
    let cloud =
        Upstream::start(|received| openai::echo(received).after(Duration::from_millis(500))).await;
    let mut gateway = Gateway::start(&Configuration::cloud(&cloud));
    let client = gateway.client().clone();
    let waiting = tokio::spawn(async move { client.chat(&ask("hello")).await });
    assert!(cloud.wait_until_asked(1, Duration::from_secs(3)).await);
    let code = tokio::task::block_in_place(|| gateway.stop());
    assert_eq!(code, 0, "{}", gateway.output());
    let answer = waiting.await.expect("an answer");
    assert_eq!((answer.status, answer.content().as_str()), (200, "You wrote: hello"));
}
