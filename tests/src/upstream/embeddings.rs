//! Answers to requests for vectors.

use serde_json::{Value, json};

use super::{Play, Received, openai};

/// For each input a vector of its letters, so that equal texts have equal vectors.
pub fn letters(received: &Received) -> Play {
    let body = received.json();
    let packed = body["encoding_format"] == "base64";
    let data: Vec<Value> = (inputs(received).iter().enumerate())
        .map(|(index, text)| {
            let vector = if packed { json!(pack(text)) } else { json!(vector(text)) };
            json!({"object": "embedding", "index": index, "embedding": vector})
        })
        .collect();
    Play::json(&json!({
        "object": "list", "data": data, "model": openai::MODEL,
        "usage": {"prompt_tokens": 11, "total_tokens": 11},
    }))
}

/// The texts that it was asked about.
pub fn inputs(received: &Received) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    match &received.json()["input"] {
        Value::Array(items) => items.iter().map(text).collect(),
        one => vec![text(one)],
    }
}

/// The vector of a text.
pub fn vector(text: &str) -> [f64; 3] {
    let sum = |step: usize| text.bytes().step_by(step).map(|byte| f64::from(byte) / 256.0).sum();
    [sum(1), sum(2), -0.1]
}

fn pack(text: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> =
        vector(text).iter().flat_map(|&number| (number as f32).to_le_bytes()).collect();
    // Twelve bytes need no padding.
    let digits = bytes.chunks(3).flat_map(|three| {
        let bits = three.iter().fold(0usize, |bits, &byte| bits << 8 | usize::from(byte));
        [18, 12, 6, 0].map(|shift| DIGITS[bits >> shift & 63] as char)
    });
    digits.collect()
}
