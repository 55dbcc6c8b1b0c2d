//! Scores for people.

use super::Scored;
use super::alignment::show_alignment;
use crate::score::{ALIGNMENT_RULE, SetScore, confusions};
use crate::ui::Table;

/// So many of the utterances with the most errors are listed.
const SHOWN_UTTERANCES: usize = 10;
/// So many confusions are listed beside alignments.
const SHOWN_CONFUSIONS: usize = 10;

/// Returns the totals, the utterances with the most errors and, if asked for, their alignments.
pub(super) fn text(scored: &Scored<'_>, with_alignments: bool) -> String {
    let (total, unit) = (&scored.total, scored.unit);
    let mut out = totals(total, unit);
    if total.empty_references > 0 {
        out.push_str(&format!(
            "\n{} of the references are empty; {} {unit} were heard there\n",
            total.empty_references, total.insertions_on_silence
        ));
    }
    if total.repeat_loops > 0 {
        out.push_str(&format!(
            "\n{} repeat loops, with {} {unit} beyond the first time of each phrase\n",
            total.repeat_loops, total.looped_words
        ));
    }
    let wrong = scored.wrong();
    if !wrong.is_empty() && scored.scores.len() > 1 {
        let name = if scored.has_ids() { "id" } else { "line" };
        let mut lines = Table::new(&[name, "errors", unit, "WER", "loops"]);
        for column in usize::from(scored.has_ids())..5 {
            lines.align_right(column);
        }
        for position in wrong.iter().take(SHOWN_UTTERANCES) {
            let score = &scored.scores[*position];
            lines.row([
                scored.name(*position),
                score.words.errors().to_string(),
                score.reference_words.to_string(),
                percent(score.rates.wer),
                match score.repeat_loops {
                    0 => String::new(),
                    loops => loops.to_string(),
                },
            ]);
        }
        out.push_str(&format!("\nmost errors\n{}\n", lines.render()));
    }
    if with_alignments {
        out.push_str(&alignments(scored));
    }
    out + &format!(
        "\nnormalizer {} ({}), alignment {ALIGNMENT_RULE}\n",
        scored.normalizer.id(),
        scored.normalizer.version()
    )
}

fn totals(total: &SetScore, unit: &str) -> String {
    let mut table = Table::new(&["measure", "value", "counted as"]);
    table.align_right(1);
    let words = &total.words;
    for (measure, value, counted) in [
        (
            "WER",
            total.rates.wer,
            format!(
                "{} substitutions + {} deletions + {} insertions of {} {unit}",
                words.substitutions, words.deletions, words.insertions, total.reference_words
            ),
        ),
        (
            "CER",
            total.rates.cer,
            format!(
                "{} edits of {} characters",
                total.characters.character_errors, total.characters.reference_characters
            ),
        ),
        ("MER", total.rates.mer, "edits of aligned places".to_owned()),
        ("WIL", total.rates.wil, "word information lost".to_owned()),
        (
            "WIP",
            total.rates.wip,
            "word information preserved".to_owned(),
        ),
        (
            "SER",
            total.sentence_error_rate,
            match total.utterances {
                1 => "of 1 utterance has an error".to_owned(),
                more => format!("of {more} utterances have an error"),
            },
        ),
        (
            "mean WER",
            total.mean_utterance_wer,
            "of utterances, however long each is".to_owned(),
        ),
    ] {
        table.row([measure.to_owned(), percent(value), counted]);
    }
    table.render() + "\n"
}

fn alignments(scored: &Scored<'_>) -> String {
    let mut out = String::new();
    let name = if scored.has_ids() { "" } else { "line " };
    let unit = scored.unit;
    for (position, aligned) in &scored.worst {
        let score = &scored.scores[*position];
        let words = &score.words;
        out.push_str(&format!(
            "\n{name}{}: {} substitutions, {} deletions, {} insertions of {} {unit}, WER {}\n{}",
            crate::ui::printable(&scored.name(*position)),
            words.substitutions,
            words.deletions,
            words.insertions,
            score.reference_words,
            percent(score.rates.wer),
            show_alignment(aligned)
        ));
    }
    let found = confusions(
        scored.worst.iter().map(|(_, aligned)| aligned),
        SHOWN_CONFUSIONS,
    );
    if !found.is_empty() {
        let mut table = Table::new(&["said", "heard", "times"]);
        table.align_right(2);
        for confusion in found {
            table.row([
                confusion.reference,
                confusion.hypothesis,
                confusion.count.to_string(),
            ]);
        }
        out.push_str(&format!("\nmost confused, of those\n{}\n", table.render()));
    }
    out
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}
