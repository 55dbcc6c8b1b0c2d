//! What the pages of the site show.

use super::chart::{Chart, LARGE, SMALL, describe, is_worse};
use crate::history::entry::short_digest;
use crate::history::{ChangePoint, ListedRun, Metric, Series, Trend, Watch, changes_of};
use crate::model::units::show_seconds;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// So many changes the first page tells.
const CHANGES: usize = 20;

/// So many runs a job's table lists.
const LISTED: usize = 60;

/// Engine and model on a machine: what has a page.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Group {
    pub(super) page: String,
    machine: String,
    host: String,
    backend: String,
    model: String,
    jobs: Vec<JobView>,
}

/// A job on a machine.
#[derive(Clone, Debug, Serialize)]
struct JobView {
    anchor: String,
    id: String,
    /// The id without engine, model and digest.
    name: String,
    synthetic: bool,
    status: String,
    newest: String,
    metrics: Vec<MetricView>,
    /// The small drawings of the first page.
    overview: Vec<MetricView>,
    nights: Vec<NightView>,
    more_nights: usize,
}

#[derive(Clone, Debug, Serialize)]
struct MetricView {
    title: &'static str,
    column: &'static str,
    newest: String,
    least: String,
    largest: String,
    first_day: String,
    last_day: String,
    /// For who does not see the drawing.
    label: String,
    chart: Chart,
    changes: Vec<ChangeView>,
}

/// A change of a job.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ChangeView {
    text: String,
    worse: bool,
    since: String,
    job: String,
    host: String,
    target: String,
    synthetic: bool,
}

#[derive(Clone, Debug, Serialize)]
struct NightView {
    started: String,
    run_id: String,
    status: String,
    version: String,
    values: Vec<String>,
    report: Option<String>,
}

/// A run of the list.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RunView {
    started: String,
    name: String,
    run_id: String,
    machines: String,
    took: String,
    outcomes: String,
    commit: String,
    synthetic: bool,
    report: Option<String>,
}

/// Returns a date and time in UTC as people read it, to the minute.
pub(super) fn minute(stamp: &str) -> String {
    stamp.chars().take(16).collect::<String>().replace('T', " ")
}

fn day(stamp: &str) -> String {
    stamp.chars().take(10).collect()
}

fn report_of(key: &str, reports: &BTreeSet<String>) -> Option<String> {
    reports.contains(key).then(|| format!("reports/{key}.html"))
}

/// Returns the groups, by machine, engine and model.
pub(super) fn groups(trends: &[Trend], watch: &Watch, reports: &BTreeSet<String>) -> Vec<Group> {
    let mut together: BTreeMap<(&str, &str, &str, &str), Vec<&Trend>> = BTreeMap::new();
    for trend in trends {
        let row = &trend.newest().row;
        together
            .entry((&trend.host, &trend.machine, &row.backend, &row.model))
            .or_default()
            .push(trend);
    }
    together
        .into_par_iter()
        .map(|((host, machine, backend, model), trends)| {
            let page = format!(
                "{}.html",
                short_digest(&format!("{machine}\n{backend}\n{model}"))
            );
            Group {
                jobs: trends
                    .iter()
                    .map(|trend| job(trend, watch, reports, &page))
                    .collect(),
                page,
                machine: machine.into(),
                host: host.into(),
                backend: backend.into(),
                model: model.into(),
            }
        })
        .collect()
}

fn job(trend: &Trend, watch: &Watch, reports: &BTreeSet<String>, page: &str) -> JobView {
    let anchor = format!("j{}", short_digest(&trend.job));
    let target = format!("{page}#{anchor}");
    let newest = trend.newest();
    let (mut metrics, mut overview) = (Vec::new(), Vec::new());
    for metric in Metric::ALL {
        let series = trend.series(metric);
        if series.values.is_empty() {
            continue;
        }
        let least = watch.metrics.get(&metric).copied();
        let least = least.unwrap_or_else(|| metric.least());
        let points = changes_of(metric, &series.values, &watch.search, &least);
        if matches!(metric, Metric::Seconds | Metric::Wer) {
            let chart = Chart::of(trend, metric, &series, &points, SMALL);
            overview.push(metric_view(
                trend,
                metric,
                &series,
                &points,
                (chart, &target),
            ));
        }
        let chart = Chart::of(trend, metric, &series, &points, LARGE);
        metrics.push(metric_view(
            trend,
            metric,
            &series,
            &points,
            (chart, &target),
        ));
    }
    let shown = trend.nights.len().min(LISTED);
    let nights = trend
        .nights
        .iter()
        .rev()
        .take(shown)
        .map(|night| NightView {
            started: minute(&night.row.started),
            run_id: night.run_id.clone(),
            status: night.row.status.clone(),
            version: night.row.backend_version.clone().unwrap_or_default(),
            values: Metric::ALL
                .into_iter()
                .filter(|metric| metrics.iter().any(|known| known.column == metric.column()))
                .map(|metric| {
                    let value = night.row.value(metric);
                    value.map_or_else(|| "–".to_owned(), |value| metric.show(value))
                })
                .collect(),
            report: report_of(&night.run, reports),
        });
    JobView {
        nights: nights.collect(),
        more_nights: trend.nights.len() - shown,
        name: name_of(trend),
        anchor,
        id: trend.job.clone(),
        synthetic: trend.is_synthetic(),
        status: newest.row.status.clone(),
        newest: minute(&newest.row.started),
        metrics,
        overview,
    }
}

