//! The fake engine: reads no model, says the same words for the same samples, takes every setting.
//!
//! It stands in for an engine in smoke matrices and tests. Its rows are marked synthetic
//! everywhere.

use super::declaration::{
    beam_size, fake_fault, fake_jitter, fake_seconds, flash_attention, language, threads,
    wait_policy,
};
use super::{Engine, EngineError, LoadRequest, SegmentSink, Transcription};
use crate::model::{Availability, EngineFacts, Requirements, Segment};
use crate::protocol::ErrorKind;
use indexmap::IndexMap;
use std::time::Duration;

pub(super) const ID: &str = "fake";

const WORDS: [&str; 16] = [
    "and", "so", "the", "quick", "brown", "fox", "asks", "what", "you", "can", "do", "for", "a",
    "lazy", "dog", "today",
];

pub(super) fn facts() -> EngineFacts {
    EngineFacts {
        id: ID.into(),
        description: "A stand-in that recognizes nothing; for smoke matrices and tests.".into(),
        version: Some("1".into()),
        availability: Availability::Ready,
        artifacts: IndexMap::new(),
        settings: vec![
            language(),
            threads(),
            beam_size(1024),
            flash_attention(),
            wait_policy(),
            fake_fault(),
            fake_seconds(),
            fake_jitter(),
        ],
        families: Vec::new(),
        requires: Requirements::NONE,
        any_model: true,
        synthetic: true,
        command: false,
    }
}

/// The fake engine.
#[derive(Debug, Default)]
pub(super) struct Fake {
    /// What it was told to load, once it was.
    request: Option<LoadRequest>,
    /// Trials so far.
    trials: u32,
}

impl Fake {
    fn commit_fault(&self, phase: &str) -> Result<(), EngineError> {
        match self
            .request
            .as_ref()
            .and_then(|request| request.text("fake-fault"))
            .and_then(|fault| fault.strip_suffix(phase))
        {
            Some("fail-") => Err(EngineError::new(
                ErrorKind::Engine,
                "the fake engine was told to fail",
            )),
            Some("hang-") => loop {
                std::thread::park();
            },
            Some("crash-") => std::process::abort(),
            _ => Ok(()),
        }
    }
}

impl Engine for Fake {
    fn load(&mut self, request: &LoadRequest) -> Result<(), EngineError> {
        self.request = Some(request.clone());
        self.commit_fault("load")
    }

    fn transcribe(
        &mut self,
        samples: &[f32],
        language: Option<&str>,
        on_segment: &SegmentSink,
    ) -> Result<Transcription, EngineError> {
        self.commit_fault("trial")?;
        let request = self
            .request
            .as_ref()
            .ok_or_else(|| EngineError::new(ErrorKind::Engine, "no model is loaded"))?;
        let number = |name: &str| {
            let value = request.settings.get(name);
            value
                .and_then(crate::model::Value::as_number)
                .unwrap_or(0.0)
        };
        let seconds =
            number("fake-seconds") * (1.0 + number("fake-jitter") * share_of(self.trials));
        self.trials = self.trials.wrapping_add(1);
        if let Some(pause) = Some(seconds)
            .filter(|s| *s > 0.0)
            .and_then(|s| Duration::try_from_secs_f64(s).ok())
        {
            std::thread::park_timeout(pause);
        }
        let text = words_for(samples);
        #[expect(
            clippy::cast_precision_loss,
            reason = "lengths of recordings are far below 2^53"
        )]
        let end_seconds = samples.len() as f64 / 16_000.0;
        let segment = Segment {
            start_seconds: 0.0,
            end_seconds,
            text: text.clone(),
        };
        on_segment(&segment);
        Ok(Transcription {
            text,
            segments: vec![segment],
            language: Some(language.unwrap_or("en").to_owned()),
            tokens: None,
        })
    }
}

/// Returns a number from 0 to 1 for a trial. They lie as evenly as numbers can that nobody knows how
/// many there will be of: multiples of the golden ratio, without their whole part.
fn share_of(trial: u32) -> f64 {
    (f64::from(trial) * 0.618_033_988_749_895).fract()
}

/// Returns two or three words for each second of audio, chosen by the samples.
fn words_for(samples: &[f32]) -> String {
    samples
        .chunks(6_000)
        .map(|chunk| {
            let sum = chunk.iter().fold(0u32, |sum, sample| {
                sum.rotate_left(5) ^ sample.to_bits().wrapping_mul(0x9E37_79B1)
            });
            WORDS[sum as usize % WORDS.len()]
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_samples_give_the_same_words() {
        let samples: Vec<f32> = (0..20_000u16).map(|n| f32::from(n % 97) / 97.0).collect();
        let mut engine = Fake::default();
        engine.load(&LoadRequest::default()).unwrap();
        let deaf: SegmentSink = std::sync::Arc::new(|_| {});
        let first = engine.transcribe(&samples, None, &deaf).unwrap();
        let second = engine.transcribe(&samples, None, &deaf).unwrap();
        assert_eq!(first.text, second.text);
        assert_eq!(first.text.split(' ').count(), 4);
    }
}
