//! Casting what a file stores to what a device computes in.

use burn::tensor::{DType, TensorData, bf16, f16};
use safetensors::Dtype;

/// Whether tensors of this type are read.
pub(super) fn is_known(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16)
}

/// Little-endian `bytes` of type `from` as a tensor of type `to`, which is f32 or f16.
///
/// To f32 every value is kept exactly.
pub(super) fn cast(
    bytes: &[u8],
    from: Dtype,
    shape: Vec<usize>,
    to: DType,
) -> Result<TensorData, String> {
    match to {
        DType::F16 => {
            let values: Vec<f16> = match from {
                Dtype::F32 => singles(bytes).map(f16::from_f32).collect(),
                Dtype::F16 => halves(bytes).collect(),
                Dtype::BF16 => brains(bytes).map(|value| f16::from_f32(value.to_f32())).collect(),
                other => return Err(format!("as {other:?}, which is not read")),
            };
            if values.iter().any(|value| !value.is_finite()) {
                return Err("with a value that f16 cannot hold; use device = \"cpu\"".into());
            }
            Ok(TensorData::new(values, shape))
        }
        _ => {
            let values: Vec<f32> = match from {
                Dtype::F32 => singles(bytes).collect(),
                Dtype::F16 => halves(bytes).map(f16::to_f32).collect(),
                Dtype::BF16 => brains(bytes).map(bf16::to_f32).collect(),
                other => return Err(format!("as {other:?}, which is not read")),
            };
            if values.iter().any(|value| !value.is_finite()) {
                return Err("with a value that is not a number".into());
            }
            Ok(TensorData::new(values, shape))
        }
    }
}

fn singles(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.as_chunks::<4>().0.iter().map(|chunk| f32::from_le_bytes(*chunk))
}

fn halves(bytes: &[u8]) -> impl Iterator<Item = f16> {
    bytes.as_chunks::<2>().0.iter().map(|chunk| f16::from_le_bytes(*chunk))
}

fn brains(bytes: &[u8]) -> impl Iterator<Item = bf16> {
    bytes.as_chunks::<2>().0.iter().map(|chunk| bf16::from_le_bytes(*chunk))
}
