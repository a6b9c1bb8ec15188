//! Clients that ask for vectors.

use ringfence_tests::client::{Answer, Client};
use ringfence_tests::upstream::{anthropic, embeddings, openai};
use ringfence_tests::{Configuration, Gateway, Play, Policy, Target, Upstream, books};
use serde_json::{Value, json};

const EMAIL: &str = "bob.builder@example.org";

fn request(input: Value) -> Value {
    json!({"model": openai::MODEL, "input": input})
}

async fn send(client: &Client, request: &Value) -> Answer {
    client.post("/v1/embeddings", request.to_string()).await
}

/// The vectors of an answer, in order.
#[track_caller]
fn vectors(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["object"], "list");
    let data = body["data"].as_array().expect("a list");
    let vectors = data.iter().enumerate().map(|(index, item)| {
        assert_eq!((&item["object"], &item["index"]), (&json!("embedding"), &json!(index)));
        item["embedding"].clone()
    });
    vectors.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_pass_as_they_were_written() {
    let cloud = Upstream::start(embeddings::letters).await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud));
    for (input, texts) in [
        (json!("hello"), vec!["hello"]),
        (json!(["hello", "", "there"]), vec!["hello", "", "there"]),
    ] {
        let answer = send(gateway.client(), &request(input)).await;
        let expected: Vec<Value> =
            texts.iter().map(|text| json!(embeddings::vector(text))).collect();
        assert_eq!(vectors(&answer), expected);
        let body = answer.json();
        assert_eq!(body["usage"], json!({"prompt_tokens": 11, "total_tokens": 11}));
        assert_eq!(body["model"], openai::MODEL);
        assert_eq!(answer.target(), "cloud");
        assert_eq!(cloud.last().path(), "/v1/embeddings");
        let decision = answer.header("x-ringfence-decision").expect("a decision");
        let outcome = books::outcome(&gateway.ledger(), decision).await;
        assert_eq!(outcome["usage"]["input"], 11, "{outcome}");
    }
    let mut packed = request(json!("hello"));
    for (name, value) in [
        ("encoding_format", json!("base64")),
        ("dimensions", json!(3)),
        ("user", json!("u")),
        ("input_type", json!("query")),
    ] {
        packed[name] = value;
    }
    let answer = send(gateway.client(), &packed).await;
    assert!(vectors(&answer)[0].as_str().is_some_and(|text| text.len() == 16), "{}", answer.text());
    assert_eq!(cloud.last().json(), packed);
}

/// Detectors and policies see every input, and equal values are hidden alike.
#[tokio::test(flavor = "multi_thread")]
async fn inputs_are_hidden_as_in_chats() {
    let cloud = Upstream::start(embeddings::letters).await;
    let configuration = Configuration::cloud(&cloud)
        .policy(Policy::embedded("redact-pii"))
        .policy(Policy::embedded("redact-answers"));
    let gateway = Gateway::start(&configuration);
    let text = format!("Write to {EMAIL}.");
    let first = send(gateway.client(), &request(json!([text, "other", text]))).await;
    let second = send(gateway.client(), &request(json!(text))).await;
    let (first, second) = (vectors(&first), vectors(&second));
    cloud.assert_never_saw(EMAIL);
    assert_eq!((&first[0], &first[0]), (&first[2], &second[0]));
    assert_ne!(first[0], first[1]);
    let sent = embeddings::inputs(&cloud.last());
    assert!(sent[0].starts_with("Write to [EMAIL_"), "{sent:?}");
    let mut named = request(json!("hello"));
    named["user"] = json!(EMAIL);
    named["later"] = json!({"of": EMAIL});
    assert_eq!(send(gateway.client(), &named).await.status, 200);
    cloud.assert_never_saw(EMAIL);
}

