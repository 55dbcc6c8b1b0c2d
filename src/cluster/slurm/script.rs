//! The scripts that `sbatch` is handed: a few lines around `run --shard` and `merge`.

use crate::cluster::shell::quoted;
use crate::cluster::stop_rules::StopRules;
use std::path::Path;

/// What the scripts of a submission are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptFacts<'a> {
    /// The run folder, absolute.
    pub run: &'a Path,
    /// This program on the nodes.
    pub program: &'a str,
    /// Its version, which must be ours.
    pub version: &'a str,
    /// Lines of the site's.
    pub setup: &'a [String],
    /// The number of the submission.
    pub submission: u32,
    /// The number of the first attempts.
    pub attempt: u32,
    /// The list of benchmarks, if not all are to be done.
    pub list: Option<&'a Path>,
    /// When a part stops before all of it is done.
    pub stops: StopRules,
    /// Whether every verify is asked again.
    pub fresh: bool,
    /// The file that ends these attempts once it is there.
    pub stand_down: &'a Path,
    /// What the merge is told beside the folders.
    pub merge: &'a [String],
}

/// Returns the script of a part. Its arguments are the number of the group, what that requires, and into how
/// many parts it is divided.
#[must_use]
pub fn shard_script(facts: &ScriptFacts<'_>) -> String {
    let list = facts.list.map_or_else(String::new, |list| {
        format!(" --jobs {}", quoted(&list.display().to_string()))
    });
    let stops: String = facts
        .stops
        .arguments()
        .iter()
        .map(|word| format!(" {}", quoted(word)))
        .collect();
    format!(
        "{head}\
         attempt=$(({attempt} + ${{SLURM_RESTART_COUNT:-0}}))\n\
         {program} run plan.json --shard \"$SLURM_ARRAY_TASK_ID/$3\" --requires \"$2\"{list} \\\n    \
         --stand-down {stand_down} --no-history --to csv{fresh}{stops} \\\n    \
         --out \"attempts/{submission}-g$1-$SLURM_ARRAY_TASK_ID-of-$3.attempt-$attempt\"\n\
         status=$?\n\
         # A benchmark that failed is a result; only trouble of our own is a failure of the job.\n\
         case $status in 0|1|3) exit 0 ;; *) exit \"$status\" ;; esac\n",
        head = head(facts),
        attempt = facts.attempt,
        program = quoted(facts.program),
        stand_down = quoted(&facts.stand_down.display().to_string()),
        submission = facts.submission,
        fresh = if facts.fresh { " --fresh" } else { "" },
    )
}

/// Returns the script that puts results together.
#[must_use]
pub fn merge_script(facts: &ScriptFacts<'_>) -> String {
    let further: String = facts
        .merge
        .iter()
        .map(|word| format!(" {}", quoted(word)))
        .collect();
    format!(
        "{head}\
         {program} merge attempts --out . --replace{further}\n\
         status=$?\n\
         case $status in 0|1|3) exit 0 ;; *) exit \"$status\" ;; esac\n",
        head = head(facts),
        program = quoted(facts.program),
    )
}

fn head(facts: &ScriptFacts<'_>) -> String {
    let mut text = format!(
        "#!/bin/sh\n\
         # Written by `earmark run --on slurm`.\n\
         set -u\n\
         # What the machine that handed this over has, and is called, says nothing of a node.\n\
         unset EARMARK_LABELS EARMARK_MACHINE\n\
         # Nodes are told apart in the record by the names that Slurm has for them.\n\
         [ -z \"${{SLURMD_NODENAME:-}}\" ] || export EARMARK_MACHINE=\"$SLURMD_NODENAME\"\n\
         cd {run} || {{ echo \"earmark: this node does not see the run folder\" >&2; exit 4; }}\n",
        run = quoted(&facts.run.display().to_string()),
    );
    for line in facts.setup {
        text.push_str(line);
        text.push('\n');
    }
    text.push_str(&format!(
        "version=$({program} --version) || exit 4\n\
         [ \"$version\" = {version} ] || {{\n    \
         echo \"earmark: this node has $version, and the run was handed over by\" {version} >&2\n    \
         exit 4\n\
         }}\n",
        program = quoted(facts.program),
        version = quoted(facts.version),
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_part_is_run_in_its_own_attempt_and_a_failed_benchmark_is_no_failed_job() {
        let place = tempfile::tempdir().unwrap();
        let run = place.path().join("a run");
        std::fs::create_dir(&run).unwrap();
        let program = place.path().join("earmark");
        for (status, expected) in [(0, 0), (1, 0), (3, 0), (2, 2), (4, 4)] {
            std::fs::write(
                &program,
                format!(
                    "#!/bin/sh\n[ \"$1\" = --version ] && {{ echo earmark 1; exit; }}\necho \"$@\"; exit {status}\n"
                ),
            )
            .unwrap();
            Command::new("chmod")
                .arg("+x")
                .arg(&program)
                .status()
                .unwrap();
            let facts = ScriptFacts {
                run: &run,
                program: program.to_str().unwrap(),
                version: "earmark 1",
                setup: &["MARK=1".to_owned()],
                submission: 2,
                attempt: 5,
                list: Some(Path::new("submissions/2.jobs.txt")),
                stops: StopRules {
                    fail_fast: true,
                    max_failures: Some(4),
                    time_budget: Some(std::time::Duration::from_mins(90)),
                },
                fresh: false,
                stand_down: Path::new("submissions/3.json"),
                merge: &[],
            };
            let output = Command::new("sh")
                .args(["-c", &shard_script(&facts), "shard", "1", "gpu:cuda", "4"])
                .env("SLURM_ARRAY_TASK_ID", "3")
                .env("SLURM_RESTART_COUNT", "2")
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(expected));
            assert_eq!(
                String::from_utf8_lossy(&output.stdout).trim(),
                "run plan.json --shard 3/4 --requires gpu:cuda --jobs submissions/2.jobs.txt --stand-down \
                 submissions/3.json --no-history --to csv --fail-fast --max-failures 4 --time-budget 1h30m --out \
                 attempts/2-g1-3-of-4.attempt-7"
            );
            let other = ScriptFacts {
                version: "earmark 2",
                ..facts
            };
            let output = Command::new("sh")
                .args(["-c", &merge_script(&other)])
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(4), "another version is refused");
        }
    }
}
