//! What the history keeps of a run: a line of `history.jsonl`, and what the database is filled with.

use super::error::HistoryError;
use super::metric::Metric;
use crate::model::{Outcome, hexadecimal};
use crate::record::{RunFolder, RunRecord, Session};
use crate::report::{Cell, Column, ResultRow, result_columns, result_rows};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The version of these lines.
pub const VERSION: u32 = 1;

/// A run, or several that were merged, as the history keeps it. Everything in it is derived from the
/// run folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunEntry {
    /// The version of these lines.
    pub v: u32,
    /// What the run is known by: a digest of what its start says. It stays when the run is resumed,
    /// and when its folder is copied or moved.
    pub key: String,
    /// The run folder.
    pub folder: PathBuf,
    /// The run's id.
    pub run_id: String,
    /// The matrix's name.
    pub name: String,
    /// Date and time of the first start, UTC.
    pub started: String,
    /// Seconds it took; none if it did not end in order.
    pub seconds: Option<f64>,
    /// It was interrupted.
    pub interrupted: bool,
    /// The machines, in the order of the sessions.
    pub machines: Vec<MachineEntry>,
    /// The plan's digest.
    pub plan_digest: String,
    /// The commit of the matrix's repository, where the record tells it.
    #[serde(default)]
    pub git_commit: Option<String>,
    /// The version of this program in the first session.
    pub earmark_version: String,
    /// SHA-256 of the journal.
    pub journal_digest: String,
    /// How many jobs of the plan ended how.
    pub outcomes: BTreeMap<String, u64>,
    /// The rows of its results.
    pub rows: Vec<RowEntry>,
}

/// A machine of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MachineEntry {
    /// Its id.
    pub id: String,
    /// Its host name.
    pub host: String,
    /// Its CPU.
    pub cpu: String,
}

/// A row of a run's results.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RowEntry {
    /// The run that measured it: the key of that run, also where this is a merge of several.
    pub origin: String,
    /// When the session started that measured it, UTC.
    pub started: String,
    /// The machine's id; empty if nobody measured it.
    pub machine: String,
    /// The job.
    pub job: String,
    /// The engine.
    pub backend: String,
    /// The model.
    pub model: String,
    /// The quantization; empty if the engine has none.
    pub quantization: String,
    /// The clip or data set.
    pub audio: String,
    /// How the job ended.
    pub status: String,
    /// It is no measurement.
    pub synthetic: bool,
    /// Measured trials.
    pub n: i64,
    /// Median seconds of a pass over the audio.
    pub seconds: Option<f64>,
    /// Lower end of the interval of that median.
    pub low: Option<f64>,
    /// Upper end of it.
    pub high: Option<f64>,
    /// Seconds of audio over seconds of transcription.
    pub rtfx: Option<f64>,
    /// Word error rate.
    pub wer: Option<f64>,
    /// Character error rate.
    pub cer: Option<f64>,
    /// Load to ready, in seconds.
    pub load_seconds: Option<f64>,
    /// Peak of resident memory.
    pub peak_rss_bytes: Option<f64>,
    /// The engine's version.
    pub backend_version: Option<String>,
    /// The digest of the artifact that was read.
    pub artifact_digest: Option<String>,
}

impl RowEntry {
    /// Returns the value that is followed, if the row was measured to its end.
    #[must_use]
    pub fn value(&self, metric: Metric) -> Option<f64> {
        if self.status != Outcome::Completed.status() {
            return None;
        }
        match metric {
            Metric::Seconds => self.seconds,
            Metric::Rtfx => self.rtfx,
            Metric::Wer => self.wer,
            Metric::Cer => self.cer,
            Metric::LoadSeconds => self.load_seconds,
            Metric::PeakBytes => self.peak_rss_bytes,
        }
    }
}

impl RunEntry {
    /// Reads a run folder.
    ///
    /// # Errors
    ///
    /// Fails if it is no run folder, or what is in it is broken.
    pub fn read(folder: &Path) -> Result<Self, HistoryError> {
        let record =
            RunFolder::read(folder).map_err(|error| HistoryError::Run(error.to_string()))?;
        Self::of(folder, &record)
    }

    /// Returns what is kept of a record that was read from a run folder.
    ///
    /// # Errors
    ///
    /// Fails if the journal cannot be read again for its digest.
    pub fn of(folder: &Path, record: &RunRecord) -> Result<Self, HistoryError> {
        let folder = std::path::absolute(folder).map_err(HistoryError::unreadable(folder))?;
        let journal = RunFolder::at(&folder).journal();
        let mut outcomes = BTreeMap::new();
        for job in &record.plan.jobs {
            let outcome = record.job(&job.id).and_then(|job| job.outcome.as_ref());
            let status = outcome.map_or("not-run", Outcome::status);
            *outcomes.entry(status.to_owned()).or_insert(0) += 1;
        }
        Ok(Self {
            v: VERSION,
            key: key_of(record),
            run_id: record.run_id.clone(),
            name: record.plan.name.clone(),
            started: record.started_at.clone(),
            seconds: record.seconds,
            interrupted: record.interrupted,
            machines: record
                .machines()
                .into_iter()
                .map(|machine| MachineEntry {
                    id: machine.id.clone(),
                    host: machine.host.clone(),
                    cpu: machine.cpu.clone(),
                })
                .collect(),
            plan_digest: record.plan.digest.clone(),
            git_commit: record
                .sessions
                .first()
                .and_then(|session| session.repository.as_ref()?.commit.clone()),
            earmark_version: record.earmark_version.clone(),
            journal_digest: digest_of(&journal).map_err(HistoryError::unreadable(&journal))?,
            outcomes,
            rows: rows(record),
            folder,
        })
    }

