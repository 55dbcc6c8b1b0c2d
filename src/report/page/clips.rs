//! What was heard: each recording's reference and each hypothesis, aligned word by word.

use super::is_synthetic;
use crate::record::RunRecord;
use crate::report::configuration::{Configuration, Labels};
use crate::report::machine_names::MachineNames;
use crate::report::rows::{ResultRow, UtteranceResult};
use crate::score::{Normalizer, Operation, ScoringUnit, UtteranceScore, align_utterance};
use indexmap::IndexSet;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The page shows so many recordings in full, those with the most errors first if there are more.
const SHOWN_CLIPS: usize = 40;
/// The page shows so many texts of a recording, those of the configurations that come first.
const SHOWN_TEXTS: usize = 40;
/// The page shows so many configurations behind one text by name.
const SHOWN_LABELS: usize = 12;
/// The page shows so many of the worst results.
const SHOWN_WORST: usize = 10;
/// The page shows so many confusions.
const SHOWN_CONFUSIONS: usize = 15;
/// The page shows so many characters of a text.
const SHOWN_CHARACTERS: usize = 20_000;

/// Recordings and what was heard.
#[derive(Serialize, JsonSchema)]
pub(super) struct ClipsView {
    clips: Vec<ClipView>,
    /// Recordings that are not shown because there are too many.
    hidden: usize,
    /// The results with the highest error rates.
    worst: Vec<WorstView>,
    /// The words most often taken for others.
    confusions: Vec<ConfusionView>,
}

/// A recording.
#[derive(Serialize, JsonSchema)]
struct ClipView {
    id: String,
    language: String,
    seconds: Option<f64>,
    reference: Option<String>,
    heard: Vec<HeardView>,
    /// Texts that are not shown because there are too many.
    hidden: usize,
}

/// A text and the configurations that gave it.
#[derive(Serialize, JsonSchema)]
struct HeardView {
    /// The first of its configurations.
    labels: Vec<String>,
    /// How many there are beyond those.
    more_labels: usize,
    synthetic: bool,
    wer: Option<f64>,
    /// The counts of errors, in words.
    edits: String,
    /// The raw text.
    text: String,
    /// The normalized words, aligned; empty without a reference.
    words: Vec<WordsView>,
    /// What stands between the words: nothing in languages without spaces.
    separator: &'static str,
}

/// A place of an alignment: an error, or a run of words without one.
#[derive(Serialize, JsonSchema)]
struct WordsView {
    /// `match`, `substitution`, `deletion` or `insertion`.
    kind: &'static str,
    /// The word that was said; of a run without error empty.
    reference: String,
    /// The word that was heard; of a run without error all of its words.
    hypothesis: String,
}

/// A result with many errors.
#[derive(Serialize, JsonSchema)]
struct WorstView {
    label: String,
    clip: String,
    wer: f64,
    edits: String,
    /// The position of the recording among those that are shown, from 1.
    shown: Option<usize>,
}

/// A word that was taken for another.
#[derive(Serialize, JsonSchema)]
struct ConfusionView {
    reference: String,
    hypothesis: String,
    count: u64,
    /// The engines that did, separated by commas.
    engines: String,
}

/// What is found out about a recording before it is known whether it is shown.
struct Gathered<'r> {
    result: &'r UtteranceResult<'r>,
    /// The largest number of errors of a configuration.
    errors: u64,
    /// Each text with whether it is of a stand-in, by position in `heard`.
    known: HashMap<(&'r str, bool), usize>,
    heard: Vec<Heard<'r>>,
}

struct Heard<'r> {
    text: &'r str,
    synthetic: bool,
    labels: IndexSet<&'r str>,
    score: Option<&'r UtteranceScore>,
    normalizer: Normalizer,
    language: &'r str,
    /// How often each engine gave it.
    engines: BTreeMap<&'r str, u64>,
}

