//! `earmark score`: word error rates of two files, line against line.

use super::arguments::{ScoreArguments, ScoreFormat};
use super::exit::{ExitStatus, Failure, print};
use crate::model::NormalizerId;
use crate::score::{
    ALIGNMENT_RULE, Normalizer, SetScore, TextPair, UtteranceScore, score_all, score_set,
};
use crate::ui::Table;
use serde_json::json;
use std::io::Read;
use std::path::Path;

/// The text form shows so many of the lines with the most errors.
const SHOWN_LINES: usize = 10;

pub(super) fn run(arguments: &ScoreArguments) -> Result<ExitStatus, Failure> {
    let standard_input = Path::new("-");
    if arguments.reference == standard_input && arguments.hypothesis == standard_input {
        return Err(Failure::Usage(
            "standard input can only be one of the two; name a file for the other".into(),
        ));
    }
    let reference_text = read(&arguments.reference)?;
    let hypothesis_text = read(&arguments.hypothesis)?;
    let references: Vec<&str> = reference_text.lines().collect();
    let hypotheses: Vec<&str> = hypothesis_text.lines().collect();
    if references.len() != hypotheses.len() {
        return Err(Failure::Usage(format!(
            "{} has {} lines and {} has {}; line n is compared with line n, so write an empty line \
             where nothing was heard",
            arguments.reference.display(),
            references.len(),
            arguments.hypothesis.display(),
            hypotheses.len(),
        )));
    }
    let normalizer = match arguments.normalizer {
        NormalizerId::None => Normalizer::None,
        NormalizerId::Basic => Normalizer::Basic,
        NormalizerId::WhisperEn => Normalizer::WhisperEnglish,
    };
    let pairs: Vec<TextPair<'_>> = references
        .iter()
        .zip(&hypotheses)
        .map(|(reference, hypothesis)| TextPair {
            reference,
            hypothesis,
            language: &arguments.language,
        })
        .collect();
    let scores = score_all(&pairs, normalizer);
    let Some(total) = score_set(&scores) else {
        return Err(Failure::Usage(format!(
            "{} and {} hold no line; a score needs at least one",
            arguments.reference.display(),
            arguments.hypothesis.display()
        )));
    };
    let text = match arguments.format {
        ScoreFormat::Text => text(&total, &scores, normalizer),
        ScoreFormat::Json => json_text(&total, &scores, normalizer)?,
    };
    print(&text)?;
    Ok(ExitStatus::Success)
}

fn read(path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let outcome = if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    outcome.map_err(|error| {
        Failure::Usage(format!(
            "{} cannot be read: {error}; name a text file",
            path.display()
        ))
    })?;
    // A mark that some editors put at the beginning is no part of the first line.
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..good];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Failure::Usage(format!(
            "{} line {line}: the text is not UTF-8; save the file as UTF-8",
            path.display()
        ))
    })?;
    Ok(text
        .strip_prefix('\u{feff}')
        .map_or(text.clone(), str::to_owned))
}

fn json_text(
    total: &SetScore,
    scores: &[UtteranceScore],
    normalizer: Normalizer,
) -> Result<String, Failure> {
    let document = json!({
        "total": total,
        "utterances": scores,
        "normalizer": { "id": normalizer.id(), "version": normalizer.version() },
        "alignment_rule": ALIGNMENT_RULE,
    });
    Ok(serde_json::to_string_pretty(&document).map_err(Failure::internal)? + "\n")
}

fn text(total: &SetScore, scores: &[UtteranceScore], normalizer: Normalizer) -> String {
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    let mut table = Table::new(&["measure", "value", "counted as"]);
    table.align_right(1);
    let words = &total.words;
    for (measure, value, counted) in [
        (
            "WER",
            percent(total.rates.wer),
            format!(
                "{} substitutions + {} deletions + {} insertions of {} words",
                words.substitutions, words.deletions, words.insertions, total.reference_words
            ),
        ),
        (
            "CER",
            percent(total.rates.cer),
            format!(
                "{} edits of {} characters",
                total.characters.character_errors, total.characters.reference_characters
            ),
        ),
        (
            "MER",
            percent(total.rates.mer),
            "edits of aligned places".into(),
        ),
        (
            "WIL",
            percent(total.rates.wil),
            "word information lost".into(),
        ),
        (
            "SER",
            percent(total.sentence_error_rate),
            format!("of {} utterances have an error", total.utterances),
        ),
        (
            "mean WER",
            percent(total.mean_utterance_wer),
            "of utterances, however long each is".into(),
        ),
    ] {
        table.row([measure.to_owned(), value, counted]);
    }
    let mut out = table.render() + "\n";
    if total.empty_references > 0 {
        out.push_str(&format!(
            "\n{} of the references are empty; {} words were heard there\n",
            total.empty_references, total.insertions_on_silence
        ));
    }
    let mut wrong: Vec<(usize, &UtteranceScore)> = scores
        .iter()
        .enumerate()
        .filter(|(_, score)| !score.is_correct())
        .collect();
    wrong.sort_by_key(|(_, score)| std::cmp::Reverse(score.words.errors()));
    if !wrong.is_empty() && scores.len() > 1 {
        let mut lines = Table::new(&["line", "errors", "words", "WER"]);
        for column in 0..4 {
            lines.align_right(column);
        }
        for (position, score) in wrong.iter().take(SHOWN_LINES) {
            lines.row([
                (position + 1).to_string(),
                score.words.errors().to_string(),
                score.reference_words.to_string(),
                percent(score.rates.wer),
            ]);
        }
        out.push_str(&format!("\nmost errors\n{}\n", lines.render()));
    }
    out + &format!(
        "\nnormalizer {} ({}), alignment {ALIGNMENT_RULE}\n",
        normalizer.id(),
        normalizer.version()
    )
}
