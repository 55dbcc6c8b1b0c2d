//! Loops over slices of float32, compiled for the vector instructions of the machine they run on.
//!
//! `pulp` chooses among the compiled versions at run time, so that one binary is fast on a new
//! processor and correct on an old one. Sums are kept in lanes, which the compiler may not
//! introduce by itself because it changes the order of additions.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into a dispatched closure gets its vector instructions"
)]

use super::block_matrix::BLOCK;
use pulp::Arch;

/// Partial sums kept side by side: two registers of AVX2, enough to hide the latency of adding.
const LANES: usize = 16;

/// Returns the largest value, minus infinity for an empty slice.
pub fn maximum(values: &[f32]) -> f32 {
    Arch::new().dispatch(
        #[inline(always)]
        || maximum_inline(values),
    )
}

/// Returns `ln(Σ exp(value))`, minus infinity for an empty slice.
pub fn log_sum_exp(values: &[f32]) -> f32 {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let largest = maximum_inline(values);
            if largest == f32::NEG_INFINITY {
                return largest;
            }
            largest + reduce(values, |value| exponential(value - largest)).ln()
        },
    )
}

/// Turns each row of `width` values into probabilities that sum to one, `softmax(scale · row)`.
/// `scale` is positive.
pub fn softmax_rows(values: &mut [f32], width: usize, scale: f32) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            values
                .chunks_exact_mut(width)
                .for_each(|row| softmax_inline(row, scale));
        },
    );
}

/// Adds `bias` to each row.
pub fn add_bias(values: &mut [f32], bias: &[f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for row in values.chunks_exact_mut(bias.len()) {
                for (value, bias) in row.iter_mut().zip(bias) {
                    *value += bias;
                }
            }
        },
    );
}

/// Adds `bias` to each row and applies GELU in its tanh form,
/// `x / (1 + exp(-2 √(2/π) (x + 0.044715 x³)))`.
///
/// The form is the one that candle's and whisper.cpp's Whisper use; it differs from the exact one
/// by less than 0.0005.
pub fn add_bias_and_gelu(values: &mut [f32], bias: &[f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for row in values.chunks_exact_mut(bias.len()) {
                for (value, bias) in row.iter_mut().zip(bias) {
                    *value = gelu(*value + bias);
                }
            }
        },
    );
}

/// Writes the products of matrix rows with a few vectors.
///
/// `rows` holds rows of `width` values and `vectors` vectors of `width` values;
/// `products[row * vectors + vector]` receives each product.
pub fn row_products(rows: &[f32], vectors: &[f32], width: usize, products: &mut [f32]) {
    let count = vectors.len() / width;
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (row, products) in rows
                .chunks_exact(width)
                .zip(products.chunks_exact_mut(count))
            {
                for (vector, product) in vectors.chunks_exact(width).zip(products) {
                    *product = dot(vector, row);
                }
            }
        },
    );
}

/// Writes the products of rows of `q8_0` blocks, bytes with a scale for each block, with one vector.
pub fn block_products(bytes: &[[i8; BLOCK]], scales: &[f32], vector: &[f32], products: &mut [f32]) {
    let (vector, _) = vector.as_chunks::<BLOCK>();
    let rows = bytes
        .chunks_exact(vector.len())
        .zip(scales.chunks_exact(vector.len()));
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for ((bytes, scales), product) in rows.zip(products) {
                let mut lanes = [0.0_f32; LANES];
                for ((bytes, scale), vector) in bytes.iter().zip(scales).zip(vector) {
                    for lane in 0..LANES {
                        let first = f32::from(bytes[lane]) * vector[lane];
                        let second = f32::from(bytes[lane + LANES]) * vector[lane + LANES];
                        lanes[lane] += scale * (first + second);
                    }
                }
                *product = lanes.iter().sum();
            }
        },
    );
}

/// Keys and values of one attention head, as rows in larger matrices.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The keys, from the first value of the first row.
    pub keys: &'a [f32],
    /// The values, from the first value of the first row.
    pub values: &'a [f32],
    /// What the products of query and keys are multiplied by.
    pub scale: f32,
    /// Distance from one key to the next.
    pub key_stride: usize,
    /// Distance from one value row to the next.
    pub value_stride: usize,
}

impl Head<'_> {
    /// Writes what `query` reads from the first `scores.len()` positions: the value rows weighted
    /// by `softmax(scale · query · key)`. `scores` is scratch; `output` has the width of `query`.
    pub fn attend(&self, query: &[f32], scores: &mut [f32], output: &mut [f32]) {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (score, key) in scores.iter_mut().zip(self.keys.chunks(self.key_stride)) {
                    *score = dot(query, key);
                }
                softmax_inline(scores, self.scale);
                output.fill(0.0);
                for (weight, row) in scores.iter().zip(self.values.chunks(self.value_stride)) {
                    for (sum, value) in output.iter_mut().zip(row) {
                        *sum += weight * value;
                    }
                }
            },
        );
    }
}

