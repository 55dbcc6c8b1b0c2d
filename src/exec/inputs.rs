//! What is made ready before the first timed trial: decoded recordings and digests of artifacts.

use super::context::RunContext;
use super::engine::wants_file;
use crate::corpus::{DecodeLimits, DecodedCache, clip_of};
use crate::engine::command::{CommandBackend, Place};
use crate::model::{JobSpec, Utterance};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A decoded recording.
#[derive(Clone, Debug)]
pub(super) struct PreparedAudio {
    pub(super) id: String,
    /// Raw float32 samples, 16 kHz, mono.
    pub(super) path: PathBuf,
    /// The same as a WAV file, if some command or engine asks for one.
    pub(super) wav: Option<PathBuf>,
    pub(super) seconds: f64,
    pub(super) sha256: String,
    pub(super) language: Option<String>,
}

/// Decodes the recordings of some benchmarks, each once. Returns them, or why they cannot be read,
/// by utterance.
pub(super) async fn prepare_audio(
    context: &Arc<RunContext>,
    benchmarks: &[usize],
) -> BTreeMap<String, Result<PreparedAudio, String>> {
    let mut wanted: BTreeMap<String, (Utterance, bool)> = BTreeMap::new();
    for position in benchmarks {
        let JobSpec::Benchmark(spec) = &context.plan.jobs[*position].spec else {
            continue;
        };
        let Some(audio) = context.plan.audio.get(spec.audio.as_str()) else {
            continue;
        };
        let wants_wav = reads_wav(context, &spec.backend);
        for utterance in &audio.utterances {
            wanted
                .entry(utterance.id.clone())
                .or_insert_with(|| (utterance.clone(), false))
                .1 |= wants_wav;
        }
    }
    let cache = DecodedCache::new(&context.audio_cache, DecodeLimits::default());
    let decoded = tokio::task::spawn_blocking(move || {
        wanted
            .into_par_iter()
            .map(|(id, (utterance, wants_wav))| {
                let prepared = clip_of(&utterance).and_then(|clip| {
                    let prepared = cache.prepare(&clip).map_err(|error| error.to_string())?;
                    let wav = wants_wav.then(|| cache.prepare_wav(&prepared));
                    let wav = wav.transpose().map_err(|error| error.to_string())?;
                    Ok(PreparedAudio {
                        id: id.clone(),
                        path: prepared.path,
                        wav,
                        seconds: prepared.seconds,
                        sha256: prepared.source_sha256,
                        language: utterance.language.clone(),
                    })
                });
                (id, prepared)
            })
            .collect()
    });
    decoded.await.unwrap_or_default()
}

/// Whether a backend is a command that names a WAV file, or an engine that asks for one.
fn reads_wav(context: &RunContext, backend: &str) -> bool {
    match context.plan.backends.get(backend) {
        Some(definition) if !definition.speaks_protocol() => CommandBackend::new(definition)
            .is_ok_and(|backend| backend.places().contains(&Place::AudioWav)),
        _ => wants_file(context, backend),
    }
}
