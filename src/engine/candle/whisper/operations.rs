//! Operations on candle tensors that candle does not have, or has slower: the glue between
//! tensors and [`super::kernels`], spread over rayon's threads.

use super::half_precision;
use super::kernels::{self, Head};
use candle_core::{
    CpuStorage, CustomOp2, CustomOp3, InplaceOp1, InplaceOp2, Layout, Result, Shape,
};
use rayon::prelude::*;

/// Numbers that one thread should be handed at least; below, waking it costs more than it saves.
const GRAIN: usize = 1 << 16;

/// Turns the last dimension of a contiguous tensor into probabilities, in place.
pub struct Softmax {
    /// What the values are multiplied by first.
    pub scale: f32,
}

impl InplaceOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax-in-place"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let width = last_dimension(layout)?;
        let values = contiguous_mut(storage, layout)?;
        let rows_at_once = (GRAIN / width).max(1);
        values
            .par_chunks_mut(rows_at_once * width)
            .for_each(|rows| kernels::softmax_rows(rows, width, self.scale));
        Ok(())
    }
}

/// Adds a bias to the last dimension of a contiguous tensor, in place.
pub struct AddBias {
    /// Whether GELU follows.
    pub gelu: bool,
}

impl InplaceOp2 for AddBias {
    fn name(&self) -> &'static str {
        "add-bias-in-place"
    }

    fn cpu_fwd(
        &self,
        storage: &mut CpuStorage,
        layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<()> {
        let width = last_dimension(layout)?;
        let bias = contiguous(bias, bias_layout)?;
        if bias.len() != width {
            candle_core::bail!("{}: {} biases for {width} values", self.name(), bias.len());
        }
        let values = contiguous_mut(storage, layout)?;
        let rows_at_once = (GRAIN / width).max(1);
        values
            .par_chunks_mut(rows_at_once * width)
            .for_each(|rows| {
                if self.gelu {
                    kernels::add_bias_and_gelu(rows, bias);
                } else {
                    kernels::add_bias(rows, bias);
                }
            });
        Ok(())
    }
}

/// Multiplies a few vectors `(count, width)` with a matrix `(rows, width)` of float16 or float32,
/// giving `(count, rows)` in float32.
///
/// The general matrix product reads float32 only and uses one thread when there is one vector;
/// decoding is bound by the bytes of the weights, so half of them in twice the threads matters.
pub struct RowProducts;

impl CustomOp2 for RowProducts {
    fn name(&self) -> &'static str {
        "row-products"
    }

    fn cpu_fwd(
        &self,
        vectors: &CpuStorage,
        vectors_layout: &Layout,
        matrix: &CpuStorage,
        matrix_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (count, width) = vectors_layout.shape().dims2()?;
        let (rows, matrix_width) = matrix_layout.shape().dims2()?;
        if width != matrix_width || count == 0 {
            candle_core::bail!(
                "{}: {count} x {width} with rows of {matrix_width}",
                self.name()
            );
        }
        let vectors = contiguous(vectors, vectors_layout)?;
        let mut products = vec![0.0_f32; rows * count];
        let rows_at_once = (GRAIN / width).max(1);
        let task = |(number, products): (usize, &mut [f32])| {
            let start = number * rows_at_once * width;
            let range = start..start + products.len() / count * width;
            match matrix {
                CpuStorage::F16(matrix) => {
                    let rows = &matrix[matrix_layout.start_offset()..][range];
                    half_precision::row_products(rows, vectors, width, products);
                }
                CpuStorage::F32(matrix) => {
                    let rows = &matrix[matrix_layout.start_offset()..][range];
                    kernels::row_products(rows, vectors, width, products);
                }
                _ => {}
            }
        };
        if !matches!(matrix, CpuStorage::F16(_) | CpuStorage::F32(_))
            || !matrix_layout.is_contiguous()
        {
            candle_core::bail!("{}: a contiguous float matrix is needed", self.name());
        }
        products
            .par_chunks_mut(rows_at_once * count)
            .enumerate()
            .for_each(task);
        if count > 1 {
            products = transposed(&products, count);
        }
        Ok((CpuStorage::F32(products), Shape::from((count, rows))))
    }
}

