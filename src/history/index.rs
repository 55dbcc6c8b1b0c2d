//! Runs are put into the database, and listed.

use super::database::History;
use super::entry::{MachineEntry, RunEntry};
use super::error::HistoryError;
use super::lines::Lines;
use crate::record::RunFolder;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What putting a run into the history came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was not there.
    New,
    /// It was there, and its run has gone on since.
    Changed,
    /// It was there as it is.
    Known,
}

/// Which runs are wanted.
#[derive(Clone, Debug, Default)]
pub struct RunQuery {
    /// Of this matrix.
    pub name: Option<String>,
    /// That started at this time or later: a date and time in UTC as records have it, or the
    /// beginning of one.
    pub since: Option<String>,
    /// The newest of them, so many.
    pub limit: Option<u32>,
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedRun {
    /// What it is known by.
    pub key: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The folder is gone, is on another machine, or holds another run by now.
    pub is_gone: bool,
    /// The run's id.
    pub run_id: String,
    /// The matrix's name.
    pub name: String,
    /// Date and time of its start, UTC.
    pub started: String,
    /// Seconds it took.
    pub seconds: Option<f64>,
    /// It was interrupted.
    pub interrupted: bool,
    /// Its machines.
    pub machines: Vec<MachineEntry>,
    /// The plan's digest.
    pub plan_digest: String,
    /// The commit of the matrix's repository.
    pub git_commit: Option<String>,
    /// The version of this program.
    pub earmark_version: String,
    /// How many jobs ended how.
    pub outcomes: BTreeMap<String, u64>,
    /// How many rows its results have.
    pub rows: u64,
    /// Some row is no measurement.
    pub synthetic: bool,
}

impl History {
    /// Puts a run into the history: into the database, and as a line beside it. A run that is there
    /// already with the same journal changes nothing.
    ///
    /// # Errors
    ///
    /// Fails if either cannot be written.
    pub fn put(&mut self, entry: &RunEntry) -> Result<Put, HistoryError> {
        let lines = self.lines.clone();
        let path = self.path.clone();
        let transaction = self.write()?;
        let done = put(&transaction, &lines, entry, &path)?;
        transaction
            .commit()
            .map_err(HistoryError::database(&path))?;
        Ok(done)
    }

    /// Lists runs, the newest first.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub fn runs(&self, query: &RunQuery) -> Result<Vec<ListedRun>, HistoryError> {
        let limit = query.limit.map_or(-1, i64::from);
        let list = || {
            self.connection
                .prepare(
                    "SELECT key, folder, replaced, run_id, name, started, seconds, interrupted, machines,
                            plan_digest, git_commit, earmark_version, outcomes, row_count, synthetic
                     FROM runs
                     WHERE (?1 IS NULL OR name = ?1) AND (?2 IS NULL OR started >= ?2)
                     ORDER BY started DESC, id DESC LIMIT ?3",
                )?
                .query_map(params![query.name, query.since, limit], listed)?
                .collect::<Result<Vec<_>, _>>()
        };
        list().map_err(HistoryError::database(&self.path))
    }

    /// Returns how many runs there are.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub fn count(&self) -> Result<u64, HistoryError> {
        self.connection
            .query_row("SELECT count(*) FROM runs", [], |row| unsigned(row, 0))
            .map_err(HistoryError::database(&self.path))
    }
}

fn listed(row: &Row<'_>) -> rusqlite::Result<ListedRun> {
    let folder = PathBuf::from(row.get::<_, String>(1)?);
    let replaced: bool = row.get(2)?;
    let machines: String = row.get(8)?;
    let outcomes: String = row.get(12)?;
    Ok(ListedRun {
        key: row.get(0)?,
        is_gone: replaced || !RunFolder::at(&folder).journal().exists(),
        folder,
        run_id: row.get(3)?,
        name: row.get(4)?,
        started: row.get(5)?,
        seconds: row.get(6)?,
        interrupted: row.get(7)?,
        machines: from_json(&machines)?,
        plan_digest: row.get(9)?,
        git_commit: row.get(10)?,
        earmark_version: row.get(11)?,
        outcomes: from_json(&outcomes)?,
        rows: unsigned(row, 13)?,
        synthetic: row.get(14)?,
    })
}

/// Returns a count; the database has no unsigned numbers.
fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    Ok(u64::try_from(number).unwrap_or(0))
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}

