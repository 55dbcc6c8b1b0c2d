//! The page: one file, no network, no script, from a template that escapes everything.

use super::cell::Cell;
use super::result_columns::result_columns;
use super::rows::{ResultRow, result_rows};
use super::table_columns::job_columns;
use crate::model::units::{show_bytes, show_seconds};
use crate::model::{JobKind, MachineFacts, Outcome};
use crate::record::RunRecord;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

/// The page's template. Its name ends in `.html.j2`, which turns escaping on.
const TEMPLATE: (&str, &str) = (
    "report.html.j2",
    include_str!("../../reports/templates/report.html.j2"),
);

/// Why the page could not be made: a fault of the template.
#[derive(Debug, thiserror::Error)]
#[error("the page could not be made: {0:#}")]
pub struct HtmlError(#[from] minijinja::Error);

/// Everything that the template gets.
#[derive(Serialize)]
struct PageView<'a> {
    record: RunView<'a>,
    machine: &'a MachineFacts,
    answer: String,
    failures: Vec<&'a RowView>,
    rows: &'a [RowView],
    checks: Vec<CheckView>,
    jobs: TableView,
    results: TableView,
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
    version: &'a str,
    build_profile: &'a str,
    plan_digest: &'a str,
    seed: u64,
    matrix_text: &'a str,
}

#[derive(Serialize)]
struct RowView {
    configuration: String,
    backend: String,
    model: String,
    audio: String,
    status: &'static str,
    synthetic: bool,
    wer: Option<f64>,
    rtfx: Option<f64>,
    median: Option<f64>,
    interval: Option<(f64, f64)>,
    n: usize,
    load: Option<f64>,
    peak: Option<u64>,
    error: String,
    log_tail: String,
    hypothesis: Option<String>,
    references: Vec<String>,
}

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
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    environment.add_filter("seconds", |value: Value| {
        f64::try_from(value).map_or_else(|_| "–".to_owned(), show_seconds)
    });
    environment.add_filter("bytes", |value: Value| {
        u64::try_from(value).map_or_else(|_| "–".to_owned(), show_bytes)
    });
    environment.add_filter("percent", |value: Value| {
        f64::try_from(value).map_or_else(
            |_| "–".to_owned(),
            |share| format!("{:.1} %", share * 100.0),
        )
    });
    environment.add_filter("times", |value: Value| {
        f64::try_from(value).map_or_else(|_| "–".to_owned(), |ratio| format!("{ratio:.1} ×"))
    });
    environment.add_template(TEMPLATE.0, TEMPLATE.1)?;
    let rows = result_rows(record);
    let views: Vec<RowView> = rows.iter().map(|row| view(record, row)).collect();
    let page = PageView {
        record: RunView {
            run_id: &record.run_id,
            name: &record.plan.name,
            description: &record.plan.description,
            started_at: &record.started_at,
            seconds: record.seconds,
            interrupted: record.interrupted,
            command_line: record.command_line.join(" "),
            version: &record.earmark_version,
            build_profile: &record.build_profile,
            plan_digest: &record.plan.digest,
            seed: record.plan.seed,
            matrix_text: &record.plan.matrix_text,
        },
        machine: &record.machine,
        answer: answer(record, &rows),
        failures: views
            .iter()
            .filter(|row| row.status != "completed")
            .collect(),
        rows: &views,
        checks: checks(record),
        jobs: table(record, &job_columns(), &record.plan.jobs),
        results: table(record, &result_columns(&rows), &rows),
    };
    let view = Value::from(Serde(page));
    Ok(environment.get_template(TEMPLATE.0)?.render(view)?)
}

