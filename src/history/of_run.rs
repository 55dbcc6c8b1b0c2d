//! What the history has to say of one run: how much it knows of its rows, and what has changed.

use super::database::History;
use super::error::HistoryError;
use super::trends::{Trend, TrendQuery};
use super::watch::{Alert, Watch};
use crate::report::{LevelChange, RunHistory};

/// The most changes that are kept with a run: a run in which everything changed says so by its first
/// few.
const MOST_CHANGES: usize = 500;

/// How many of the newest values of a trend are kept with a change of it.
const MOST_VALUES: usize = 60;

/// How many values before a change are kept at least, where there are so many.
const BEFORE: usize = 10;

impl History {
    /// Returns what is told of a run, by its key, on its page. `alerts` are the change points that were
    /// first seen in it.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub fn of_run(
        &self,
        key: &str,
        watch: &Watch,
        alerts: &[Alert],
    ) -> Result<RunHistory, HistoryError> {
        let trends = self.trends(&TrendQuery {
            run: Some(key.to_owned()),
            ..TrendQuery::default()
        })?;
        let fewest_runs = 2 * watch.search.fewest;
        let mut told = RunHistory {
            version: RunHistory::VERSION,
            rows: 0,
            known_rows: 0,
            watched: watch
                .metrics
                .keys()
                .map(|metric| metric.title().to_owned())
                .collect(),
            trends: 0,
            long_trends: 0,
            fewest_runs,
            significance: watch.search.significance,
            changes: Vec::new(),
            more_changes: 0,
        };
        for trend in &trends {
            let lengths: Vec<usize> = watch
                .metrics
                .keys()
                .map(|metric| trend.series(*metric).values.len())
                .collect();
            let of = |least: usize| lengths.iter().filter(|length| **length >= least).count();
            told.rows += usize::from(of(1) > 0);
            told.known_rows += usize::from(of(2) > 0);
            told.trends += of(2);
            told.long_trends += of(fewest_runs);
        }
        let mut changes: Vec<LevelChange> = alerts
            .iter()
            .filter_map(|alert| {
                let is_of =
                    |trend: &&Trend| trend.machine == alert.machine && trend.job == alert.job;
                change(alert, trends.iter().find(is_of)?)
            })
            .collect();
        changes.sort_by_key(|change| !change.worse);
        told.more_changes = changes.len().saturating_sub(MOST_CHANGES);
        changes.truncate(MOST_CHANGES);
        told.changes = changes;
        Ok(told)
    }
}

/// Returns a change point with the values around it.
fn change(alert: &Alert, trend: &Trend) -> Option<LevelChange> {
    let series = trend.series(alert.metric);
    let position = series
        .nights
        .iter()
        .position(|night| trend.nights[*night].row.origin == alert.first.row.origin)?;
    let newest = series.values.len().saturating_sub(MOST_VALUES);
    let start = newest.min(position.saturating_sub(BEFORE));
    let mut values = series.values;
    values.drain(..start);
    values.truncate(MOST_VALUES);
    Some(LevelChange {
        job: alert.job.clone(),
        machine: alert.machine.clone(),
        host: alert.host.clone(),
        metric: alert.metric.column().to_owned(),
        title: alert.metric.title().to_owned(),
        worse: alert.is_regression(),
        before: alert.before,
        after: alert.after,
        shown_before: alert.metric.show(alert.before),
        shown_after: alert.metric.show(alert.after),
        shown_change: alert.metric.show_change(alert.before, alert.after),
        since_run: alert.first.run_id.clone(),
        since: alert.first.row.started.clone(),
        last_run_before: alert.last.run_id.clone(),
        last_before: alert.last.row.started.clone(),
        changed_there: alert.circumstances(),
        values,
        position: position - start,
        synthetic: alert.synthetic,
    })
}
