//! The engine `whisper-cpp`: whisper.cpp through `whisper-rs`, inside a worker.

use super::super::{Engine, EngineError, LoadRequest, SegmentSink, Transcription};
use super::shared;
use crate::engine::declaration::each_window_once;
use crate::model::{Availability, EngineFacts, Segment, Value};
use crate::protocol::ErrorKind;
use std::collections::BTreeMap;
use std::sync::Arc;
use whisper_rs::{
    FullParams, SamplingStrategy, SegmentCallbackData, WhisperContext, WhisperContextParameters,
    WhisperState,
};

pub(in crate::engine) fn facts() -> EngineFacts {
    shared::facts(Availability::Ready)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the same signature as the disabled engine's"
)]
pub(in crate::engine) fn create() -> Option<Box<dyn Engine>> {
    Some(Box::new(WhisperCpp { loaded: None }))
}

/// whisper.cpp before and after a model is loaded.
struct WhisperCpp {
    loaded: Option<Loaded>,
}

struct Loaded {
    state: WhisperState,
    multilingual: bool,
    threads: i32,
    beam_size: i32,
    device: String,
}

impl Engine for WhisperCpp {
    fn load(&mut self, request: &LoadRequest) -> Result<(), EngineError> {
        // Without this whisper.cpp writes some forty lines; with it, its warnings and errors
        // still reach the log through `tracing`.
        whisper_rs::install_logging_hooks();
        let model = |message: String| EngineError::new(ErrorKind::Model, message);
        let directory = request
            .directory
            .as_ref()
            .ok_or_else(|| model("whisper.cpp needs a model's folder".into()))?;
        let (encoder, files): (Vec<&String>, Vec<&String>) = request
            .files
            .iter()
            .partition(|file| file.contains(shared::ENCODER));
        let [file] = files.as_slice() else {
            return Err(model(format!(
                "whisper.cpp reads one file and an encoder for Core ML, and the artifact has {}",
                files.len()
            )));
        };
        let path = directory.join(file);
        super::file::check(&path)
            .map_err(|reason| model(format!("{}: {reason}", path.display())))?;
        let mut parameters = WhisperContextParameters::default();
        parameters
            .use_gpu(shared::HAS_GPU)
            .flash_attn(request.boolean("flash-attention").unwrap_or_default());
        let context = WhisperContext::new_with_params(&path, parameters)
            .map_err(|error| model(format!("{}: whisper.cpp says: {error}", path.display())))?;
        let multilingual = context.is_multilingual();
        let state = context
            .create_state()
            .map_err(|error| model(format!("{}: no state: {error}", path.display())))?;
        let number = |name| {
            request
                .integer(name)
                .and_then(|number| i32::try_from(number).ok())
                .unwrap_or(1)
        };
        self.loaded = Some(Loaded {
            state,
            multilingual,
            threads: number("threads"),
            beam_size: number("beam-size"),
            device: shared::device(!encoder.is_empty()),
        });
        Ok(())
    }

    fn fixed_settings(&self) -> BTreeMap<String, Value> {
        let mut fixed = each_window_once();
        // A build without accelerators has nothing to tell.
        let device = self.loaded.as_ref().map(|loaded| loaded.device.as_str());
        if let Some(device) = device.filter(|_| shared::device(true) != "cpu") {
            fixed.insert("device".into(), Value::text(device));
        }
        fixed
    }

    fn transcribe(
        &mut self,
        samples: &[f32],
        language: Option<&str>,
        on_segment: &SegmentSink,
    ) -> Result<Transcription, EngineError> {
        let engine = |message: String| EngineError::new(ErrorKind::Engine, message);
        let loaded = self
            .loaded
            .as_mut()
            .ok_or_else(|| engine("no model is loaded".into()))?;
        // An English-only model refuses to be told another language, and needs none.
        let language = if loaded.multilingual {
            language.or(Some("auto"))
        } else {
            Some("en")
        };
        let mut parameters = parameters(loaded.threads, loaded.beam_size);
        parameters.set_language(language);
        let sink = Arc::clone(on_segment);
        parameters.set_segment_callback_safe_lossy(move |heard: SegmentCallbackData| {
            sink(&Segment {
                start_seconds: centiseconds(heard.start_timestamp),
                end_seconds: centiseconds(heard.end_timestamp),
                text: heard.text,
            });
        });
        loaded
            .state
            .full(parameters, samples)
            .map_err(|error| engine(format!("whisper.cpp says: {error}")))?;
        let mut segments = Vec::new();
        let mut tokens = 0;
        for segment in loaded.state.as_iter() {
            tokens += u64::try_from(segment.n_tokens()).unwrap_or_default();
            let text = segment
                .to_str_lossy()
                .map_err(|error| engine(format!("a segment has no text: {error}")))?;
            segments.push(Segment {
                start_seconds: centiseconds(segment.start_timestamp()),
                end_seconds: centiseconds(segment.end_timestamp()),
                text: text.into_owned(),
            });
        }
        let detected = loaded.state.full_lang_id_from_state();
        Ok(Transcription {
            text: segments
                .iter()
                .map(|segment| segment.text.as_str())
                .collect::<String>(),
            segments,
            language: whisper_rs::get_lang_str(detected).map(str::to_owned),
            tokens: Some(tokens),
        })
    }
}

/// Settings under which times can be compared: no fallback to other temperatures, no text of an
/// earlier window as context.
fn parameters<'a, 'b>(threads: i32, beam_size: i32) -> FullParams<'a, 'b> {
    let strategy = if beam_size > 1 {
        SamplingStrategy::BeamSearch {
            beam_size,
            patience: -1.0,
        }
    } else {
        SamplingStrategy::Greedy { best_of: 1 }
    };
    let mut parameters = FullParams::new(strategy);
    parameters.set_n_threads(threads);
    parameters.set_no_context(true);
    parameters.set_temperature_inc(0.0);
    parameters.set_print_progress(false);
    parameters.set_print_realtime(false);
    parameters.set_print_special(false);
    parameters.set_print_timestamps(false);
    parameters
}

/// whisper.cpp counts in hundredths of a second.
#[expect(
    clippy::cast_precision_loss,
    reason = "times of recordings are far below 2^53"
)]
fn centiseconds(time: i64) -> f64 {
    time as f64 / 100.0
}
