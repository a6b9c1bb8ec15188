use burn::tensor::{DType, TensorData, bf16, f16};
use safetensors::Dtype;

use super::*;
use crate::fixtures;

fn cast(bytes: &[u8], from: Dtype, to: DType) -> Result<TensorData, String> {
    numbers::cast(bytes, from, vec![bytes.len() / if from == Dtype::F32 { 4 } else { 2 }], to)
}

fn singles(data: &TensorData) -> Vec<f32> {
    data.try_to_vec::<f32>().expect("f32")
}

#[test]
fn every_stored_type_is_exact_in_f32() {
    let values = [0.0, -0.0, 1.0, -1.5, 3.5e-5, 60_000.0];
    let halves = values.map(f16::from_f32);
    let bytes: Vec<u8> = halves.iter().flat_map(|value| value.to_le_bytes()).collect();
    let got = singles(&cast(&bytes, Dtype::F16, DType::F32).expect("f16"));
    assert_eq!(got, halves.map(f16::to_f32));
    let brains = values.map(bf16::from_f32);
    let bytes: Vec<u8> = brains.iter().flat_map(|value| value.to_le_bytes()).collect();
    let got = singles(&cast(&bytes, Dtype::BF16, DType::F32).expect("bf16"));
    assert_eq!(got, brains.map(bf16::to_f32));
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(singles(&cast(&bytes, Dtype::F32, DType::F32).expect("f32")), values);
    let got = cast(&bytes, Dtype::F32, DType::F16).expect("they fit").try_to_vec::<f16>();
    assert_eq!(got.expect("f16"), halves);
}

#[test]
fn what_does_not_fit_is_refused() {
    let large: Vec<u8> = bf16::from_f32(1e6).to_le_bytes().to_vec();
    assert!(cast(&large, Dtype::BF16, DType::F32).is_ok());
    let problem = cast(&large, Dtype::BF16, DType::F16).expect_err("too large");
    assert!(problem.contains("f16 cannot hold"), "{problem}");
    let nan: Vec<u8> = f32::NAN.to_le_bytes().to_vec();
    assert!(cast(&nan, Dtype::F32, DType::F32).is_err());
    assert!(cast(&[0, 0], Dtype::I16, DType::F32).is_err());
}

#[test]
fn shards_are_one_model() {
    let read = |fixture: &str, tensor: &str| {
        let mut weights = fixtures::model(fixture).weights(DType::F32).expect("whole");
        singles(&weights.read(tensor).expect("a tensor"))
    };
    for tensor in ["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"] {
        assert_eq!(read("sharded", tensor), read("llama", tensor), "{tensor}");
    }
}

#[test]
fn a_tensor_that_is_not_there_is_named() {
    let mut weights = fixtures::model("llama").weights(DType::F32).expect("whole");
    let fault = weights.read("nonesuch").expect_err("it is not there");
    assert!(fault.to_string().contains("`nonesuch`"), "{fault}");
}

#[test]
fn only_the_first_few_names_are_shown() {
    assert_eq!(named(&["a"]), "the tensor `a`");
    assert_eq!(named(&["a", "b", "c", "d", "e"]), "the tensors `a`, `b`, `c` and 2 more");
}

#[test]
fn an_index_names_so_many_files_at_most() {
    let folder = tempfile::tempdir().expect("a folder");
    let map: serde_json::Map<_, _> =
        (0..=Weights::SHARDS).map(|n| (format!("t{n}"), format!("f{n}").into())).collect();
    let index = serde_json::json!({ "weight_map": map });
    std::fs::write(folder.path().join(Weights::INDEX), index.to_string()).expect("written");
    let files = ModelFiles::Folder(folder.path().to_owned());
    let fault = Weights::open(&files, DType::F32).err().map(|fault| fault.to_string());
    assert!(fault.as_ref().is_some_and(|text| text.contains("more than 1024")), "{fault:?}");
}