/// Returns the scalar product over the length of `left`; `right` may be longer.
#[inline(always)]
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let right = &right[..left.len()];
    let mut lanes = [0.0_f32; LANES];
    let (left_chunks, right_chunks) = (left.chunks_exact(LANES), right.chunks_exact(LANES));
    let rest: f32 = left_chunks
        .remainder()
        .iter()
        .zip(right_chunks.remainder())
        .map(|(left, right)| left * right)
        .sum();
    for (left, right) in left_chunks.zip(right_chunks) {
        for lane in 0..LANES {
            lanes[lane] += left[lane] * right[lane];
        }
    }
    rest + lanes.iter().sum::<f32>()
}

#[inline(always)]
fn softmax_inline(row: &mut [f32], scale: f32) {
    let largest = maximum_inline(row);
    let (chunks, rest) = row.as_chunks_mut::<LANES>();
    let mut lanes = [0.0_f32; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            chunk[lane] = exponential((chunk[lane] - largest) * scale);
            lanes[lane] += chunk[lane];
        }
    }
    let mut sum = lanes.iter().sum::<f32>();
    for value in rest {
        *value = exponential((*value - largest) * scale);
        sum += *value;
    }
    let share = 1.0 / sum;
    for value in row {
        *value *= share;
    }
}

#[inline(always)]
fn maximum_inline(values: &[f32]) -> f32 {
    // Written as a comparison: `f32::max` must treat NaN specially and costs twice as much.
    let larger = |left: f32, right: f32| if left > right { left } else { right };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks
        .remainder()
        .iter()
        .copied()
        .fold(f32::NEG_INFINITY, larger);
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = larger(lanes[lane], chunk[lane]);
        }
    }
    lanes.into_iter().fold(rest, larger)
}

#[inline(always)]
fn reduce(values: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().map(|value| term(*value)).sum();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += term(chunk[lane]);
        }
    }
    rest + lanes.iter().sum::<f32>()
}

#[inline(always)]
fn gelu(x: f32) -> f32 {
    const TWICE_ROOT_OF_TWO_OVER_PI: f32 = 1.595_769;
    let inner = TWICE_ROOT_OF_TWO_OVER_PI * x * (1.0 + 0.044_715 * x * x);
    x / (1.0 + exponential(-inner))
}

/// Returns `exp(x)` to within two units in the last place; x is held between -87 and 88.
///
/// `x = n ln 2 + r` with an integer n and |r| ≤ ½ ln 2; `exp(r)` is a polynomial (the coefficients
/// are those of Cephes' `expf`) and 2ⁿ is made in the exponent bits. A call of the C library
/// cannot be vectorized, and the encoder needs fifty million of these for a window.
#[inline(always)]
fn exponential(x: f32) -> f32 {
    // Adding 1.5 · 2²³ leaves the rounded number in the low bits.
    const ROUNDING: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUNDING;
    let n = shifted - ROUNDING;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let mut series = 1.987_569_1e-4;
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_66, 0.5] {
        series = series * r + coefficient;
    }
    let mantissa = series * r * r + r + 1.0;
    let power_of_two = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    mantissa * power_of_two
}

#[cfg(test)]
#[expect(
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "small numbers; infinities are exact"
)]
mod tests {
    use super::*;

    fn values(count: usize) -> Vec<f32> {
        (0..count)
            .map(|n| (n as f32 * 0.713).sin() * 6.0 - 1.0)
            .collect()
    }

    #[test]
    fn exponential_is_exact_to_a_few_units_in_the_last_place() {
        for step in -8700..=8800 {
            let x = step as f32 / 100.0;
            let expected = f64::from(x).exp();
            let error = (f64::from(exponential(x)) - expected).abs() / expected;
            assert!(error < 3e-7, "{x}: {error}");
        }
        assert!(exponential(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn sums_and_maxima_count_every_element() {
        for count in [1, 15, 16, 17, 100] {
            let values = values(count);
            let expected: f64 = values.iter().map(|value| f64::from(*value).exp()).sum();
            assert!((f64::from(log_sum_exp(&values)) - expected.ln()).abs() < 1e-5);
            let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            assert_eq!(maximum(&values), largest);
        }
        assert_eq!(log_sum_exp(&[f32::NEG_INFINITY; 20]), f32::NEG_INFINITY);
        assert_eq!(log_sum_exp(&[]), f32::NEG_INFINITY);
    }

    #[test]
    fn softmax_gives_the_scaled_shares_of_each_row() {
        let (width, scale) = (37, 0.125);
        let mut rows = values(width * 3);
        let before = rows.clone();
        softmax_rows(&mut rows, width, scale);
        for (row, before) in rows.chunks(width).zip(before.chunks(width)) {
            let sum: f64 = before
                .iter()
                .map(|value| f64::from(value * scale).exp())
                .sum();
            for (share, value) in row.iter().zip(before) {
                assert!((f64::from(*share) - f64::from(value * scale).exp() / sum).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn gelu_follows_its_definition() {
        let bias = values(5);
        let mut rows = values(20);
        let before = rows.clone();
        add_bias_and_gelu(&mut rows, &bias);
        for (position, (actual, value)) in rows.iter().zip(before).enumerate() {
            let x = f64::from(value + bias[position % 5]);
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            assert!(
                (f64::from(*actual) - 0.5 * x * (1.0 + inner.tanh())).abs() < 1e-5,
                "{x}"
            );
        }
    }
}
