//! The candle engine against the Whisper of `candle-transformers`, interleaved.
//!
//! ```text
//! RAYON_NUM_THREADS=2 CANDLE_NUM_THREADS=2 \
//!     cargo bench --bench candle_decoder -- MODEL_FOLDER ROUNDS [LANGUAGE] AUDIO.f32 ...
//! ```
//!
//! `MODEL_FOLDER` holds a model in the Hugging Face layout with `model.safetensors`; the audio
//! files hold little-endian float32 samples, 16,000 a second of one channel. `LANGUAGE` is a code
//! of two letters, `en` unless given.
//!
//! Both networks get the same spectrogram, the same windows and the same rules for the choice of
//! tokens; what differs is the network. In each round every recording is transcribed by both, one
//! right after the other, and which of them begins changes from round to round. The ratio is that
//! of the medians of the rounds' totals, so that it says nothing about a machine's load as long as
//! the load changes more slowly than the two take turns.

use candle_core::{Device, IndexOp, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::whisper::{Config as TheirConfig, DTYPE, model::Whisper};
use earmark::engine::candle::whisper::{
    DecodeOptions, Error, LoadOptions, Model, ModelConfig, PromptLogits, Quantization, Transcriber,
    WindowModel,
};
use std::path::Path;
use std::time::{Duration, Instant};

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

fn samples(path: &str) -> std::io::Result<Vec<f32>> {
    let bytes = std::fs::read(path)?;
    Ok(bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    let middle = times.len() / 2;
    if times.len() % 2 == 1 {
        times[middle]
    } else {
        (times[middle - 1] + times[middle]) / 2
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect::<Vec<_>>();
    let [folder, rounds, rest @ ..] = arguments.as_slice() else {
        println!("candle_decoder: skipped; give MODEL_FOLDER ROUNDS [LANGUAGE] AUDIO.f32 ...");
        return Ok(());
    };
    let (language, files) = match rest {
        [language, files @ ..] if language.len() == 2 => (language.as_str(), files),
        files => ("en", files),
    };
    let folder = Path::new(folder);
    let rounds: usize = rounds.parse()?;
    let mut ours = Model::load(
        folder,
        &LoadOptions {
            quantization: Quantization::F16,
        },
    )?;
    let mut theirs = Theirs::load(folder)?;
    let transcriber = Transcriber::read(folder, &ModelConfig::read(folder)?)?;
    let recordings = files
        .iter()
        .map(|file| Ok((file, samples(file)?)))
        .collect::<std::io::Result<Vec<_>>>()?;
    let options = DecodeOptions {
        language: Some(language.into()),
        ..DecodeOptions::default()
    };
    let (mut our_totals, mut their_totals) = (Vec::new(), Vec::new());
    let mut equal = true;
    for round in 0..rounds {
        let (mut our_total, mut their_total) = (Duration::ZERO, Duration::ZERO);
        for (file, samples) in &recordings {
            let mut texts = [String::new(), String::new()];
            for turn in 0..2 {
                let start = Instant::now();
                if (round + turn).is_multiple_of(2) {
                    texts[0] = ours.transcribe(samples, &options, &mut |_| {})?.text;
                    our_total += start.elapsed();
                } else {
                    let transcript =
                        transcriber.transcribe(&mut theirs, samples, &options, &mut |_| {})?;
                    texts[1] = transcript.text;
                    their_total += start.elapsed();
                }
            }
            if texts[0] != texts[1] {
                equal = false;
                println!("{file}\n  ours:   {}\n  theirs: {}", texts[0], texts[1]);
            }
        }
        let (our_seconds, their_seconds) = (our_total.as_secs_f64(), their_total.as_secs_f64());
        println!(
            "round {}: ours {our_seconds:.2} s, theirs {their_seconds:.2} s",
            round + 1
        );
        our_totals.push(our_total);
        their_totals.push(their_total);
    }
    if let (false, false) = (our_totals.is_empty(), recordings.is_empty()) {
        let ratio = median(&mut their_totals).as_secs_f64() / median(&mut our_totals).as_secs_f64();
        println!("ratio of medians {ratio:.2}; texts equal: {equal}");
    }
    Ok(())
}
