//! The page: one file, no network, no script, from templates that escape everything.
//!
//! What the page shows is computed here, part by part; the templates only lay it out.

mod answer;
mod chart;
mod checks;
mod clips;
mod groups;
mod machines;
mod scale;
mod templates;
mod timeline;
mod troubles;
mod trust;

use super::cell::Cell;
use super::columns::Column;
use super::configuration::{Configuration, Labels};
use super::job_columns::{job_columns, job_rows};
use super::notes::notes;
use super::result_columns::result_columns;
use super::rows::{ResultRow, result_rows};
use super::summary::summary_rows;
use super::summary_columns::summary_columns;
use crate::record::RunRecord;
use answer::Answer;
use checks::{CheckView, MethodView};
use clips::ClipsView;
use groups::GroupView;
use machines::{MachineView, SessionView};
use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;
use timeline::TimelineView;
use troubles::TroublesView;
use trust::TrustView;

/// Why the page could not be made: a fault of the template.
#[derive(Debug, thiserror::Error)]
#[error("the page could not be made: {0:#}")]
pub struct HtmlError(#[from] minijinja::Error);

/// How many rows of a table the page shows: what nobody can read on a page stands in the CSV files
/// beside it.
const MOST_ROWS: usize = 500;

/// Everything that the template gets.
#[derive(Serialize)]
struct PageView<'a> {
    /// How many rows of each table are shown, if some may have more.
    most_rows: Option<usize>,
    record: RunView<'a>,
    machines: Vec<MachineView<'a>>,
    sessions: Vec<SessionView<'a>>,
    answers: Vec<Answer>,
    common: Vec<(&'a str, &'a str)>,
    groups: Vec<GroupView>,
    rows: Vec<RowView>,
    troubles: TroublesView,
    clips: ClipsView,
    trust: Option<TrustView>,
    checks: Vec<CheckView>,
    methods: Vec<MethodView>,
    timelines: Vec<TimelineView>,
    jobs: TableView,
    results: TableView,
    summary: TableView,
}

#[derive(Serialize)]
struct RunView<'a> {
    run_id: &'a str,
    name: &'a str,
    description: &'a str,
    started_at: &'a str,
    seconds: Option<f64>,
    interrupted: bool,
    command_line: String,
    plan_digest: &'a str,
    seed: u64,
    matrix_text: &'a str,
}

/// A benchmark job.
#[derive(Serialize)]
struct RowView {
    label: String,
    audio: String,
    synthetic: bool,
    wer: Option<f64>,
    rtfx: Option<f64>,
    median: Option<f64>,
    interval: Option<(f64, f64, f64)>,
    n: usize,
    launches: usize,
    start: Option<f64>,
    load: Option<f64>,
    first_segment: Option<f64>,
    cpu: Option<f64>,
    peak: Option<u64>,
    notes: Vec<String>,
}

/// A table as its CSV has it.
#[derive(Serialize)]
struct TableView {
    header: Vec<(String, String)>,
    rows: Vec<Vec<String>>,
}

/// Renders the page.
///
/// # Errors
///
/// Fails if the template is wrong.
pub fn render_html(record: &RunRecord) -> Result<String, HtmlError> {
    let rows = result_rows(record);
    let summaries = summary_rows(record, &rows);
    let labels = Labels::of(&rows);
    let mut groups = groups::groups(record, &summaries, &labels);
    let answers = answer::answers(record, &groups);
    for group in &mut groups {
        group.rows.truncate(MOST_ROWS);
    }
    let page = PageView {
        most_rows: (record.plan.jobs.len() > MOST_ROWS).then_some(MOST_ROWS),
        record: RunView {
            run_id: &record.run_id,
            name: &record.plan.name,
            description: &record.plan.description,
            started_at: &record.started_at,
            seconds: record.seconds,
            interrupted: record.interrupted,
            command_line: shell_line(&record.command_line),
            plan_digest: &record.plan.digest,
            seed: record.plan.seed,
            matrix_text: &record.plan.matrix_text,
        },
        machines: machines::machines(record, &rows),
        sessions: machines::sessions(record),
        answers,
        common: labels.common(),
        rows: rows
            .iter()
            .filter(|row| row.status() == "completed")
            .take(MOST_ROWS)
            .map(|row| row_view(record, row, &labels))
            .collect(),
        groups,
        troubles: troubles::troubles(record),
        clips: clips::clips(record, &rows, &labels),
        trust: trust::trust(record),
        checks: checks::checks(record),
        methods: checks::methods(record),
        timelines: timeline::timelines(record),
        jobs: table(record, &job_columns(), &job_rows(record)),
        results: table(record, &result_columns(&rows), &rows),
        summary: table(record, &summary_columns(&rows, &summaries), &summaries),
    };
    let environment = templates::environment()?;
    Ok(environment
        .get_template(templates::PAGE)?
        .render(Value::from(Serde(page)))?)
}

/// Whether an engine is a stand-in, so that nothing of it is a measurement.
fn is_synthetic(record: &RunRecord, backend: &str) -> bool {
    record
        .plan
        .engines
        .get(backend)
        .is_some_and(|engine| engine.synthetic)
}

/// Returns a command line as one would type it.
fn shell_line(arguments: &[String]) -> String {
    let plain = |argument: &str| {
        !argument.is_empty()
            && argument
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "-_./=:,+@%".contains(letter))
    };
    arguments
        .iter()
        .map(|argument| {
            if plain(argument) {
                argument.clone()
            } else {
                format!("'{}'", argument.replace('\'', "'\\''"))
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn row_view(record: &RunRecord, row: &ResultRow<'_>, labels: &Labels) -> RowView {
    RowView {
        label: labels.label(&Configuration::of(row)),
        audio: row.spec.audio.to_string(),
        synthetic: is_synthetic(record, &row.spec.backend),
        wer: row.score.map(|score| score.rates.wer),
        rtfx: row.rtfx,
        median: row.transcribe.map(|spread| spread.median),
        interval: row.transcribe.and_then(|spread| spread.interval),
        n: row.transcribe.map_or(0, |spread| spread.count),
        launches: row.launches(),
        start: row.per_launch(|attempt| attempt.start_seconds),
        load: row.per_launch(|attempt| attempt.load_seconds),
        first_segment: row.per_trial(|sample| sample.first_segment_seconds),
        cpu: row.per_trial(|sample| sample.cpu_seconds),
        peak: row.peak_rss_bytes(),
        notes: notes(row).into_iter().map(|note| note.text).collect(),
    }
}

fn table<Row>(record: &RunRecord, columns: &[Column<Row>], rows: &[Row]) -> TableView {
    TableView {
        header: columns
            .iter()
            .map(|c| (c.name.clone(), c.definition.clone()))
            .collect(),
        rows: rows
            .iter()
            .take(MOST_ROWS)
            .map(|row| {
                columns
                    .iter()
                    .map(|column| match (column.fill)(record, row) {
                        Cell::Text(text) => text,
                        other => other.to_csv(),
                    })
                    .collect()
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_typed_again() {
        let arguments = ["earmark", "run", "my matrix.yaml", "it's", ""].map(String::from);
        assert_eq!(
            shell_line(&arguments),
            r"earmark run 'my matrix.yaml' 'it'\''s' ''"
        );
    }
}
