//! Linear layers over dense, half-precision and quantized weights, and layer normalization.

use super::block_matrix::BlockMatrix;
use super::error::Error;
use super::operations::{AddBias, RowProducts};
use super::weights::Weights;
use candle_core::quantized::QMatMul;
use candle_core::{DType, Module, Tensor};
use candle_nn::LayerNorm;

/// Whisper's epsilon in every layer normalization.
const EPSILON: f64 = 1e-5;

/// Up to this many rows the product is bound by reading the weights, not by arithmetic.
const FEW_ROWS: usize = 8;

/// A matrix of `(outputs, inputs)`.
#[derive(Debug, Clone)]
pub enum Weight {
    /// float32, or float16 as stored.
    Plain(Tensor),
    /// Blocks of `q8_0`.
    Blocks(BlockMatrix),
    /// Blocks of another kind, left to candle.
    Quantized(QMatMul),
}

impl Weight {
    /// Returns the matrix with float32 numbers, so that products with many rows are fast.
    ///
    /// # Errors
    ///
    /// When candle cannot convert it.
    pub fn widened(self) -> candle_core::Result<Self> {
        match self {
            Self::Plain(tensor) => Ok(Self::Plain(tensor.to_dtype(DType::F32)?)),
            quantized => Ok(quantized),
        }
    }

    /// Returns `input` `(rows, inputs)` times the transposed matrix, `(rows, outputs)`.
    ///
    /// # Errors
    ///
    /// When the shapes do not fit.
    pub fn product(&self, input: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Plain(weight) if input.dim(0)? <= FEW_ROWS => {
                input.apply_op2_no_bwd(weight, &RowProducts)
            }
            Self::Plain(weight) => input.matmul(&weight.to_dtype(DType::F32)?.t()?),
            Self::Blocks(weight) if input.dim(0)? <= FEW_ROWS => weight.products(input),
            // Widened for each product, which takes a fiftieth of the product's time: a widened
            // copy would take the memory that quantization is there to save.
            Self::Blocks(weight) => input.matmul(&weight.widened()?.t()?),
            Self::Quantized(weight) => weight.forward(input),
        }
    }

    /// Returns the rows with the given numbers, `(count, inputs)` in float32.
    ///
    /// # Errors
    ///
    /// When a number lies outside the matrix.
    pub fn rows(&self, numbers: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Plain(weight) => weight.index_select(numbers, 0)?.to_dtype(DType::F32),
            Self::Blocks(weight) => weight.rows(&numbers.to_vec1()?),
            Self::Quantized(weight) => weight.embedding(numbers)?.to_dtype(DType::F32),
        }
    }
}

/// A linear layer.
#[derive(Debug, Clone)]
pub struct Linear {
    weight: Weight,
    bias: Option<Tensor>,
}

impl Linear {
    /// Returns a layer of the given weight `(outputs, inputs)` and bias `(outputs)`.
    pub fn new(weight: Weight, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

    /// Loads `{name}.weight`, and `{name}.bias` if there is to be one, as they are stored.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`].
    pub fn load(
        weights: &Weights,
        name: &str,
        (inputs, outputs): (usize, usize),
        bias: bool,
    ) -> Result<Self, Error> {
        let weight = weights.matrix(&format!("{name}.weight"), outputs, inputs)?;
        let bias = bias
            .then(|| weights.dense(&format!("{name}.bias"), &[outputs]))
            .transpose()?;
        Ok(Self::new(weight, bias))
    }

    /// Returns the layer for inputs of many rows.
    ///
    /// # Errors
    ///
    /// When candle cannot convert the weight.
    pub fn for_many_rows(self) -> candle_core::Result<Self> {
        Ok(Self {
            weight: self.weight.widened()?,
            bias: self.bias,
        })
    }

    /// Returns `input` `(rows, inputs)` through the layer, `(rows, outputs)`.
    ///
    /// # Errors
    ///
    /// When the shapes do not fit.
    pub fn forward(&self, input: &Tensor) -> candle_core::Result<Tensor> {
        let output = self.weight.product(input)?;
        if let Some(bias) = &self.bias {
            output.inplace_op2(bias, &AddBias { gelu: false })?;
        }
        Ok(output)
    }

    /// Returns `input` through the layer and GELU.
    ///
    /// # Errors
    ///
    /// When the shapes do not fit.
    pub fn forward_gelu(&self, input: &Tensor) -> candle_core::Result<Tensor> {
        let output = self.weight.product(input)?;
        match &self.bias {
            Some(bias) => {
                output.inplace_op2(bias, &AddBias { gelu: true })?;
                Ok(output)
            }
            None => output.gelu(),
        }
    }
}

/// Loads the layer normalization `name` of the given width.
///
/// # Errors
///
/// [`Error::Mismatch`].
pub fn layer_norm(weights: &Weights, name: &str, width: usize) -> Result<LayerNorm, Error> {
    let weight = weights.dense(&format!("{name}.weight"), &[width])?;
    let bias = weights.dense(&format!("{name}.bias"), &[width])?;
    Ok(LayerNorm::new(weight, bias, EPSILON))
}
