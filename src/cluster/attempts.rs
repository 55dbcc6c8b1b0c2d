//! What the attempts at a run's parts have left so far. This is the truth about what is done: a scheduler
//! only knows whether something may still come.

use crate::event::{RunEvent, Stamped};
use crate::model::{JobId, Outcome};
use crate::record::{ATTEMPT, RunFolder, is_end};
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// An attempt at a part, as far as its journal tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttemptState {
    /// The benchmarks that were carried out to their end.
    pub done: HashSet<JobId>,
    /// Those of them that the time budget left launches of out.
    pub cut_short: HashSet<JobId>,
    /// How many of those went wrong.
    pub faults: usize,
    /// What a machine lacked of what benchmarks require.
    pub mismatches: Vec<(JobId, String)>,
    /// The machine.
    pub host: String,
    /// It came to its end by itself. One that was interrupted did not: the scheduler may start it again.
    pub has_ended: bool,
    /// The time budget is spent.
    is_spent: bool,
    /// A line of the journal is none that this program wrote. A merge passes all of such a journal over, so
    /// nothing of it is done, and it has not ended.
    pub is_damaged: bool,
    /// Bytes of the journal that have been read.
    read: u64,
    /// How many events they hold.
    events: u64,
    /// Bytes that the journal had.
    length: u64,
}

/// The attempts of a run, looked at again and again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    folder: PathBuf,
    states: BTreeMap<String, AttemptState>,
}

impl Attempts {
    /// Returns those of a run folder; nothing has been looked at yet.
    #[must_use]
    pub fn of(run: &Path) -> Self {
        Self {
            folder: Self::folder(run),
            states: BTreeMap::new(),
        }
    }

    /// Returns the folder in which the attempts of a run lie.
    #[must_use]
    pub fn folder(run: &Path) -> PathBuf {
        run.join("attempts")
    }

    /// Returns the name that the folders of all attempts at a part have, up to their numbers.
    #[must_use]
    pub fn stem(submission: u32, group: u32, shard: u32, shards: u32) -> String {
        format!("{submission}-g{group}-{shard}-of-{shards}{ATTEMPT}")
    }

    /// Reads what has come since the last look, and returns whether anything has. What cannot be read has
    /// not come.
    pub fn look(&mut self) -> bool {
        let mut changed = false;
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for entry in entries {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if name.contains(ATTEMPT) {
                let state = self.states.entry(name).or_default();
                changed |= state.read_on(&RunFolder::at(&entry.path()).journal());
            }
        }
        changed
    }

    /// Leaves out what nobody can read who puts results together, whatever is wrong with it, so that it is sent
    /// again.
    pub fn leave_out(&mut self, is_unreadable: impl Fn(&Path) -> bool) {
        for (name, state) in &mut self.states {
            state.is_damaged |= state.events > 0 && is_unreadable(&self.folder.join(name));
        }
    }

    /// Returns the attempts by the names of their folders.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttemptState)> {
        self.states
            .iter()
            .map(|(name, state)| (name.as_str(), state))
    }

    /// Returns the newest attempt at a part, if there is one.
    #[must_use]
    pub fn newest(&self, stem: &str) -> Option<(u32, &AttemptState)> {
        let numbered = self.states.iter().filter_map(|(name, state)| {
            let number: u32 = name.strip_prefix(stem)?.parse().ok()?;
            Some((number, state))
        });
        numbered.max_by_key(|(number, _)| *number)
    }

    /// Returns the largest number of an attempt; 0 if there is none.
    #[must_use]
    pub fn largest_number(&self) -> u32 {
        let numbers = self
            .states
            .keys()
            .filter_map(|name| name.rsplit_once(ATTEMPT)?.1.parse().ok());
        numbers.max().unwrap_or(0)
    }

    /// Returns the benchmarks that some attempt carried out to their end.
    #[must_use]
    pub fn done(&self) -> HashSet<&JobId> {
        self.whole().flat_map(|state| &state.done).collect()
    }

    /// Returns the benchmarks that no attempt carried out with all their launches, because its time budget left
    /// some out.
    #[must_use]
    pub fn cut_short(&self) -> HashSet<&JobId> {
        let states = || self.whole();
        let whole: HashSet<&JobId> = states()
            .flat_map(|state| state.done.difference(&state.cut_short))
            .collect();
        let cut = states().flat_map(|state| &state.cut_short);
        cut.filter(|job| !whole.contains(job)).collect()
    }

    /// Returns how many benchmarks went wrong.
    #[must_use]
    pub fn faults(&self) -> usize {
        self.whole().map(|state| state.faults).sum()
    }

    /// Returns whether there is anything that could be reported.
    #[must_use]
    pub fn have_begun(&self) -> bool {
        self.whole().any(|state| state.events > 0)
    }

    /// Returns the attempts whose journals can be read.
    fn whole(&self) -> impl Iterator<Item = &AttemptState> {
        self.states.values().filter(|state| !state.is_damaged)
    }
}