/// Attention of a few positions over many: queries `(count, heads · width)`, keys and values
/// `(heads, length, width)` with any distance between heads and rows, giving
/// `(count, heads · width)`.
pub struct Attend {
    /// Whether the queries are the last positions of the keys, each blind to what follows it.
    pub causal: bool,
    /// What the products of queries and keys are multiplied by.
    pub scale: f32,
}

impl CustomOp3 for Attend {
    fn name(&self) -> &'static str {
        "attend"
    }

    fn cpu_fwd(
        &self,
        queries: &CpuStorage,
        queries_layout: &Layout,
        keys: &CpuStorage,
        keys_layout: &Layout,
        values: &CpuStorage,
        values_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (count, total_width) = queries_layout.shape().dims2()?;
        let (heads, length, width) = keys_layout.shape().dims3()?;
        if values_layout.dims() != keys_layout.dims()
            || total_width != heads * width
            || (self.causal && count > length)
        {
            candle_core::bail!("{}: shapes do not belong together", self.name());
        }
        let queries = contiguous(queries, queries_layout)?;
        let (keys, values) = (
            Strided::new(keys, keys_layout)?,
            Strided::new(values, values_layout)?,
        );
        let mut by_head = vec![0.0_f32; count * total_width];
        let attend = |(head, outputs): (usize, &mut [f32])| {
            let rows = Head {
                keys: keys.rows_of(head),
                values: values.rows_of(head),
                scale: self.scale,
                key_stride: keys.row_stride,
                value_stride: values.row_stride,
            };
            let mut scores = vec![0.0; length];
            for (position, output) in outputs.chunks_exact_mut(width).enumerate() {
                let visible = if self.causal {
                    length - count + position + 1
                } else {
                    length
                };
                let start = position * total_width + head * width;
                rows.attend(
                    &queries[start..start + width],
                    &mut scores[..visible],
                    output,
                );
            }
        };
        let tasks = by_head.chunks_exact_mut(count * width).enumerate();
        if count * length * total_width < GRAIN {
            tasks.for_each(attend);
        } else {
            by_head
                .par_chunks_exact_mut(count * width)
                .enumerate()
                .for_each(attend);
        }
        let mut output = by_head;
        if count > 1 {
            output = interleaved(&output, count, width);
        }
        Ok((CpuStorage::F32(output), Shape::from((count, total_width))))
    }
}

/// A `(heads, length, width)` tensor whose rows are contiguous.
struct Strided<'a> {
    values: &'a [f32],
    head_stride: usize,
    row_stride: usize,
}

impl<'a> Strided<'a> {
    fn new(storage: &'a CpuStorage, layout: &Layout) -> Result<Self> {
        match layout.stride() {
            [head_stride, row_stride, 1] => Ok(Self {
                values: &storage.as_slice::<f32>()?[layout.start_offset()..],
                head_stride: *head_stride,
                row_stride: *row_stride,
            }),
            _ => candle_core::bail!("attend: rows of keys and values must be contiguous"),
        }
    }

    fn rows_of(&self, head: usize) -> &'a [f32] {
        &self.values[head * self.head_stride..]
    }
}

/// Returns `(count, rows)` of values given as `(rows, count)`.
fn transposed(values: &[f32], count: usize) -> Vec<f32> {
    (0..count)
        .flat_map(|column| values.iter().skip(column).step_by(count).copied())
        .collect()
}

/// Returns `(count, heads, width)` of values given as `(heads, count, width)`.
fn interleaved(values: &[f32], count: usize, width: usize) -> Vec<f32> {
    (0..count)
        .flat_map(|position| {
            values
                .chunks_exact(width)
                .skip(position)
                .step_by(count)
                .flatten()
                .copied()
        })
        .collect()
}

fn last_dimension(layout: &Layout) -> Result<usize> {
    match layout.dims().last() {
        Some(width) if *width > 0 => Ok(*width),
        _ => candle_core::bail!("a tensor with a last dimension is needed"),
    }
}

fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("a contiguous tensor is needed"),
    }
}

