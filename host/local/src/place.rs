//! Where weights go.

use burn::tensor::{DType, Device, Tensor, TensorData};

/// Where weights go and as what.
pub(crate) struct Place<'a> {
    pub device: &'a Device,
    pub dtype: DType,
}

impl Place<'_> {
    /// A matrix of these numbers.
    pub(crate) fn matrix(&self, data: TensorData) -> Tensor<2> {
        Tensor::from_data(data, (self.device, self.dtype))
    }

    /// A vector of these numbers.
    pub(crate) fn vector(&self, data: TensorData) -> Tensor<1> {
        Tensor::from_data(data, (self.device, self.dtype))
    }
}