    /// Returns whether some row is no measurement.
    #[must_use]
    pub fn is_synthetic(&self) -> bool {
        self.rows.iter().any(|row| row.synthetic)
    }
}

/// Returns what the runs of a record are known by, together.
#[must_use]
pub fn key_of(record: &RunRecord) -> String {
    let mut keys = starts(record).map(origin);
    let first = keys.next().unwrap_or_default();
    let others: Vec<String> = keys.collect();
    if others.is_empty() {
        return first;
    }
    short_digest(&format!("{first}\n{}", others.join("\n")))
}

/// Returns the first session of each run.
fn starts(record: &RunRecord) -> impl Iterator<Item = &Session> {
    let mut next = 0;
    record.sessions.iter().filter(move |session| {
        let is_first = session.run >= next;
        next = next.max(session.run + 1);
        is_first
    })
}

/// Returns what a run is known by, from its first session.
fn origin(session: &Session) -> String {
    short_digest(&format!(
        "{}\n{}\n{}\n{}",
        session.run_id, session.started_at, session.machine.id, session.plan_digest
    ))
}

pub(super) fn short_digest(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes())[..10])
}

fn digest_of(path: &Path) -> io::Result<String> {
    let mut digest = Sha256::new();
    io::copy(&mut File::open(path)?, &mut HashWriter(&mut digest))?;
    Ok(hexadecimal(&digest.finalize()))
}

/// Hashes what is written to it.
struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes the rows from the columns of `results.csv`, so that both say the same.
fn rows(record: &RunRecord) -> Vec<RowEntry> {
    let rows = result_rows(record);
    let columns = Columns::of(record, &rows);
    let origins: BTreeMap<usize, String> = starts(record)
        .map(|session| (session.run, origin(session)))
        .collect();
    rows.iter()
        .map(|row| {
            let text = |name| columns.text(name, row);
            let number = |name| columns.number(name, row);
            let session = row.session();
            RowEntry {
                origin: session
                    .and_then(|session| origins.get(&session.run))
                    .or_else(|| origins.values().next())
                    .cloned()
                    .unwrap_or_default(),
                started: session
                    .map_or(&record.started_at, |s| &s.started_at)
                    .clone(),
                machine: text("machine_id").unwrap_or_default(),
                job: text("job_id").unwrap_or_default(),
                backend: text("backend").unwrap_or_default(),
                model: text("model").unwrap_or_default(),
                quantization: text("quantization").unwrap_or_default(),
                audio: text("audio").unwrap_or_default(),
                status: text("status").unwrap_or_default(),
                synthetic: columns.cell("synthetic", row) == Cell::Boolean(true),
                n: match columns.cell("n", row) {
                    Cell::Integer(number) => number,
                    _ => 0,
                },
                seconds: number(Metric::Seconds.column()),
                low: number("transcribe_seconds_ci_low"),
                high: number("transcribe_seconds_ci_high"),
                rtfx: number(Metric::Rtfx.column()),
                wer: number(Metric::Wer.column()),
                cer: number(Metric::Cer.column()),
                load_seconds: number(Metric::LoadSeconds.column()),
                peak_rss_bytes: number(Metric::PeakBytes.column()),
                backend_version: text("backend_version"),
                artifact_digest: text("artifact_digest"),
            }
        })
        .collect()
}

/// The columns of `results.csv` by their names.
struct Columns<'a> {
    record: &'a RunRecord,
    all: Vec<Column<ResultRow<'a>>>,
    places: BTreeMap<String, usize>,
}

impl<'a> Columns<'a> {
    fn of(record: &'a RunRecord, rows: &[ResultRow<'a>]) -> Self {
        let columns = result_columns(rows);
        let places = columns
            .iter()
            .enumerate()
            .map(|(place, column)| (column.name.clone(), place))
            .collect();
        Self {
            record,
            all: columns,
            places,
        }
    }

    fn cell(&self, name: &str, row: &ResultRow<'a>) -> Cell {
        let column = self.places.get(name).map(|place| &self.all[*place]);
        column.map_or(Cell::Empty, |column| (column.fill)(self.record, row))
    }

    fn text(&self, name: &str, row: &ResultRow<'a>) -> Option<String> {
        match self.cell(name, row) {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "bytes of memory are far below 2^53"
    )]
    fn number(&self, name: &str, row: &ResultRow<'a>) -> Option<f64> {
        match self.cell(name, row) {
            Cell::Number(number) => Some(number),
            Cell::Integer(number) => Some(number as f64),
            _ => None,
        }
    }
}