impl AttemptState {
    /// Reads the whole lines that have been added to a journal, and returns whether it has grown. A last line
    /// without an end is read when it has one. At a line that is no event it stops, as whoever merges does, and
    /// tries that again at the next look: a network file system may show what is written piece by piece.
    fn read_on(&mut self, journal: &Path) -> bool {
        let added = File::open(journal).and_then(|mut file| {
            let mut bytes = Vec::new();
            let length = file.metadata()?.len();
            if length > self.read {
                file.seek(SeekFrom::Start(self.read))?;
                file.read_to_end(&mut bytes)?;
            }
            Ok((length, bytes))
        });
        let Ok((length, added)) = added else {
            return false;
        };
        let has_grown = length > self.length;
        self.length = length;
        self.is_damaged = false;
        for line in added.split_inclusive(|byte| *byte == b'\n') {
            let Some(text) = line.strip_suffix(b"\n") else {
                break;
            };
            let event = serde_json::from_slice::<Stamped>(text).ok();
            let Some(stamped) = event.filter(|event| event.sequence == self.events) else {
                self.is_damaged = true;
                break;
            };
            self.read += line.len() as u64;
            self.events += 1;
            self.take(stamped.event);
        }
        has_grown
    }

    fn take(&mut self, event: RunEvent) {
        match event {
            RunEvent::RunStarted { machine, .. } => self.host = machine.host,
            RunEvent::RunEnded { interrupted, .. } => self.has_ended = !interrupted,
            RunEvent::RoundsLeftOut { .. } => self.is_spent = true,
            RunEvent::JobEnded { job, outcome, .. } if job.0.starts_with("benchmark/") => {
                if is_end(Some(&outcome)) {
                    self.faults += usize::from(outcome.is_fault());
                    // What had all its launches ended before any were left out.
                    if self.is_spent && outcome == Outcome::Completed {
                        self.cut_short.insert(job.clone());
                    }
                    self.done.insert(job);
                } else if let Outcome::Skipped { reason, .. } = outcome {
                    self.mismatches.push((job, reason));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEM: &str = "1-g1-1-of-1.attempt-";

    /// Writes the journal of an attempt.
    fn journal(run: &Path, events: &[RunEvent]) -> PathBuf {
        let folder = Attempts::folder(run).join(format!("{STEM}1"));
        fs::create_dir_all(&folder).unwrap();
        let lines = events.iter().zip(0..).map(|(event, sequence)| {
            let stamped = Stamped {
                v: 1,
                sequence,
                at: "2026-01-01T00:00:00Z".into(),
                elapsed_seconds: 1.0,
                event: event.clone(),
            };
            serde_json::to_string(&stamped).unwrap() + "\n"
        });
        let path = RunFolder::at(&folder).journal();
        fs::write(&path, lines.collect::<String>()).unwrap();
        path
    }

    fn done(job: &str) -> RunEvent {
        RunEvent::JobEnded {
            job: JobId(job.into()),
            outcome: Outcome::Completed,
            finding: None,
            seconds: 1.0,
            bytes: 0,
        }
    }

    fn end(interrupted: bool) -> RunEvent {
        RunEvent::RunEnded {
            interrupted,
            seconds: 1.0,
        }
    }

    #[test]
    fn an_attempt_that_was_interrupted_has_not_come_to_its_end() {
        for interrupted in [true, false] {
            let run = tempfile::tempdir().unwrap();
            journal(run.path(), &[done("benchmark/a"), end(interrupted)]);
            let mut attempts = Attempts::of(run.path());
            assert!(attempts.look());
            assert_eq!(attempts.done().len(), 1);
            let (number, newest) = attempts.newest(STEM).unwrap();
            assert_eq!((number, newest.has_ended), (1, !interrupted));
        }
    }

    #[test]
    fn nothing_of_a_damaged_journal_is_done_until_it_is_mended() {
        let run = tempfile::tempdir().unwrap();
        let path = journal(
            run.path(),
            &[done("benchmark/a"), done("benchmark/b"), end(false)],
        );
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let mut attempts = Attempts::of(run.path());
        for damaged in [
            format!("{}\n{{\"torn\n{}\n", lines[0], lines[2]),
            format!("{}\n{}\n", lines[0], lines[2]),
        ] {
            fs::write(&path, damaged).unwrap();
            attempts.look();
            assert_eq!(attempts.done().len(), 0);
            let newest = attempts.newest(STEM).unwrap().1;
            assert!(newest.is_damaged && !newest.has_ended);
            assert!(!attempts.have_begun());
        }
        fs::write(&path, text).unwrap();
        attempts.look();
        assert_eq!(attempts.done().len(), 2);
        assert!(attempts.newest(STEM).unwrap().1.has_ended);
    }
}
