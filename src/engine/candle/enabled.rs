//! The engine `candle`, inside a worker.

use super::super::{Engine, EngineError, LoadRequest, SegmentSink, Transcription};
use super::shared;
use super::whisper::{DecodeOptions, LoadOptions, Model, Quantization};
use crate::engine::declaration::each_window_once;
use crate::model::{Availability, EngineFacts, Segment, Value};
use crate::protocol::ErrorKind;
use std::collections::BTreeMap;

pub(in crate::engine) fn facts() -> EngineFacts {
    shared::facts(Availability::Ready)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the same signature as the disabled engine's"
)]
pub(in crate::engine) fn create() -> Option<Box<dyn Engine>> {
    Some(Box::new(Candle { model: None }))
}

/// candle before and after a model is loaded.
struct Candle {
    model: Option<Model>,
}

impl Engine for Candle {
    fn load(&mut self, request: &LoadRequest) -> Result<(), EngineError> {
        let model = |message: String| EngineError::new(ErrorKind::Model, message);
        let directory = request
            .directory
            .as_ref()
            .ok_or_else(|| model("candle needs a model's folder".into()))?;
        let quantized = request
            .files
            .iter()
            .any(|file| file == Quantization::Q8_0.file_name());
        let quantization = if quantized {
            Quantization::Q8_0
        } else {
            Quantization::F16
        };
        let loaded = Model::load(directory, &LoadOptions { quantization })
            .map_err(|error| model(error.to_string()))?;
        self.model = Some(loaded);
        Ok(())
    }

    fn fixed_settings(&self) -> BTreeMap<String, Value> {
        each_window_once()
    }

    fn transcribe(
        &mut self,
        samples: &[f32],
        language: Option<&str>,
        on_segment: &SegmentSink,
    ) -> Result<Transcription, EngineError> {
        let engine = |message: String| EngineError::new(ErrorKind::Engine, message);
        let model = self
            .model
            .as_mut()
            .ok_or_else(|| engine("no model is loaded".into()))?;
        let options = DecodeOptions {
            language: language.map(str::to_owned),
            ..DecodeOptions::default()
        };
        let transcript = model
            .transcribe(samples, &options, &mut |heard| on_segment(&segment(heard)))
            .map_err(|error| engine(error.to_string()))?;
        Ok(Transcription {
            text: transcript.text,
            segments: transcript.segments.iter().map(segment).collect(),
            language: Some(transcript.language),
            tokens: u64::try_from(transcript.tokens).ok(),
        })
    }
}

fn segment(heard: &super::whisper::Segment) -> Segment {
    Segment {
        start_seconds: heard.start_seconds,
        end_seconds: heard.end_seconds,
        text: heard.text.clone(),
    }
}
