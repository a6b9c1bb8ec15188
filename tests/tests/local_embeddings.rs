//! Vectors that are made in the process, for clients of OpenAI's embeddings.

use std::path::Path;

use ringfence_tests::client::{Answer, ask};
use ringfence_tests::upstream::embeddings;
use ringfence_tests::{Configuration, Gateway, Policy, Target, Upstream, books};
use serde_json::{Value, json};

/// The small model that was made for tests.
fn fixture() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/local/fixtures/embedder")
}

/// A gateway's configuration with the model of vectors and nothing else.
fn inside() -> Configuration {
    let folder = json!(fixture());
    Configuration::new()
        .target(Target::local_embedding("vectors"))
        .section(&format!("[local.embedding]\nfolder = {folder}\ndevice = \"cpu\""))
}

async fn send(gateway: &Gateway, request: &Value) -> Answer {
    gateway.client().post("/v1/embeddings", request.to_string()).await
}

fn request(input: Value) -> Value {
    json!({"model": "embedder", "input": input})
}

/// What the reference says: each text, its vector, and its tokens.
fn expected() -> Vec<(String, Vec<f32>, usize)> {
    let file = std::fs::read(fixture().join("expected.json")).expect("a file");
    let file: Value = serde_json::from_slice(&file).expect("JSON");
    let texts = file["texts"].as_array().expect("a list").iter().map(|text| {
        let vector = serde_json::from_value(text["normalised"].clone()).expect("numbers");
        let tokens = text["ids"].as_array().expect("ids").len();
        (text["text"].as_str().expect("a text").to_owned(), vector, tokens)
    });
    texts.collect()
}

fn unpacked(text: &str) -> Vec<f32> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter(|&digit| digit != b'=');
    let values = digits.map(|digit| DIGITS.iter().position(|&one| one == digit).expect("a digit"));
    let mut bits = 0_u64;
    let (mut held, mut bytes) = (0, Vec::new());
    for value in values {
        bits = bits << 6 | value as u64;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().expect("four"))).collect()
}

