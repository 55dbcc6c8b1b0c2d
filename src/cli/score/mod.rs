//! `earmark score`: error rates of transcripts against their references.

mod alignment;
mod csv;
mod input;
mod json;
mod pairing;
mod text;

pub(super) use input::InputFormat;

use super::arguments::{ScoreArguments, ScoreFormat};
use super::exit::{ExitStatus, Failure, print, say};
use crate::model::NormalizerId;
use crate::score::{
    AlignedUtterance, Normalizer, SetScore, TextPair, UtteranceScore, align_utterance, score_all,
    score_set, scored_on_characters,
};
use input::{Names, Reading, Role, Source, Utterance};
use rayon::prelude::*;
use std::path::Path;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// What the rates of other programs may differ by.
pub(super) const RATES_HELP: &str = "\
WER and CER equal jiwer's. MER, WIL and WIP count hits, in which alignments with equally few errors can differ: \
one is chosen by a fixed rule, so these three can differ from jiwer's.";

/// What was scored, with everything that is shown of it.
struct Scored<'file> {
    utterances: Vec<Utterance<'file>>,
    scores: Vec<UtteranceScore>,
    total: SetScore,
    normalizer: Normalizer,
    /// What was counted for error rates of words: in some languages, characters.
    unit: &'static str,
    /// The utterances with the most errors, word by word, as many as were asked for.
    worst: Vec<(usize, AlignedUtterance)>,
}

impl Scored<'_> {
    /// Returns what an utterance is called: by its id, else by its line.
    fn name(&self, position: usize) -> String {
        match self.utterances.get(position) {
            Some(one) => one
                .id
                .as_ref()
                .map_or_else(|| one.line.to_string(), ToString::to_string),
            None => String::new(),
        }
    }

    /// Returns whether utterances have ids.
    fn has_ids(&self) -> bool {
        self.utterances.iter().any(|one| one.id.is_some())
    }

    /// Returns the positions of utterances with errors: those with the most first.
    fn wrong(&self) -> Vec<usize> {
        let mut wrong: Vec<usize> = (0..self.scores.len())
            .filter(|position| !self.scores[*position].is_correct())
            .collect();
        wrong.sort_by_key(|position| std::cmp::Reverse(self.scores[*position].words.errors()));
        wrong
    }
}

pub(super) fn run(arguments: &ScoreArguments) -> Result<ExitStatus, Failure> {
    let reading = Reading {
        format: arguments.input_format,
        names: Names {
            id: arguments.id_column.as_deref(),
            reference: arguments.reference_column.as_deref(),
            hypothesis: arguments.hypothesis_column.as_deref(),
        },
        select: &arguments.select,
    };
    let open = |path: &Path| Source::read(path, reading.format);
    if let Some(path) = &arguments.pairs {
        let source = open(path)?;
        let utterances = source.utterances(Role::Pairs, &reading)?;
        pairing::refuse_doubtful_ids(&source, &utterances)?;
        return show(arguments, utterances, &source.name);
    }
    let (Some(reference), Some(hypothesis)) = (&arguments.reference, &arguments.hypothesis) else {
        return Err(Failure::Usage(
            "name a file with --reference and one with --hypothesis, or one that holds both".into(),
        ));
    };
    if reference == Path::new("-") && hypothesis == Path::new("-") {
        return Err(Failure::Usage(
            "standard input can only be one of the two; name a file for the other".into(),
        ));
    }
    let sources = (open(reference)?, open(hypothesis)?);
    let utterances = pairing::pair(
        (&sources.0, &sources.1),
        sources.0.utterances(Role::References, &reading)?,
        sources.1.utterances(Role::Hypotheses, &reading)?,
        arguments.missing_as_empty,
    )?;
    let names = format!("{} and {}", sources.0.name, sources.1.name);
    show(arguments, utterances, &names)
}

/// Scores utterances and shows what came of it. `names` are the files that they are of.
fn show(
    arguments: &ScoreArguments,
    utterances: Vec<Utterance<'_>>,
    names: &str,
) -> Result<ExitStatus, Failure> {
    let normalizer = match arguments.normalizer {
        NormalizerId::None => Normalizer::None,
        NormalizerId::Basic => Normalizer::Basic,
        NormalizerId::WhisperEn => Normalizer::WhisperEnglish,
    };
    let pairs: Vec<TextPair<'_>> = utterances
        .iter()
        .map(|one| TextPair {
            reference: &one.reference,
            hypothesis: &one.hypothesis,
            language: one.language.as_deref().unwrap_or(&arguments.language),
        })
        .collect();
    let scores = score_all(&pairs, normalizer);
    let Some(total) = score_set(&scores) else {
        return Err(Failure::Usage(format!(
            "{names} hold no line; a score needs at least one utterance"
        )));
    };
    let forms = scores
        .iter()
        .zip(&pairs)
        .filter(|(score, pair)| !score.is_correct() && differs_in_form(pair))
        .count();
    if forms > 0 && normalizer == Normalizer::None {
        say(&format!(
            "note: in {forms} utterances with errors one text is composed Unicode and the other is \
             not, and `none` compares code points as they are; --normalizer basic composes both"
        ));
    }
    let aligned = |position: &usize| -> Option<(usize, AlignedUtterance)> {
        let pair = pairs.get(*position)?;
        let aligned = align_utterance(pair.reference, pair.hypothesis, normalizer, pair.language);
        Some((*position, aligned))
    };
    let by_character = pairs
        .iter()
        .filter(|pair| scored_on_characters(pair.language))
        .count();
    let unit = match by_character {
        0 => "words",
        some if some == pairs.len() => "characters",
        _ => "words or characters",
    };
    let mut outcome = Scored {
        scores,
        total,
        normalizer,
        unit,
        worst: Vec::new(),
        utterances: Vec::new(),
    };
    if let Some(most) = arguments.alignment {
        let mut wrong = outcome.wrong();
        wrong.truncate(most);
        outcome.worst = wrong.par_iter().filter_map(aligned).collect();
    }
    drop(pairs);
    outcome.utterances = utterances;
    match arguments.format {
        ScoreFormat::Text => print(&text::text(&outcome, arguments.alignment.is_some()))?,
        ScoreFormat::Json => json::print_json(&outcome, arguments.alignment.is_some())?,
        ScoreFormat::Csv => print(&csv::csv(&outcome).map_err(Failure::internal)?)?,
    }
    Ok(ExitStatus::Success)
}

/// Returns whether the two texts are of different Unicode normalization forms.
fn differs_in_form(pair: &TextPair<'_>) -> bool {
    let is_composed = |text: &str| text.is_ascii() || is_nfc(text);
    let (reference, hypothesis) = (is_composed(pair.reference), is_composed(pair.hypothesis));
    // A text without anything to compose has every form.
    let is_decomposed = |text: &str| text.nfd().eq(text.chars());
    match (reference, hypothesis) {
        (true, false) => !is_decomposed(pair.reference),
        (false, true) => !is_decomposed(pair.hypothesis),
        _ => false,
    }
}