/// Vectors of two models do not compare: another model is no fallback, nor is an alias.
#[tokio::test(flavor = "multi_thread")]
async fn no_other_model_takes_over() {
    let broken = Upstream::start(|_| Play::failure(503, "{}")).await;
    let other = Upstream::start(|received| {
        let embeds = received.path().ends_with("/embeddings");
        if embeds { embeddings::letters(received) } else { openai::echo(received) }
    })
    .await;
    let configuration = Configuration::new().target(Target::premises("broken", &broken)).target(
        Target::cloud("other", &other)
            .with(json!({"models": [{"name": "other-model", "aliases": [openai::MODEL]}]})),
    );
    let gateway = Gateway::start(&configuration);
    let answer = send(gateway.client(), &request(json!("hello"))).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(broken.count(), 2, "the same target is tried again");
    other.assert_untouched();
    // A chat for the same name goes on to the other target.
    let chat = json!({"model": openai::MODEL, "messages": [{"role": "user", "content": "a"}]});
    assert_eq!(gateway.client().chat(&chat).await.target(), "other");

    for (asked, status) in [("auto", 404), ("nobody", 404), ("other-model", 200)] {
        let answer = send(gateway.client(), &json!({"model": asked, "input": "hello"})).await;
        assert_eq!(answer.status, status, "{asked}: {}", answer.text());
        if status != 200 {
            let error = &answer.json()["error"];
            assert_eq!(
                (&error["code"], &error["param"]),
                (&json!("model_not_found"), &json!("model"))
            );
        }
    }
}

/// The same model elsewhere is the same model.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_model_elsewhere_may_answer() {
    let broken = Upstream::start(|_| Play::failure(503, "{}")).await;
    let well = Upstream::start(embeddings::letters).await;
    let configuration = Configuration::new()
        .target(Target::premises("broken", &broken))
        .target(Target::cloud("well", &well));
    let gateway = Gateway::start(&configuration);
    let answer = send(gateway.client(), &request(json!("hello"))).await;
    assert_eq!((vectors(&answer).len(), answer.target()), (1, "well"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_targets_that_have_vectors_are_asked() {
    let claude = Upstream::start(anthropic::echo).await;
    let configuration = Configuration::new()
        .target(Target::anthropic("claude", &claude))
        .target(Target::local("local"))
        .section("[local]\nmodel = \"trial\"\ndevice = \"cpu\"");
    let gateway = Gateway::start(&configuration);
    let models = gateway.client().get("/v1/models").await.json();
    let names = models["data"].as_array().expect("a list").iter();
    let names: Vec<&str> = names.filter_map(|one| one["id"].as_str()).collect();
    for name in names.into_iter().filter(|name| *name != "auto") {
        let answer = send(gateway.client(), &json!({"model": name, "input": "hello"})).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.text());
        let error = &answer.json()["error"];
        assert_eq!(error["code"], "unsupported", "{error}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains("embeddings")));
    }
    claude.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_read_is_refused() {
    let cloud = Upstream::start(embeddings::letters).await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud));
    for (input, param) in [
        (json!([1, 2, 3]), "input[0]"),
        (json!([[1, 2], [3]]), "input[0]"),
        (json!(["a", [1, 2]]), "input[1]"),
        (json!([]), "input"),
    ] {
        let answer = send(gateway.client(), &request(input)).await;
        let error = answer.json()["error"].clone();
        assert_eq!((answer.status, &error["param"]), (400, &json!(param)), "{error}");
    }
    let got = gateway.client().get("/v1/embeddings").await;
    assert_eq!(got.status, 405);
    cloud.assert_untouched();
}

/// An answer in which a vector is missing, or holds words, is none.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_answer_is_no_answer() {
    for data in [
        json!([{"index": 0, "embedding": [1.0]}]),
        json!([{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}]),
        json!([{"index": 0, "embedding": "canary words"}, {"index": 1, "embedding": [1.0]}]),
    ] {
        let body = json!({"object": "list", "data": data, "model": openai::MODEL});
        let cloud = Upstream::start(move |_| Play::json(&body)).await;
        let gateway = Gateway::start(&Configuration::cloud(&cloud));
        let answer = send(gateway.client(), &request(json!(["a", "b"]))).await;
        assert_eq!(answer.status, 502, "{}", answer.text());
        assert_eq!(answer.json()["error"]["code"], "upstream_broken");
        assert!(!answer.text().contains("canary"));
    }
}