fn contiguous_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (layout.contiguous_offsets(), storage) {
        (Some((start, end)), CpuStorage::F32(values)) => Ok(&mut values[start..end]),
        _ => candle_core::bail!("a contiguous float32 tensor is needed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device, Tensor};

    fn random(shape: &[usize]) -> Tensor {
        Tensor::randn(0_f32, 1.0, shape, &Device::Cpu).unwrap()
    }

    fn assert_close(left: &Tensor, right: &Tensor) {
        assert_eq!(left.dims(), right.dims());
        let difference = (left - right).unwrap().abs().unwrap().max_all().unwrap();
        let difference = difference.to_scalar::<f32>().unwrap();
        assert!(difference < 1e-3, "{difference}");
    }

    #[test]
    fn row_products_are_the_matrix_product() {
        // More rows than one thread is handed, and a number of them that no grain divides.
        let matrix = random(&[3001, 72]);
        for count in [1, 3] {
            let vectors = random(&[count, 72]);
            for dtype in [DType::F32, DType::F16] {
                let matrix = matrix.to_dtype(dtype).unwrap();
                let ours = vectors.apply_op2_no_bwd(&matrix, &RowProducts).unwrap();
                let single = matrix.to_dtype(DType::F32).unwrap();
                assert_close(&ours, &vectors.matmul(&single.t().unwrap()).unwrap());
            }
        }
    }

    #[test]
    fn row_products_refuse_what_does_not_fit() {
        let (vectors, matrix) = (random(&[1, 8]), random(&[4, 9]));
        assert!(vectors.apply_op2_no_bwd(&matrix, &RowProducts).is_err());
        let transposed = random(&[8, 4]).t().unwrap();
        assert!(vectors.apply_op2_no_bwd(&transposed, &RowProducts).is_err());
        let integers = Tensor::zeros((4, 8), DType::U32, &Device::Cpu).unwrap();
        assert!(vectors.apply_op2_no_bwd(&integers, &RowProducts).is_err());
    }

    /// Scores, mask, softmax and weighted sum by candle's own operations.
    fn attention(queries: &Tensor, keys: &Tensor, values: &Tensor, attend: &Attend) -> Tensor {
        let (heads, length, width) = keys.dims3().unwrap();
        let count = queries.dim(0).unwrap();
        let queries = queries
            .reshape((count, heads, width))
            .unwrap()
            .transpose(0, 1)
            .unwrap();
        let queries = queries.contiguous().unwrap();
        let keys = keys.contiguous().unwrap();
        let scores = queries.matmul(&keys.t().unwrap()).unwrap();
        let mut scores = (scores * f64::from(attend.scale)).unwrap();
        if attend.causal {
            let hidden = |at: usize| at % length > length - count + at / length;
            let mask = (0..count * length)
                .map(|at| if hidden(at) { f32::NEG_INFINITY } else { 0.0 })
                .collect::<Vec<_>>();
            let mask = Tensor::from_vec(mask, (1, count, length), &Device::Cpu).unwrap();
            scores = scores.broadcast_add(&mask).unwrap();
        }
        let shares = candle_nn::ops::softmax_last_dim(&scores).unwrap();
        let read = shares.matmul(&values.contiguous().unwrap()).unwrap();
        read.transpose(0, 1)
            .unwrap()
            .contiguous()
            .unwrap()
            .reshape((count, heads * width))
            .unwrap()
    }

    #[test]
    fn attend_is_attention_whatever_the_layout() {
        let (heads, width) = (3, 8);
        for (count, length) in [(1, 1), (1, 900), (3, 3), (2, 900)] {
            for causal in [false, true] {
                let attend = Attend { causal, scale: 0.3 };
                let queries = random(&[count, heads * width]);
                let by_head = [
                    random(&[heads, length, width]),
                    random(&[heads, length, width]),
                ];
                // Rows of a longer cache, heads side by side.
                let cached = [
                    random(&[length + 9, heads * width]),
                    random(&[length + 9, heads * width]),
                ]
                .map(|cache| {
                    let rows = cache.narrow(0, 4, length).unwrap();
                    rows.reshape((length, heads, width))
                        .unwrap()
                        .transpose(0, 1)
                        .unwrap()
                });
                for [keys, values] in [by_head, cached] {
                    let ours = queries.apply_op3_no_bwd(&keys, &values, &attend).unwrap();
                    assert_close(&ours, &attention(&queries, &keys, &values, &attend));
                }
            }
        }
    }
}
