//! What a reader must know before a row is believed.

use super::rows::{ResultRow, UtteranceResult, passes};
use crate::score::statistics::{FEWEST_LAUNCHES, outliers};
use crate::score::{ScoringUnit, repeat_loops};
use std::collections::BTreeMap;

/// The load, beyond the engine's own threads, from which on a machine is called busy.
const FOREIGN_LOAD: f64 = 1.0;

/// The fewest trials of which one is called an outlier.
const FEWEST_FOR_OUTLIERS: usize = 6;

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NoteKind {
    /// Too few trials for an interval.
    FewTrials,
    /// The interval does not hold how processes differ.
    FewLaunches,
    /// Some trials are far from the others.
    Outliers,
    /// The runner's clock and the engine's do not agree.
    Clocks,
    /// Others used the machine.
    Busy,
    /// Not all trials gave the same text.
    Texts,
    /// A text repeats itself.
    Loops,
}

impl NoteKind {
    /// Returns what it is about, for several benchmarks together.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::FewTrials => "too few trials for an interval",
            Self::FewLaunches => {
                "fewer than three processes: the interval does not hold how they differ"
            }
            Self::Outliers => "outliers among the trials",
            Self::Clocks => "the runner's clock differs from the engine's",
            Self::Busy => "the machine was busy",
            Self::Texts => "trials gave different texts",
            Self::Loops => "a text repeats itself",
        }
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
    } else if row.attempts().len() < FEWEST_LAUNCHES {
        note(
            NoteKind::FewLaunches,
            format!(
                "interval over trials of {}: it does not hold how processes differ",
                counted(row.attempts().len(), "process", "processes")
            ),
        );
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
    notes
}

/// Returns the notes of several rows as texts: of one row as they are, of more by kind with how
/// many rows they concern.
pub(super) fn notes_together(rows: &[&ResultRow<'_>]) -> Vec<String> {
    if let [row] = rows {
        return notes(row).into_iter().map(|note| note.text).collect();
    }
    let mut counts: BTreeMap<NoteKind, usize> = BTreeMap::new();
    for note in rows.iter().flat_map(|row| notes(row)) {
        *counts.entry(note.kind).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(kind, count)| {
            if count == rows.len() {
                kind.words().to_owned()
            } else {
                format!("{} ({count} of {} benchmarks)", kind.words(), rows.len())
            }
        })
        .collect()
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn has_loop(row: &ResultRow<'_>, result: &UtteranceResult<'_>) -> bool {
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
    let loads = row.attempts().iter().flat_map(|attempt| {
        let (before, after) = (attempt.load, attempt.load_after);
        before.into_iter().chain(after).map(|load| load.0)
    });
    let most = loads.fold(0.0, f64::max) - threads;
    (most > FOREIGN_LOAD).then_some(most)
}
