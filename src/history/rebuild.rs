//! The database made anew: from run folders, and from lines where these are gone.

use super::entry::RunEntry;
use super::error::HistoryError;
use super::index::{insert, put};
use super::lines::{Line, Lines};
use crate::record::RunFolder;
use indexmap::IndexMap;
use rayon::prelude::*;
use rusqlite::Transaction;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How deep run folders lie below a folder that is named: shards lie one below.
const DEEPEST: usize = 3;

/// What a rebuilding has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Why it was done.
    pub reason: String,
    /// What the index was moved to, because it was damaged.
    pub put_aside: Option<PathBuf>,
    /// Runs that were read from their folders.
    pub read: usize,
    /// Runs whose folders are gone: what was kept of them stands.
    pub kept: usize,
    /// What could not be used, in words.
    pub complaints: Vec<String>,
}

/// Runs, by their keys in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    known: IndexMap<String, RunEntry>,
    /// Those that no line tells of yet.
    new: Vec<RunEntry>,
    /// The keys of those that were read from their folders.
    read: BTreeSet<String>,
    complaints: Vec<String>,
}

/// Reads all runs that lines tell of, and those of some folders or files.
pub(super) fn gather(lines: &Lines, folders: &[PathBuf]) -> Result<Gathered, HistoryError> {
    let mut gathered = Gathered::default();
    gathered.take_lines(lines)?;
    let known: Vec<RunEntry> = gathered.known.values().cloned().collect();
    let again: Vec<(RunEntry, Option<String>)> = known
        .into_par_iter()
        .map(|entry| read_again(&entry).unwrap_or((entry, None)))
        .collect();
    for (entry, complaint) in again {
        match complaint {
            None => {}
            // It was read: the folder is the truth.
            Some(text) if text.is_empty() => {
                gathered.read.insert(entry.key.clone());
            }
            Some(text) => gathered.complaints.push(text),
        }
        gathered.known.insert(entry.key.clone(), entry);
    }
    for folder in folders {
        gathered.take(folder)?;
    }
    Ok(gathered)
}

/// Reads a run again from its folder; `None` if it is not there any more. The text says what is wrong
/// with it, or nothing.
fn read_again(entry: &RunEntry) -> Option<(RunEntry, Option<String>)> {
    if !RunFolder::at(&entry.folder).journal().exists() {
        return None;
    }
    match RunEntry::read(&entry.folder) {
        Ok(read) if read.key == entry.key => Some((read, Some(String::new()))),
        // Another run has come into its folder, and has a line of its own.
        Ok(_) => None,
        Err(error) => Some((entry.clone(), Some(error.to_string()))),
    }
}

impl Gathered {
    fn take_lines(&mut self, lines: &Lines) -> Result<(), HistoryError> {
        let read = lines.read()?;
        for line in read.lines {
            if let Line::Run(entry) = line {
                // The last one holds, at the place of the last one.
                self.known.shift_remove(&entry.key);
                self.known.insert(entry.key.clone(), *entry);
            }
        }
        if !read.broken.is_empty() {
            let path = lines.path().display();
            let numbers: Vec<String> = read.broken.iter().map(usize::to_string).collect();
            self.complaints.push(format!(
                "{path}: what stands in line {} is no run, and is left out",
                numbers.join(", ")
            ));
        }
        Ok(())
    }

    /// Takes a run folder, the run folders below a folder, or a file of lines.
    fn take(&mut self, path: &Path) -> Result<(), HistoryError> {
        if path.is_file() {
            let mut others = Self::default();
            others.take_lines(&Lines::at(path.to_path_buf()))?;
            if others.known.is_empty() {
                return Err(HistoryError::Run(format!(
                    "{} holds no run; name run folders, a folder of them, or a history.jsonl",
                    path.display()
                )));
            }
            self.complaints.append(&mut others.complaints);
            for (key, entry) in others.known {
                let entry = match read_again(&entry) {
                    Some((read, complaint)) => {
                        if complaint.is_some_and(|text| text.is_empty()) {
                            self.read.insert(read.key.clone());
                        }
                        read
                    }
                    None => entry,
                };
                if !self.known.contains_key(&key) {
                    self.new.push(entry);
                }
            }
            return Ok(());
        }
        let mut folders = Vec::new();
        run_folders(path, DEEPEST, &mut folders);
        if folders.is_empty() {
            return Err(HistoryError::Run(format!(
                "{} is no run folder and holds none; name folders that `earmark run` made",
                path.display()
            )));
        }
        folders.sort();
        let read: Vec<Result<RunEntry, HistoryError>> = folders
            .par_iter()
            .map(|folder| RunEntry::read(folder))
            .collect();
        for entry in read {
            match entry {
                Ok(entry) if self.known.get(&entry.key) == Some(&entry) => {}
                Ok(entry) => {
                    self.read.insert(entry.key.clone());
                    self.new.push(entry);
                }
                Err(error) => self.complaints.push(error.to_string()),
            }
        }
        Ok(())
    }
}

/// Finds run folders at and below a folder. Links are not followed.
fn run_folders(path: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let folder = RunFolder::at(path);
    if folder.journal().is_file() && folder.plan().is_file() {
        found.push(path.to_path_buf());
        return;
    }
    if depth == 0 {
        return;
    }
    // What cannot be listed holds nothing that could be read.
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            run_folders(&entry.path(), depth - 1, found);
        }
    }
}

/// Fills empty tables.
pub(super) fn fill(
    transaction: &Transaction<'_>,
    lines: &Lines,
    mut gathered: Gathered,
    reason: String,
    path: &Path,
) -> Result<Rebuilt, HistoryError> {
    let failed = HistoryError::database(path);
    // Others may have ended since the lines were read.
    let mut late = Gathered::default();
    late.take_lines(lines)?;
    for (key, entry) in late.known {
        gathered.known.entry(key).or_insert(entry);
    }
    for entry in gathered.known.values() {
        insert(transaction, entry).map_err(&failed)?;
    }
    for entry in &gathered.new {
        put(transaction, lines, entry, path)?;
    }
    // A folder may be there twice, or under another name than the one that is known.
    let new = gathered.new.iter().map(|entry| entry.key.as_str());
    let all: BTreeSet<&str> = gathered
        .known
        .keys()
        .map(String::as_str)
        .chain(new)
        .collect();
    Ok(Rebuilt {
        reason,
        put_aside: None,
        read: gathered.read.len(),
        kept: all.len().saturating_sub(gathered.read.len()),
        complaints: gathered.complaints,
    })
}
