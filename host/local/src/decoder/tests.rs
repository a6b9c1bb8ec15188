use burn::tensor::{DType, Device};

use super::*;
use crate::fixtures::{self, Expected, distance};
use crate::model::Model;

/// Numbers agree with the reference to this share of the largest one on the CPU.
const NEAR: f32 = 1e-5;

fn near(row: &[f32], expected: &[f32], what: &str) {
    let scale = expected.iter().fold(1.0f32, |most, value| most.max(value.abs()));
    let off = distance(row, expected) / scale;
    assert!(off < NEAR, "{what} differs by {off}");
}

struct Bench {
    model: Model,
    decoder: Decoder,
    device: Device,
    expected: Expected,
}

impl Bench {
    fn new(name: &str) -> Bench {
        let model = fixtures::model(name);
        let device = Device::flex();
        let mut weights = model.weights(DType::F32).expect("whole");
        let decoder =
            Decoder::load(&model.config, &mut weights, &device, DType::F32).expect("it loads");
        Bench { model, decoder, device, expected: Expected::read(name) }
    }

    fn cache(&self, tokens: usize) -> Cache {
        Cache::new(&self.model.config, tokens, &self.device, DType::F32)
    }

    /// The last `rows` rows of logits.
    fn read(&self, ids: &[u32], cache: &mut Cache, rows: usize) -> Vec<Vec<f32>> {
        let logits = self.decoder.read(ids, cache, rows);
        let all = logits.try_into_vec_as::<f32>().expect("numbers");
        all.chunks(self.model.config.vocabulary).map(<[f32]>::to_vec).collect()
    }

    fn all_ids(&self) -> Vec<u32> {
        [self.expected.ids("prompt_ids"), self.expected.ids("greedy_ids")].concat()
    }
}

#[test]
fn logits_equal_the_reference() {
    for name in fixtures::ALL {
        let bench = Bench::new(name);
        let prompt = bench.expected.ids("prompt_ids");
        let mut cache = bench.cache(64);
        let rows = bench.read(&prompt, &mut cache, 4);
        for (row, expected) in rows.iter().zip(bench.expected.rows("prefill_last_logits")) {
            near(row, &expected, &format!("{name}: a prefill"));
        }
        let mut last = rows[3].clone();
        let steps = bench.expected.list("greedy_steps");
        for (step, id) in steps.iter().zip(bench.expected.ids("greedy_ids")) {
            let top_ids: Vec<usize> = serde_json::from_value(step["top_ids"].clone()).expect("ids");
            let top: Vec<f32> = serde_json::from_value(step["top_logits"].clone()).expect("logits");
            let got: Vec<f32> = top_ids.iter().map(|&id| last[id]).collect();
            near(&got, &top, &format!("{name}: a greedy step"));
            let sum = last.iter().map(|&logit| f64::from(logit).exp()).sum::<f64>().ln();
            let expected = step["logsumexp"].as_f64().expect("a number");
            let scale = expected.abs().max(1.0);
            assert!(
                (sum - expected).abs() < scale * f64::from(NEAR),
                "{name}: {sum} for {expected}"
            );
            assert_eq!(top_ids[0], id as usize);
            last = bench.read(&[id], &mut cache, 1).remove(0);
        }
    }
}

#[test]
fn cached_equals_uncached_and_pieces_equal_the_whole() {
    for name in fixtures::ALL {
        let bench = Bench::new(name);
        let ids = bench.all_ids();
        let whole = bench.read(&ids, &mut bench.cache(64), ids.len());
        for piece in [1, 2, 3, 7, 16, 39] {
            let mut cache = bench.cache(64);
            let pieces: Vec<Vec<f32>> =
                ids.chunks(piece).flat_map(|ids| bench.read(ids, &mut cache, ids.len())).collect();
            assert_eq!(cache.length(), ids.len());
            for (row, expected) in pieces.iter().zip(&whole) {
                near(row, expected, &format!("{name}: pieces of {piece}"));
            }
        }
    }
}

#[test]
fn a_used_and_poisoned_cache_equals_a_fresh_one() {
    let bench = Bench::new("llama");
    let ids = bench.all_ids();
    let fresh = bench.read(&ids, &mut bench.cache(64), 1);
    let mut cache = bench.cache(64);
    bench.read(&ids, &mut cache, 1);
    cache.clear();
    cache.poison();
    assert_eq!(bench.read(&ids[..20], &mut cache, 1).len(), 1);
    near(&bench.read(&ids[20..], &mut cache, 1)[0], &fresh[0], "a used cache");
}

#[test]
fn a_grown_cache_keeps_what_it_held() {
    let bench = Bench::new("tied-onekv");
    let ids = bench.all_ids();
    let whole = bench.read(&ids, &mut bench.cache(64), 1);
    let mut cache = bench.cache(30);
    assert_eq!(cache.room(), 64, "rooms are multiples of the step");
    bench.read(&ids[..30], &mut cache, 1);
    let mut cache = cache.grown(&bench.model.config, 65, &bench.device, DType::F32);
    assert_eq!((cache.room(), cache.length()), (128, 30));
    near(&bench.read(&ids[30..], &mut cache, 1)[0], &whole[0], "a grown cache");
}

#[test]
fn names_every_tensor_of_a_fixture() {
    for name in fixtures::ALL {
        let model = fixtures::model(name);
        let weights = model.weights(DType::F32).expect("whole");
        let all = tensors(&model.config);
        assert!(all.iter().all(|(name, _)| weights.has(name)));
        assert!(weights.check(&all, |_| false).is_ok());
        assert!(weights.check(&all[1..], |_| false).is_err(), "an unused one shows");
    }
}
