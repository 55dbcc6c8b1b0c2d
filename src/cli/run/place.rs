//! Where a run's folder is.

use crate::cli::exit::Failure;
use crate::exec::{Fence, Part, attempt_numbers};
use crate::model::{JobId, JobKind, Plan};
use crate::plan::with_needs;
use crate::record::{ATTEMPT, RunFolder, RunRecord, begin_attempt, ended, file_name, parts_name};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The folder of run folders, where no other place is named.
pub(in crate::cli) const RUNS: &str = "runs";

/// Where a run writes, and which attempt at its part of the plan it is.
pub(super) struct Place {
    pub(super) folder: PathBuf,
    /// From 1.
    pub(super) attempt: u32,
}

/// Returns the number of the attempt whose folder this is by its name; the first, if that says nothing.
fn attempt_of(folder: &Path) -> u32 {
    let name = folder.file_name().and_then(|name| name.to_str());
    let number = name.and_then(|name| name.rsplit_once(ATTEMPT));
    number
        .and_then(|(_, number)| number.parse().ok())
        .filter(|number| *number > 0)
        .unwrap_or(1)
}

impl Place {
    /// Chooses the place of a run. A shard's folders lie beside those of the other shards of its
    /// plan, and each attempt has its own.
    pub(super) fn choose(
        out: Option<&Path>,
        resumed: Option<&Path>,
        plan: &Plan,
        part: Option<&Part>,
    ) -> Result<Self, Failure> {
        if let Some(folder) = resumed.or(out) {
            return Ok(Self {
                attempt: part.map_or(1, |_| attempt_of(folder)),
                folder: folder.to_path_buf(),
            });
        }
        let Some(part) = part else {
            return Ok(Self {
                folder: dated(plan),
                attempt: 1,
            });
        };
        let parts = Path::new(RUNS).join(parts_name(plan));
        let (folder, attempt) = begin_attempt(&parts, &part.shard).map_err(|error| {
            Failure::Usage(format!(
                "{}: no folder for an attempt can be made: {error}; name one with --out",
                parts.display()
            ))
        })?;
        Ok(Self { folder, attempt })
    }
}

/// Returns the folder of a run that begins now.
fn dated(plan: &Plan) -> PathBuf {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    Path::new(RUNS).join(format!("{now}-{}", file_name(&plan.name)))
}

impl Place {
    /// Returns what tells that a later attempt has taken this one's place: its folder beside ours, or a
    /// file.
    pub(super) fn fence(&self, file: Option<&Path>) -> Fence {
        Fence {
            attempts: self.attempts(),
            file: file.and_then(|file| std::path::absolute(file).ok()),
        }
    }

    /// Returns the folder that holds the attempts, and the name of all of them up to their numbers.
    fn attempts(&self) -> Option<(PathBuf, String, u32)> {
        let absolute = std::path::absolute(&self.folder).ok()?;
        let name = absolute.file_name()?.to_str()?;
        let (name, _) = name.rsplit_once(ATTEMPT)?;
        Some((
            absolute.parent()?.to_path_buf(),
            format!("{name}{ATTEMPT}"),
            self.attempt,
        ))
    }

    /// Leaves out of a part the benchmarks that earlier attempts have carried out to their end, and what
    /// only those need. An attempt that cannot be read has done nothing.
    pub(super) fn leave_out_what_is_done(&self, plan: &Plan, part: &mut Part) {
        let Some((folder, name, own)) = self.attempts() else {
            return;
        };
        let mut done: HashSet<JobId> = HashSet::new();
        for number in attempt_numbers(&folder, &name).filter(|number| *number < own) {
            let Ok(record) = RunFolder::read(&folder.join(format!("{name}{number}"))) else {
                continue;
            };
            if record.plan.digest == plan.digest {
                done.extend(ended(&record).cloned());
            }
        }
        if done.is_empty() {
            return;
        }
        let left = part.jobs.iter().copied().filter(|position| {
            let job = &plan.jobs[*position];
            job.kind == JobKind::Benchmark && !done.contains(&job.id)
        });
        part.jobs = with_needs(plan, left).into_iter().collect();
    }
}

/// Returns the folder in which a run writes that is no part of another, and goes on with none.
pub(in crate::cli) fn run_folder(out: Option<&Path>, plan: &Plan) -> PathBuf {
    out.map_or_else(|| dated(plan), Path::to_path_buf)
}

/// Reads a run that is named by its folder, or as `latest`; returns its folder too.
pub(in crate::cli) fn named_run(wish: &Path) -> Result<(PathBuf, RunRecord), Failure> {
    let folder = if wish == Path::new("latest") {
        RunFolder::latest(Path::new(RUNS)).ok_or_else(|| {
            Failure::Usage(format!(
                "there is no run under {RUNS} that `latest` could be; name the folder of one"
            ))
        })?
    } else {
        wish.to_path_buf()
    };
    let record = RunFolder::read(&folder).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok((folder, record))
}

/// Returns the folder of a run that is to go on.
pub(super) fn locate(wish: &Path) -> Result<PathBuf, Failure> {
    if wish != Path::new("latest") {
        return Ok(wish.to_path_buf());
    }
    RunFolder::latest(Path::new(RUNS)).ok_or_else(|| {
        Failure::Usage(format!(
            "there is no run under {RUNS} to go on with; name its folder: `--resume DIR`"
        ))
    })
}
