//! Matrices of `q8_0` blocks, multiplied as they are stored.
//!
//! A block is 32 signed bytes and one float16 scale; a number is its byte times the scale
//! (`block_q8_0` in ggml). candle's own product rounds the other factor to bytes as well and
//! spreads the work over threads that wait by spinning, which collapses beside other work; here
//! the bytes are widened in registers and multiplied in float32, in rayon's threads.

use super::kernels;
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Result, Tensor};
use half::f16;
use rayon::prelude::*;

/// Numbers of a block.
pub const BLOCK: usize = 32;
/// Bytes of a block in a file.
const STORED_BLOCK: usize = BLOCK + 2;
/// Numbers that one thread should be handed at least.
const GRAIN: usize = 1 << 16;

/// A matrix of `q8_0` blocks.
#[derive(Debug, Clone)]
pub struct BlockMatrix {
    rows: usize,
    columns: usize,
    bytes: Vec<[i8; BLOCK]>,
    /// The scale of each block, widened once.
    scales: Vec<f32>,
}

impl BlockMatrix {
    /// Returns the blocks of a tensor, or nothing when it is not a matrix of `q8_0`.
    ///
    /// # Errors
    ///
    /// When candle cannot give the tensor's bytes.
    pub fn new(tensor: &QTensor) -> Result<Option<Self>> {
        let (GgmlDType::Q8_0, [rows, columns]) = (tensor.dtype(), tensor.shape().dims()) else {
            return Ok(None);
        };
        if !columns.is_multiple_of(BLOCK) {
            return Ok(None);
        }
        let data = tensor.data()?;
        let (blocks, _) = data.as_chunks::<STORED_BLOCK>();
        let (mut bytes, mut scales) = (Vec::new(), Vec::new());
        for [low, high, numbers @ ..] in blocks {
            scales.push(f16::from_le_bytes([*low, *high]).to_f32());
            bytes.push(numbers.map(u8::cast_signed));
        }
        Ok(Some(Self {
            rows: *rows,
            columns: *columns,
            bytes,
            scales,
        }))
    }

    /// Returns the products of a few vectors `(count, columns)` with each row, `(count, rows)`.
    ///
    /// # Errors
    ///
    /// When the shapes do not fit.
    pub fn products(&self, vectors: &Tensor) -> Result<Tensor> {
        let count = vectors.dim(0)?;
        let vectors = vectors
            .reshape((count, self.columns))?
            .flatten_all()?
            .to_vec1::<f32>()?;
        let blocks = self.columns / BLOCK;
        let rows_at_once = (GRAIN / self.columns).max(1);
        let mut products = Vec::with_capacity(count * self.rows);
        for vector in vectors.chunks_exact(self.columns) {
            let tasks = self
                .bytes
                .par_chunks(rows_at_once * blocks)
                .zip(self.scales.par_chunks(rows_at_once * blocks));
            let mut of_vector = vec![0.0; self.rows];
            of_vector.par_chunks_mut(rows_at_once).zip(tasks).for_each(
                |(products, (bytes, scales))| {
                    kernels::block_products(bytes, scales, vector, products);
                },
            );
            products.append(&mut of_vector);
        }
        Tensor::from_vec(products, (count, self.rows), &Device::Cpu)
    }

    /// Returns the whole matrix in float32.
    ///
    /// # Errors
    ///
    /// When candle cannot make the tensor.
    pub fn widened(&self) -> Result<Tensor> {
        let mut numbers = vec![0.0; self.rows * self.columns];
        numbers
            .par_chunks_mut(BLOCK)
            .zip(self.bytes.par_iter().zip(&self.scales))
            .for_each(|(numbers, (bytes, scale))| widen(bytes, *scale, numbers));
        Tensor::from_vec(numbers, (self.rows, self.columns), &Device::Cpu)
    }

    /// Returns the rows with the given numbers in float32, `(count, columns)`.
    ///
    /// # Errors
    ///
    /// When a number lies outside the matrix.
    pub fn rows(&self, numbers: &[u32]) -> Result<Tensor> {
        let blocks = self.columns / BLOCK;
        let mut selected = vec![0.0; numbers.len() * self.columns];
        for (number, output) in numbers.iter().zip(selected.chunks_exact_mut(self.columns)) {
            let range = *number as usize * blocks..(*number as usize + 1) * blocks;
            let (Some(bytes), Some(scales)) =
                (self.bytes.get(range.clone()), self.scales.get(range))
            else {
                candle_core::bail!("row {number} of a matrix with {} rows", self.rows);
            };
            for ((bytes, scale), output) in bytes.iter().zip(scales).zip(output.chunks_mut(BLOCK)) {
                widen(bytes, *scale, output);
            }
        }
        Tensor::from_vec(selected, (numbers.len(), self.columns), &Device::Cpu)
    }
}

fn widen(bytes: &[i8; BLOCK], scale: f32, numbers: &mut [f32]) {
    for (byte, number) in bytes.iter().zip(numbers) {
        *number = f32::from(*byte) * scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_mean_what_candle_reads_in_them() {
        let matrix = Tensor::randn(0_f32, 1.0, (900, 96), &Device::Cpu).unwrap();
        let stored = QTensor::quantize(&matrix, GgmlDType::Q8_0).unwrap();
        let blocks = BlockMatrix::new(&stored).unwrap().unwrap();
        let expected = stored.dequantize(&Device::Cpu).unwrap();
        let close = |left: &Tensor, right: &Tensor| {
            let difference = (left - right).unwrap().abs().unwrap().max_all().unwrap();
            difference.to_scalar::<f32>().unwrap() < 1e-4
        };
        assert!(close(&blocks.widened().unwrap(), &expected));
        let some = Tensor::new(&[899_u32, 0, 7], &Device::Cpu).unwrap();
        assert!(close(
            &blocks.rows(&[899, 0, 7]).unwrap(),
            &expected.index_select(&some, 0).unwrap()
        ));
        assert!(blocks.rows(&[900]).is_err());
        let vectors = Tensor::randn(0_f32, 1.0, (3, 96), &Device::Cpu).unwrap();
        let products = vectors.matmul(&expected.t().unwrap()).unwrap();
        assert!(close(&blocks.products(&vectors).unwrap(), &products));
    }

    #[test]
    fn other_blocks_are_left_to_candle() {
        let matrix = Tensor::zeros((2, 64), candle_core::DType::F32, &Device::Cpu).unwrap();
        let stored = QTensor::quantize(&matrix, GgmlDType::Q5_0).unwrap();
        assert!(BlockMatrix::new(&stored).unwrap().is_none());
    }
}
