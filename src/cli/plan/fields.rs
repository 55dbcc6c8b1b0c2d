//! Changes of values as people read them.

use super::diff::Compared;
use crate::model::units::show_seconds;
use crate::plan::{ChangedJob, FieldChange};
use serde_json::Value as Json;

/// Jobs that changed in the same way.
pub(super) struct SameChange<'a> {
    pub(super) fields: &'a [FieldChange],
    pub(super) jobs: Vec<&'a ChangedJob>,
}

/// Returns the changed jobs of a comparison, those with equal changes together.
pub(super) fn grouped(compared: &Compared) -> Vec<SameChange<'_>> {
    let mut groups: Vec<SameChange<'_>> = Vec::new();
    for job in &compared.change.changed_jobs {
        match groups.iter_mut().find(|group| group.fields == job.fields) {
            Some(group) => group.jobs.push(job),
            None => groups.push(SameChange {
                fields: &job.fields,
                jobs: vec![job],
            }),
        }
    }
    groups
}

/// Returns a change as (what, from, to) in words; `to` alone where something came or went.
pub(super) fn in_words(field: &FieldChange) -> (String, Option<String>, String) {
    let is_time = match field.path.as_str() {
        "quiet.wait" | "retries.backoff" => true,
        "deadlines.slow" | "deadlines.overrides" => false,
        path => path.starts_with("deadlines."),
    };
    let shown = |value: &Json| {
        if is_time && let Some(seconds) = value.as_f64() {
            return show_seconds(seconds);
        }
        value_in_words(value)
    };
    let name = field.path.clone();
    match (&field.old, &field.new) {
        (Some(old), Some(new)) => (name, Some(shown(old)), shown(new)),
        (None, Some(Json::Object(_))) => (name, None, "added".into()),
        (Some(Json::Object(_)), None) => (name, None, "removed".into()),
        (old, new) => {
            let unset = || "unset".to_owned();
            let old = old.as_ref().map_or_else(unset, &shown);
            (name, Some(old), new.as_ref().map_or_else(unset, &shown))
        }
    }
}

fn value_in_words(value: &Json) -> String {
    match value {
        Json::String(text) if text.is_empty() => "“”".into(),
        Json::String(text) => text.clone(),
        Json::Array(list) if list.is_empty() => "none".into(),
        Json::Array(list) => {
            let words: Vec<String> = list.iter().map(value_in_words).collect();
            words.join(", ")
        }
        Json::Object(map) => {
            let words: Vec<String> = map
                .iter()
                .map(|(name, value)| format!("{name} {}", value_in_words(value)))
                .collect();
            format!("({})", words.join(", "))
        }
        other => other.to_string(),
    }
}
