//! The columns of a table, or the keys of an object, that hold what is scored.

use super::{Problem, Reading, Role, Utterance};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

/// Names under which an utterance's id is looked for, the first that is there.
const IDS: [&str; 5] = ["id", "utterance", "utterance_id", "audio_filepath", "audio"];
/// Where references are looked for; only references stand under the first.
const REFERENCES: [&str; 4] = ["reference", "text", "transcript", "sentence"];
/// Where hypotheses are looked for.
const HYPOTHESES: [&str; 6] = [
    "hypothesis",
    "pred_text",
    "prediction",
    "text",
    "transcript",
    "sentence",
];
/// Names that a file of pairs can only mean a hypothesis by.
const HYPOTHESES_OF_PAIRS: usize = 3;

/// What is looked for, and where.
#[derive(Debug)]
pub(super) struct Fields<'arguments> {
    role: Role,
    reading: &'arguments Reading<'arguments>,
}

/// The places of what is looked for among the names of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) id: Option<usize>,
    pub(super) reference: Option<usize>,
    pub(super) hypothesis: Option<usize>,
    pub(super) language: Option<usize>,
    /// Columns with the value that a row must have there.
    pub(super) select: Vec<(usize, String)>,
    /// The columns of a table of ours.
    pub(super) trials: Option<Trials>,
}

/// Where a table of Earmark's tells whose trial a row is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trials {
    job: usize,
    warmup: Option<usize>,
    /// The table has guarded texts against spreadsheets.
    pub(super) guarded: bool,
}

impl<'arguments> Fields<'arguments> {
    pub(super) fn new(role: Role, reading: &'arguments Reading<'arguments>) -> Self {
        Self { role, reading }
    }

    /// Finds the places among the names of columns or keys.
    ///
    /// # Errors
    ///
    /// Tells what is not there.
    pub(super) fn layout(&self, header: &[&str]) -> Result<Layout, String> {
        let at = |name: &str| {
            let mut names = header.iter();
            names.position(|known| known.trim().eq_ignore_ascii_case(name))
        };
        let named = |given: Option<&str>, known: &[&str], what: &str, option: &str| match given {
            Some(name) => match at(name) {
                Some(place) => Ok(Some(place)),
                None => Err(missing(&format!("`{name}`"), header, "name one of those")),
            },
            None => match known.iter().find_map(|name| at(name)) {
                Some(place) => Ok(Some(place)),
                None if option.is_empty() => Ok(None),
                None => Err(missing(
                    &format!("{what} ({})", known.join(", ")),
                    header,
                    &format!("name the one that holds it with {option}"),
                )),
            },
        };
        let wanted = self.reading.names;
        let needs = |role: Role| self.role == role || self.role == Role::Pairs;
        let hypotheses = if self.role == Role::Pairs {
            &HYPOTHESES[..HYPOTHESES_OF_PAIRS]
        } else {
            &HYPOTHESES[..]
        };
        let mut select = Vec::new();
        for (name, value) in self.reading.select {
            match at(name) {
                Some(place) => select.push((place, value.clone())),
                // References need not say which job they are for.
                None if self.role == Role::References => {}
                None => {
                    return Err(missing(
                        &format!("`{name}`"),
                        header,
                        "select by one of those",
                    ));
                }
            }
        }
        Ok(Layout {
            id: named(wanted.id, &IDS, "id", "")?,
            reference: if needs(Role::References) {
                named(
                    wanted.reference,
                    &REFERENCES,
                    "reference",
                    "--reference-column",
                )?
            } else {
                None
            },
            hypothesis: if needs(Role::Hypotheses) {
                named(
                    wanted.hypothesis,
                    hypotheses,
                    "hypothesis",
                    "--hypothesis-column",
                )?
            } else {
                None
            },
            language: at("language").filter(|_| needs(Role::References)),
            select,
            trials: at("job_id").map(|job| Trials {
                job,
                warmup: at("warmup"),
                guarded: at("run_id").is_some(),
            }),
        })
    }

    /// Returns whether a row is one of those that are asked for. `cell` gives what stands in a place.
    pub(super) fn selects<'row>(layout: &Layout, cell: impl Fn(usize) -> &'row str) -> bool {
        layout
            .select
            .iter()
            .all(|(place, value)| cell(*place) == value)
    }
}

/// What of the rows of a table of ours is scored: of each utterance the first measured trial, as in
/// a report.
#[derive(Debug, Default)]
pub(super) struct FirstTrials {
    jobs: BTreeSet<String>,
    seen: HashSet<String>,
}

impl FirstTrials {
    /// Returns whether a row counts. `cell` gives what stands in a place.
    pub(super) fn takes<'row>(
        &mut self,
        trials: &Trials,
        id: Option<&str>,
        cell: impl Fn(usize) -> &'row str,
    ) -> bool {
        if trials.warmup.is_some_and(|place| cell(place) == "true") {
            return false;
        }
        let job = cell(trials.job);
        if !self.jobs.contains(job) {
            self.jobs.insert(job.to_owned());
        }
        id.is_none_or(|id| self.seen.insert(id.to_owned()) || self.jobs.len() > 1)
    }

    /// Returns what is wrong if the rows are of several jobs, whose transcripts are not one set.
    pub(super) fn problem(&self) -> Option<Problem> {
        if self.jobs.len() < 2 {
            return None;
        }
        let named: Vec<&str> = self.jobs.iter().map(String::as_str).take(3).collect();
        Some(Problem::at(
            1,
            format!(
                "the transcripts are of {} jobs ({}{}); choose one with --select job_id=ID",
                self.jobs.len(),
                named.join(", "),
                if self.jobs.len() > named.len() {
                    ", …"
                } else {
                    ""
                },
            ),
        ))
    }
}

/// Takes off the apostrophe that our tables put before texts that a spreadsheet would run.
pub(super) fn unguarded(text: &str) -> &str {
    let guarded = |rest: &&str| rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']);
    text.strip_prefix('\'').filter(guarded).unwrap_or(text)
}

/// Puts an utterance together.
pub(super) fn put_together<'file>(
    line: u64,
    layout: &Layout,
    cell: impl Fn(usize) -> Cow<'file, str>,
) -> Utterance<'file> {
    let text = |place: Option<usize>| place.map(&cell);
    Utterance {
        line,
        id: text(layout.id),
        reference: text(layout.reference).unwrap_or_default(),
        hypothesis: text(layout.hypothesis).unwrap_or_default(),
        language: text(layout.language).filter(|language| !language.trim().is_empty()),
    }
}

fn missing(what: &str, header: &[&str], remedy: &str) -> String {
    let there = if header.is_empty() {
        "nothing".to_owned()
    } else {
        header.join(", ")
    };
    format!("there is no {what}, only {there}; {remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_our_tables_add_is_taken_off() {
        assert_eq!(unguarded("'=1+1"), "=1+1");
        assert_eq!(unguarded("''tis so"), "'tis so");
        assert_eq!(unguarded("'tis so"), "'tis so");
        assert_eq!(unguarded("it's"), "it's");
    }
}
