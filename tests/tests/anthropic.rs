//! Clients of Anthropic's dialect, in front of targets of every kind.

use ringfence_tests::client::{Answer, Client};
use ringfence_tests::upstream::{anthropic, openai};
use ringfence_tests::{Configuration, Gateway, Play, Policy, Received, Target, Upstream, books};
use serde_json::{Value, json};

const EMAIL: &str = "bob.builder@example.org";

fn message(text: &str) -> Value {
    json!({"model": "auto", "max_tokens": 64, "messages": [{"role": "user", "content": text}]})
}

fn streamed(mut request: Value) -> Value {
    request["stream"] = json!(true);
    request
}

async fn send(client: &Client, request: &Value) -> Answer {
    client.post("/v1/messages", request.to_string()).await
}

/// The events of a stream as its clients read them: each is named as its data says.
#[track_caller]
fn events(answer: &Answer) -> Vec<Value> {
    let text = answer.text();
    let blocks = text.split("\n\n").filter(|block| !block.is_empty() && !block.starts_with(':'));
    let events = blocks.map(|block| {
        let (name, data) = block.split_once('\n').unwrap_or_else(|| panic!("{block:?}"));
        let data = data.strip_prefix("data: ").unwrap_or_else(|| panic!("{block:?}"));
        let data: Value = serde_json::from_str(data).unwrap_or_else(|_| panic!("{block:?}"));
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str(), "{block}");
        data
    });
    events.collect()
}

/// The blocks of an answer, whole or put together from its stream, and why it stopped.
#[track_caller]
fn blocks(answer: &Answer) -> (Vec<Value>, Value) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    if !answer.is_stream() {
        let body = answer.json();
        assert_eq!((&body["type"], &body["role"]), (&json!("message"), &json!("assistant")));
        let blocks = body["content"].as_array().cloned().unwrap_or_default();
        return (blocks, body["stop_reason"].clone());
    }
    let (mut blocks, mut reason, mut json) = (Vec::<Value>::new(), Value::Null, String::new());
    let events = events(answer);
    assert_eq!(events[0]["type"], "message_start", "{}", answer.text());
    assert_eq!(events[events.len() - 1]["type"], "message_stop", "{}", answer.text());
    for event in events {
        let index = event["index"].as_u64().unwrap_or(0) as usize;
        match event["type"].as_str().unwrap_or("") {
            "content_block_start" => {
                assert_eq!(index, blocks.len(), "blocks come in order");
                json.clear();
                blocks.push(event["content_block"].clone());
            }
            "content_block_delta" => {
                assert_eq!(index + 1, blocks.len(), "a delta belongs to the open block");
                let delta = &event["delta"];
                let block = blocks.last_mut().expect("a block");
                match delta["type"].as_str().unwrap_or("") {
                    "text_delta" => {
                        let text = [&block["text"], &delta["text"]];
                        let text = text.map(|text| text.as_str().unwrap_or("")).concat();
                        block["text"] = json!(text);
                    }
                    "input_json_delta" => json += delta["partial_json"].as_str().unwrap_or(""),
                    other => assert!(["thinking_delta", "signature_delta"].contains(&other)),
                }
            }
            "content_block_stop" if !json.is_empty() => {
                let input = serde_json::from_str(&json).expect("arguments are JSON");
                blocks.last_mut().expect("a block")["input"] = input;
            }
            "message_delta" => reason = event["delta"]["stop_reason"].clone(),
            _ => {}
        }
    }
    (blocks, reason)
}

#[track_caller]
fn said(answer: &Answer) -> String {
    let (blocks, _) = blocks(answer);
    blocks.iter().filter_map(|block| block["text"].as_str()).collect()
}

