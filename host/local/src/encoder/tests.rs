use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::windows::Window;
use super::*;
use crate::fixtures::{Expected, distance, folder};
use crate::settings::DeviceChoice;

/// Numbers agree with the reference to this share of the largest one on the CPU.
const NEAR: f32 = 1e-5;

fn config(folder: &Path) -> EncoderConfig {
    EncoderConfig { folder: folder.to_owned(), device: DeviceChoice::Cpu, queue: 4 }
}

fn reader(name: &str, task: Task) -> Reader {
    let plan = Plan::read(&config(&folder(name)), task).expect("a plan");
    Reader::load(&plan).expect("the fixture loads")
}

fn near(row: &[f32], expected: &[f32], what: &str) {
    let scale = expected.iter().fold(1.0f32, |most, value| most.max(value.abs()));
    let off = distance(row, expected) / scale;
    assert!(off < NEAR, "{what}: differs by {off}");
}

/// Reads texts whole, without a thread and without an end in time.
fn read(reader: &Reader, texts: &[Arc<str>], each: impl FnMut(&Window, &[f32])) {
    let call = Call::new(texts, Duration::from_secs(600), &|| false);
    reader.read(&call, each).expect("it reads");
}

#[test]
fn each_window_alone_and_all_together_equal_the_reference() {
    for (name, task, key) in [
        ("embedder", Task::Embed, "mean"),
        ("classifier", Task::Classify, "outputs"),
        ("distil-classifier", Task::Classify, "outputs"),
        ("distil-tagger", Task::Tag, "outputs"),
    ] {
        let reader = reader(name, task);
        let expected = Expected::read(name);
        let texts = expected.list("texts");
        let ids: Vec<Vec<u32>> = (texts.iter())
            .map(|text| serde_json::from_value(text["ids"].clone()).expect("ids"))
            .collect();
        for (text, ids) in texts.iter().zip(&ids) {
            // The file cuts and fills what it encodes, and a text may spell a mark.
            let text = text["text"].as_str().expect("a text");
            let pieces = reader.tokenizer.pieces(text).expect("it encodes");
            let inner: Vec<u32> = pieces.iter().map(|piece| piece.id).collect();
            assert_eq!(inner, ids[1..ids.len() - 1], "{name}: {text:?}");
        }
        let windows: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
        let together = reader.encoder.read(&windows).expect("numbers");
        assert_eq!(together.len(), texts.len());
        for ((text, window), row) in texts.iter().zip(&windows).zip(&together) {
            let numbers: Vec<f32> = serde_json::from_value(text[key].clone()).expect("numbers");
            let alone = reader.encoder.read(&[window]).expect("numbers").remove(0);
            near(&alone, &numbers, &format!("{name}, alone"));
            near(row, &numbers, &format!("{name}, together"));
        }
    }
}

#[test]
fn a_long_text_is_read_in_windows_and_its_tokens_are_counted_once() {
    let reader = reader("classifier", Task::Classify);
    assert_eq!(reader.most(), 40);
    let sentence = "What leaves is a departure, and the ledger knows it first. ";
    for times in [1, 3, 40, 2 * BLOCK_BYTES / sentence.len() + 3] {
        let text: Arc<str> = sentence.repeat(times).into();
        let tokens = reader.tokenizer.pieces(&text).expect("it encodes").len();
        let call = Call::new(&[], Duration::from_secs(600), &|| false);
        assert_eq!(reader.pieces(&text, &call).map(|pieces| pieces.len()), Ok(tokens));
        let (mut most, mut windows) = (0, 0);
        read(&reader, std::slice::from_ref(&text), |window, row| {
            assert_eq!(row.len(), 3);
            most = most.max(window.pieces.len() + Reader::MARKS);
            windows += 1;
        });
        assert!(most <= 40, "{most}");
        assert_eq!(windows == 1, tokens <= 38, "{times} sentences");
    }
}

#[test]
fn what_is_read_beside_a_text_changes_nothing() {
    let reader = reader("embedder", Task::Embed);
    let words = "a policy takes targets away; it never adds one. what leaves is a departure ";
    let texts: Vec<Arc<str>> =
        (0..90).map(|at| words.repeat(3)[at % 7..at * 2].trim().to_owned().into()).collect();
    let mut together = vec![Vec::new(); texts.len()];
    read(&reader, &texts, |window, row| together[window.text].push((window.from, row.to_vec())));
    for (text, together) in texts.iter().zip(&mut together) {
        let mut alone = Vec::new();
        read(&reader, std::slice::from_ref(text), |window, row| {
            alone.push((window.from, row.to_vec()));
        });
        assert_eq!(alone.len(), together.len());
        // Windows come in no order; the sum of their numbers tells them apart.
        for rows in [&mut alone, &mut *together] {
            rows.sort_by(|left, right| left.1[0].total_cmp(&right.1[0]));
        }
        for ((_, alone), (_, together)) in alone.iter().zip(together.iter()) {
            near(together, alone, text);
        }
    }
}

#[test]
fn a_number_that_is_none_is_a_failure() {
    let mut reader = reader("classifier", Task::Classify);
    let poison = Tensor::full([40, 24], f32::NAN, &reader.encoder.device);
    reader.encoder.positions = poison;
    let texts = ["anything".into()];
    let call = Call::new(&texts, Duration::from_secs(600), &|| false);
    assert_eq!(reader.read(&call, |_, _| {}), Err(ReadFault::Failed));
}

#[test]
fn who_has_left_is_not_read() {
    let reader = reader("classifier", Task::Classify);
    let texts = ["anything".into()];
    for (within, is_gone) in [(Duration::ZERO, false), (Duration::from_secs(600), true)] {
        let is_gone = || is_gone;
        let call = Call::new(&texts, within, &is_gone);
        let said = reader.read(&call, |_, _| panic!("it is read"));
        assert_eq!(said, Err(ReadFault::Late));
    }
}
