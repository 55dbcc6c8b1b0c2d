//! The rows of `results.csv`: one for each benchmark job, whatever became of it, and for each machine
//! that carried it out.

use super::fairness::{Unlike, unlike};
use super::statistics::Spread;
use crate::model::{
    BenchmarkSpec, Job, JobSpec, NormalizerId, Outcome, Plan, Sample, Text, Utterance, Value,
};
use crate::record::{AttemptRecord, JobRecord, RunRecord, Session};
use crate::score::speed::TimedAudio;
use crate::score::{Normalizer, SetScore, UtteranceScore, score_set, score_utterance};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The difference between the engine's clock and the runner's that a row must tell of, as a share
/// of the trial and in seconds beside it.
const CLOCK_TOLERANCE: (f64, f64) = (0.05, 0.020);

/// One recording of a row with what was measured on it.
#[derive(Clone, Debug)]
pub struct UtteranceResult<'a> {
    /// The recording.
    pub utterance: &'a Utterance,
    /// Its measured trials, in the order in which they ran.
    pub samples: Vec<&'a Sample>,
    /// Edits of its first measured trial, one for each normalizer of the row; empty without a
    /// reference or a trial.
    pub scores: Vec<UtteranceScore>,
}

impl UtteranceResult<'_> {
    /// Returns the raw text of the first measured trial.
    #[must_use]
    pub fn hypothesis(&self) -> Option<&str> {
        self.samples.first().map(|sample| sample.text.trim())
    }

    /// Returns whether every trial gave the same text.
    #[must_use]
    pub fn is_deterministic(&self) -> bool {
        let texts: BTreeSet<&str> = self.samples.iter().map(|s| s.text.as_str()).collect();
        texts.len() <= 1
    }

    /// Returns the language that decides how the text is split.
    #[must_use]
    pub fn language(&self) -> &str {
        self.utterance.language.as_deref().unwrap_or_default()
    }
}

