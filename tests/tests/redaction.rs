//! What leaves is hidden, and what comes back is as it was.

use std::time::Duration;

use futures_util::StreamExt;
use ringfence_tests::client::{ask, ask_streamed};
use ringfence_tests::upstream::openai;
use ringfence_tests::{Configuration, Gate, Gateway, Play, Policy, Target, Upstream, books};
use serde_json::{Value, json};

const EMAIL: &str = "bob.builder@example.org";
/// Values of every kind that the shipped policy hides.
const PERSONAL: [(&str, &str); 6] = [
    ("EMAIL", EMAIL),
    ("PHONE", "+49 30 901820"),
    ("PAYMENT_CARD", "5425 2334 3010 9903"),
    ("IBAN", "DE75512108001245126199"),
    ("US_SSN", "536-22-8726"),
    ("IP_ADDRESS", "203.0.113.195"),
];

fn redacting(upstream: &Upstream) -> Configuration {
    Configuration::cloud(upstream).policy(Policy::embedded("redact-pii"))
}

/// The placeholder in a text: `[EMAIL_7M2K9QX4TBV1C]`.
fn placeholder_in(text: &str) -> String {
    let start = text.find("[EMAIL_").unwrap_or_else(|| panic!("no placeholder in {text:?}"));
    let end = text[start..].find(']').expect("an end") + start;
    text[start..=end].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_leaves_as_placeholders_and_comes_back() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&redacting(&cloud));
    for (entity, value) in PERSONAL {
        let text = format!("My contact or account is {value}, please use it.");
        for request in [ask(&text), ask_streamed(&text)] {
            let answer = gateway.chat(&request).await;
            assert_eq!(answer.status, 200, "{entity}: {}", answer.text());
            assert_eq!(answer.content(), format!("You wrote: {text}"), "{entity}");
            let sent = openai::last_user_text(&cloud.last());
            assert!(sent.contains(&format!("[{entity}_")), "{entity}: {sent}");
            cloud.assert_never_saw(value);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_without_quotes_is_hidden_too() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&redacting(&cloud));
    let mut request = ask("hello");
    let schema = json!({"type": "object", "properties": {
        "card": {"type": "integer", "default": 5425233430109903u64, "maximum": 99},
        "float": {"default": 5425233430109903.0},
    }});
    request["tools"] =
        json!([{"type": "function", "function": {"name": "pay", "parameters": schema}}]);
    request["metadata"] = json!({"deep": [{"card": 5425233430109903u64}]});
    let answer = gateway.chat(&request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    cloud.assert_never_saw("5425233430109903");
    let sent = cloud.last().json();
    let property = &sent["tools"][0]["function"]["parameters"]["properties"]["card"];
    assert!(property["default"].as_str().is_some_and(|text| text.starts_with("[PAYMENT_CARD_")));
    assert_eq!(property["maximum"], 99);
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_it_is_left_alone() {
    let inside = Upstream::echo().await;
    let policy = Policy::embedded("redact-pii");
    let configuration =
        Configuration::new().target(Target::premises("inside", &inside)).policy(policy);
    let gateway = Gateway::start(&configuration);
    let answer = gateway.chat(&ask(&format!("I am {EMAIL}"))).await;
    assert_eq!(answer.content(), format!("You wrote: I am {EMAIL}"));
    assert_eq!(openai::last_user_text(&inside.last()), format!("I am {EMAIL}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_placeholder_is_restored_at_every_split() {
    // Each request names a cut; the upstream answers with the placeholder in two
    // deltas, cut there.
    let cloud = Upstream::start(|received| {
        let sent = openai::last_user_text(received);
        let (cut, rest) = sent.split_once(' ').unwrap_or(("0", &sent));
        let answer = format!("Hi {}!", placeholder_in(rest));
        let cut: usize = cut.parse().unwrap_or(0).min(answer.len());
        Play::stream().send(openai::stream([&answer[..cut], &answer[cut..]])).end()
    })
    .await;
    let gateway = Gateway::start(&redacting(&cloud));
    let placeholder = "[EMAIL_0123456789ABC]".len();
    for cut in 0..=placeholder + 4 {
        let answer = gateway.chat(&ask_streamed(&format!("{cut} {EMAIL}"))).await;
        assert_eq!(answer.content(), format!("Hi {EMAIL}!"), "cut at {cut}: {}", answer.text());
        assert!(answer.is_done());
    }
    cloud.assert_never_saw(EMAIL);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_may_come_in_any_pieces() {
    let cloud = Upstream::start(|received| {
        let sent = openai::last_user_text(received);
        let (cut, rest) = sent.split_once(' ').unwrap_or(("0", &sent));
        let answer = format!("Grüße an {} – 你好", placeholder_in(rest));
        let pieces = openai::pieces(&answer, 4);
        let body = openai::stream(pieces.iter().map(String::as_str)).into_bytes();
        match cut {
            "all" => {
                let cuts: Vec<usize> = (1..body.len()).collect();
                Play::stream().send_split(&body, &cuts, Duration::ZERO).end()
            }
            cut => {
                let cut = cut.parse::<usize>().unwrap_or(0).min(body.len());
                Play::stream().send_split(&body, &[cut], Duration::from_millis(1)).end()
            }
        }
    })
    .await;
    let gateway = Gateway::start(&redacting(&cloud));
    let cuts = (1..2200).step_by(13).map(|cut| cut.to_string()).chain(["all".to_owned()]);
    for cut in cuts {
        let answer = gateway.chat(&ask_streamed(&format!("{cut} {EMAIL}"))).await;
        assert_eq!(answer.content(), format!("Grüße an {EMAIL} – 你好"), "cut at {cut}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_not_held_back_longer_than_a_placeholder() {
    let gate = Gate::closed();
    let held = gate.clone();
    let cloud = Upstream::start(move |_| {
        Play::stream()
            .send(openai::first())
            .send(openai::piece("One sentence is complete. [EMA"))
            .pass(&held)
            .send(openai::piece("IL without an end."))
            .send(openai::last("stop"))
            .end()
    })
    .await;
    let gateway = Gateway::start(&redacting(&cloud));
    let response = gateway.client().begin(&ask_streamed(&format!("I am {EMAIL}"))).await;
    let mut stream = response.bytes_stream();
    let mut text = String::new();
    while !text.contains("complete.") {
        let piece = tokio::time::timeout(Duration::from_secs(5), stream.next()).await;
        let piece = piece.expect("the gateway held a whole sentence back");
        text.push_str(&String::from_utf8_lossy(&piece.expect("a piece").expect("bytes")));
    }
    gate.open(1);
    while let Some(Ok(piece)) = stream.next().await {
        text.push_str(&String::from_utf8_lossy(&piece));
    }
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    let whole: String = text
        .split("\n\n")
        .filter_map(|event| serde_json::from_str::<Value>(event.strip_prefix("data: ")?).ok())
        .filter_map(|event| Some(event["choices"][0]["delta"]["content"].as_str()?.to_owned()))
        .collect();
    assert_eq!(whole, "One sentence is complete. [EMAIL without an end.");
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_of_tool_calls_are_restored_in_both_directions() {
    let cloud = Upstream::start(|received| {
        let placeholder = placeholder_in(&String::from_utf8_lossy(&received.body));
        let arguments = json!({"to": placeholder, "note": "a \"quoted\" word"}).to_string();
        if openai::is_streamed(received) {
            let pieces = openai::pieces(&arguments, 1);
            let pieces = pieces.iter().map(String::as_str);
            Play::stream().send(openai::tool_stream("send_mail", pieces)).end()
        } else {
            Play::json(&openai::tool_call("send_mail", &arguments))
        }
    })
    .await;
    let gateway = Gateway::start(&redacting(&cloud));
    let tools = json!([{"type": "function", "function": {
        "name": "send_mail", "parameters": {"type": "object"},
    }}]);
    for streamed in [false, true] {
        let mut request = ask(&format!("Write to {EMAIL}"));
        request["tools"] = tools.clone();
        request["stream"] = json!(streamed);
        let answer = gateway.chat(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let arguments: Value = serde_json::from_str(&answer.arguments()).expect("JSON");
        assert_eq!(arguments, json!({"to": EMAIL, "note": "a \"quoted\" word"}));

        // The next turn carries the call and its result back.
        request["messages"] = json!([
            {"role": "user", "content": format!("Write to {EMAIL}")},
            {"role": "assistant", "content": null, "tool_calls": [{
                "id": "call_1", "type": "function",
                "function": {"name": "send_mail", "arguments": arguments.to_string()},
            }]},
            {"role": "tool", "tool_call_id": "call_1", "content": format!("sent to {EMAIL}")},
        ]);
        let answer = gateway.chat(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    cloud.assert_never_saw(EMAIL);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_value_has_the_same_placeholder_in_every_turn_and_none_of_another_tenant() {
    let cloud = Upstream::echo().await;
    let configuration = redacting(&cloud).caller("a", "clinic", "rf-a").caller("b", "bank", "rf-b");
    let gateway = Gateway::start(&configuration);
    let mut seen = Vec::new();
    for key in ["rf-a", "rf-a", "rf-b"] {
        let client = gateway.client().with_key(key);
        client.chat(&ask(&format!("{EMAIL} and again {EMAIL}"))).await;
        let sent = openai::last_user_text(&cloud.last());
        let placeholder = placeholder_in(&sent);
        assert_eq!(sent, format!("{placeholder} and again {placeholder}"));
        seen.push(placeholder);
    }
    assert_eq!(seen[0], seen[1], "turns differ");
    assert_ne!(seen[0], seen[2], "tenants share a placeholder");

    // Another tenant's placeholder is only a word.
    let client = gateway.client().with_key("rf-b");
    let answer = client.chat(&ask(&format!("What is {}?", seen[0]))).await;
    assert!(!answer.text().contains(EMAIL), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn placeholders_may_have_a_valid_form() {
    let cloud = Upstream::start(|received| {
        let sent = openai::last_user_text(received);
        let pieces = openai::pieces(&format!("You wrote: {sent}"), 3);
        Play::stream().send(openai::stream(pieces.iter().map(String::as_str))).end()
    })
    .await;
    let shaped = "[placeholders]\nshaped = [\"EMAIL\", \"PAYMENT_CARD\", \"PHONE\"]\n";
    let gateway = Gateway::start(&redacting(&cloud).section(shaped));
    let text = "I am bob@example.org, not amy@example.org: 5425 2334 3010 9903, +49 30 901820; m9";
    let answer = gateway.chat(&ask_streamed(text)).await;
    assert_eq!(answer.content(), format!("You wrote: {text}"));
    let sent = openai::last_user_text(&cloud.last());
    assert_eq!(sent.matches("@placeholder.invalid").count(), 2, "{sent}");
    let words: Vec<&str> = sent.split([' ', ',', ':', ';']).collect();
    assert!(words.iter().any(|word| word.len() == 19 && word.starts_with('9')), "{sent}");
    assert!(words.iter().any(|word| word.len() == 16 && word.starts_with("+999")), "{sent}");
    for value in ["bob@", "amy@", "5425 2334", "901820"] {
        cloud.assert_never_saw(value);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_in_the_middle_of_a_conversation_changes_nothing_for_the_client() {
    let cloud = Upstream::echo().await;
    let mut gateway = Gateway::start(&redacting(&cloud));
    let first = gateway.chat(&ask(&format!("I am {EMAIL}"))).await;
    let before = placeholder_in(&openai::last_user_text(&cloud.last()));
    assert_eq!(gateway.stop(), 0);
    std::fs::remove_file(gateway.folder().join("state/keys/placeholders")).expect("a key");
    let gateway = gateway.restart().expect("it starts with a new key");
    let request = json!({"model": "auto", "messages": [
        {"role": "user", "content": format!("I am {EMAIL}")},
        {"role": "assistant", "content": first.content()},
        {"role": "user", "content": format!("Who is {EMAIL}?")},
    ]});
    let answer = gateway.chat(&request).await;
    assert_eq!(answer.content(), format!("You wrote: Who is {EMAIL}?"));
    assert_ne!(placeholder_in(&openai::last_user_text(&cloud.last())), before);
    cloud.assert_never_saw(EMAIL);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_forges_stays_what_it_is() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&redacting(&cloud));
    let forged = "[EMAIL_0123456789ABC] and [EMAIL_] and [SECRET_ZZZZZZZZZZZZZ]";
    let text = format!("{forged} but I am {EMAIL}");
    for request in [ask(&text), ask_streamed(&text)] {
        let answer = gateway.chat(&request).await;
        assert_eq!(answer.content(), format!("You wrote: {text}"));
    }
    cloud.assert_never_saw(EMAIL);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_system_prompt_held_is_not_told_to_the_user() {
    let cloud = Upstream::start(|received| {
        let body = received.json();
        let system = body["messages"][0]["content"].as_str().unwrap_or("").to_owned();
        openai::reply(received, &format!("My instructions say: {system}"))
    })
    .await;
    let gateway = Gateway::start(&redacting(&cloud));
    for streamed in [false, true] {
        let request = json!({"model": "auto", "stream": streamed, "messages": [
            {"role": "system", "content": format!("The owner is {EMAIL}.")},
            {"role": "user", "content": "Who owns you?"},
        ]});
        let answer = gateway.chat(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(!answer.content().contains(EMAIL), "{}", answer.content());
        assert!(answer.content().contains("[EMAIL"), "{}", answer.content());
    }
    cloud.assert_never_saw(EMAIL);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_never_restored() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&redacting(&cloud));
    let secret =
        format!("ghp_{}", "16C7e42F292c6912E7710c838347Ae178B4a".chars().rev().collect::<String>());
    for request in [ask(&format!("token {secret}")), ask_streamed(&format!("token {secret}"))] {
        let answer = gateway.chat(&request).await;
        if answer.status == 200 {
            assert!(!answer.content().contains(&secret), "{}", answer.content());
        } else {
            assert_eq!(answer.status, 403, "{}", answer.text());
        }
    }
    cloud.assert_never_saw(&secret);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_unknown_fields_are_covered_too() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&redacting(&cloud));
    let places = [
        json!({"user": EMAIL}),
        json!({"metadata": {"owner": EMAIL}}),
        json!({"metadata": {EMAIL: "owner"}}),
        json!({"stop": [EMAIL]}),
        json!({"never_heard_of": {"deep": [{"er": EMAIL}]}}),
        json!({"prediction": {"type": "content", "content": EMAIL}}),
        json!({"tools": [{"type": "function", "function": {
            "name": "f", "description": format!("writes to {EMAIL}"),
            "parameters": {"type": "object", "properties": {"to": {"enum": [EMAIL]}}},
        }}]}),
        json!({"response_format": {"type": "json_schema", "json_schema": {
            "name": "s", "schema": {"type": "object", "description": EMAIL},
        }}}),
        json!({"messages": [{"role": "user", "name": "bob", "content": [
            {"type": "text", "text": format!("I am {EMAIL}")},
        ]}]}),
        json!({"messages": [
            {"role": "assistant", "content": format!("You said {EMAIL}")},
            {"role": "user", "content": "Did I?"},
        ]}),
    ];
    for place in places {
        let mut request = ask("hello");
        for (key, value) in place.as_object().into_iter().flatten() {
            request[key] = value.clone();
        }
        let answer = gateway.chat(&request).await;
        assert!([200, 400, 403].contains(&answer.status), "{place}: {}", answer.text());
        cloud.assert_never_saw(EMAIL);
    }
    assert!(cloud.count() > 6, "only {} of these requests left", cloud.count());
}

#[tokio::test(flavor = "multi_thread")]
async fn disguises_do_not_help() {
    let cloud = Upstream::echo().await;
    let configuration = redacting(&cloud).policy(Policy::embedded("keep-sensitive-local"));
    let gateway = Gateway::start(&configuration);
    let card = "5425233430109903";
    let full_width: String = card
        .chars()
        .map(|digit| char::from_u32(digit as u32 - '0' as u32 + '０' as u32).expect("a digit"))
        .collect();
    let zero_width: String = card.chars().flat_map(|digit| [digit, '\u{200b}']).collect();
    for disguised in [full_width, zero_width, "5425-2334-3010-9903".to_owned()] {
        let answer = gateway.chat(&ask(&format!("My card number is {disguised} ok"))).await;
        assert!([200, 403].contains(&answer.status), "{}", answer.text());
        cloud.assert_never_saw(&disguised);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_counts_what_was_hidden_and_restored() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&redacting(&cloud));
    let answer = gateway.chat(&ask(&format!("{EMAIL} and 203.0.113.195"))).await;
    let decision = answer.header("x-ringfence-decision").expect("a decision").to_owned();
    let departure = books::of(&gateway.ledger(), "departure", &decision).remove(0);
    assert_eq!(departure["findings"]["EMAIL"], 1, "{departure}");
    assert_eq!(departure["findings"]["IP_ADDRESS"], 1, "{departure}");
    let length = departure["bytes"]["length"].as_u64();
    assert_eq!(length, Some(cloud.last().body.len() as u64), "{departure}");
    let outcome = books::outcome(&gateway.ledger(), &decision).await;
    assert_eq!((&outcome["ended"], &outcome["restored"]), (&json!("complete"), &json!(2)));
    let text = std::fs::read_to_string(gateway.ledger()).expect("a ledger");
    assert!(!text.contains(EMAIL) && !text.contains("[EMAIL_"), "{text}");
}
