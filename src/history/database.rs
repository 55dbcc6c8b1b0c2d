//! The database: opened, made, and made anew where it is of another version or broken.

use super::error::HistoryError;
use super::lines::Lines;
use super::rebuild::{Rebuilt, fill, gather};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::fs::{self, File, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The version of the tables.
const VERSION: i64 = 2;

/// How long one waits for another process to have written.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long one waits at a time for another process to have mended a broken database.
const PAUSE: Duration = Duration::from_millis(20);

const TABLES: &str = "
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    folder TEXT NOT NULL,
    -- Another run has come into its folder.
    replaced INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    name TEXT NOT NULL,
    started TEXT NOT NULL,
    seconds REAL,
    interrupted INTEGER NOT NULL,
    machines TEXT NOT NULL,
    plan_digest TEXT NOT NULL,
    git_commit TEXT,
    earmark_version TEXT NOT NULL,
    journal_digest TEXT NOT NULL,
    outcomes TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    synthetic INTEGER NOT NULL
);
CREATE INDEX runs_started ON runs (started);
CREATE INDEX runs_folder ON runs (folder);
CREATE TABLE machines (id TEXT PRIMARY KEY, host TEXT NOT NULL, cpu TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    job TEXT NOT NULL UNIQUE,
    backend TEXT NOT NULL,
    model TEXT NOT NULL,
    quantization TEXT NOT NULL,
    audio TEXT NOT NULL
);
CREATE TABLE rows (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    job INTEGER NOT NULL REFERENCES jobs (id),
    origin TEXT NOT NULL,
    started TEXT NOT NULL,
    machine TEXT NOT NULL,
    status TEXT NOT NULL,
    synthetic INTEGER NOT NULL,
    n INTEGER NOT NULL,
    seconds REAL, low REAL, high REAL, rtfx REAL, wer REAL, cer REAL, load_seconds REAL,
    peak_rss_bytes REAL,
    backend_version TEXT,
    artifact_digest TEXT,
    PRIMARY KEY (run, job, machine)
) WITHOUT ROWID;
CREATE INDEX rows_job ON rows (job, machine);
-- Up to which run a series was looked at, by what is looked for.
CREATE TABLE watched (
    search TEXT NOT NULL, machine TEXT NOT NULL, job INTEGER NOT NULL, metric TEXT NOT NULL,
    origin TEXT NOT NULL,
    PRIMARY KEY (search, machine, job, metric)
) WITHOUT ROWID;
-- Change points that were told, each with the run in which it was first seen.
CREATE TABLE told (
    search TEXT NOT NULL, machine TEXT NOT NULL, job INTEGER NOT NULL, metric TEXT NOT NULL,
    origin TEXT NOT NULL, is_up INTEGER NOT NULL,
    seen TEXT NOT NULL, seen_started TEXT NOT NULL,
    before REAL NOT NULL, after REAL NOT NULL,
    -- It is still found, with what is known by now.
    holds INTEGER NOT NULL,
    PRIMARY KEY (search, machine, job, metric, origin, is_up)
) WITHOUT ROWID;
";

/// The history: runs and their values, indexed. It is a cache: everything in it comes from run
/// folders, or from the lines beside it where these are gone.
#[derive(Debug)]
pub struct History {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    pub(super) lines: Lines,
    /// What was done because the database was new, of another version, or broken.
    pub rebuilt: Option<Rebuilt>,
}

impl History {
    /// Does some work with the history at a path. What is not there is made. A database that turns out
    /// to be broken is put aside and made anew, and the work is done once more.
    ///
    /// # Errors
    ///
    /// Fails if the history cannot be made, or the work fails.
    pub fn with<T>(
        path: &Path,
        mut work: impl FnMut(&mut Self) -> Result<T, HistoryError>,
    ) -> Result<T, HistoryError> {
        let mut attempt = |aside| work(&mut Self::open(path, aside)?);
        match attempt(None) {
            Err(error) if error.is_damage() => {
                let aside = put_aside(path)?;
                attempt(aside)
            }
            result => result,
        }
    }