fn to_json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Puts a run into tables and lines, unless it is there as it is.
pub(super) fn put(
    transaction: &Transaction<'_>,
    lines: &Lines,
    entry: &RunEntry,
    path: &Path,
) -> Result<Put, HistoryError> {
    let failed = HistoryError::database(path);
    let known: Option<(String, String)> = transaction
        .query_row(
            "SELECT journal_digest, folder FROM runs WHERE key = ?1 AND NOT replaced",
            [&entry.key],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
        .map_err(&failed)?;
    if let Some((digest, folder)) = &known
        && *digest == entry.journal_digest
        && *folder == entry.folder.to_string_lossy()
    {
        return Ok(Put::Known);
    }
    // The line first: if the process dies between the two, rebuilding takes it up.
    lines.append(entry)?;
    insert(transaction, entry).map_err(&failed)?;
    Ok(if known.is_some() {
        Put::Changed
    } else {
        Put::New
    })
}

/// Puts a run into the tables, in place of what was known of it.
pub(super) fn insert(transaction: &Transaction<'_>, entry: &RunEntry) -> rusqlite::Result<()> {
    forget(transaction, &entry.key)?;
    let folder = entry.folder.to_string_lossy();
    transaction
        .prepare_cached("UPDATE runs SET replaced = 1 WHERE folder = ?1")?
        .execute([&folder])?;
    let run: i64 = transaction
        .prepare_cached(
            "INSERT INTO runs (key, folder, replaced, run_id, name, started, seconds, interrupted,
                               machines, plan_digest, git_commit, earmark_version, journal_digest,
                               outcomes, row_count, synthetic)
             VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
             RETURNING id",
        )?
        .query_row(
            params![
                entry.key,
                folder,
                entry.run_id,
                entry.name,
                entry.started,
                entry.seconds,
                entry.interrupted,
                to_json(&entry.machines)?,
                entry.plan_digest,
                entry.git_commit,
                entry.earmark_version,
                entry.journal_digest,
                to_json(&entry.outcomes)?,
                i64::try_from(entry.rows.len()).unwrap_or(i64::MAX),
                entry.is_synthetic(),
            ],
            |row| row.get(0),
        )?;
    let mut machine = transaction
        .prepare_cached("INSERT OR REPLACE INTO machines (id, host, cpu) VALUES (?1, ?2, ?3)")?;
    for known in &entry.machines {
        machine.execute(params![known.id, known.host, known.cpu])?;
    }
    insert_rows(transaction, run, entry)
}

fn insert_rows(transaction: &Transaction<'_>, run: i64, entry: &RunEntry) -> rusqlite::Result<()> {
    let mut job = transaction.prepare_cached(
        "INSERT INTO jobs (job, backend, model, quantization, audio) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (job) DO UPDATE SET backend = backend RETURNING id",
    )?;
    let mut value = transaction.prepare_cached(
        "INSERT OR REPLACE INTO rows
         (run, job, origin, started, machine, status, synthetic, n, seconds, low, high, rtfx, wer, cer,
          load_seconds, peak_rss_bytes, backend_version, artifact_digest)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )?;
    for row in &entry.rows {
        let job: i64 = job.query_row(
            params![row.job, row.backend, row.model, row.quantization, row.audio],
            |row| row.get(0),
        )?;
        value.execute(params![
            run,
            job,
            row.origin,
            row.started,
            row.machine,
            row.status,
            row.synthetic,
            row.n,
            row.seconds,
            row.low,
            row.high,
            row.rtfx,
            row.wer,
            row.cer,
            row.load_seconds,
            row.peak_rss_bytes,
            row.backend_version,
            row.artifact_digest,
        ])?;
    }
    Ok(())
}

/// Takes a run out of the tables. Its series are looked at again.
pub(super) fn forget(connection: &Connection, key: &str) -> rusqlite::Result<()> {
    for statement in [
        "DELETE FROM watched WHERE (machine, job) IN
            (SELECT machine, job FROM rows WHERE run = (SELECT id FROM runs WHERE key = ?1))",
        "DELETE FROM told WHERE seen = ?1",
        "DELETE FROM runs WHERE key = ?1",
    ] {
        connection.prepare_cached(statement)?.execute([key])?;
    }
    Ok(())
}