/// A benchmark job with what one machine measured of it and what follows from that.
#[derive(Clone, Debug)]
pub struct ResultRow<'a> {
    /// The plan that it belongs to.
    pub plan: &'a Plan,
    /// The job.
    pub job: &'a Job,
    /// What it was declared to do.
    pub spec: &'a BenchmarkSpec,
    /// What became of it.
    pub record: Option<&'a JobRecord>,
    /// All sessions of the record.
    pub sessions: &'a [Session],
    /// The id of the machine that did it; where nobody did it, of the record's only machine.
    pub machine: Option<&'a str>,
    /// Measured trials, without warm-ups.
    pub samples: Vec<&'a Sample>,
    /// Its recordings in the order of the data set, measured or not.
    pub utterances: Vec<UtteranceResult<'a>>,
    /// Seconds of a whole pass: for each trial, the sum over its utterances.
    pub transcribe: Option<Spread>,
    /// Seconds of audio over seconds of transcription, sum over sum.
    pub rtfx: Option<f64>,
    /// Length of all its audio in seconds.
    pub audio_seconds: Option<f64>,
    /// Edits, by the headline normalizer; from the first measured trial of each utterance.
    pub score: Option<SetScore>,
    /// The normalizers, the headline first.
    pub normalizers: Vec<Normalizer>,
    /// The text of the first measured trial of each utterance.
    pub hypothesis: Option<String>,
    /// Whether every trial of each utterance gave the same text.
    pub deterministic: Option<bool>,
    /// What keeps it from being compared with rows of other engines.
    pub(super) unlike: Unlike,
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

    /// Returns the session that did it, if one did.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.sessions.get(self.record?.session)
    }

    /// Returns its processes, as far as what they did counts.
    pub fn attempts(&self) -> impl DoubleEndedIterator<Item = &AttemptRecord> {
        self.record
            .into_iter()
            .flat_map(JobRecord::current_attempts)
    }

    /// Returns the number of its launches. One that was interrupted or tried again had several
    /// processes, and is one.
    #[must_use]
    pub fn launches(&self) -> usize {
        let launches: BTreeSet<u32> = self.attempts().map(|attempt| attempt.launch).collect();
        launches.len()
    }

    /// Returns the median over its launches of something that each has once.
    #[must_use]
    pub fn per_launch(&self, field: impl Fn(&AttemptRecord) -> Option<f64>) -> Option<f64> {
        let values: Vec<f64> = self.attempts().filter_map(field).collect();
        Spread::of(&values).map(|spread| spread.median)
    }

    /// Returns the headline normalizer.
    #[must_use]
    pub fn normalizer(&self) -> Normalizer {
        self.normalizers
            .first()
            .copied()
            .unwrap_or(Normalizer::Basic)
    }

    /// Returns a setting in effect: as the job asks for it, in the text of the matrix, unless the
    /// engine says that it is another.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        let told = self.told(name);
        match self.spec.settings.get(name) {
            Some(asked) if told.is_none_or(|told| told == asked) => {
                let written = self.plan.written_setting(self.job, name);
                Some(written.unwrap_or(&asked.written))
            }
            _ => told.map(|value| value.written.as_str()),
        }
    }

    /// Returns a setting as the engine says it is in effect.
    fn told(&self, name: &str) -> Option<&Value> {
        self.attempts()
            .find_map(|attempt| attempt.settings.get(name))
    }

    /// Returns the settings that are not as the job asks for them: name, asked, in effect.
    #[must_use]
    pub fn not_as_asked(&self) -> Vec<(&str, &str, &str)> {
        self.spec
            .settings
            .iter()
            .filter_map(|(name, asked)| {
                let told = self.told(name).filter(|told| *told != asked)?;
                Some((name.as_str(), asked.written.as_str(), told.written.as_str()))
            })
            .collect()
    }

    /// Returns the names of its settings, asked for or told.
    pub fn setting_names(&self) -> impl Iterator<Item = &str> {
        let told = self.attempts().flat_map(|a| a.settings.keys());
        let asked = self.spec.settings.keys().map(Text::as_str);
        asked.chain(told.map(String::as_str))
    }

    /// Returns the largest peak of resident memory of its launches, in bytes.
    #[must_use]
    pub fn peak_rss_bytes(&self) -> Option<u64> {
        self.attempts()
            .filter_map(|attempt| attempt.usage.as_ref()?.peak_rss_bytes)
            .max()
    }

    /// Returns how many trials took another time on the runner's clock than on the engine's, by
    /// more than 5 % and 20 ms.
    #[must_use]
    pub fn clock_differences(&self) -> usize {
        let (share, seconds) = CLOCK_TOLERANCE;
        self.samples
            .iter()
            .filter(|sample| {
                let difference = (sample.wall_seconds - sample.transcribe_seconds).abs();
                difference > share * sample.transcribe_seconds + seconds
            })
            .count()
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

/// Returns the rows in the order of the plan; what several machines carried out is a row of each, in the
/// order of their sessions.
#[must_use]
pub fn result_rows(record: &RunRecord) -> Vec<ResultRow<'_>> {
    let machines = record.machines();
    let only_machine = match machines.as_slice() {
        [machine] => Some(machine.id.as_str()),
        _ => None,
    };
    let mut rows: Vec<ResultRow<'_>> = record
        .plan
        .jobs
        .par_iter()
        .flat_map_iter(|job| {
            let JobSpec::Benchmark(spec) = &job.spec else {
                return Vec::new();
            };
            let found = record.job_everywhere(&job.id);
            if found.is_empty() {
                return vec![row(record, job, spec, None, only_machine)];
            }
            let found = found.into_iter();
            found
                .map(|found| row(record, job, spec, Some(found), only_machine))
                .collect()
        })
        .collect();
    let compared = unlike(&rows);
    for (row, unlike) in rows.iter_mut().zip(compared) {
        row.unlike = unlike;
    }
    rows
}

fn row<'a>(
    record: &'a RunRecord,
    job: &'a Job,
    spec: &'a BenchmarkSpec,
    job_record: Option<&'a JobRecord>,
    only_machine: Option<&'a str>,
) -> ResultRow<'a> {
    let samples: Vec<&Sample> = job_record
        .map(|job| job.samples.iter().filter(|sample| !sample.warmup).collect())
        .unwrap_or_default();
    let normalizers = normalizers(record, spec);
    let utterances = utterances(record, spec, &samples, &normalizers);
    let texts: Vec<&str> = utterances
        .iter()
        .filter_map(UtteranceResult::hypothesis)
        .collect();
    ResultRow {
        plan: &record.plan,
        job,
        spec,
        record: job_record,
        sessions: &record.sessions,
        machine: job_record
            .and_then(|job| record.session_of(job))
            .map(|session| session.machine.id.as_str())
            .or(only_machine),
        transcribe: Spread::of_launches(&passes(&samples)),
        rtfx: rtfx(&samples),
        audio_seconds: audio_seconds(record, spec),
        deterministic: (!samples.is_empty())
            .then(|| utterances.iter().all(UtteranceResult::is_deterministic)),
        score: score_by(&utterances, 0),
        hypothesis: (!texts.is_empty()).then(|| texts.join("\n")),
        unlike: Unlike::default(),
        samples,
        utterances,
        normalizers,
    }
}

