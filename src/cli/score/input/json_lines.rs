//! JSON Lines: an object for each utterance.

use super::fields::{Fields, FirstTrials, put_together};
use super::{Problem, Utterance};
use serde_json::{Map, Value};
use std::borrow::Cow;

pub(super) fn read(
    text: &str,
    fields: &Fields<'_>,
) -> Result<Vec<Utterance<'static>>, Vec<Problem>> {
    let mut utterances = Vec::new();
    let mut problems = Vec::new();
    let mut trials = FirstTrials::default();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        if number == 1 && line.trim_start().starts_with('[') {
            let message = "this is a list; write one object a line, as `jq -c '.[]'` does";
            return Err(vec![Problem::at(number, message)]);
        }
        let object: Map<String, Value> = match serde_json::from_str(line) {
            Ok(object) => object,
            Err(error) => {
                let message = format!("this is no JSON object: {error}; write one object a line");
                problems.push(Problem::at(number, message));
                continue;
            }
        };
        match utterance(number, &object, fields, &mut trials) {
            Ok(found) => utterances.extend(found),
            Err(message) => problems.push(Problem::at(number, message)),
        }
    }
    problems.extend(trials.problem());
    if problems.is_empty() {
        Ok(utterances)
    } else {
        Err(problems)
    }
}

/// Returns an object's utterance, or `None` if it is not to be scored.
fn utterance(
    line: u64,
    object: &Map<String, Value>,
    fields: &Fields<'_>,
    trials: &mut FirstTrials,
) -> Result<Option<Utterance<'static>>, String> {
    let names: Vec<&str> = object.keys().map(String::as_str).collect();
    let layout = fields.layout(&names)?;
    let values: Vec<&Value> = object.values().collect();
    let shown: Vec<Cow<'_, str>> = values
        .iter()
        .map(|value| match value {
            Value::String(text) => Cow::Borrowed(text.as_str()),
            Value::Null => Cow::Borrowed(""),
            other => Cow::Owned(other.to_string()),
        })
        .collect();
    let cell = |place: usize| shown.get(place).map_or("", |shown| &**shown);
    if !Fields::selects(&layout, cell) {
        return Ok(None);
    }
    for place in [layout.reference, layout.hypothesis].into_iter().flatten() {
        if !matches!(values.get(place), Some(Value::String(_))) {
            return Err(format!(
                "`{}` is {} and no text; write \"\" where there is no word",
                names.get(place).unwrap_or(&""),
                cell_or_null(cell(place)),
            ));
        }
    }
    let id = layout.id.map(cell);
    let trial = layout.trials.as_ref();
    if trial.is_some_and(|known| !trials.takes(known, id, cell)) {
        return Ok(None);
    }
    let text = |place: usize| Cow::Owned(cell(place).to_owned());
    Ok(Some(put_together(line, &layout, text)))
}

fn cell_or_null(shown: &str) -> &str {
    if shown.is_empty() { "null" } else { shown }
}
