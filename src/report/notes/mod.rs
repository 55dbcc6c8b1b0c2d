//! What a reader must know before a row is believed.

mod circumstances;

use crate::report::rows::{ResultRow, UtteranceResult, passes};
use crate::score::statistics::{FEWEST_LAUNCHES, outliers};
use crate::score::{ScoringUnit, repeat_loops};
use circumstances::{circumstances, power_and_heat};
use std::collections::BTreeMap;

/// The load, beyond the engine's own threads, from which on a machine is called busy.
const FOREIGN_LOAD: f64 = 1.0;

/// The fewest trials of which one is called an outlier.
pub(super) const FEWEST_FOR_OUTLIERS: usize = 6;

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NoteKind {
    /// Too few trials for an interval.
    FewTrials,
    /// The interval does not hold how processes differ.
    FewLaunches,
    /// A launch was finished by another process than the one that began it.
    Continued,
    /// The time budget left out launches.
    LeftOut,
    /// The run ended before all of its launches were done.
    Unfinished,
    /// Its median was known well enough before the most trials were done.
    Stopped,
    /// The most trials were done, and its median is not known as well as was asked for.
    ReachedMost,
    /// Some trials are far from the others.
    Outliers,
    /// The runner's clock and the engine's do not agree.
    Clocks,
    /// Others used the machine.
    Busy,
    /// The wait for a quiet machine was in vain.
    NotQuiet,
    /// The cores were set to another speed meanwhile.
    Speed,
    /// The cores were too hot.
    Throttled,
    /// The machine ran on its battery.
    Battery,
    /// The runner was stopped meanwhile.
    Suspended,
    /// Its processes left others behind.
    Leaked,
    /// One process does everything for each trial.
    OnePhase,
    /// A setting is not as it was asked for.
    NotAsAsked,
    /// Another engine decodes in another way.
    UnlikeSettings,
    /// Another engine has weights of another precision.
    UnlikeWeights,
    /// Not all trials gave the same text.
    Texts,
    /// A text repeats itself.
    Loops,
    /// There is nothing to hear in a recording.
    EmptyReference,
}

impl NoteKind {
    /// Returns what it is about, for several benchmarks together.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::FewTrials => "too few trials for an interval",
            Self::FewLaunches => {
                "fewer than three processes: the interval does not hold how they differ"
            }
            Self::Continued => "launches that another process finished",
            Self::LeftOut => "launches that the time budget left out",
            Self::Unfinished => "launches that the run did not get to",
            Self::Stopped => "stopped as soon as the interval was narrow enough",
            Self::ReachedMost => "reached the most trials before the interval was narrow enough",
            Self::Outliers => "outliers among the trials",
            Self::Clocks => "the runner's clock differs from the engine's",
            Self::Busy => "the machine was busy",
            Self::NotQuiet => "the machine did not become quiet",
            Self::Speed => "how fast the cores may run was changed meanwhile",
            Self::Throttled => "cores were slowed down because they were too hot",
            Self::Battery => "the machine ran on its battery",
            Self::Suspended => "the runner was stopped meanwhile",
            Self::Leaked => "processes were left behind",
            Self::OnePhase => "start and load are part of the time of every trial",
            Self::NotAsAsked => "a setting is not in effect as it was asked for",
            Self::UnlikeSettings => "other engines decode with other settings",
            Self::UnlikeWeights => "other engines have weights of another precision",
            Self::Texts => "trials gave different texts",
            Self::Loops => "a text repeats itself",
            Self::EmptyReference => {
                "recordings with an empty reference: each word heard is an error"
            }
        }
    }
}

impl NoteKind {
    /// Whether it is about engines, and so the same for all recordings of a configuration.
    fn is_of_engines(self) -> bool {
        matches!(
            self,
            Self::OnePhase | Self::NotAsAsked | Self::UnlikeSettings | Self::UnlikeWeights
        )
    }
}

/// A note: what it is about, and what exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// What it is about.
    pub(super) kind: NoteKind,
    /// What exactly.
    pub(super) text: String,
}