    /// Opens it. `put_aside` is what it was moved to, because it was damaged.
    fn open(path: &Path, put_aside: Option<PathBuf>) -> Result<Self, HistoryError> {
        let path = std::path::absolute(path).map_err(HistoryError::unreadable(path))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(HistoryError::unwritable(folder))?;
        }
        let connection = connect(&path).map_err(HistoryError::database(&path))?;
        let mut history = Self {
            connection,
            lines: Lines::beside(&path),
            path,
            rebuilt: None,
        };
        let version = history.version()?;
        if version != VERSION {
            let what = match (&put_aside, version) {
                (Some(aside), _) => {
                    format!("it was damaged; what it was is {} by now", aside.display())
                }
                (None, 0) => "there was no index".to_owned(),
                (None, _) => "the index was of another version of Earmark".to_owned(),
            };
            history.make_anew(what, &[], |found| *found != VERSION)?;
        }
        if let Some(rebuilt) = &mut history.rebuilt {
            rebuilt.put_aside = put_aside;
        }
        Ok(history)
    }

    fn version(&self) -> Result<i64, HistoryError> {
        version_of(&self.connection).map_err(HistoryError::database(&self.path))
    }

    /// Makes the database anew out of all runs that are known and of what is in some folders, or in
    /// files of lines.
    ///
    /// # Errors
    ///
    /// Fails if a folder holds no run, or the database cannot be written.
    pub fn rebuild(&mut self, folders: &[PathBuf]) -> Result<Rebuilt, HistoryError> {
        self.rebuilt = None;
        self.make_anew("it was asked for".to_owned(), folders, |_| true)?;
        Ok(self.rebuilt.clone().unwrap_or_default())
    }

    /// Makes the database anew if its version still is one that is to be replaced when nobody else can
    /// write any more.
    fn make_anew(
        &mut self,
        reason: String,
        folders: &[PathBuf],
        replaces: impl Fn(&i64) -> bool,
    ) -> Result<(), HistoryError> {
        // Run folders are read before anybody is kept waiting.
        let gathered = gather(&self.lines, folders)?;
        let lines = self.lines.clone();
        let path = self.path.clone();
        let failed = HistoryError::database(&path);
        let transaction = self.write()?;
        if !replaces(&version_of(&transaction).map_err(&failed)?) {
            return Ok(());
        }
        drop_everything(&transaction).map_err(&failed)?;
        transaction.execute_batch(TABLES).map_err(&failed)?;
        transaction
            .pragma_update(None, "user_version", VERSION)
            .map_err(&failed)?;
        let rebuilt = fill(&transaction, &lines, gathered, reason, &path)?;
        transaction.commit().map_err(&failed)?;
        self.rebuilt = Some(rebuilt);
        Ok(())
    }

    /// Begins to write; everybody else waits until that has ended.
    pub(super) fn write(&mut self) -> Result<Transaction<'_>, HistoryError> {
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(HistoryError::database(&self.path))
    }

    /// Returns the database's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    // Readers then wait for nobody. Some network file systems cannot do it, and while others are at
    // work it may be refused; everything is right without it too.
    let wal: rusqlite::Result<String> =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0));
    if let Err(error) = wal
        && !matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
        )
    {
        return Err(error);
    }
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn version_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn drop_everything(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    // Tables refer to one another; at the end of the transaction there is nothing left to refer to.
    transaction.execute_batch("PRAGMA defer_foreign_keys = ON")?;
    let names: Vec<(String, String)> = transaction
        .prepare(
            "SELECT type, name FROM sqlite_master
             WHERE type IN ('trigger', 'view', 'table') AND name NOT LIKE 'sqlite_%'
             ORDER BY type = 'table', rowid DESC",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (kind, name) in names {
        transaction.execute_batch(&format!(
            "DROP {kind} IF EXISTS \"{}\"",
            name.replace('"', "\"\"")
        ))?;
    }
    Ok(())
}

/// Puts a broken database aside, if nobody else has done so yet. Returns what it was moved to.
fn put_aside(path: &Path) -> Result<Option<PathBuf>, HistoryError> {
    let unwritable = HistoryError::unwritable(path);
    let beside = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let lock = File::create(beside(".lock")).map_err(&unwritable)?;
    let start = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {
                let pause = rustix::event::Timespec {
                    tv_sec: 0,
                    tv_nsec: i64::from(PAUSE.subsec_nanos()),
                };
                let _ = rustix::event::poll(&mut [], Some(&pause));
            }
            Err(TryLockError::WouldBlock) => return Err(HistoryError::Busy(path.to_path_buf())),
            Err(TryLockError::Error(error)) => return Err(unwritable(error)),
        }
    }
    if is_whole(path) {
        return Ok(None);
    }
    if !is_ours(path) {
        return Err(HistoryError::Run(format!(
            "{} is no history of Earmark, and is left as it is; name another with --history",
            path.display()
        )));
    }
    let aside = beside(".damaged");
    fs::rename(path, &aside).map_err(&unwritable)?;
    for ending in ["-wal", "-shm"] {
        // They belong to what was put aside. Where there is none there is nothing to do.
        let _ = fs::remove_file(beside(ending));
    }
    Ok(Some(aside))
}

fn is_whole(path: &Path) -> bool {
    connect(path).is_ok_and(|connection| {
        connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
            .is_ok_and(|answer| answer == "ok")
    })
}

/// Whether a broken file was a database of ours: it begins like one, or with nothing, or has lines
/// beside it. Anything else was named by mistake.
fn is_ours(path: &Path) -> bool {
    let mut start = [0; 16];
    let begins = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    begins.is_err()
        || start == *b"SQLite format 3\0"
        || start == [0; 16]
        || Lines::beside(path).path().exists()
}
