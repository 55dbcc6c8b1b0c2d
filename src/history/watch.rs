//! Change points are told once: in the run in which they were first seen.
//!
//! Whether a change point is new is a question about runs, not about calls. Each time a run is put
//! into the history its series are searched, and what is found and was not told before is written down
//! with that run. So asking twice about the same run gives the same answer, and the next run does not
//! tell it again.
//!
//! With each further run the place of a change is known better and may move, and a change that is just
//! significant may come and go. So a change point counts as one that was told if it goes the same way
//! and lies within a few runs of it.
//!
//! A series that was never searched, as after a rebuilding, is first searched as it was some runs ago,
//! then as it was one run later, and so on. What is found at the first look may be of any age: it is told
//! in no run, and taken for seen when it began. What is found after it is told in that run. So nothing that is old is told as new, and a
//! change point of the last runs has the same name wherever only the lines of the history are known.

use super::change_points::{ChangePoint, Search};
use super::database::History;
use super::error::HistoryError;
use super::least::Least;
use super::metric::Metric;
use super::steps::changes_of;
use super::trends::{Night, Series, Trend, TrendQuery};
use rayon::prelude::*;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;

/// By how many runs the place of one and the same change may move.
const SLACK: usize = 5;

/// As it was so many runs ago a series is searched that was never searched.
const LOOKED_BACK: usize = 8;

/// What is looked for, in which numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// How change points are looked for.
    pub search: Search,
    /// The numbers, each with the smallest change of it that matters.
    pub metrics: BTreeMap<Metric, Least>,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            search: Search::default(),
            metrics: Metric::WATCHED
                .into_iter()
                .map(|metric| (metric, metric.least()))
                .collect(),
        }
    }
}

/// A change of level, told.
#[derive(Clone, Debug)]
pub struct Alert {
    /// A short name that stays the same: for the same series and the run at which it was first put.
    pub id: String,
    /// The machine's id.
    pub machine: String,
    /// Its host name.
    pub host: String,
    /// The job.
    pub job: String,
    /// What changed.
    pub metric: Metric,
    /// The level before.
    pub before: f64,
    /// The level after.
    pub after: f64,
    /// The last run of the level before.
    pub last: Night,
    /// The first run of the new level.
    pub first: Night,
    /// The run in which it was first seen, by its key.
    pub seen: String,
    /// When that run measured it, UTC.
    pub seen_started: String,
    /// It is no measurement.
    pub synthetic: bool,
}

impl Alert {
    /// Returns whether it became worse: slower, larger, less accurate.
    #[must_use]
    pub fn is_regression(&self) -> bool {
        (self.after > self.before) == self.metric.more_is_worse()
    }

    /// Returns what else changed between the last run before and the first run after, in words.
    #[must_use]
    pub fn circumstances(&self) -> Vec<String> {
        let (last, first) = (&self.last, &self.first);
        let mut words = Vec::new();
        let mut compare = |what: &str, before: Option<&str>, after: Option<&str>| {
            if before != after && before.is_some() && after.is_some() {
                let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
                words.push(format!("{what}: {before} → {after}"));
            }
        };
        let (before, after) = (&last.row, &first.row);
        compare(
            "engine's version",
            before.backend_version.as_deref(),
            after.backend_version.as_deref(),
        );
        let digest = |digest: &Option<String>| {
            let digest = digest.as_ref()?;
            Some(digest.chars().take(12).collect::<String>())
        };
        compare(
            "digest of the weights",
            digest(&before.artifact_digest).as_deref(),
            digest(&after.artifact_digest).as_deref(),
        );
        compare(
            "Earmark",
            Some(&last.earmark_version),
            Some(&first.earmark_version),
        );
        compare(
            "commit",
            digest(&last.git_commit).as_deref(),
            digest(&first.git_commit).as_deref(),
        );
        words
    }
}

/// Which change points are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// First seen in this run, by its key.
    In(String),
    /// First seen in the newest run of each machine.
    Newest,
    /// First seen in a run that measured it at this time or later, UTC.
    Since(String),
}

/// A change point as it was written down.
struct Told {
    origin: String,
    is_up: bool,
    seen: String,
    seen_started: String,
    before: f64,
    after: f64,
    holds: bool,
}

/// What a search of a series came to.
struct Searched<'a> {
    trend: &'a Trend,
    metric: Metric,
    told: Vec<Told>,
    newest: String,
}

