//! The rows of `results.csv`: one for each benchmark job, whatever became of it.

use super::statistics::Spread;
use crate::model::{BenchmarkSpec, Job, JobSpec, NormalizerId, Outcome, Sample};
use crate::record::{AttemptRecord, JobRecord, RunRecord};
use crate::score::{Normalizer, SetScore, score_set, score_utterance};
use std::collections::{BTreeMap, BTreeSet};

/// A benchmark job with what was measured and what follows from it.
#[derive(Clone, Debug)]
pub struct ResultRow<'a> {
    /// The job.
    pub job: &'a Job,
    /// What it was declared to do.
    pub spec: &'a BenchmarkSpec,
    /// What became of it.
    pub record: Option<&'a JobRecord>,
    /// Measured trials, without warm-ups.
    pub samples: Vec<&'a Sample>,
    /// Seconds of a whole pass: for each trial, the sum over its utterances.
    pub transcribe: Option<Spread>,
    /// Seconds of audio over seconds of transcription, sum over sum.
    pub rtfx: Option<f64>,
    /// Length of all its audio in seconds.
    pub audio_seconds: Option<f64>,
    /// Edits, by the headline normalizer; from the first measured trial of each utterance.
    pub score: Option<SetScore>,
    /// The headline normalizer.
    pub normalizer: Normalizer,
    /// The text of the first measured trial of each utterance.
    pub hypothesis: Option<String>,
    /// Whether every trial of each utterance gave the same text.
    pub deterministic: Option<bool>,
}

impl ResultRow<'_> {
    /// Returns the word for what became of it.
    #[must_use]
    pub fn status(&self) -> &'static str {
        self.outcome().map_or("not-run", Outcome::status)
    }

    /// Returns how it ended.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        self.record?.outcome.as_ref()
    }

    /// Returns its launches.
    #[must_use]
    pub fn attempts(&self) -> &[AttemptRecord] {
        self.record.map_or(&[], |record| &record.attempts)
    }

    /// Returns the median over its launches of something that each has once.
    #[must_use]
    pub fn per_launch(&self, field: impl Fn(&AttemptRecord) -> Option<f64>) -> Option<f64> {
        let values: Vec<f64> = self.attempts().iter().filter_map(field).collect();
        Spread::of(&values).map(|spread| spread.median)
    }

    /// Returns the median over its trials of something that each may have.
    #[must_use]
    pub fn per_trial(&self, field: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
        let values: Vec<f64> = self
            .samples
            .iter()
            .filter_map(|sample| field(sample))
            .collect();
        Spread::of(&values).map(|spread| spread.median)
    }
}

/// Returns the rows in the order of the plan.
#[must_use]
pub fn result_rows(record: &RunRecord) -> Vec<ResultRow<'_>> {
    record
        .plan
        .jobs
        .iter()
        .filter_map(|job| match &job.spec {
            JobSpec::Benchmark(spec) => Some(row(record, job, spec)),
            _ => None,
        })
        .collect()
}

fn row<'a>(record: &'a RunRecord, job: &'a Job, spec: &'a BenchmarkSpec) -> ResultRow<'a> {
    let job_record = record.job(&job.id);
    let samples: Vec<&Sample> = job_record
        .map(|job| job.samples.iter().filter(|sample| !sample.warmup).collect())
        .unwrap_or_default();
    let mut passes: BTreeMap<(u32, u32), f64> = BTreeMap::new();
    for sample in &samples {
        *passes.entry((sample.launch, sample.trial)).or_default() += sample.transcribe_seconds;
    }
    let mut launches: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for ((launch, _), seconds) in passes {
        launches.entry(launch).or_default().push(seconds);
    }
    let launches: Vec<Vec<f64>> = launches.into_values().collect();
    let sum = |field: fn(&Sample) -> f64| samples.iter().map(|sample| field(sample)).sum::<f64>();
    let seconds = sum(|sample| sample.transcribe_seconds);
    let normalizer = headline(record, spec);
    let (score, hypothesis) = accuracy(record, spec, &samples, normalizer);
    ResultRow {
        job,
        spec,
        record: job_record,
        transcribe: Spread::of_launches(&launches),
        rtfx: (seconds > 0.0).then(|| sum(|sample| sample.audio_seconds) / seconds),
        audio_seconds: audio_seconds(record, spec),
        deterministic: (!samples.is_empty()).then(|| is_deterministic(&samples)),
        samples,
        score,
        normalizer,
        hypothesis,
    }
}

/// Returns the normalizer that the plan names first, else the one for the recording's language.
fn headline(record: &RunRecord, spec: &BenchmarkSpec) -> Normalizer {
    let named = record
        .plan
        .normalizers
        .first()
        .and_then(|id| id.parse().ok());
    match named {
        Some(NormalizerId::None) => return Normalizer::None,
        Some(NormalizerId::Basic) => return Normalizer::Basic,
        Some(NormalizerId::WhisperEn) => return Normalizer::WhisperEnglish,
        None => {}
    }
    let english = record.plan.audio.get(&spec.audio).is_some_and(|audio| {
        audio
            .utterances
            .iter()
            .all(|utterance| utterance.language.as_deref() == Some("en"))
    });
    if english {
        Normalizer::WhisperEnglish
    } else {
        Normalizer::Basic
    }
}

fn audio_seconds(record: &RunRecord, spec: &BenchmarkSpec) -> Option<f64> {
    let audio = record.plan.audio.get(&spec.audio)?;
    audio
        .utterances
        .iter()
        .map(|utterance| record.audio.get(&utterance.id).map(|(_, seconds)| *seconds))
        .sum()
}

fn accuracy(
    record: &RunRecord,
    spec: &BenchmarkSpec,
    samples: &[&Sample],
    normalizer: Normalizer,
) -> (Option<SetScore>, Option<String>) {
    let Some(audio) = record.plan.audio.get(&spec.audio) else {
        return (None, None);
    };
    let mut scores = Vec::new();
    let mut texts = Vec::new();
    for utterance in &audio.utterances {
        let Some(sample) = samples
            .iter()
            .find(|sample| sample.utterance == utterance.id)
        else {
            continue;
        };
        texts.push(sample.text.trim().to_owned());
        let Some(reference) = &utterance.reference else {
            continue;
        };
        let language = utterance.language.as_deref().unwrap_or("en");
        scores.push(score_utterance(
            reference,
            &sample.text,
            normalizer,
            language,
        ));
    }
    (
        score_set(&scores),
        (!texts.is_empty()).then(|| texts.join("\n")),
    )
}

fn is_deterministic(samples: &[&Sample]) -> bool {
    let texts: BTreeSet<(&str, &str)> = samples
        .iter()
        .map(|sample| (sample.utterance.as_str(), sample.text.as_str()))
        .collect();
    let utterances: BTreeSet<&str> = samples
        .iter()
        .map(|sample| sample.utterance.as_str())
        .collect();
    texts.len() == utterances.len()
}
