//! Tables with a header: CSV and TSV.

use super::fields::{Fields, FirstTrials, put_together, unguarded};
use super::{Problem, Utterance};
use csv::{Position, ReaderBuilder, StringRecord};
use std::borrow::Cow;

pub(super) fn read(
    text: &str,
    delimiter: u8,
    fields: &Fields<'_>,
) -> Result<Vec<Utterance<'static>>, Vec<Problem>> {
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return Err(vec![Problem::at(1, format!("{error}; mend the line"))]),
    };
    let names: Vec<&str> = header.iter().collect();
    let layout = fields
        .layout(&names)
        .map_err(|message| vec![Problem::at(1, message)])?;
    let mut utterances = Vec::new();
    let mut problems = Vec::new();
    let mut trials = FirstTrials::default();
    let mut record = StringRecord::new();
    let is_guarded = layout.trials.as_ref().is_some_and(|trials| trials.guarded);
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                let line = error.position().map_or(1, Position::line);
                problems.push(Problem::at(line, format!("{error}; mend the line")));
                break;
            }
        }
        let line = record.position().map_or(1, Position::line);
        if record.len() != header.len() {
            problems.push(Problem::at(
                line,
                format!(
                    "{} fields instead of {}; put texts that hold the delimiter into double quotes",
                    record.len(),
                    header.len()
                ),
            ));
            continue;
        }
        let cell = |place: usize| {
            let cell = record.get(place).unwrap_or_default();
            if is_guarded { unguarded(cell) } else { cell }
        };
        let id = layout.id.map(cell);
        let counts = Fields::selects(&layout, cell)
            && layout
                .trials
                .as_ref()
                .is_none_or(|known| trials.takes(known, id, cell));
        if counts {
            let text = |place: usize| Cow::Owned(cell(place).to_owned());
            utterances.push(put_together(line, &layout, text));
        }
    }
    problems.extend(trials.problem());
    if problems.is_empty() {
        Ok(utterances)
    } else {
        Err(problems)
    }
}
