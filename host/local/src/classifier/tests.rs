use super::*;
use crate::fixtures::{Expected, distance, folder};
use crate::settings::DeviceChoice;

const WITHIN: Duration = Duration::from_secs(60);

fn start(name: &str) -> Result<Classifier, LocalError> {
    let device = DeviceChoice::Cpu;
    Classifier::start(&EncoderConfig { folder: folder(name), device, queue: 4 })
}

#[tokio::test]
async fn probabilities_equal_the_reference() {
    for (name, labels) in [
        ("classifier", ["harmless", "question", "attack"].as_slice()),
        ("distil-classifier", ["health", "finance"].as_slice()),
    ] {
        let classifier = start(name).expect(name);
        assert_eq!(classifier.labels(), labels);
        assert_eq!(Classifier::labels_of(&folder(name)).expect(name), labels);
        let expected = Expected::read(name);
        let texts = expected.list("texts");
        let asked = texts.iter().map(|text| text["text"].as_str().expect("a text").into());
        let said = classifier.classify(asked.collect(), WITHIN).await.expect(name);
        assert_eq!(said.len(), texts.len());
        for (said, text) in said.iter().zip(texts) {
            let numbers = serde_json::from_value::<Vec<f32>>(text["probabilities"].clone());
            assert!(distance(said, &numbers.expect("numbers")) < 2e-5, "{name}: {}", text["text"]);
        }
    }
}

#[tokio::test]
async fn a_long_text_is_what_any_of_its_windows_is() {
    let classifier = start("classifier").expect("a classifier");
    let (one, other) = ("a policy takes targets away ", "1 2 3 4 5 6 7 8 9 0 ");
    let texts = [one.repeat(100), other.repeat(100), one.repeat(100) + &other.repeat(100)];
    let texts = texts.into_iter().map(Into::into).collect();
    let said = classifier.classify(texts, WITHIN).await.expect("probabilities");
    for label in 0..classifier.labels().len() {
        let apart = said[0][label].max(said[1][label]);
        // Where the halves meet windows have both, so that it may only be more, or nearly so:
        // the windows of the second half begin elsewhere.
        assert!(said[2][label] > 0.8 * apart, "{label}: {said:?}");
        assert!((0.0..=1.0).contains(&said[2][label]));
    }
    assert!(said[2].iter().sum::<f32>() > 1.0, "{said:?}");
}

#[test]
fn another_kind_of_model_is_refused_by_name() {
    for name in ["embedder", "tagger"] {
        let said = start(name).expect_err(name).to_string();
        assert!(said.contains("known: BertForSequenceClassification"), "{said}");
    }
}