/// Returns the seconds of whole passes over the recordings, launch by launch.
#[must_use]
pub fn passes(samples: &[&Sample]) -> Vec<Vec<f64>> {
    crate::score::passes(
        (samples.iter()).map(|sample| (sample.launch, sample.trial, sample.transcribe_seconds)),
    )
}

/// Returns the seconds of audio over the seconds of transcription, sum over sum.
pub(super) fn rtfx(samples: &[&Sample]) -> Option<f64> {
    crate::score::speed::rtfx(samples.iter().map(|sample| TimedAudio {
        audio_seconds: sample.audio_seconds,
        spent_seconds: sample.transcribe_seconds,
    }))
}

/// Returns the score of recordings together by the normalizer at a position of the row's list.
pub(super) fn score_by<'u, 'a: 'u>(
    utterances: impl IntoIterator<Item = &'u UtteranceResult<'a>>,
    position: usize,
) -> Option<SetScore> {
    score_set(
        utterances
            .into_iter()
            .filter_map(|utterance| utterance.scores.get(position)),
    )
}

/// Returns the normalizers that the plan names, the headline first; without any, the one for the
/// recordings' language.
fn normalizers(record: &RunRecord, spec: &BenchmarkSpec) -> Vec<Normalizer> {
    let mut named: Vec<Normalizer> = Vec::new();
    for id in &record.plan.normalizers {
        let normalizer = match id.parse() {
            Ok(NormalizerId::None) => Normalizer::None,
            Ok(NormalizerId::Basic) => Normalizer::Basic,
            Ok(NormalizerId::WhisperEn) => Normalizer::WhisperEnglish,
            Err(_) => continue,
        };
        if !named.contains(&normalizer) {
            named.push(normalizer);
        }
    }
    if !named.is_empty() {
        return named;
    }
    let english = record
        .plan
        .audio
        .get(spec.audio.as_str())
        .is_some_and(|audio| {
            audio
                .utterances
                .iter()
                .all(|utterance| utterance.language.as_deref() == Some("en"))
        });
    vec![if english {
        Normalizer::WhisperEnglish
    } else {
        Normalizer::Basic
    }]
}

fn audio_seconds(record: &RunRecord, spec: &BenchmarkSpec) -> Option<f64> {
    let audio = record.plan.audio.get(spec.audio.as_str())?;
    audio
        .utterances
        .iter()
        .map(|utterance| record.audio.get(&utterance.id).map(|(_, seconds)| *seconds))
        .sum()
}

fn utterances<'a>(
    record: &'a RunRecord,
    spec: &BenchmarkSpec,
    samples: &[&'a Sample],
    normalizers: &[Normalizer],
) -> Vec<UtteranceResult<'a>> {
    let mut by_id: BTreeMap<&str, Vec<&'a Sample>> = BTreeMap::new();
    for sample in samples {
        by_id.entry(&sample.utterance).or_default().push(sample);
    }
    let audio = record.plan.audio.get(spec.audio.as_str());
    audio
        .map_or(&[][..], |audio| audio.utterances.as_slice())
        .iter()
        .map(|utterance| {
            let samples = by_id.remove(utterance.id.as_str()).unwrap_or_default();
            let pair = utterance.reference.as_deref().zip(samples.first());
            let language = utterance.language.as_deref().unwrap_or_default();
            let scores = pair.map_or_else(Vec::new, |(reference, sample)| {
                normalizers
                    .iter()
                    .map(|normalizer| {
                        score_utterance(reference, &sample.text, *normalizer, language)
                    })
                    .collect()
            });
            UtteranceResult {
                utterance,
                samples,
                scores,
            }
        })
        .collect()
}
