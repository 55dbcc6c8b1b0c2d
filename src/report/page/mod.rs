//! The page: one file, no network, from templates that escape everything. It is whole without its
//! script, which only sorts, filters and groups what is there.
//!
//! What the page shows is computed here, part by part; the templates only lay it out.

mod answer;
mod axes;
mod benchmarks;
mod changes;
mod chart;
mod checks;
mod clips;
mod groups;
mod heat_map;
mod machine_map;
mod machines;
mod own;
mod policy;
mod scale;
mod shown_text;
mod stages;
mod strip;
mod templates;
mod timeline;
mod troubles;
mod trust;

use super::cell::Cell;
use super::columns::Column;
use super::configuration::Labels;
use super::job_columns::{job_columns, job_rows};
use super::machine_names::MachineNames;
use super::result_columns::result_columns;
use super::rows::result_rows;
use super::run_history::RunHistory;
use super::summary::{SummaryRow, summary_rows};
use super::summary_columns::summary_columns;
use crate::model::{Isolation, RepositoryFacts};
use crate::record::RunRecord;
use answer::Answer;
use benchmarks::BenchmarksView;
use changes::ChangesView;
use checks::{CheckView, MethodView};
use clips::ClipsView;
use groups::GroupsView;
use heat_map::HeatMapView;
use machine_map::MachineMapView;
use machines::{CommandView, MachineView, SessionView};
use schemars::JsonSchema;
use serde::Serialize;
use timeline::TimelineView;
use troubles::TroublesView;
use trust::TrustView;

pub use own::{HtmlError, PageTemplates};
pub(crate) use templates::write_escaped;

/// How many rows of a table of text the page shows: what nobody can read on a page stands in the CSV
/// files beside it.
const MOST_ROWS: usize = 500;

/// How many rows the tables of configurations and of benchmarks show: as many as a browser sorts
/// without a stall.
const MOST_TABLE_ROWS: usize = 2500;

/// How many configurations are shown with their stages and their memory.
const MOST_STAGES: usize = 200;

/// Everything that a template gets.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "View of a report's template")]
pub(crate) struct PageView<'a> {
    /// The most rows of the tables of configurations and of benchmarks.
    most_table_rows: usize,
    /// The most rows of all other tables.
    most_rows: usize,
    /// The most configurations with stages and memory.
    most_stages: usize,
    /// Whether some table is cut.
    cut: bool,
    record: RunView<'a>,
    /// The command lines of the sessions, each once.
    commands: Vec<CommandView>,
    machines: Vec<MachineView<'a>>,
    /// Empty if there is nothing to tell of them.
    sessions: Vec<SessionView<'a>>,
    /// The answer for each group.
    answers: Vec<Answer>,
    /// What all configurations have in common.
    common: Vec<PairView>,
    /// Configurations side by side.
    groups: GroupsView,
    /// An error rate and a speed for each pair of values of two axes.
    heat_maps: Vec<HeatMapView>,
    /// Configurations by machine; empty where there is one machine.
    machine_maps: Vec<MachineMapView>,
    /// The benchmark jobs.
    benchmarks: BenchmarksView,
    /// What did not go as planned.
    troubles: TroublesView,
    /// What earlier runs say of this one; null if it was put into no history.
    changes: Option<ChangesView<'a>>,
    clips: ClipsView,
    /// Null if no verdict was about an engine that is more than a stand-in.
    trust: Option<TrustView>,
    /// Verifies and downloads, one by one.
    checks: Vec<CheckView>,
    /// Verifies by method.
    methods: Vec<MethodView>,
    /// The timeline for wide and for narrow screens; empty if nothing was begun.
    timelines: Vec<TimelineView>,
    /// `jobs.csv`, its first rows.
    jobs: TableView,
    /// `results.csv`, its first rows.
    results: TableView,
    /// `summary.csv`, its first rows.
    summary: TableView,
}

/// A run.
#[derive(Serialize, JsonSchema)]
struct RunView<'a> {
    run_id: &'a str,
    /// The matrix's name.
    name: &'a str,
    /// What the matrix asks.
    description: &'a str,
    /// Date and time of its start, UTC.
    started_at: &'a str,
    /// Seconds it took; null if it did not end in order.
    seconds: Option<f64>,
    interrupted: bool,
    plan_digest: &'a str,
    /// How long an engine's process lives: `job` or `model`.
    isolation: Isolation,
    seed: u64,
    matrix_text: &'a str,
    /// The repository that the matrix lay in when the run began; null if it lay in none.
    repository: Option<&'a RepositoryFacts>,
}

