//! Whisper's text decoder, with what it has computed kept from token to token.

use super::attention::{CachedAttention, CrossAttention};
use super::config::Config;
use super::error::Error;
use super::linear::{Linear, Weight, layer_norm};
use super::weights::Weights;
use candle_core::{Device, Module, Tensor};
use candle_nn::LayerNorm;

/// The decoder.
#[derive(Debug)]
pub struct Decoder {
    embedding: Weight,
    positions: Tensor,
    blocks: Vec<Block>,
    norm: LayerNorm,
    /// Tokens given since the last [`Decoder::restart`].
    length: usize,
}

#[derive(Debug)]
struct Block {
    self_norm: LayerNorm,
    self_attention: CachedAttention,
    cross_norm: LayerNorm,
    cross_attention: CrossAttention,
    feed_forward_norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
}

impl Decoder {
    /// Loads the decoder.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] when a tensor is missing or has another shape than `config` says.
    pub fn load(weights: &Weights, config: &Config) -> Result<Self, Error> {
        let name = "model.decoder";
        let width = config.d_model;
        let capacity = config.max_target_positions;
        let blocks = (0..config.decoder_layers)
            .map(|layer| Block::load(weights, &format!("{name}.layers.{layer}"), config))
            .collect::<Result<Vec<_>, Error>>()?;
        let embedding = weights.matrix(
            &format!("{name}.embed_tokens.weight"),
            config.vocab_size,
            width,
        )?;
        let positions = weights.dense(
            &format!("{name}.embed_positions.weight"),
            &[capacity, width],
        )?;
        let norm = layer_norm(weights, &format!("{name}.layer_norm"), width)?;
        Ok(Self {
            embedding,
            positions,
            blocks,
            norm,
            length: 0,
        })
    }

    /// Takes the encoder's output `(positions, width)` for the sequences that follow.
    ///
    /// # Errors
    ///
    /// When an operation of candle fails.
    pub fn set_window(&mut self, audio: &Tensor) -> candle_core::Result<()> {
        self.restart();
        for block in &mut self.blocks {
            block.cross_attention.set_window(audio)?;
        }
        Ok(())
    }

    /// Forgets the tokens given so far, but not the window.
    pub fn restart(&mut self) {
        self.length = 0;
    }

    /// Appends `tokens` in one pass and returns their states, `(count, width)`.
    ///
    /// # Errors
    ///
    /// When an operation of candle fails, as when the sequence grows longer than the model's
    /// positions.
    pub fn append(&mut self, tokens: &[u32]) -> candle_core::Result<Tensor> {
        let numbers = Tensor::new(tokens, &Device::Cpu)?;
        let positions = self.positions.narrow(0, self.length, tokens.len())?;
        let mut states = (self.embedding.rows(&numbers)? + positions)?;
        for block in &self.blocks {
            states = block.forward(&states, self.length)?;
        }
        self.length += tokens.len();
        self.norm.forward(&states)
    }

    /// Returns one logit for each token of the vocabulary for each of the `states`
    /// `(count, width)`: what may follow them.
    ///
    /// # Errors
    ///
    /// When an operation of candle fails.
    pub fn logits(&self, states: &Tensor) -> candle_core::Result<Vec<Vec<f32>>> {
        self.embedding.product(states)?.to_vec2()
    }
}

impl Block {
    fn load(weights: &Weights, name: &str, config: &Config) -> Result<Self, Error> {
        let (width, inner) = (config.d_model, config.decoder_ffn_dim);
        let (heads, capacity) = (config.decoder_attention_heads, config.max_target_positions);
        let part = |part: &str| format!("{name}.{part}");
        Ok(Self {
            self_norm: layer_norm(weights, &part("self_attn_layer_norm"), width)?,
            self_attention: CachedAttention::load(
                weights,
                &part("self_attn"),
                (width, heads),
                capacity,
            )?,
            cross_norm: layer_norm(weights, &part("encoder_attn_layer_norm"), width)?,
            cross_attention: CrossAttention::load(weights, &part("encoder_attn"), width, heads)?,
            feed_forward_norm: layer_norm(weights, &part("final_layer_norm"), width)?,
            widen: Linear::load(weights, &part("fc1"), (width, inner), true)?,
            narrow: Linear::load(weights, &part("fc2"), (inner, width), true)?,
        })
    }

    fn forward(&self, states: &Tensor, past: usize) -> candle_core::Result<Tensor> {
        let read = self
            .self_attention
            .forward(&self.self_norm.forward(states)?, past)?;
        let states = (states + read)?;
        let read = self
            .cross_attention
            .forward(&self.cross_norm.forward(&states)?)?;
        let states = (states + read)?;
        let normed = self.feed_forward_norm.forward(&states)?;
        &states + self.narrow.forward(&self.widen.forward_gelu(&normed)?)?
    }
}
