//! The rows of `summary.csv`: one for each configuration, data set and language.

use super::configuration::Configuration;
use super::rows::{ResultRow, UtteranceResult, passes, rtfx, score_by};
use super::statistics::Spread;
use crate::model::Sample;
use crate::record::RunRecord;
use crate::score::speed::{TimedAudio, core_hours_per_audio_hour};
use crate::score::statistics::median;
use crate::score::{Normalizer, SetScore};
use std::collections::BTreeMap;

/// The name under which the clips go that a matrix names one by one. No data set can have it.
pub const SINGLE_CLIPS: &str = "(clips)";

/// A configuration on one data set, in one language.
#[derive(Clone, Debug)]
pub struct SummaryRow<'a> {
    /// Everything but the audio.
    pub configuration: Configuration,
    /// The data set, or [`SINGLE_CLIPS`].
    pub data_set: &'a str,
    /// The language of the references; `None` where it is not known.
    pub language: Option<&'a str>,
    /// The id of the machine: what several machines measured is never put together. `None` for what
    /// none of several machines did.
    pub machine: Option<&'a str>,
    /// The benchmarks behind it.
    pub rows: Vec<&'a ResultRow<'a>>,
    /// Its recordings, measured or not.
    pub utterances: Vec<&'a UtteranceResult<'a>>,
    /// Recordings of its configuration, data set and language, on whatever machine.
    pub planned: usize,
    /// Recordings with a measured trial.
    pub measured: usize,
    /// Measured trials.
    pub trials: usize,
    /// Seconds of audio of the recordings that were measured.
    pub audio_seconds: f64,
    /// Seconds of audio over seconds of transcription, sum over sum.
    pub rtfx: Option<f64>,
    /// Interval of the `RTFx` of a whole pass, by order statistics, with its coverage; widened to hold
    /// [`Self::rtfx`], which it stands beside everywhere.
    pub rtfx_interval: Option<(f64, f64, f64)>,
    /// Edits by the headline normalizer, summed.
    pub score: Option<SetScore>,
}

/// What a summary is of, but for the machine: configuration, data set and language.
type Key<'a> = (Configuration, &'a str, Option<&'a str>);

/// The summaries of one key.
#[derive(Default)]
struct Places<'a> {
    /// Recordings that were to be measured.
    planned: usize,
    /// The position of each machine's summary.
    by_machine: BTreeMap<Option<&'a str>, usize>,
}

/// Returns the rows, in the order in which the plan first names them.
#[must_use]
pub fn summary_rows<'a>(record: &'a RunRecord, rows: &'a [ResultRow<'a>]) -> Vec<SummaryRow<'a>> {
    let mut found: Vec<SummaryRow<'a>> = Vec::new();
    let mut places: BTreeMap<Key<'a>, Places<'a>> = BTreeMap::new();
    let mut before = None;
    for row in rows {
        // What several machines did of one job stands behind each other, and is planned once.
        let is_new_job = before.replace(&row.job.id) != Some(&row.job.id);
        let configuration = Configuration::of(row);
        let data_set = record
            .plan
            .audio
            .get(row.spec.audio.as_str())
            .filter(|audio| audio.data_set)
            .map_or(SINGLE_CLIPS, |audio| audio.id.as_str());
        // The recordings of a row are mostly of one language, so its place is looked up once.
        let mut of_row: Vec<(Option<&str>, usize)> = Vec::new();
        for utterance in &row.utterances {
            let language = utterance.utterance.language.as_deref();
            let known = of_row.iter().find(|(known, _)| *known == language);
            let place = if let Some((_, place)) = known {
                *place
            } else {
                let key = (configuration.clone(), data_set, language);
                let places = places.entry(key).or_default();
                if is_new_job {
                    let all = row.utterances.iter();
                    places.planned += all
                        .filter(|other| other.utterance.language.as_deref() == language)
                        .count();
                }
                let place = *places.by_machine.entry(row.machine).or_insert_with(|| {
                    found.push(empty(&configuration, data_set, language, row.machine));
                    found.len() - 1
                });
                found[place].rows.push(row);
                of_row.push((language, place));
                place
            };
            found[place].utterances.push(utterance);
        }
    }
    for places in places.values() {
        for place in places.by_machine.values() {
            found[*place].planned = places.planned;
        }
    }
    for summary in &mut found {
        derive(summary);
    }
    found
}