/// A name with its value.
#[derive(Serialize, JsonSchema)]
struct PairView {
    name: String,
    value: String,
}

/// An interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
struct IntervalView {
    low: f64,
    high: f64,
    /// The coverage that it reaches, from 0 to 1.
    coverage: f64,
}

impl From<(f64, f64, f64)> for IntervalView {
    fn from((low, high, coverage): (f64, f64, f64)) -> Self {
        Self {
            low,
            high,
            coverage,
        }
    }
}

/// A table as its CSV has it.
#[derive(Serialize, JsonSchema)]
struct TableView {
    /// The columns.
    header: Vec<HeadView>,
    /// The cells as text, row by row.
    rows: Vec<Vec<String>>,
}

/// The head of a column.
#[derive(Serialize, JsonSchema)]
struct HeadView {
    name: String,
    /// What the column holds.
    definition: String,
}

/// Renders the page with the built-in templates, and nothing of earlier runs.
///
/// # Errors
///
/// Fails if a template is wrong.
pub fn render_html(record: &RunRecord) -> Result<String, HtmlError> {
    PageTemplates::default().render(record, None)
}

/// Returns what a template gets.
fn view<'a>(record: &'a RunRecord, history: Option<&'a RunHistory>) -> PageView<'a> {
    let rows = result_rows(record);
    let summaries = summary_rows(record, &rows);
    let labels = Labels::of(&rows);
    let mut groups = groups::groups(record, &summaries, &labels);
    let answers = answer::answers(record, &groups.groups);
    let mut left = MOST_TABLE_ROWS;
    for group in &mut groups.groups {
        group.rows.truncate(left);
        left -= group.rows.len();
    }
    let mut benchmarks = benchmarks::benchmarks(record, &rows, &labels);
    let heat_maps = heat_map::heat_maps(&benchmarks.axes, &benchmarks.rows);
    benchmarks.rows.truncate(MOST_TABLE_ROWS);
    let common = labels.common().into_iter();
    PageView {
        most_table_rows: MOST_TABLE_ROWS,
        most_rows: MOST_ROWS,
        most_stages: MOST_STAGES,
        cut: record.plan.jobs.len() > MOST_ROWS,
        record: RunView {
            run_id: &record.run_id,
            name: &record.plan.name,
            description: &record.plan.description,
            started_at: &record.started_at,
            seconds: record.seconds,
            interrupted: record.interrupted,
            plan_digest: &record.plan.digest,
            isolation: record.plan.isolation,
            seed: record.plan.seed,
            matrix_text: &record.plan.matrix_text,
            repository: record
                .sessions
                .first()
                .and_then(|session| session.repository.as_ref()),
        },
        commands: machines::commands(record),
        machines: machines::machines(record, &rows),
        sessions: machines::sessions(record),
        answers,
        common: common
            .map(|(name, value)| PairView {
                name: name.to_owned(),
                value: value.to_owned(),
            })
            .collect(),
        groups,
        heat_maps,
        machine_maps: machine_map::machine_maps(
            record,
            &summaries,
            &labels,
            &MachineNames::of(record),
        ),
        benchmarks,
        troubles: troubles::troubles(record),
        changes: history.map(changes::changes),
        clips: clips::clips(record, &rows, &labels),
        trust: trust::trust(record),
        checks: checks::checks(record),
        methods: checks::methods(record),
        timelines: timeline::timelines(record),
        jobs: table(record, &job_columns(), &job_rows(record)),
        results: table(record, &result_columns(&rows), &rows),
        summary: table(record, &summary_columns(&rows, &summaries), &summaries),
    }
}

/// Returns the answers of the page: the group, if there are several, the answer, and what it rests
/// on.
pub(super) fn answers_in_words(
    record: &RunRecord,
    summaries: &[SummaryRow<'_>],
    labels: &Labels,
) -> Vec<(String, String, String)> {
    let groups = groups::groups(record, summaries, labels);
    answer::answers(record, &groups.groups)
        .into_iter()
        .map(|answer| (answer.title, answer.sentence, answer.detail))
        .collect()
}

/// Whether an engine is a stand-in, so that nothing of it is a measurement.
pub(super) fn is_synthetic(record: &RunRecord, backend: &str) -> bool {
    record
        .plan
        .engines
        .get(backend)
        .is_some_and(|engine| engine.synthetic)
}

fn table<Row>(record: &RunRecord, columns: &[Column<Row>], rows: &[Row]) -> TableView {
    TableView {
        header: columns
            .iter()
            .map(|column| HeadView {
                name: column.name.clone(),
                definition: column.definition.clone(),
            })
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
