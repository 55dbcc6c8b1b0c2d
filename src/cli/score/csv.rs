//! The score of each utterance as a row.

use super::Scored;
use crate::report::Cell;
use crate::score::ScoringUnit;
use csv::{Terminator, WriterBuilder};

/// Returns a table with a row for each utterance, under the names that the JSON has.
pub(super) fn csv(scored: &Scored<'_>) -> Result<String, Box<dyn std::error::Error>> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::Any(b'\n'))
        .from_writer(Vec::new());
    let name = if scored.has_ids() { "id" } else { "line" };
    writer.write_record([
        name,
        "unit",
        "reference_words",
        "hypothesis_words",
        "hits",
        "substitutions",
        "deletions",
        "insertions",
        "wer",
        "mer",
        "wil",
        "wip",
        "reference_characters",
        "hypothesis_characters",
        "character_errors",
        "cer",
        "empty_reference",
        "repeat_loops",
        "looped_words",
    ])?;
    for (position, score) in scored.scores.iter().enumerate() {
        let unit = match score.unit {
            ScoringUnit::Words => "words",
            ScoringUnit::Characters => "characters",
        };
        let count = |count: u64| Cell::count(Some(count));
        let rate = |rate: f64| Cell::number(Some(rate));
        let (words, characters, rates) = (&score.words, &score.characters, &score.rates);
        writer.write_record(
            [
                Cell::text(scored.name(position)),
                Cell::text(unit),
                count(score.reference_words),
                count(score.hypothesis_words),
                count(words.hits),
                count(words.substitutions),
                count(words.deletions),
                count(words.insertions),
                rate(rates.wer),
                rate(rates.mer),
                rate(rates.wil),
                rate(rates.wip),
                count(characters.reference_characters),
                count(characters.hypothesis_characters),
                count(characters.character_errors),
                rate(rates.cer),
                Cell::Boolean(score.empty_reference),
                count(score.repeat_loops),
                count(score.looped_words),
            ]
            .map(|cell| cell.to_csv()),
        )?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}