/// The answer in a sentence: the fastest row among the most accurate.
fn answer(record: &RunRecord, rows: &[ResultRow<'_>]) -> String {
    let measured: Vec<(&ResultRow<'_>, f64, f64)> = rows
        .iter()
        .filter(|row| row.status() == "completed" && !is_synthetic(record, row))
        .filter_map(|row| Some((row, row.rtfx?, row.score?.rates.wer)))
        .collect();
    let Some(best) = measured.iter().map(|row| row.2).min_by(f64::total_cmp) else {
        return "No row was measured with a reference to compare with.".into();
    };
    let fastest = measured
        .iter()
        .filter(|row| row.2 <= best + 1e-12)
        .max_by(|left, right| left.1.total_cmp(&right.1));
    fastest.map_or_else(String::new, |(row, rtfx, wer)| {
        format!(
            "Fastest among the most accurate (WER {:.1} %): {} at {rtfx:.1} × real time.",
            wer * 100.0,
            configuration(row)
        )
    })
}

fn is_synthetic(record: &RunRecord, row: &ResultRow<'_>) -> bool {
    record
        .plan
        .engines
        .get(&row.spec.backend)
        .is_some_and(|engine| engine.synthetic)
}

fn configuration(row: &ResultRow<'_>) -> String {
    let mut parts = vec![row.spec.backend.clone(), row.spec.model.clone()];
    if !row.spec.quantization.is_empty() {
        parts.push(row.spec.quantization.clone());
    }
    parts.push(row.spec.audio.clone());
    parts.extend(
        row.spec
            .settings
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    parts.join(" · ")
}

fn view(record: &RunRecord, row: &ResultRow<'_>) -> RowView {
    let references = record.plan.audio.get(&row.spec.audio).map(|audio| {
        audio
            .utterances
            .iter()
            .filter_map(|utterance| utterance.reference.clone())
            .collect()
    });
    RowView {
        configuration: configuration(row),
        backend: row.spec.backend.clone(),
        model: row.spec.model.clone(),
        audio: row.spec.audio.clone(),
        status: row.status(),
        synthetic: is_synthetic(record, row),
        wer: row.score.map(|score| score.rates.wer),
        rtfx: row.rtfx,
        median: row.transcribe.map(|spread| spread.median),
        interval: row
            .transcribe
            .and_then(|spread| spread.interval)
            .map(|i| (i.0, i.1)),
        n: row.transcribe.map_or(0, |spread| spread.count),
        load: row.per_launch(|attempt| attempt.load_seconds),
        peak: row
            .attempts()
            .iter()
            .filter_map(|a| a.usage.as_ref()?.peak_rss_bytes)
            .max(),
        error: row.outcome().map(Outcome::reason).unwrap_or_default(),
        log_tail: row
            .attempts()
            .last()
            .map(|a| a.stderr_tail.clone())
            .unwrap_or_default(),
        hypothesis: row.hypothesis.clone(),
        references: references.unwrap_or_default(),
    }
}

#[derive(Serialize)]
struct CheckView {
    job: String,
    verdict: String,
    status: String,
    reason: String,
    seconds: f64,
}

/// Verifies and downloads with what came of them.
fn checks(record: &RunRecord) -> Vec<CheckView> {
    record
        .plan
        .jobs
        .iter()
        .filter(|job| job.kind != JobKind::Benchmark)
        .map(|job| {
            let found = record.job(&job.id);
            let finding = found.and_then(|found| found.finding.as_ref());
            let outcome = found.and_then(|found| found.outcome.as_ref());
            let reason = finding
                .map(|f| f.reason.clone())
                .filter(|reason| !reason.is_empty());
            CheckView {
                job: job.spec.slug(),
                verdict: finding
                    .map_or("", |finding| finding.verdict.word())
                    .to_owned(),
                status: outcome.map_or("not-run", Outcome::status).to_owned(),
                reason: reason
                    .or_else(|| outcome.map(Outcome::reason))
                    .unwrap_or_default(),
                seconds: found.map_or(0.0, |found| found.seconds),
            }
        })
        .collect()
}

fn table<Row>(
    record: &RunRecord,
    columns: &[super::columns::Column<Row>],
    rows: &[Row],
) -> TableView {
    TableView {
        header: columns
            .iter()
            .map(|c| (c.name.clone(), c.definition.clone()))
            .collect(),
        rows: rows
            .iter()
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
