//! Answers that come in odd pieces, behind a policy that inspects them.

use ringfence_tests::client::{ask, ask_streamed};
use ringfence_tests::upstream::openai;
use ringfence_tests::{Configuration, Gateway, Play, Policy, Upstream};
use serde_json::{Value, json};

const EVE: &str = "eve.adams@example.net";

fn redacting() -> Policy {
    Policy::embedded("redact-answers").with(json!({"grants": ["findings", "text"]}))
}

/// What clients put together is inspected together, in whatever pieces it comes and
/// whatever comes between them.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_between_two_pieces_does_not_part_them() {
    let said = |delta: Value| openai::delta(delta, None);
    let call = |index: u32, name: Option<&str>, arguments: &str| {
        let mut function = json!({"arguments": arguments});
        let mut call = json!({"index": index});
        if let Some(name) = name {
            function["name"] = json!(name);
            call["id"] = json!(format!("call_{EVE}_{index}"));
        }
        call["function"] = function;
        said(json!({"tool_calls": [call]}))
    };
    let finish = |reason: &str| openai::delta(json!({}), Some(reason));
    let cases = [
        vec![
            said(json!({"content": "AKIAQ3EGRZ", "reasoning_content": ""})),
            said(json!({"content": "5T7YHWPL2M", "reasoning_content": ""})),
            finish("stop"),
        ],
        vec![
            said(json!({"content": "AKIAQ3EGRZ"})),
            said(json!({"reasoning_content": "so"})),
            said(json!({"content": "5T7YHWPL2M"})),
            finish("stop"),
        ],
        vec![
            said(json!({"content": "AKIAQ3EGRZ"})),
            finish("stop"),
            said(json!({"content": "5T7YHWPL2M"})),
        ],
        vec![
            call(0, Some("a"), "{\"x\":\"AKIAQ3EGRZ"),
            call(1, Some("b"), "{}"),
            call(0, None, "5T7YHWPL2M\"}"),
            finish("tool_calls"),
        ],
    ];
    for events in cases {
        let body = [openai::first(), events.concat(), "data: [DONE]\n\n".to_owned()].concat();
        let cloud = {
            let body = body.clone();
            Upstream::start(move |_| Play::stream().send(&body).end()).await
        };
        let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(redacting()));
        let answer = gateway.chat(&ask_streamed("hello")).await;
        let read = answer.text();
        let both = read.contains("AKIAQ3EGRZ") && read.contains("5T7YHWPL2M");
        assert!(!both && !read.contains("eve.adams"), "{body} became {read}");
        assert!(answer.is_done(), "{read}");
    }
}

/// A value that the client knows does not cover for what stands around it.
#[tokio::test(flavor = "multi_thread")]
async fn what_reaches_beyond_a_restored_value_is_hidden() {
    let cloud = Upstream::start(|received| {
        let sent = openai::last_user_text(received);
        let (start, end) = (sent.find('[').unwrap_or(0), sent.find(']').map_or(0, |end| end + 1));
        let url = format!("It is postgres://root:S3cr3tPw9x@{}/db then.", &sent[start..end]);
        openai::reply(received, &url)
    })
    .await;
    let configuration = Configuration::cloud(&cloud)
        .policy(Policy::embedded("redact-pii"))
        .policy(redacting().with(json!({"grants": ["findings"]})));
    let gateway = Gateway::start(&configuration);
    for request in [ask("Our host is 203.0.113.195"), ask_streamed("Our host is 203.0.113.195")] {
        let answer = gateway.chat(&request).await;
        assert!(!answer.content().contains("S3cr3tPw9x"), "{}", answer.text());
    }
}

/// A choice is a row of its own, and its text comes before its calls.
#[tokio::test(flavor = "multi_thread")]
async fn stretches_and_choices_do_not_mix() {
    let said = |choice: u32, delta: Value| {
        openai::event(&json!({"object": "chat.completion.chunk", "model": "stand-in-1",
            "choices": [{"index": choice, "delta": delta, "finish_reason": null}]}))
    };
    let call = json!({"tool_calls": [{"index": 0, "id": "call_1", "type": "function",
        "function": {"name": "mail", "arguments": "{\"a\":1}"}}]});
    let events = [
        openai::first(),
        said(0, json!({"reasoning_content": "Ask eve.adams"})),
        said(0, json!({"content": "Ask eve.adams"})),
        said(1, json!({"content": "@example.net is a host"})),
        said(0, call),
        openai::delta(json!({}), Some("tool_calls")),
        openai::event(&json!({"object": "chat.completion.chunk", "model": "stand-in-1",
            "choices": [{"index": 1, "delta": {}, "finish_reason": "stop"}]})),
        "data: [DONE]\n\n".to_owned(),
    ];
    let body = events.concat();
    let cloud = Upstream::start(move |_| Play::stream().send(&body).end()).await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(redacting()));
    let mut request = ask_streamed("hello");
    request["n"] = json!(2);
    let answer = gateway.chat(&request).await;
    let read: Vec<String> = (answer.chunks().iter())
        .filter_map(|chunk| {
            let (choice, delta) = (&chunk["choices"][0]["index"], &chunk["choices"][0]["delta"]);
            let text = ["reasoning_content", "content"].map(|key| delta[key].as_str());
            let call = delta["tool_calls"][0]["function"]["arguments"].as_str();
            let text = text.into_iter().flatten().chain(call).find(|text| !text.is_empty())?;
            Some(format!("{choice} {text}"))
        })
        .collect();
    let expected =
        ["0 Ask eve.adams", "0 Ask eve.adams", "0 {\"a\":1}", "1 @example.net is a host"];
    assert_eq!(read, expected, "{}", answer.text());
    assert!(answer.is_done(), "{}", answer.text());
}

/// The target's own words are not passed on where answers are inspected.
#[tokio::test(flavor = "multi_thread")]
async fn ids_and_models_are_the_houses_own() {
    let cloud = Upstream::start(|received| {
        let body = match openai::is_streamed(received) {
            true => {
                return Play::stream()
                    .send(openai::stream(["fine"]).replace("chatcmpl-stand-in", EVE))
                    .end();
            }
            false => openai::tool_call("mail", "{}"),
        };
        let text = body.to_string().replace("chatcmpl-stand-in", EVE).replace("call_1", EVE);
        Play::whole(200, &[("content-type", "application/json")], text)
    })
    .await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(redacting()));
    for request in [ask("hello"), ask_streamed("hello")] {
        let answer = gateway.chat(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(!answer.text().contains("eve.adams"), "{}", answer.text());
    }
}
