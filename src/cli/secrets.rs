//! Values of the environment are taken out of everything that is kept or shown of a run.

use crate::event::Stamped;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Members of events that only ever hold what the plan or this program put there, or what is
/// measured: a value that looks the same is no leak there.
const LEFT_ALONE: [&str; 21] = [
    "job",
    "event",
    "kind",
    "run-id",
    "plan-digest",
    "at",
    "model",
    "artifact",
    "sha256",
    "digest",
    "utterance",
    "text",
    "segments",
    "settings",
    "machine",
    "state",
    "look",
    "crates",
    "repository",
    "status",
    "verdict",
];

/// The values that a plan asks for, with what stands in their place.
#[derive(Debug, Default)]
pub(super) struct Secrets(Vec<(String, String)>);

impl Secrets {
    /// Finds the values of some variables.
    pub(super) fn new(names: &[String], lookup: impl Fn(&str) -> Option<String>) -> Self {
        let mut values: Vec<(String, String)> = names
            .iter()
            .filter_map(|name| Some((lookup(name)?, format!("${{env:{name}}}"))))
            .filter(|(value, _)| !value.is_empty())
            .collect();
        // A value that holds another goes first.
        values.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        Self(values)
    }

    fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (value, name)| {
            text.replace(value, name)
        })
    }

    /// Returns an event without the values; `None` if there is nothing to take out.
    pub(super) fn event(&self, event: &Stamped) -> Option<Stamped> {
        if self.0.is_empty() {
            return None;
        }
        let mut json = serde_json::to_value(event).ok()?;
        self.walk(&mut json);
        serde_json::from_value(json).ok()
    }

    fn walk(&self, json: &mut Value) {
        match json {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item)),
            Value::Object(members) => {
                for (name, member) in members {
                    if !LEFT_ALONE.contains(&name.as_str()) {
                        self.walk(member);
                    }
                }
            }
            _ => {}
        }
    }

    /// Takes the values out of the children's logs.
    pub(super) fn logs(&self, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if let (false, Ok(bytes)) = (self.0.is_empty(), fs::read(&path)) {
                let text = String::from_utf8_lossy(&bytes);
                let clean = self.text(&text);
                if clean != text {
                    // A log that cannot be written again must not stay.
                    if fs::write(&path, clean).is_err() {
                        let _ = fs::remove_file(&path);
                    }
                }
            }
        }
    }
}
