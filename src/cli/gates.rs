//! What the gates of a matrix came to, told the same by every verb that ends with a record.

use super::exit::say;
use crate::compare::{Rules, Side, against, judge_gates};
use crate::record::RunRecord;
use crate::report::{gate_failures, gates_without_base, result_rows};
use crate::ui::printable;
use std::path::Path;

/// Tells the gates of a record that were not passed, and returns whether all were. Allowed
/// regressions are judged against the base, if there is one; else it is told that they were not.
pub(super) fn passed(record: &RunRecord, path: &Path, base: Option<&RunRecord>) -> bool {
    let failures: Vec<String> = match base {
        Some(base) => against_base(record, base),
        None => {
            let unjudged = gates_without_base(record).count();
            if unjudged > 0 {
                say(&format!(
                    "gates: {unjudged} on what became worse not judged, because that takes a base: \
                     `earmark compare BASE {} --gate`",
                    path.display()
                ));
            }
            gate_failures(record)
                .into_iter()
                .map(|failure| failure.0)
                .collect()
        }
    };
    for failure in &failures {
        say(&format!("gate: {}", printable(failure)));
    }
    failures.is_empty()
}

fn against_base(record: &RunRecord, base_record: &RunRecord) -> Vec<String> {
    let (base_rows, rows) = (result_rows(base_record), result_rows(record));
    let base = Side {
        label: "base",
        record: base_record,
        rows: &base_rows,
    };
    let new = Side {
        label: "new",
        record,
        rows: &rows,
    };
    let compared = against(&base, &new, &Rules::default());
    let lines = judge_gates(&base, &new, &compared);
    lines
        .into_iter()
        .filter(|line| !line.passed)
        .map(|line| line.in_words())
        .collect()
}
