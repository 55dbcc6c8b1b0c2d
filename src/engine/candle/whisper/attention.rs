//! The three attentions of Whisper: the encoder's over all its positions, the decoder's over what
//! it has written, and the decoder's over the encoder's output.

use super::error::Error;
use super::linear::Linear;
use super::operations::{Attend, Softmax};
use super::weights::Weights;
use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;

/// Queries whose scores are computed at once: 300 × 1500 numbers stay in the second-level cache.
const QUERY_BLOCK: usize = 300;

/// The encoder's self-attention.
#[derive(Debug)]
pub struct EncoderAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
}

impl EncoderAttention {
    /// Loads the attention `name` with `heads` heads over states of `width`.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`].
    pub fn load(weights: &Weights, name: &str, width: usize, heads: usize) -> Result<Self, Error> {
        Ok(Self {
            query: projection(weights, name, "q_proj", width, true)?.for_many_rows()?,
            key: projection(weights, name, "k_proj", width, false)?.for_many_rows()?,
            value: projection(weights, name, "v_proj", width, true)?.for_many_rows()?,
            output: projection(weights, name, "out_proj", width, true)?.for_many_rows()?,
            heads,
        })
    }

    /// Returns what each position of `states` `(positions, width)` reads from all, same shape.
    ///
    /// # Errors
    ///
    /// When an operation of candle fails.
    pub fn forward(&self, states: &Tensor) -> candle_core::Result<Tensor> {
        let query = self.query.forward(states)?;
        let key = self.key.forward(states)?;
        let value = self.value.forward(states)?;
        let (positions, width) = states.dims2()?;
        let head_width = width / self.heads;
        let softmax = Softmax {
            scale: score_scale(head_width),
        };
        let blocks = positions.div_ceil(QUERY_BLOCK);
        let read = |task: usize| {
            let (block, head) = (task / self.heads, task % self.heads);
            let column = head * head_width;
            let start = block * QUERY_BLOCK;
            let query = query
                .narrow(0, start, QUERY_BLOCK.min(positions - start))?
                .narrow(1, column, head_width)?;
            let scores = query.matmul(&key.narrow(1, column, head_width)?.t()?)?;
            scores.inplace_op1(&softmax)?;
            scores.matmul(&value.narrow(1, column, head_width)?)
        };
        let read = (0..blocks * self.heads)
            .into_par_iter()
            .map(read)
            .collect::<candle_core::Result<Vec<_>>>()?;
        let rows = read
            .chunks(self.heads)
            .map(|heads| Tensor::cat(heads, 1))
            .collect::<candle_core::Result<Vec<_>>>()?;
        self.output.forward(&Tensor::cat(&rows, 0)?)
    }
}

/// The decoder's attention over the positions it has been given so far, whose keys and values are
/// kept from token to token.
#[derive(Debug)]
pub struct CachedAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
    /// Keys and values, `(capacity, width)` each; rows from the current length on are not yet set.
    keys: Tensor,
    values: Tensor,
}

impl CachedAttention {
    /// Loads the attention `name` with room for `capacity` positions.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`].
    pub fn load(
        weights: &Weights,
        name: &str,
        (width, heads): (usize, usize),
        capacity: usize,
    ) -> Result<Self, Error> {
        Ok(Self {
            query: projection(weights, name, "q_proj", width, true)?,
            key: projection(weights, name, "k_proj", width, false)?,
            value: projection(weights, name, "v_proj", width, true)?,
            output: projection(weights, name, "out_proj", width, true)?,
            heads,
            keys: Tensor::zeros((capacity, width), DType::F32, &Device::Cpu)?,
            values: Tensor::zeros((capacity, width), DType::F32, &Device::Cpu)?,
        })
    }

    /// Returns what the new positions `states` `(count, width)` read from themselves and from the
    /// `past` positions before them.
    ///
    /// # Errors
    ///
    /// When an operation of candle fails, as when the capacity is exceeded.
    pub fn forward(&self, states: &Tensor, past: usize) -> candle_core::Result<Tensor> {
        let length = past + states.dim(0)?;
        self.keys.slice_set(&self.key.forward(states)?, 0, past)?;
        self.values
            .slice_set(&self.value.forward(states)?, 0, past)?;
        let keys = by_head(&self.keys.narrow(0, 0, length)?, self.heads)?;
        let values = by_head(&self.values.narrow(0, 0, length)?, self.heads)?;
        let query = self.query.forward(states)?;
        let scale = score_scale(states.dim(1)? / self.heads);
        let attend = Attend {
            causal: true,
            scale,
        };
        self.output
            .forward(&query.apply_op3_no_bwd(&keys, &values, &attend)?)
    }
}

/// The decoder's attention over the encoder's output, whose keys and values are computed once for
/// a window.
#[derive(Debug)]
pub struct CrossAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
    /// Keys and values of the current window, `(heads, positions, head width)` each.
    window: Option<(Tensor, Tensor)>,
}

impl CrossAttention {
    /// Loads the attention `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`].
    pub fn load(weights: &Weights, name: &str, width: usize, heads: usize) -> Result<Self, Error> {
        Ok(Self {
            query: projection(weights, name, "q_proj", width, true)?,
            key: projection(weights, name, "k_proj", width, false)?.for_many_rows()?,
            value: projection(weights, name, "v_proj", width, true)?.for_many_rows()?,
            output: projection(weights, name, "out_proj", width, true)?,
            heads,
            window: None,
        })
    }

    /// Takes the encoder's output `(positions, width)` for the window that is decoded next.
    ///
    /// # Errors
    ///
    /// When an operation of candle fails.
    pub fn set_window(&mut self, audio: &Tensor) -> candle_core::Result<()> {
        // Copied head by head, because every token reads all of it.
        let keys = by_head(&self.key.forward(audio)?, self.heads)?.contiguous()?;
        let values = by_head(&self.value.forward(audio)?, self.heads)?.contiguous()?;
        self.window = Some((keys, values));
        Ok(())
    }

    /// Returns what the positions `states` `(count, width)` read from the window.
    ///
    /// # Errors
    ///
    /// When no window was set, or an operation of candle fails.
    pub fn forward(&self, states: &Tensor) -> candle_core::Result<Tensor> {
        let Some((keys, values)) = &self.window else {
            candle_core::bail!("the decoder was asked for a token before it was given a window");
        };
        let query = self.query.forward(states)?;
        let attend = Attend {
            causal: false,
            scale: score_scale(keys.dim(2)?),
        };
        self.output
            .forward(&query.apply_op3_no_bwd(keys, values, &attend)?)
    }
}

/// Returns `(positions, width)` seen as `(heads, positions, head width)`.
fn by_head(states: &Tensor, heads: usize) -> candle_core::Result<Tensor> {
    let (positions, width) = states.dims2()?;
    states
        .reshape((positions, heads, width / heads))?
        .transpose(0, 1)
}

fn projection(
    weights: &Weights,
    name: &str,
    part: &str,
    width: usize,
    bias: bool,
) -> Result<Linear, Error> {
    Linear::load(weights, &format!("{name}.{part}"), (width, width), bias)
}

/// Returns what scores are multiplied by: one over the root of the head's width.
#[expect(
    clippy::cast_precision_loss,
    reason = "a head has fewer than 2^24 dimensions"
)]
fn score_scale(head_width: usize) -> f32 {
    1.0 / (head_width as f32).sqrt()
}
