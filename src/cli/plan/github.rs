//! The plan as a job matrix of GitHub Actions: `strategy: {matrix: ${{ fromJSON(…) }}}`.

use crate::cli::exit::{Failure, say};
use crate::cluster::MOST_ENTRIES;
use crate::model::{JobKind, Plan, Value};
use serde_json::{Map, json};
use std::collections::BTreeSet;

/// Returns one line of JSON with an entry for each combination; `None` if those are too many for GitHub.
/// With `filtered`, only those count that a benchmark of the plan still asks for.
///
/// # Errors
///
/// Workflows paste values into shell scripts, so a value that a shell could read as anything but
/// one word is refused, or, in a label, which nothing is looked up by, replaced.
pub(super) fn combinations(plan: &Plan, filtered: bool) -> Result<Option<String>, Failure> {
    let positions: Vec<usize> = if filtered {
        asked_for(plan)
    } else {
        (0..plan.combinations.len()).collect()
    };
    if positions.len() > MOST_ENTRIES as usize {
        return Ok(None);
    }
    let mut replaced = BTreeSet::new();
    let mut refused = BTreeSet::new();
    let mut entries = Vec::new();
    for position in positions {
        let mut entry = Map::new();
        for (name, value) in plan.values(position) {
            let is_label = name.starts_with("tag.");
            if !is_label && !is_one_word(&value.written) {
                refused.insert(format!("`{name}`: {}", json!(value.written)));
            }
            let safe = if is_label && !is_one_word(&value.written) {
                replaced.insert(name.to_owned());
                Value::text(made_safe(&value.written))
            } else {
                value.clone()
            };
            entry.insert(
                if is_label {
                    made_safe(name)
                } else {
                    name.to_owned()
                },
                json!(safe),
            );
        }
        entries.push(entry);
    }
    if !refused.is_empty() {
        let list: Vec<String> = refused.into_iter().collect();
        return Err(Failure::Usage(format!(
            "workflows paste these values into shell scripts, and they are not plain words: {}; use \
             letters, digits and `. _ - + = : / @ ,`, and begin with none of `- @`",
            list.join(", ")
        )));
    }
    for name in replaced {
        say(&format!(
            "warning: in `{name}`, what a shell could read as more than a word became `_`"
        ));
    }
    // One line: it fits into `name=value` of a step's output.
    Ok(Some(json!({ "include": entries }).to_string() + "\n"))
}

/// Returns the combinations that ask for a benchmark of the plan, or for any job if it has none.
fn asked_for(plan: &Plan) -> Vec<usize> {
    let is_benchmark = |kind| kind == JobKind::Benchmark;
    let any = plan.jobs.iter().any(|job| is_benchmark(job.kind));
    let asked: BTreeSet<usize> = plan
        .jobs
        .iter()
        .filter(|job| !any || is_benchmark(job.kind))
        .flat_map(|job| job.combinations.iter().copied())
        .collect();
    asked.into_iter().collect()
}

fn is_plain(letter: char) -> bool {
    letter.is_alphanumeric() || "._-+=:/@,".contains(letter)
}

/// Whether a shell, and GitHub's own syntax, take a text for one word. A minus at its front would
/// be an option, and an at sign would call somebody.
fn is_one_word(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(is_plain)
        && (!text.starts_with(['-', '@']) || text.parse::<f64>().is_ok())
}

fn made_safe(text: &str) -> String {
    let safe: String = text
        .chars()
        .map(|letter| if is_plain(letter) { letter } else { '_' })
        .collect();
    if safe.is_empty() || safe.starts_with(['-', '@']) {
        format!("_{safe}")
    } else {
        safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_reads_as_more_than_a_word_does_not_get_through() {
        for text in [
            "$(id)", "`id`", "a b", "a;b", "a|b", "a&b", "a>b", "a'b", "a\"b", "a\\b", "a\nb", "",
            "-rf", "@team", "a*", "~", "${{ x }}", "a(b", "#x", "!x", "{a,b}",
        ] {
            assert!(!is_one_word(text), "{text}");
            assert!(
                is_one_word(&made_safe(text)),
                "{text} → {}",
                made_safe(text)
            );
        }
        for text in [
            "tiny.en", "q5_1", "3.10", "-1.5", "größe", "my-set/a", "1e-3",
        ] {
            assert!(is_one_word(text), "{text}");
        }
    }
}
