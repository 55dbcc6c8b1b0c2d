//! Records: what a run leaves can be read, and what is broken is refused by its place.

use crate::support::{Place, fake_matrix};
use std::fs;

#[test]
fn a_torn_journal_still_makes_a_report_of_what_is_there() {
    let place = Place::new();
    place.write(
        "a.yaml",
        &fake_matrix("  beam-size: [1, 2]", "order: matrix"),
    );
    place.run(&["run", "a.yaml", "--out", "r"]).expect_status(0);
    let path = place.path().join("r/journal.jsonl");
    let journal = fs::read_to_string(&path).unwrap();
    let ends: Vec<usize> = journal
        .match_indices("\"event\":\"job-ended\"")
        .map(|(position, _)| position + journal[position..].find('\n').unwrap())
        .collect();
    // Right after the first benchmark has ended, in the middle of the next line.
    fs::write(&path, &journal[..ends[2] + 20]).unwrap();
    place.run(&["report", "r"]).expect_status(0);
    let rows = place.table("r/results.csv");
    assert_eq!(rows[0]["status"], "completed");
    assert_eq!(rows[1]["status"], "not-run");
    fs::write(
        &path,
        journal.replacen("\"sequence\":3", "\"sequence\":4", 1),
    )
    .unwrap();
    let ran = place.run(&["report", "r"]).expect_status(2);
    assert!(ran.stderr.contains("line 4"), "{}", ran.stderr);
}
