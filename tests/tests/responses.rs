//! Clients of OpenAI's responses, in front of targets of every kind.

use ringfence_tests::client::{Answer, Client};
use ringfence_tests::upstream::{anthropic, openai};
use ringfence_tests::{Configuration, Gateway, Play, Policy, Received, Target, Upstream, books};
use serde_json::{Value, json};

const EMAIL: &str = "bob.builder@example.org";

fn request(input: impl Into<Value>, stream: bool) -> Value {
    json!({"model": "auto", "input": input.into(), "stream": stream})
}

async fn send(client: &Client, request: &Value) -> Answer {
    client.post("/v1/responses", request.to_string()).await
}

/// The events of a stream: named as their data says, and numbered from zero.
#[track_caller]
fn events(answer: &Answer) -> Vec<Value> {
    let text = answer.text();
    let blocks = text.split("\n\n").filter(|block| !block.is_empty() && !block.starts_with(':'));
    let events = blocks.enumerate().map(|(number, block)| {
        let (name, data) = block.split_once('\n').unwrap_or_else(|| panic!("{block:?}"));
        let data = data.strip_prefix("data: ").unwrap_or_else(|| panic!("{block:?}"));
        let data: Value = serde_json::from_str(data).unwrap_or_else(|_| panic!("{block:?}"));
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str(), "{block}");
        assert_eq!(data["sequence_number"], number, "{block}");
        data
    });
    events.collect()
}

/// The response that a client ends up with. That of a stream is what its events amount
/// to: they are put together as the official clients do it, and compared with the last.
#[track_caller]
fn response(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    if !answer.is_stream() {
        return answer.json();
    }
    let events = events(answer);
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(kinds[..2], ["response.created", "response.in_progress"], "{}", answer.text());
    let mut items: Vec<Value> = Vec::new();
    for event in &events {
        let index = event["output_index"].as_u64().unwrap_or(0) as usize;
        let part = event["content_index"].as_u64().unwrap_or(0) as usize;
        let append = |slot: &mut Value| {
            *slot =
                json!([&*slot, &event["delta"]].map(|text| text.as_str().unwrap_or("")).concat());
        };
        match event["type"].as_str().unwrap_or("") {
            "response.output_item.added" => {
                assert_eq!(index, items.len(), "items come in order");
                items.push(event["item"].clone());
            }
            "response.content_part.added" => {
                let parts = items[index]["content"].as_array_mut().expect("parts");
                assert_eq!(part, parts.len(), "parts come in order");
                parts.push(event["part"].clone());
            }
            "response.output_text.delta" | "response.reasoning_text.delta" => {
                append(&mut items[index]["content"][part]["text"]);
            }
            "response.refusal.delta" => append(&mut items[index]["content"][part]["refusal"]),
            "response.function_call_arguments.delta" => append(&mut items[index]["arguments"]),
            "response.output_text.done" => {
                assert_eq!(event["text"], items[index]["content"][part]["text"]);
            }
            "response.function_call_arguments.done" => {
                assert_eq!(event["arguments"], items[index]["arguments"]);
            }
            "response.output_item.done" => {
                items[index]["status"] = event["item"]["status"].clone();
                assert_eq!(event["item"], items[index]);
            }
            _ => {}
        }
        if !event["item_id"].is_null() {
            assert_eq!(event["item_id"], items[index]["id"], "{event}");
        }
    }
    let last = events.last().expect("an event")["response"].clone();
    assert_eq!(last["output"], json!(items), "{}", answer.text());
    last
}

#[track_caller]
fn said(answer: &Answer) -> String {
    let response = response(answer);
    let items = response["output"].as_array().cloned().unwrap_or_default();
    let messages = items.iter().filter(|item| item["type"] == "message");
    let parts = messages.flat_map(|item| item["content"].as_array().cloned().unwrap_or_default());
    parts.filter_map(|part| part["text"].as_str().map(str::to_owned)).collect()
}