/// Returns what was heard, from the first measured trial of each configuration.
pub(super) fn clips(record: &RunRecord, rows: &[ResultRow<'_>], labels: &Labels) -> ClipsView {
    let machines = MachineNames::of(record);
    let names: Vec<String> = rows
        .iter()
        .map(|row| {
            let label = labels.label(&Configuration::of(row));
            match machines.told(row.machine) {
                Some(machine) => format!("{label} · {machine}"),
                None => label,
            }
        })
        .collect();
    let gathered = gather(record, rows, &names);
    let confusions = confusions(&gathered);
    let mut order: Vec<usize> = (0..gathered.len()).collect();
    let hidden = order.len().saturating_sub(SHOWN_CLIPS);
    if hidden > 0 {
        order.sort_by_key(|position| std::cmp::Reverse(gathered[*position].errors));
        order.truncate(SHOWN_CLIPS);
    }
    let place = |id: &str| {
        let mut ids = order
            .iter()
            .map(|p| gathered[*p].result.utterance.id.as_str());
        ids.position(|known| known == id)
            .map(|position| position + 1)
    };
    ClipsView {
        worst: worst(record, rows, &names, place),
        clips: order
            .iter()
            .map(|position| clip_view(record, &gathered[*position]))
            .collect(),
        hidden,
        confusions,
    }
}

/// Puts together what was heard in each recording, equal texts as one.
fn gather<'r>(
    record: &RunRecord,
    rows: &'r [ResultRow<'r>],
    names: &'r [String],
) -> Vec<Gathered<'r>> {
    let mut gathered: Vec<Gathered<'r>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (row, name) in rows.iter().zip(names) {
        let synthetic = is_synthetic(record, &row.spec.backend);
        for result in &row.utterances {
            let Some(text) = result.hypothesis() else {
                continue;
            };
            let place = *places.entry(&result.utterance.id).or_insert_with(|| {
                gathered.push(Gathered {
                    result,
                    errors: 0,
                    known: HashMap::new(),
                    heard: Vec::new(),
                });
                gathered.len() - 1
            });
            let clip = &mut gathered[place];
            let score = result.scores.first();
            clip.errors = clip.errors.max(score.map_or(0, |s| s.words.errors()));
            let next = clip.heard.len();
            let place = *clip.known.entry((text, synthetic)).or_insert(next);
            if place == next {
                clip.heard.push(Heard {
                    text,
                    synthetic,
                    labels: IndexSet::new(),
                    score,
                    normalizer: row.normalizer(),
                    language: result.language(),
                    engines: BTreeMap::new(),
                });
            }
            let heard = &mut clip.heard[place];
            heard.labels.insert(name);
            *heard.engines.entry(&row.spec.backend).or_default() += 1;
        }
    }
    gathered
}