impl History {
    /// Searches the series that were not searched since they have grown.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read or written.
    pub fn look(&mut self, watch: &Watch, query: &TrendQuery) -> Result<(), HistoryError> {
        let trends = self.trends(query)?;
        let path = self.path.clone();
        let failed = HistoryError::database(&path);
        let mut open = Vec::new();
        for trend in &trends {
            for (metric, least) in &watch.metrics {
                let series = trend.series(*metric);
                let Some(last) = series.nights.last() else {
                    continue;
                };
                let newest = &trend.nights[*last].row.origin;
                let search = name_of(&watch.search, least);
                let watched =
                    watched(&self.connection, &search, trend, *metric).map_err(&failed)?;
                if watched.as_ref() == Some(newest) {
                    continue;
                }
                let told = told_of(&self.connection, &search, trend, *metric).map_err(&failed)?;
                open.push((trend, *metric, *least, series, watched, told));
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        let searched: Vec<Searched<'_>> = open
            .into_par_iter()
            .map(|(trend, metric, least, series, watched, told)| {
                let newest = series
                    .nights
                    .last()
                    .map(|night| trend.nights[*night].row.origin.clone());
                Searched {
                    told: catch_up(trend, &series, watched.as_deref(), told, |values| {
                        changes_of(metric, values, &watch.search, &least)
                    }),
                    trend,
                    metric,
                    newest: newest.unwrap_or_default(),
                }
            })
            .collect();
        let transaction = self.write()?;
        for searched in &searched {
            let least = watch.metrics[&searched.metric];
            write(&transaction, &name_of(&watch.search, &least), searched).map_err(&failed)?;
        }
        transaction.commit().map_err(failed)
    }

    /// Returns change points that still stand, by when they were first seen. Series that have grown
    /// are searched before.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read or written.
    pub fn alerts(&mut self, watch: &Watch, seen: &Seen) -> Result<Vec<Alert>, HistoryError> {
        let query = TrendQuery {
            run: match seen {
                Seen::In(key) => Some(key.clone()),
                _ => None,
            },
            ..TrendQuery::default()
        };
        self.look(watch, &query)?;
        let trends = self.trends(&query)?;
        let newest = newest_of_machines(&trends);
        let failed = HistoryError::database(&self.path);
        let mut alerts = Vec::new();
        for trend in &trends {
            for (metric, least) in &watch.metrics {
                let search = name_of(&watch.search, least);
                let told = told_of(&self.connection, &search, trend, *metric).map_err(&failed)?;
                let wanted = told.into_iter().filter(|told| {
                    told.holds
                        && match seen {
                            Seen::In(key) => told.seen == *key || self.is_part(key, &told.seen),
                            Seen::Newest => {
                                newest.get(trend.machine.as_str()) == Some(&told.seen.as_str())
                            }
                            Seen::Since(since) => told.seen_started >= *since,
                        }
                });
                alerts.extend(wanted.filter_map(|told| alert(trend, *metric, told)));
            }
        }
        Ok(alerts)
    }

    /// Whether a run holds what another one measured: a merge.
    fn is_part(&self, key: &str, origin: &str) -> bool {
        let found = self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM rows WHERE run = (SELECT id FROM runs WHERE key = ?1)
                            AND origin = ?2)",
            [key, origin],
            |row| row.get(0),
        );
        found.unwrap_or(false)
    }
}

/// Returns the run of each machine that measured last, by its key.
fn newest_of_machines(trends: &[Trend]) -> BTreeMap<&str, &str> {
    let mut newest: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for trend in trends {
        let row = &trend.newest().row;
        let known = newest.entry(&row.machine).or_default();
        *known = (*known).max((&row.started, &row.origin));
    }
    newest
        .into_iter()
        .map(|(machine, (_, origin))| (machine, origin))
        .collect()
}

