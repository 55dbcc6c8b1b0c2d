//! Encoder and decoder as one [`WindowModel`].

use super::config::Config;
use super::decoder::Decoder;
use super::encoder::Encoder;
use super::error::Error;
use super::weights::Weights;
use super::windows::{PromptLogits, WindowModel};
use candle_core::{Device, Tensor};

/// The network of a Whisper model.
#[derive(Debug)]
pub struct Network {
    encoder: Encoder,
    decoder: Decoder,
    bands: usize,
}

impl Network {
    /// Loads encoder and decoder.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] when a tensor is missing or has another shape than `config` says.
    pub fn load(weights: &Weights, config: &Config) -> Result<Self, Error> {
        Ok(Self {
            encoder: Encoder::load(weights, config)?,
            decoder: Decoder::load(weights, config)?,
            bands: config.num_mel_bins,
        })
    }
}

impl WindowModel for Network {
    fn listen(&mut self, frames: Vec<f32>) -> Result<(), Error> {
        on_pool(|| {
            let count = frames.len() / self.bands;
            let frames = Tensor::from_vec(frames, (count, self.bands), &Device::Cpu)?;
            let audio = self.encoder.forward(&frames)?;
            Ok(self.decoder.set_window(&audio)?)
        })
    }

    fn begin(&mut self, prompt: &[u32]) -> Result<PromptLogits, Error> {
        on_pool(|| {
            self.decoder.restart();
            let states = self.decoder.append(prompt)?;
            let ends = Tensor::cat(
                &[
                    states.narrow(0, 0, 1)?,
                    states.narrow(0, prompt.len() - 1, 1)?,
                ],
                0,
            )?;
            let mut logits = self.decoder.logits(&ends)?.into_iter();
            Ok(PromptLogits {
                first: logits.next().unwrap_or_default(),
                last: logits.next().unwrap_or_default(),
            })
        })
    }

    fn follow(&mut self, token: u32) -> Result<Vec<f32>, Error> {
        on_pool(|| {
            let state = self.decoder.append(&[token])?;
            Ok(self.decoder.logits(&state)?.pop().unwrap_or_default())
        })
    }
}

/// Runs `work` on a thread of rayon's pool: from there each parallel operation starts at once,
/// from outside each would be handed over and waited for.
fn on_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| work())
}
