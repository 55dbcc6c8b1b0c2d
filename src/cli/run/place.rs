//! Where a run's folder is.

use crate::cli::exit::Failure;
use crate::exec::Part;
use crate::model::Plan;
use crate::record::{RunFolder, RunRecord};
use std::path::{Path, PathBuf};

/// The folder of run folders, where no other place is named.
const RUNS: &str = "runs";

/// Where a run writes, and which attempt at its part of the plan it is.
pub(super) struct Place {
    pub(super) folder: PathBuf,
    /// From 1.
    pub(super) attempt: u32,
}

impl Place {
    /// Chooses the place of a run. A shard's folders lie beside those of the other shards of its
    /// plan, and each attempt has its own.
    pub(super) fn choose(
        out: Option<&Path>,
        resumed: Option<&Path>,
        plan: &Plan,
        part: Option<&Part>,
    ) -> Self {
        if let Some(folder) = resumed.or(out) {
            return Self {
                folder: folder.to_path_buf(),
                attempt: 1,
            };
        }
        let Some(part) = part else {
            let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
            return Self {
                folder: Path::new(RUNS).join(format!("{now}-{}", file_name(&plan.name))),
                attempt: 1,
            };
        };
        let digest: String = plan.digest.chars().take(10).collect();
        let parent = Path::new(RUNS).join(format!("{}-{digest}", file_name(&plan.name)));
        let shard = part.shard;
        let mut attempt = 1;
        loop {
            let name = format!("shard-{}-of-{}.attempt-{attempt}", shard.index, shard.count);
            let folder = parent.join(name);
            if !folder.exists() {
                return Self { folder, attempt };
            }
            attempt += 1;
        }
    }
}

/// Returns the folder in which a run writes that is no part of another, and goes on with none.
pub(in crate::cli) fn run_folder(out: Option<&Path>, plan: &Plan) -> PathBuf {
    Place::choose(out, None, plan, None).folder
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

/// Returns a name without what file names had better not have.
fn file_name(name: &str) -> String {
    name.chars()
        .map(|letter| {
            if letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.') {
                letter
            } else {
                '-'
            }
        })
        .collect()
}
