//! The columns of `combinations.csv`.

use super::cell::Cell;
use super::columns::{Column, column};
use crate::model::{Combinations, Job, JobKind, Outcome};
use crate::record::RunRecord;

/// A combination with the jobs that it asked for, in the order of the plan.
#[derive(Clone, Debug)]
pub struct CombinationRow<'a> {
    /// Its position in the plan, from 0.
    position: usize,
    jobs: Vec<&'a Job>,
}

impl CombinationRow<'_> {
    fn of(&self, kind: JobKind) -> impl Iterator<Item = &Job> {
        let jobs = self.jobs.iter().copied();
        jobs.filter(move |job| job.kind == kind)
    }

    /// Returns the ids of its jobs of a kind, separated by spaces.
    fn ids(&self, kind: JobKind) -> Cell {
        let ids: Vec<&str> = self.of(kind).map(|job| job.id.0.as_str()).collect();
        Cell::optional((!ids.is_empty()).then(|| ids.join(" ")))
    }
}

/// Returns a row for each combination, in the order of the plan.
#[must_use]
pub fn combination_rows(record: &RunRecord) -> Vec<CombinationRow<'_>> {
    let mut rows: Vec<CombinationRow<'_>> = (0..record.plan.combinations.len())
        .map(|position| CombinationRow {
            position,
            jobs: Vec::new(),
        })
        .collect();
    for job in &record.plan.jobs {
        for position in &job.combinations {
            if let Some(row) = rows.get_mut(*position) {
                row.jobs.push(job);
            }
        }
    }
    rows
}

fn combination<'a>(
    name: &str,
    definition: &str,
    fill: impl Fn(&RunRecord, &CombinationRow<'a>) -> Cell + 'static,
) -> Column<CombinationRow<'a>> {
    column(name, definition, fill)
}

/// Returns the columns of `combinations.csv`: one row for each combination.
#[must_use]
pub fn combination_columns<'a>(
    axes: &[String],
    combinations: &Combinations,
) -> Vec<Column<CombinationRow<'a>>> {
    let mut columns = vec![combination(
        "combination",
        "Its position in the plan, from 0.",
        |_, row| Cell::count(Some(row.position)),
    )];
    let mut names = axes.to_vec();
    for column in combinations.columns() {
        if !names.contains(&column.name) {
            names.push(column.name.clone());
        }
    }
    columns.extend(names.into_iter().map(|name| {
        let axis_name = name.clone();
        combination(
            &name,
            "The value of this axis, setting or label, as it was written.",
            move |r, row| {
                let value = r.plan.combinations.value(row.position, &axis_name);
                Cell::optional(value.map(|value| value.written.clone()))
            },
        )
    }));
    columns.extend([
        combination("benchmark", "Its benchmark job.", |_, row| {
            row.ids(JobKind::Benchmark)
        }),
        combination(
            "status",
            "How the benchmark ended; where several machines carried it out and it ended otherwise on \
             some of them, each end, separated by spaces.",
            |record, row| {
                let job = row.of(JobKind::Benchmark).next();
                let found = job.map_or_else(Vec::new, |job| record.job_everywhere(&job.id));
                let mut ends: Vec<&str> = Vec::new();
                for found in found {
                    let end = found.outcome.as_ref().map_or("not-run", Outcome::status);
                    if !ends.contains(&end) {
                        ends.push(end);
                    }
                }
                Cell::text(if ends.is_empty() {
                    "not-run".to_owned()
                } else {
                    ends.join(" ")
                })
            },
        ),
        combination(
            "verifies",
            "Its verify jobs, separated by spaces.",
            |_, row| row.ids(JobKind::Verify),
        ),
        combination(
            "verdicts",
            "Their verdicts in the same order.",
            |record, row| {
                let verdicts: Vec<&str> = row
                    .of(JobKind::Verify)
                    .map(|job| {
                        let found = record.job(&job.id).and_then(|job| job.finding.as_ref());
                        found.map_or("not-asked", |finding| finding.verdict.word())
                    })
                    .collect();
                Cell::optional(Some(verdicts.join(" ")).filter(|text| !text.is_empty()))
            },
        ),
        combination("downloads", "Its download jobs.", |_, row| {
            row.ids(JobKind::Download)
        }),
    ]);
    columns
}