/// Searches a series as it was after each run that was not looked at yet.
fn catch_up(
    trend: &Trend,
    series: &Series,
    watched: Option<&str>,
    mut told: Vec<Told>,
    search: impl Fn(&[f64]) -> Vec<ChangePoint>,
) -> Vec<Told> {
    let origin = |position: usize| &trend.nights[series.nights[position]].row.origin;
    let length = series.values.len();
    let place = |wanted: &str| (0..length).find(|position| origin(*position) == wanted);
    let after_watched = watched.and_then(place).map(|position| position + 2);
    let looked_back = length.saturating_sub(LOOKED_BACK).max(1);
    let first = after_watched.unwrap_or(0).max(looked_back);
    for end in first..=length {
        let row = &trend.nights[series.nights[end - 1]].row;
        let is_of_any_age = after_watched.is_none() && end == first && end > 1;
        for one in &mut told {
            one.holds = false;
        }
        for point in search(&series.values[..end]) {
            let is_up = point.after > point.before;
            // Each that was told is at most one of those that are found.
            let known = told
                .iter_mut()
                .filter(|one| one.is_up == is_up && !one.holds)
                .filter_map(|one| Some((place(&one.origin)?.abs_diff(point.position), one)))
                .filter(|(distance, _)| *distance <= SLACK)
                .min_by_key(|(distance, _)| *distance);
            if let Some((_, known)) = known {
                known.holds = true;
                known.before = point.before;
                known.after = point.after;
            } else {
                told.push(Told {
                    origin: origin(point.position).clone(),
                    is_up,
                    seen: if is_of_any_age {
                        String::new()
                    } else {
                        row.origin.clone()
                    },
                    seen_started: if is_of_any_age {
                        trend.nights[series.nights[point.position]]
                            .row
                            .started
                            .clone()
                    } else {
                        row.started.clone()
                    },
                    before: point.before,
                    after: point.after,
                    holds: true,
                });
            }
        }
    }
    told
}

fn alert(trend: &Trend, metric: Metric, told: Told) -> Option<Alert> {
    let series = trend.series(metric);
    let nights: Vec<&Night> = series
        .nights
        .iter()
        .map(|night| &trend.nights[*night])
        .collect();
    let position = nights
        .iter()
        .position(|night| night.row.origin == told.origin)?;
    Some(Alert {
        id: super::entry::short_digest(&format!(
            "{}\n{}\n{metric}\n{}\n{}",
            trend.machine, trend.job, told.origin, told.is_up
        )),
        machine: trend.machine.clone(),
        host: trend.host.clone(),
        job: trend.job.clone(),
        metric,
        before: told.before,
        after: told.after,
        last: (*nights.get(position.checked_sub(1)?)?).clone(),
        first: (*nights.get(position)?).clone(),
        seen: told.seen,
        seen_started: told.seen_started,
        synthetic: trend.is_synthetic(),
    })
}

/// Returns what a search is known by in the database: another one has told other things.
fn name_of(search: &Search, least: &Least) -> String {
    format!(
        "{} {} {} {}",
        search.significance, search.fewest, least.relative, least.absolute
    )
}

fn watched(
    connection: &Connection,
    search: &str,
    trend: &Trend,
    metric: Metric,
) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached(
            "SELECT origin FROM watched
             WHERE search = ?1 AND machine = ?2 AND job = ?3 AND metric = ?4",
        )?
        .query_row(
            params![search, trend.machine, trend.job_number, metric.column()],
            |row| row.get(0),
        )
        .optional()
}

fn told_of(
    connection: &Connection,
    search: &str,
    trend: &Trend,
    metric: Metric,
) -> rusqlite::Result<Vec<Told>> {
    connection
        .prepare_cached(
            "SELECT origin, is_up, seen, seen_started, before, after, holds FROM told
             WHERE search = ?1 AND machine = ?2 AND job = ?3 AND metric = ?4
             ORDER BY seen_started, origin",
        )?
        .query_map(
            params![search, trend.machine, trend.job_number, metric.column()],
            |row| {
                Ok(Told {
                    origin: row.get(0)?,
                    is_up: row.get(1)?,
                    seen: row.get(2)?,
                    seen_started: row.get(3)?,
                    before: row.get(4)?,
                    after: row.get(5)?,
                    holds: row.get(6)?,
                })
            },
        )?
        .collect()
}

fn write(connection: &Connection, search: &str, searched: &Searched<'_>) -> rusqlite::Result<()> {
    let (trend, metric) = (searched.trend, searched.metric.column());
    let mut put = connection.prepare_cached(
        "INSERT INTO told (search, machine, job, metric, origin, is_up, seen, seen_started, before,
                           after, holds)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         -- Who was first has told it.
         ON CONFLICT DO UPDATE SET before = excluded.before, after = excluded.after,
                                   holds = excluded.holds",
    )?;
    for told in &searched.told {
        put.execute(params![
            search,
            trend.machine,
            trend.job_number,
            metric,
            told.origin,
            told.is_up,
            told.seen,
            told.seen_started,
            told.before,
            told.after,
            told.holds,
        ])?;
    }
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO watched (search, machine, job, metric, origin)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            search,
            trend.machine,
            trend.job_number,
            metric,
            searched.newest
        ])?;
    Ok(())
}
