use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::fixtures::{Expected, copy, distance, folder};
use crate::settings::DeviceChoice;

const WITHIN: Duration = Duration::from_secs(60);

fn start(folder: &Path) -> Result<Embedder, LocalError> {
    let device = DeviceChoice::Cpu;
    Embedder::start(&EncoderConfig { folder: folder.to_owned(), device, queue: 4 })
}

fn texts(expected: &Expected) -> Vec<Arc<str>> {
    let texts = expected.list("texts").iter();
    texts.map(|text| text["text"].as_str().expect("a text").into()).collect()
}

async fn equals(embedder: &Embedder, key: &str) {
    let expected = Expected::read("embedder");
    let vectors = embedder.embed(texts(&expected), WITHIN).await.expect("vectors");
    assert_eq!(vectors.len(), expected.list("texts").len());
    for (vector, text) in vectors.iter().zip(expected.list("texts")) {
        let numbers: Vec<f32> = serde_json::from_value(text[key].clone()).expect("numbers");
        assert_eq!(vector.values.len(), embedder.description().widths.whole());
        assert!(distance(&vector.values, &numbers) < 2e-5, "{key} of {}", text["text"]);
        assert_eq!(Some(vector.tokens as usize), text["ids"].as_array().map(Vec::len));
    }
}

#[tokio::test]
async fn vectors_equal_the_reference_in_every_form() {
    let embedder = start(&folder("embedder")).expect("an embedder");
    let description = embedder.description();
    assert_eq!((description.model.as_str(), description.text_tokens), ("embedder", 32));
    assert_eq!((description.widths.whole(), description.device.as_str()), (24, "CPU"));
    equals(&embedder, "normalised").await;

    let made = copy("embedder");
    let write = |file: &str, json: Value| {
        std::fs::write(made.path().join(file), json.to_string()).expect("written");
    };
    std::fs::remove_file(made.path().join("modules.json")).expect("removed");
    equals(&start(made.path()).expect("an embedder"), "mean").await;
    write("1_Pooling/config.json", json!({"pooling_mode_cls_token": true}));
    equals(&start(made.path()).expect("an embedder"), "first").await;
    std::fs::remove_file(made.path().join("1_Pooling/config.json")).expect("removed");
    equals(&start(made.path()).expect("an embedder"), "mean").await;
}

#[tokio::test]
async fn a_text_is_read_whole_or_refused_with_both_numbers() {
    let embedder = start(&folder("embedder")).expect("an embedder");
    let tokens = |text: &str| embedder.embed(vec!["a".into(), text.into()], WITHIN);
    let fits = tokens(&"x ".repeat(30)).await.expect("vectors");
    assert_eq!(fits[1].tokens, 32);
    // One more than a section of a text has, too.
    for words in [31, 20_000] {
        let said = tokens(&"x ".repeat(words)).await;
        let fault = TooLong { text: 1, tokens: words + 2, most: 32 };
        assert_eq!(said, Err(EmbedFault::TooLong(fault)));
        let text = format!("input[1] has {} tokens; this model reads 32", words + 2);
        assert_eq!(fault.to_string(), text);
    }
}

#[tokio::test]
async fn a_call_that_is_late_gives_nothing() {
    let embedder = start(&folder("embedder")).expect("an embedder");
    let said = embedder.embed(vec!["a policy".into()], Duration::ZERO).await;
    assert_eq!(said, Err(EmbedFault::Read(ReadFault::Late)));
    assert_eq!(embedder.embed(Vec::new(), WITHIN).await, Ok(Vec::new()));
}

#[test]
fn another_kind_of_model_is_refused_by_name() {
    for name in ["classifier", "distil-tagger", "llama"] {
        let said = start(&folder(name)).expect_err(name).to_string();
        assert!(said.contains("known: BertModel, DistilBertModel"), "{said}");
    }
    let made = copy("embedder");
    let dense = json!([{"type": "sentence_transformers.models.Dense", "path": "2_Dense"}]);
    std::fs::write(made.path().join("modules.json"), dense.to_string()).expect("written");
    let said = start(made.path()).expect_err("an unknown step").to_string();
    assert!(said.contains("Dense") && said.contains("modules.json"), "{said}");
}