/// Returns the results with the highest error rates, those of stand-ins left out.
fn worst(
    record: &RunRecord,
    rows: &[ResultRow<'_>],
    names: &[String],
    place: impl Fn(&str) -> Option<usize>,
) -> Vec<WorstView> {
    let mut found: Vec<(f64, &UtteranceResult<'_>, &String)> = Vec::new();
    for (row, name) in rows.iter().zip(names) {
        if is_synthetic(record, &row.spec.backend) {
            continue;
        }
        found.extend(row.utterances.iter().filter_map(|result| {
            let score = result.scores.first().filter(|score| !score.is_correct())?;
            Some((score.rates.wer, result, name))
        }));
    }
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    found
        .into_iter()
        .take(SHOWN_WORST)
        .map(|(wer, result, name)| WorstView {
            label: name.clone(),
            clip: result.utterance.id.clone(),
            wer,
            edits: result.scores.first().map(edits).unwrap_or_default(),
            shown: place(&result.utterance.id),
        })
        .collect()
}

/// Returns the most frequent substitutions over all configurations that are no stand-ins, by falling
/// count, then by alphabet. Each text is aligned once, however many gave it.
fn confusions(gathered: &[Gathered<'_>]) -> Vec<ConfusionView> {
    #[derive(Default)]
    struct Count<'r> {
        count: u64,
        engines: BTreeSet<&'r str>,
    }
    let mut counts: HashMap<(String, String), Count<'_>> = HashMap::new();
    for clip in gathered {
        let Some(reference) = clip.result.utterance.reference.as_deref() else {
            continue;
        };
        for heard in clip.heard.iter().filter(|heard| !heard.synthetic) {
            // Without a substitution there is nothing to count.
            if heard
                .score
                .is_none_or(|score| score.words.substitutions == 0)
            {
                continue;
            }
            let aligned = align_utterance(reference, heard.text, heard.normalizer, heard.language);
            for operation in &aligned.alignment.operations {
                if let Operation::Substitution {
                    reference,
                    hypothesis,
                } = *operation
                    && let Some(said) = aligned.reference.get(reference)
                    && let Some(written) = aligned.hypothesis.get(hypothesis)
                {
                    let entry = counts.entry((said.clone(), written.clone())).or_default();
                    entry.count += heard.engines.values().sum::<u64>();
                    entry.engines.extend(heard.engines.keys());
                }
            }
        }
    }
    let mut ranked: Vec<_> = counts.into_iter().collect();
    ranked.sort_unstable_by(|(one, count), (other, other_count)| {
        (other_count.count.cmp(&count.count)).then_with(|| one.cmp(other))
    });
    ranked
        .into_iter()
        .take(SHOWN_CONFUSIONS)
        .map(|((reference, hypothesis), found)| ConfusionView {
            reference,
            hypothesis,
            count: found.count,
            engines: found.engines.into_iter().collect::<Vec<_>>().join(", "),
        })
        .collect()
}

fn clip_view(record: &RunRecord, gathered: &Gathered<'_>) -> ClipView {
    let utterance = gathered.result.utterance;
    ClipView {
        id: utterance.id.clone(),
        language: utterance.language.clone().unwrap_or_default(),
        seconds: record.audio.get(&utterance.id).map(|(_, seconds)| *seconds),
        reference: utterance.reference.as_deref().map(shortened),
        heard: (gathered.heard.iter())
            .take(SHOWN_TEXTS)
            .map(|heard| heard_view(heard, utterance.reference.as_deref()))
            .collect(),
        hidden: gathered.heard.len().saturating_sub(SHOWN_TEXTS),
    }
}

fn heard_view(heard: &Heard<'_>, reference: Option<&str>) -> HeardView {
    let names = heard.labels.iter().take(SHOWN_LABELS);
    let unit = ScoringUnit::of_language(heard.language);
    let separator = match unit {
        ScoringUnit::Words => " ",
        ScoringUnit::Characters => "",
    };
    // A text that nobody reads to its end is not aligned to its end either.
    let reference = reference
        .filter(|text| text.len() <= SHOWN_CHARACTERS && heard.text.len() <= SHOWN_CHARACTERS);
    HeardView {
        labels: names.map(|name| (*name).to_owned()).collect(),
        more_labels: heard.labels.len().saturating_sub(SHOWN_LABELS),
        synthetic: heard.synthetic,
        wer: heard.score.map(|score| score.rates.wer),
        edits: heard.score.map(edits).unwrap_or_default(),
        text: shortened(heard.text),
        words: reference.map_or_else(Vec::new, |reference| words(reference, heard, separator)),
        separator,
    }
}

/// Returns a text, or its beginning if it is very long.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{} … (the rest is in samples.csv)", &text[..end]),
        None => text.to_owned(),
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

/// Returns the alignment of a text, words without error put together.
fn words(reference: &str, heard: &Heard<'_>, separator: &str) -> Vec<WordsView> {
    let aligned = align_utterance(reference, heard.text, heard.normalizer, heard.language);
    let word = |list: &[String], position: usize| list.get(position).cloned().unwrap_or_default();
    let said = |position| word(&aligned.reference, position);
    let written = |position| word(&aligned.hypothesis, position);
    let mut views: Vec<WordsView> = Vec::new();
    for operation in &aligned.alignment.operations {
        let (kind, reference, hypothesis) = match *operation {
            Operation::Match { hypothesis, .. } => ("match", String::new(), written(hypothesis)),
            Operation::Substitution {
                reference,
                hypothesis,
            } => ("substitution", said(reference), written(hypothesis)),
            Operation::Deletion { reference, .. } => ("deletion", said(reference), String::new()),
            Operation::Insertion { hypothesis, .. } => {
                ("insertion", String::new(), written(hypothesis))
            }
        };
        match views
            .last_mut()
            .filter(|last| kind == "match" && last.kind == kind)
        {
            Some(run) => {
                run.hypothesis.push_str(separator);
                run.hypothesis.push_str(&hypothesis);
            }
            None => views.push(WordsView {
                kind,
                reference,
                hypothesis,
            }),
        }
    }
    views
}
