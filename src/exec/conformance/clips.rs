//! The recordings that an engine is handed.

use crate::corpus::{DecodeLimits, DecodedCache, Prepared, clip_of, wav_bytes};
use crate::exec::context::RunContext;
use crate::model::{AudioSource, Utterance};
use std::fs;
use std::path::{Path, PathBuf};

/// Samples in a second.
const RATE: usize = 16_000;

/// A recording as samples and as a WAV file.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    pub(super) samples: PathBuf,
    pub(super) wav: PathBuf,
    pub(super) seconds: f64,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Clips {
    /// Speech of eleven seconds.
    pub(super) speech: Recording,
    /// Speech of two seconds.
    pub(super) short: Recording,
    pub(super) fifty_milliseconds: Recording,
    pub(super) no_samples: Recording,
    pub(super) silence: Recording,
    pub(super) not_a_number: Recording,
    pub(super) torn: Recording,
    pub(super) missing: Recording,
}

impl Clips {
    /// Prepares them in a folder; what is built in is decoded in the cache of the run.
    pub(super) fn prepare(context: &RunContext, folder: &Path) -> Result<Self, String> {
        let cache = DecodedCache::new(&context.audio_cache, DecodeLimits::default());
        let speech = built_in(&cache, "jfk")?;
        let begin: Vec<f32> = read(&speech)?.into_iter().take(RATE / 20).collect();
        let made = |name: &str, samples: &[f32]| {
            write(folder, name, samples).map_err(|error| error.to_string())
        };
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30];
        let odd: Vec<f32> = odd.into_iter().cycle().take(RATE).collect();
        Ok(Self {
            short: built_in(&cache, "arctic-a0007")?,
            fifty_milliseconds: made("fifty-milliseconds", &begin)?,
            no_samples: made("no-samples", &[])?,
            silence: made("silence", &vec![0.0; RATE])?,
            not_a_number: made("not-a-number", &odd)?,
            torn: torn(folder).map_err(|error| error.to_string())?,
            missing: Recording {
                samples: folder.join("nobody-made-this.f32"),
                wav: folder.join("nobody-made-this.wav"),
                seconds: 0.0,
            },
            speech,
        })
    }
}

fn built_in(cache: &DecodedCache, id: &str) -> Result<Recording, String> {
    let utterance = Utterance {
        id: id.into(),
        source: AudioSource::Builtin(id.into()),
        reference: None,
        language: Some("en".into()),
        seconds: None,
        sha256: None,
    };
    let prepared: Prepared = cache
        .prepare(&clip_of(&utterance)?)
        .map_err(|error| error.to_string())?;
    let wav = cache
        .prepare_wav(&prepared)
        .map_err(|error| error.to_string())?;
    Ok(Recording {
        wav,
        seconds: prepared.seconds,
        samples: prepared.path,
    })
}

fn read(recording: &Recording) -> Result<Vec<f32>, String> {
    let bytes = fs::read(&recording.samples).map_err(|error| error.to_string())?;
    let (samples, _) = bytes.as_chunks::<4>();
    Ok(samples.iter().copied().map(f32::from_le_bytes).collect())
}

fn write(folder: &Path, name: &str, samples: &[f32]) -> std::io::Result<Recording> {
    let bytes: Vec<u8> = samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    let recording = Recording {
        samples: folder.join(format!("{name}.f32")),
        wav: folder.join(format!("{name}.wav")),
        #[expect(clippy::cast_precision_loss, reason = "a second of samples")]
        seconds: samples.len() as f64 / RATE as f64,
    };
    fs::write(&recording.samples, bytes)?;
    fs::write(&recording.wav, wav_bytes(samples)?)?;
    Ok(recording)
}

/// Makes a file of three bytes, which is no sample.
fn torn(folder: &Path) -> std::io::Result<Recording> {
    let recording = Recording {
        samples: folder.join("torn.f32"),
        wav: folder.join("torn.wav"),
        seconds: 0.0,
    };
    fs::write(&recording.samples, [1, 2, 3])?;
    fs::write(&recording.wav, b"RIF")?;
    Ok(recording)
}
