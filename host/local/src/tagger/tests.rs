use std::path::Path;

use serde_json::Value;

use super::*;
use crate::encoder::BLOCK_BYTES;
use crate::fixtures::{distance, folder};
use crate::settings::DeviceChoice;

const WITHIN: Duration = Duration::from_secs(60);

fn config() -> TaggerConfig {
    TaggerConfig { folder: folder("tagger"), device: DeviceChoice::Cpu, queue: 4 }
}

fn reader() -> Reader {
    let plan = Plan::read(&config(), Task::Tag).expect("a plan");
    Reader::load(&plan).expect("the fixture loads")
}

fn expected() -> Vec<Value> {
    let text = std::fs::read(folder("tagger").join("expected.json")).expect("a file");
    let value: Value = serde_json::from_slice(&text).expect("JSON");
    value["texts"].as_array().expect("a list").clone()
}

/// What is marked in a text: the kind and the words.
fn marked<'t>(tagger: &Tagger, tags: &[Tag], text: &'t str) -> Vec<(String, &'t str)> {
    tags.iter().map(|tag| (tagger.kinds()[tag.kind].clone(), &text[tag.start..tag.end])).collect()
}

#[test]
fn the_encoder_computes_what_the_reference_computes() {
    let reader = reader();
    for expected in expected() {
        let ids: Vec<u32> = serde_json::from_value(expected["ids"].clone()).expect("ids");
        let rows: Vec<Vec<f32>> = serde_json::from_value(expected["logits"].clone()).expect("rows");
        let text = expected["text"].as_str().expect("a text");
        let pieces = reader.tokenizer.pieces(text).expect("pieces");
        let inner: Vec<u32> = pieces.iter().map(|piece| piece.id).collect();
        assert_eq!(inner, ids[1..ids.len() - 1], "{text}");
        let logits = reader.encoder.read(&[&ids]).expect("logits").remove(0);
        for (ours, theirs) in logits.chunks(rows[0].len()).zip(&rows) {
            assert!(distance(ours, theirs) < 2e-3, "{ours:?} and {theirs:?}");
        }
    }
}

#[tokio::test]
async fn words_are_marked_whole_and_at_their_bytes() {
    let tagger = Tagger::start(&config()).expect("a tagger");
    assert_eq!(tagger.kinds(), ["PER", "LOC", "ORG"]);
    assert!(tagger.description().ends_with("tagger, on CPU"), "{}", tagger.description());
    let texts: Vec<Arc<str>> = expected()
        .iter()
        .map(|expected| expected["text"].as_str().expect("a text").into())
        .collect();
    let tags = tagger.tag(texts.clone(), WITHIN).await.expect("tags");
    let marked: Vec<_> =
        tags.iter().zip(&texts).map(|(tags, text)| marked(&tagger, tags, text)).collect();
    let per = |text| ("PER".to_owned(), text);
    let loc = |text| ("LOC".to_owned(), text);
    let org = |text| ("ORG".to_owned(), text);
    assert_eq!(marked[0], [per("Brilona Vanner"), loc("Kroburg")]);
    let moved = [per("Thalira"), per("Orvalko Stemmann"), loc("Bad Elvaheim"), loc("Merville")];
    assert_eq!(marked[1], moved);
    assert_eq!(marked[2], [org("Isaex GmbH"), org("Dilon Bank")]);
    assert_eq!(marked[3], []);
    let all = tags.iter().flatten();
    assert!(all.clone().all(|tag| (0.5..=1.0).contains(&tag.probability)), "{tags:?}");
}

