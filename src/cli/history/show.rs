//! `earmark history show`: the trend of jobs, each machine apart.

use super::arguments::{ShowArguments, ShowFormat};
use super::list::minute;
use super::{select, watch_of, with};
use crate::cli::exit::{ExitStatus, Failure, print};
use crate::history::{
    ChangePoint, Metric, Series, Trend, TrendQuery, Watch, changes_of, sparkline,
};
use crate::report::Cell;
use crate::ui::{Table, printable};
use serde_json::{Value, json};

/// So many runs a table shows, where nobody says another number.
const SHOWN: usize = 20;

/// One number of a trend with its change points.
struct Line {
    metric: Metric,
    series: Series,
    points: Vec<ChangePoint>,
}

impl Line {
    fn of(trend: &Trend, metric: Metric, watch: &Watch) -> Self {
        let series = trend.series(metric);
        let least = watch.metrics.get(&metric).copied();
        let least = least.unwrap_or_else(|| metric.least());
        Self {
            metric,
            points: changes_of(metric, &series.values, &watch.search, &least),
            series,
        }
    }

    /// Returns the change point that a night is the first of.
    fn change_at(&self, night: usize) -> Option<&ChangePoint> {
        let position = self
            .series
            .nights
            .iter()
            .position(|known| *known == night)?;
        self.points.iter().find(|point| point.position == position)
    }
}

pub(super) fn run(arguments: &ShowArguments) -> Result<ExitStatus, Failure> {
    let known = with(&arguments.place, |history| history.jobs())?;
    if known.is_empty() {
        return Err(Failure::Usage(
            "no run is known yet; `earmark run` puts each there, `earmark history rebuild FOLDER` older \
             ones"
                .into(),
        ));
    }
    let jobs = select::select(&arguments.jobs, &known)?;
    let query = TrendQuery {
        jobs: Some(jobs),
        ..TrendQuery::default()
    };
    let mut trends = with(&arguments.place, |history| history.trends(&query))?;
    if let Some(machine) = &arguments.machine {
        trends.retain(|trend| trend.machine == *machine || trend.host == *machine);
    }
    if trends.is_empty() {
        return Err(Failure::Usage(
            "nothing of that was measured, on the machine that is named; `earmark history --format json` \
             lists machines"
                .into(),
        ));
    }
    let watch = watch_of(&arguments.looking);
    match arguments.format {
        ShowFormat::Table => {
            let texts: Vec<String> = trends
                .iter()
                .map(|trend| table(trend, arguments, &watch))
                .collect();
            print(&texts.join("\n"))?;
        }
        ShowFormat::Json => {
            let series: Vec<Value> = trends
                .iter()
                .flat_map(|trend| series_json(trend, arguments, &watch))
                .collect();
            print(&format!("{:#}\n", json!({"series": series})))?;
        }
        ShowFormat::Csv => print(&csv(&trends, arguments, &watch)?)?,
    }
    Ok(ExitStatus::Success)
}

/// Returns the numbers that are shown, without those that were never measured.
fn lines(trend: &Trend, arguments: &ShowArguments, watch: &Watch) -> Vec<Line> {
    let metrics = if arguments.metric.is_empty() {
        Metric::ALL.to_vec()
    } else {
        arguments.metric.clone()
    };
    metrics
        .into_iter()
        .map(|metric| Line::of(trend, metric, watch))
        .filter(|line| !line.series.values.is_empty())
        .collect()
}

/// Returns the position of the first night that is shown.
fn first_shown(trend: &Trend, limit: Option<usize>) -> usize {
    limit.map_or(0, |limit| trend.nights.len().saturating_sub(limit))
}