async fn echo(kind: &str) -> (Upstream, Target) {
    match kind {
        "anthropic" => {
            let upstream = Upstream::start(anthropic::echo).await;
            let target = Target::anthropic("cloud", &upstream);
            (upstream, target)
        }
        _ => {
            let upstream = Upstream::start(openai::echo).await;
            let target = Target::cloud("cloud", &upstream);
            (upstream, target)
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_come_back_restored_from_targets_of_both_kinds() {
    for kind in ["openai", "anthropic"] {
        let (cloud, target) = echo(kind).await;
        let configuration =
            Configuration::new().target(target).policy(Policy::embedded("redact-pii"));
        let gateway = Gateway::start(&configuration);
        let text = format!("Write to {EMAIL}, please.");
        for stream in [false, true] {
            let mut asked = request(text.as_str(), stream);
            asked["instructions"] = json!(format!("You serve {EMAIL}."));
            asked["metadata"] = json!({"team": "red"});
            let answer = send(gateway.client(), &asked).await;
            assert_eq!(said(&answer), format!("You wrote: {text}"), "{kind}: {}", answer.text());
            cloud.assert_never_saw(EMAIL);
            let body = response(&answer);
            assert_eq!(
                (&body["object"], &body["status"]),
                (&json!("response"), &json!("completed"))
            );
            // Nothing is stored, and the answer says so; it repeats what was asked.
            assert_eq!(body["store"], false, "{body}");
            assert_eq!(
                (&body["metadata"], &body["instructions"]),
                (&asked["metadata"], &asked["instructions"])
            );
            assert_eq!((&body["tools"], &body["tool_choice"]), (&json!([]), &json!("auto")));
            assert_eq!(
                (&body["usage"]["input_tokens"], &body["usage"]["total_tokens"]),
                (&json!(11), &json!(18))
            );
            assert_eq!(answer.header("x-ringfence-dropped"), Some("metadata"));
            assert_eq!(answer.target(), "cloud");
            let decision = answer.header("x-ringfence-decision").expect("a decision");
            let outcome = books::outcome(&gateway.ledger(), decision).await;
            assert_eq!((&outcome["usage"]["output"], &outcome["restored"]), (&json!(7), &json!(1)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_in_the_process_answers_too() {
    let configuration = Configuration::new()
        .target(Target::local("local"))
        .section("[local]\nmodel = \"trial\"\ndevice = \"cpu\"");
    let gateway = Gateway::start(&configuration);
    for stream in [false, true] {
        let answer = send(gateway.client(), &request("What is Ringfence?", stream)).await;
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
        let said_first = json!({"role": "user", "content": format!("Mail {EMAIL} twice")});
        let mut asked = request(json!([said_first]), stream);
        asked["tools"] =
            json!([{"type": "function", "name": "mail", "parameters": {"type": "object"}}]);
        let answer = send(gateway.client(), &asked).await;
        let body = response(&answer);
        let call = &body["output"][0];
        assert_eq!(
            (&call["type"], &call["name"]),
            (&json!("function_call"), &json!("mail")),
            "{body}"
        );
        let arguments: Value =
            serde_json::from_str(call["arguments"].as_str().unwrap_or("")).expect("JSON");
        assert_eq!(arguments, json!({"to": EMAIL, "times": 2}));
        assert_eq!(body["tools"], asked["tools"], "{body}");

        // The client sends back what it got, and the result.
        let result = json!({"type": "function_call_output", "call_id": call["call_id"], "output": format!("sent to {EMAIL}")});
        let input = asked["input"].as_array_mut().expect("items");
        input.extend([call.clone(), result]);
        let answer = send(gateway.client(), &asked).await;
        assert_eq!(said(&answer), format!("It says: sent to {EMAIL}"), "{}", answer.text());
        cloud.assert_never_saw(EMAIL);
    }
}

/// Every place of a request that can hold a string.
#[tokio::test(flavor = "multi_thread")]
async fn every_string_is_a_segment() {
    let (cloud, target) = echo("openai").await;
    let configuration = Configuration::new().target(target).policy(Policy::embedded("redact-pii"));
    let gateway = Gateway::start(&configuration);
    let call = json!({"type": "function_call", "call_id": "c", "name": "mail", "arguments": json!({"to": EMAIL}).to_string()});
    let output =
        |output: Value| json!({"type": "function_call_output", "call_id": "c", "output": output});
    let text = json!([{"type": "input_text", "text": EMAIL}]);
    let format = |member: &str| {
        let mut format = json!({"type": "json_schema", "name": "n", "schema": {"type": "object"}});
        format[member] = match member {
            "schema" => json!({"type": "object", "properties": {"a": {"default": EMAIL}}}),
            _ => json!(EMAIL),
        };
        json!({"text": {"format": format}})
    };
    for more in [
        json!({"instructions": EMAIL}),
        json!({"input": [{"role": "user", "content": text}]}),
        json!({"input": [{"role": "developer", "content": EMAIL}, {"role": "user", "content": "a"}]}),
        json!({"input": [call, output(json!(EMAIL))]}),
        json!({"input": [call, output(text.clone())]}),
        json!({"tools": [{"type": "function", "name": "mail", "description": EMAIL, "parameters": {"type": "object", "properties": {"a": {"enum": [EMAIL]}}}}]}),
        format("description"),
        format("schema"),
    ] {
        let mut asked = request("hello", false);
        for (key, value) in more.as_object().expect("an object") {
            asked[key] = value.clone();
        }
        let before = cloud.count();
        let answer = send(gateway.client(), &asked).await;
        assert_eq!(answer.status, 200, "{more}: {}", answer.text());
        assert_eq!(cloud.count(), before + 1);
        cloud.assert_never_saw(EMAIL);
        assert!(cloud.last().json().to_string().contains("[EMAIL_"), "{more}");
    }
}

/// An answer that a policy ends, and one that the target cut, say so.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_ends_early_says_why() {
    let cloud = Upstream::start(|received| {
        if openai::last_user_text(received) == "CUT" {
            return Play::stream().send(openai::first()).send(openai::piece("half")).cut();
        }
        if openai::is_streamed(received) {
            let stream = openai::first() + &openai::piece("so far") + &openai::last("length");
            return Play::stream().send(stream).end();
        }
        let mut whole = openai::whole("so far");
        whole["choices"][0]["finish_reason"] = json!("content_filter");
        Play::json(&whole)
    })
    .await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud));
    for (stream, reason) in [(false, "content_filter"), (true, "max_output_tokens")] {
        let answer = send(gateway.client(), &request("hello", stream)).await;
        let body = response(&answer);
        assert_eq!(
            (&body["status"], &body["incomplete_details"]["reason"]),
            (&json!("incomplete"), &json!(reason))
        );
        assert_eq!(said(&answer), "so far");
        if stream {
            assert_eq!(events(&answer).last().expect("an event")["type"], "response.incomplete");
        }
    }
    let answer = send(gateway.client(), &request("CUT", true)).await;
    let events = events(&answer);
    let ends: Vec<&str> =
        events.iter().rev().take(2).filter_map(|one| one["type"].as_str()).collect();
    assert_eq!(ends, ["response.failed", "error"], "{}", answer.text());
    assert_eq!(events[events.len() - 2]["code"], "answer_broken");
    assert_eq!(events[events.len() - 1]["response"]["error"]["code"], "answer_broken");
}

/// Policies that inspect answers see this dialect's too.
#[tokio::test(flavor = "multi_thread")]
async fn answers_are_inspected() {
    let text = "Ask bob.builder@example.org about it. And then wait. And then wait.";
    let cloud = Upstream::says(text).await;
    let configuration = Configuration::cloud(&cloud).policy(Policy::embedded("redact-answers"));
    let gateway = Gateway::start(&configuration);
    for stream in [false, true] {
        let answer = send(gateway.client(), &request("hello", stream)).await;
        assert_eq!(said(&answer), text.replace(EMAIL, "[EMAIL]"), "{}", answer.text());
        assert!(!answer.text().contains(EMAIL));
    }
}

/// Stored state and tools of a provider's own never leave; nor does anything else.
#[tokio::test(flavor = "multi_thread")]
async fn what_would_reach_out_is_refused() {
    let (cloud, target) = echo("openai").await;
    let gateway = Gateway::start(&Configuration::new().target(target));
    for (more, param) in [
        (json!({"store": true}), "store"),
        (json!({"previous_response_id": "resp_1"}), "previous_response_id"),
        (json!({"conversation": "conv_1"}), "conversation"),
        (json!({"background": true}), "background"),
        (json!({"tools": [{"type": "web_search"}]}), "tools[0].type"),
        (json!({"tools": [{"type": "mcp", "server_url": "https://example.org"}]}), "tools[0].type"),
        (json!({"input": [{"type": "item_reference", "id": "msg_1"}]}), "input[0].type"),
    ] {
        let mut asked = request("hello", false);
        for (key, value) in more.as_object().expect("an object") {
            asked[key] = value.clone();
        }
        let answer = send(gateway.client(), &asked).await;
        let error = answer.json()["error"].clone();
        assert_eq!((answer.status, &error["param"]), (400, &json!(param)), "{error}");
    }
    assert_eq!(gateway.client().get("/v1/responses/resp_1").await.status, 404);
    assert_eq!(gateway.client().get("/v1/responses").await.status, 405);
    cloud.assert_untouched();
}
