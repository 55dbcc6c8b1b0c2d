//! Whisper's audio encoder: two convolutions and a stack of attention blocks.
//!
//! States lie time-major, `(positions, width)`, from the spectrogram on, so that nothing is
//! transposed between layers.

use super::attention::EncoderAttention;
use super::config::{AUDIO_POSITIONS, Config};
use super::error::Error;
use super::linear::{Linear, Weight, layer_norm};
use super::weights::Weights;
use candle_core::{Device, Module, Tensor};
use candle_nn::LayerNorm;

/// Width of both convolutions.
const KERNEL: usize = 3;

/// The encoder.
#[derive(Debug)]
pub struct Encoder {
    first: Linear,
    second: Linear,
    positions: Tensor,
    blocks: Vec<Block>,
    norm: LayerNorm,
}

#[derive(Debug)]
struct Block {
    attention_norm: LayerNorm,
    attention: EncoderAttention,
    feed_forward_norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
}

impl Encoder {
    /// Loads the encoder.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] when a tensor is missing or has another shape than `config` says.
    pub fn load(weights: &Weights, config: &Config) -> Result<Self, Error> {
        let name = "model.encoder";
        let width = config.d_model;
        let blocks = (0..config.encoder_layers)
            .map(|layer| Block::load(weights, &format!("{name}.layers.{layer}"), config))
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(Self {
            first: convolution(
                weights,
                &format!("{name}.conv1"),
                config.num_mel_bins,
                width,
            )?,
            second: convolution(weights, &format!("{name}.conv2"), width, width)?,
            positions: sinusoids(AUDIO_POSITIONS, width)?,
            blocks,
            norm: layer_norm(weights, &format!("{name}.layer_norm"), width)?,
        })
    }

    /// Returns the states `(1500, width)` of a window of log-mel frames `(3000, bands)`.
    ///
    /// # Errors
    ///
    /// When an operation of candle fails.
    pub fn forward(&self, frames: &Tensor) -> candle_core::Result<Tensor> {
        let states = self.first.forward_gelu(&neighbours(frames)?)?;
        let states = self
            .second
            .forward_gelu(&neighbours_of_every_second(&states)?)?;
        let mut states = (states + &self.positions)?;
        for block in &self.blocks {
            states = block.forward(&states)?;
        }
        self.norm.forward(&states)
    }
}

impl Block {
    fn load(weights: &Weights, name: &str, config: &Config) -> Result<Self, Error> {
        let (width, inner) = (config.d_model, config.encoder_ffn_dim);
        let heads = config.encoder_attention_heads;
        let part = |part: &str| format!("{name}.{part}");
        Ok(Self {
            attention_norm: layer_norm(weights, &part("self_attn_layer_norm"), width)?,
            attention: EncoderAttention::load(weights, &part("self_attn"), width, heads)?,
            feed_forward_norm: layer_norm(weights, &part("final_layer_norm"), width)?,
            widen: Linear::load(weights, &part("fc1"), (width, inner), true)?.for_many_rows()?,
            narrow: Linear::load(weights, &part("fc2"), (inner, width), true)?.for_many_rows()?,
        })
    }

    fn forward(&self, states: &Tensor) -> candle_core::Result<Tensor> {
        let read = self
            .attention
            .forward(&self.attention_norm.forward(states)?)?;
        let states = (states + read)?;
        let normed = self.feed_forward_norm.forward(&states)?;
        &states + self.narrow.forward(&self.widen.forward_gelu(&normed)?)?
    }
}

/// Loads a convolution of width three as a linear layer over three neighbouring frames: the
/// weight `(outputs, inputs, 3)` becomes `(outputs, 3 · inputs)`, frame by frame.
fn convolution(
    weights: &Weights,
    name: &str,
    inputs: usize,
    outputs: usize,
) -> Result<Linear, Error> {
    let weight = weights.dense(&format!("{name}.weight"), &[outputs, inputs, KERNEL])?;
    let weight = weight
        .transpose(1, 2)?
        .contiguous()?
        .reshape((outputs, KERNEL * inputs))?;
    let bias = weights.dense(&format!("{name}.bias"), &[outputs])?;
    Ok(Linear::new(Weight::Plain(weight), Some(bias)))
}

