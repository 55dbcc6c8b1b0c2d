//! The candle engine against the Whisper of `candle-transformers`, interleaved.
//!
//! `EARMARK_BENCH_ROUNDS` sets the number of rounds (default 5); `EARMARK_BENCH_MODEL` names another
//! folder with a model in the Hugging Face layout than that of tiny.en. Set `RAYON_NUM_THREADS` and
//! `CANDLE_NUM_THREADS` to the threads that both may use.
//!
//! Both networks get the same spectrogram, the same windows and the same rules for the choice of
//! tokens; what differs is the network. In each round every recording is transcribed by both, one
//! right after the other, and which of them begins changes from round to round. The ratio is that
//! of the medians of the rounds' totals, so that it says nothing about a machine's load as long as
//! the load changes more slowly than the two take turns.

mod material;

use candle_core::{Device, IndexOp, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::whisper::{Config as TheirConfig, DTYPE, model::Whisper};
use earmark::engine::candle::whisper::{
    DecodeOptions, Error, LoadOptions, Model, ModelConfig, PromptLogits, Quantization, Transcriber,
    WindowModel,
};
use material::{median, prepare, rounds, samples};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The Whisper of `candle-transformers`: every token runs the decoder over the whole text so far.
struct Theirs {
    whisper: Whisper,
    bands: usize,
    audio: Option<Tensor>,
    text: Vec<u32>,
}

impl Theirs {
    fn load(folder: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let config: TheirConfig =
            serde_json::from_slice(&std::fs::read(folder.join("config.json"))?)?;
        let weights = std::fs::read(folder.join("model.safetensors"))?;
        let weights = VarBuilder::from_buffered_safetensors(weights, DTYPE, &Device::Cpu)?;
        let bands = config.num_mel_bins;
        Ok(Self {
            whisper: Whisper::load(&weights, config)?,
            bands,
            audio: None,
            text: Vec::new(),
        })
    }

    fn states(&mut self, begin: bool) -> candle_core::Result<Tensor> {
        let Some(audio) = &self.audio else {
            candle_core::bail!("no window")
        };
        let text = Tensor::new(self.text.as_slice(), &Device::Cpu)?.unsqueeze(0)?;
        self.whisper.decoder.forward(&text, audio, begin)
    }

    fn logits(&self, states: &Tensor, position: usize) -> candle_core::Result<Vec<f32>> {
        let state = states.i((..1, position..=position))?;
        self.whisper
            .decoder
            .final_linear(&state)?
            .i(0)?
            .i(0)?
            .to_vec1()
    }
}

impl WindowModel for Theirs {
    fn listen(&mut self, frames: Vec<f32>) -> Result<(), Error> {
        let count = frames.len() / self.bands;
        let frames = Tensor::from_vec(frames, (1, count, self.bands), &Device::Cpu)?;
        let frames = frames.transpose(1, 2)?.contiguous()?;
        self.audio = Some(self.whisper.encoder.forward(&frames, true)?);
        Ok(())
    }

    fn begin(&mut self, prompt: &[u32]) -> Result<PromptLogits, Error> {
        self.text = prompt.to_vec();
        let states = self.states(true)?;
        let last = self.logits(&states, prompt.len() - 1)?;
        // Asked for only where it is another position.
        let first = if prompt.len() > 1 {
            self.logits(&states, 0)?
        } else {
            last.clone()
        };
        Ok(PromptLogits { first, last })
    }

    fn follow(&mut self, token: u32) -> Result<Vec<f32>, Error> {
        self.text.push(token);
        let states = self.states(false)?;
        Ok(self.logits(&states, self.text.len() - 1)?)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let material = prepare();
    let folder = std::env::var_os("EARMARK_BENCH_MODEL").map_or_else(
        || material.home.join("models/tiny.en/safetensors"),
        PathBuf::from,
    );
    let folder = folder.as_path();
    let mut ours = Model::load(
        folder,
        &LoadOptions {
            quantization: Quantization::F16,
        },
    )?;
    let mut theirs = Theirs::load(folder)?;
    let transcriber = Transcriber::read(folder, &ModelConfig::read(folder)?)?;
    let recordings: Vec<(&PathBuf, Vec<f32>)> = material
        .recordings
        .iter()
        .map(|path| (path, samples(path)))
        .collect();
    let options = DecodeOptions {
        language: Some("en".into()),
        ..DecodeOptions::default()
    };
    let (mut our_totals, mut their_totals) = (Vec::new(), Vec::new());
    let mut equal = true;
    let rounds = rounds();
    for round in 0..rounds {
        let (mut our_total, mut their_total) = (0.0, 0.0);
        for (file, samples) in &recordings {
            let mut texts = [String::new(), String::new()];
            for turn in 0..2 {
                let start = Instant::now();
                if (round + turn).is_multiple_of(2) {
                    texts[0] = ours.transcribe(samples, &options, &mut |_| {})?.text;
                    our_total += start.elapsed().as_secs_f64();
                } else {
                    let transcript =
                        transcriber.transcribe(&mut theirs, samples, &options, &mut |_| {})?;
                    texts[1] = transcript.text;
                    their_total += start.elapsed().as_secs_f64();
                }
            }
            if texts[0] != texts[1] {
                equal = false;
                println!(
                    "{}\n  ours:   {}\n  theirs: {}",
                    file.display(),
                    texts[0],
                    texts[1]
                );
            }
        }
        println!("round {round}: ours {our_total:.2} s, theirs {their_total:.2} s");
        our_totals.push(our_total);
        their_totals.push(their_total);
    }
    println!(
        "speed of the candle engine over {} recordings: {:.2} × the Whisper of candle-transformers \
         (medians of {rounds}); texts equal: {equal}",
        recordings.len(),
        median(&mut their_totals) / median(&mut our_totals)
    );
    Ok(())
}
