//! The path that graphics adapters take, on software Vulkan. Its shaders compile anew in
//! every process, so all of it is one test in one process, on tiny shapes, and on the two
//! fixtures that differ most: one shared kv head of an odd width, and as many as heads.
//!
//! Fails where no software adapter is installed (Debian: mesa-vulkan-drivers), unless
//! RINGFENCE_NO_LAVAPIPE=1 says that there is none.

use std::path::Path;

use ringfence_local::{DeviceChoice, LocalConfig, LocalError, ModelSource, inspect, replay};
use serde_json::Value;

/// Numbers agree with the reference to this on an adapter.
const NEAR: f32 = 1e-4;

#[test]
fn logits_equal_the_reference_on_an_adapter() {
    if std::env::var("RINGFENCE_NO_LAVAPIPE").is_ok_and(|value| value == "1") {
        eprintln!("skipped: RINGFENCE_NO_LAVAPIPE=1");
        return;
    }
    for fixture in ["tied-onekv", "biased"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(fixture);
        let config = LocalConfig {
            model: ModelSource::Folder(folder.clone()),
            device: DeviceChoice::SoftwareVulkan,
            ..LocalConfig::embedded()
        };
        match inspect(&config) {
            Ok(seen) => eprintln!("{fixture} on {}", seen.device),
            Err(LocalError::Device(problem)) => panic!("{problem}; or set RINGFENCE_NO_LAVAPIPE=1"),
            Err(fault) => panic!("{fault}"),
        }
        let text = std::fs::read(folder.join("expected.json")).expect("the reference");
        let expected: Value = serde_json::from_slice(&text).expect("JSON");
        let ids =
            |key: &str| -> Vec<u32> { serde_json::from_value(expected[key].clone()).expect("ids") };
        let then = ids("greedy_ids");
        let rows = replay(&config, &ids("prompt_ids"), &then).expect("it computes");
        assert_eq!(rows.len(), then.len() + 1);
        let prefill: Vec<Vec<f32>> =
            serde_json::from_value(expected["prefill_last_logits"].clone()).expect("rows");
        near(&rows[0], &prefill[3], fixture);
        let steps = expected["greedy_steps"].as_array().expect("steps");
        for ((row, step), token) in rows.iter().zip(steps).zip(&then) {
            let tops: Vec<usize> = serde_json::from_value(step["top_ids"].clone()).expect("ids");
            let logits: Vec<f32> =
                serde_json::from_value(step["top_logits"].clone()).expect("logits");
            let got: Vec<f32> = tops.iter().map(|&id| row[id]).collect();
            near(&got, &logits, fixture);
            let best = (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b]));
            assert_eq!(best, Some(*token as usize), "{fixture}");
        }
    }
}

fn near(got: &[f32], expected: &[f32], fixture: &str) {
    assert_eq!(got.len(), expected.len());
    let off = got.iter().zip(expected).map(|(g, e)| (g - e).abs()).fold(0.0, f32::max);
    assert!(off < NEAR, "{fixture}: differs by {off}");
}