/// Returns a job's id without what its group says already, and without its digest.
fn name_of(trend: &Trend) -> String {
    let parts: Vec<&str> = trend.job.split('/').collect();
    match parts.as_slice() {
        [_, _, _, middle @ .., _] if !middle.is_empty() => middle.join(" / "),
        _ => trend.job.clone(),
    }
}

fn metric_view(
    trend: &Trend,
    metric: Metric,
    series: &Series,
    points: &[ChangePoint],
    (chart, target): (Chart, &str),
) -> MetricView {
    let extreme = |pick: fn(f64, f64) -> f64| {
        let value = series.values.iter().copied().reduce(pick);
        value.map(|value| metric.show(value)).unwrap_or_default()
    };
    let night = |position: Option<&usize>| {
        let night = position.map(|position| &trend.nights[*position]);
        night
            .map(|night| day(&night.row.started))
            .unwrap_or_default()
    };
    let newest = series.values.last().map(|value| metric.show(*value));
    let newest = newest.unwrap_or_default();
    let changes: Vec<ChangeView> = points
        .iter()
        .map(|point| ChangeView {
            text: describe(trend, metric, series, point),
            worse: is_worse(metric, point),
            since: trend.nights[series.nights[point.position]]
                .row
                .started
                .clone(),
            job: trend.job.clone(),
            host: trend.host.clone(),
            target: target.into(),
            synthetic: trend.is_synthetic(),
        })
        .collect();
    let mut label = format!(
        "{} over {} runs: newest {newest}",
        metric.title(),
        series.values.len()
    );
    for change in &changes {
        label.push_str(&format!("; {}", change.text));
    }
    MetricView {
        title: metric.title(),
        column: metric.column(),
        newest,
        least: extreme(f64::min),
        largest: extreme(f64::max),
        first_day: night(series.nights.first()),
        last_day: night(series.nights.last()),
        label,
        chart,
        changes,
    }
}

/// Returns the changes that are told on the first page, the newest first. Those of numbers that follow
/// from others are left out.
pub(super) fn recent_changes(groups: &[Group]) -> Vec<ChangeView> {
    let watched = |view: &&MetricView| {
        Metric::WATCHED
            .iter()
            .any(|metric| metric.column() == view.column)
    };
    let mut changes: Vec<ChangeView> = groups
        .iter()
        .flat_map(|group| &group.jobs)
        .flat_map(|job| job.metrics.iter().filter(watched))
        .flat_map(|metric| metric.changes.iter().cloned())
        .collect();
    changes.sort_by(|one, other| other.since.cmp(&one.since));
    changes.truncate(CHANGES);
    changes
}

/// Returns the list of runs, the newest first.
pub(super) fn listed_runs(runs: &[ListedRun], reports: &BTreeSet<String>) -> Vec<RunView> {
    runs.iter()
        .map(|run| {
            let hosts: Vec<&str> = run.machines.iter().map(|m| m.host.as_str()).collect();
            let outcomes: Vec<String> = run
                .outcomes
                .iter()
                .map(|(status, number)| format!("{number} {status}"))
                .collect();
            RunView {
                started: minute(&run.started),
                name: run.name.clone(),
                run_id: run.run_id.clone(),
                machines: hosts.join(", "),
                took: run
                    .seconds
                    .map_or_else(|| "did not end".into(), show_seconds),
                outcomes: outcomes.join(", "),
                commit: run
                    .git_commit
                    .as_ref()
                    .map(|commit| commit.chars().take(12).collect())
                    .unwrap_or_default(),
                synthetic: run.synthetic,
                report: report_of(&run.key, reports),
            }
        })
        .collect()
}