/// Returns a summary of nothing so far.
fn empty<'a>(
    configuration: &Configuration,
    data_set: &'a str,
    language: Option<&'a str>,
    machine: Option<&'a str>,
) -> SummaryRow<'a> {
    SummaryRow {
        configuration: configuration.clone(),
        data_set,
        language,
        machine,
        rows: Vec::new(),
        utterances: Vec::new(),
        planned: 0,
        measured: 0,
        trials: 0,
        audio_seconds: 0.0,
        rtfx: None,
        rtfx_interval: None,
        score: None,
    }
}

fn derive(summary: &mut SummaryRow<'_>) {
    let samples = summary.samples();
    let measured: Vec<&UtteranceResult<'_>> = summary
        .utterances
        .iter()
        .copied()
        .filter(|utterance| !utterance.samples.is_empty())
        .collect();
    summary.measured = measured.len();
    summary.trials = samples.len();
    summary.audio_seconds = measured
        .iter()
        .filter_map(|utterance| utterance.samples.first())
        .map(|sample| sample.audio_seconds)
        .sum();
    summary.rtfx = rtfx(&samples);
    summary.score = score_by(measured.iter().copied(), 0);
    // A pass over some of the recordings says nothing about a pass over all of them.
    let whole = same_count_each(&measured);
    let spread = Spread::of_launches(&passes(&samples)).filter(|_| whole);
    summary.rtfx_interval =
        spread
            .and_then(|spread| spread.interval)
            .map(|(low, high, coverage)| {
                let (low, high) = (summary.audio_seconds / high, summary.audio_seconds / low);
                // A sum over a sum follows trials that are far from the others, and a median does not.
                let speed = summary.rtfx.unwrap_or(low);
                (low.min(speed), high.max(speed), coverage)
            });
}

/// Returns whether every recording was measured equally often.
fn same_count_each(utterances: &[&UtteranceResult<'_>]) -> bool {
    let first = utterances.first().map_or(0, |first| first.samples.len());
    utterances
        .iter()
        .all(|utterance| utterance.samples.len() == first)
}

impl<'a> SummaryRow<'a> {
    /// Returns its measured trials.
    #[must_use]
    pub fn samples(&self) -> Vec<&'a Sample> {
        self.utterances
            .iter()
            .flat_map(|utterance| utterance.samples.iter().copied())
            .collect()
    }

    /// Returns whether every one of its recordings was measured.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.measured == self.planned
    }

    /// Returns the first of its normalizers: the one behind its scores.
    #[must_use]
    pub fn normalizer(&self) -> Option<Normalizer> {
        self.rows.first().map(|row| row.normalizer())
    }

    /// Returns the score by another normalizer.
    #[must_use]
    pub fn score_with(&self, normalizer: Normalizer) -> Option<SetScore> {
        let row = self.rows.first()?;
        let position = row
            .normalizers
            .iter()
            .position(|known| *known == normalizer)?;
        score_by(self.utterances.iter().copied(), position)
    }

    /// Returns a setting or count as its jobs ask for it, else as the engine says it is in effect.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        let asked = self.configuration.settings.get(name).map(String::as_str);
        asked.or_else(|| self.rows.iter().find_map(|row| row.setting(name)))
    }

    /// Returns the median over recordings of their own `RTFx`, to show beside the one that long
    /// recordings rule.
    #[must_use]
    pub fn median_utterance_rtfx(&self) -> Option<f64> {
        let each: Vec<f64> = self
            .utterances
            .iter()
            .filter_map(|utterance| rtfx(&utterance.samples))
            .collect();
        median(&each)
    }

    /// Returns the core-hours that an hour of audio takes, from the engine's own CPU time of the
    /// trials; `None` if a trial does not tell.
    #[must_use]
    pub fn core_hours_per_audio_hour(&self) -> Option<f64> {
        let trials: Option<Vec<TimedAudio>> = self
            .samples()
            .into_iter()
            .map(|sample| {
                Some(TimedAudio {
                    audio_seconds: sample.audio_seconds,
                    spent_seconds: sample.cpu_seconds?,
                })
            })
            .collect();
        core_hours_per_audio_hour(trials?)
    }

    /// Returns the median of the load times of its launches, in seconds.
    #[must_use]
    pub fn load_seconds(&self) -> Option<f64> {
        let loads: Vec<f64> = self
            .rows
            .iter()
            .flat_map(|row| row.attempts())
            .filter_map(|attempt| attempt.load_seconds)
            .collect();
        median(&loads)
    }

    /// Returns the largest peak of resident memory, in bytes.
    #[must_use]
    pub fn peak_rss_bytes(&self) -> Option<u64> {
        self.rows
            .iter()
            .filter_map(|row| row.peak_rss_bytes())
            .max()
    }
}