/// Returns the notes of a row, in words; none if there is nothing to tell, or nothing measured.
pub(super) fn notes(row: &ResultRow<'_>) -> Vec<Note> {
    let mut notes = Vec::new();
    let Some(spread) = row.transcribe else {
        return notes;
    };
    let mut note = |kind, text| notes.push(Note { kind, text });
    if spread.interval.is_none() {
        note(
            NoteKind::FewTrials,
            format!(
                "{}: too few for an interval",
                counted(spread.count, "trial", "trials")
            ),
        );
    } else if row.launches() < FEWEST_LAUNCHES {
        note(
            NoteKind::FewLaunches,
            format!(
                "interval over trials of {}: it does not hold how processes differ",
                counted(row.launches(), "process", "processes")
            ),
        );
    }
    let told = circumstances(row).into_iter();
    for (kind, text) in told.chain(power_and_heat(row)).chain(conditions(row)) {
        note(kind, text);
    }
    let times = passes(&row.samples).concat();
    let odd = outliers(&times).into_iter().filter(|odd| *odd).count();
    // Of a handful of trials any may lie far from the others.
    if odd > 0 && times.len() >= FEWEST_FOR_OUTLIERS {
        note(
            NoteKind::Outliers,
            format!("{odd} of {} trials are outliers", times.len()),
        );
    }
    let differing = row.clock_differences();
    if differing > 0 {
        note(
            NoteKind::Clocks,
            format!(
                "the runner's clock differs from the engine's in {differing} of {} trials",
                row.samples.len()
            ),
        );
    }
    if let Some(load) = foreign_load(row) {
        note(
            NoteKind::Busy,
            format!("the machine was busy: load {load:.1} beside the engine"),
        );
    }
    let named = |chosen: &dyn Fn(&UtteranceResult<'_>) -> bool| -> String {
        let ids: Vec<&str> = row
            .utterances
            .iter()
            .filter(|result| chosen(result))
            .map(|result| result.utterance.id.as_str())
            .collect();
        ids.join(", ")
    };
    let unsure = named(&|result| !result.is_deterministic());
    if !unsure.is_empty() {
        note(
            NoteKind::Texts,
            format!("trials gave different texts: {unsure}"),
        );
    }
    let looping = named(&|result| has_loop(row, result));
    if !looping.is_empty() {
        note(NoteKind::Loops, format!("repeats itself: {looping}"));
    }
    let empty = row.score.map_or(0, |score| score.empty_references);
    if empty > 0 {
        let all = row.utterances.len();
        let which = match (empty, all) {
            (1, 1) => "the reference is empty".to_owned(),
            (1, _) => format!("1 of {all} recordings has an empty reference"),
            _ => format!("{empty} of {all} recordings have an empty reference"),
        };
        note(
            NoteKind::EmptyReference,
            format!("{which}: each word heard there is an error"),
        );
    }
    notes
}

/// Returns the notes of several rows as texts: of one row as they are, of more by kind with how
/// many rows they concern.
pub(super) fn notes_together(rows: &[&ResultRow<'_>]) -> Vec<String> {
    if let [row] = rows {
        return notes(row).into_iter().map(|note| note.text).collect();
    }
    // For each kind, the texts of each row that has it.
    let mut found: BTreeMap<NoteKind, Vec<Vec<String>>> = BTreeMap::new();
    for row in rows {
        let mut of_row: BTreeMap<NoteKind, Vec<String>> = BTreeMap::new();
        for note in notes(row) {
            of_row.entry(note.kind).or_default().push(note.text);
        }
        for (kind, texts) in of_row {
            found.entry(kind).or_default().push(texts);
        }
    }
    found
        .into_iter()
        .map(|(kind, mut texts)| {
            let count = texts.len();
            texts.dedup();
            let words = match texts.as_slice() {
                // What is true of each of them in the same words.
                [texts] if kind.is_of_engines() => texts.join("; "),
                _ => kind.words().to_owned(),
            };
            if count == rows.len() {
                words
            } else {
                format!("{words} ({count} of {} benchmarks)", rows.len())
            }
        })
        .collect()
}

/// Returns what the row was measured under, where that is not what a reader would take it for.
fn conditions(row: &ResultRow<'_>) -> Vec<(NoteKind, String)> {
    let mut found = Vec::new();
    let engine = row.plan.engines.get(row.spec.backend.as_str());
    if engine.is_some_and(|engine| engine.command) {
        let text = "one process for each trial: start and load cannot be told apart from it";
        found.push((NoteKind::OnePhase, text.to_owned()));
    }
    for (name, asked, told) in row.not_as_asked() {
        let text = format!("{name} {told} is in effect, and {asked} was asked for");
        found.push((NoteKind::NotAsAsked, text));
    }
    let unlike = &row.unlike;
    found.extend(
        unlike
            .settings
            .iter()
            .map(|text| (NoteKind::UnlikeSettings, text.clone())),
    );
    found.extend(
        unlike
            .weights
            .iter()
            .map(|text| (NoteKind::UnlikeWeights, text.clone())),
    );
    found
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn has_loop(row: &ResultRow<'_>, result: &UtteranceResult<'_>) -> bool {
    if let Some(score) = result.scores.first() {
        return score.repeat_loops > 0;
    }
    let text = result.hypothesis().unwrap_or_default();
    let text = row.normalizer().normalize(text);
    let words = ScoringUnit::of_language(result.language()).split(&text);
    repeat_loops(&words).count > 0
}

/// Returns the largest load that others made while the row was measured, if it was large.
///
/// The load average of one minute at the beginning of a launch is that of others, but for launches
/// right before it; so the threads of the engine are taken off.
fn foreign_load(row: &ResultRow<'_>) -> Option<f64> {
    let threads: f64 = row.setting("threads").and_then(|text| text.parse().ok())?;
    let loads = row.attempts().flat_map(|attempt| {
        let (before, after) = (attempt.load, attempt.load_after);
        before.into_iter().chain(after).map(|load| load.0)
    });
    let most = loads.fold(0.0, f64::max) - threads;
    (most > FOREIGN_LOAD).then_some(most)
}