/// Returns each frame with the one before and the one after it, zeros beyond the ends:
/// `(frames, inputs)` to `(frames, 3 · inputs)`.
fn neighbours(frames: &Tensor) -> candle_core::Result<Tensor> {
    let count = frames.dim(0)?;
    let padded = frames.pad_with_zeros(0, 1, 1)?;
    let shifted = (0..KERNEL).map(|shift| padded.narrow(0, shift, count));
    Tensor::cat(&shifted.collect::<candle_core::Result<Vec<_>>>()?, 1)
}

/// Returns the same for the frames 0, 2, 4, …: `(frames, inputs)` to `(frames / 2, 3 · inputs)`.
fn neighbours_of_every_second(frames: &Tensor) -> candle_core::Result<Tensor> {
    let (count, width) = frames.dims2()?;
    let padded = frames.pad_with_zeros(0, 1, 1)?;
    // Two frames side by side are one row of twice the width.
    let before_and_at = padded
        .narrow(0, 0, count)?
        .reshape((count / 2, 2 * width))?;
    let after = padded
        .narrow(0, 2, count)?
        .reshape((count / 2, 2 * width))?
        .narrow(1, 0, width)?;
    Tensor::cat(&[before_and_at, after], 1)
}

/// Returns the encoder's position codes `(length, width)`: sines in the first half, cosines in the
/// second, with wavelengths from 2π to 20,000π (`sinusoids` in `whisper/model.py`).
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "small numbers"
)]
fn sinusoids(length: usize, width: usize) -> candle_core::Result<Tensor> {
    let half = width / 2;
    let step = 10_000_f64.ln() / (half.max(2) - 1) as f64;
    let angle = |position: usize, pair: usize| position as f64 * (-step * pair as f64).exp();
    let codes = (0..length)
        .flat_map(|position| {
            let sines = (0..half).map(move |pair| angle(position, pair).sin());
            sines.chain((0..half).map(move |pair| angle(position, pair).cos()))
        })
        .map(|value| value as f32)
        .collect::<Vec<_>>();
    Tensor::from_vec(codes, (length, width), &Device::Cpu)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::DType;

    /// The rearranged convolutions against candle's own.
    #[test]
    fn neighbours_times_weight_is_a_convolution() {
        let (inputs, outputs, count) = (5, 4, 12);
        let frames = Tensor::randn(0_f32, 1.0, (count, inputs), &Device::Cpu).unwrap();
        let kernel = Tensor::randn(0_f32, 1.0, (outputs, inputs, KERNEL), &Device::Cpu).unwrap();
        let weight = kernel.transpose(1, 2).unwrap().contiguous().unwrap();
        let weight = weight
            .reshape((outputs, KERNEL * inputs))
            .unwrap()
            .t()
            .unwrap();
        let channels_first = frames.t().unwrap().unsqueeze(0).unwrap();
        for (stride, gathered) in [
            (1, neighbours(&frames).unwrap()),
            (2, neighbours_of_every_second(&frames).unwrap()),
        ] {
            let ours = gathered.matmul(&weight).unwrap();
            let theirs = channels_first.conv1d(&kernel, 1, stride, 1, 1).unwrap();
            let theirs = theirs.squeeze(0).unwrap().t().unwrap();
            assert_eq!(ours.dims(), theirs.dims());
            let difference = (ours - theirs).unwrap().abs().unwrap().max_all().unwrap();
            assert!(difference.to_scalar::<f32>().unwrap() < 1e-5);
        }
    }

    #[test]
    fn position_codes_begin_with_zeros_and_ones() {
        let codes = sinusoids(3, 8).unwrap();
        assert_eq!((codes.dims(), codes.dtype()), (&[3, 8][..], DType::F32));
        let rows = codes.to_vec2::<f32>().unwrap();
        assert_eq!(rows[0], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        assert!((rows[2][0] - 2_f32.sin()).abs() < 1e-6);
        assert!((rows[2][7] - 0.0002_f32.cos()).abs() < 1e-6);
    }
}