/// Float and base64, one input and many: what sentence-transformers would say.
#[tokio::test(flavor = "multi_thread")]
async fn vectors_are_what_the_model_says() {
    let gateway = Gateway::start(&inside());
    let expected = expected();
    let texts: Vec<&str> = expected.iter().map(|(text, ..)| text.as_str()).collect();
    let all: usize = expected.iter().map(|(_, _, tokens)| tokens).sum();
    for (input, count, tokens) in
        [(json!(texts), texts.len(), all), (json!(texts[0]), 1, expected[0].2)]
    {
        for packed in [false, true] {
            let mut asked = request(input.clone());
            asked["encoding_format"] = json!(if packed { "base64" } else { "float" });
            asked["dimensions"] = json!(24);
            asked["user"] = json!("somebody");
            let answer = send(&gateway, &asked).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(answer.target(), "vectors");
            assert_eq!(answer.header("x-ringfence-dropped"), Some("user"));
            let body = answer.json();
            assert_eq!((&body["object"], &body["model"]), (&json!("list"), &json!("embedder")));
            assert_eq!(body["usage"], json!({"prompt_tokens": tokens, "total_tokens": tokens}));
            let data = body["data"].as_array().expect("a list");
            assert_eq!(data.len(), count);
            for (at, (item, (text, vector, _))) in data.iter().zip(&expected).enumerate() {
                assert_eq!(item["index"], at);
                let numbers: Vec<f32> = if packed {
                    unpacked(item["embedding"].as_str().expect("base64"))
                } else {
                    serde_json::from_value(item["embedding"].clone()).expect("numbers")
                };
                assert_eq!(numbers.len(), vector.len());
                let near = numbers.iter().zip(vector).all(|(a, b)| (a - b).abs() < 2e-5);
                assert!(near, "{text:?}: {numbers:?}");
            }
            let decision = answer.header("x-ringfence-decision").expect("a decision");
            let outcome = books::outcome(&gateway.ledger(), decision).await;
            assert_eq!(outcome["usage"]["input"], tokens, "{outcome}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_by_name() {
    let gateway = Gateway::start(&inside());
    let long = json!(["fits", "x ".repeat(31)]);
    for (asked, status, code, says) in [
        (
            request(long),
            400,
            "context_length_exceeded",
            "input[1] has 33 tokens; this model reads 32",
        ),
        (
            json!({"model": "embedder", "input": "x", "dimensions": 8}),
            400,
            "upstream_rejected",
            "`dimensions` is 8, but vectors of this model have 24 numbers and cannot be shortened",
        ),
        (request(json!(vec!["x"; 2049])), 400, "upstream_rejected", "2049 inputs"),
        (json!({"model": "auto", "input": "x"}), 404, "model_not_found", "`auto`"),
    ] {
        let answer = send(&gateway, &asked).await;
        let error = &answer.json()["error"];
        assert_eq!((answer.status, &error["code"]), (status, &json!(code)), "{error}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains(says)), "{error}");
    }
    // What was refused held nothing up.
    assert_eq!(send(&gateway, &request(json!("x"))).await.status, 200);
}

/// A model of vectors answers no chat, under no name.
#[tokio::test(flavor = "multi_thread")]
async fn no_chat_goes_to_a_model_of_vectors() {
    let cloud = Upstream::echo().await;
    let folder = json!(fixture());
    let configuration = Configuration::new()
        .target(Target::local_embedding("vectors"))
        .target(Target::cloud("cloud", &cloud))
        .section(&format!("[local.embedding]\nfolder = {folder}\ndevice = \"cpu\""));
    let gateway = Gateway::start(&configuration);
    assert_eq!(gateway.client().chat(&ask("hello")).await.target(), "cloud");
    let mut named = ask("hello");
    named["model"] = json!("embedder");
    let answer = gateway.client().chat(&named).await;
    assert_eq!(answer.status, 404, "{}", answer.text());

    let alone = Gateway::start(&inside());
    let mut auto = ask("hello");
    auto["model"] = json!("auto");
    let answer = alone.client().chat(&auto).await;
    assert_eq!(answer.status, 404, "{}", answer.text());
    assert_eq!(answer.json()["error"]["code"], "model_not_found");
}

/// Policies decide as for everything else: what may not leave is read inside, and goes
/// nowhere for a caller who may not use what is inside.
#[tokio::test(flavor = "multi_thread")]
async fn policies_decide_over_vectors_too() {
    let cloud = Upstream::start(embeddings::letters).await;
    let configuration = inside()
        .target(Target::cloud("cloud", &cloud).with(json!({"models": ["embedder"]})))
        .policy(Policy::embedded("keep-sensitive-local"))
        .caller("all", "t", "k-all")
        .caller_with("away", "t", "k-away", json!({"targets": ["cloud"]}));
    let gateway = Gateway::start(&configuration);
    let send = async |key: &str, text: &str| {
        let client = gateway.client().with_key(key);
        client.post("/v1/embeddings", request(json!([text])).to_string()).await
    };
    assert_eq!(send("k-all", "Confidential").await.target(), "vectors");
    let refused = send("k-away", "Confidential").await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert_eq!(refused.json()["error"]["code"], "marked_confidential");
    cloud.assert_untouched();
    assert_eq!(send("k-away", "hello").await.target(), "cloud");
    assert_eq!(send("k-nobody", "hello").await.status, 401);
}

/// The model of vectors and the one that writes run side by side.
#[tokio::test(flavor = "multi_thread")]
async fn vectors_and_answers_are_made_at_the_same_time() {
    let folder = json!(fixture());
    let configuration = Configuration::new()
        .target(Target::local("local"))
        .target(Target::local_embedding("vectors"))
        .section(&format!(
            "[local]\nmodel = \"trial\"\ndevice = \"cpu\"\n[local.embedding]\nfolder = {folder}\n\
             device = \"cpu\""
        ));
    let gateway = Gateway::start(&configuration);
    let many = request(json!(vec!["a policy takes targets away; it never adds one"; 2048]));
    let client = gateway.client().clone();
    let vectors =
        tokio::spawn(async move { client.post("/v1/embeddings", many.to_string()).await });
    let mut question = ask("What is a policy?");
    question["model"] = json!("auto");
    let answer = gateway.client().chat(&question).await;
    assert_eq!((answer.status, answer.target()), (200, "local"), "{}", answer.text());
    let vectors = vectors.await.expect("an answer");
    assert_eq!(vectors.json()["data"].as_array().map(Vec::len), Some(2048));
    let models = gateway.client().get("/v1/models").await.json();
    let listed = models["data"].as_array().expect("a list").iter();
    assert!(listed.into_iter().any(|model| model["id"] == "embedder"), "{models}");
}
