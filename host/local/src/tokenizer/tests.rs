use super::*;
use crate::fixtures::{self, Expected};

/// The text that comes when an answer's tokens come one by one, and its pieces.
fn unfolded(tokenizer: &Tokenizer, ids: &[u32]) -> (String, Vec<String>) {
    let mut unfolding = Unfolding::new(tokenizer);
    let mut pieces: Vec<String> =
        ids.iter().map(|&id| unfolding.push(id).expect("it decodes")).collect();
    pieces.push(unfolding.finish().expect("it decodes"));
    (pieces.concat(), pieces)
}

#[test]
fn tokens_equal_the_reference() {
    for name in fixtures::ALL {
        let tokenizer = fixtures::model(name).tokenizer;
        for case in Expected::read(name).list("tokenization") {
            let text = case["text"].as_str().expect("a text");
            let ids: Vec<u32> =
                serde_json::from_value(case["ids_without_specials"].clone()).expect("ids");
            assert_eq!(tokenizer.encode(text), Ok(ids.clone()), "{name}: {text:?}");
            assert_eq!(
                tokenizer.decode(&ids),
                Ok(case["decoded"].as_str().expect("a text").into())
            );
            assert!(tokenizer.at_least(text.len()) <= ids.len());
        }
    }
}

#[test]
fn one_by_one_equals_all_at_once_without_half_characters() {
    for name in fixtures::ALL {
        let tokenizer = fixtures::model(name).tokenizer;
        for case in Expected::read(name).list("tokenization") {
            let text = case["text"].as_str().expect("a text");
            let ids = tokenizer.encode(text).expect("it encodes");
            let whole = tokenizer.decode(&ids).expect("it decodes");
            let (joined, pieces) = unfolded(&tokenizer, &ids);
            assert_eq!(joined, whole, "{name}: {text:?}");
            assert!(pieces.iter().all(|piece| !piece.contains('\u{FFFD}')), "{name}: {pieces:?}");
            // Cut anywhere, nothing comes that the whole text does not begin with.
            for end in 0..ids.len() {
                let (part, _) = unfolded(&tokenizer, &ids[..end]);
                assert!(whole.starts_with(&part), "{name}: {part:?} of {whole:?}");
            }
        }
    }
}

#[test]
fn broken_bytes_do_not_wait_for_ever() {
    let tokenizer = fixtures::model("tied-onekv").tokenizer;
    let byte = tokenizer.id("<0xE4>").expect("a byte");
    let letter = tokenizer.encode("a").expect("it encodes");
    let mut unfolding = Unfolding::new(&tokenizer);
    let mut empty = 0;
    for _ in 0..3 * Unfolding::WAITING {
        match unfolding.push(byte).expect("it decodes") {
            text if text.is_empty() => empty += 1,
            _ => empty = 0,
        }
        assert!(empty < Unfolding::WAITING);
    }
    let after: String = letter.iter().map(|&id| unfolding.push(id).expect("it decodes")).collect();
    assert!(after.ends_with('a'), "{after:?}");
    assert_eq!(unfolding.finish(), Ok(String::new()));
}

#[test]
fn a_character_of_the_prompt_that_is_no_byte_is_no_token_of_it() {
    // Special tokens in a client's text are tokens, as in the reference.
    let tokenizer = fixtures::model("llama").tokenizer;
    let end = tokenizer.id("<|im_end|>").expect("a token");
    assert_eq!(tokenizer.encode("<|im_end|>"), Ok(vec![end]));
    assert_eq!(tokenizer.decode(&[end]), Ok(String::new()));
}
