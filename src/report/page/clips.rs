//! What was heard: each recording's reference and each hypothesis, aligned word by word.

use super::is_synthetic;
use crate::record::RunRecord;
use crate::report::configuration::{Configuration, Labels};
use crate::report::rows::{ResultRow, UtteranceResult};
use crate::score::{
    AlignedUtterance, Operation, ScoringUnit, UtteranceScore, align_utterance, confusions,
};
use serde::Serialize;

/// The page shows so many recordings in full, those with the most errors first if there are more.
const SHOWN_CLIPS: usize = 40;
/// The page shows so many of the worst results.
const SHOWN_WORST: usize = 10;
/// The page shows so many confusions.
const SHOWN_CONFUSIONS: usize = 15;

/// Recordings and what was heard.
#[derive(Serialize)]
pub(super) struct ClipsView {
    clips: Vec<ClipView>,
    /// Recordings that are not shown because there are too many.
    hidden: usize,
    worst: Vec<WorstView>,
    confusions: Vec<ConfusionView>,
}

#[derive(Serialize)]
struct ClipView {
    id: String,
    language: String,
    seconds: Option<f64>,
    reference: Option<String>,
    heard: Vec<HeardView>,
    /// The largest number of errors of a configuration, to choose what is shown.
    #[serde(skip)]
    errors: u64,
}

/// A text and the configurations that gave it.
#[derive(Serialize)]
struct HeardView {
    labels: Vec<String>,
    synthetic: bool,
    wer: Option<f64>,
    edits: String,
    /// The raw text.
    text: String,
    /// The normalized words, aligned; empty without a reference.
    words: Vec<WordView>,
    /// What stands between the words: nothing in languages without spaces.
    separator: &'static str,
}

/// A place of an alignment.
#[derive(Serialize)]
struct WordView {
    /// `match`, `substitution`, `deletion` or `insertion`.
    kind: &'static str,
    reference: String,
    hypothesis: String,
}

#[derive(Serialize)]
struct WorstView {
    label: String,
    clip: String,
    wer: f64,
    edits: String,
}

#[derive(Serialize)]
struct ConfusionView {
    reference: String,
    hypothesis: String,
    count: u64,
}

/// Returns what was heard, from the first measured trial of each configuration.
pub(super) fn clips(record: &RunRecord, rows: &[ResultRow<'_>], labels: &Labels) -> ClipsView {
    let mut clips: Vec<ClipView> = Vec::new();
    let mut worst: Vec<WorstView> = Vec::new();
    let mut aligned: Vec<AlignedUtterance> = Vec::new();
    for row in rows {
        let label = labels.label(&Configuration::of(row));
        let synthetic = is_synthetic(record, &row.spec.backend);
        for result in &row.utterances {
            let Some(text) = result.hypothesis() else {
                continue;
            };
            let position = clips
                .iter()
                .position(|clip| clip.id == result.utterance.id)
                .unwrap_or_else(|| {
                    clips.push(clip_view(record, result));
                    clips.len() - 1
                });
            let clip = &mut clips[position];
            let score = result.scores.first();
            clip.errors = clip.errors.max(score.map_or(0, |s| s.words.errors()));
            if let Some(score) = score.filter(|score| !score.is_correct() && !synthetic) {
                worst.push(WorstView {
                    label: label.clone(),
                    clip: result.utterance.id.clone(),
                    wer: score.rates.wer,
                    edits: edits(score),
                });
            }
            let alignment = result.utterance.reference.as_deref().map(|reference| {
                align_utterance(reference, text, row.normalizer(), result.language())
            });
            if let Some(known) = clip
                .heard
                .iter_mut()
                .find(|heard| heard.text == text && heard.synthetic == synthetic)
            {
                if !known.labels.contains(&label) {
                    known.labels.push(label.clone());
                }
            } else {
                clip.heard.push(HeardView {
                    labels: vec![label.clone()],
                    synthetic,
                    wer: score.map(|score| score.rates.wer),
                    edits: score.map(edits).unwrap_or_default(),
                    text: text.to_owned(),
                    words: alignment.as_ref().map(words).unwrap_or_default(),
                    separator: match ScoringUnit::of_language(result.language()) {
                        ScoringUnit::Words => " ",
                        ScoringUnit::Characters => "",
                    },
                });
            }
            aligned.extend(alignment.filter(|_| !synthetic));
        }
    }
    worst.sort_by(|one, other| other.wer.total_cmp(&one.wer));
    worst.truncate(SHOWN_WORST);
    let hidden = clips.len().saturating_sub(SHOWN_CLIPS);
    if hidden > 0 {
        clips.sort_by_key(|clip| std::cmp::Reverse(clip.errors));
        clips.truncate(SHOWN_CLIPS);
    }
    ClipsView {
        clips,
        hidden,
        worst,
        confusions: confusions(&aligned, SHOWN_CONFUSIONS)
            .into_iter()
            .map(|confusion| ConfusionView {
                reference: confusion.reference,
                hypothesis: confusion.hypothesis,
                count: confusion.count,
            })
            .collect(),
    }
}

fn clip_view(record: &RunRecord, result: &UtteranceResult<'_>) -> ClipView {
    let utterance = result.utterance;
    ClipView {
        id: utterance.id.clone(),
        language: utterance.language.clone().unwrap_or_default(),
        seconds: record.audio.get(&utterance.id).map(|(_, seconds)| *seconds),
        reference: utterance.reference.clone(),
        heard: Vec::new(),
        errors: 0,
    }
}

/// Returns the counts of errors, in words; nothing if all is right.
fn edits(score: &UtteranceScore) -> String {
    [
        (score.words.substitutions, "replaced"),
        (score.words.deletions, "missing"),
        (score.words.insertions, "too many"),
    ]
    .iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect::<Vec<_>>()
    .join(", ")
}

fn words(aligned: &AlignedUtterance) -> Vec<WordView> {
    let said = |position: usize| aligned.reference.get(position).cloned().unwrap_or_default();
    let written = |position: usize| {
        aligned
            .hypothesis
            .get(position)
            .cloned()
            .unwrap_or_default()
    };
    aligned
        .alignment
        .operations
        .iter()
        .map(|operation| match *operation {
            Operation::Match {
                reference,
                hypothesis,
            } => WordView {
                kind: "match",
                reference: said(reference),
                hypothesis: written(hypothesis),
            },
            Operation::Substitution {
                reference,
                hypothesis,
            } => WordView {
                kind: "substitution",
                reference: said(reference),
                hypothesis: written(hypothesis),
            },
            Operation::Deletion { reference, .. } => WordView {
                kind: "deletion",
                reference: said(reference),
                hypothesis: String::new(),
            },
            Operation::Insertion { hypothesis, .. } => WordView {
                kind: "insertion",
                reference: String::new(),
                hypothesis: written(hypothesis),
            },
        })
        .collect()
}