fn limit(arguments: &ShowArguments) -> Option<usize> {
    arguments
        .limit
        .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

fn table(trend: &Trend, arguments: &ShowArguments, watch: &Watch) -> String {
    let mut text = format!(
        "{} on {} ({}){}\n",
        trend.job,
        trend.host,
        trend.machine,
        if trend.is_synthetic() {
            ", synthetic: no measurement"
        } else {
            ""
        }
    );
    text = printable(text.trim_end()) + "\n";
    let lines = lines(trend, arguments, watch);
    let mut overview = Table::new(&["number", "newest", "least", "largest", "trend"]);
    for column in 1..4 {
        overview.align_right(column);
    }
    for line in &lines {
        let values = &line.series.values;
        let shown = &values[values.len().saturating_sub(limit(arguments).unwrap_or(60))..];
        let extreme = |pick: fn(f64, f64) -> f64| {
            values
                .iter()
                .copied()
                .reduce(pick)
                .map(|value| line.metric.show(value))
        };
        overview.row([
            line.metric.column().to_owned(),
            values
                .last()
                .map(|value| line.metric.show(*value))
                .unwrap_or_default(),
            extreme(f64::min).unwrap_or_default(),
            extreme(f64::max).unwrap_or_default(),
            sparkline(shown),
        ]);
    }
    text.push_str(&overview.render());
    text.push_str("\n\n");
    let mut header = vec!["started", "run"];
    header.extend(lines.iter().map(|line| line.metric.column()));
    header.extend(["status", "changed"]);
    let mut table = Table::new(&header);
    for column in 0..lines.len() {
        table.align_right(column + 2);
    }
    let first = first_shown(trend, Some(limit(arguments).unwrap_or(SHOWN)));
    for (position, night) in trend.nights.iter().enumerate().skip(first) {
        let mut cells = vec![minute(&night.row.started), night.run_id.clone()];
        cells.extend(lines.iter().map(|line| {
            let value = night.row.value(line.metric);
            value.map_or_else(String::new, |value| line.metric.show(value))
        }));
        cells.push(night.row.status.clone());
        let changes: Vec<String> = lines
            .iter()
            .filter_map(|line| Some((line.metric, line.change_at(position)?)))
            .map(|(metric, point)| {
                let change = metric.show_change(point.before, point.after);
                format!("{} {change}", metric.title())
            })
            .collect();
        cells.push(changes.join(", "));
        table.row(cells);
    }
    text.push_str(&table.render());
    text.push('\n');
    if first > 0 {
        text.push_str(&format!(
            "the newest {} of {} runs; --limit shows more\n",
            trend.nights.len() - first,
            trend.nights.len()
        ));
    }
    text
}

fn series_json(trend: &Trend, arguments: &ShowArguments, watch: &Watch) -> Vec<Value> {
    let first = first_shown(trend, limit(arguments));
    lines(trend, arguments, watch)
        .into_iter()
        .map(|line| {
            let points: Vec<Value> = line
                .series
                .nights
                .iter()
                .zip(&line.series.values)
                .filter(|(night, _)| **night >= first)
                .map(|(night, value)| {
                    let night = &trend.nights[*night];
                    let is_seconds = line.metric == Metric::Seconds;
                    json!({
                        "run_id": night.run_id,
                        "run": night.run,
                        "started": night.row.started,
                        "value": value,
                        "ci_low": night.row.low.filter(|_| is_seconds),
                        "ci_high": night.row.high.filter(|_| is_seconds),
                        "n": night.row.n,
                        "backend_version": night.row.backend_version,
                        "artifact_digest": night.row.artifact_digest,
                        "earmark_version": night.earmark_version,
                        "git_commit": night.git_commit,
                    })
                })
                .collect();
            let changes: Vec<Value> = line
                .points
                .iter()
                .map(|point| {
                    let night = &trend.nights[line.series.nights[point.position]];
                    json!({
                        "run_id": night.run_id,
                        "run": night.run,
                        "since": night.row.started,
                        "before": point.before,
                        "after": point.after,
                        "change": line.metric.show_change(point.before, point.after),
                        "regression": (point.after > point.before) == line.metric.more_is_worse(),
                    })
                })
                .collect();
            json!({
                "job": trend.job,
                "machine": trend.machine,
                "host": trend.host,
                "metric": line.metric.column(),
                "synthetic": trend.is_synthetic(),
                "points": points,
                "change_points": changes,
            })
        })
        .collect()
}

fn csv(trends: &[Trend], arguments: &ShowArguments, watch: &Watch) -> Result<String, Failure> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::Any(b'\n'))
        .from_writer(Vec::new());
    let header = [
        "job_id",
        "machine_id",
        "metric",
        "started",
        "run_id",
        "value",
        "status",
        "synthetic",
        "change_from",
        "change_to",
    ];
    writer.write_record(header).map_err(Failure::internal)?;
    for trend in trends {
        let first = first_shown(trend, limit(arguments));
        for line in lines(trend, arguments, watch) {
            for (position, night) in trend.nights.iter().enumerate().skip(first) {
                let change = line.change_at(position);
                let cells = [
                    Cell::text(trend.job.as_str()),
                    Cell::text(trend.machine.as_str()),
                    Cell::text(line.metric.column()),
                    Cell::text(night.row.started.as_str()),
                    Cell::text(night.run_id.as_str()),
                    Cell::number(night.row.value(line.metric)),
                    Cell::text(night.row.status.as_str()),
                    Cell::Boolean(night.row.synthetic),
                    Cell::number(change.map(|point| point.before)),
                    Cell::number(change.map(|point| point.after)),
                ];
                writer
                    .write_record(cells.iter().map(Cell::to_csv))
                    .map_err(Failure::internal)?;
            }
        }
    }
    let bytes = writer.into_inner().map_err(Failure::internal)?;
    String::from_utf8(bytes).map_err(Failure::internal)
}