#[tokio::test]
async fn names_are_found_wherever_windows_and_blocks_end() {
    let tagger = Tagger::start(&config()).expect("a tagger");
    let filler = "The quick brown fox jumps over the lazy dog while it rains . ";
    for words in (0..60).step_by(7) {
        let before: String = filler.split_inclusive(' ').cycle().take(words).collect();
        let text: Arc<str> =
            format!("{before}My name is Brilona Vanner and I live in Kroburg . {filler}").into();
        let tags = tagger.tag(vec![Arc::clone(&text)], WITHIN).await.expect("tags");
        // So small a model takes the one for the other now and then, but it sees them all.
        for name in ["Brilona", "Vanner", "Kroburg"] {
            let at = text.find(name).expect("it is there");
            let covers = |tag: &Tag| tag.start <= at && at + name.len() <= tag.end;
            assert!(tags[0].iter().any(covers), "{words}: {name} in {:?}", tags[0]);
        }
    }
    let sentence = "Please call Brilona Vanner about the order before noon . ";
    let text: Arc<str> = sentence.repeat(2 * BLOCK_BYTES / sentence.len() + 9).into();
    let tags = tagger.tag(vec![Arc::clone(&text)], WITHIN).await.expect("tags");
    let marked = |at: usize| tags[0].iter().any(|tag| tag.start <= at && at < tag.end);
    assert!(text.match_indices("Brilona").all(|(at, _)| marked(at)));
    assert!(text.match_indices("Vanner").all(|(at, _)| marked(at)));
    assert!(!text.match_indices("order").any(|(at, _)| marked(at)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_late_or_refused_and_never_half_answered() {
    let tagger = Arc::new(Tagger::start(&TaggerConfig { queue: 1, ..config() }).expect("a tagger"));
    let long: Arc<str> = "Please call Brilona Vanner . ".repeat(20_000).into();
    let late = tagger.tag(vec![Arc::clone(&long)], Duration::from_millis(20)).await;
    assert_eq!(late, Err(TagFault::Late));
    let now = tagger.tag(vec!["Dear Thalira ,".into()], Duration::ZERO).await;
    assert_eq!(now, Err(TagFault::Late));
    // One is read, one waits, and the others are refused.
    let calls = (0..8).map(|_| {
        let (tagger, long) = (Arc::clone(&tagger), Arc::clone(&long));
        tokio::spawn(async move { tagger.tag(vec![long], Duration::from_millis(400)).await })
    });
    let calls: Vec<_> = calls.collect();
    let mut full = 0;
    for call in calls {
        let said = call.await.expect("a task").expect_err("too long for all of them");
        assert!(matches!(said, TagFault::Full | TagFault::Late), "{said:?}");
        full += usize::from(said == TagFault::Full);
    }
    assert!(full >= 4, "{full}");
    // Who was late does not keep the thread: the next one is read.
    let said = loop {
        match tagger.tag(vec!["Dear Thalira ,".into()], WITHIN).await {
            Err(TagFault::Full) => tokio::time::sleep(Duration::from_millis(5)).await,
            said => break said,
        }
    };
    assert_eq!(said.expect("tags")[0].len(), 1);
}

#[test]
fn a_folder_that_is_no_tagger_is_refused_by_name() {
    let copy = |change: &dyn Fn(&Path)| {
        let made = tempfile::tempdir().expect("a folder");
        for file in ["config.json", "tokenizer.json", "model.safetensors"] {
            std::fs::copy(folder("tagger").join(file), made.path().join(file)).expect("a copy");
        }
        change(made.path());
        let config = TaggerConfig { folder: made.path().to_owned(), ..config() };
        Tagger::start(&config).map(drop).expect_err("it is refused").to_string()
    };
    let replace = |path: &Path, file: &str, from: &str, to: &str| {
        let text = std::fs::read_to_string(path.join(file)).expect("a file");
        assert!(text.contains(from), "{from}");
        std::fs::write(path.join(file), text.replace(from, to)).expect("written");
    };
    for (says, change) in [
        ("RobertaFor", ("config.json", "BertFor", "RobertaFor")),
        ("of shape", ("config.json", "\"intermediate_size\": 96", "\"intermediate_size\": 95")),
        ("[SEP]", ("tokenizer.json", "[SEP]", "[END]")),
    ] {
        let (file, from, to) = change;
        let said = copy(&|path| replace(path, file, from, to));
        assert!(said.contains(says), "{says}: {said}");
    }
    let said = copy(&|path| {
        let file = path.join("model.safetensors");
        let bytes = std::fs::read(&file).expect("a file");
        std::fs::write(file, &bytes[..bytes.len() - 100]).expect("written");
    });
    assert!(said.contains("bytes where its header promises"), "{said}");
}