async fn echo(kind: &str) -> (Upstream, Target) {
    let upstream = match kind {
        "anthropic" => Upstream::start(anthropic::echo).await,
        _ => Upstream::start(openai::echo).await,
    };
    let target = match kind {
        "anthropic" => Target::anthropic("cloud", &upstream),
        _ => Target::cloud("cloud", &upstream),
    };
    (upstream, target)
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_come_back_restored_from_targets_of_both_kinds() {
    for kind in ["openai", "anthropic"] {
        let (cloud, target) = echo(kind).await;
        let configuration =
            Configuration::new().target(target).policy(Policy::embedded("redact-pii"));
        let gateway = Gateway::start(&configuration);
        let text = format!("Write to {EMAIL}, please.");
        for request in [message(&text), streamed(message(&text))] {
            let answer = send(gateway.client(), &request).await;
            assert_eq!(said(&answer), format!("You wrote: {text}"), "{kind}: {}", answer.text());
            assert_eq!(blocks(&answer).1, "end_turn", "{kind}");
            cloud.assert_never_saw(EMAIL);
            assert_eq!(answer.target(), "cloud");
            for header in ["request-id", "x-request-id", "x-ringfence-decision"] {
                assert!(answer.header(header).is_some(), "{kind}: {header}");
            }
            let outcome = outcome(&gateway, &answer).await;
            assert_eq!(outcome["usage"]["output"], 7, "{kind}: {outcome}");
            assert_eq!(outcome["restored"], 1, "{kind}: {outcome}");
        }
    }
}

async fn outcome(gateway: &Gateway, answer: &Answer) -> Value {
    let decision = answer.header("x-ringfence-decision").expect("a decision");
    books::outcome(&gateway.ledger(), decision).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_in_the_process_answers_too() {
    let configuration = Configuration::new()
        .target(Target::local("local"))
        .section("[local]\nmodel = \"trial\"\ndevice = \"cpu\"");
    let gateway = Gateway::start(&configuration);
    for request in [message("What is Ringfence?"), streamed(message("What is Ringfence?"))] {
        let answer = send(gateway.client(), &request).await;
        assert!(!said(&answer).is_empty(), "{}", answer.text());
        assert_eq!(answer.header("x-ringfence-zone"), Some("process"));
    }
}

/// What calls a tool with the placeholder that it was sent, and then repeats the result.
fn calls_a_tool(received: &Received) -> Play {
    let body = received.json();
    let last = body["messages"].as_array().and_then(|all| all.last()).cloned().unwrap_or_default();
    if last["role"] == "tool" {
        let text = format!("It says: {}", last["content"].as_str().unwrap_or("nothing"));
        return openai::reply(received, &text);
    }
    let sent = openai::last_user_text(received);
    let (start, end) = (sent.find('[').unwrap_or(0), sent.find(']').map_or(0, |end| end + 1));
    let arguments = json!({"to": &sent[start..end], "times": 2}).to_string();
    if !openai::is_streamed(received) {
        return Play::json(&openai::tool_call("mail", &arguments));
    }
    let pieces = openai::pieces(&arguments, 3);
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    Play::stream().send(openai::tool_stream("mail", pieces)).end()
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_are_called_over_two_turns() {
    let cloud = Upstream::start(calls_a_tool).await;
    let gateway =
        Gateway::start(&Configuration::cloud(&cloud).policy(Policy::embedded("redact-pii")));
    for stream in [false, true] {
        let mut request = message(&format!("Mail {EMAIL} twice"));
        request["tools"] = json!([{"name": "mail", "input_schema": {"type": "object"}}]);
        request["stream"] = json!(stream);
        let answer = send(gateway.client(), &request).await;
        let (called, reason) = blocks(&answer);
        assert_eq!(reason, "tool_use", "{}", answer.text());
        let call = called.iter().find(|block| block["type"] == "tool_use").expect("a call");
        assert_eq!(call["input"], json!({"to": EMAIL, "times": 2}), "{}", answer.text());

        let result = json!({"type": "tool_result", "tool_use_id": call["id"],
            "content": [{"type": "text", "text": format!("sent to {EMAIL}")}]});
        let messages = request["messages"].as_array_mut().expect("messages");
        messages.push(json!({"role": "assistant", "content": called}));
        messages.push(json!({"role": "user", "content": [result]}));
        let answer = send(gateway.client(), &request).await;
        assert_eq!(said(&answer), format!("It says: sent to {EMAIL}"), "{}", answer.text());
        cloud.assert_never_saw(EMAIL);
    }
}

/// Every place of a request that can hold a string.
#[tokio::test(flavor = "multi_thread")]
async fn every_string_is_a_segment() {
    let (cloud, target) = echo("anthropic").await;
    let configuration = Configuration::new().target(target).policy(Policy::embedded("redact-pii"));
    let gateway = Gateway::start(&configuration);
    let tool = |member: &str, value: Value| {
        let mut tool = json!({"name": "mail", "input_schema": {"type": "object"}});
        tool[member] = value;
        json!({"tools": [tool]})
    };
    let turns = |content: Value| {
        json!({"messages": [
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": [
                {"type": "text", "text": format!("I am {EMAIL}")},
                {"type": "tool_use", "id": "toolu_1", "name": "mail", "input": content},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": EMAIL},
            ]},
        ]})
    };
    let mut nested = json!({"deep": {"er": [[EMAIL]]}});
    nested[EMAIL] = json!("a key");
    for more in [
        json!({"system": format!("You serve {EMAIL}.")}),
        json!({"system": [{"type": "text", "text": EMAIL, "cache_control": {"type": "ephemeral"}}]}),
        json!({"metadata": {"user_id": EMAIL}}),
        json!({"stop_sequences": [EMAIL]}),
        json!({"tomorrow": {"of": [EMAIL]}}),
        tool("description", json!(EMAIL)),
        tool("input_schema", json!({"type": "object", "properties": {"a": {"default": EMAIL}}})),
        turns(nested.clone()),
        turns(json!({"a": "b", "c": EMAIL})),
        json!({"messages": [{"role": "user", "content": [{"type": "document", "title": EMAIL,
            "context": EMAIL,
            "source": {"type": "text", "media_type": "text/plain", "data": EMAIL}}]}]}),
    ] {
        let mut request = message("hello");
        for (key, value) in more.as_object().expect("an object") {
            request[key] = value.clone();
        }
        let before = cloud.count();
        let answer = send(gateway.client(), &request).await;
        cloud.assert_never_saw(EMAIL);
        cloud.assert_never_saw("bob.builder");
        // What cannot be hidden where it stands does not leave.
        let left = cloud.count() > before;
        assert_eq!(answer.status == 200, left, "{more}: {}", answer.text());
        assert!(left || [400, 403].contains(&answer.status), "{more}: {}", answer.text());
        let hidable = ["system", "metadata", "tomorrow", "tools"];
        let must_leave = hidable.iter().any(|key| more.get(key).is_some());
        assert!(left || !must_leave, "{more}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_this_dialects_shape() {
    let (cloud, target) = echo("openai").await;
    let configuration = Configuration::new()
        .target(target)
        .caller("app", "clinic", "the-key")
        .policy(Policy::hostile("trap").on_failure("deny"));
    let gateway = Gateway::start(&configuration);
    let client = gateway.client().with("x-api-key", "the-key");
    let unknown =
        json!({"model": "nobody", "max_tokens": 1, "messages": [{"role": "user", "content": "a"}]});
    let endless = json!({"model": "auto", "messages": [{"role": "user", "content": "a"}]});
    for (client, path, body, status, kind) in [
        (&client, "/v1/messages", message("hello").to_string(), 403, "permission_error"),
        (&client, "/v1/messages", "{".to_owned(), 400, "invalid_request_error"),
        (&client, "/v1/messages", endless.to_string(), 400, "invalid_request_error"),
        (&client, "/v1/messages", unknown.to_string(), 404, "not_found_error"),
        (gateway.client(), "/v1/messages", "{}".to_owned(), 401, "authentication_error"),
        (&client, "/v1/messages/batches", "{}".to_owned(), 404, "not_found_error"),
        (&client, "/v1/messages/count_tokens", "[]".to_owned(), 400, "invalid_request_error"),
    ] {
        let answer = client.post(path, body.clone()).await;
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.text());
        let error = answer.json();
        assert_eq!((&error["type"], &error["error"]["type"]), (&json!("error"), &json!(kind)));
        assert!(error["error"]["message"].as_str().is_some_and(|text| !text.is_empty()));
        assert!(answer.header("request-id").is_some(), "{path}");
        assert_eq!(answer.header("x-ringfence-decision").is_some(), status == 403, "{path}");
    }
    cloud.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn counting_tokens_sends_nothing() {
    let (cloud, target) = echo("anthropic").await;
    let gateway = Gateway::start(&Configuration::new().target(target));
    let count = async |request: &Value| {
        let path = "/v1/messages/count_tokens";
        let answer = gateway.client().post(path, request.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["input_tokens"].as_u64().expect("a number")
    };
    let mut short = message("hello");
    short.as_object_mut().expect("an object").remove("max_tokens");
    let long = message(&"hello there ".repeat(500));
    let (short, long) = (count(&short).await, count(&long).await);
    assert!(short > 0 && long > short + 400, "{short} {long}");
    cloud.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_listed_as_the_client_reads_them() {
    let (_cloud, target) = echo("anthropic").await;
    let gateway = Gateway::start(&Configuration::new().target(target));
    let theirs = gateway.client().with("anthropic-version", "2023-06-01");
    let list = theirs.get("/v1/models").await.json();
    assert_eq!(list["has_more"], false, "{list}");
    let first = &list["data"][0];
    assert_eq!(first["type"], "model", "{list}");
    assert!(first["display_name"].is_string() && first["created_at"].is_string(), "{list}");
    let id = first["id"].as_str().expect("an id");
    assert_eq!(theirs.get(&format!("/v1/models/{id}")).await.json()["id"], id);
    let ours = gateway.client().get("/v1/models").await.json();
    assert_eq!(ours["object"], "list", "{ours}");
}

/// Policies that inspect answers see this dialect's too.
#[tokio::test(flavor = "multi_thread")]
async fn answers_are_inspected() {
    for kind in ["openai", "anthropic"] {
        let text = format!("Ask {EMAIL} about it. {}", "And then wait. ".repeat(20));
        let upstream = {
            let text = text.clone();
            Upstream::start(move |received| {
                let pieces = openai::pieces(&text, 4);
                let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
                match (received.path().ends_with("messages"), openai::is_streamed(received)) {
                    (true, true) => Play::stream().send(anthropic::stream(pieces)).end(),
                    (true, false) => Play::json(&anthropic::whole(&text)),
                    (false, true) => Play::stream().send(openai::stream(pieces)).end(),
                    (false, false) => Play::json(&openai::whole(&text)),
                }
            })
            .await
        };
        let target = match kind {
            "anthropic" => Target::anthropic("cloud", &upstream),
            _ => Target::cloud("cloud", &upstream),
        };
        let policy = Policy::embedded("redact-answers");
        let gateway = Gateway::start(&Configuration::new().target(target).policy(policy));
        for request in [message("hello"), streamed(message("hello"))] {
            let answer = send(gateway.client(), &request).await;
            assert_eq!(said(&answer), text.replace(EMAIL, "[EMAIL]"), "{kind}: {}", answer.text());
            assert_eq!(blocks(&answer).1, "end_turn", "{kind}");
        }
    }
}
