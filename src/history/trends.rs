//! Trends: the values of one job on one machine over runs. Machines are never mixed.

use super::database::History;
use super::entry::RowEntry;
use super::error::HistoryError;
use super::metric::Metric;
use rusqlite::{Row, params_from_iter};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// All rows that somebody measured, with their jobs and runs.
const COLUMNS: &str = "
    SELECT j.id, j.job, j.backend, j.model, j.quantization, j.audio,
           r.origin, r.started, r.machine, r.status, r.synthetic, r.n, r.seconds, r.low,
           r.high, r.rtfx, r.wer, r.cer, r.load_seconds, r.peak_rss_bytes,
           r.backend_version, r.artifact_digest,
           u.key, u.run_id, u.name, u.folder, u.git_commit, u.earmark_version
    FROM rows r JOIN jobs j ON j.id = r.job JOIN runs u ON u.id = r.run
    WHERE r.machine <> ''";

/// A job on a machine, over runs.
#[derive(Clone, Debug)]
pub struct Trend {
    /// The machine's id.
    pub machine: String,
    /// Its host name.
    pub host: String,
    /// The job; its description is that of the rows.
    pub job: String,
    pub(super) job_number: i64,
    /// What was measured, the oldest first. There is one at least.
    pub nights: Vec<Night>,
}

/// What one run measured of a job.
#[derive(Clone, Debug)]
pub struct Night {
    /// The key of the run under which the history has it; of several that hold it, such as a shard
    /// and its merge, the one that measured it.
    pub run: String,
    /// The run's id.
    pub run_id: String,
    /// The matrix's name.
    pub name: String,
    /// The run's folder.
    pub folder: PathBuf,
    /// The commit of the matrix's repository.
    pub git_commit: Option<String>,
    /// The version of this program.
    pub earmark_version: String,
    /// The row.
    pub row: RowEntry,
}

/// One number of a trend, where it was measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// The values, the oldest first.
    pub values: Vec<f64>,
    /// For each value the position of its night.
    pub nights: Vec<usize>,
}

/// Which trends are wanted.
#[derive(Clone, Debug, Default)]
pub struct TrendQuery {
    /// Of these jobs; `None`: of all.
    pub jobs: Option<Vec<String>>,
    /// On this machine.
    pub machine: Option<String>,
    /// Of what this run measured, by its key.
    pub run: Option<String>,
}

impl Trend {
    /// Returns the values of a metric.
    #[must_use]
    pub fn series(&self, metric: Metric) -> Series {
        let (nights, values) = self
            .nights
            .iter()
            .enumerate()
            .filter_map(|(night, known)| Some((night, known.row.value(metric)?)))
            .unzip();
        Series { values, nights }
    }

    /// Returns the newest row.
    ///
    /// # Panics
    ///
    /// Never: a trend has one night at least.
    #[must_use]
    pub fn newest(&self) -> &Night {
        self.nights
            .last()
            .expect("a trend is made of the nights that it has")
    }

    /// Returns whether its rows are no measurements.
    #[must_use]
    pub fn is_synthetic(&self) -> bool {
        self.nights.iter().any(|night| night.row.synthetic)
    }
}

/// What is known of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownJob {
    /// Its id.
    pub job: String,
    /// The engine.
    pub backend: String,
    /// The model.
    pub model: String,
    /// The quantization.
    pub quantization: String,
    /// The clip or data set.
    pub audio: String,
}

impl History {
    /// Returns all jobs, sorted.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub fn jobs(&self) -> Result<Vec<KnownJob>, HistoryError> {
        let list = || {
            self.connection
                .prepare(
                    "SELECT job, backend, model, quantization, audio FROM jobs
                     WHERE id IN (SELECT job FROM rows) ORDER BY job",
                )?
                .query_map([], |row| {
                    Ok(KnownJob {
                        job: row.get(0)?,
                        backend: row.get(1)?,
                        model: row.get(2)?,
                        quantization: row.get(3)?,
                        audio: row.get(4)?,
                    })
                })?
                .collect::<Result<Vec<_>, _>>()
        };
        list().map_err(HistoryError::database(&self.path))
    }

    /// Returns trends, by job and then by machine. What a run and its merges hold alike counts once.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub fn trends(&self, query: &TrendQuery) -> Result<Vec<Trend>, HistoryError> {
        let list = || {
            let mut text = String::from(COLUMNS);
            let mut wanted: Vec<String> = Vec::new();
            // Only what is asked for stands in the question, so that an index can answer it.
            if let Some(jobs) = &query.jobs {
                let jobs = serde_json::to_string(jobs)
                    .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
                wanted.push(jobs);
                text.push_str(" AND j.job IN (SELECT value FROM json_each(?))");
            }
            if let Some(machine) = &query.machine {
                wanted.push(machine.clone());
                text.push_str(" AND r.machine = ?");
            }
            if let Some(run) = &query.run {
                wanted.extend([run.clone(), run.clone()]);
                text.push_str(
                    " AND r.job IN (SELECT job FROM rows WHERE run = (SELECT id FROM runs WHERE key = ?))
                      AND (r.machine, r.job) IN
                        (SELECT machine, job FROM rows WHERE run = (SELECT id FROM runs WHERE key = ?))",
                );
            }
            text.push_str(
                " ORDER BY j.job, r.machine, r.started, r.origin, u.key = r.origin DESC, u.id",
            );
            let mut statement = self.connection.prepare(&text)?;
            let rows = statement.query_map(params_from_iter(wanted), night)?;
            let hosts = self.hosts()?;
            let mut trends: Vec<Trend> = Vec::new();
            for row in rows {
                let (job_number, night) = row?;
                match trends.last_mut() {
                    Some(trend)
                        if trend.job_number == job_number && trend.machine == night.row.machine =>
                    {
                        if trend.newest().row.origin != night.row.origin {
                            trend.nights.push(night);
                        }
                    }
                    _ => trends.push(Trend {
                        host: hosts.get(&night.row.machine).cloned().unwrap_or_default(),
                        machine: night.row.machine.clone(),
                        job: night.row.job.clone(),
                        job_number,
                        nights: vec![night],
                    }),
                }
            }
            Ok(trends)
        };
        list().map_err(HistoryError::database(&self.path))
    }

    fn hosts(&self) -> rusqlite::Result<BTreeMap<String, String>> {
        self.connection
            .prepare("SELECT id, host FROM machines")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    }
}

fn night(row: &Row<'_>) -> rusqlite::Result<(i64, Night)> {
    let entry = RowEntry {
        job: row.get(1)?,
        backend: row.get(2)?,
        model: row.get(3)?,
        quantization: row.get(4)?,
        audio: row.get(5)?,
        origin: row.get(6)?,
        started: row.get(7)?,
        machine: row.get(8)?,
        status: row.get(9)?,
        synthetic: row.get(10)?,
        n: row.get(11)?,
        seconds: row.get(12)?,
        low: row.get(13)?,
        high: row.get(14)?,
        rtfx: row.get(15)?,
        wer: row.get(16)?,
        cer: row.get(17)?,
        load_seconds: row.get(18)?,
        peak_rss_bytes: row.get(19)?,
        backend_version: row.get(20)?,
        artifact_digest: row.get(21)?,
    };
    let night = Night {
        run: row.get(22)?,
        run_id: row.get(23)?,
        name: row.get(24)?,
        folder: PathBuf::from(row.get::<_, String>(25)?),
        git_commit: row.get(26)?,
        earmark_version: row.get(27)?,
        row: entry,
    };
    Ok((row.get(0)?, night))
}
