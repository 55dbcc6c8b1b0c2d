//! Products with rows of float16, widened to float32 on the way, which loses nothing.
//!
//! A decoder reads every weight once for every token and is bound by the bytes it reads: float16
//! halves them. Processors widen eight numbers with one instruction; a loop over `f16` is not
//! compiled to it, and widening into a buffer first costs more than it saves.

use super::kernels;
use half::f16;
use half::slice::HalfFloatSliceExt;

/// Writes the products of matrix rows with a few vectors.
///
/// `rows` holds rows of `width` values and `vectors` vectors of `width` values;
/// `products[row * vectors + vector]` receives each product.
pub fn row_products(rows: &[f16], vectors: &[f32], width: usize, products: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if x86::available() {
        #[expect(
            unsafe_code,
            reason = "std alone has the instruction, and its check is ours"
        )]
        // SAFETY: every feature that the function is compiled for was found a line above.
        unsafe {
            x86::row_products(rows, vectors, width, products);
        }
        return;
    }
    through_buffer(rows, vectors, width, products);
}

/// The same on any machine: each row is widened as a whole.
fn through_buffer(rows: &[f16], vectors: &[f32], width: usize, products: &mut [f32]) {
    let count = vectors.len() / width;
    let mut wide = vec![0.0; width];
    for (row, products) in rows
        .chunks_exact(width)
        .zip(products.chunks_exact_mut(count))
    {
        row.convert_to_f32_slice(&mut wide);
        kernels::row_products(&wide, vectors, width, products);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use half::f16;
    use half::slice::HalfFloatSliceExt;
    use std::arch::x86_64::{
        __m128i, __m256, _mm256_add_ps, _mm256_cvtph_ps, _mm256_fmadd_ps, _mm256_setzero_ps,
    };

    /// Numbers in a register.
    const WIDTH: usize = 8;
    /// Sums kept side by side, to hide the latency of adding.
    const SUMS: usize = 4;

    pub(super) fn available() -> bool {
        is_x86_feature_detected!("avx")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c")
    }

    #[target_feature(enable = "avx,fma,f16c")]
    pub(super) fn row_products(rows: &[f16], vectors: &[f32], width: usize, products: &mut [f32]) {
        let count = vectors.len() / width;
        let rows = rows.reinterpret_cast();
        for (row, products) in rows
            .chunks_exact(width)
            .zip(products.chunks_exact_mut(count))
        {
            for (vector, product) in vectors.chunks_exact(width).zip(products) {
                *product = dot(row, vector);
            }
        }
    }

    #[target_feature(enable = "avx,fma,f16c")]
    fn dot(row: &[u16], vector: &[f32]) -> f32 {
        let (row, row_rest) = row.as_chunks::<WIDTH>();
        let (vector, vector_rest) = vector.as_chunks::<WIDTH>();
        let mut sums = [_mm256_setzero_ps(); SUMS];
        let (row_groups, row_blocks) = row.as_chunks::<SUMS>();
        let (vector_groups, vector_blocks) = vector.as_chunks::<SUMS>();
        for (row, vector) in row_groups.iter().zip(vector_groups) {
            for ((sum, row), vector) in sums.iter_mut().zip(row).zip(vector) {
                *sum = multiply_add(*row, *vector, *sum);
            }
        }
        for ((sum, row), vector) in sums.iter_mut().zip(row_blocks).zip(vector_blocks) {
            *sum = multiply_add(*row, *vector, *sum);
        }
        let [first, second, third, fourth] = sums;
        let sum = _mm256_add_ps(_mm256_add_ps(first, second), _mm256_add_ps(third, fourth));
        let rest = row_rest.iter().zip(vector_rest);
        let rest: f32 = rest
            .map(|(row, value)| f16::from_bits(*row).to_f32() * value)
            .sum();
        pulp::cast::<__m256, [f32; WIDTH]>(sum).iter().sum::<f32>() + rest
    }

    #[target_feature(enable = "avx,fma,f16c")]
    #[inline]
    fn multiply_add(row: [u16; WIDTH], vector: [f32; WIDTH], sum: __m256) -> __m256 {
        let row = _mm256_cvtph_ps(pulp::cast::<_, __m128i>(row));
        _mm256_fmadd_ps(row, pulp::cast::<_, __m256>(vector), sum)
    }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
mod tests {
    use super::*;

    /// Normal and subnormal numbers in rows whose length no register divides.
    #[test]
    fn both_ways_give_the_product_of_the_stored_numbers() {
        for width in [1, 7, 8, 31, 64, 77] {
            let rows: Vec<f16> = (0..width * 50)
                .map(|n| f16::from_f32(((n * 37 % 101) as f32 - 50.0) * [1.0, 1e-3, 1e-6][n % 3]))
                .collect();
            let vectors: Vec<f32> = (0..width * 3).map(|n| (n as f32 * 0.7).sin()).collect();
            let mut expected = Vec::new();
            for row in rows.chunks(width) {
                for vector in vectors.chunks(width) {
                    let terms = row
                        .iter()
                        .zip(vector)
                        .map(|(a, b)| a.to_f64() * f64::from(*b));
                    expected.push(terms.sum::<f64>());
                }
            }
            for product in [row_products, through_buffer] {
                let mut actual = vec![0.0; expected.len()];
                product(&rows, &vectors, width, &mut actual);
                for (actual, expected) in actual.iter().zip(&expected) {
                    assert!(
                        (f64::from(*actual) - expected).abs() < 1e-2,
                        "{actual} {expected}"
                    );
                }
            }
        }
    }
}
